-- The ledger: what the audit logs have drained. A leaf row can never change or go, a body (entry and salt) neither;
-- a row that comes again with equal bytes is passed over, with other bytes its whole batch is refused.
create table ledger_leaf (
  log text not null,
  idx integer not null check (idx >= 0),
  leaf blob not null check (length(leaf) = 33),
  primary key (log, idx)
) strict, without rowid;
--> statement-breakpoint
-- Before any conflict clause (or replace, or ignore, on conflict) is looked at, so that none gets past it.
create trigger ledger_leaf_same before insert on ledger_leaf
when exists (select 1 from ledger_leaf where log = new.log and idx = new.idx) begin
  select raise(abort, 'ledger_leaf: this index holds another leaf')
    from ledger_leaf where log = new.log and idx = new.idx and leaf <> new.leaf;
  select raise(ignore);
end;
--> statement-breakpoint
create trigger ledger_leaf_dense before insert on ledger_leaf
when new.idx > 0 and not exists (select 1 from ledger_leaf where log = new.log and idx = new.idx - 1) begin
  select raise(abort, 'ledger_leaf: an earlier index is missing');
end;
--> statement-breakpoint
create trigger ledger_leaf_frozen before update on ledger_leaf begin
  select raise(abort, 'ledger_leaf is append-only');
end;
--> statement-breakpoint
create trigger ledger_leaf_kept before delete on ledger_leaf begin
  select raise(abort, 'ledger_leaf is append-only');
end;
--> statement-breakpoint
-- The generated columns are what the trail filters by; `entry` is the text the leaf commits to.
create table ledger_body (
  log text not null,
  idx integer not null,
  salt blob not null check (length(salt) = 32),
  entry text not null check (json_valid(entry)),
  time text not null generated always as (entry ->> '$.time') stored,
  request_id text not null generated always as (entry ->> '$.access.requestId') stored,
  action text not null generated always as (entry ->> '$.access.action') stored,
  outcome text not null generated always as (entry ->> '$.access.decision.outcome') stored,
  patient text generated always as (entry ->> '$.access.patient') stored,
  practitioner text generated always as (entry ->> '$.access.who.practitioner') stored,
  organisation text generated always as (entry ->> '$.access.who.organisation') stored,
  primary key (log, idx),
  foreign key (log, idx) references ledger_leaf (log, idx),
  check (entry ->> '$.log' = log and entry ->> '$.index' = cast(idx as text))
) strict, without rowid;
--> statement-breakpoint
create trigger ledger_body_same before insert on ledger_body
when exists (select 1 from ledger_body where log = new.log and idx = new.idx) begin
  select raise(abort, 'ledger_body: this index holds another entry')
    from ledger_body where log = new.log and idx = new.idx and (entry <> new.entry or salt <> new.salt);
  select raise(ignore);
end;
--> statement-breakpoint
create trigger ledger_body_frozen before update on ledger_body begin
  select raise(abort, 'ledger_body is append-only');
end;
--> statement-breakpoint
create trigger ledger_body_kept before delete on ledger_body begin
  select raise(abort, 'ledger_body is append-only');
end;
--> statement-breakpoint
-- One index range per filter and log; time only grows with idx, so a period is a range of idx.
create index ledger_body_time on ledger_body (log, time, idx);
--> statement-breakpoint
create index ledger_body_patient on ledger_body (patient, log, idx) where patient is not null;
--> statement-breakpoint
create index ledger_body_practitioner on ledger_body (practitioner, log, idx) where practitioner is not null;
--> statement-breakpoint
create index ledger_body_organisation on ledger_body (organisation, log, idx) where organisation is not null;
--> statement-breakpoint
create index ledger_body_action on ledger_body (action, log, idx);
--> statement-breakpoint
create index ledger_body_refused on ledger_body (outcome, log, idx) where outcome <> 'permit';
--> statement-breakpoint
create index ledger_body_request on ledger_body (request_id);
