-- The transparency log as the public sees it: logs, tiles, checkpoints, cosignatures, lists. Written by the logs, read by
-- anyone. Nothing in these tables is personal.
create table log (
  log text primary key,
  origin text not null unique,
  -- Verifier keys (signed-note), Ed25519 and ML-DSA-44.
  vkey text not null,
  mldsa44_vkey text not null,
  predecessor text
) strict, without rowid;
--> statement-breakpoint
-- By either key: `or replace` would delete the row that has the other one, without asking.
create trigger log_same before insert on log
when exists (select 1 from log where log = new.log or origin = new.origin) begin
  select raise(abort, 'log: this name or origin is taken by another log')
    from log where (log = new.log or origin = new.origin)
      and (log, origin, vkey, mldsa44_vkey, predecessor)
        is not (new.log, new.origin, new.vkey, new.mldsa44_vkey, new.predecessor);
  select raise(ignore);
end;
--> statement-breakpoint
create trigger log_frozen before update on log begin
  select raise(abort, 'log is append-only');
end;
--> statement-breakpoint
create trigger log_kept before delete on log begin
  select raise(abort, 'log is append-only');
end;
--> statement-breakpoint
-- A log that ended; its successor may not exist yet.
create table log_retired (
  log text primary key,
  successor text not null
) strict, without rowid;
--> statement-breakpoint
create trigger log_retired_same before insert on log_retired
when exists (select 1 from log_retired where log = new.log) begin
  select raise(abort, 'log_retired: this log has another successor')
    from log_retired where log = new.log and successor <> new.successor;
  select raise(ignore);
end;
--> statement-breakpoint
create trigger log_retired_frozen before update on log_retired begin
  select raise(abort, 'log_retired is append-only');
end;
--> statement-breakpoint
create trigger log_retired_kept before delete on log_retired begin
  select raise(abort, 'log_retired is append-only');
end;
--> statement-breakpoint
-- Hashes of tlog-tiles, 1 to 256 of 32 bytes. The last tile of a level grows: the new bytes begin with the old ones.
create table tile (
  log text not null,
  level integer not null check (level between 0 and 7),
  idx integer not null check (idx >= 0),
  hashes blob not null check (length(hashes) between 32 and 8192 and length(hashes) % 32 = 0),
  primary key (log, level, idx)
) strict, without rowid;
--> statement-breakpoint
create trigger tile_frozen before update on tile
when (new.log, new.level, new.idx) is not (old.log, old.level, old.idx)
  or length(new.hashes) < length(old.hashes)
  or substr(new.hashes, 1, length(old.hashes)) <> old.hashes begin
  select raise(abort, 'tile: hashes are only added');
end;
--> statement-breakpoint
-- Before any conflict clause: `or replace` would delete without asking.
create trigger tile_same before insert on tile
when exists (select 1 from tile where (log, level, idx) = (new.log, new.level, new.idx)) begin
  select raise(abort, 'tile: this tile holds other hashes')
    from tile where (log, level, idx) = (new.log, new.level, new.idx)
      and substr(new.hashes, 1, length(hashes)) <> hashes
      and substr(hashes, 1, length(new.hashes)) <> new.hashes;
  update tile set hashes = new.hashes
    where (log, level, idx) = (new.log, new.level, new.idx) and length(hashes) < length(new.hashes);
  select raise(ignore);
end;
--> statement-breakpoint
create trigger tile_kept before delete on tile begin
  select raise(abort, 'tile is append-only');
end;
--> statement-breakpoint
-- `note` as the log signed it: text, blank line, its own two lines. `time`: milliseconds since 1970.
create table checkpoint (
  log text not null,
  size integer not null check (size > 0),
  time integer not null,
  note text not null,
  primary key (log, size)
) strict, without rowid;
--> statement-breakpoint
create trigger checkpoint_same before insert on checkpoint
when exists (select 1 from checkpoint where log = new.log and size = new.size) begin
  select raise(abort, 'checkpoint: this size has another checkpoint')
    from checkpoint where log = new.log and size = new.size and note <> new.note;
  select raise(ignore);
