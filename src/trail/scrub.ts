/**
 * Looks again, for ever, at what the audit database holds: schema, newest checkpoints, and bundle by bundle each leaf, body
 * and tile, up to the newest checkpoint. It reads with a token that cannot write, and what it finds wrong it tells once:
 * an alarm, and an entry of the log itself, which the database cannot take back.
 *
 * Owned by the schedule: position and findings are in its storage, stored after what they tell of was done. A crash
 * in between makes a bundle be looked at, or a finding told, once more.
 */
import { buildEntries, countedAccess } from '../audit/entry.ts'
import type { AuditLogs } from '../audit/port.ts'
import { tileWidth } from '../audit/tlog/tile.ts'
import { raiseAlarm } from '../disclosure/alarms.ts'
import { limits } from '../limits.ts'
import { isOfLine } from '../log-line.ts'
import type { Reader } from '../store/ports.ts'
import { schemaDifferences, schemaStatement } from './ledger-schema.ts'
import { type CheckpointFinding, type SeenCheckpoint, scrubCheckpoint } from './scrub-checkpoint.ts'
import { type EntryFinding, scrubBundle } from './scrub-entries.ts'
import { scrubStatus } from './scrub-status.ts'

/** Durable. */
export interface ScrubMemory {
  get(key: string): Promise<unknown>
  put(key: string, value: unknown): Promise<void>
}

export interface ScrubOptions {
  /** The audit database. */
  readonly reader: Reader
  readonly memory: ScrubMemory
  readonly logs: Pick<AuditLogs, 'append'>
  /** Names of the logs served here: the first takes what is told of others, and of the schema. */
  readonly served: readonly [string, ...string[]]
}

interface Finding {
  readonly kind:
    | (CheckpointFinding | EntryFinding)['kind']
    | ReturnType<typeof schemaDifferences>[number]['kind']
    | 'more'
  readonly place: string
}

/** What is remembered of one log, or of the schema. */
interface Remembered {
  /** The bundle to be looked at next. */
  readonly next: number
  readonly rounds: number
  readonly seen: SeenCheckpoint | null
  /** `<kind> <place>` → whether it is in the log. */
  readonly findings: Readonly<Record<string, boolean>>
}

const nothing: Remembered = { next: 0, rounds: 0, seen: null, findings: {} }

/** Stands for the schema where a log is named; no log has this name. */
const schema = '*'

export class Scrub {
  readonly #options: ScrubOptions

  constructor(options: ScrubOptions) {
    this.#options = options
  }

  /** Those that ever registered or put a checkpoint there, and those served here. Rejects with `StoreError`. */
  async logs(): Promise<readonly string[]> {
    const [rows = []] = await this.#options.reader.read(
      [{ sql: 'select log from log union select log from checkpoint' }],
      limits.scrubDeadlineMs,
    )
    return [...new Set([...this.#options.served, ...rows.map(({ log }) => String(log))])]
  }

  /** Rejects with `StoreError`. */
  async schema(): Promise<void> {
    const [rows = []] = await this.#options.reader.read([schemaStatement], limits.scrubDeadlineMs)
    const found = schemaDifferences(rows).map(({ kind, object }) => ({ kind, place: object }))
    await this.#remember(schema, await this.#recall(schema), found)
  }

  /** The newest checkpoint and the next `limits.scrubBundles` bundles. Rejects with `StoreError`: then it begins there again. */
  async log(log: string): Promise<void> {
    const before = await this.#recall(log)
    const { findings, seen } = await scrubCheckpoint(this.#options.reader, log, before.seen)
    const found: Finding[] = [...findings]
    let { next, rounds } = before
    // Nothing is read that no valid checkpoint covers: there may be nothing.
    const size = seen?.size ?? 0
    for (let n = 0; n < limits.scrubBundles && size > 0; n++) {
      if (next * tileWidth < size) found.push(...(await scrubBundle(this.#options.reader, log, next, size)))
      next += 1
      if (next * tileWidth >= size) {
        next = 0
        rounds += 1
        break
      }
    }
    await this.#remember(log, { ...before, next, rounds, seen }, found)
  }

  async #recall(log: string): Promise<Remembered> {
    return ((await this.#options.memory.get(`scrub ${log}`)) as Remembered | undefined) ?? nothing
  }

  async #remember(log: string, state: Remembered, found: readonly Finding[]): Promise<void> {
    const { memory } = this.#options
    const findings = { ...state.findings }
    for (const { kind, place } of newAmong(found, findings)) {
      findings[`${kind} ${place}`] = false
      raiseAlarm('scrub-difference', null, ` log=${log} place=${place.replaceAll(' ', ':')} finding=${kind}`)
    }
    await memory.put(`scrub ${log}`, { ...state, findings })
    scrubStatus.set(log, {
      findings: Object.keys(findings).length,
      rounds: state.rounds,
      position: state.next * tileWidth,
    })
    for (const [name, isLogged] of Object.entries(findings)) {
      if (isLogged || !(await this.#append(log, name))) continue
      findings[name] = true
      await memory.put(`scrub ${log}`, { ...state, findings })
    }
  }

  /** False: the log does not take it now; the next round tries again. */
  async #append(log: string, name: string): Promise<boolean> {
    const { logs, served } = this.#options
    const requestId = crypto.randomUUID()
    const [finding = '', ...place] = name.split(' ')
    const note = { finding, log, place: place.join(' ') }
    const entries = buildEntries(
      {
        ...countedAccess('scrub', requestId, note),
        action: 'operation',
        decision: { outcome: 'error', reason: 'scrub-difference', detail: null },
      },
      [],
      null,
    )
    if (!entries.ok) return false
    // By the name of its line, which goes on to the log of today: a name that only the database knows would begin one.
    const line = served.find((base) => isOfLine(base, log)) ?? served[0]
    const appended = await logs.append(line, {
      requestId,
      phase: 'access',
      sequence: 0,
      entries: entries.value,
      once: [],
    })
    return appended.ok
  }
}

/** Those not remembered yet; past the limit one stands for all the rest. */
function newAmong(found: readonly Finding[], known: Readonly<Record<string, boolean>>): Finding[] {
  const fresh = new Map<string, Finding>()
  for (const finding of found) {
    const name = `${finding.kind} ${finding.place}`
    if (!(name in known)) fresh.set(name, finding)
  }
  const room = limits.maxScrubFindings - Object.keys(known).length
  if (fresh.size <= room) return [...fresh.values()]
  const told = [...fresh.values()].slice(0, Math.max(0, room))
  return 'more -' in known ? told : [...told, { kind: 'more', place: '-' }]
}
