/** What leaves is accepted by a verifier that shares no code with what made it, and is not where it was tampered with. */
import { describe, expect, test } from 'vitest'
import { createApp } from '../../../src/app.ts'
import { fsck } from '../../../src/audit/verify/fsck.ts'
import { portableCrypto } from '../../../src/audit/verify/portable-crypto.ts'
import { type VerifyInput, verify } from '../../../src/audit/verify/verify.ts'
import type { Rate } from '../../../src/config.ts'
import type { Ports } from '../../../src/disclosure/ports.ts'
import { entryProof } from '../../../src/trail/entry-proof.ts'
import { policyText, sampleLog } from '../audit/verify/sample-files.ts'
import { SampleLog } from '../audit/verify/sample-log.ts'
import { exportedText, loadOf } from './exported.ts'
import { PublishedLedger } from './published-ledger.ts'

const logs = [sampleLog('east', 700, true), sampleLog('west', 30), new SampleLog('north')] as const
const served = logs.map(({ name }) => name)
const policy = policyText(logs, 2)

function published(): PublishedLedger {
  const ledger = new PublishedLedger()
  for (const log of logs) ledger.publish(log)
  return ledger
}

async function* piecesOf(text: string): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text)
  for (let at = 0; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000)
}

const verified = async (text: string, more: Omit<VerifyInput, 'file'> = {}) =>
  await verify(portableCrypto, { file: piecesOf(text), policy, ...more })

describe('the verifier accepts', () => {
  test.each([
    ['range', {}],
    ['range', { log: 'west' }],
    ['range', { from: '2026-11-22T09:00:01.000Z', to: '2026-11-22T09:00:50.000Z' }],
    ['range', { until: ['east:300', 'west:30'] }],
    ['range', { until: 'east:11' }],
    ['patient-chain', { patient: 'p3' }],
    ['patient-chain', { patient: 'p4' }],
    ['patient-chain', { patient: 'nobody' }],
    ['organisation-chain', { organisation: 'o0' }],
    ['organisation-chain', { organisation: 'o1' }],
    ['none', { action: 'redaction' }],
    ['none', { patient: 'p3', log: 'east' }],
    ['none', { outcome: 'deny' }],
  ])('an export with the promise %s: %j', async (kind, input) => {
    const text = await exportedText(published(), input, { served, policy })
    expect(await verified(text)).toMatchObject({ ok: true, kind, trust: 'policy' })
  })

  test.each([['p3'], ['p9'], ['p4']])(
    'the union of a patient whose records were joined, asked for by %s: %j',
    async (patient) => {
      const sources = [['p9'], ['p3', 'p4', 'p9'], ['p4', 'p9']]
      const text = await exportedText(published(), { patient }, { served, policy, sources })
      expect(await verified(text)).toMatchObject({ ok: true, kind: 'patient-chain' })
    },
  )

  test('an export of an organisation’s own officer', async () => {
    const text = await exportedText(published(), {}, { served, organisation: 'o2' })
    expect(await verified(text)).toMatchObject({ ok: true, kind: 'organisation-chain' })
  })

  test('an export of logs that do not all answer', async () => {
    const ledger = published()
    ledger.silent.add('east')
    expect(await verified(await exportedText(ledger, {}, { served }))).toMatchObject({ ok: true })
    const chain = await exportedText(ledger, { patient: 'p1' }, { served })
    expect(await verified(chain)).toMatchObject({ ok: true, kind: 'none' })
  })

  test('that a log continues a checkpoint somebody kept', async () => {
    const known = logs[0].checkpoint(271)
    const text = await exportedText(published(), { known: 'east:271' }, { served })
    const report = await verified(text, { known: [known] })
    expect(report).toMatchObject({ ok: true })
    expect(await verified(await exportedText(published(), {}, { served }), { known: [known] })).toMatchObject(
      {
        ok: false,
        code: 'known-unproved',
      },
    )
  })

  test('a CSV with the NDJSON of the same entries', async () => {
    const csv = await exportedText(published(), { format: 'csv' }, { served })
    const proof = await exportedText(published(), {}, { served })
    expect(await verified(csv, { proof: piecesOf(proof) })).toMatchObject({ ok: true, kind: 'range' })
  })

  test('AuditEvents with the NDJSON of the same entries', async () => {
    const events = await exportedText(published(), { format: 'fhir' }, { served })
    const proof = await exportedText(published(), {}, { served })
    expect(await verified(events, { proof: piecesOf(proof) })).toMatchObject({ ok: true, kind: 'range' })
    expect(await verified(events, { proof: piecesOf(proof.replace('permit', 'denied')) })).toMatchObject({
      ok: false,
      source: 'proof',
    })
  })

  test('no AuditEvents of a log without entries', async () => {
    const events = await exportedText(published(), { format: 'fhir', log: 'north' }, { served })
    const proof = await exportedText(published(), { log: 'north' }, { served })
    expect(events).toBe('')
    expect(await verified(events, { proof: piecesOf(proof) })).toMatchObject({ ok: true, kind: 'range' })
  })

  test('the proof of an entry', async () => {
    const ledger = published()
    const answer = await entryProof.handle({
      param: { log: 'east', index: '4' },
      query: {},
      ledger: ledger.reader,
      auditLogs: ledger.auditLogs,
      logs: served,
      logPolicy: policy,
      prefer: null,
      load: loadOf({ kind: 'patient', person: 'p4', name: '', assurance: 'a' }, []),
    } as unknown as Parameters<typeof entryProof.handle>[0])
    const text = answer.ok ? String(answer.value.body) : ''
    expect(await verified(text)).toMatchObject({ ok: true, kind: 'tlog-proof' })
  })

  test('everything that is public', async () => {
    const rate: Rate = { perSecond: 1, burst: 100_000 }
    const app = createApp({
      config: {
        regions: [{ name: 'east', log: 'east' }],
        publicUrl: 'https://record.example',
        clientAddressHeader: null,
        rates: { address: rate, client: rate, professional: rate, identity: rate },
      },
      ledger: published().reader,
      peerAddress: () => '192.0.2.1',
    } as unknown as Ports)
    const report = await fsck(portableCrypto, {
      fetchFile: async (path) => {
        // It first looks whether a log is at the address itself.
        if (path === 'checkpoint') return null
        const response = await app.request(`/${path}`)
        return response.status === 200 ? new Uint8Array(await response.arrayBuffer()) : null
      },
      listing: { path: 'audit/logs', folderOf: (log) => `audit/logs/${log}` },
      policy,
    })
    expect(report).toMatchObject({ ok: true, kind: 'tiles' })
  })
})

