-- A question of a patient, a guardian or a privacy officer: about an access (`entry`: `<log>/<index>`), or a request that the
-- record be corrected (`document`: `Type/id`). Never changed; what becomes of it are rows of `question_event`.
-- `source_record`: whom it is about, '' : nobody. `professional`, `issuer`, `subject`: who made the access, as its entry names
-- them; '' : it does not.
create table question (
  id text primary key,
  kind text not null check (kind in ('access', 'correction')),
  source_record text not null,
  entry text not null,
  document text not null,
  text text not null,
  at text not null,
  asked_by text not null,
  capacity text not null check (capacity in ('patient', 'guardian', 'privacy-officer')),
  professional text not null,
  issuer text not null,
  subject text not null,
  valid_from integer not null,
  check ((kind = 'access') = (entry <> '') and (kind = 'correction') = (document <> ''))
) strict, without rowid;
--> statement-breakpoint
create index question_at on question (at, id);
--> statement-breakpoint
create index question_source on question (source_record, at);
--> statement-breakpoint
create trigger question_frozen before update on question begin
  select raise(abort, 'question is append-only');
end;
--> statement-breakpoint
create trigger question_kept before delete on question begin
  select raise(abort, 'question is append-only');
end;
--> statement-breakpoint
-- Every state of a question, one current. `organisation`: whose officers it is for, '' : those of the whole record. `due`: until
-- when the law wants an answer. `asked_at` repeats `question.at`: an organisation's work list is one range of an index.
-- `reason`: why it was referred, or not done as asked.
create table question_event (
  row integer primary key,
  question text not null references question (id),
  version integer not null,
  state text not null check (state in ('received', 'in-review', 'referred', 'answered', 'closed', 'withdrawn')),
  organisation text not null,
  asked_at text not null,
  due text not null,
  at text not null,
  done_by text not null,
  capacity text not null check (capacity in ('patient', 'guardian', 'privacy-officer')),
  text text not null default '',
  outcome text not null default '' check (outcome in ('', 'accepted', 'partly-accepted', 'refused')),
  reason text not null default '',
  valid_from integer not null,
  valid_to integer
) strict;
--> statement-breakpoint
create unique index question_event_version on question_event (question, version);
--> statement-breakpoint
create unique index question_event_current on question_event (question) where valid_to is null;
--> statement-breakpoint
create index question_event_addressee on question_event (organisation, asked_at, question) where valid_to is null;
--> statement-breakpoint
create trigger question_event_frozen before update of row, question, version, state, organisation, asked_at, due, at, done_by,
  capacity, text, outcome, reason, valid_from on question_event begin
  select raise(abort, 'question_event is append-only');
end;
--> statement-breakpoint
create trigger question_event_ended before update of valid_to on question_event when old.valid_to is not null begin
  select raise(abort, 'question_event is append-only');
end;
--> statement-breakpoint
create trigger question_event_kept before delete on question_event begin
  select raise(abort, 'question_event is append-only');
end;
--> statement-breakpoint
-- The register of confidentiality incidents (R-22.1, s. 110). `organisation`: whose it is, '' : the whole record's. `origin`: id of
-- the question or review item it was made from, or the name of a finding of the monthly review. `source_record`: whom
-- that is about.
create table incident (
  id text primary key,
  organisation text not null,
  origin_kind text not null check (origin_kind in ('', 'question', 'review', 'finding')),
  origin text not null check ((origin_kind = '') = (origin = '')),
  source_record text not null,
  at text not null,
  opened_by text not null,
  valid_from integer not null
) strict, without rowid;
--> statement-breakpoint
create index incident_at on incident (at, id);
--> statement-breakpoint
create index incident_organisation on incident (organisation, at, id);
--> statement-breakpoint
create trigger incident_frozen before update on incident begin
  select raise(abort, 'incident is append-only');
end;
--> statement-breakpoint
-- Kept for five years at least: nothing here takes them away.
create trigger incident_kept before delete on incident begin
  select raise(abort, 'incident is append-only');
end;
--> statement-breakpoint
-- Every version of what the register says of an incident, one current. `body`: JSON, the regulation's fields (R-22.1, r. 1, s. 15).
create table incident_version (
  row integer primary key,
  incident text not null references incident (id),
  version integer not null,
  status text not null check (status in ('open', 'closed')),
  body text not null check (json_valid(body)),
  aware text not null generated always as (body ->> '$.aware.from') stored,
  at text not null,
  done_by text not null,
  valid_from integer not null,
  valid_to integer
) strict;
--> statement-breakpoint
create unique index incident_version_number on incident_version (incident, version);
--> statement-breakpoint
create unique index incident_version_current on incident_version (incident) where valid_to is null;
--> statement-breakpoint
create trigger incident_version_frozen before update of row, incident, version, status, body, at, done_by, valid_from
on incident_version begin
  select raise(abort, 'incident_version is append-only');
end;
--> statement-breakpoint
create trigger incident_version_ended before update of valid_to on incident_version when old.valid_to is not null begin
  select raise(abort, 'incident_version is append-only');
end;
--> statement-breakpoint
create trigger incident_version_kept before delete on incident_version begin
  select raise(abort, 'incident_version is append-only');
end;
--> statement-breakpoint
-- Days within which a question is to be answered.
insert into policy_setting (name, value, valid_from) values ('question-days', 30, (select n from clock));
--> statement-breakpoint
-- Patients are told of answers, too: a check is not changed in place, so the same rows stand under a wider one; from here on
-- none changes or goes.
create table notice_wider (
  id text primary key,
  source_record text not null,
  kind text not null check (kind in ('break-glass', 'attestation', 'consent', 'guardianship', 'question')),
  at text not null,
  facts text not null,
  valid_from integer not null
) strict, without rowid;
--> statement-breakpoint
insert into notice_wider (id, source_record, kind, at, facts, valid_from)
  select id, source_record, kind, at, facts, valid_from from notice;
--> statement-breakpoint
drop table notice;
--> statement-breakpoint
alter table notice_wider rename to notice;
--> statement-breakpoint
create index notice_source on notice (source_record, at);
--> statement-breakpoint
create trigger notice_frozen before update on notice begin
  select raise(abort, 'notice is append-only');
end;
--> statement-breakpoint
create trigger notice_kept before delete on notice begin
  select raise(abort, 'notice is append-only');
end;
