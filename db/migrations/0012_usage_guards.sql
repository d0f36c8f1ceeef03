-- A turn's way through the quota: reserve before the model is called, settle after, or give back.
-- The functions run with their owner's rights, because nobody who answers turns may write these
-- tables; so each of them checks that the transaction proved the organization it is asked for.
set local lock_timeout = '5s';
set local statement_timeout = '60s';

create function require_own(p_organization_id uuid) returns void as $$
begin
  if p_organization_id is distinct from proved_organization() then
    raise exception 'this transaction proved another organization'
      using errcode = 'insufficient_privilege';
  end if;
end;
$$ language plpgsql stable;
comment on function require_own is
  'For functions that run with their owner''s rights, which row-level security may not bind.';

create function own_conversation(p_id uuid) returns conversations as $$
declare
  v_conversation conversations;
begin
  -- By its id alone: a row that is passed in can be made up, with a channel of somebody else.
  select * into v_conversation from conversations
   where id = p_id and organization_id = proved_organization();
  if not found then
    raise exception 'conversation % is not of the organization that was proved', p_id
      using errcode = 'insufficient_privilege';
  end if;
  return v_conversation;
end;
$$ language plpgsql stable;
comment on function own_conversation is
  'The conversation as it is, for functions that row-level security does not bind.';

create function hold_lasts() returns interval as $$
  select interval '15 minutes';
$$ language sql immutable;
comment on function hold_lasts is 'Longer than any turn; a turn that is tried again begins anew.';

create function dearer_price(p_model text, p_day date) returns bigint as $$
  select greatest(price_of(p_model, 1, 0, p_day), price_of(p_model, 0, 1, p_day));
$$ language sql stable;
comment on function dearer_price is
  'Microcents that a token of the model costs at most; null when it has no price.';

create function new_hold(
  p_conversation conversations, p_turn_id uuid, p_model text, p_tokens bigint
) returns usage_holds as $$
declare
  v_hold usage_holds;
  v_period usage_periods;
  v_economy_model text;
begin
  v_hold.turn_id := p_turn_id;
  v_hold.organization_id := p_conversation.organization_id;
  v_hold.contact_id := p_conversation.contact_id;
  v_hold.tokens := p_tokens;
  v_hold.held_on := usage_today(p_conversation.organization_id);
  v_hold.period_starts_on := open_usage_period(p_conversation.organization_id, v_hold.held_on);
  v_hold.expires_at := usage_now() + hold_lasts();
  select chatbots.id, chatbots.economy_model into strict v_hold.chatbot_id, v_economy_model
    from channels join chatbots on chatbots.id = channels.chatbot_id
   where channels.id = p_conversation.channel_id;
  select * into strict v_period from usage_periods
   where organization_id = v_hold.organization_id and starts_on = v_hold.period_starts_on;
  v_hold := at_price_of(v_hold, 'normal', p_model);
  if nears_limit(v_period, v_hold) then
    v_hold := at_price_of(v_hold, 'economy', coalesce(v_economy_model, p_model));
  end if;
  if v_period.cost_limit_microcents is null then
    v_hold.cost_microcents := coalesce(v_hold.cost_microcents, 0);
  end if;
  return v_hold;
end;
$$ language plpgsql volatile;
comment on function new_hold is
  'What a turn would take, at the price of the model that is its turn at this level of use; the cost is null when it must be known and is not. Nothing is taken yet.';

create function at_price_of(p_hold usage_holds, p_decision text, p_model text)
returns usage_holds as $$
begin
  p_hold.decision := p_decision;
  p_hold.model := p_model;
  p_hold.microcents_per_token := dearer_price(p_model, p_hold.held_on);
  p_hold.cost_microcents := p_hold.tokens * p_hold.microcents_per_token;
  return p_hold;
end;
$$ language plpgsql stable;
comment on function at_price_of is 'The hold of a turn that is answered by this model.';

