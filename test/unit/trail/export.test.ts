import { beforeEach, describe, expect, test } from 'vitest'
import type { Disclosure } from '../../../src/disclosure/operation.ts'
import { limits } from '../../../src/limits.ts'
import { auditExport } from '../../../src/trail/export.ts'
import {
  chainExport,
  filteredExport,
  policyText,
  rangeExport,
  type SampleExport,
  type SampleHeader,
  sampleLog,
} from '../audit/verify/sample-files.ts'
import { SampleLog } from '../audit/verify/sample-log.ts'
import { type Asked, chunksOf, disclose as discloseFrom, exportedText } from './exported.ts'
import { PublishedLedger } from './published-ledger.ts'

let ledger: PublishedLedger

const disclose = (input: Record<string, unknown>, asked: Asked = {}): Promise<Disclosure> =>
  discloseFrom(ledger, input, asked)

interface Exported extends SampleExport {
  readonly chunks: readonly { readonly patients: readonly string[]; readonly text: string }[]
}

async function exported(input: Record<string, unknown>, asked: Asked = {}): Promise<Exported> {
  const chunks: { patients: readonly string[]; text: string }[] = []
  for await (const { patients, bytes } of chunksOf(await disclose(input, asked)))
    chunks.push({ patients, text: new TextDecoder().decode(bytes) })
  const [header = '', ...lines] = chunks
    .map(({ text }) => text)
    .join('')
    .trimEnd()
    .split('\n')
  return { header: JSON.parse(header) as SampleHeader, lines, chunks }
}

/** The header without what differs from export to export. */
const comparable = ({ header: { exportId: _, time: __, filters: ___, ...header } }: SampleExport) => header

/** Indices of the lines of kinds that have one. */
const indices = ({ lines }: SampleExport): string[] =>
  lines.flatMap((line) => {
    const { entry, index, log } = JSON.parse(line)
    return entry ? [`${entry.log}/${entry.index}`] : index ? [`${log}/${index}`] : []
  })

const publish = (...logs: readonly SampleLog[]): void => {
  for (const log of logs) ledger.publish(log)
}

beforeEach(() => {
  ledger = new PublishedLedger()
})

describe('an export without filters', () => {
  test('holds every index of every log, blocks, and what is needed to know the root', async () => {
    const [east, west] = [sampleLog('east', 600), sampleLog('west', 3)]
    publish(east, west)
    const all = await exported({})
    const sample = await rangeExport([{ log: east }, { log: west }])
    expect(comparable(all)).toEqual(comparable(sample))
    expect(all.lines).toEqual(sample.lines)
    expect(all.header.filters).toEqual({ format: 'ndjson' })
  })

  test('tells what was redacted and by which entry, and proves one that is past the part', async () => {
    const log = sampleLog('east', 700, true)
    publish(log)
    const whole = await exported({}, { served: ['east'] })
    expect(whole.lines).toEqual((await rangeExport([{ log }])).lines)
    const end = 300
    const part = await exported({ until: `east:${end}` }, { served: ['east'] })
    const sample = await rangeExport([{ log, end }])
    expect(part.lines).toEqual(sample.lines)
    expect(comparable(part)).toEqual(comparable(sample))
    expect(JSON.parse(part.lines.at(-1) as string).entry.index).toBe(String(log.size - 1))
  })

  test('of several pages has each index once, and of no page all at once', async () => {
    const log = sampleLog('east', 2 * limits.exportPageRows + 10)
    publish(log)
    const all = await exported({}, { served: ['east'] })
    expect(all.lines).toEqual((await rangeExport([{ log }])).lines)
    expect(all.chunks.length).toBeGreaterThan(3)
  })

  test('of a period is a range of indices: from is in it, to is not', async () => {
    const log = sampleLog('east', 520)
    publish(log)
    const timeOf = (index: number): string => JSON.parse(log.entry(index).text).time
    const isStart = (index: number): boolean => timeOf(index - 1) < timeOf(index)
    const [first = 0, end = 0] = [7, 515].map((index) => (isStart(index) ? index : index + 1))
    const part = await exported({ from: timeOf(first), to: timeOf(end) }, { served: ['east'] })
    const sample = await rangeExport([{ log, first, end }])
    expect(part.lines).toEqual(sample.lines)
    expect(comparable(part)).toEqual(comparable(sample))
    const later = await exported({ from: '2027-01-01T00:00:00Z' }, { served: ['east'] })
    expect([later.lines, later.header.logs[0]?.first]).toEqual([[], '520'])
  })

  test('of a period searches redacted entries at its ends, whose time nobody knows', async () => {
    const log = new SampleLog('east')
    for (let i = 0; i < 10; i++) log.append({ patient: 'p' })
    log.redact(4)
    publish(log)
    const timeOf = (index: number): string => JSON.parse(log.entry(index).text).time
    const part = await exported({ from: timeOf(5), to: timeOf(7) }, { served: ['east'] })
    expect(indices(part)).toEqual(['east/4', 'east/5', 'east/6', 'east/10'])
  })

  test('of a log nobody has written to says that it is empty', async () => {
    const [east, west] = [sampleLog('east', 3), new SampleLog('west')]
    publish(east, west)
    const all = await exported({})
    expect(comparable(all)).toEqual(
      comparable(await rangeExport([{ log: east }, { log: west, checkpointSize: 0 }])),
    )
  })

  test('leaves out what is neither open nor redacted, so that whoever verifies the file finds the gap', async () => {
    const log = sampleLog('east', 5)
    publish(log)
    ledger.database.exec('drop trigger ledger_body_kept; delete from ledger_body where idx = 3')
    expect(indices(await exported({}, { served: ['east'] }))).toEqual([
      'east/0',
      'east/1',
      'east/2',
      'east/4',
    ])
  })

  test('breaks off when an entry is redacted while it is being read, past what its checkpoint covers', async () => {
    const log = sampleLog('east', 5)
    ledger.publish(log)
    const begun = await disclose({}, { served: ['east'] })
    log.redact(3)
    ledger.publish(log)
    const read = async () => {
      for await (const _ of chunksOf(begun));
    }
    await expect(read()).rejects.toThrow('redacted while')
  })
})

