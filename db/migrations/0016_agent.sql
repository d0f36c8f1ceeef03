-- What the agent may do and did: the effects of a turn, contacts whom a person takes over, facts
-- that a contact told. An effect is a row before anything happens, keyed by the turn and the place
-- of its call: a turn that is taken up again finds the row and does nothing twice.
-- No installation has rows in these tables before the first release.
-- squawk-ignore-file constraint-missing-not-valid, disallowed-unique-constraint
set local lock_timeout = '5s';
set local statement_timeout = '60s';

alter table chatbots
  add column handoff_reply text not null check (length(handoff_reply) between 1 and 1000)
    default 'I am passing this on to a colleague, who will answer you here.',
  add column business_hours jsonb not null default '{}' check (jsonb_typeof(business_hours) = 'object'),
  add column allowed_link_hosts text[] not null default '{}',
  add column forbidden_words text[] not null default '{}',
  add column languages text[] not null default '{}',
  add column policy text check (length(policy) between 1 and 4000),
  add column least_confidence numeric not null default 0 check (least_confidence between 0 and 1),
  add column spam_confidence numeric not null default 0.95 check (spam_confidence between 0 and 1);
comment on column chatbots.handoff_reply is
  'What a contact reads when a person takes over because the chatbot can''t go on.';
comment on column chatbots.business_hours is
  'Hours in which a person is there, in the organization''s time zone: {"mon": [["09:00", "18:00"]], "2026-12-25": []}; a date goes before its weekday; {}: not told.';
comment on column chatbots.allowed_link_hosts is
  'Hosts that every link of may be sent; links elsewhere only as they stand in a passage that was found.';
comment on column chatbots.forbidden_words is 'A reply with one of these words is not sent.';
comment on column chatbots.languages is
  'Two letters each: a reply is in the contact''s language if it is one of these, else in the first; {}: not checked.';
comment on column chatbots.policy is
  'Rules that a model checks every reply against; null: no such check. A check that fails refuses.';
comment on column chatbots.least_confidence is
  'A turn whose answer is less sure than this goes to a person; 0: none does.';
comment on column chatbots.spam_confidence is
  'A message that is surer to be spam than this is not answered; 1: all are.';

alter table turns add constraint turns_in_conversation unique (conversation_id, organization_id, id);

create table tool_effects (
  turn_id uuid not null,
  position integer not null check (position >= 0),
  organization_id uuid not null,
  tool text not null,
  class text not null check (class in ('own', 'write', 'money')),
  arguments_sha256 text not null check (arguments_sha256 ~ '^[0-9a-f]{64}$'),
  state text not null default 'begun'
    check (state in ('begun', 'done', 'refused', 'needs_sign_in', 'unknown')),
  result jsonb,
  begun_at timestamptz not null default now(),
  ended_at timestamptz,
  primary key (turn_id, position),
  foreign key (organization_id, turn_id) references turns (organization_id, id) on delete cascade
);
create index tool_effects_turn_id_idx on tool_effects (turn_id, organization_id);
comment on table tool_effects is
  'One row per call of a tool that changes something, written before it is called: turn and position are the key that the tool is given.';
comment on column tool_effects.class is 'own: rows of ours; write, money: of a system outside.';
comment on column tool_effects.state is
  'begun -> done | refused (nothing was changed) | needs_sign_in (nor was it here, the server took the contact''s token no more; made only where this turn is taken up again and they may call by then) | unknown (its worker or its answer was lost: a person looks).';

