drop trigger _400_keep_limits on sources;
drop trigger _500_make_due on sources;
drop trigger _500_tag_documents on sources;
drop trigger _600_alert_held on documents;
drop function tg_documents__alert_held;
drop function tg_sources__keep_limits;
drop function tg_sources__make_due;
drop function tg_sources__tag_documents;
drop function raise_source_alert;
drop function has_chunk_room;
drop function lock_room;
drop function take_due_sources;
drop function enter_ingestion;
drop function reading_seconds;
drop table robots;
drop table ingestion_chunks;
drop table ingestion_sections;
drop table ingestions;
drop index sources_due_at_idx;
drop index sources_found_by_idx;
drop index sources_one_per_url;
delete from sources where kind <> 'file';
alter table sources
  drop constraint sources_are_files_or_have_an_address,
  drop column kind,
  drop column url,
  drop column found_by,
  drop column etag,
  drop column last_modified,
  drop column sync_hours,
  drop column synced_at,
  drop column due_at,
  drop column is_taken,
  drop column attempts,
  drop column chunk_count,
  drop column tags,
  drop column is_reviewed,
  alter column original set not null,
  alter column size_bytes set not null,
  alter column sha256 set not null;
alter table chatbots drop column source_tags;
alter table plans
  drop column source_limit,
  drop column source_bytes_limit,
  drop column chunk_limit;