describe('an export of one chain', () => {
  test.each([
    ['patient', 'p3'],
    ['patient', 'p4'],
    ['patient', 'p5'],
    ['organisation', 'o0'],
    ['organisation', 'o1'],
  ] as const)(
    'by %s %s holds the chain in every log, redacted members too, with heads',
    async (kind, key) => {
      const [east, west] = [sampleLog('east', 400, true), sampleLog('west', 30)]
      publish(east, west)
      const chain = await exported({ [kind]: key })
      const sample = await chainExport(kind, key, [{ log: east }, { log: west }])
      expect(comparable(chain)).toEqual(comparable(sample))
      expect(chain.lines).toEqual(sample.lines)
      expect(chain.header.filters).toMatchObject({ [kind]: key })
    },
  )

  test('follows it through redactions in a row, at both ends, and of all of it', async () => {
    const log = new SampleLog('east')
    for (let i = 0; i < 12; i++) log.append({ patient: i % 2 ? 'p' : 'q', organisation: 'o' })
    for (const index of [0, 1, 3, 5, 11]) log.redact(index, { organisation: 'o' })
    log.append({ patient: 'p', organisation: 'o' })
    for (const index of [2, 4, 6, 8, 10]) log.redact(index)
    publish(log)
    for (const [kind, key] of [
      ['patient', 'p'],
      ['patient', 'q'],
      ['organisation', 'o'],
    ] as const) {
      const chain = await exported({ [kind]: key }, { served: ['east'] })
      const sample = await chainExport(kind, key, [{ log }])
      expect(chain.lines).toEqual(sample.lines)
      expect(chain.header.completeness).toBe(`${kind}-chain`)
    }
  })

  test('names the redaction that was permitted, not one that was refused before, nor how it ended', async () => {
    const log = new SampleLog('east')
    for (let i = 0; i < 4; i++) log.append({ patient: 'p' })
    const note = { redacts: '2', 'redacts-organisation': '-', 'redacts-patient': '3@1' }
    const denied = { outcome: 'deny', reason: 'four-eyes', detail: null } as const
    log.append({ more: { action: 'redaction', phase: 'intent', note, decision: denied } })
    log.append({ more: { action: 'redaction', phase: 'outcome', note } })
    log.redact(2)
    publish(log)
    for (const input of [{}, { patient: 'p' }]) {
      const { lines } = await exported(input, { served: ['east'] })
      expect(lines.flatMap((line) => JSON.parse(line).redacted ?? [])).toEqual(['6'])
    }
  })

  test('without an entry is proved by its heads', async () => {
    const log = sampleLog('east', 20)
    publish(log)
    const none = await exported({ patient: 'nobody' }, { served: ['east'] })
    expect(comparable(none)).toEqual(comparable(await chainExport('patient', 'nobody', [{ log }])))
    expect([none.lines, none.chunks.flatMap(({ patients }) => patients)]).toEqual([[], []])
  })

  test('names its patient in the log before the heads that tell of entries leave', async () => {
    publish(sampleLog('east', 20))
    const { chunks } = await exported({ patient: 'p1' }, { served: ['east'] })
    expect(chunks.map(({ patients }) => patients)).toEqual([['p1'], []])
  })

  test('by the officer of one organisation is that of the organisation, and no other can be asked for', async () => {
    const log = sampleLog('east', 400, true)
    publish(log)
    const own = await exported({}, { organisation: 'o2', served: ['east'] })
    const sample = await chainExport('organisation', 'o2', [{ log }])
    expect(comparable(own)).toEqual(comparable(sample))
    expect(own.lines).toEqual(sample.lines)
    await expect(exported({ organisation: 'o0' }, { organisation: 'o1' })).rejects.toThrow(
      'not-own-organisation',
    )
  })

  test.each([
    { patient: 'p1', log: 'east' },
    { patient: 'p1', from: '2026-01-01T00:00:00Z' },
    { patient: 'p1', until: 'east:20' },
    { patient: 'p1', organisation: 'o1' },
    { patient: 'p1', action: 'search' },
  ])('with more asked for promises nothing: %j', async (input) => {
    const log = sampleLog('east', 20)
    publish(log)
    const { header, lines } = await exported(input, { served: ['east'] })
    expect([header.completeness, header.chains, header.logs[0]?.heads]).toEqual(['none', [], []])
    for (const line of lines) expect(JSON.parse(line).proof).toBeInstanceOf(Array)
  })

  test('does not call complete what a log did not attest', async () => {
    publish(sampleLog('east', 20), sampleLog('west', 20))
    ledger.silent.add('west')
    const { header, lines } = await exported({ patient: 'p1' })
    expect(header.completeness).toBe('none')
    expect(header.logs.map(({ current, heads }) => [current, heads])).toEqual([
      [true, []],
      [false, []],
    ])
    expect(lines.length).toBeGreaterThan(2)
  })
})