create function nears_limit(p_period usage_periods, p_hold usage_holds) returns boolean as $$
  select 95 <= greatest(
    percent_of(p_period.messages_used + p_period.messages_reserved + 1, p_period.message_limit),
    percent_of(
      p_period.tokens_used + p_period.tokens_reserved + p_period.tokens_overrun + p_hold.tokens,
      p_period.token_limit),
    percent_of(
      p_period.cost_microcents + p_period.cost_reserved_microcents
        + p_period.cost_overrun_microcents + p_hold.cost_microcents,
      p_period.cost_limit_microcents));
$$ language sql immutable;
comment on function nears_limit is 'Whether a period with this hold is at 95 % of any limit.';

create function has_room(p_period usage_periods, p_hold usage_holds) returns boolean as $$
  select p_period.messages_used + p_period.messages_reserved + 1 <= p_period.message_limit
     and p_period.tokens_used + p_period.tokens_reserved + p_period.tokens_overrun + p_hold.tokens
         <= p_period.token_limit
     and (p_period.cost_limit_microcents is null
       or p_period.cost_microcents + p_period.cost_reserved_microcents
          + p_period.cost_overrun_microcents + p_hold.cost_microcents
          <= p_period.cost_limit_microcents);
$$ language sql immutable;
comment on function has_room is 'Whether a period has room for one more turn of this size.';

create function take_period(p_hold usage_holds) returns text as $$
  update usage_periods
     set messages_reserved = messages_reserved + 1,
         tokens_reserved = tokens_reserved + p_hold.tokens,
         cost_reserved_microcents = cost_reserved_microcents + p_hold.cost_microcents
   where organization_id = p_hold.organization_id
     and starts_on = p_hold.period_starts_on
     and (cost_limit_microcents is null or p_hold.microcents_per_token is not null)
     and has_room(usage_periods, p_hold)
  returning case
    when greatest(messages_percent, tokens_percent, cost_percent) >= 95 then 'economy'
    else p_hold.decision
  end;
$$ language sql volatile;
comment on function take_period is
  'The statement that decides: it waits for the row and judges its newest version. Null: no room.';

create function take_days(p_hold usage_holds) returns text as $$
declare
  v_chatbot chatbots;
begin
  select * into strict v_chatbot from chatbots where id = p_hold.chatbot_id;
  insert into contact_days (contact_id, day, organization_id, messages_used)
  select p_hold.contact_id, p_hold.held_on, p_hold.organization_id, 1
   where coalesce(v_chatbot.contact_daily_message_limit, 1) > 0
  on conflict on constraint contact_days_pkey do update
    set messages_used = contact_days.messages_used + 1
    where contact_days.messages_used < v_chatbot.contact_daily_message_limit
       or v_chatbot.contact_daily_message_limit is null;
  if not found then
    return 'contact_limit';
  end if;
  insert into chatbot_days (chatbot_id, day, organization_id, messages_used)
  select p_hold.chatbot_id, p_hold.held_on, p_hold.organization_id, 1
   where coalesce(v_chatbot.daily_message_limit, 1) > 0
  on conflict on constraint chatbot_days_pkey do update
    set messages_used = chatbot_days.messages_used + 1
    where chatbot_days.messages_used < v_chatbot.daily_message_limit
       or v_chatbot.daily_message_limit is null;
  if not found then
    update contact_days set messages_used = messages_used - 1
     where contact_id = p_hold.contact_id and day = p_hold.held_on;
    return 'chatbot_limit';
  end if;
  return null;
end;
$$ language plpgsql volatile;
comment on function take_days is
  'One turn of the contact''s and of the chatbot''s day; or neither, and which limit stands against it.';

create function give_back_days(p_hold usage_holds) returns void as $$
begin
  update contact_days set messages_used = messages_used - 1
   where contact_id = p_hold.contact_id and day = p_hold.held_on;
  update chatbot_days set messages_used = messages_used - 1
   where chatbot_id = p_hold.chatbot_id and day = p_hold.held_on;
