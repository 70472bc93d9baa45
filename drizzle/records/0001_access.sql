-- An issuer of one organisation vouches for its facilities and officers only; '' : for the whole record. Patients are told
-- apart by their identifier of `patient_system` ('' : it vouches for no patients), at one of these authentication context
-- classes (`patient_acr`, JSON array).
alter table issuer add column organisation text not null default '';
--> statement-breakpoint
alter table issuer add column requires_dpop integer not null default 0 check (requires_dpop in (0, 1));
--> statement-breakpoint
-- Every token of it is good for one request.
alter table issuer add column one_time integer not null default 0 check (one_time in (0, 1));
--> statement-breakpoint
alter table issuer add column patient_system text not null default '';
--> statement-breakpoint
alter table issuer add column patient_acr text not null default '[]';
--> statement-breakpoint
-- A key of an issuer that must never verify again, by its RFC 7638 thumbprint: a key set that still lists it changes nothing.
create table revoked_key (
  issuer text not null,
  thumbprint text not null,
  valid_from integer not null,
  primary key (issuer, thumbprint)
) strict, without rowid;
--> statement-breakpoint
-- `organisation` is set for the privacy officer of one organisation (then `facility` is ''); both empty: the whole record.
-- `certified_at` (ISO 8601): when somebody last confirmed that the access is still needed.
alter table professional_role add column organisation text not null default '';
--> statement-breakpoint
alter table professional_role add column granted_by text not null default '';
--> statement-breakpoint
alter table professional_role add column certified_at text not null default '';
--> statement-breakpoint
drop index professional_role_current;
--> statement-breakpoint
create unique index professional_role_current on professional_role (professional, role, facility, organisation)
  where valid_to is null;
--> statement-breakpoint
create index professional_id on professional (id);
--> statement-breakpoint
create index professional_role_facility on professional_role (facility, role) where valid_to is null;
--> statement-breakpoint
-- What one person asked for that another must confirm (four eyes): ended when decided.
create table role_request (
  row integer primary key,
  id text not null,
  action text not null check (action in ('grant', 'end')),
  professional text not null,
  role text not null,
  facility text not null,
  organisation text not null,
  requested_by text not null,
  requested_at text not null,
  decision text not null default '' check (decision in ('', 'approved', 'rejected')),
  decided_by text not null default '',
  decided_at text not null default '',
  valid_from integer not null,
  valid_to integer
) strict;
--> statement-breakpoint
create unique index role_request_current on role_request (id) where valid_to is null;
--> statement-breakpoint
-- The most confidential label (v3-Confidentiality) a role may read, in documents of the caller's own facility and in
-- those of others. No row: N.
create table role_clearance (
  row integer primary key,
  role text not null,
  facility_type text not null,
  purpose text not null,
  own text not null check (own in ('U', 'L', 'M', 'N', 'R', 'V')),
  elsewhere text not null check (elsewhere in ('U', 'L', 'M', 'N', 'R', 'V')),
  valid_from integer not null,
  valid_to integer
) strict;
--> statement-breakpoint
create unique index role_clearance_current on role_clearance (role, facility_type, purpose) where valid_to is null;
--> statement-breakpoint
-- Numbers and switches of the policy. `break-glass:…`: 1 where an emergency lifts that kind of denial.
create table policy_setting (
  row integer primary key,
  name text not null,
  value integer not null,
  valid_from integer not null,
  valid_to integer
) strict;
--> statement-breakpoint
create unique index policy_setting_current on policy_setting (name) where valid_to is null;
--> statement-breakpoint
insert into policy_setting (name, value, valid_from) values
  ('encounter-days-after', 30, 0),
  ('encounter-open-days', 90, 0),
  ('attestation-hours', 168, 0),
  ('break-glass-hours', 12, 0),
  ('break-glass:relationship', 1, 0),
  ('break-glass:restriction', 1, 0),
  ('break-glass:refusal-before', 0, 0),
  ('break-glass:refusal-total', 0, 0);
--> statement-breakpoint
-- Who cares for whom. `professional` is the empty string where everybody authorised at the facility does. `starts` and
-- `ends`: milliseconds since 1970, end exclusive. `source`: the encounter (`Encounter/id`) or the request that made it;
-- `digest`: content hash of that encounter.
create table relationship (
  row integer primary key,
  kind text not null check (kind in ('encounter', 'episode', 'care-team', 'enrolment', 'attestation')),
  source_record text not null,
  facility text not null,
  professional text not null,
  starts integer not null,
  ends integer not null,
  source text not null,
  digest text not null default '',
  reason text not null default '',
  recorded_by text not null,
  valid_from integer not null,
  valid_to integer
) strict;
--> statement-breakpoint
-- Encounters published before there were relationships stand for one as if they had been published now
-- (`records/care-window.ts`): 30 days after their end, open ones 90 days from publication, a year at most. Those that name
-- only a year or a month open nothing until they are published again.
insert into relationship (kind, source_record, facility, professional, starts, ends, source, digest, recorded_by, valid_from)
select 'encounter', source_record, facility, '', max(start, published - 86400000), min(last, published + 31622400000),
  'Encounter/' || id, hash, facility, (select n from clock)
