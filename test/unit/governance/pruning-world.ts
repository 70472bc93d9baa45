/** Logs whose clock is simulated, over one audit database, and the requests and the schedule that prune them. */
import type { DatabaseSync } from 'node:sqlite'
import type { Caller } from '../../../src/access/caller.ts'
import { type AuditLogRpc, auditLogs } from '../../../src/audit/client.ts'
import { Drain } from '../../../src/audit/drain.ts'
import type { AppendRequest } from '../../../src/audit/port.ts'
import { redactions } from '../../../src/audit/redactions.ts'
import { Sequencer } from '../../../src/audit/sequencer.ts'
import { Exchange } from '../../../src/disclosure/exchange.ts'
import type { Operation } from '../../../src/disclosure/operation.ts'
import type { Ports } from '../../../src/disclosure/ports.ts'
import { settleIntents } from '../../../src/disclosure/settle.ts'
import { readHolds } from '../../../src/governance/holds.ts'
import { pruneDue } from '../../../src/governance/prune-due.ts'
import { pruneLog } from '../../../src/governance/pruning.ts'
import { err, ok } from '../../../src/result.ts'
import { StoreError, type Writer } from '../../../src/store/ports.ts'
import { auditDatabase } from '../audit/audit-database.ts'
import { appendOf, ledgerOf, openLedger, SqliteLogStore } from '../audit/support.ts'
import { type MemoryDatabase, openDatabase } from '../store/memory-database.ts'

export const yearMs = 366 * 86_400_000

export const officer: Caller = {
  kind: 'privacy-officer',
  professional: 'bouchard',
  name: 'Bouchard',
  organisation: null,
}

interface Running {
  readonly sequencer: Sequencer
  readonly drain: Drain
}

/** What an entry says of itself; of a pruning entry also its note. */
export interface ToldAccess {
  readonly requestId: string
  readonly phase: string
  readonly operation: string
  readonly patient: string | null
  readonly who: { readonly practitioner: string | null }
  readonly decision: { readonly outcome: string; readonly reason: string }
  readonly note: Readonly<Record<string, string>> | null
}

