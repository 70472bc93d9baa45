-- What else the trail filters by.
alter table ledger_body add column facility text generated always as (entry ->> '$.access.who.facility') virtual;
--> statement-breakpoint
alter table ledger_body add column reason text generated always as (entry ->> '$.access.decision.reason') virtual;
--> statement-breakpoint
-- An emergency was declared, refused, or used for reading.
alter table ledger_body add column break_glass integer generated always as (entry ->> '$.access.breakGlassReason' is not null) virtual;
--> statement-breakpoint
create index ledger_body_facility on ledger_body (facility, log, idx) where facility is not null;
--> statement-breakpoint
create index ledger_body_reason on ledger_body (reason, log, idx);
--> statement-breakpoint
create index ledger_body_break_glass on ledger_body (log, idx) where break_glass = 1;
