-- The turn store: what came in, who is answering it, what goes out.
-- Worst moments for a crash: after a webhook was answered 200 (so the message is committed
-- before), after the model was paid (so the reply is committed in one transaction with the end of
-- thinking), between two sends (so each row says that it is being sent before it is).
set local lock_timeout = '5s';
set local statement_timeout = '60s';

create table webhook_deliveries (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null,
  channel_id uuid not null,
  body text not null,
  reference uuid,
  received_at timestamptz not null default now(),
  accepted_at timestamptz,
  attempts integer not null default 0,
  attempted_at timestamptz,
  outcome jsonb,
  foreign key (organization_id, channel_id)
    references channels (organization_id, id) on delete cascade
);
create index webhook_deliveries_channel_id_idx on webhook_deliveries (channel_id, organization_id);
create index webhook_deliveries_accepted_at_idx on webhook_deliveries (accepted_at);
-- What a crash between receiving and accepting left behind.
create index webhook_deliveries_not_accepted on webhook_deliveries (received_at)
  where accepted_at is null;
comment on table webhook_deliveries is 'One row per webhook with a valid signature, as received; forgotten a week after it was accepted.';
comment on column webhook_deliveries.reference is
  'Our id of an outbound message, from the address that its status was posted to.';
comment on column webhook_deliveries.attempts is
  'How often the sweep tried to accept it; after five an alert asks for a person.';
comment on column webhook_deliveries.outcome is
  'Counts of what it held: new, duplicate, receipt, refused, group_chatter, and ignored with its reasons.';

create table turns (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null,
  conversation_id uuid not null,
  state text not null default 'thinking'
    check (state in ('thinking', 'answered', 'finished', 'held', 'refused', 'buried')),
  outcome text check (outcome in ('reply', 'limit_notice', 'failure_notice')),
  attempts integer not null default 0 check (attempts >= 0),
  attempt_fence bigint not null default 0,
  drafts_dropped integer not null default 0 check (drafts_dropped between 0 and 2),
  arrivals_seen bigint not null,
  told_at timestamptz not null default now(),
  think_until timestamptz,
  usage_decision text,
  receipt jsonb,
  created_at timestamptz not null default now(),
  answered_at timestamptz,
  sent_at timestamptz,
  saved_at timestamptz,
  charged_at timestamptz,
  constraint turns_in_organization unique (id, organization_id),
  constraint turns_finish_complete check (
    state <> 'finished' or (sent_at is not null and saved_at is not null and charged_at is not null)
  ),
  foreign key (organization_id, conversation_id)
    references conversations (organization_id, id) on delete cascade
);
create index turns_conversation_id_idx on turns (conversation_id, organization_id);
-- One turn at a time per conversation: replies can't overtake each other.
create unique index turns_one_open_per_conversation on turns (conversation_id)
  where state in ('thinking', 'answered');
comment on table turns is 'One row per answer: the messages it answers and how far it got.';
comment on column turns.state is
  'thinking -> answered (something to send is committed: outcome says what) -> finished (sent, saved and charged); thinking -> held (a teammate is in charge) | refused (a limit; the notice was sent earlier that day); thinking, answered -> buried (5 attempts, nothing more can be sent).';
comment on column turns.outcome is
  'reply: of the agent; limit_notice: a limit kept it from answering; failure_notice: five attempts failed.';
comment on column turns.attempts is
  'How often thinking began, and after the reply was committed how often sending began.';
comment on column turns.attempt_fence is
  'The claim that began the newest attempt: steps that are run again by the same flow are not counted again.';
comment on column turns.drafts_dropped is
  'Answers thrown away because the contact wrote on before they were committed.';
comment on column turns.usage_decision is 'What reserve_usage said: normal, economy, or which limit was reached.';
comment on column turns.arrivals_seen is 'conversation_work.arrivals when its messages were gathered.';
comment on column turns.told_at is
  'The date and time that the model is told: of the newest attempt before which nothing of this draft was paid, so that what was paid stays an answer to the same words.';
comment on column turns.think_until is
  'When its attempts have to end together, since the models failed in one: the contact is told something then. Null: each attempt has its own time, as after a crash.';
comment on column turns.receipt is 'What was retrieved and decided, with ids and scores.';

