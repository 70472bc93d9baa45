/** The app in the test's own process over a cluster's real databases, so that its ports can be counted or broken. */
import { createAuthenticator } from '../../src/access/authenticate.ts'
import { type AuditLogRpc, auditLogs } from '../../src/audit/client.ts'
import { redactions } from '../../src/audit/redactions.ts'
import { readConfig } from '../../src/config.ts'
import type { Ports } from '../../src/disclosure/ports.ts'
import type { Cluster } from '../../src/local/cluster.ts'
import { definitionsOfR4 } from '../../src/local/definitions/of-r4.ts'
import { hranaReader, hranaWriter } from '../../src/store/hrana.ts'

const generous = { perSecond: 1_000, burst: 100_000 }

export function portsOf({ databases: { primary, replica, audit, local } }: Cluster, log: AuditLogRpc): Ports {
  const config = readConfig({
    RECORDS_REPLICA_URL: replica.url,
    RECORDS_REPLICA_TOKEN: replica.readToken,
    RECORDS_PRIMARY_URL: primary.url,
    RECORDS_PRIMARY_TOKEN: primary.writeToken,
    REGIONS: JSON.stringify(
      Object.entries(local).map(([name, database]) => ({ name, log: name, ...database })),
    ),
    AUDIT_URL: audit.url,
    AUDIT_READ_TOKEN: audit.readToken,
    AUDIT_WRITE_TOKEN: audit.writeToken,
    ID_KEY: Buffer.alloc(32, 1).toString('base64url'),
    CURSOR_KEY: Buffer.alloc(32, 2).toString('base64url'),
    PUBLIC_URL: '',
    CLIENT_ADDRESS_HEADER: '',
    AUTHORIZATION_SERVER: '',
    METRICS_TOKEN: 'metrics',
    MAX_SINGLE_FAILURES: '',
    LOG_SEEDS: 'AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE',
    LOG_ORIGIN: 'record.invalid',
    LOG_POLICY: '',
    RATE_LIMITS: JSON.stringify({ client: generous, professional: generous, identity: generous }),
  })
  const reader = hranaReader(config.records.replica)
  return {
    config,
    authenticator: createAuthenticator(reader),
    replica: reader,
    primary: hranaWriter(config.records.primary),
    locals: new Map(
      config.regions.map((region) => {
        const { url, readToken, writeToken } = region.local
        return [
          region.name,
          {
            region,
            reader: hranaReader({ url, token: readToken }),
            writer: hranaWriter({ url, token: writeToken }),
          },
        ]
      }),
    ),
    ledger: hranaReader({ url: audit.url, token: audit.readToken }),
    redactions: redactions(hranaWriter({ url: audit.url, token: audit.writeToken }).apply),
    logs: auditLogs(() => log),
    definitions: async () => definitionsOfR4(),
    peerAddress: () => null,
  }
}
