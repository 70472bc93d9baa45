import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import { type AuditLogRpc, auditLogs } from '../../src/audit/client.ts'
import { leafOf, sha256 } from '../../src/audit/commitment.ts'
import { buildEntries } from '../../src/audit/entry.ts'
import type { AppendRequest } from '../../src/audit/port.ts'
import { isReceipt } from '../../src/audit/receipt.ts'
import { leafHash } from '../../src/audit/tlog/hash.ts'
import { treeHash } from '../../src/audit/tlog/tree.ts'
import { base } from '../unit/audit/access.ts'

const logs = env as unknown as { readonly AUDIT_LOG: DurableObjectNamespace }
const stubOf = (log: string) => logs.AUDIT_LOG.getByName(log)
const client = auditLogs((log) => stubOf(log) as unknown as AuditLogRpc)

function request(patient: string | null): AppendRequest {
  const requestId = crypto.randomUUID()
  const entries = buildEntries({ ...base, requestId }, [{ patient, resources: [] }], 'organisation-1')
  if (!entries.ok) throw new Error(entries.error.detail)
  return { requestId, phase: 'access', sequence: 0, entries: entries.value, once: [] }
}

/** What the object holds, read from inside it. */
const rowsOf = (log: string): Promise<Record<string, SqlStorageValue>[]> =>
  runInDurableObject(stubOf(log), (_, state) =>
    state.storage.sql.exec('select idx, leaf, salt, entry from undrained order by idx').toArray(),
  )

describe('the audit log object', () => {
  test('answers with a receipt that can be recomputed from what it stored', async () => {
    const appended = await client.append('receipt', request('p1'))
    if (!appended.ok) throw new Error(JSON.stringify(appended.error))
    expect(isReceipt(appended.value)).toBe(true)
    const [row] = await rowsOf('receipt')
    const leaf = leafOf(new Uint8Array(row?.salt as ArrayBuffer), String(row?.entry))
    expect(new Uint8Array(row?.leaf as ArrayBuffer)).toEqual(leaf)
    const hash = Buffer.from(treeHash(sha256, [leafHash(sha256, leaf)])).toString('base64url')
    expect(appended.value.header).toBe(`receipt/0:${hash}`)
  })

  test('goes on after an eviction: the next index, the chain, and the reply to a repeated append', async () => {
    const first = request('p1')
    const receipt = await client.append('evicted', first)
    await evictDurableObject(stubOf('evicted'))
    const repeated = await client.append('evicted', first)
    expect(repeated.ok && receipt.ok && repeated.value.header).toBe(receipt.ok && receipt.value.header)
    await evictDurableObject(stubOf('evicted'))
    await client.append('evicted', request('p1'))
    const entries = (await rowsOf('evicted')).map(
      ({ entry }) => JSON.parse(String(entry)) as { chains: unknown },
    )
    expect(entries.map(({ chains }) => chains)).toEqual([
      { organisation: { count: '1', previous: null }, patient: { count: '1', previous: null } },
      { organisation: { count: '2', previous: '0' }, patient: { count: '2', previous: '0' } },
    ])
  })

  test('gives a hundred concurrent appends an index each', async () => {
    const appended = await Promise.all(
      Array.from({ length: 100 }, (_, i) => client.append('many', request(`p${i}`))),
    )
    const indices = appended.map((result) =>
      result.ok ? result.value.header.match(/^many\/(\d+):/)?.[1] : null,
    )
    expect(new Set(indices)).toEqual(new Set(Array.from({ length: 100 }, (_, i) => String(i))))
    expect(await client.status('many')).toMatchObject({
      ok: true,
      value: { log: 'many', size: '100', drained: '0', fault: null },
    })
  })

  test('keeps what the audit database did not take, and has its alarm set for it', async () => {
    await client.append('undrained', request('p1'))
    expect(await runDurableObjectAlarm(stubOf('undrained'))).toBe(true)
    expect(await rowsOf('undrained')).toHaveLength(1)
    const alarm = await runInDurableObject(stubOf('undrained'), (_, state) => state.storage.getAlarm())
    expect(alarm).not.toBeNull()
  })

  test('is no log under another name', async () => {
    await client.append('named', request(null))
    const misled = auditLogs(() => stubOf('named') as unknown as AuditLogRpc)
    expect(await misled.append('other', request(null))).toEqual({
      ok: false,
      error: { reason: 'log-unavailable', detail: 'this is the audit log named' },
    })
  })

  test('offers nothing but its wire', async () => {
    const members = await runInDurableObject(stubOf('wire'), (instance) =>
      Object.getOwnPropertyNames(Object.getPrototypeOf(instance)).sort(),
    )
    expect(members).toEqual([
      'alarm',
      'append',
      'appendFailure',
      'attest',
      'close',
      'constructor',
      'drained',
      'found',
      'openIntents',
      'published',
      'retire',
      'status',
      'stranded',
    ])
  })
})
