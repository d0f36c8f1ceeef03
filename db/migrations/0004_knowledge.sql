-- What an organization gave us to answer from: sources, their versions as documents, chunks; and
-- what makes chunks findable: their embeddings by model, and the words that they hold.
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
  language text not null default 'english' check (language in (
    'simple', 'english', 'spanish', 'portuguese', 'french', 'german', 'italian', 'dutch', 'danish',
    'finnish', 'hungarian', 'norwegian', 'russian', 'swedish', 'turkish')),
  tags text[] not null default '{}',
  is_active boolean not null default false,
  is_held boolean not null default false,
  retired_at timestamptz,
  created_at timestamptz not null default now(),
  constraint documents_in_organization unique (organization_id, id),
  constraint documents_have_one_row_per_version unique (source_id, version),
  constraint documents_are_not_retired_while_active check (retired_at is null or not is_active),
  constraint documents_are_not_held_while_active check (not (is_held and is_active)),
  foreign key (organization_id, source_id)
    references sources (organization_id, id) on delete cascade
);
create index documents_source_id_idx on documents (organization_id, source_id);
-- Only one version of a source is searched.
create unique index documents_one_active_version on documents (source_id) where is_active;
create unique index documents_one_held_version on documents (source_id) where is_held;
comment on table documents is 'One row per version of a source, as it was read.';
comment on column documents.language is
  'Whose stems its words are found by (english, as in english_stem); simple for none.';
comment on column documents.tags is 'As its source has them, so that searching needs no join.';
comment on column documents.is_active is
  'Searched. Written last: chunks and embeddings are there before, then one statement shows them all.';
comment on column documents.is_held is
  'Whole, and waits for a person who looks at what it changes.';
comment on column documents.retired_at is
  'When another version took its place; null while it is searched, or still being built.';

create table chunks (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null,
  document_id uuid not null,
  position integer not null check (position >= 0),
  heading_path text not null default '',
  page integer check (page > 0),
  content text not null check (length(content) > 0),
  question text,
  words text[] not null,
  constraint chunks_in_organization unique (organization_id, id),
  constraint chunks_in_document_once unique (document_id, position),
  foreign key (organization_id, document_id)
    references documents (organization_id, id) on delete cascade
);
create index chunks_document_id_idx on chunks (organization_id, document_id);
comment on table chunks is 'One row per searchable piece of a document.';
comment on column chunks.heading_path is 'Headings above the piece, joined with " > ".';
comment on column chunks.question is 'What it answers, where the document says so.';
comment on column chunks.words is 'Every form of every word in it, from words_of_chunk.';

create table chunk_sets (
  id bigint generated always as identity,
  organization_id uuid not null references organizations on delete cascade,
  embedding_model text not null,
  embedding_dimensions integer not null check (embedding_dimensions between 1 and 6000),
  state text not null default 'building' check (state in ('building', 'searched', 'retired')),
  first_cell integer not null default 1 check (first_cell > 0),
  divided_chunks integer check (divided_chunks >= 0),
  created_at timestamptz not null default now(),
  primary key (organization_id, id)
);
-- Vectors of different models never meet.
create unique index chunk_sets_one_searched on chunk_sets (organization_id)
  where state = 'searched';
create unique index chunk_sets_one_building on chunk_sets (organization_id)
  where state = 'building';
comment on table chunk_sets is
  'One row per embedding model that an organization''s chunks are embedded by.';
comment on column chunk_sets.state is
  'building -> searched (one per organization) -> retired (nothing reads it: to be deleted).';
comment on column chunk_sets.first_cell is
  'The first number of the cells that it is divided into now. Embeddings with a lower one belong to no cell yet: every search reads them.';
comment on column chunk_sets.divided_chunks is
  'How many chunks were searched when it was divided; null: it never was.';

create table cells (
  organization_id uuid not null,
  chunk_set_id bigint not null,
  number integer not null check (number > 0),
  center halfvec not null,
  primary key (organization_id, chunk_set_id, number),
  foreign key (organization_id, chunk_set_id)
    references chunk_sets (organization_id, id) on delete cascade
)
-- All centers are read by every search: none is put elsewhere for its length.
with (toast_tuple_target = 8160);
comment on table cells is
  'One row per cell of a large chunk set: an embedding is in the one whose center is nearest, and a search reads the nearest cells only.';
