/** Exports of a person whom the log has under several ids, and of those who ask for what is about themselves. */
import { beforeEach, describe, expect, test } from 'vitest'
import type { Caller } from '../../../src/access/caller.ts'
import { limits } from '../../../src/limits.ts'
import { auditExport } from '../../../src/trail/export.ts'
import { chainExport, filteredExport, type SampleHeader, sampleLog } from '../audit/verify/sample-files.ts'
import { SampleLog } from '../audit/verify/sample-log.ts'
import { type Asked, chunksOf, disclose } from './exported.ts'
import { PublishedLedger } from './published-ledger.ts'

const patient = (person: string): Caller => ({ kind: 'patient', person, name: '', assurance: 'a' })
const guardian = (person: string): Caller => ({
  kind: 'guardian',
  person,
  guardian: 'p1',
  name: '',
  assurance: 'a',
})

/** One record stayed; that of p4 was first joined with that of p3, then both with p9. */
const sources = [['p9'], ['p3', 'p9'], ['p4', 'p3', 'p9']]
const ids = ['p9', 'p3', 'p4'] as const

let ledger: PublishedLedger
let logs: readonly [SampleLog, SampleLog]
beforeEach(() => {
  ledger = new PublishedLedger()
  logs = [sampleLog('east', 300, true), sampleLog('west', 30)]
  for (const log of logs) ledger.publish(log)
})

async function exported(input: Record<string, unknown>, asked: Asked = {}) {
  const chunks: { readonly patients: readonly string[]; readonly lines: readonly string[] }[] = []
  for await (const { patients, bytes } of chunksOf(await disclose(ledger, input, { sources, ...asked })))
    chunks.push({ patients, lines: new TextDecoder().decode(bytes).split('\n').slice(0, -1) })
  const [header = '', ...lines] = chunks.flatMap((chunk) => chunk.lines)
  const { exportId: _, time: __, filters, ...rest } = JSON.parse(header) as SampleHeader
  return { filters, rest, lines, chunks }
}

/** What the sample has beside what differs from export to export. */
const sampleOf = async (keys: readonly [string, ...string[]]) => {
  const { header, lines } = await chainExport(
    'patient',
    keys,
    logs.map((log) => ({ log })),
  )
  const { exportId: _, time: __, filters: ___, ...rest } = header
  return { rest, lines }
}

