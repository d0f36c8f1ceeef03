-- What an organization learns from its conversations: questions that its documents did not answer,
-- in groups; what teammates answered, waiting for approval; and what may be forgotten again.
set local lock_timeout = '5s';
set local statement_timeout = '60s';

create table question_groups (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null,
  chatbot_id uuid not null,
  state text not null default 'open' check (state in ('open', 'answered', 'dismissed')),
  decided_at timestamptz,
  created_at timestamptz not null default now(),
  constraint question_groups_in_organization unique (id, organization_id),
  constraint question_groups_say_when check ((state = 'open') = (decided_at is null)),
  foreign key (organization_id, chatbot_id)
    references chatbots (organization_id, id) on delete cascade
);
create index question_groups_chatbot_id_idx on question_groups (chatbot_id, organization_id);
comment on table question_groups is 'One row per thing that contacts ask and no document answers.';
comment on column question_groups.state is
  'open -> answered (a source says it now; open again when it is asked in vain later) | dismissed (no document is to answer it).';

create table unanswered_questions (
  turn_id uuid primary key,
  organization_id uuid not null,
  chatbot_id uuid not null,
  group_id uuid,
  embedding_model text,
  embedding vector,
  asked_at timestamptz not null default now(),
  constraint unanswered_questions_in_organization unique (turn_id, organization_id),
  constraint unanswered_questions_are_grouped_by_a_vector
    check ((group_id is null) or (embedding_model is not null and embedding is not null)),
  foreign key (organization_id, turn_id) references turns (organization_id, id) on delete cascade,
  foreign key (organization_id, chatbot_id)
    references chatbots (organization_id, id) on delete cascade,
  foreign key (organization_id, group_id)
    references question_groups (organization_id, id) on delete set null (group_id)
);
create index unanswered_questions_chatbot_id_idx
  on unanswered_questions (chatbot_id, organization_id);
create index unanswered_questions_group_id_idx on unanswered_questions (group_id, organization_id);
create index unanswered_questions_not_grouped_idx on unanswered_questions (asked_at)
  where group_id is null;
comment on table unanswered_questions is
  'One row per turn whose question the documents did not answer; its words are those of the turn''s messages, and go with them.';
comment on column unanswered_questions.embedding is
  'Of the question, of unit length: as personal as its words.';

create table answer_drafts (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null,
  group_id uuid not null,
  turn_id uuid not null,
  question text not null check (length(question) between 1 and 2000),
  answer text not null check (length(answer) between 1 and 8000),
  state text not null default 'waiting' check (state in ('waiting', 'approved', 'rejected')),
  source_id uuid,
  made_at timestamptz not null default now(),
  decided_at timestamptz,
  constraint answer_drafts_are_made_once unique (turn_id),
  constraint answer_drafts_say_when check ((state = 'waiting') = (decided_at is null)),
  foreign key (organization_id, group_id)
    references question_groups (organization_id, id) on delete cascade,
  foreign key (organization_id, turn_id)
    references unanswered_questions (organization_id, turn_id) on delete cascade,
  foreign key (organization_id, source_id)
    references sources (organization_id, id) on delete set null (source_id)
);
create unique index answer_drafts_one_waiting on answer_drafts (group_id) where state = 'waiting';
create index answer_drafts_group_id_idx on answer_drafts (group_id, organization_id);
create index answer_drafts_turn_id_idx on answer_drafts (turn_id, organization_id);
create index answer_drafts_source_id_idx on answer_drafts (source_id, organization_id);
comment on table answer_drafts is
  'One row per unanswered question that teammates answered in its conversation: what could become a document.';
comment on column answer_drafts.state is
  'waiting (one per group) -> approved (it became a source) | rejected (never proposed again).';

create function tg_turns__note_unanswered() returns trigger as $$
begin
  insert into unanswered_questions (turn_id, organization_id, chatbot_id)
  select new.id, new.organization_id, channels.chatbot_id
    from conversations join channels on channels.id = conversations.channel_id
   where conversations.id = new.conversation_id
  on conflict do nothing;
  return null;
end;
$$ language plpgsql volatile;
comment on function tg_turns__note_unanswered is 'Keeps what nobody could answer from documents.';

create trigger _500_note_unanswered
  after update of receipt on turns for each row
  when (new.receipt @> '{"is_unanswered": true}')
  execute function tg_turns__note_unanswered();
comment on trigger _500_note_unanswered on turns is
  'In the transaction that commits the reply: no such question is lost, none is counted twice.';

create function question_of_turn(p_turn_id uuid) returns text as $$
  select string_agg(body, ' ' order by sent_at, id) from inbound_messages
   where turn_id = p_turn_id and state <> 'revoked' and command is null and body <> '';
$$ language sql stable;
comment on function question_of_turn is
  'What the contact asked, in their words; null when nothing of it is left.';

