-- How far each audit log has come, as the replicas of every region remember it: a log whose storage and ledger were both
-- set back finds out here. Not policy: written by the logs themselves, outside the write clock.
create table log_anchor (
  log text primary key,
  size integer not null check (size > 0),
  note text not null
) strict, without rowid;
--> statement-breakpoint
create trigger log_anchor_grows before update on log_anchor
when new.log <> old.log or new.size < old.size or (new.size = old.size and new.note <> old.note) begin
  select raise(abort, 'log_anchor: a log only grows');
end;
--> statement-breakpoint
create trigger log_anchor_kept before delete on log_anchor begin
  select raise(abort, 'log_anchor: a log only grows');
end;
