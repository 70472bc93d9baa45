-- Legal hold: entries of the audit log about this person, or by people of this organisation, stay whatever the policy says.
-- Rows are never changed but to end.
create table audit_hold (
  row integer primary key,
  kind text not null check (kind in ('patient', 'organisation')),
  key text not null,
  reason text not null,
  valid_from integer not null,
  valid_to integer
) strict;
--> statement-breakpoint
create unique index audit_hold_current on audit_hold (kind, key) where valid_to is null;
--> statement-breakpoint
-- Days for which the audit log keeps what its entries say: seven years.
insert into policy_setting (name, value, valid_from) values ('audit-retention-days', 2557, 0);