describe('an export in gzip', () => {
  const compressed = async (text: string): Promise<Uint8Array> =>
    new Uint8Array(
      await new Response(new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'))).arrayBuffer(),
    )
  async function* each(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
  }

  test.each([1, 1000])('is accepted like the file in it, read by %i bytes', async (size) => {
    const bytes = await compressed(await exportedText(published(), { log: 'west' }, { served }))
    const report = await verify(portableCrypto, { file: each(bytes, size), policy })
    expect(report).toMatchObject({ ok: true, kind: 'range' })
  })

  test.each([
    ['cut short', (bytes: Uint8Array) => bytes.subarray(0, -9)],
    ['damaged', (bytes: Uint8Array) => bytes.map((byte, i) => (i === bytes.length - 5 ? byte ^ 1 : byte))],
    ['followed by more', (bytes: Uint8Array) => new Uint8Array([...bytes, 1, 2, 3])],
  ])('is not accepted when %s', async (_, change) => {
    const bytes = change(await compressed(await exportedText(published(), { log: 'west' }, { served })))
    const report = await verify(portableCrypto, { file: each(bytes, 1000), policy })
    expect(report).toMatchObject({ ok: false, code: 'unreadable' })
  })
})

describe('the verifier finds in an export', () => {
  test.each([
    [
      'a changed entry',
      "update ledger_body set entry = replace(entry, 'permit', 'denied') where log = 'east' and idx = 5",
      'leaf',
      'east/5',
    ],
    ['a deleted entry', "delete from ledger_body where log = 'east' and idx = 5", 'index-missing', 'east/5'],
    [
      'a changed tile',
      "update tile set hashes = unhex(replace(hex(hashes), substr(hex(hashes), 1, 64), hex(zeroblob(32)))) where log = 'east' and level = 1",
      'block',
      'east/0-255',
    ],
  ])('of a database with %s where it is', async (_, sql, code, place) => {
    const ledger = published()
    const triggers = ledger.database.prepare("select name from sqlite_schema where type = 'trigger'").all()
    for (const { name } of triggers) ledger.database.exec(`drop trigger ${name}`)
    ledger.database.exec(sql)
    const report = await verified(await exportedText(ledger, {}, { served }))
    expect(report).toMatchObject({ ok: false, code, place })
  })
})
