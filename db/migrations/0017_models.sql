-- Which models answer for a chatbot, and which of them are not asked just now; and what is charged
-- when one was paid by a worker that had lost its turn.
set local lock_timeout = '5s';
set local statement_timeout = '60s';

create table model_slots (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null,
  chatbot_id uuid not null,
  purpose text not null default 'usual' check (purpose in ('usual', 'economy', 'transcription')),
  tier integer not null default 0 check (tier between 0 and 9),
  weight integer not null default 1 check (weight between 1 and 100),
  kind text not null check (kind ~ '^[a-z_]{2,30}$'),
  model text not null check (length(model) between 1 and 200),
  base_url text check (base_url ~ '^https?://' and length(base_url) <= 500),
  sealed_key text,
  sees_pictures boolean,
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  foreign key (organization_id, chatbot_id)
    references chatbots (organization_id, id) on delete cascade
);
create index model_slots_chatbot_id_idx on model_slots (organization_id, chatbot_id);
comment on table model_slots is
  'One row per model that may answer for a chatbot; without any, the installation''s own does.';
comment on column model_slots.purpose is
  'economy: from 95 % of the plan on; transcription: hears voice messages.';
comment on column model_slots.sees_pictures is 'Null: told by the model''s name.';
comment on column model_slots.tier is
  'A turn begins in the lowest tier, at a slot drawn by weight, and goes on to the others and then to the next tier when one fails.';
comment on column model_slots.base_url is 'Null: the vendor''s own.';
comment on column model_slots.sealed_key is
  'The vendor''s key, AES-256-GCM, bound to this row''s id (f/shared/crypto.py).';

create table model_breakers (
  organization_id uuid not null references organizations on delete cascade,
  provider_key text not null check (length(provider_key) = 16),
  failures integer not null check (failures > 0),
  open_until timestamptz,
  primary key (organization_id, provider_key)
);
comment on table model_breakers is
  'One row per organization, address and key of a model''s vendor that failed the last time it was asked.';
comment on column model_breakers.provider_key is 'A hash of the address and the key.';
comment on column model_breakers.open_until is
  'Until then nobody asks; after it one asks, and the others wait for what becomes of that.';

create function charge_late(p_call model_calls) returns void as $$
declare
  v_event usage_events;
  v_cost bigint;
begin
  select * into v_event from usage_events where turn_id = p_call.turn_id for no key update;
  if not is_plausible(p_call) then
    p_call.is_estimated := true;
    p_call.output_tokens := 0;
    p_call.input_tokens := case when exists (
      select from model_calls as other
       where turn_id = p_call.turn_id and call_id <> p_call.call_id and not is_plausible(other)
    ) then 0 else v_event.tokens_held end;
  end if;
  v_cost := cost_of(p_call.model, p_call.input_tokens, p_call.output_tokens,
                    v_event.held_on, v_event.microcents_per_token);
  update usage_events
     set model = (
           select string_agg(distinct calls.model, ', ') from model_calls as calls
            where calls.turn_id = p_call.turn_id),
         model_calls = model_calls + 1,
         input_tokens = input_tokens + p_call.input_tokens,
         output_tokens = output_tokens + p_call.output_tokens,
         is_estimated = is_estimated or p_call.is_estimated,
         cost_microcents = cost_microcents + v_cost
   where turn_id = p_call.turn_id
  returning * into v_event;
  update usage_periods
     set tokens_overrun = tokens_overrun + p_call.input_tokens + p_call.output_tokens,
         cost_overrun_microcents = cost_overrun_microcents + coalesce(v_cost, 0)
   where organization_id = v_event.organization_id and starts_on = v_event.period_starts_on;
  perform alert_odd_charge(v_event);
end;
$$ language plpgsql volatile;
comment on function charge_late is
  'Charges a call to a turn that was charged before it, as the turn''s others were; in the period beyond what was reserved, which was given back.';

create function book_lost_call(
  p_turn_id uuid, p_fence bigint, p_draft integer, p_call_id uuid, p_model text,
  p_input_tokens bigint, p_output_tokens bigint, p_is_estimated boolean
) returns boolean as $$
declare
  v_call model_calls;
begin
  select p_turn_id, p_draft, 0, turns.organization_id, p_call_id, null::text, true,
         p_model, p_input_tokens, p_output_tokens, p_is_estimated, '{}'::jsonb, now()
    into v_call
    from turns
    join conversation_work on conversation_work.conversation_id = turns.conversation_id
   where turns.id = p_turn_id and p_fence between 1 and conversation_work.fence - 1
     -- As every write of a turn begins: in another order two would wait for each other.
     for no key update of conversation_work;
  if not found then
    return false;
  elsif not add_model_call(v_call) then
    return false;
  end if;
  -- Whoever ends the hold at this moment is waited for; while it is there, the call is charged
  -- with the turn's others when it ends.
  perform from usage_holds where turn_id = p_turn_id for update;
  if not found then
    perform charge_late(v_call);
  end if;
  return true;
end;
$$ language plpgsql volatile security definer set search_path = public, pg_temp;
comment on function book_lost_call is
  'Charges a call that was paid by a worker that had lost the turn, once; nothing of the turn changes by it. False: it is booked already, the turn is erased, or the fence is the newest, and the call to be stored.';

do $$ begin perform apply_access(); end $$;
