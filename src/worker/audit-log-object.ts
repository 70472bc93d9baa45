import { DurableObject } from 'cloudflare:workers'
import { anchorStore } from '../audit/anchor-store.ts'
import { AuditLog } from '../audit/audit-log.ts'
import type { AuditLogRpc } from '../audit/client.ts'
import type { AppendAnswer } from '../audit/commit.ts'
import { withDeadline } from '../audit/deadline.ts'
import { createSchema, storedLog } from '../audit/log-state.ts'
import type { LogRow, LogSql, LogStore } from '../audit/log-store.ts'
import { outsideStore } from '../audit/outside-store.ts'
import type {
  AppendRefusal,
  AppendRequest,
  Attestation,
  AttestRequest,
  LogStatus,
  OpenIntent,
} from '../audit/port.ts'
import type { Closing, Founding, NotBegun, StrandedPage } from '../audit/succession.ts'
import { witnessClient } from '../audit/witness-client.ts'
import { readLogConfig } from '../config.ts'
import { limits } from '../limits.ts'
import type { Result } from '../result.ts'
import { hranaReader, hranaWriter } from '../store/hrana.ts'
import type { WorkerEnvironment } from './environment.ts'
import { signersOf, witnessesOf } from './log-keys.ts'

/** The audit log of one region; the object's name is the log's. Its public methods are the wire. */
export class AuditLogObject extends DurableObject<WorkerEnvironment> implements AuditLogRpc {
  #log: AuditLog | null = null
  /** Whether an alarm is set: it stays set until it rings. */
  #armed = false

  append(log: string, request: AppendRequest): Promise<AppendAnswer> {
    return this.#open(log).append(request)
  }

  appendFailure(log: string, address: string, reason: string, request: AppendRequest): Promise<AppendAnswer> {
    return this.#open(log).appendFailure(address, reason, request)
  }

  async status(log: string): Promise<LogStatus> {
    return this.#open(log).status()
  }

  drained(log: string, size: string): Promise<boolean> {
    return this.#open(log).drained(Number(size), limits.exportDrainWaitMs)
  }

  published(log: string, size: string, waitMs: number): Promise<boolean> {
    return this.#open(log).published(Number(size), Math.min(waitMs, limits.exportDrainWaitMs))
  }

  async openIntents(log: string): Promise<readonly OpenIntent[]> {
    return this.#open(log).openIntents()
  }

  attest(log: string, request: AttestRequest): Promise<Result<Attestation, AppendRefusal>> {
    return this.#open(log).attest(request)
  }

  close(log: string, successor: string): Promise<Result<Closing, AppendRefusal | NotBegun>> {
    return this.#open(log).close(successor)
  }

  stranded(log: string, from: number): Promise<StrandedPage> {
    return this.#open(log).stranded(from)
  }

  found(log: string, founding: Founding): Promise<AppendAnswer> {
    return this.#open(log).found(founding)
  }

  retire(log: string): Promise<void> {
    return this.#open(log).retire()
  }

  /** The safety net: what no request has pushed on. At least once, maybe late. */
  override async alarm(): Promise<void> {
    this.#armed = false
    const sql = logSql(this.ctx.storage.sql)
    createSchema(sql)
    const name = storedLog(sql)
    if (name === null) return
    const log = this.#open(name)
    try {
      await log.tick()
    } finally {
      if (!log.isSettled && !this.#armed) this.#arm()
    }
  }

  #open(log: string): AuditLog {
    if (this.#log?.log === log) return this.#log
    if (this.#log) throw new Error(`this is the audit log ${this.#log.log}`)
    const { env } = this
    const config = readLogConfig(env)
    const audit = hranaWriter({ url: env.AUDIT_URL, token: env.AUDIT_WRITE_TOKEN })
    const replica = hranaReader({ url: env.RECORDS_REPLICA_URL, token: env.RECORDS_REPLICA_TOKEN })
    const primary = hranaWriter({ url: env.RECORDS_PRIMARY_URL, token: env.RECORDS_PRIMARY_TOKEN })
    this.#log = new AuditLog({
      log,
      store: this.#store(),
      outside: outsideStore(audit, limits.drainDeadlineMs),
      anchors: anchorStore(replica, primary),
      witnesses: witnessesOf(config),
      client: witnessClient({
        fetch: (input, init) => fetch(input, init),
        now: () => Date.now(),
        deadlineMs: limits.witnessDeadlineMs,
      }),
      signers: signersOf(config, log),
      now: () => Date.now(),
      mustBeFounded: !config.logs.includes(log),
      maxSingleFailuresPerMinute: config.maxSingleFailures,
      onFault: (what, error) =>
        console.error(`audit log ${log}: ${what} failed`, error instanceof Error ? error.message : ''),
    })
    return this.#log
  }

  #store(): LogStore {
    const { storage } = this.ctx
    const sql = logSql(storage.sql)
    return {
      read: (query) => query(sql),
      commit: async (change) => {
        const result = storage.transactionSync(() => change(sql))
        // With no wait in between, the alarm is stored in the same commit: no entry without one.
        if (!this.#armed) this.#arm()
        try {
          await withDeadline(storage.sync(), limits.commitDeadlineMs, 'a commit')
        } catch (error) {
          this.ctx.abort('the storage of this audit log failed')
          throw error
        }
        return result
      },
    }
  }

  #arm(): void {
    this.#armed = true
    void this.ctx.storage.setAlarm(Date.now() + limits.logAlarmMs)
  }
}

/** Durable Object SQL as the log speaks it: blobs go in and come out as `Uint8Array`. */
function logSql(storage: SqlStorage): LogSql {
  return {
    exec: (sql, ...params) => {
      const rows = storage.exec(sql, ...params).toArray()
      for (const row of rows) {
        for (const name in row) {
          const value = row[name]
          if (value instanceof ArrayBuffer) (row as Record<string, unknown>)[name] = new Uint8Array(value)
        }
      }
      return rows as unknown as LogRow[]
    },
  }
}