comment on column cells.center is 'Of unit length.';
comment on column cells.number is 'Never one that an earlier division of the set had.';

create function cell_of(p_organization_id uuid, p_chunk_set_id bigint, p_embedding halfvec)
returns integer as $$
  select coalesce((select number from cells
                    where organization_id = p_organization_id and chunk_set_id = p_chunk_set_id
                    order by center <#> p_embedding limit 1), 0);
$$ language sql stable;
comment on function cell_of is 'The cell an embedding belongs to; 0 in a set that is not divided.';

create function code_of(p_embedding halfvec) returns bit varying as $$
  select binary_quantize(p_embedding + far) || binary_quantize(p_embedding + near)
         || binary_quantize(p_embedding - near) || binary_quantize(p_embedding - far)
    from (select array_fill(0.35 / sqrt(vector_dims(p_embedding)),
                            array[vector_dims(p_embedding)])::halfvec as near,
                 array_fill(1 / sqrt(vector_dims(p_embedding)),
                            array[vector_dims(p_embedding)])::halfvec as far) as usual;
$$ language sql immutable parallel safe;
comment on function code_of is
  'Four bits a dimension of a vector of unit length: in which fifth of its usual range it lies. The more bits two codes share, the nearer are their vectors.';

create table embeddings (
  organization_id uuid not null,
  chunk_set_id bigint not null,
  chunk_id uuid not null,
  document_id uuid not null,
  is_searched boolean not null,
  cell integer not null default 0 check (cell >= 0),
  embedding halfvec not null,
  code bit varying not null generated always as (code_of(embedding)) stored,
  primary key (organization_id, chunk_id, chunk_set_id),
  foreign key (organization_id, chunk_id) references chunks (organization_id, id) on delete cascade,
  foreign key (organization_id, chunk_set_id)
    references chunk_sets (organization_id, id) on delete cascade
);
-- An organization is searched by reading its codes one after another, here and nowhere else:
-- organization first, so that its neighbours' size never matters; codes included, so that the table
-- with its long vectors is read for the nearest few only.
create index embeddings_codes_idx on embeddings (organization_id, chunk_set_id, cell)
  include (chunk_id, document_id, is_searched, code);
-- Rows that vacuum has not seen are looked up in the table one by one.
alter table embeddings set (
  toast_tuple_target = 8160,  -- the nearest are read whole, whatever their dimensions
  autovacuum_vacuum_insert_scale_factor = 0.01, autovacuum_vacuum_scale_factor = 0.02
);
comment on table embeddings is 'One row per chunk and embedding model.';
comment on column embeddings.document_id is 'Copied from the chunk, so that searching needs no join.';
comment on column embeddings.is_searched is 'As its document is_active, for the same reason.';
comment on column embeddings.embedding is
  'Of unit length, in numbers of 16 bits, which halve what a search reads and change no order that matters; of what embedding_texts says about the chunk; as many dimensions as its set says.';
comment on column embeddings.cell is 'Of cells; of no matter while it is below its set''s first_cell.';
comment on column embeddings.code is
  'What is compared first: for every chunk of the organization, or of its nearest cells.';

create function tg_embeddings__find_cell() returns trigger as $$
begin
  new.cell := cell_of(new.organization_id, new.chunk_set_id, new.embedding);
  return new;
end;
$$ language plpgsql volatile;
comment on function tg_embeddings__find_cell is
  'When the set is divided at this moment, the cell is one of before, and the embedding is read by every search until it is moved.';

create trigger _200_find_cell
  before insert on embeddings
  for each row execute function tg_embeddings__find_cell();
comment on trigger _200_find_cell on embeddings is 'Whoever inserts needs to know nothing of cells.';

create table words (
  organization_id uuid not null references organizations on delete cascade,
  word text not null,
  chunk_count integer not null check (chunk_count >= 0),
  chunk_ids uuid[],
  primary key (organization_id, word)
) with (fillfactor = 80);
comment on table words is
  'One row per form of a word in an organization''s active documents: how much it tells, and where it stands.';
comment on column words.chunk_ids is
  'The chunks that hold it while they are few (at most rare_word_chunks()), else null.';

create function fold_accents(p_text text) returns text as $$
  select replace(replace(replace(translate(
           regexp_replace(normalize(p_text, nfkd), '[\u0300-\u036f]', '', 'g'),
           'øØłŁđĐıħ', 'oOlLdDih'), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe');
$$ language sql immutable parallel safe;
comment on function fold_accents is 'As people type it who leave accents out: Kővári is Kovari.';

create function word_forms(p_text text, p_language text, p_role text)
returns table (place integer, form text) as $$
declare
  v_text constant text := fold_accents(p_text);
  -- simple has no stems and no stop words.
  v_stems constant regdictionary :=
    (p_language || case when p_language = 'simple' then '' else '_stem' end)::regdictionary;
begin
  return query
  with tokens as materialized (
    select ordinality::integer as place, hit[1] as token
      from regexp_matches(v_text, '[[:alnum:]]+(?:[-./:,_+@#&'']+[[:alnum:]]+)*', 'g')
           with ordinality as matches (hit)
  ), parts as (
    select tokens.place, left(lower(part), 64) as part
      from tokens cross join regexp_split_to_table(token, '[^[:alnum:]]+') as part
  )
  -- 1.299,00 and 1,299.00 are written both ways.
  select tokens.place, '#' || left(lower(replace(token, ',', '.')), 64)
    from tokens where token ~ '[0-9@]'
  union all
  -- One number in groups (IBAN, telephone) is the same as in one word; it stands nowhere else.
  select 0, '#' || left(joined, 64)
    from regexp_matches(v_text,
           '[[:alnum:]]*[0-9][[:alnum:]]*(?:[- /.][[:alnum:]]*[0-9][[:alnum:]]*)+', 'g') as hit
   cross join lower(regexp_replace(hit[1], '[^[:alnum:]]', '', 'g')) as joined
   where length(joined) >= 8
  union all
  select parts.place, stem
    from parts cross join unnest(coalesce(ts_lexize(v_stems, part), array[part])) as stem
  union all
  -- devolución and devoluciones have one stem, devolucion has another.
  select 0, fold_accents(stem)
    from regexp_matches(lower(normalize(p_text, nfkc)), '[[:alpha:]]+', 'g') as hit
   cross join unnest(ts_lexize(v_stems, left(hit[1], 64))) as stem
   where hit[1] ~ '[^\x01-\x7f]'
  union all
  -- Writing without spaces between words is found by pairs of characters.
  select parts.place, substr(part, start, 2)
    from parts cross join generate_series(1, length(part) - 1) as start
   where part ~ '[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]' and length(part) > 2
  union all
  -- A capital inside a sentence makes a name; a question may leave it out.
  select names.place, '^' || left(lower(names.name), 64)
    from (select 0 as place, hit[1] as name
            from regexp_matches(v_text, '(?<=[[:alnum:],;] )[[:upper:]][[:alpha:]]{2,}', 'g') as hit
           where p_role = 'content'
          union all
          select parts.place, part
            from parts
           where p_role = 'question' and part ~ '^[[:alpha:]]{3,}$'
             and ts_lexize(v_stems, part) is distinct from '{}') as names;
end;
$$ language plpgsql immutable parallel safe;
comment on function word_forms is
  'Every word of a heading, a content or a question in the forms by which it is found: its stem, #code or number as written, ^name; place 0 is no single word.';

create function words_of_chunk(p_heading_path text, p_content text, p_language text)
returns text[] as $$
  select array_agg(distinct form)
    from (select form from word_forms(p_heading_path, p_language, 'heading')
          union all select form from word_forms(p_content, p_language, 'content')
          -- Counted like words: how many chunks there are, and which languages.
          union all values (''), ('@' || p_language)) as forms;
$$ language sql immutable parallel safe;
comment on function words_of_chunk is 'What chunks.words holds.';

create function language_of(p_text text) returns text as $$
  with beginning as (
    select lower(word) as word
      from regexp_split_to_table(left(p_text, 3000), '[^[:alpha:]]+') as word
     where word <> ''
  ), votes as (
    select language, count(*) filter (where ts_lexize((language || '_stem')::regdictionary, word) = '{}')
           as stop_words, count(*) as words
      from beginning, unnest(array['english', 'spanish', 'portuguese', 'french', 'german', 'italian',
             'dutch', 'danish', 'finnish', 'hungarian', 'norwegian', 'russian', 'swedish', 'turkish'])
           with ordinality as languages (language, preference)
     group by language, preference
     order by stop_words desc, preference
     limit 1
  )
  select case when stop_words >= 3 and stop_words * 8 >= words then language else 'english' end
    from votes
   union all select 'english' where not exists (select from votes);
$$ language sql stable;
comment on function language_of is
  'The language whose stop words a text uses most; english when they are too few to tell.';

create function rare_word_chunks() returns integer as $$ select 32 $$
language sql immutable parallel safe;
comment on function rare_word_chunks is 'In how many chunks a word may stand for words.chunk_ids to name them.';

create function question_words(p_organization_id uuid, p_question text)
returns table (place integer, form text, chunk_count integer, chunk_ids uuid[], all_chunks integer) as $$
#variable_conflict use_column
declare
  v_languages text[];
  v_all_chunks integer;
begin
  select array_agg(substr(word, 2)) filter (where word <> ''), max(words.chunk_count) filter (where word = '')
    into v_languages, v_all_chunks
    from words
   where organization_id = p_organization_id
     and word = any ('{"",@simple,@english,@spanish,@portuguese,@french,@german,@italian,@dutch,@danish,@finnish,@hungarian,@norwegian,@russian,@swedish,@turkish}');

  return query
  select asked.place, asked.form, known.chunk_count, known.chunk_ids, v_all_chunks
    from (select distinct place, form
            from unnest(v_languages) as language
           cross join lateral word_forms(p_question, language, 'question')) as asked
   -- Limits hold the planner to looking up one word after another, also where there are many.
   cross join lateral (select chunk_count, chunk_ids
                         from words
                        where organization_id = p_organization_id and word = asked.form
                        limit 1) as known;
end;
$$ language plpgsql stable
set plan_cache_mode = force_generic_plan;
comment on function question_words is
  'The forms of a question''s words, in every language of the organization''s documents, that stand in some chunk: in how many of all, and in which while they are few.';

create function weighed_words(p_organization_id uuid, p_question text)
returns table (place integer, form text, weight float8, bonus float8, chunk_ids uuid[]) as $$
  with words as materialized (
    -- Of a long question, its rarest forms count.
    select *, left(form, 1) as kind, ln(1 + all_chunks / (chunk_count + 0.5::float8)) as tells
      from question_words(p_organization_id, p_question)
     order by chunk_count, form
     limit 128
  ), whole as (
    select coalesce(nullif(sum(most), 0), 1) as tells
      from (select max(tells) as most from words where place > 0 and kind <> '^' group by place)
           as places
  )
  select place, form,
         words.tells / whole.tells,
         case
           -- A code: letters with digits, an address, a number that is hardly a quantity (4711, 14.50).
           when form ~ '^#((?=.*\d)(?=.*[[:alpha:]]).*|.*@.*|\d{4,}|\d+[-./:]\d.*)$' then 2
           -- Also used as a common word (May, Mark), a name says little.
           when kind = '^' and chunk_count <= 8 and not exists (
             select from words as stem
              where stem.place = words.place and stem.kind not in ('#', '^')
                and stem.chunk_count > 2 * words.chunk_count) then 0.25
           when kind not in ('#', '^') and chunk_count <= 3 then 0.05
           else 0
         end,
         chunk_ids
    from words cross join whole;
$$ language sql stable;
comment on function weighed_words is
  'The forms of question_words with what they count for: weight says how much of the question a word is (1 over all places), the fewer chunks hold it the more; bonus sets a chunk that holds it before others: that of a code, 2, before whatever similarity and weight can give.';

create function add_words(p_organization_id uuid, p_document_ids uuid[]) returns void as $$
  insert into words (organization_id, word, chunk_count, chunk_ids)
  select p_organization_id, word, count(*),
         case when count(*) <= rare_word_chunks() then array_agg(id) end
    from chunks cross join unnest(chunks.words) as word
   where organization_id = p_organization_id and document_id = any (p_document_ids)
   group by word
   order by word
  on conflict (organization_id, word) do update
    set chunk_count = words.chunk_count + excluded.chunk_count,
        chunk_ids = case when words.chunk_count + excluded.chunk_count <= rare_word_chunks()
                         then words.chunk_ids || excluded.chunk_ids end;
$$ language sql volatile;
comment on function add_words is 'Counts the words of documents that are searched from now on.';

create function remove_words(p_organization_id uuid, p_document_id uuid) returns void as $$
declare
  v_words constant text[] := array(
    select distinct word from chunks cross join unnest(words) as word
     where organization_id = p_organization_id and document_id = p_document_id);
begin
  update words
     set chunk_count = words.chunk_count - gone.chunk_count,
         chunk_ids = (select array_agg(id) from unnest(words.chunk_ids) as id
                       where id <> all (gone.chunk_ids))
    from (select word, count(*) as chunk_count, array_agg(id) as chunk_ids
            from chunks cross join unnest(chunks.words) as word
           where organization_id = p_organization_id and document_id = p_document_id
           group by word) as gone
   where words.organization_id = p_organization_id and words.word = gone.word;

  delete from words
   where organization_id = p_organization_id and word = any (v_words) and chunk_count = 0;

  -- What has become rare again is looked up in every chunk: seldom, and for all such words at once.
  update words set chunk_ids = found.chunk_ids
    from (select word, array_agg(chunks.id) as chunk_ids
            from chunks
            join documents on documents.id = chunks.document_id and documents.is_active
           cross join unnest(chunks.words) as word
           where chunks.organization_id = p_organization_id
             and documents.id <> p_document_id
             and word in (select words.word from words
                           where organization_id = p_organization_id and words.word = any (v_words)
                             and chunk_ids is null and chunk_count <= rare_word_chunks())
           group by word) as found
   where words.organization_id = p_organization_id and words.word = found.word;
end;
$$ language plpgsql volatile;
comment on function remove_words is 'Forgets the words of a document that is no longer searched.';

create function lock_searched_documents(p_organization_id uuid) returns void as $$
  select pg_advisory_xact_lock(hashtextextended(p_organization_id::text, 4));
$$ language sql volatile
-- A large document takes seconds.
set lock_timeout = '50s';
comment on function lock_searched_documents is
  'One transaction at a time changes what is searched in an organization: two documents that hold the same words would wait for each other''s rows, and end in a deadlock.';

create function tg_documents__index_words() returns trigger as $$
begin
  perform lock_searched_documents(old.organization_id);
  if tg_op = 'UPDATE' and new.is_active then
    perform add_words(new.organization_id, array[new.id]);
    update embeddings set is_searched = true
      from chunks
     where chunks.organization_id = new.organization_id
       and chunks.document_id = new.id
       and embeddings.organization_id = chunks.organization_id
       and embeddings.chunk_id = chunks.id;
    return null;
  end if;
  -- When the organization itself is deleted, its words go with it.
  if exists (select from organizations where id = old.organization_id) then
    perform remove_words(old.organization_id, old.id);
  end if;
  if tg_op = 'DELETE' then
    return old;
  end if;
  delete from embeddings using chunks
   where chunks.organization_id = old.organization_id
     and chunks.document_id = old.id
     and embeddings.organization_id = chunks.organization_id
     and embeddings.chunk_id = chunks.id;
  return null;
end;
$$ language plpgsql volatile;
comment on function tg_documents__index_words is
  'Search reads words and embeddings alone: they change with the documents that they are of.';

create trigger _500_index_words
  after update of is_active on documents
  for each row when (old.is_active <> new.is_active)
  execute function tg_documents__index_words();
comment on trigger _500_index_words on documents is 'In the same statement that shows or hides a version.';

-- Before, because its chunks are gone after.
create trigger _500_forget_words
  before delete on documents
  for each row when (old.is_active)
  execute function tg_documents__index_words();
comment on trigger _500_forget_words on documents is 'With the document go the counts of its words.';

create function show_document(p_document_id uuid) returns boolean as $$
declare
  v_document documents;
begin
  select * into v_document from documents where id = p_document_id;
  perform lock_searched_documents(v_document.organization_id);
  if v_document.id is null or exists (
    select from chunks
     where chunks.organization_id = v_document.organization_id
       and chunks.document_id = v_document.id
       and not exists (
         select from embeddings join chunk_sets using (organization_id)
          where organization_id = v_document.organization_id
            and chunk_sets.id = embeddings.chunk_set_id and chunk_sets.state = 'searched'
            and embeddings.chunk_id = chunks.id)
  ) then
    return false;
  end if;

  update documents set is_active = false, retired_at = now()
   where source_id = v_document.source_id and is_active and id <> p_document_id;
  update documents set is_active = true, is_held = false, retired_at = null
   where id = p_document_id and not is_active;
  return true;
end;
$$ language plpgsql volatile;
comment on function show_document is
  'Has a document searched instead of its source''s version until now; false while a chunk has no embedding by the model that is searched.';

create function documents_to_search(p_organization_id uuid, p_tags text[]) returns setof uuid as $$
  select id
    from documents
   where organization_id = p_organization_id and is_active
     and (p_tags = '{}' or tags && lower(p_tags::text)::text[]);
$$ language sql stable;
comment on function documents_to_search is
  'The searched documents that have one of the tags, however those are capitalized; all of them without tags.';

create function divide_chunk_set(p_organization_id uuid, p_chunk_set_id bigint, p_cells integer)
returns void as $$
declare
  v_first_cell integer;
  -- Beyond these, more would take minutes and better little.
  v_cells constant integer := least(p_cells, 2000);
  v_drawn constant integer := least(12 * v_cells, 20000);
  v_rounds constant integer := 4;
  v_centers halfvec[] := array(
    -- Their ids are random: the first of them are as good as drawn.
    select embedding
      from embeddings
     where organization_id = p_organization_id and chunk_set_id = p_chunk_set_id and is_searched
     order by chunk_id
     limit v_cells);
begin
  for _ in 1 .. v_rounds loop
    v_centers := array(
      with drawn as materialized (
        select embedding
          from embeddings
         where organization_id = p_organization_id and chunk_set_id = p_chunk_set_id and is_searched
         order by chunk_id
         limit v_drawn
      ), centers as materialized (
        select * from unnest(v_centers) with ordinality as centers (center, place)
      )
      select l2_normalize(avg(embedding))
        from drawn cross join lateral (
          select place from centers order by center <#> embedding limit 1) as nearest
       group by place
       order by place);
  end loop;

  -- Two divisions at once would give the same numbers; so long, no re-embedding waits for this row.
  perform from chunk_sets
    where organization_id = p_organization_id and id = p_chunk_set_id for no key update;
  select greatest(first_cell, 1 + coalesce((
           select max(number) from cells
            where organization_id = p_organization_id and chunk_set_id = p_chunk_set_id), 0))
    into v_first_cell
    from chunk_sets where organization_id = p_organization_id and id = p_chunk_set_id;
  delete from cells where organization_id = p_organization_id and chunk_set_id = p_chunk_set_id;
  -- What is near each other has numbers near each other: a search reads its cells in few runs.
  insert into cells (organization_id, chunk_set_id, number, center)
  select p_organization_id, p_chunk_set_id,
         v_first_cell - 1 + row_number() over (order by region.place, region.distance), made.center
    from unnest(v_centers) as made (center)
   cross join lateral (
     select place, others.center <#> made.center as distance
       from unnest(v_centers[:sqrt(v_cells)::integer]) with ordinality as others (center, place)
      order by distance limit 1) as region;
  update chunk_sets
     set first_cell = v_first_cell, divided_chunks = (
           select chunk_count from words where organization_id = p_organization_id and word = '')
   where organization_id = p_organization_id and id = p_chunk_set_id;
end;
$$ language plpgsql volatile;
comment on function divide_chunk_set is
  'Divides a set anew into about so many cells: around random embeddings, four times moved to the middle of what is nearest (k-means). Nothing is in them until it is moved, or inserted.';

create function move_embeddings(p_organization_id uuid, p_chunk_set_id bigint, p_most integer)
returns integer as $$
declare
  v_chunk_ids uuid[];
  v_cells integer[];
begin
  select array_agg(chunk_id order by cell), array_agg(cell order by cell)
    into v_chunk_ids, v_cells
    from (select chunk_id, cell_of(p_organization_id, p_chunk_set_id, embedding) as cell
            from embeddings
           where organization_id = p_organization_id and chunk_set_id = p_chunk_set_id
             -- Without any cell, none has to be moved.
             and cell < (select min(number) from cells
                          where organization_id = p_organization_id
                            and chunk_set_id = p_chunk_set_id)
           limit p_most) as waiting;
  -- Showing a document writes the same rows.
  perform lock_searched_documents(p_organization_id);
  -- In the order of their cells, so that what a search reads together is stored together.
  for v_place in 1 .. coalesce(cardinality(v_chunk_ids), 0) loop
    update embeddings set cell = v_cells[v_place]
     where organization_id = p_organization_id and chunk_set_id = p_chunk_set_id
       and chunk_id = v_chunk_ids[v_place];
  end loop;
  return coalesce(cardinality(v_chunk_ids), 0);
end;
$$ language plpgsql volatile;
comment on function move_embeddings is
  'Moves some embeddings that are in no cell of a divided set into theirs, and says how many; 0: all are.';

create function chunk_sets_to_divide()
returns table (organization_id uuid, chunk_set_id bigint, cells integer) as $$
  with sized as materialized (
    select chunk_sets.organization_id, chunk_sets.id, chunk_sets.first_cell, words.chunk_count,
           -- A smaller one is read whole in less time than its cells would take.
           case when divided_chunks is null then words.chunk_count >= 5000
                else words.chunk_count not between divided_chunks / 2 and 2 * divided_chunks
           end as is_outgrown
      from chunk_sets join words on words.organization_id = chunk_sets.organization_id and word = ''
     where chunk_sets.state = 'searched'
  )
  -- Of ten chunks each: a search of 10,000 reads as many centers as codes. In the nearest hundred of
  -- half as many cells it would read twice the codes and miss more of the nearest ten. Beyond, the
  -- cells grow, or the centers would take more time than the codes.
  select sized.organization_id, id,
         case when is_outgrown then least(chunk_count / 10, 10 * sqrt(chunk_count))::integer end
    from sized
   where is_outgrown
      or exists (select from cells join embeddings
                   on embeddings.organization_id = cells.organization_id
                  and embeddings.chunk_set_id = cells.chunk_set_id
                  and embeddings.cell < sized.first_cell
                  where cells.organization_id = sized.organization_id
                    and cells.chunk_set_id = sized.id and cells.number = sized.first_cell)
   order by chunk_count;
$$ language sql stable;
comment on function chunk_sets_to_divide is
  'Searched sets that have outgrown their cells, or shrunk, with how many they should have; without a number: those where an embedding is in no cell yet. The smallest first. Across organizations.';

create function chunks_by_code(
  p_chunk_set chunk_sets, p_vector halfvec, p_document_ids uuid[], p_least integer
)
returns uuid[] as $$
declare
  v_organization_id constant uuid := p_chunk_set.organization_id;
  v_chunk_set_id constant bigint := p_chunk_set.id;
  v_first_cell constant integer := p_chunk_set.first_cell;
  v_code constant bit varying := code_of(p_vector);
  -- In them are 0.996 of the ten nearest of 10,000 and of 100,000.
  v_nearest_cells constant integer := 100;
  -- The more chunks, the more of them come by their codes before one of the ten nearest: 0.995 of
  -- those ten are among the first 120 of 10,000 and among the first 250 of 100,000.
  v_most constant integer := greatest(p_least, 1.2 * sqrt(p_chunk_set.divided_chunks));
  v_cells integer[];
begin
  if p_document_ids is not null then
    -- They may be far from what is asked and yet the nearest of these documents.
    return array(
      select chunk_id from embeddings
       where organization_id = v_organization_id and chunk_set_id = v_chunk_set_id
         and is_searched and document_id = any (p_document_ids)
       order by code <~> v_code limit v_most);
  end if;

  v_cells := array(
    select number from cells
     where organization_id = v_organization_id and chunk_set_id = v_chunk_set_id
     order by center <#> p_vector limit v_nearest_cells);
  return array(
    select chunk_id
      from (select chunk_id, code from embeddings
             where organization_id = v_organization_id and chunk_set_id = v_chunk_set_id
               and is_searched and cell < v_first_cell
            union all
            select chunk_id, code from embeddings
             where organization_id = v_organization_id and chunk_set_id = v_chunk_set_id
               and is_searched and cell = any (v_cells)) as compared
     order by code <~> v_code limit v_most);
end;
$$ language plpgsql stable
set plan_cache_mode = force_generic_plan
-- Cells of many organizations are one after another: those of one are always looked up.
set enable_seqscan = off;
comment on function chunks_by_code is
  'The chunks whose codes are nearest to a question''s, at least so many: of the documents given, or of the nearest cells and whatever is in none.';

create function find_candidates(
  p_organization_id uuid, p_embedding_model text, p_vector halfvec, p_question text, p_tags text[],
  p_words_weight float8, p_limit integer
)
returns table (chunk_id uuid, document_id uuid, title text, heading_path text, page integer,
               content text, score float8, bonus float8, similarity float8, likenesses real[]) as $$
#variable_conflict use_column
declare
  v_chunk_set chunk_sets;
  v_document_ids uuid[];
  v_shortlist uuid[];
begin
  select * into v_chunk_set
    from chunk_sets
   where organization_id = p_organization_id and state = 'searched'
     and embedding_model = p_embedding_model and embedding_dimensions = vector_dims(p_vector);
  if not found then
    return;
  end if;
  if p_tags <> '{}' then
    v_document_ids := array(select id from documents_to_search(p_organization_id, p_tags) as id);
  end if;
  -- Of 1,000 chunks, 0.999 of the ten nearest by vectors are among the hundred nearest by codes.
  v_shortlist := chunks_by_code(v_chunk_set, p_vector, v_document_ids, 5 * p_limit / 2);

  return query
  with words as materialized (
    select * from weighed_words(p_organization_id, p_question)
  ), asked as materialized (
    -- A name is its word once more, which is weighed already.
    select place, form, case when form like '^%' then 0 else weight end as weight, bonus
      from words where form not like '^%' or bonus > 0
  ), named as materialized (
    -- Half of the candidates, at most, for their words alone: with all, StackFAQ gains 0.0003.
    select chunk_id
      from (select unnest(chunk_ids) as chunk_id, weight, bonus from words) as holding
     where v_document_ids is null or exists (
             select from chunks
              where organization_id = p_organization_id and id = holding.chunk_id
                and document_id = any (v_document_ids))
     group by chunk_id
     order by sum(weight + bonus) desc, chunk_id
     limit p_limit / 2
  ), near as materialized (
    select chunk_id, embedding, -(embedding <#> p_vector) as similarity
      from embeddings
     where organization_id = p_organization_id and chunk_set_id = v_chunk_set.id
       and chunk_id = any (v_shortlist)
     order by similarity desc, chunk_id
     limit p_limit
  ), compared as materialized (
    select chunk_id, embedding, similarity from near
    union all
    select chunk_id, embedding, -(embedding <#> p_vector)
      from embeddings
     where organization_id = p_organization_id and chunk_set_id = v_chunk_set.id and is_searched
       and chunk_id = any (array(select chunk_id from named))
       and chunk_id not in (select chunk_id from near)
  ), rated as materialized (
    select compared.chunk_id, compared.embedding, compared.similarity, chunks.document_id,
           chunks.heading_path, chunks.page, chunks.content, worded.bonus,
           compared.similarity + p_words_weight * worded.coverage as score
      from compared
      join chunks on chunks.organization_id = p_organization_id and chunks.id = compared.chunk_id
     cross join lateral (
       select coalesce(sum(weight), 0) as coverage, coalesce(sum(bonus), 0) as bonus
         from (select max(asked.weight) as weight, sum(asked.bonus) as bonus
                 from asked
                where asked.form = any (chunks.words)
                group by asked.place) as held) as worded
     order by compared.similarity + p_words_weight * worded.coverage + worded.bonus desc,
              compared.chunk_id
     limit p_limit
  ), ranked as materialized (
    -- As they were sorted: with texts and vectors, sorting takes as long as finding them.
    select row_number() over () as place, rated.* from rated
  )
  select ranked.chunk_id, documents.id, documents.title, ranked.heading_path, ranked.page,
         ranked.content, ranked.score, ranked.bonus, ranked.similarity,
         -- Read as they were written, by place: the first of them are those before.
         array(select (-(better.embedding <#> ranked.embedding))::real
                 from ranked as better limit ranked.place - 1)
    from ranked
    join documents on documents.organization_id = p_organization_id
                  and documents.id = ranked.document_id
   order by ranked.place;
end;
$$ language plpgsql stable
-- Planning it would take as long as running it.
set plan_cache_mode = force_generic_plan;
comment on function find_candidates is
  'The passages that fit a question by themselves, the best first; of documents with one of the tags, where there are any. score + bonus is what they are ordered by; likenesses: to each of those before. None when another model is searched.';