from (
  select id, source_record, facility, hash, status, published, coalesce(start, published) as start,
    coalesce(finish + 2592000000,
      iif(status = 'finished', coalesce(start, published) + 2592000000, published + 7776000000)) as last
  from (
    select id, source_record, facility, hash, body ->> '$.status' as status, unixepoch(published) * 1000 as published,
      unixepoch(body ->> '$.period.start') * 1000 as start, unixepoch(body ->> '$.period.end') * 1000 as finish
    from document where type = 'Encounter' and source_record <> ''
      and coalesce(length(body ->> '$.period.start'), 10) >= 10 and coalesce(length(body ->> '$.period.end'), 10) >= 10))
where status in ('planned', 'arrived', 'triaged', 'in-progress', 'onleave', 'finished')
  and max(start, published - 86400000) < min(last, published + 31622400000);
--> statement-breakpoint
create index relationship_held on relationship (source_record, facility, professional, ends) where valid_to is null;
--> statement-breakpoint
create index relationship_history on relationship (source_record, valid_from);
--> statement-breakpoint
create unique index relationship_source on relationship (source) where valid_to is null;
--> statement-breakpoint
-- The register of refusals and restrictions: every version of a `Consent`, one current. `status`: active or inactive.
-- `means`, `capacity`, `recorded_by`, `system`: how it was expressed, by whom, through what (P-9.0001, s. 55).
create table consent (
  row integer primary key,
  id text not null,
  version integer not null,
  source_record text not null,
  status text not null check (status in ('active', 'inactive')),
  body text not null,
  recorded_at text not null,
  recorded_by text not null,
  capacity text not null check (capacity in ('patient', 'guardian', 'privacy-officer')),
  means text not null,
  system text not null,
  valid_from integer not null,
  valid_to integer
) strict;
--> statement-breakpoint
create unique index consent_current on consent (id) where valid_to is null;
--> statement-breakpoint
create unique index consent_version on consent (id, version);
--> statement-breakpoint
create index consent_source on consent (source_record, valid_from);
--> statement-breakpoint
-- What the active consents forbid. `before_date` (UTC, refusal-before only): documents older than it. A restriction holds for
-- an actor (any, or a professional, role, facility or organisation by id) and for what (any, or a domain, a resource type
-- or a document `Type/id`).
create table consent_rule (
  row integer primary key,
  consent text not null,
  source_record text not null,
  kind text not null check (kind in ('refusal-total', 'refusal-before', 'restriction')),
  before_date text not null default '',
  actor_kind text not null default 'any' check (actor_kind in ('any', 'professional', 'role', 'facility', 'organisation')),
  actor text not null default '',
  what_kind text not null default 'any' check (what_kind in ('any', 'domain', 'type', 'document')),
  what text not null default '',
  valid_from integer not null,
  valid_to integer
) strict;
--> statement-breakpoint
create index consent_rule_current on consent_rule (source_record) where valid_to is null;
--> statement-breakpoint
create index consent_rule_history on consent_rule (source_record, valid_from);
--> statement-breakpoint
create index consent_rule_consent on consent_rule (consent) where valid_to is null;
--> statement-breakpoint
-- Emergencies declared: a window for one professional at one facility about one patient.
create table break_glass (
  row integer primary key,
  id text not null,
  source_record text not null,
  facility text not null,
  professional text not null,
  purpose text not null,
  reason text not null,
  starts integer not null,
  ends integer not null,
  valid_from integer not null,
  valid_to integer
) strict;
--> statement-breakpoint
create index break_glass_open on break_glass (source_record, facility, professional, ends) where valid_to is null;
--> statement-breakpoint
create index break_glass_history on break_glass (source_record, valid_from);
--> statement-breakpoint
create unique index break_glass_id on break_glass (id);
--> statement-breakpoint
-- A guardian (by a source record of their own) acts for a person under 14.
create table guardianship (
  row integer primary key,
  guardian text not null,
  source_record text not null,
  recorded_by text not null,
  valid_from integer not null,
  valid_to integer
) strict;
--> statement-breakpoint
create unique index guardianship_current on guardianship (guardian, source_record) where valid_to is null;
--> statement-breakpoint
create index guardianship_ward on guardianship (source_record);
--> statement-breakpoint
-- What a patient is told without asking. `facts`: JSON, said in the patient's language when read.
create table notice (
  id text primary key,
  source_record text not null,
  kind text not null check (kind in ('break-glass', 'attestation', 'consent', 'guardianship')),
  at text not null,
  facts text not null,
  valid_from integer not null
) strict, without rowid;
--> statement-breakpoint
create index notice_source on notice (source_record, at);
--> statement-breakpoint
-- The privacy officers' work list. An item is never changed; its decision is a row of its own.
create table review_item (
  id text primary key,
  kind text not null check (kind in ('break-glass', 'attestation')),
  source_record text not null,
  professional text not null,
  facility text not null,
  organisation text not null,
  at text not null,
  reason text not null,
  valid_from integer not null
) strict, without rowid;
--> statement-breakpoint
create index review_item_at on review_item (at);
--> statement-breakpoint
create table review_decision (
  item text primary key,
  decision text not null check (decision in ('justified', 'unjustified', 'referred')),
  note text not null,
  decided_by text not null,
  decided_at text not null,
  valid_from integer not null
) strict, without rowid;
