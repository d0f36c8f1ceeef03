-- How a source is read: files, pages and sitemaps; when it is due; and what the steps of
-- f/knowledge/ingest_source hand each other. A version is built beside the one that is searched,
-- and everything of it is kept here until it is whole, so that a step may end anywhere and start
-- again. Whoever reads a source last has it: each run takes a new fence, and what an earlier run
-- still wants to write is refused.
-- No installation has rows in these tables before the first release.
-- squawk-ignore-file ban-drop-not-null, constraint-missing-not-valid, adding-foreign-key-constraint, require-concurrent-index-creation
set local lock_timeout = '5s';
set local statement_timeout = '60s';

alter table plans
  add column source_limit integer check (source_limit >= 0),
  add column source_bytes_limit bigint check (source_bytes_limit >= 0),
  add column chunk_limit integer check (chunk_limit >= 0);
comment on column plans.source_limit is 'Files, pages and sitemaps; null: no limit.';
comment on column plans.source_bytes_limit is 'Of all originals together; null: no limit.';
comment on column plans.chunk_limit is 'Of all searched and coming documents; null: no limit.';

alter table sources
  alter column original drop not null,
  alter column size_bytes drop not null,
  alter column sha256 drop not null,
  add column kind text not null default 'file' check (kind in ('file', 'page', 'sitemap')),
  add column url text check (length(url) between 1 and 2048),
  add column found_by uuid,
  add column etag text not null default '' check (length(etag) <= 1000),
  add column last_modified text not null default '' check (length(last_modified) <= 100),
  add column is_reviewed boolean not null default false,
  add column sync_hours integer check (sync_hours between 1 and 8760),
  add column synced_at timestamptz,
  add column due_at timestamptz,
  add column is_taken boolean not null default false,
  add column attempts integer not null default 0 check (attempts >= 0),
  add column chunk_count integer not null default 0 check (chunk_count >= 0),
  add column tags text[] not null default '{}' check (tags::text = lower(tags::text)),
  add constraint sources_are_files_or_have_an_address check ((kind = 'file') = (url is null)),
  add foreign key (organization_id, found_by)
    references sources (organization_id, id) on delete cascade;
create unique index sources_one_per_url on sources (organization_id, url);
create index sources_found_by_idx on sources (organization_id, found_by);
create index sources_due_at_idx on sources (due_at) where due_at is not null;
comment on table sources is
  'One row per file, page or sitemap an organization gave us; pages of a sitemap too.';
comment on column sources.original is 'As it was given, or as it was last fetched.';
comment on column sources.found_by is 'The sitemap that lists this page; null when a person gave it.';
comment on column sources.etag is 'What the server called the version we have, for asking whether it changed.';
comment on column sources.last_modified is 'The server''s own words, for the same purpose.';
comment on column sources.is_reviewed is
  'Its new versions are held until a person has seen what they change.';
comment on column sources.sync_hours is 'How often a page or sitemap is looked at again; null: when asked.';
comment on column sources.synced_at is 'When its content was last known to be what we have.';
comment on column sources.due_at is
  'When to start reading; while it is read, when somebody else may; null: nothing is to do.';
comment on column sources.is_taken is 'Somebody reads it, unless due_at has passed.';
comment on column sources.attempts is 'Starts since it last came any further.';
comment on column sources.chunk_count is 'Of the version that is searched.';
comment on column sources.tags is
  'What it is for, in small letters: chatbots may be held to sources of some tags.';

alter table chatbots add column source_tags text[] not null default '{}';
comment on column chatbots.source_tags is
  'It answers from sources that have one of these tags; empty: from all of them.';

create table ingestions (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null,
  source_id uuid not null,
  fence bigint not null default 1,
  sha256 text not null,
  state text not null default 'fetched'
    check (state in ('fetched', 'extracted', 'split', 'embedded', 'stored', 'ended')),
  outcome text check (outcome in (
    'ready', 'unchanged', 'refused', 'replaced', 'held', 'dropped'
  )),
  title text not null default '',
  media_type text not null default '',
  page_count integer not null default 0 check (page_count >= 0),
  chunk_count integer not null default 0 check (chunk_count >= 0),
  reused_count integer not null default 0 check (reused_count >= 0),
  embedded_count integer not null default 0 check (embedded_count >= 0),
  stored_count integer not null default 0 check (stored_count between 0 and chunk_count),
  embedding_model text,
  embedding_dimensions integer,
  embedding_seconds real not null default 0,
  document_id uuid,
  started_at timestamptz not null default now(),
  progressed_at timestamptz not null default now(),
  ended_at timestamptz,
  constraint ingestions_in_organization unique (organization_id, id),
  constraint ingestions_end_with_an_outcome check
    ((state = 'ended') = (outcome is not null) and (state = 'ended') = (ended_at is not null)),
  foreign key (organization_id, source_id)
    references sources (organization_id, id) on delete cascade,
  foreign key (organization_id, document_id)
    references documents (organization_id, id) on delete set null (document_id)
);
create unique index ingestions_one_open on ingestions (source_id) where state <> 'ended';
create index ingestions_source_id_idx on ingestions (organization_id, source_id);
create index ingestions_document_id_idx on ingestions (organization_id, document_id);
comment on table ingestions is 'One row per content of a source that was read, or is being read.';
comment on column ingestions.fence is 'Of the run that reads it; older runs are refused.';
comment on column ingestions.sha256 is 'Of the original that it reads.';
comment on column ingestions.state is
  'The last step that is complete: fetched -> extracted -> split -> embedded -> stored -> ended.';
