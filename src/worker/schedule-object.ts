/** Periodic work: one object, one alarm (workerd has no cron). Every step is safe to repeat and to miss. */
import { DurableObject } from 'cloudflare:workers'
import { refreshIssuers } from '../access/refresh-issuers.ts'
import { type AuditLogRpc, amongLogs, auditLogs } from '../audit/client.ts'
import type { AuditLogs } from '../audit/port.ts'
import { thinningStatements } from '../audit/public-store.ts'
import { redactions } from '../audit/redactions.ts'
import { type Config, readConfig } from '../config.ts'
import { settleIntents } from '../disclosure/settle.ts'
import { readHolds } from '../governance/holds.ts'
import { pruneDue } from '../governance/prune-due.ts'
import { limits } from '../limits.ts'
import { refreshLocalSourceRecords, settlePending } from '../records/settle.ts'
import { hranaReader, hranaWriter } from '../store/hrana.ts'
import type { Writer } from '../store/ports.ts'
import { Scrub } from '../trail/scrub.ts'
import type { WorkerEnvironment } from './environment.ts'

export class ScheduleObject extends DurableObject<WorkerEnvironment> {
  // When the rarer steps were last done; forgotten with the instance: the worst is doing them once more.
  readonly #doneAt = new Map<string, number>()

  /** Sets the alarm unless one is set. */
  async ensure(): Promise<void> {
    if ((await this.ctx.storage.getAlarm()) === null) await this.#next()
  }

  override async alarm(): Promise<void> {
    try {
      await this.#round()
    } finally {
      await this.#next()
    }
  }

  async #next(): Promise<void> {
    await this.ctx.storage.setAlarm(Date.now() + limits.scheduleEveryMs)
  }

  async #round(): Promise<void> {
    const config = readConfig(this.env)
    const primary = hranaWriter(config.records.primary)
    const audit = hranaWriter({ url: config.audit.url, token: config.audit.writeToken })
    const logs = auditLogs(
      amongLogs(config.regions, (log) => this.env.AUDIT_LOG.getByName(log) as unknown as AuditLogRpc),
    )
    for (const { name, log, local } of config.regions) {
      const database = hranaWriter({ url: local.url, token: local.writeToken })
      await this.#attempt('settle intents', name, () =>
        settleIntents(log, logs, {
          primary,
          redactions: redactions(audit.apply),
          held: () => readHolds(primary),
        }),
      )
      await this.#attempt('settle pending documents', name, () =>
        settlePending(primary, database, Date.now()),
      )
      await this.#attempt('refresh source records', name, async () => {
        const key = `source-records ${name}`
        const since = (await this.ctx.storage.get<number>(key)) ?? 0
        await this.ctx.storage.put(key, await refreshLocalSourceRecords(primary, database, since))
      })
    }
    if (this.#isDue('retention', limits.pruneDueEveryMs))
      for (const { log } of config.regions)
        await this.#attempt('prune what is due', log, () =>
          pruneDue(log, Date.now(), { records: primary, ledger: audit, logs }),
        )
    await this.#scrub(config, logs)
    // Last: a key is the only witness of what is to be settled above.
    if (this.#isDue('prune', limits.pruneEveryMs)) await this.#prune(config, primary, audit)
    if (this.#isDue('keys', limits.jwksRefreshEveryMs))
      await this.#attempt('refresh the keys of issuers', 'records', () => refreshIssuers(primary))
  }

  async #scrub(
    { audit: { url, readToken }, regions: [first, ...rest] }: Config,
    logs: AuditLogs,
  ): Promise<void> {
    const scrub = new Scrub({
      reader: hranaReader({ url, token: readToken }),
      memory: this.ctx.storage,
      logs,
      served: [first.log, ...rest.map(({ log }) => log)],
    })
    await this.#attempt('scrub', 'schema', () => scrub.schema())
    await this.#attempt('scrub', 'logs', async () => {
      for (const log of await scrub.logs()) await this.#attempt('scrub', log, () => scrub.log(log))
    })
  }

  async #prune({ regions }: Config, primary: Writer, audit: Writer): Promise<void> {
    const before = Date.now() - limits.writeKeyMemoryMs
    const statements = [{ sql: 'delete from write_key where at < ?', args: [before] }]
    await this.#attempt('prune write keys', 'records', () => primary.apply(statements))
    await this.#attempt('thin checkpoints', 'audit', () =>
      audit.apply(thinningStatements(Date.now() - limits.checkpointMemoryMs), limits.drainDeadlineMs),
    )
    for (const { name, local } of regions) {
      const database = hranaWriter({ url: local.url, token: local.writeToken })
      await this.#attempt('prune write keys', name, () => database.apply(statements))
    }
  }

  #isDue(step: string, everyMs: number): boolean {
    const now = Date.now()
    if (now - (this.#doneAt.get(step) ?? 0) < everyMs) return false
    this.#doneAt.set(step, now)
    return true
  }

  /** One step that fails is tried again at the next round; the others go on. */
  async #attempt(step: string, where: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (error) {
      console.error(
        `schedule: could not ${step} (${where}): ${error instanceof Error ? error.name : 'error'}`,
      )
    }
  }
}
