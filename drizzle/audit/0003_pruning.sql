-- A retention policy lets bodies go in bulk: a pruning entry names a log (its own, or one before it in its line: `a`, `a-2`,
-- `a-3`), the index below which and the time before which they may. Null: the entry prunes nothing.
alter table ledger_body add column prunes_log text generated always as (
  case when entry ->> '$.access.action' = 'redaction' and entry ->> '$.access.phase' = 'intent'
    and entry ->> '$.access.decision.outcome' = 'permit'
    and cast(cast(entry ->> '$.access.note.prunes-to' as integer) as text) = entry ->> '$.access.note.prunes-to'
    and cast(entry ->> '$.access.note.prunes-to' as integer) >= 0
    and entry ->> '$.access.note.prunes-before' glob '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9]Z'
    and case when entry ->> '$.access.note.prunes-log' = log then cast(entry ->> '$.access.note.prunes-to' as integer) <= idx
      else substr(log, length(rtrim(log, '0123456789')) + 1) <> ''
        and substr(log, length(rtrim(log, '0123456789')) + 1) not glob '0*'
        and length(log) - length(rtrim(log, '0123456789')) <= 6
        and (rtrim(log, '0123456789') = (entry ->> '$.access.note.prunes-log') || '-'
          and cast(substr(log, length(rtrim(log, '0123456789')) + 1) as integer) >= 2
          or rtrim(log, '0123456789') = rtrim(entry ->> '$.access.note.prunes-log', '0123456789')
          and rtrim(log, '0123456789') glob '?*-'
          and substr(entry ->> '$.access.note.prunes-log', length(rtrim(log, '0123456789')) + 1) not glob '0*'
          and cast(substr(entry ->> '$.access.note.prunes-log', length(rtrim(log, '0123456789')) + 1) as integer) >= 2
          and cast(substr(log, length(rtrim(log, '0123456789')) + 1) as integer)
            > cast(substr(entry ->> '$.access.note.prunes-log', length(rtrim(log, '0123456789')) + 1) as integer)) end
    then entry ->> '$.access.note.prunes-log' end) virtual;
--> statement-breakpoint
alter table ledger_body add column prunes_to integer
  generated always as (cast(entry ->> '$.access.note.prunes-to' as integer)) virtual;
--> statement-breakpoint
alter table ledger_body add column prunes_before text
  generated always as (entry ->> '$.access.note.prunes-before') virtual;
--> statement-breakpoint
-- By time: what went by any pruning entry went also by the one with the latest time of those that reach its index.
create index ledger_body_prunes on ledger_body (prunes_log, prunes_before, prunes_to, log, idx) where prunes_log is not null;
--> statement-breakpoint
drop trigger ledger_body_kept;
--> statement-breakpoint
create trigger ledger_body_kept before delete on ledger_body
when old.action in ('redaction', 'succession') or not (exists (
  select 1 from ledger_body as redaction indexed by ledger_body_redacts
    where redaction.log = old.log and redaction.action = 'redaction'
      and redaction.redacts = cast(old.idx as text)
      and redaction.idx > old.idx and redaction.outcome = 'permit'
      and redaction.entry ->> '$.access.phase' = 'intent'
      and coalesce(redaction.entry ->> '$.access.note.redacts-log', redaction.log) = redaction.log
      and redaction.entry ->> '$.access.note.redacts-organisation' = coalesce(
        (old.entry ->> '$.chains.organisation.count') || '@' || coalesce(old.entry ->> '$.chains.organisation.previous', '-'), '-')
      and redaction.entry ->> '$.access.note.redacts-patient' = coalesce(
        (old.entry ->> '$.chains.patient.count') || '@' || coalesce(old.entry ->> '$.chains.patient.previous', '-'), '-'))
  or exists (
    select 1 from ledger_body as pruning indexed by ledger_body_prunes
      where pruning.prunes_log = old.log and pruning.prunes_to > old.idx and pruning.prunes_before > old.time)) begin
  select raise(abort, 'ledger_body is append-only: no redaction entry names this index and its places, no pruning entry covers it');
end;
--> statement-breakpoint
drop trigger ledger_body_redacted;
--> statement-breakpoint
-- What was redacted or pruned does not come back, neither by draining again nor by anybody's hand. By the index alone where
-- a redaction names it: other bytes would name other places. While the body is there, `ledger_body_same` judges what comes.
create trigger ledger_body_redacted before insert on ledger_body
when not exists (select 1 from ledger_body where log = new.log and idx = new.idx)
  and (exists (
    select 1 from ledger_body as redaction indexed by ledger_body_redacts
      where redaction.log = new.log and redaction.action = 'redaction'
        and redaction.redacts = cast(new.idx as text)
        and redaction.idx > new.idx and redaction.outcome = 'permit'
        and redaction.entry ->> '$.access.phase' = 'intent'
        and coalesce(redaction.entry ->> '$.access.note.redacts-log', redaction.log) = redaction.log)
    or exists (
      select 1 from ledger_body as pruning indexed by ledger_body_prunes
        where pruning.prunes_log = new.log and pruning.prunes_to > new.idx)) begin
  select raise(ignore);
end;
