-- What a reply rests on, checked against what was found in its turn.
set local lock_timeout = '5s';
set local statement_timeout = '60s';

create table turn_citations (
  turn_id uuid not null,
  number integer not null check (number > 0),
  organization_id uuid not null,
  chunk_id uuid not null,
  title text not null,
  heading_path text not null,
  score double precision,
  how text not null check (how in ('number', 'words')),
  primary key (turn_id, number),
  foreign key (organization_id, turn_id) references turns (organization_id, id) on delete cascade
);
create index turn_citations_turn_id_idx on turn_citations (turn_id, organization_id);
create index turn_citations_chunk_id_idx on turn_citations (chunk_id, organization_id);
comment on table turn_citations is 'One row per passage that a reply rests on.';
comment on column turn_citations.number is 'Its place among the passages that were found in the turn.';
comment on column turn_citations.chunk_id is
  'The chunk as it was then; a newer version of its source may have replaced it.';
comment on column turn_citations.how is
  'number: the model named it; words: the reply says a sentence of it.';

do $$ begin perform apply_access(); end $$;