end;
--> statement-breakpoint
create trigger checkpoint_frozen before update on checkpoint begin
  select raise(abort, 'checkpoint is append-only');
end;
--> statement-breakpoint
-- Thinned in time: the newest of each hour stays for good.
create trigger checkpoint_kept before delete on checkpoint
when not exists (
  select 1 from checkpoint as newer
    where newer.log = old.log and newer.size > old.size and newer.time / 3600000 = old.time / 3600000) begin
  select raise(abort, 'checkpoint: the newest of each hour is kept');
end;
--> statement-breakpoint
-- Signature lines of witnesses, each ending in a line feed.
create table cosignature (
  log text not null,
  size integer not null,
  witness text not null,
  line text not null,
  primary key (log, size, witness),
  foreign key (log, size) references checkpoint (log, size) on delete cascade
) strict, without rowid;
--> statement-breakpoint
-- A witness asked again signs another time; the first line is as good.
create trigger cosignature_same before insert on cosignature
when exists (select 1 from cosignature where (log, size, witness) = (new.log, new.size, new.witness)) begin
  select raise(ignore);
end;
--> statement-breakpoint
create trigger cosignature_frozen before update on cosignature begin
  select raise(abort, 'cosignature is append-only');
end;
--> statement-breakpoint
-- It goes with its checkpoint, which is gone by then.
create trigger cosignature_kept before delete on cosignature
when exists (select 1 from checkpoint where log = old.log and size = old.size) begin
  select raise(abort, 'cosignature is kept as long as its checkpoint');
end;
--> statement-breakpoint
-- A redacted body goes only by an entry of the same log that names its index and repeats its places in both chains; by none
-- that another log made and a succession took over as it was.
-- Without the entry of a redaction nobody could tell it from a theft; a succession is what a log's beginning rests on.
alter table ledger_body add column redacts text generated always as (entry ->> '$.access.note.redacts') virtual;
--> statement-breakpoint
create index ledger_body_redacts on ledger_body (log, redacts) where action = 'redaction';
--> statement-breakpoint
drop trigger ledger_body_kept;
--> statement-breakpoint
create trigger ledger_body_kept before delete on ledger_body
when old.action in ('redaction', 'succession') or not exists (
  select 1 from ledger_body as redaction indexed by ledger_body_redacts
    where redaction.log = old.log and redaction.action = 'redaction'
      and redaction.redacts = cast(old.idx as text)
      and redaction.idx > old.idx and redaction.outcome = 'permit'
      and redaction.entry ->> '$.access.phase' = 'intent'
      and coalesce(redaction.entry ->> '$.access.note.redacts-log', redaction.log) = redaction.log
      and redaction.entry ->> '$.access.note.redacts-organisation' = coalesce(
        (old.entry ->> '$.chains.organisation.count') || '@' || coalesce(old.entry ->> '$.chains.organisation.previous', '-'), '-')
      and redaction.entry ->> '$.access.note.redacts-patient' = coalesce(
        (old.entry ->> '$.chains.patient.count') || '@' || coalesce(old.entry ->> '$.chains.patient.previous', '-'), '-')) begin
  select raise(abort, 'ledger_body is append-only: no redaction entry names this index and its places');
end;
--> statement-breakpoint
-- What was redacted does not come back, neither by draining again nor by anybody's hand. By the index alone: other bytes
-- would name other places. While the body is there, `ledger_body_same` judges what comes.
create trigger ledger_body_redacted before insert on ledger_body
when not exists (select 1 from ledger_body where log = new.log and idx = new.idx)
  and exists (
    select 1 from ledger_body as redaction indexed by ledger_body_redacts
      where redaction.log = new.log and redaction.action = 'redaction'
        and redaction.redacts = cast(new.idx as text)
        and redaction.idx > new.idx and redaction.outcome = 'permit'
        and redaction.entry ->> '$.access.phase' = 'intent'
        and coalesce(redaction.entry ->> '$.access.note.redacts-log', redaction.log) = redaction.log) begin
  select raise(ignore);
end;
