-- What an organization gave us to answer from: sources, their versions as documents, chunks.
-- The extension is not dropped on rollback: other schemas of the same database may use it.
set local lock_timeout = '5s';
set local statement_timeout = '60s';

create extension if not exists vector;

create table sources (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null references organizations on delete cascade,
  name text not null check (length(name) between 1 and 300),
  media_type text,
  original bytea not null,
  size_bytes integer not null check (size_bytes >= 0),
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  state text not null default 'waiting' check (state in ('waiting', 'ready', 'refused')),
  refusal_code text,
  refusal text,
  created_at timestamptz not null default now(),
  constraint sources_in_organization unique (organization_id, id),
  constraint sources_are_given_once unique (organization_id, name, sha256),
  constraint sources_say_why_they_were_refused
    check ((state = 'refused') = (refusal_code is not null and refusal is not null))
);
comment on table sources is 'One row per file an organization gave us, as it was given.';
comment on column sources.state is
  'waiting -> ready (its document is searchable) | refused (with a code and a sentence for the uploader).';
comment on column sources.refusal_code is 'From the table in docs/error_codes.md.';

create table documents (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null,
  source_id uuid not null,
  version integer not null check (version > 0),
  title text not null,
  embedding_model text not null,
  embedding_dimensions integer not null check (embedding_dimensions between 1 and 16000),
  is_active boolean not null,
  created_at timestamptz not null default now(),
  constraint documents_in_organization unique (organization_id, id),
  constraint documents_have_one_row_per_version unique (source_id, version),
  foreign key (organization_id, source_id)
    references sources (organization_id, id) on delete cascade
);
create index documents_source_id_idx on documents (organization_id, source_id);
-- Only one version of a source is searched.
create unique index documents_one_active_version on documents (source_id) where is_active;
comment on table documents is 'One row per version of a source, as it was read and embedded.';
comment on column documents.embedding_model is
  'Vectors of different models never meet: search compares within one model only.';

create table chunks (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null,
  document_id uuid not null,
  position integer not null check (position >= 0),
  heading_path text not null default '',
  page integer check (page > 0),
  content text not null check (length(content) > 0),
  embedding vector not null,
  search_vector tsvector not null generated always as (
    setweight(to_tsvector('english', heading_path), 'A')
    || setweight(to_tsvector('english', content), 'B')
    || setweight(to_tsvector('simple', heading_path || ' ' || content), 'C')
  ) stored,
  constraint chunks_in_document_once unique (document_id, position),
  foreign key (organization_id, document_id)
    references documents (organization_id, id) on delete cascade
);
create index chunks_document_id_idx on chunks (organization_id, document_id);
create index chunks_search_vector_idx on chunks using gin (search_vector);
comment on table chunks is 'One row per searchable piece of a document.';
comment on column chunks.heading_path is 'Headings above the piece, joined with " > ".';
comment on column chunks.embedding is 'Of title, heading path and content; as many dimensions as its document says.';
comment on column chunks.search_vector is
  'english for words in any form, simple for names, codes and numbers as they are written.';
