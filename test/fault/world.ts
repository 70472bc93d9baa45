/**
 * A log, the disk under it, the audit database, *records* and a witness, all simulated: every call between them takes time,
 * can fail, and can be the last thing the log does. What a dead instance had sent may still arrive.
 */
import { AuditLog } from '../../src/audit/audit-log.ts'
import type { AppendAnswer } from '../../src/audit/commit.ts'
import { createSchema } from '../../src/audit/log-state.ts'
import type { LogStore } from '../../src/audit/log-store.ts'
import { type OutsideStore, outsideStore, type SignedCheckpoint } from '../../src/audit/outside-store.ts'
import type { AppendRequest, Attestation, AttestRequest } from '../../src/audit/port.ts'
import { parseCheckpoint } from '../../src/audit/tlog/checkpoint.ts'
import { parseNote } from '../../src/audit/tlog/note.ts'
import { type AddCheckpoint, formatAddCheckpoint, parseAddCheckpoint } from '../../src/audit/tlog/witness.ts'
import type { WitnessAnswer } from '../../src/audit/witness-client.ts'
import { limits } from '../../src/limits.ts'
import { type Cosigned, refusalOf } from '../../src/local/witness/submission.ts'
import { type Row, StoreError } from '../../src/store/ports.ts'
import { openLedger } from '../unit/audit/support.ts'
import { FaultPlan, type Mode, type Site } from './faults.ts'
import { digestLine, type SimulatedSigner, simulatedSigner } from './simulated-signer.ts'
import { recordingSql, SimulatedDatabase } from './simulated-storage.ts'
import { randomOf, SimulatedTime } from './simulated-time.ts'

export const log = 'qc-test'
export const origin = `record.example/audit/logs/${log}`
const startedAt = Date.parse('2026-11-22T09:06:00.123Z')
const hourMs = 60 * 60_000
/** Less than appends are remembered: whoever skips that time asks for them to be forgotten. */
const aheadMs = 9 * 60_000

/** Whatever a log signed and let out of its hands, also in a call that failed. */
export interface Released {
  readonly port: 'audit database' | 'records' | 'witness' | 'attestation'
  readonly note: string
  /** Number of the instance that let it out. */
  readonly life: number
  /** Leaves and tile bytes in the audit database at that moment. */
  readonly leavesThere: number
}

interface Life {
  readonly number: number
  isAlive: boolean
  readonly ended: Promise<'lost'>
  readonly end: () => void
}

export interface Restore {
  /** The first that found the old state. */
  readonly life: number
  /** Entries in the backup. */
  readonly size: number
  /** The audit database was set back to the same moment. */
  readonly withLedger: boolean
  /** Who remembers more of the log than the backup, by the call that asks him. */
  readonly knownTo: readonly Site[]
  /** Notes that had been let out, and those that the backup holds. */
  readonly released: number
  readonly kept: readonly string[]
}

export interface Memory {
  readonly cosigned: Cosigned | null
  readonly anchor: { readonly size: number; readonly note: string } | null
}

export class World {
  readonly time = new SimulatedTime()
  readonly signer: SimulatedSigner
  readonly storage: SimulatedDatabase
  readonly ledger: SimulatedDatabase
  readonly faultsSeen: string[] = []
  readonly released: Released[] = []
  /** Answers of the witness that accuse the log. */
  readonly accusations: string[] = []
  cosigned: Cosigned | null
  anchor: Memory['anchor']
  lives = 0
  /** Starts on restored storage. */
  readonly restores: Restore[] = []
  current: { readonly log: AuditLog; readonly life: Life } | null = null
  #plan = new FaultPlan([])
  #random = randomOf('')
  #clockOffsetMs = 0
  #isClockAstray = false
  #alarmAt: number | null = null
  #isArmed = false
  #isRinging = false

  constructor(
    signer = simulatedSigner(log, origin),
    storage = new SimulatedDatabase(),
    ledger = new SimulatedDatabase(openLedger()),
    { cosigned, anchor }: Memory = { cosigned: null, anchor: null },
  ) {
    this.signer = signer
    this.storage = storage
    this.ledger = ledger
    this.cosigned = cosigned
    this.anchor = anchor
  }

