/** An exchange about an operation that streams, over a log of the test's own. */
import { type AuditLogRpc, auditLogs } from '../../../src/audit/client.ts'
import { Exchange } from '../../../src/disclosure/exchange.ts'
import type { DisclosureChunk, Operation } from '../../../src/disclosure/operation.ts'
import type { Ports } from '../../../src/disclosure/ports.ts'
import { ok } from '../../../src/result.ts'

export interface Streaming {
  readonly append: AuditLogRpc['append']
  readonly source: () => AsyncIterable<DisclosureChunk>
  readonly subject?: string
  readonly acceptEncoding?: string
}

/** @returns the exchange, not authenticated yet, and what it runs */
export function streamingExchange({ append, source, subject = 's', acceptEncoding = '' }: Streaming): {
  readonly exchange: Exchange
  readonly operation: Operation
} {
  const operation: Operation = {
    name: 'test-export',
    method: 'GET',
    path: '/export',
    action: 'export',
    callers: ['privacy-officer'],
    scope: () => null,
    param: undefined as never,
    query: undefined as never,
    handle: async () =>
      ok({
        status: 200,
        contentType: 'text/plain',
        body: { exportId: 'export-1', chunks: source() },
        disclosed: [],
        reason: 'privacy-officer',
      }),
  }
  const presented = { issuer: 'i', subject, clientId: 'c', jti: 'j', name: null, role: null, purpose: null }
  const rpc: Pick<AuditLogRpc, 'append'> = { append }
  const ports = {
    config: { regions: [{ log: 'qc-test' }], publicUrl: null, clientAddressHeader: null },
    authenticator: { authenticate: async () => ok({ presented, placement: null }) },
    logs: auditLogs(() => rpc as AuditLogRpc),
    peerAddress: () => null,
  } as unknown as Ports
  const exchange = new Exchange(ports, {
    read: () => Promise.reject(new Error('nothing is read here')),
    defer: () => {},
    request: new Request('https://record.example/export', { headers: { 'Accept-Encoding': acceptEncoding } }),
    language: 'fr',
    operation,
    rates: { admitAddress: () => 0, admitCaller: () => 0 },
    rate: 'general',
    help: () => null,
  })
  return { exchange, operation }
}
