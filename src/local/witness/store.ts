/**
 * What a witness remembers: the keys of the logs it watches and, of each log, the checkpoint it cosigned last. Owned by one
 * process: the file is locked from `openStore` until `close` or the end of the process. Every cosignature is on the disk
 * before anybody sees it.
 */
import { DatabaseSync } from 'node:sqlite'
import type { NoteSignature } from '../../audit/tlog/note.ts'
import { formatNote, parseNote } from '../../audit/tlog/note.ts'
import { limits } from '../../limits.ts'
import { err, ok, type Result } from '../../result.ts'
import { ClusterFailure, messageOf } from '../failure.ts'
import { type Cosigned, contradicts, type Refusal, refusalOf, type Submission } from './submission.ts'

export interface Identity {
  readonly name: string
  /** Ed25519, then ML-DSA-44. */
  readonly vkeys: readonly string[]
}

export interface LogKey {
  readonly origin: string
  readonly vkey: string
}

export interface LatestCheckpoint extends Cosigned {
  readonly origin: string
  /** Of the cosignatures, seconds since 1970. */
  readonly time: number
  /** The signed note: the log's lines, then the witness's own. */
  readonly note: string
}

/** A checkpoint signed by a log with another root than the one cosigned for its size. */
export interface Contradiction {
  readonly origin: string
  readonly size: bigint
  readonly note: string
  readonly cosigned: string
}

export interface Cosigner {
  /** @param time seconds since 1970 */
  sign(text: string, time: number): readonly NoteSignature[]
  isOwn(signature: NoteSignature): boolean
}

export interface WitnessStore {
  identity(): Identity | null
  setIdentity(identity: Identity): void
  logKeys(): readonly LogKey[]
  pin(key: LogKey): void
  latest(origin: string): LatestCheckpoint | null
  contradictions(origin: string): readonly Contradiction[]
  cosign(
    submission: Submission,
    cosigner: Cosigner,
    nowSeconds: number,
  ): Result<readonly NoteSignature[], Refusal>
  close(): void
}

/** Sizes are decimal text: SQLite's integers end at 2^63, a tree at 2^64. */
const schema = `
  create table if not exists identity (
    id integer primary key check (id = 1),
    name text not null,
    vkeys text not null
  ) strict;
  create table if not exists log_key (
    origin text not null,
    vkey text not null,
    primary key (origin, vkey)
  ) strict, without rowid;
  create table if not exists cosigned (
    origin text primary key,
    size text not null,
    root blob not null,
    time integer not null,
    note text not null
  ) strict, without rowid;
  create table if not exists contradiction (
    origin text not null,
    size text not null,
    root blob not null,
    note text not null,
    cosigned text not null,
    primary key (origin, size, root)
  ) strict, without rowid;
  create trigger if not exists cosigned_goes_forward before update on cosigned
    when new.origin <> old.origin or new.time < old.time
      or (length(new.size), new.size) < (length(old.size), old.size)
      or (new.size = old.size and new.root <> old.root)
  begin
    select raise(abort, 'a witness never goes back');
  end;
  create trigger if not exists cosigned_stays before delete on cosigned
  begin
    select raise(abort, 'a witness never forgets');
  end;`

