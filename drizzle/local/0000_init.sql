-- One row, bumped in every write batch: what clients send back to read their own writes, and the policy version of
-- every decision. The epoch changes on restore.
create table clock (
  id integer primary key check (id = 1),
  epoch text not null,
  n integer not null
) strict;
--> statement-breakpoint
insert into clock (id, epoch, n) values (1, lower(hex(randomblob(4))), 0);
--> statement-breakpoint
-- Commits with its batch: tells a time-out that committed from one that did not. An `aborted` row is written without a
-- batch, by whoever settles it: the batch had not committed, and with the key taken it never will. `persons` (JSON array)
-- is who a settled outcome is about.
create table write_key (
  key text primary key,
  clock integer not null,
  at integer not null,
  persons text not null default '[]',
  aborted integer not null default 0 check (aborted in (0, 1))
) strict, without rowid;
--> statement-breakpoint
create index write_key_at on write_key (at);
--> statement-breakpoint
-- A row inserted here makes its batch fail and names the reason.
create table refused (
  reason text not null constraint conflict check (reason <> 'conflict')
) strict;
--> statement-breakpoint
-- A copy of the source records of every person with a local document here, kept by the link step.
create table source_record (
  id text primary key,
  facility text not null,
  person text not null,
  clock integer not null
) strict, without rowid;
--> statement-breakpoint
create index source_record_person on source_record (person);
--> statement-breakpoint
-- Local rows of a write whose records batch has not been seen to commit: not readable. `documents` is the JSON array
-- that the finishing step inserts.
create table pending (
  write_key text not null,
  part integer not null,
  facility text not null,
  published text not null,
  at integer not null,
  documents text not null,
  primary key (write_key, part)
) strict, without rowid;
--> statement-breakpoint
create index pending_at on pending (at);
--> statement-breakpoint
-- The current version of every local (unshared) document. `body` is the served JSON text; `hash` the SHA-256 of its canonical
-- content without id, version and time; `clock` the write that made this version. `person` is the empty string for
-- resources about no patient, `date_lo` the empty string for those without a date of service.
create table document (
  person text not null,
  type text not null,
  date_lo text not null,
  id text not null,
  source_record text not null,
  facility text not null,
  domain text not null,
  category text not null,
  code text not null,
  date_hi text not null,
  status text not null,
  confidentiality text not null,
  published text not null,
  version integer not null,
  clock integer not null,
  hash text not null,
  body text not null,
  primary key (person, type, date_lo desc, id)
) strict, without rowid;
--> statement-breakpoint
create unique index document_id on document (type, id);
--> statement-breakpoint
create index document_code on document (person, type, code, date_lo desc);
--> statement-breakpoint
-- Earlier versions. Written by triggers only, so that no write can forget it.
create table document_version (
  type text not null,
  id text not null,
  version integer not null,
  source_record text not null,
  facility text not null,
  domain text not null,
  category text not null,
  code text not null,
  date_lo text not null,
  date_hi text not null,
  status text not null,
  confidentiality text not null,
  published text not null,
  clock integer not null,
  hash text not null,
  body text not null,
  primary key (type, id, version)
) strict, without rowid;
--> statement-breakpoint
-- A version may be there already: a document that went to the other database and came back unchanged keeps its number.
create trigger document_supersede before update of hash on document when old.hash <> new.hash begin
  insert or ignore into document_version
    select old.type, old.id, old.version, old.source_record, old.facility, old.domain, old.category, old.code, old.date_lo,
           old.date_hi, old.status, old.confidentiality, old.published, old.clock, old.hash, old.body;
end;
--> statement-breakpoint
create trigger document_leave before delete on document begin
  insert or ignore into document_version
    select old.type, old.id, old.version, old.source_record, old.facility, old.domain, old.category, old.code, old.date_lo,
           old.date_hi, old.status, old.confidentiality, old.published, old.clock, old.hash, old.body;
end;
--> statement-breakpoint
create trigger document_version_frozen before update on document_version begin
  select raise(abort, 'document_version is append-only');
end;
--> statement-breakpoint
create trigger document_version_kept before delete on document_version begin
  select raise(abort, 'document_version is append-only');
end;
--> statement-breakpoint
-- Identifiers (`identifier`), second codings (`code`, `category`) and other values a search needs an index for.
create table lookup (
  type text not null,
  param text not null,
  value text not null,
  id text not null,
  primary key (type, param, value, id)
) strict, without rowid;
--> statement-breakpoint
create index lookup_id on lookup (type, id);