describe('an export by other filters', () => {
  test('proves each entry by itself, a page of them with one read of tiles', async () => {
    const log = sampleLog('east', 700)
    publish(log)
    const found = await exported({ action: 'search' }, { served: ['east'] })
    const sample = await filteredExport([{ log }], () => true)
    expect(comparable(found)).toEqual(comparable(sample))
    expect(found.lines).toEqual(sample.lines)
    const tileReads = ledger.asked.filter(({ sql }) => sql.includes('cross join tile'))
    expect(tileReads).toHaveLength(Math.ceil(700 / limits.exportProofRows))
  })

  test.each([
    [{ practitioner: 'professional-1', patient: 'p2' }, (i: number) => i % 6 === 2 && i % 7 !== 6],
    [{ outcome: 'permit' }, () => true],
    [{ outcome: 'deny' }, () => false],
    [{ action: 'read' }, () => false],
    [{ facility: 'facility-1' }, () => true],
    [{ facility: 'nowhere' }, () => false],
    [{ reason: 'shared' }, () => true],
    [{ reason: 'four-eyes' }, () => false],
    [{ 'break-glass': 'true' }, (i: number) => i % 13 === 12],
    [{ 'break-glass': 'true', reason: 'four-eyes' }, () => false],
  ])('with %j holds what matches, and nothing else', async (filter, matches) => {
    const log = sampleLog('east', 40)
    publish(log)
    const found = await exported(filter, { served: ['east'] })
    expect(found.lines).toEqual((await filteredExport([{ log }], matches)).lines)
    expect(found.header).toMatchObject({ completeness: 'none', filters: filter })
  })
})