comment on column ingestions.outcome is
  'ready (searched), unchanged, refused, replaced (by newer content); held (for a person to look at) -> ready | dropped.';
comment on column ingestions.reused_count is 'Chunks that kept the embedding of the version before.';
comment on column ingestions.embedded_count is 'Chunks with an embedding, reused ones too.';
comment on column ingestions.stored_count is 'Chunks that are in the new version already.';
comment on column ingestions.embedding_seconds is 'Spent in calls of the embedding model.';
comment on column ingestions.document_id is 'The version being built, or what became of it.';

create table ingestion_sections (
  organization_id uuid not null,
  ingestion_id uuid not null,
  position integer not null check (position >= 0),
  heading_path text[] not null,
  page integer check (page > 0),
  content text not null,
  question text,
  primary key (organization_id, ingestion_id, position),
  foreign key (organization_id, ingestion_id)
    references ingestions (organization_id, id) on delete cascade
);
comment on table ingestion_sections is
  'One row per section that was read from an original, until it is split.';

create table ingestion_chunks (
  organization_id uuid not null,
  ingestion_id uuid not null,
  position integer not null check (position >= 0),
  heading_path text[] not null,
  page integer check (page > 0),
  content text not null,
  question text,
  embedding vector,
  primary key (organization_id, ingestion_id, position),
  foreign key (organization_id, ingestion_id)
    references ingestions (organization_id, id) on delete cascade
);
create index ingestion_chunks_not_embedded_idx
  on ingestion_chunks (organization_id, ingestion_id, position) where embedding is null;
comment on table ingestion_chunks is
  'One row per chunk of a version that is being built, until it is searched.';

create table robots (
  organization_id uuid not null references organizations on delete cascade,
  origin text not null check (length(origin) between 1 and 300),
  content text not null,
  read_at timestamptz not null default now(),
  primary key (organization_id, origin)
);
comment on table robots is 'One row per site that pages were fetched from: its robots.txt (RFC 9309).';
comment on column robots.content is 'Empty when the site has none.';

create function reading_seconds() returns integer as $$ select 120 $$
language sql immutable parallel safe;
comment on function reading_seconds is
  'How long a source that shows no progress stays with whoever reads it; no step is silent for longer.';

create function enter_ingestion(p_ingestion_id uuid, p_fence bigint) returns setof ingestions as $$
declare
  v_ingestion ingestions;
begin
  perform from sources join ingestions on ingestions.source_id = sources.id
    where ingestions.id = p_ingestion_id for no key update of sources;
  select ingestions.* into v_ingestion
    from ingestions join sources on sources.id = source_id and sources.sha256 = ingestions.sha256
   where ingestions.id = p_ingestion_id and fence = p_fence and ingestions.state <> 'ended';
  if not found then
    return;
  end if;
  perform prove_organization(v_ingestion.organization_id);
  update ingestions set progressed_at = now() where id = p_ingestion_id;
  update sources set due_at = now() + make_interval(secs => reading_seconds())
   where id = v_ingestion.source_id;
  return next v_ingestion;
end;
$$ language plpgsql volatile;
comment on function enter_ingestion is
  'Opens the transaction to the organization of an ingestion, by its id, a random uuid, and its newest fence; no row when the source was deleted or replaced, or another run has it. The source stays locked.';

create function take_due_sources(p_each integer, p_limit integer)
returns table (source_id uuid) as $$
declare
  v_given_up sources;
begin
  perform pg_advisory_xact_lock(hashtextextended('take_due_sources', 0));

  for v_given_up in
    update sources
       set state = 'refused', refusal_code = 'document_failed', is_taken = false, attempts = 0,
           refusal = 'It could not be read because of a fault on our side: the operator was told, and reads it again when that is mended.',
           due_at = now() + make_interval(hours => sync_hours)
     where due_at <= now() and attempts >= 5
    returning *
  loop
    perform raise_alert(v_given_up.organization_id, 'error', 'source_failed', v_given_up.id::text,
      format('source %s was started 5 times and came no further', v_given_up.id));
  end loop;

  return query
  update sources
     set is_taken = true, attempts = attempts + 1,
         due_at = now() + make_interval(secs => reading_seconds())
   where id in (
     select ranked.id
       from (select sources.id, sources.due_at,
                    row_number() over (partition by sources.organization_id order by sources.due_at)
                    + (select count(*) from sources as running
                        where running.organization_id = sources.organization_id
                          and running.is_taken and running.due_at > now()) as place
               from sources
               join organizations on organizations.id = sources.organization_id
              where sources.due_at <= now() and organizations.is_active) as ranked
      where place <= p_each
      order by ranked.due_at
      limit p_limit
   )
  returning id;