  /** Begins a run. */
  begin(plan: FaultPlan, seed: string): void {
    this.#plan = plan
    this.#random = randomOf(seed)
    this.storage.begin()
    this.ledger.begin()
    createSchema(recordingSql(this.storage, []))
    this.open()
  }

  /** Whether anyone who remembers more than the backup could be asked before the log signed. */
  canBeTold({ knownTo, kept }: Restore): boolean {
    // A witness is asked with a checkpoint that is signed already: of a backup from before the first it cannot be asked.
    return knownTo.some((site) => !this.#plan.isAway(site) && (site !== 'witness' || kept.length > 0))
  }

  get memory(): Memory {
    return { cosigned: this.cosigned, anchor: this.anchor }
  }

  get nowMs(): number {
    return startedAt + Math.floor(this.time.nowMs) + this.#clockOffsetMs
  }

  /** From here on nothing fails any more, and a clock that went astray for a while is right again. */
  endFaults(): void {
    this.#plan.end()
    if (this.#isClockAstray) this.#clockOffsetMs -= aheadMs
  }

  /** The log of now; opened if it is down. */
  open(): AuditLog {
    if (this.current) return this.current.log
    // Whatever the dead instance was in the middle of.
    this.time.dropTimers()
    const { promise, resolve } = Promise.withResolvers<'lost'>()
    const life: Life = { number: ++this.lives, isAlive: true, ended: promise, end: () => resolve('lost') }
    this.#restore(life)
    this.#isArmed = false
    const opened = new AuditLog({
      log,
      store: this.#store(life),
      outside: this.#outside(life),
      anchors: {
        view: () =>
          this.#call(life, 'records: view', async () =>
            this.anchor ? { entries: null, checkpoint: this.anchor } : null,
          ),
        put: (_, checkpoint) => {
          this.#release(life, 'records', checkpoint.note)
          return this.#call(life, 'records: put', async () => {
            this.anchor = { size: checkpoint.size, note: checkpoint.note }
          })
        },
      },
      witnesses: [{ name: 'w1', keys: [], url: 'https://witness.example/' }],
      client: { submit: (_, request) => this.#submit(life, request) },
      signers: [this.signer],
      now: () => this.nowMs,
      random: (bytes) => Uint8Array.from({ length: bytes }, () => this.#random() * 256),
      publishEveryMs: 50,
      onFault: (what, error) => {
        if (life.isAlive) this.faultsSeen.push(`${what}: ${error instanceof Error ? error.message : error}`)
      },
    })
    this.current = { log: opened, life }
    return opened
  }

  /** The instance is gone at once; a request or the alarm opens the next. */
  kill(): void {
    if (!this.current) return
    this.current.life.isAlive = false
    this.current.life.end()
    this.current = null
    this.time.dropTimers()
    this.storage.loseUndurable()
    // An alarm whose handler did not end rings again.
    if (this.#isRinging) this.#arm()
    this.#isRinging = false
  }

  async append(request: AppendRequest): Promise<AppendAnswer | 'lost'> {
    const opened = this.open()
    const life = (this.current as { life: Life }).life
    return await Promise.race([opened.append(request), life.ended])
  }

  async attest(request: AttestRequest): Promise<Attestation | null> {
    const opened = this.open()
    const life = (this.current as { life: Life }).life
    const answer = await Promise.race([opened.attest(request).catch(() => null), life.ended])
    if (!answer || answer === 'lost' || !answer.ok) return null
    for (const note of [...answer.value.heads, answer.value.list]) this.#release(life, 'attestation', note)
    return answer.value
  }

  /** Puts the backup in place of the storage, if it is time. */
  #restore({ number }: Life): void {
    const mode = this.storage.hasBackup ? this.#plan.strike('storage') : null
    if (!mode) return
    this.storage.restore()
    const withLedger = mode === 'restored with the audit database'
    if (withLedger) this.ledger.restore()
    const n = (database: SimulatedDatabase, sql: string): number => Number(database.all(sql)[0]?.n ?? 0)
    const size = n(this.storage, 'select size as n from log_state')
    const signed = n(this.storage, 'select max(size) as n from checkpoint')
    const newest = n(this.ledger, `select max(size) as n from checkpoint where log = '${log}'`)
    const leaves = n(this.ledger, `select count(*) as n from ledger_leaf where log = '${log}'`)
    const knowers: readonly [Site, boolean][] = [
      ['outside: view', leaves > size || newest > signed],
      ['records: view', (this.anchor?.size ?? 0) > signed],
      ['witness', Number(this.cosigned?.size ?? 0) > signed],
    ]
    const knownTo = knowers.flatMap(([site, knows]) => (knows ? site : []))
    const kept = this.storage.all('select note from checkpoint').map(({ note }) => String(note))
    this.restores.push({
      life: number,
      size,
      withLedger,
      knownTo,
      released: this.released.length,
      kept,
    })
  }

  #store(life: Life): LogStore {
    return {
      read: (query) => query(recordingSql(this.storage, [])),
      commit: (change) => {
        if (!life.isAlive) return never()
        this.#strikeClock()
        const ran: string[] = []
        let written: ReturnType<typeof this.storage.write<ReturnType<typeof change>>>
        try {
          written = this.storage.write(() => change(recordingSql(this.storage, ran)))
        } catch (error) {
          return Promise.reject(error)
        }
        const { value, commit } = written
        this.#arm()
        const mode = this.#plan.strike(commitSite(ran))
        if (mode === 'fails, not done') {
          this.storage.revert(commit)
          return this.#later(life, (_, reject) => reject(new Error('injected: the disk failed')))
        }
        if (mode?.startsWith('killed')) {
          if (mode === 'killed after it was done') this.storage.makeDurable(commit)
          else this.storage.revert(commit)
          this.kill()
          return never()
        }
        return this.#later(life, (resolve, reject) => {
          this.storage.makeDurable(commit)
          if (mode) reject(new Error('injected: the disk failed after all'))
          else resolve(value)
        })
      },
    }
  }

  #outside(life: Life): OutsideStore {
    const read = async (statements: readonly { sql: string; args?: unknown }[]): Promise<Row[][]> =>
      statements.map(({ sql, args }) => this.ledger.all(sql, ...(args as [])) as Row[])
    const apply = async (statements: readonly { sql: string; args?: unknown }[]): Promise<Row[][]> => {
      try {
        const { value, commit } = this.ledger.write(() =>
          statements.map(({ sql, args }) => this.ledger.all(sql, ...(args as [])) as Row[]),
        )
        this.ledger.makeDurable(commit)
        return value
      } catch (error) {
        throw new StoreError('constraint', (error as Error).message)
      }
    }
    const to = outsideStore({ apply, read }, limits.drainDeadlineMs)
    const call = <T>(site: Site, effect: () => Promise<T>): Promise<T> => this.#call(life, site, effect)
    return {
      view: (name) => call('outside: view', () => to.view(name)),
      register: (identity, before) => call('outside: register', () => to.register(identity, before)),
      append: (name, entries) => call('outside: append', () => to.append(name, entries)),
      putTiles: (name, tiles) => call('outside: put tiles', () => to.putTiles(name, tiles)),
      putCheckpoint: (name, checkpoint) => {
        this.#release(life, 'audit database', checkpoint.note)
        return call('outside: put checkpoint', () => this.#putCheckpoint(to, name, checkpoint))
      },
      putCosignature: (...args) => call('outside: put cosignature', () => to.putCosignature(...args)),
      readTiles: (name, tiles) => call('outside: read tiles', () => to.readTiles(name, tiles)),
      readLeaves: (...args) => call('outside: read leaves', () => to.readLeaves(...args)),
      putSuccessor: () => Promise.reject(new Error('no succession here')),
    }
  }

  /** Who sees the checkpoint asks for its tiles next. */
  async #putCheckpoint(to: OutsideStore, name: string, checkpoint: SignedCheckpoint): Promise<void> {
    const [tiles] = this.ledger.all(
      'select coalesce(sum(length(hashes)), 0) / 32 as hashes from tile where log = ? and level = 0',
      name,
    )
    if (Number(tiles?.hashes) < checkpoint.size)
      this.accusations.push(`a checkpoint of size ${checkpoint.size} is public, its tiles are not`)
    await to.putCheckpoint(name, checkpoint)
  }

  /** The protocol of the project's witness, over its own memory. */
  #submit(life: Life, request: AddCheckpoint): Promise<WitnessAnswer> {
    this.#release(life, 'witness', request.checkpoint)
    const judge = async (): Promise<WitnessAnswer> => {
      const { oldSize, proof, checkpoint: note } = parseAddCheckpoint(formatAddCheckpoint(request))
      const { text, signatures } = parseNote(note)
      const checkpoint = parseCheckpoint(text)
      const refusal = refusalOf({ oldSize, proof, checkpoint, text, signatures }, this.cosigned)
      if (refusal?.kind === 'conflict') return refusal
      if (refusal) {
        this.accusations.push(`the witness: ${JSON.stringify(refusal)}`)
        return { kind: 'rejected', status: 422, detail: refusal.kind }
      }
      this.cosigned = checkpoint
      return { kind: 'cosigned', lines: [digestLine('w1', `${this.nowMs}\n${text}`)] }
    }
    return this.#call(life, 'witness', judge, () => ({ kind: 'unreachable', detail: 'injected: away' }))
  }

  #release(life: Life, port: Released['port'], note: string): void {
    if (!life.isAlive) return
    const [row] = this.ledger.all('select count(*) as n from ledger_leaf where log = ?', log)
    this.released.push({ port, note, life: life.number, leavesThere: Number(row?.n) })
  }

  /** @param answerOf a failure that the caller is told of in words; default: it rejects. */
  #call<T>(life: Life, site: Site, effect: () => Promise<T>, answerOf?: () => T): Promise<T> {
    if (!life.isAlive) return never()
    const mode = this.#plan.strike(site)
    if (mode === 'killed before it was done') {
      this.kill()
      return never()
    }
    return new Promise((resolve, reject) => {
      const fail = (): void => {
        if (!life.isAlive) return
        if (answerOf) resolve(answerOf())
        else reject(new StoreError('unavailable', `injected: ${site}`))
      }
      if (mode?.startsWith('fails')) {
        // Every other failure is silence: then the caller's own deadline ends it.
        if (this.#random() < 0.5) this.time.after(this.#latencyMs(), fail)
        if (mode === 'fails, not done') return
      }
      const lateMs = mode === 'fails, done' && this.#random() < 0.3 ? this.#random() * 20_000 : 0
      this.time.after(this.#latencyMs() + lateMs, () => {
        // What a dead instance had sent arrives, or does not.
        if (!life.isAlive && this.#random() < 0.5) return
        const done = effect()
        if (mode === 'fails, done') return void done.catch(() => {})
        if (mode === 'killed after it was done') {
          done.catch(() => {})
          return this.kill()
        }
        done.then(
          (value) => this.time.after(this.#latencyMs(), () => life.isAlive && resolve(value)),
          (error) => this.time.after(this.#latencyMs(), () => life.isAlive && reject(error)),
        )
      })
    })
  }

  /** As the object does it: stored with a commit, at most one. */
  #arm(): void {
    if (this.#isArmed) return
    this.#isArmed = true
    const at = this.time.nowMs + limits.logAlarmMs
    this.#alarmAt = at
    this.time.after(limits.logAlarmMs, () => {
      if (this.#alarmAt === at) void this.#ring()
    })
  }

  async #ring(): Promise<void> {
    this.#alarmAt = null
    const opened = this.open()
    this.#isArmed = false
    this.#isRinging = true
    await opened.tick().catch((error: unknown) => this.accusations.push(`an alarm failed: ${error}`))
    if (this.current?.log !== opened) return
    this.#isRinging = false
    if (!opened.isSettled) this.#arm()
  }

  #strikeClock(): void {
    const mode: Mode | null = this.#plan.strike('clock')
    if (mode === 'set back') this.#clockOffsetMs -= hourMs
    if (mode === 'ahead for a while' && !this.#isClockAstray) this.#clockOffsetMs += aheadMs
    this.#isClockAstray ||= mode === 'ahead for a while'
  }

  #later<T>(
    life: Life,
    settle: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      this.time.after(this.#latencyMs(), () => {
        if (life.isAlive) settle(resolve, reject)
      })
    })
  }

  #latencyMs(): number {
    return this.#random() * 4
  }
}

const never = <T>(): Promise<T> => new Promise<T>(() => {})

function commitSite(ran: readonly string[]): Site {
  const has = (text: string): boolean => ran.some((sql) => sql.includes(text))
  if (has('into listed_log')) return 'commit of an attestation'
  if (has('checkpoint')) return 'commit of a publication'
  return has('into publication') ? 'commit of a halt' : 'commit of appends'
}