export class PruningWorld {
  readonly ledger: DatabaseSync = openLedger()
  readonly records: MemoryDatabase = openDatabase('records')
  readonly database: Pick<Writer, 'read' | 'apply'> = auditDatabase(this.ledger)
  readonly logs = auditLogs(() => this.#rpc)
  /** Milliseconds since 1970. */
  now: number = Date.parse('2018-11-22T09:00:00.000Z')
  /** The audit database takes no deletion. */
  isAway = false
  /** Called before each transaction that deletes, with the number of those before. */
  onDelete: (done: number) => void = () => {}
  readonly #served: readonly string[]
  readonly #running = new Map<string, Running>()
  readonly #successors = new Map<string, string>()
  #deletions = 0

  /** @param served names of logs: of one each that takes entries, begun by then or not */
  constructor(served: readonly string[] = ['qc-east']) {
    this.#served = served
    for (const log of served) this.begin(log)
  }

  begin(log: string): void {
    const now = () => this.now
    const sequencer: Sequencer = new Sequencer({
      log,
      store: new SqliteLogStore(),
      now,
      onCommit: () => void drain.run(),
    })
    const drain = new Drain({ source: sequencer, ledger: ledgerOf(this.ledger), now })
    this.#running.set(log, { sequencer, drain })
    this.ledger
      .prepare("insert into log (log, origin, vkey, mldsa44_vkey) values (?, ?, 'k', 'm')")
      .run(log, log)
  }

  /** Closed as one whose storage was lost: it takes nothing, and what it is asked to drain it never does. */
  retire(log: string, successor: string): void {
    this.begin(successor)
    this.#running.delete(log)
    this.#successors.set(log, successor)
  }

  sequencer(log = 'qc-east'): Sequencer {
    return this.#at(log).sequencer
  }

  /** Entries about patients, in the audit database by then. */
  async append(log: string, ...patients: readonly string[]): Promise<void> {
    for (const patient of patients) await this.sequencer(log).append(appendOf([patient]))
    await this.drained(log)
  }

  async drained(log = 'qc-east'): Promise<void> {
    const { drain, sequencer } = this.#at(log)
    if (!(await drain.waitFor(sequencer.size, 5_000))) throw new Error(`${log} does not drain`)
  }

  publish(log: string, size = this.sequencer(log).size): void {
    this.ledger.prepare("insert into checkpoint (log, size, time, note) values (?, ?, 0, 'x')").run(log, size)
  }

  hold(kind: 'patient' | 'organisation', key: string): void {
    this.records.rows(
      "insert into audit_hold (kind, key, reason, valid_from) values (?, ?, 'Procès', 0)",
      kind,
      key,
    )
  }

  /** Of the bodies that are there, in order. */
  indices(log = 'qc-east'): readonly number[] {
    return this.ledger
      .prepare('select idx from ledger_body where log = ? order by idx')
      .all(log)
      .map(({ idx }) => Number(idx))
  }

  /** Entries of redactions and prunings. */
  removals(log = 'qc-east'): readonly ToldAccess[] {
    return this.ledger
      .prepare("select entry from ledger_body where log = ? and action = 'redaction' order by idx")
      .all(log)
      .map(({ entry }) => JSON.parse(String(entry)).access)
  }

  prunings(log = 'qc-east'): readonly ToldAccess[] {
    return this.removals(log).filter(({ phase }) => phase === 'intent')
  }

  /** Asks that a log be pruned. */
  async ask(more: Record<string, unknown> = {}, caller: Caller = officer, log = 'qc-east') {
    const body = { reason: 'Délai écoulé', basis: 'Calendrier de conservation', ...more }
    return await this.send(pruneLog, { log }, body, caller)
  }

  async send<P, Q>(asked: Operation<P, Q>, param: P, body: object, caller: Caller = officer) {
    const presented = { issuer: 'i', subject: 's', clientId: 'c', jti: 'j', role: null, scopes: [] }
    const ports = {
      config: {
        regions: this.#served.map((log) => ({ log })),
        publicUrl: null,
        clientAddressHeader: null,
      },
      authenticator: { authenticate: async () => ok({ presented, placement: null, once: [] }) },
      logs: this.logs,
      ledger: this.database,
      primary: this.records,
      redactions: this.#removing,
      peerAddress: () => null,
    } as unknown as Ports
    const { now, records } = this
    const operation: Operation<P, Q> = {
      ...asked,
      handle: (ctx) =>
        asked.handle({
          ...ctx,
          now,
          load: async (page) => {
            const statements = page({} as never).records ?? []
            return ok({ caller, records: await records.read(statements) }) as never
          },
        }),
    }
    const exchange = new Exchange(ports, {
      read: () => Promise.reject(new Error('nothing is read here')),
      defer: () => {},
      request: new Request('https://record.example/audit/pruning/qc-east', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
      language: 'en',
      operation,
      rates: { admitAddress: () => 0, admitCaller: () => 0 },
      rate: 'general',
      help: () => null,
    })
    const refused = await exchange.authenticate()
    if (refused) throw new Error(`not let in: ${refused.status}`)
    const response = await exchange.run(operation, param, {} as Q)
    return { status: response.status, json: (await response.json()) as Record<string, unknown> }
  }

  /** Orders what is due, as the schedule does. */
  async due(log = 'qc-east'): Promise<number> {
    const { records, database, logs } = this
    return await pruneDue(log, this.now, { records, ledger: database, logs })
  }

  /** Ends open intents, as the schedule does. */
  async settle(log = 'qc-east'): Promise<number> {
    return await settleIntents(log, this.logs, {
      primary: this.records as unknown as Writer,
      redactions: this.#removing,
      held: () => readHolds(this.records),
    })
  }

  #at(log: string): Running {
    const running = this.#running.get(log)
    if (!running) throw new Error(`no log ${log}`)
    return running
  }

  readonly #removing = redactions(async (statements) => {
    if (this.isAway) throw new StoreError('unavailable', 'injected')
    this.onDelete(this.#deletions++)
    return await this.database.apply(statements)
  })

  readonly #rpc = {
    append: async (log: string, request: AppendRequest) => {
      const successor = this.#successors.get(log)
      return successor === undefined
        ? await this.sequencer(log).append(request)
        : err({ reason: 'retired', successor })
    },
    status: async (log: string) => {
      const size = String(this.#running.get(log)?.sequencer.size ?? 0)
      return { log, size, successor: this.#successors.get(log) ?? null, fault: null }
    },
    drained: async (log: string, size: string) =>
      (await this.#running.get(log)?.drain.waitFor(Number(size), 1_000)) ?? false,
    openIntents: async (log: string) => this.sequencer(log).openIntents(),
  } as unknown as AuditLogRpc
}