describe('the checkpoint of an export', () => {
  test('covers the size at which it began, which it may pass', async () => {
    const log = sampleLog('east', 300)
    publish(log)
    const { auditLogs } = ledger
    const attest = auditLogs.attest
    Object.assign(auditLogs, {
      attest: async (...request: Parameters<typeof attest>) => {
        const answer = await attest(...request)
        return answer.ok ? { ok: true, value: { ...answer.value, size: '290' } } : answer
      },
    })
    const all = await exported({}, { served: ['east'] })
    const sample = await rangeExport([{ log, size: 290 }])
    expect(all.lines).toEqual(sample.lines)
    expect(comparable(all).logs).toEqual(comparable(sample).logs)
  })

  test('is the newest that enough witnesses cosigned, if one of the last does', async () => {
    const log = sampleLog('east', 30)
    ledger.publish(log, [24])
    ledger.publish(log, [26], log.witnesses.slice(0, 1))
    ledger.publish(log, [28], [])
    ledger.silent.add('east')
    const sizeWith = async (policy: string | undefined): Promise<string | undefined> => {
      const { header } = await exported({}, { served: ['east'], ...(policy === undefined ? {} : { policy }) })
      return header.logs[0]?.checkpoint?.split('\n')[1]
    }
    ledger.silent.clear()
    Object.assign(ledger.auditLogs, {
      attest: async () => ({
        ok: true,
        value: { log: 'east', size: '20', heads: [], list: log.list([log]) },
      }),
    })
    expect(await sizeWith(undefined)).toBe('28')
    expect(await sizeWith(policyText([log], 2))).toBe('24')
    expect(await sizeWith(policyText([log], 1))).toBe('26')
    ledger.database.exec('drop trigger cosignature_kept')
    ledger.database.exec('delete from cosignature')
    expect(await sizeWith(policyText([log], 1))).toBe('28')
  })

  test('of a log that does not publish in time covers less, and the export goes no further and says so', async () => {
    const log = sampleLog('east', 30)
    ledger.publish(log, [21])
    const all = await exported({}, { served: ['east'] })
    const sample = await rangeExport([{ log, size: 21, checkpointSize: 21 }])
    expect(all.lines).toEqual(sample.lines)
    expect(all.header.logs).toEqual([{ ...sample.header.logs[0], current: false }])
    expect(all.header.list).toContain('size 30')
    expect((await exported({ patient: 'p1' }, { served: ['east'] })).header.completeness).toBe('none')
  })

  test('of a log out of reach is its newest, and without any answer there is no list', async () => {
    const log = sampleLog('edge', 30)
    publish(log)
    ledger.silent.add('edge')
    const { header, lines } = await exported({}, { served: [] })
    expect(header.list).toBeNull()
    expect(header.logs).toMatchObject([{ log: 'edge', size: '30', current: false }])
    expect(lines).toHaveLength(30)
  })

  test('is shown to continue one that the requester names', async () => {
    const log = sampleLog('east', 600)
    publish(log)
    const { header } = await exported({ known: 'east:271' }, { served: ['east'] })
    expect(header.logs[0]?.known).toEqual((await rangeExport([{ log, known: 271 }])).header.logs[0]?.known)
    expect(header.filters).toEqual({ format: 'ndjson' })
    for (const known of ['east:601', 'east:0'])
      expect((await exported({ known }, { served: ['east'] })).header.logs[0]?.known).toBeNull()
    await expect(exported({ known: 'west:5' }, { served: ['east'] })).rejects.toThrow('invalid')
  })
})

describe('an export up to given sizes', () => {
  test('is a second one of the same part, whatever came since', async () => {
    const log = sampleLog('east', 300)
    ledger.publish(log)
    const first = await exported({}, { served: ['east'] })
    log.append({ patient: 'p9' })
    ledger.publish(log)
    const second = await exported({ until: 'east:300' }, { served: ['east'] })
    expect(second.lines).toEqual(first.lines)
    expect(second.header.logs).toMatchObject([{ size: '301', end: '300' }])
    await expect(exported({ until: 'east:302' }, { served: ['east'] })).rejects.toThrow('invalid')
  })
})

