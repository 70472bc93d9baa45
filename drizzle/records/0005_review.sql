-- The rules of the monthly review of accesses (`docs/trail.md`): which are looked at, and past which numbers. `thresholds`: JSON,
-- numbers and lists.
create table review_rule (
  row integer primary key,
  name text not null,
  enabled integer not null check (enabled in (0, 1)),
  thresholds text not null check (json_valid(thresholds)),
  valid_from integer not null,
  valid_to integer
) strict;
--> statement-breakpoint
create unique index review_rule_current on review_rule (name) where valid_to is null;
--> statement-breakpoint
insert into review_rule (name, enabled, thresholds, valid_from) values
  ('break-glass-without-follow-up', 1, '{"days":7,"hoursBefore":24}', 0),
  ('own-record', 1, '{"possible":1}', 0),
  ('same-family-or-address', 1, '{"minAccesses":1,"commonFamilies":["TREMBLAY","GAGNON","ROY","COTE","BOUCHARD","GAUTHIER","MORIN","LAVOIE","FORTIN","GAGNE","OUELLET","PELLETIER","BELANGER","LEVESQUE","BERGERON","LEBLANC","PAQUETTE","GIRARD","SIMARD","BOUCHER"]}', 0),
  ('colleague', 1, '{"possible":1,"minAccesses":1}', 0),
  ('attestation-only', 1, '{"minReads":1}', 0),
  ('fresh-relationship', 1, '{"minutes":60,"startedHours":24,"maxDocuments":0}', 0),
  ('volume', 1, '{"factor":6,"minGroup":10,"minPatients":100}', 0),
  ('unusual-hours', 1, '{"nightFrom":22,"nightTo":6,"dayTypes":["clinic","pharmacy"],"minAccesses":10,"minTotal":50,"maxShare":0.1}', 0),
  ('look-up-without-read', 1, '{"hours":24,"minLookUps":5}', 0),
  ('watch-list', 1, '{"minAccesses":1}', 0);
--> statement-breakpoint
-- Which `Patient` is a professional's own: one current for each.
create table professional_person (
  row integer primary key,
  professional text not null,
  source_record text not null,
  recorded_by text not null,
  valid_from integer not null,
  valid_to integer
) strict;
--> statement-breakpoint
create unique index professional_person_current on professional_person (professional) where valid_to is null;
--> statement-breakpoint
create index professional_person_source on professional_person (source_record) where valid_to is null;
--> statement-breakpoint
-- Records of public interest: every access to them is looked at. `starts` and `ends`: milliseconds since 1970, end exclusive.
create table watch_list (
  row integer primary key,
  source_record text not null,
  reason text not null,
  starts integer not null,
  ends integer not null,
  recorded_by text not null,
  valid_from integer not null,
  valid_to integer
) strict;
--> statement-breakpoint
create unique index watch_list_current on watch_list (source_record) where valid_to is null;
--> statement-breakpoint
-- What was decided about a finding. Its pattern: rule and professional and, unless it is the empty string, the patient.
-- `month`: `YYYY-MM`; `muted_until`: the day (`YYYY-MM-DD`) until which the same pattern is not told; the empty string: told.
create table finding_decision (
  row integer primary key,
  finding text not null,
  month text not null,
  rule text not null,
  professional text not null,
  source_record text not null,
  decision text not null check (decision in ('justified', 'unjustified', 'referred')),
  note text not null,
  muted_until text not null check (muted_until = '' or decision = 'justified'),
  decided_by text not null check (decided_by <> professional),
  decided_at text not null,
  valid_from integer not null
) strict;
--> statement-breakpoint
create index finding_decision_pattern on finding_decision (professional, rule, row);
--> statement-breakpoint
create trigger finding_decision_frozen before update on finding_decision begin
  select raise(abort, 'finding_decision is append-only');
end;
--> statement-breakpoint
create trigger finding_decision_kept before delete on finding_decision begin
  select raise(abort, 'finding_decision is append-only');
end;
