/** Periodic work: one object, one alarm (workerd has no cron). Every step is safe to repeat and to miss. */
import { DurableObject } from 'cloudflare:workers'
import { refreshIssuers } from '../access/refresh-issuers.ts'
import { type AuditLogRpc, auditLogs } from '../audit/client.ts'
import { readConfig } from '../config.ts'
import { settleIntents } from '../disclosure/settle.ts'
import { limits } from '../limits.ts'
import { refreshLocalSourceRecords, settlePending } from '../records/settle.ts'
import { hranaWriter } from '../store/hrana.ts'
import type { WorkerEnvironment } from './environment.ts'

export class ScheduleObject extends DurableObject<WorkerEnvironment> {
  // Forgotten with the instance: the worst is one fetch more.
  #keysRefreshedAt = 0

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
    const logs = auditLogs((log) => this.env.AUDIT_LOG.getByName(log) as unknown as AuditLogRpc)
    for (const { name, log, local } of config.regions) {
      const database = hranaWriter({ url: local.url, token: local.writeToken })
      await this.#attempt('settle intents', name, () => settleIntents(log, logs, primary))
      await this.#attempt('settle pending documents', name, () =>
        settlePending(primary, database, Date.now()),
      )
      await this.#attempt('refresh source records', name, async () => {
        const key = `source-records ${name}`
        const since = (await this.ctx.storage.get<number>(key)) ?? 0
        await this.ctx.storage.put(key, await refreshLocalSourceRecords(primary, database, since))
      })
    }
    if (Date.now() - this.#keysRefreshedAt >= limits.jwksRefreshEveryMs) {
      this.#keysRefreshedAt = Date.now()
      await this.#attempt('refresh the keys of issuers', 'records', () => refreshIssuers(primary))
    }
    await this.#attempt('prune write keys', 'records', () =>
      primary.apply([
        { sql: 'delete from write_key where at < ?', args: [Date.now() - limits.writeKeyMemoryMs] },
      ]),
    )
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