describe('an export', () => {
  test('as CSV has one record for each open entry, in order', async () => {
    publish(sampleLog('east', 30, true))
    const { contentType } = await disclose({ format: 'csv' }, { served: ['east'] })
    const text = await exportedText(ledger, { format: 'csv' }, { served: ['east'] })
    const opened = (await exported({}, { served: ['east'] })).lines.filter((line) =>
      line.startsWith('{"entry"'),
    )
    expect(contentType).toContain('text/csv')
    expect(text.match(/^east,\d+/gm)).toEqual(opened.map((line) => `east,${JSON.parse(line).entry.index}`))
  })

  test('as FHIR has the events of each open entry, in order, and says what it is', async () => {
    publish(sampleLog('east', 30, true))
    const { contentType, headers } = await disclose({ format: 'fhir' }, { served: ['east'] })
    const text = await exportedText(ledger, { format: 'fhir' }, { served: ['east'] })
    const opened = (await exported({}, { served: ['east'] })).lines
      .filter((line) => line.startsWith('{"entry"'))
      .map((line) => `east/${JSON.parse(line).entry.index}`)
    expect(contentType).toBe('application/fhir+ndjson')
    expect(headers?.['Content-Disposition']).toMatch(/\.fhir\.ndjson"$/)
    const events = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(new Set(events.map(({ resourceType }) => resourceType))).toEqual(new Set(['AuditEvent']))
    expect([...new Set(events.map(({ extension }) => extension[0].valueString))]).toEqual(opened)
  })

  test('names each patient once, before or with the bytes that first name them, never too many at once', async () => {
    const log = new SampleLog('east')
    for (let i = 0; i < 600; i++) log.append({ patient: `p${i % 520}` })
    publish(log)
    const { chunks } = await exported({}, { served: ['east'] })
    const named = new Set<string>()
    for (const { patients, text } of chunks) {
      expect(patients.length).toBeLessThanOrEqual(limits.maxAppendEntries)
      for (const patient of patients) {
        expect(named.has(patient)).toBe(false)
        named.add(patient)
      }
      for (const [, patient] of text.matchAll(/"patient":"(p\d+)"/g)) expect(named).toContain(patient)
    }
    expect(named.size).toBe(520)
  })

  test('of an unknown log, of too many, or of one that never said who it is, is refused', async () => {
    publish(sampleLog('east', 3))
    await expect(disclose({ log: 'nowhere' })).rejects.toThrow('not-found')
    await expect(disclose({})).rejects.toThrow('store-unavailable')
    const logs = Array.from({ length: limits.maxExportLogs + 1 }, (_, i) => `log-${i}`)
    await expect(disclose({}, { served: logs })).rejects.toThrow('too-costly')
  })

  test('is named in its own entry: filters, period and sizes', async () => {
    publish(sampleLog('east', 20))
    const { note, disclosed } = await disclose({ patient: 'p1' }, { served: ['east'] })
    expect(note).toMatchObject({ patient: 'p1', format: 'ndjson', 'log:east': '[0,20)/20' })
    expect(disclosed).toEqual([])
    const asked = { facility: 'f', reason: 'shared', 'break-glass': 'true', practitioner: 'd' }
    expect((await disclose(asked, { served: ['east'] })).note).toMatchObject(asked)
  })

  test.each([
    { unknown: 'x' },
    { from: 'yesterday' },
    { from: '2026-11-22' },
    { outcome: 'maybe' },
    { 'break-glass': 'false' },
    { log: '../x' },
    { format: 'xml' },
    { until: 'east' },
    { until: 'east:01' },
    { known: ['east:1', 'East:2'] },
    { to: '9999-12-31T23:59:59-05:00' },
    { from: '9999-12-31T23:59:59-05:00' },
    { from: '2026-02-01T00:00:00Z', to: '2026-01-01T00:00:00Z' },
  ])('is not begun with %j', (input) => {
    expect(auditExport.query.safeParse(input).success).toBe(false)
  })

  test('takes index ranges: nothing is scanned or sorted that grows with the log', async () => {
    const log = sampleLog('east', 700, true)
    publish(log, sampleLog('west', 3))
    const period = { from: '2026-11-22T09:00:01Z', to: '2026-11-22T09:00:20Z' }
    for (const input of [
      {},
      { until: 'east:300', ...period },
      { patient: 'p4' },
      { organisation: 'o1' },
      { practitioner: 'professional-1', action: 'read' },
      { action: 'search', outcome: 'permit' },
      { outcome: 'deny' },
      { facility: 'f' },
      { reason: 'shared-domain', outcome: 'permit' },
      { 'break-glass': 'true', organisation: 'o1' },
    ])
      await exported(input)
    const plans = ledger.plans().map((plan) => plan.join('\n'))
    expect(plans.length).toBeGreaterThan(10)
    for (const plan of plans) {
      expect(plan).not.toMatch(/SCAN (?!logs|log\b|wanted|member|page|c\b|\(subquery)/)
      expect(plan).not.toMatch(/AUTOMATIC/)
    }
  })
})