create table model_calls (
  turn_id uuid not null,
  draft integer not null check (draft >= 0),
  position integer not null check (position >= 0),
  organization_id uuid not null,
  call_id uuid not null default gen_random_uuid(),
  request_sha256 text check (request_sha256 ~ '^[0-9a-f]{64}$'),
  is_lost boolean not null default false,
  model text not null,
  input_tokens bigint not null check (input_tokens >= 0),
  output_tokens bigint not null check (output_tokens >= 0),
  is_estimated boolean not null default false,
  response jsonb not null,
  created_at timestamptz not null default now(),
  primary key (turn_id, draft, position),
  constraint model_calls_are_booked_once unique (turn_id, call_id),
  foreign key (organization_id, turn_id) references turns (organization_id, id) on delete cascade
);
create index model_calls_turn_id_idx on model_calls (turn_id, organization_id);
comment on table model_calls is
  'One row per paid call of a model, stored as soon as its answer came: a turn that is taken up again does not pay for the same request again.';
comment on column model_calls.draft is
  'turns.drafts_dropped when it was made; 9: before all drafts, a voice message was written down.';
comment on column model_calls.position is 'In the order in which the answers of a draft were stored.';
comment on column model_calls.call_id is
  'Drawn by who paid, so that a call is kept once though nobody knows whether a first try to keep it came through.';
comment on column model_calls.request_sha256 is
  'Of the messages and tools that it answers: it is served again to these alone. Null: it is never served (a voice message that was heard).';
comment on column model_calls.is_lost is
  'Paid by a worker that had lost the turn meanwhile: charged, and never served.';
comment on column model_calls.input_tokens is 'A model that is paid by time is given a token a second.';
comment on column model_calls.is_estimated is 'The provider told no usage; the tokens are our estimate.';

create table inbound_messages (
  id bigint primary key generated always as identity,
  organization_id uuid not null,
  channel_id uuid not null,
  conversation_id uuid not null,
  turn_id uuid,
  provider_message_id text not null check (length(provider_message_id) between 1 and 512),
  kind text not null,
  body text not null,
  media jsonb,
  reply_to text,
  referral text,
  album_id text,
  command text check (command ~ '^[a-z][a-z0-9_]{1,40}$'),
  state text not null default 'waiting'
    check (state in ('waiting', 'taken', 'answered', 'held', 'refused', 'buried', 'revoked')),
  edited_at timestamptz,
  sent_at timestamptz not null,
  received_at timestamptz not null default now(),
  constraint inbound_messages_are_stored_once unique (channel_id, provider_message_id),
  foreign key (organization_id, channel_id)
    references channels (organization_id, id) on delete cascade,
  foreign key (organization_id, conversation_id)
    references conversations (organization_id, id) on delete cascade,
  foreign key (organization_id, turn_id)
    references turns (organization_id, id) on delete set null (turn_id)
);
create index inbound_messages_channel_id_idx on inbound_messages (channel_id, organization_id);
create index inbound_messages_conversation_id_idx
  on inbound_messages (conversation_id, organization_id);
create index inbound_messages_turn_id_idx on inbound_messages (turn_id, organization_id);
create index inbound_messages_waiting on inbound_messages (conversation_id) where state = 'waiting';
comment on table inbound_messages is 'One row per message received, however often it was delivered.';
comment on column inbound_messages.state is
  'waiting -> taken (in a turn) -> answered | held (for a teammate) | refused (a limit) | buried (5 attempts). Any -> revoked (the contact took it back: its words are gone).';
comment on column inbound_messages.referral is
  'The advertisement, link or forwarded sender that it came by: words of somebody else.';
comment on column inbound_messages.command is 'Which command it is: help, clear, stats, feedback, human, stop, start.';

create table conversation_work (
  conversation_id uuid primary key,
  organization_id uuid not null,
  due_at timestamptz,
  waiting_since timestamptz,
  not_before timestamptz,
  nudged_for timestamptz,
  nudged_until timestamptz,
  nudges integer not null default 0 check (nudges >= 0),
  arrivals bigint not null default 0,
  lease_until timestamptz,
  fence bigint not null default 0,
  failures integer not null default 0 check (failures >= 0),
  last_sent_at timestamptz,
  instant_turns integer not null default 0 check (instant_turns >= 0),
  foreign key (organization_id, conversation_id)
    references conversations (organization_id, id) on delete cascade
);
create index conversation_work_organization_id_idx
  on conversation_work (conversation_id, organization_id);
create index conversation_work_due_idx on conversation_work (due_at) where due_at is not null;
comment on table conversation_work is 'One row per conversation that ever had work: when it is due, who holds it.';
comment on column conversation_work.arrivals is
  'Messages ever accepted. It is on the row that a release locks, so that a release compares it with the newest value; a look at inbound_messages there would use an older snapshot and lose a wake-up.';
