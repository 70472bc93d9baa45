/** The Worker shell: Cloudflare Workers, and the same bundle self-hosted with `workerd serve`. */

import { createAuthenticator } from '../access/authenticate.ts'
import { createApp } from '../app.ts'
import { type AuditLogRpc, amongLogs, auditLogs } from '../audit/client.ts'
import { redactions } from '../audit/redactions.ts'
import { readConfig } from '../config.ts'
import type { Ports } from '../disclosure/ports.ts'
import { hranaReader, hranaWriter } from '../store/hrana.ts'
import { definitions } from './definitions.ts'
import type { WorkerEnvironment } from './environment.ts'

export { AuditLogObject } from './audit-log-object.ts'
export { ScheduleObject } from './schedule-object.ts'

/** Made once per isolate: bindings do not change while it lives. */
let app: ReturnType<typeof createApp> | undefined
/** Alarms survive restarts; one nudge per isolate makes sure that the first one is set. */
let isScheduled = false

export default {
  async fetch(request, env, context): Promise<Response> {
    app ??= createApp(workerPorts(env))
    if (!isScheduled) {
      isScheduled = true
      // A nudge that failed is given again by the next request.
      context.waitUntil(
        env.SCHEDULE.getByName('schedule')
          .ensure()
          .catch(() => {
            isScheduled = false
          }),
      )
    }
    return await app.fetch(request, env, context)
  },
} satisfies ExportedHandler<WorkerEnvironment>

function workerPorts(env: WorkerEnvironment): Ports {
  const config = readConfig(env)
  const replica = hranaReader(config.records.replica)
  return {
    config,
    authenticator: createAuthenticator(replica),
    replica,
    primary: hranaWriter(config.records.primary),
    locals: new Map(
      config.regions.map((region) => {
        const { url, readToken, writeToken } = region.local
        const reader = hranaReader({ url, token: readToken })
        return [region.name, { region, reader, writer: hranaWriter({ url, token: writeToken }) }]
      }),
    ),
    ledger: hranaReader({ url: config.audit.url, token: config.audit.readToken }),
    redactions: redactions(hranaWriter({ url: config.audit.url, token: config.audit.writeToken }).apply),
    logs: auditLogs(
      amongLogs(config.regions, (log) => env.AUDIT_LOG.getByName(log) as unknown as AuditLogRpc),
    ),
    definitions,
    // workerd tells the peer here. On Cloudflare the operator names CF-Connecting-IP; no header is believed unnamed.
    peerAddress: (request) =>
      (request.cf as { clientIp?: string } | undefined)?.clientIp?.replace(/:\d+$/, '') ?? null,
  }
}