create function organizations_with_new_questions() returns setof uuid as $$
  select distinct organization_id from unanswered_questions where group_id is null;
$$ language sql stable;
comment on function organizations_with_new_questions is
  'Where questions wait to be put into groups.';

create function questions_to_group(p_limit integer)
returns table (turn_id uuid, chatbot_id uuid, question text) as $$
#variable_conflict use_column
begin
  delete from unanswered_questions
   where organization_id = proved_organization() and group_id is null
     and question_of_turn(turn_id) is null;
  return query
    select turn_id, chatbot_id, left(question_of_turn(turn_id), 2000)
      from unanswered_questions
     where organization_id = proved_organization() and group_id is null
     order by asked_at, turn_id
     limit p_limit;
end;
$$ language plpgsql volatile;
comment on function questions_to_group is
  'Questions without a group of the organization that the transaction has entered, the oldest first; what a contact took back is forgotten.';

create function group_question(
  p_turn_id uuid, p_embedding_model text, p_embedding vector, p_least_similarity float8
) returns uuid as $$
declare
  v_question unanswered_questions;
  v_group_id uuid;
begin
  select * into v_question from unanswered_questions where turn_id = p_turn_id for update;
  if not found or v_question.group_id is not null then
    return v_question.group_id;
  end if;
  -- Two at once would each open a group for the same question.
  perform pg_advisory_xact_lock(hashtextextended(v_question.chatbot_id::text, 24));
  -- Only with the first of each group: compared with any of it, groups grow into each other.
  select group_id into v_group_id
    from (select distinct on (group_id) group_id, embedding
            from unanswered_questions
           where organization_id = v_question.organization_id
             and chatbot_id = v_question.chatbot_id
             and embedding_model = p_embedding_model
             and vector_dims(embedding) = vector_dims(p_embedding)
             and group_id is not null
           order by group_id, asked_at, turn_id) as firsts
   where -(embedding <#> p_embedding) >= p_least_similarity
   order by embedding <#> p_embedding limit 1;
  if not found then
    insert into question_groups (organization_id, chatbot_id)
    values (v_question.organization_id, v_question.chatbot_id) returning id into v_group_id;
  end if;
  update unanswered_questions
     set group_id = v_group_id, embedding_model = p_embedding_model, embedding = p_embedding
   where turn_id = p_turn_id;
  update question_groups set state = 'open', decided_at = null
   where id = v_group_id and state = 'answered' and decided_at < v_question.asked_at;
  return v_group_id;
end;
$$ language plpgsql volatile;
comment on function group_question is
  'Puts a question to those that ask the same, by the vector of its words (unit length), or begins a group; answered ones are open again when they are asked in vain.';

create function is_courtesy(p_text text) returns boolean as $$
  select length(p_text) < 80 and p_text !~ '\d' and (
    -- With a name or two behind it, and no yes or no.
    p_text ~* ('^\W*(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day)|bye|goodbye'
      || '|thanks|thank you|you''?re welcome|welcome|ola|olá|oi|bom dia|boa (?:tarde|noite)|tchau'
      || '|obrigad[oa]|de nada|hola|buen[oa]s (?:d[ií]as|tardes|noches)|gracias|adi[oó]s|hallo|moin'
      || '|guten (?:tag|morgen|abend)|danke|gerne?|bitte|bonjour|bonsoir|salut|merci|de rien|ciao'
      || '|buongiorno|grazie|prego|goede(?:morgen|middag|navond|ndag)|bedankt|dank je)'
      || '(?:\W+(?!(?:yes|no|not|s[ií]|sim|n[aã]o|ja|nein|oui|non|nee)\M)\w+){0,2}\W*$')
    or p_text ~* ('^\W*(?:(?:ok|okay|sure|yes)\W+)?(?:(?:just )?(?:one|a) (?:moment|second|sec|minute)'
      || '|let me (?:check|look|see|ask|find out)|i(?:''ll| will|''m going to) (?:check|look|ask|find out)'
      || '|um momento|un momento|einen (?:moment|augenblick)|un instant|un attimo|een moment'
      || '|vou (?:verificar|ver)|voy a (?:comprobar|mirar|ver)|je (?:regarde|vérifie)'
      || '|ich (?:schaue|frage|prüfe))\M[^.:;!?]*[.!…]*\s*$')
    or p_text ~* '^\W*(?:ok|okay)\W*$'
  );
$$ language sql immutable;
comment on function is_courtesy is
  'Whether a teammate''s message only greets, thanks or asks for patience, in the languages that we meet most; in doubt it says something.';

create function draft_answers() returns bigint as $$
  with answered as (
    select distinct on (questions.group_id) questions.organization_id, questions.group_id,
           questions.turn_id, question_of_turn(questions.turn_id) as question, said.answer
      from question_groups
      join unanswered_questions as questions on questions.group_id = question_groups.id
      join turns on turns.id = questions.turn_id
      join conversations on conversations.id = turns.conversation_id
     -- What they wrote from then on, until the chatbot answered again: a question back and a
     -- greeting are no answer, and one word may be.
     cross join lateral (
       select string_agg(body, E'\n\n' order by written_at, messages.id) as answer
         from messages
        where messages.conversation_id = turns.conversation_id and author = 'teammate'
          and written_at > turns.created_at
          and written_at < coalesce((select min(later.created_at) from turns as later
                                      where later.conversation_id = turns.conversation_id
                                        and later.created_at > turns.created_at
                                        and later.outcome = 'reply'), 'infinity')
          and body !~ '[?？]\s*$' and not is_courtesy(body)
     ) as said
     where question_groups.state = 'open' and conversations.mode = 'bot'
       and said.answer is not null
       and not exists (select from answer_drafts where turn_id = questions.turn_id)
       and not exists (select from answer_drafts
                        where group_id = question_groups.id and answer_drafts.state = 'waiting')
     order by questions.group_id, turns.created_at desc
  ), made as (
    insert into answer_drafts (organization_id, group_id, turn_id, question, answer)
    select organization_id, group_id, turn_id, left(question, 2000), left(answer, 8000)
      from answered where question is not null
    on conflict do nothing
    returning id
  )
  select count(*) from made;
$$ language sql volatile;
comment on function draft_answers is
  'Proposes what teammates answered, once their conversation is the chatbot''s again; one at a time for a group, and nothing twice.';

create function forget_old_knowledge(p_days integer, p_most integer) returns bigint as $$
declare
  v_before constant timestamptz := now() - make_interval(days => p_days);
  v_documents uuid[];
  v_count bigint;
  v_total bigint := 0;
begin
  -- What a reply cites can be shown as it was, however old.
  with forgotten as (
    delete from chunks where id in (
      select chunks.id
        from documents join chunks on chunks.organization_id = documents.organization_id
                                  and chunks.document_id = documents.id
       where documents.retired_at < v_before
         and not exists (select from turn_citations where turn_citations.chunk_id = chunks.id)
       limit p_most)
    returning id)
  select count(*) into v_count from forgotten;
  v_total := v_total + v_count;

  -- Empty now; or begun by a run that nobody continues.
  v_documents := array(
    select documents.id from documents
     where not is_active and not is_held
       and case when retired_at is null
                then created_at < v_before and not exists (
                  select from ingestions where ingestions.document_id = documents.id
                                           and ingestions.organization_id = documents.organization_id
                                           and ingestions.state <> 'ended')
                else retired_at < v_before and not exists (
                  select from chunks where chunks.organization_id = documents.organization_id
                                       and chunks.document_id = documents.id)
           end
     limit p_most);
  delete from documents where id = any (v_documents);
  v_total := v_total + cardinality(v_documents);

  -- The newest of a source tells how its last reading ended.
  with forgotten as (
    delete from ingestions where id in (
      select id from ingestions as old
       where state = 'ended' and ended_at < v_before
         and exists (select from ingestions as newer
                      where newer.organization_id = old.organization_id
                        and newer.source_id = old.source_id and newer.started_at > old.started_at)
       limit p_most)
    returning id)
  select count(*) into v_count from forgotten;
  v_total := v_total + v_count;

  -- Left by a re-embedding that was killed after it switched.
  with forgotten as (
    delete from embeddings using (
      select embeddings.organization_id, chunk_set_id, chunk_id
        from chunk_sets join embeddings
          on embeddings.organization_id = chunk_sets.organization_id
         and embeddings.chunk_set_id = chunk_sets.id
       where chunk_sets.state = 'retired' limit p_most) as old
     where embeddings.organization_id = old.organization_id
       and embeddings.chunk_set_id = old.chunk_set_id and embeddings.chunk_id = old.chunk_id
    returning embeddings.chunk_id)
  select count(*) into v_count from forgotten;
  v_total := v_total + v_count;
  delete from chunk_sets where state = 'retired' and not exists (
    select from embeddings where embeddings.organization_id = chunk_sets.organization_id
                             and embeddings.chunk_set_id = chunk_sets.id);

  delete from robots where read_at < v_before;
  delete from question_groups
   where state <> 'dismissed'
     and not exists (select from unanswered_questions where group_id = question_groups.id);
  return v_total;
end;
$$ language plpgsql volatile;
comment on function forget_old_knowledge is
  'Deletes what nothing reads: versions retired so many days ago but for what replies cite, versions never shown, ended readings, vectors of a model that lost its place. At most so many rows of a kind; returns how many.';

do $$ begin perform apply_access(); end $$;