describe('an export of a person whose records were joined', () => {
  test.each(ids)('has the chains of all ids, whichever is asked for: %s', async (asked) => {
    const union = await exported({ patient: asked })
    const sample = await sampleOf(ids)
    expect(union.rest).toEqual(sample.rest)
    expect(union.lines).toEqual(sample.lines)
    expect(union.filters.patient).toBe(asked)
    // 3 was of p3, 10 of p4, and both are redacted.
    const redacted = union.lines.map((line) => JSON.parse(line)).filter((line) => 'redacted' in line)
    expect(redacted.map(({ index, chain }) => [index, chain])).toEqual([
      ['3', 'p3'],
      ['10', 'p4'],
    ])
  })

  test('merges chains of very different lengths in the order of the log, a page at a time', async () => {
    const log = new SampleLog('east')
    for (let i = 0; i < 420; i += 1) log.append({ patient: i % 100 === 50 ? 'p3' : i < 210 ? 'p4' : 'p9' })
    for (const index of [50, 211, 350]) log.redact(index)
    ledger = new PublishedLedger()
    ledger.publish(log)
    const union = await exported({ patient: 'p9' }, { served: ['east'] })
    const sample = await chainExport('patient', ids, [{ log }])
    expect(union.lines).toEqual(sample.lines)
    for (const { lines } of union.chunks) expect(lines.length).toBeLessThanOrEqual(limits.exportProofRows)
    const rows = ledger.asked.filter(({ sql }) => sql.includes('indexed by ledger_body_patient'))
    for (const { args } of rows)
      expect((args as readonly unknown[]).at(-2)).toBe(Math.ceil(limits.exportProofRows / ids.length))
  })

  test('names in the log, before the header leaves, today’s person and every id that has entries', async () => {
    const { chunks } = await exported({ patient: 'p4' })
    expect(new Set(chunks[0]?.patients)).toEqual(new Set(ids))
    expect(chunks.slice(1).flatMap(({ patients }) => patients)).toEqual([])
  })

  test('by more than the patient promises nothing, and holds what any of the ids matches', async () => {
    const found = await exported(
      { patient: 'p3', practitioner: 'professional-1' },
      { served: ['east', 'west'] },
    )
    const matches = (i: number): boolean => {
      const { patient: about = null } = JSON.parse((logs[0] as SampleLog).entry(i).text).access
      return about === 'p3' || about === 'p4'
    }
    const [east] = logs
    const sample = await filteredExport([{ log: east }], (i) => east.entry(i).redacted === null && matches(i))
    expect(found.lines.filter((line) => line.includes('"log":"east"'))).toEqual(sample.lines)
    expect([found.rest.completeness, found.rest.chains]).toEqual(['none', []])
  })

  test('leaves out an id that a stranger had too', async () => {
    const shared = [...sources, ['s', 'p4', 's']]
    const { rest } = await exported({ patient: 'p9' }, { sources: shared })
    expect(rest.chains).toEqual(['p9', 'p3'])
    // Of that one, the log alone is asked.
    expect((await exported({ patient: 'p4' }, { sources: shared })).rest.chains).toEqual(['p4'])
  })

  test('is refused where there are more ids than a log signs heads for', async () => {
    const many = Array.from({ length: limits.maxPersonIds }, (_, i) => [`q${i}`, 'p9'])
    const few = await exported({ patient: 'p9' }, { sources: [['p9'], ...many.slice(1)] })
    expect([few.rest.chains.length, limits.maxPersonIds]).toEqual([
      limits.maxAttestedChains,
      limits.maxPersonIds,
    ])
    await expect(exported({ patient: 'p9' }, { sources: [['p9'], ...many] })).rejects.toThrow('too-costly')
  })
})

describe('a patient, or the guardian of one,', () => {
  test.each([
    ['patient', patient('p9')],
    ['guardian', guardian('p9')],
  ])('exports all that is about them, whatever the id: %s', async (kind, caller) => {
    const own = await exported({}, { caller })
    const sample = await sampleOf(ids)
    expect([own.rest, own.lines]).toEqual([sample.rest, sample.lines])
    expect(own.filters).toEqual({ patient: 'p9', format: 'ndjson' })
    expect((await disclose(ledger, {}, { caller, sources })).reason).toBe(kind)
  })

  test('may name themselves, by an id of today or of earlier, and narrow it', async () => {
    const caller = patient('p9')
    expect((await exported({ patient: 'p4' }, { caller })).rest.chains).toEqual([...ids])
    const denied = await exported({ outcome: 'deny' }, { caller })
    expect([denied.rest.completeness, denied.filters.patient, denied.lines]).toEqual(['none', 'p9', []])
    const read = await exported({ action: 'search' }, { caller })
    const about = new Set(read.lines.map((line) => JSON.parse(line).entry.access.patient))
    expect(about).toEqual(new Set(['p3', 'p4']))
  })

  test.each([
    [{ patient: 'p1' }, 'person-unknown'],
    [{ patient: 'nobody' }, 'person-unknown'],
    [{ organisation: 'o1' }, 'organisation'],
    [{ log: 'east' }, '"log"'],
    [{ patient: 'p9', log: ['east', 'west'] }, '"log"'],
  ])('is refused anything else: %j', async (input, why) => {
    for (const caller of [patient('p9'), guardian('p9')])
      await expect(exported(input, { caller })).rejects.toThrow(why)
  })

  test('has no export as anybody else than patient, guardian or privacy officer', async () => {
    expect(auditExport.callers).toEqual(['privacy-officer', 'patient', 'guardian'])
    const operator: Caller = { kind: 'operator', professional: 'lapointe', name: '' }
    await expect(exported({}, { caller: operator })).rejects.toThrow('operation-not-for-caller')
  })
})