/** @throws ClusterFailure when another process has it, or the file is not a database. */
export function openStore(path: string): WitnessStore {
  let db: DatabaseSync
  try {
    db = new DatabaseSync(path)
    // The first transaction takes the lock, and exclusive mode keeps it. In WAL mode, `full` is an fsync per commit.
    db.exec('pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = full')
    transaction(db, () => db.exec(schema))
  } catch (error) {
    const { errcode } = error as { errcode?: number }
    if (errcode === 5) throw new ClusterFailure(`A witness already runs on ${path}.`)
    throw new ClusterFailure(`The state ${path} cannot be opened: ${messageOf(error)}.`)
  }
  return {
    identity: () => {
      const row = db.prepare('select name, vkeys from identity').get()
      return row === undefined ? null : { name: String(row.name), vkeys: JSON.parse(String(row.vkeys)) }
    },
    setIdentity: ({ name, vkeys }) => {
      db.prepare('insert into identity (id, name, vkeys) values (1, ?, ?)').run(name, JSON.stringify(vkeys))
    },
    logKeys: () =>
      db
        .prepare('select origin, vkey from log_key order by origin, vkey')
        .all()
        .map(({ origin, vkey }) => ({ origin: String(origin), vkey: String(vkey) })),
    pin: ({ origin, vkey }) => {
      db.prepare('insert into log_key (origin, vkey) values (?, ?) on conflict do nothing').run(origin, vkey)
    },
    latest: (origin) => latest(db, origin),
    contradictions: (origin) =>
      db
        .prepare(
          'select size, note, cosigned from contradiction where origin = ? order by length(size), size, root',
        )
        .all(origin)
        .map(({ size, note, cosigned }) => ({
          origin,
          size: BigInt(String(size)),
          note: String(note),
          cosigned: String(cosigned),
        })),
    cosign: (submission, cosigner, nowSeconds) =>
      transaction(db, () => cosign(db, submission, cosigner, nowSeconds)),
    close: () => db.isOpen && db.close(),
  }
}

function transaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('begin immediate')
  try {
    const result = work()
    db.exec('commit')
    return result
  } catch (error) {
    if (db.isTransaction) db.exec('rollback')
    throw error
  }
}

function latest(db: DatabaseSync, origin: string): LatestCheckpoint | null {
  const row = db.prepare('select size, root, time, note from cosigned where origin = ?').get(origin)
  if (row === undefined) return null
  return {
    origin,
    size: BigInt(String(row.size)),
    root: row.root as Uint8Array,
    time: Number(row.time),
    note: String(row.note),
  }
}

/** Inside a transaction: the check and the record of it are one step, whoever else is asking. */
function cosign(
  db: DatabaseSync,
  submission: Submission,
  cosigner: Cosigner,
  nowSeconds: number,
): Result<readonly NoteSignature[], Refusal> {
  const { checkpoint, text, signatures } = submission
  const last = latest(db, checkpoint.origin)
  if (last !== null && contradicts(submission, last)) keepContradiction(db, submission, last)
  const refusal = refusalOf(submission, last)
  if (refusal !== null) return err(refusal)

  // A clock set back must not make a later statement look earlier: "the largest tree seen at this time" would be false.
  const time = Math.max(nowSeconds, last?.time ?? 1)
  if (last?.time === time) {
    const given = parseNote(last.note)
    // Within one second there is nothing new to say, and nobody can make the witness sign more often than that.
    if (given.text === text) return ok(given.signatures.filter(cosigner.isOwn))
  }
  const cosignatures = cosigner.sign(text, time)
  db.prepare(
    `insert into cosigned (origin, size, root, time, note) values (?, ?, ?, ?, ?)
       on conflict (origin) do update
       set size = excluded.size, root = excluded.root, time = excluded.time, note = excluded.note`,
  ).run(
    checkpoint.origin,
    String(checkpoint.size),
    checkpoint.root,
    time,
    formatNote(text, [...signatures, ...cosignatures]),
  )
  return ok(cosignatures)
}

/** The first ones are kept: whoever holds the log's key could sign any number of them. */
function keepContradiction(db: DatabaseSync, submission: Submission, last: LatestCheckpoint): void {
  const { checkpoint, text, signatures } = submission
  db.prepare(
    `insert into contradiction (origin, size, root, note, cosigned)
       select :origin, :size, :root, :note, :cosigned
       where (select count(*) from contradiction where origin = :origin) < ${limits.maxWitnessContradictions}
       on conflict do nothing`,
  ).run({
    origin: checkpoint.origin,
    size: String(checkpoint.size),
    root: checkpoint.root,
    note: formatNote(text, signatures),
    cosigned: last.note,
  })
}