end;
$$ language plpgsql volatile;
comment on function give_back_days is 'Undoes take_days, on the day that it took from.';

create function take_hold(p_hold usage_holds) returns text as $$
declare
  v_refusal text;
  v_decision text;
begin
  -- A look without a lock first: a plan that is used up is refused without any write.
  if exists (
    select from usage_periods
     where organization_id = p_hold.organization_id and starts_on = p_hold.period_starts_on
       and has_room(usage_periods, p_hold)
  ) then
    v_refusal := take_days(p_hold);
    if v_refusal is not null then
      return v_refusal;
    end if;
    v_decision := take_period(p_hold);
    if v_decision is not null then
      return v_decision;
    end if;
    perform give_back_days(p_hold);
  end if;
  perform warn_once(p_hold.organization_id, p_hold.period_starts_on, 'plan', 'spent',
    format('%s: a turn was refused, the month has no room for it', p_hold.period_starts_on));
  return 'spent';
end;
$$ language plpgsql volatile;
comment on function take_hold is
  'Takes all of a hold or nothing: normal, economy, or what stands against it.';

create function reserve_usage(
  p_conversation conversations, p_turn_id uuid, p_model text, p_tokens bigint
) returns text as $$
declare
  v_hold usage_holds;
  v_decision text;
begin
  p_conversation := own_conversation(p_conversation.id);
  if p_tokens is null or p_tokens not between 0 and 1000000000 then
    raise exception 'a turn can''t reserve % tokens', p_tokens
      using errcode = 'invalid_parameter_value';
  end if;
  -- Twins of a turn wait for each other here.
  perform from turns
   where id = p_turn_id and conversation_id = p_conversation.id for no key update;
  if not found then
    raise exception 'turn % is not of this conversation', p_turn_id using errcode = 'no_data_found';
  end if;
  update usage_holds set expires_at = usage_now() + hold_lasts()
   where turn_id = p_turn_id returning decision into v_decision;
  if not found then
    select decision into v_decision from usage_events where turn_id = p_turn_id;
  end if;
  if found then
    return v_decision;
  end if;
  v_hold := new_hold(p_conversation, p_turn_id, p_model, p_tokens);
  if v_hold.cost_microcents is null then
    perform warn_once(v_hold.organization_id, v_hold.period_starts_on, 'cost', 'price_unknown',
      format('model %s has no price, and the plan limits the cost: nothing is answered', v_hold.model));
    return 'price_unknown';
  end if;
  v_hold.decision := take_hold(v_hold);
  if v_hold.decision in ('normal', 'economy') then
    insert into usage_holds select v_hold.*;
  end if;
  return v_hold.decision;
end;
$$ language plpgsql volatile security definer set search_path = public, pg_temp;
comment on function reserve_usage is
  'Takes one message, the tokens and their cost for a turn: normal or economy (from 95 % on); or refuses: spent, chatbot_limit, contact_limit, price_unknown. Asked again it says the same and takes nothing more.';

create function claim_limit_notice(p_conversation conversations) returns text as $$
begin
  p_conversation := own_conversation(p_conversation.id);
  insert into contact_days (contact_id, day, organization_id, notice_claimed_at)
  values (
    p_conversation.contact_id, usage_today(p_conversation.organization_id),
    p_conversation.organization_id, usage_now()
  )
  on conflict on constraint contact_days_pkey do update
    set notice_claimed_at = excluded.notice_claimed_at
    where contact_days.notice_claimed_at is null;
  return case when found then (
    select limit_notice from channels join chatbots on chatbots.id = channels.chatbot_id
     where channels.id = p_conversation.channel_id
  ) end;
end;
$$ language plpgsql volatile security definer set search_path = public, pg_temp;
comment on function claim_limit_notice is
  'What to tell a contact whom a limit keeps from an answer, the first time in a day; then null.';