end;
$$ language plpgsql volatile;
comment on function take_due_sources is
  'Sources to start reading, the longest waiting first, so that each organization has at most p_each in work: fifty uploads of one wait behind each other, not before others. What was started 5 times without coming any further is given up, with an alert.';

create function tg_sources__make_due() returns trigger as $$
begin
  new.due_at := now();
  new.is_taken := false;
  new.attempts := 0;
  return new;
end;
$$ language plpgsql volatile;
comment on function tg_sources__make_due is 'What waits is due.';

create trigger _500_make_due
  before insert or update of state on sources
  for each row when (new.state = 'waiting')
  execute function tg_sources__make_due();
comment on trigger _500_make_due on sources is 'A new or replaced file is read soon.';

create function tg_sources__tag_documents() returns trigger as $$
begin
  update documents set tags = new.tags
   where organization_id = new.organization_id and source_id = new.id;
  return null;
end;
$$ language plpgsql volatile;
comment on function tg_sources__tag_documents is
  'Searches read the tags of documents: of all versions, for the next to be shown may be built already.';

create trigger _500_tag_documents
  after update of tags on sources
  for each row when (new.tags <> old.tags)
  execute function tg_sources__tag_documents();
comment on trigger _500_tag_documents on sources is
  'After the source is locked, which whoever builds a version of it holds meanwhile.';

create function lock_room(p_organization_id uuid) returns void as $$
  select pg_advisory_xact_lock(hashtextextended(p_organization_id::text, 15));
$$ language sql volatile;
comment on function lock_room is
  'One at a time counts what an organization has, so that two can''t both take the last place. Locked after sources, never before.';

create function has_chunk_room(p_source_id uuid, p_chunks integer) returns boolean as $$
  select lock_room(proved_organization());
  -- What is being read counts as if it were there.
  select coalesce(sum(greatest(chunk_count, coming.chunks)), 0) + p_chunks
         <= coalesce((select chunk_limit from organizations join plans on plans.id = plan_id
                       where organizations.id = proved_organization()), 'infinity'::float8)
    from sources
    left join lateral (
      select max(ingestions.chunk_count) as chunks from ingestions
       where source_id = sources.id
       and (ingestions.state <> 'ended' or ingestions.outcome = 'held')
    ) as coming on true
   where sources.organization_id = proved_organization() and sources.id <> p_source_id;
$$ language sql volatile;
comment on function has_chunk_room is
  'Whether the plan of the organization that the transaction has entered has room for so many chunks of a source.';

create function raise_source_alert(p_source_id uuid, p_step text, p_error text) returns void as $$
  select raise_alert(organization_id, 'error', 'source_step_failed', p_step || ':' || p_error,
                     format('step %s failed with %s for source %s', p_step, p_error, id))
    from sources where id = p_source_id;
$$ language sql volatile;
comment on function raise_source_alert is
  'One alert for what broke while a source was read, without anything of its content.';

create function tg_documents__alert_held() returns trigger as $$
begin
  perform raise_alert(new.organization_id, 'warning', 'version_held', new.source_id::text,
    format('a new version of source %s waits for review', new.source_id));
  return null;
end;
$$ language plpgsql volatile;
comment on function tg_documents__alert_held is 'Somebody learns that there is something to look at.';

create trigger _600_alert_held
  after update of is_held on documents for each row when (new.is_held and not old.is_held)
  execute function tg_documents__alert_held();
comment on trigger _600_alert_held on documents is 'A version that nobody looks at would wait for ever.';

create function tg_sources__keep_limits() returns trigger as $$
declare
  v_plan plans;
  v_sources bigint;
  v_bytes bigint;
begin
  perform lock_room(new.organization_id);
  select plans.* into strict v_plan
    from organizations join plans on plans.id = plan_id where organizations.id = new.organization_id;
  select count(*), coalesce(sum(size_bytes), 0) into v_sources, v_bytes
    from sources where organization_id = new.organization_id and id <> new.id;
  if tg_op = 'INSERT' and v_sources >= v_plan.source_limit then
    raise exception 'the plan has no room for another source'
      using errcode = 'check_violation', constraint = 'sources_within_the_plan';
  end if;
  if v_bytes + coalesce(new.size_bytes, 0) > v_plan.source_bytes_limit then
    raise exception 'the plan has no room for these bytes'
      using errcode = 'check_violation', constraint = 'bytes_within_the_plan';
  end if;
  return new;
end;
$$ language plpgsql volatile;
comment on function tg_sources__keep_limits is 'No source and no byte more than the plan says.';

create trigger _400_keep_limits
  before insert or update of size_bytes on sources
  for each row execute function tg_sources__keep_limits();
comment on trigger _400_keep_limits on sources is 'The wall behind whoever adds sources.';

do $$ begin perform apply_access(); end $$;
