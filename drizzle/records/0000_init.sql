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
create table heartbeat (
  id integer primary key check (id = 1),
  at integer not null
) strict;
--> statement-breakpoint
insert into heartbeat (id, at) values (1, 0);
--> statement-breakpoint
-- Registry and policy rows are never updated but to end them: `valid_from` and `valid_to` are write-clock values, so that
-- any past decision can be explained from the facts as they were.
create table organisation (
  row integer primary key,
  id text not null,
  name text not null,
  valid_from integer not null,
  valid_to integer
) strict;
--> statement-breakpoint
create unique index organisation_current on organisation (id) where valid_to is null;
--> statement-breakpoint
-- `identity_systems`: JSON array of identifier systems that identify a document of this facility.
create table facility (
  row integer primary key,
  id text not null,
  uri text not null,
  name text not null,
  organisation text not null,
  type text not null,
  region text not null,
  log text not null,
  identity_systems text not null default '[]',
  valid_from integer not null,
  valid_to integer
) strict;
--> statement-breakpoint
create unique index facility_current on facility (id) where valid_to is null;
--> statement-breakpoint
create unique index facility_uri on facility (uri) where valid_to is null;
--> statement-breakpoint
-- `algorithms` and `jwks` are JSON. `jwks_url` is where the scheduled refresh looks; a token never says where.
-- `role_system`: code system of the roles in this issuer's tokens; null: not checked.
create table issuer (
  row integer primary key,
  issuer text not null,
  audience text not null,
  algorithms text not null,
  jwks text not null,
  jwks_url text,
  role_system text,
  valid_from integer not null,
  valid_to integer
) strict;
--> statement-breakpoint
create unique index issuer_current on issuer (issuer) where valid_to is null;
--> statement-breakpoint
create table professional (
  row integer primary key,
  id text not null,
  issuer text not null,
  subject text not null,
  name text not null,
  valid_from integer not null,
  valid_to integer
) strict;
--> statement-breakpoint
create unique index professional_current on professional (issuer, subject) where valid_to is null;
--> statement-breakpoint
-- `facility` is the empty string for roles that hold for the whole record (privacy officer).
create table professional_role (
  row integer primary key,
  professional text not null,
  role text not null,
  facility text not null,
  valid_from integer not null,
  valid_to integer
) strict;
--> statement-breakpoint
create unique index professional_role_current on professional_role (professional, role, facility) where valid_to is null;
--> statement-breakpoint
-- OAuth clients. `facility` is set for a facility system, which then speaks for that facility; null for an app that
-- carries a professional's token.
create table client (
  row integer primary key,
  issuer text not null,
  client_id text not null,
  name text not null,
  facility text,
  valid_from integer not null,
  valid_to integer
) strict;
--> statement-breakpoint
create unique index client_current on client (issuer, client_id) where valid_to is null;
--> statement-breakpoint
create table revoked_token (
  issuer text not null,
  jti text not null,
  valid_from integer not null,
  primary key (issuer, jti)
) strict, without rowid;
--> statement-breakpoint
-- Which role may read which clinical domain, at which type of facility, for which purpose. '*' stands for any role, type
-- or purpose; a domain is always named, so that no row opens one that comes later.
create table role_domain (
  row integer primary key,
  role text not null,
  facility_type text not null,
  purpose text not null,
  domain text not null,
  valid_from integer not null,
  valid_to integer
) strict;
--> statement-breakpoint
create unique index role_domain_current on role_domain (role, facility_type, purpose, domain) where valid_to is null;
--> statement-breakpoint
-- The sharing policy: the first row by `position` that matches a published document says whether it is shared. '*'
-- stands for any; no match means local.
create table sharing_rule (
  row integer primary key,
  position integer not null,
  domain text not null,
  type text not null,
  category text not null,
  code text not null,
  confidentiality text not null,
  shared integer not null check (shared in (0, 1)),
  valid_from integer not null,
  valid_to integer
) strict;
--> statement-breakpoint
create unique index sharing_rule_current on sharing_rule (position) where valid_to is null;
--> statement-breakpoint
-- Identifier systems on which two facilities' records of a person may be joined (with birth date and family name).
create table person_identifier_system (
  row integer primary key,
  system text not null,
  valid_from integer not null,
  valid_to integer
) strict;
--> statement-breakpoint
create unique index person_identifier_system_current on person_identifier_system (system) where valid_to is null;
--> statement-breakpoint
-- A facility's `Patient`, by its server id, and the person it is about. `clock`: the write that last changed the row.
create table source_record (
  id text primary key,
  facility text not null,
  person text not null,
  clock integer not null
) strict, without rowid;
--> statement-breakpoint
create index source_record_person on source_record (person);
--> statement-breakpoint
create index source_record_clock on source_record (clock);
--> statement-breakpoint
-- What a source record says of its person, as far as joining and look-up need it. `family` is normalised.
create table person_key (
  system text not null,
  value text not null,
  birth_date text not null,
  family text not null,
  source_record text not null,
  primary key (system, value, birth_date, family, source_record)
) strict, without rowid;
--> statement-breakpoint
create index person_key_source on person_key (source_record);
--> statement-breakpoint
-- Pairs of source records that look like one person but were not joined automatically, or were joined and no longer do.
create table link_review (
  source_record text not null,
  other text not null,
  reason text not null,
  clock integer not null,
  primary key (source_record, other)
) strict, without rowid;
--> statement-breakpoint
-- The current version of every shared document. `body` is the served JSON text; `hash` the SHA-256 of its canonical
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