comment on column conversation_work.fence is 'Raised by every claim; a write with an older one is refused.';
comment on column conversation_work.waiting_since is
  'When the first message arrived that is in no turn yet: a contact who keeps writing is answered some seconds after it all the same.';
comment on column conversation_work.not_before is 'Back-off after a failure; a new message does not shorten it.';
comment on column conversation_work.nudged_for is 'When the flow that was started comes.';
comment on column conversation_work.nudged_until is
  'So long it is trusted to come; then the sweep starts another, which is trusted twice as long.';
comment on column conversation_work.failures is 'Failed flows in a row; each doubles the back-off twice.';
comment on column conversation_work.instant_turns is
  'Turns in a row that were asked within three seconds of our last reply: no person reads and types as fast.';

create table outbound_messages (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null,
  conversation_id uuid not null,
  turn_id uuid not null,
  position integer not null check (position >= 0),
  body text not null check (length(body) > 0),
  state text not null default 'ready'
    check (state in (
      'ready', 'sending', 'sent', 'delivered', 'read', 'failed', 'unknown', 'held'
    )),
  attempts integer not null default 0,
  sending_at timestamptz,
  provider_message_id text,
  error_code text,
  reaction text check (length(reaction) <= 64),
  created_at timestamptz not null default now(),
  sent_at timestamptz,
  constraint outbound_messages_are_written_once unique (turn_id, position),
  foreign key (organization_id, conversation_id)
    references conversations (organization_id, id) on delete cascade,
  foreign key (organization_id, turn_id) references turns (organization_id, id) on delete cascade
);
create index outbound_messages_conversation_id_idx
  on outbound_messages (conversation_id, organization_id);
create index outbound_messages_turn_id_idx on outbound_messages (turn_id, organization_id);
create index outbound_messages_provider_id_idx on outbound_messages (provider_message_id);
comment on table outbound_messages is 'One row per message to send. Its id goes to the vendor as our reference.';
comment on column outbound_messages.state is
  'ready -> sending (committed before the call) -> sent -> delivered -> read; sending -> ready (surely not accepted) | failed (refused for good) | unknown (nobody can say; alerted) | held (outside the vendor''s window; alerted).';
comment on column outbound_messages.reaction is 'The emoji that the contact put on it.';

create table delivery_receipts (
  channel_id uuid not null,
  organization_id uuid not null,
  provider_message_id text not null,
  status text not null,
  participant text not null default '',
  client_reference text,
  error_code text,
  occurred_at timestamptz,
  received_at timestamptz not null default now(),
  primary key (channel_id, provider_message_id, status, participant),
  foreign key (organization_id, channel_id)
    references channels (organization_id, id) on delete cascade
);
create index delivery_receipts_channel_id_idx on delivery_receipts (channel_id, organization_id);
-- In a group: who did not get a reply, of the last day.
create index delivery_receipts_of_unreached on delivery_receipts (received_at)
  where participant <> '' and status in ('failed', 'undelivered');
comment on table delivery_receipts is 'One row per status that a vendor told us of a message that we sent, and in a group of each participant.';
comment on column delivery_receipts.participant is
  'The vendor''s id of the one of a group whom it is about; empty: of the message.';

create table tool_calls (
  turn_id uuid not null,
  position integer not null check (position >= 0),
  organization_id uuid not null,
  tool text not null,
  arguments jsonb not null,
  result jsonb not null,
  duration_ms integer not null check (duration_ms >= 0),
  primary key (turn_id, position),
  foreign key (organization_id, turn_id) references turns (organization_id, id) on delete cascade
);
create index tool_calls_turn_id_idx on tool_calls (turn_id, organization_id);
comment on table tool_calls is 'One row per tool call of the attempt that answered the turn.';

create table messages (
  id bigint primary key generated always as identity,
  organization_id uuid not null,
  conversation_id uuid not null,
  turn_id uuid,
  author text not null check (author in ('contact', 'chatbot', 'teammate')),
  position integer not null,
  body text not null,
  provider_message_id text,
  written_at timestamptz not null,
  constraint messages_of_teammates_are_told_once unique (conversation_id, provider_message_id),
  constraint messages_are_remembered_once unique (turn_id, author, position),
  foreign key (organization_id, conversation_id)
    references conversations (organization_id, id) on delete cascade,
  foreign key (organization_id, turn_id) references turns (organization_id, id) on delete cascade
);
create index messages_conversation_id_idx on messages (conversation_id, organization_id, id);
create index messages_turn_id_idx on messages (turn_id, organization_id);
comment on table messages is 'One row per line of a conversation as people see it.';
comment on column messages.turn_id is 'Null for what a teammate wrote past us, from the business''s own app.';