create table handoffs (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null,
  conversation_id uuid not null,
  turn_id uuid not null,
  reason text not null check (reason ~ '^[a-z_]{3,40}$'),
  state text not null default 'asked' check (state in ('asked', 'open', 'ended')),
  note text check (length(note) between 1 and 4000),
  asked_at timestamptz not null default now(),
  opened_at timestamptz,
  ended_at timestamptz,
  constraint handoffs_are_asked_once unique (turn_id),
  foreign key (organization_id, conversation_id)
    references conversations (organization_id, id) on delete cascade,
  foreign key (organization_id, conversation_id, turn_id)
    references turns (organization_id, conversation_id, id) on delete cascade
);
create index handoffs_conversation_id_idx on handoffs (conversation_id, organization_id, turn_id);
comment on table handoffs is 'One row per turn after which a teammate is in charge.';
comment on column handoffs.reason is
  'asked_by_contact, low_confidence, out_of_rounds, unkept_promise, needs_approval, effect_unknown ...';
comment on column handoffs.state is
  'asked (the turn''s reply is still to be sent) -> open (the chatbot is silent) -> ended (the mode is bot again).';
comment on column handoffs.note is 'What the teammate did, for the chatbot to know.';

create table contact_facts (
  contact_id uuid not null,
  name text not null check (name ~ '^[a-z_]{2,30}$'),
  organization_id uuid not null,
  value text not null check (length(value) between 1 and 120 and value !~ '[[:cntrl:]]'),
  turn_id uuid,
  written_at timestamptz not null default now(),
  value_before text,
  written_before timestamptz,
  primary key (contact_id, name),
  foreign key (organization_id, contact_id)
    references contacts (organization_id, id) on delete cascade,
  foreign key (organization_id, turn_id)
    references turns (organization_id, id) on delete set null (turn_id)
);
create index contact_facts_contact_id_idx on contact_facts (contact_id, organization_id);
create index contact_facts_turn_id_idx on contact_facts (turn_id, organization_id);
comment on table contact_facts is
  'One row per contact and thing to remember of them; names are a fixed list (f/agent/remember_fact_tool.py).';
comment on column contact_facts.value_before is
  'What was remembered before the turn that wrote it: that turn, taken up again, is told this, so that what was paid stays an answer to the same words. Null: nothing was.';
comment on column contact_facts.written_before is 'When value_before was written.';

create function tg_turns__open_handoff() returns trigger as $$
begin
  update handoffs set state = 'open', opened_at = now()
   where turn_id = new.id and state = 'asked';
  if found then
    update conversations set mode = 'human' where id = new.conversation_id and mode = 'bot';
  end if;
  return null;
end;
$$ language plpgsql volatile;
comment on function tg_turns__open_handoff is
  'The chatbot falls silent when its last reply is out: earlier, that reply would be held too.';

create trigger _600_open_handoff
  after update of state on turns for each row
  when (new.state in ('finished', 'buried', 'held') and old.state <> new.state)
  execute function tg_turns__open_handoff();
comment on trigger _600_open_handoff on turns is 'However the turn ends, a person was promised.';

create function tg_conversations__end_handoff() returns trigger as $$
begin
  update handoffs set state = 'ended', ended_at = now()
   where conversation_id = new.id and state = 'open';
  return null;
end;
$$ language plpgsql volatile;
comment on function tg_conversations__end_handoff is 'Whoever gives the conversation back ends the handoff.';

create trigger _500_end_handoff
  after update of mode on conversations for each row
  when (new.mode = 'bot' and old.mode <> 'bot')
  execute function tg_conversations__end_handoff();
comment on trigger _500_end_handoff on conversations is 'A handoff lasts as long as the mode.';

create function tg_handoffs__raise_alert() returns trigger as $$
begin
  perform raise_alert(
    new.organization_id, 'warning', 'handoff_asked', new.conversation_id::text,
    format('conversation %s waits for a teammate: %s', new.conversation_id, new.reason));
  return null;
end;
$$ language plpgsql volatile;
comment on function tg_handoffs__raise_alert is 'A person learns of it in the moment it is committed.';

create trigger _500_raise_alert
  after insert on handoffs for each row execute function tg_handoffs__raise_alert();
comment on trigger _500_raise_alert on handoffs is 'No handoff goes unseen.';

do $$ begin perform apply_access(); end $$;
