import type { DatabaseSync } from 'node:sqlite'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Caller } from '../../../src/access/caller.ts'
import { leafOf } from '../../../src/audit/commitment.ts'
import { Drain } from '../../../src/audit/drain.ts'
import { Sequencer } from '../../../src/audit/sequencer.ts'
import type { Disclosure } from '../../../src/disclosure/operation.ts'
import { limits } from '../../../src/limits.ts'
import type { Reader, Rows, SqlValue, Statement } from '../../../src/store/ports.ts'
import { auditExport } from '../../../src/trail/export.ts'
import { firstAtStatement, logsStatement, pageStatement } from '../../../src/trail/ledger-sql.ts'
import { appendOf, ledgerOf, openLedger, SqliteLogStore } from '../audit/support.ts'

let ledger: DatabaseSync
let now: number

const reader = (): Reader => ({
  read: async (statements) =>
    statements.map(({ sql, args }) => ledger.prepare(sql).all(...((args ?? []) as SqlValue[])) as Rows),
})

/** Appends one entry per patient to `log`, a second apart, and drains them. */
async function fill(log: string, patients: readonly (string | null)[]): Promise<void> {
  const sequencer = new Sequencer({ log, store: new SqliteLogStore(), now: () => now })
  const drain = new Drain({ source: sequencer, ledger: ledgerOf(ledger), now: () => now })
  for (const [i, patient] of patients.entries()) {
    now += 1_000
    await sequencer.append(appendOf([patient], `organisation-${i % 2}`))
  }
  expect(await drain.waitFor(patients.length, 5_000)).toBe(true)
}

type Exported = {
  readonly header: Record<string, unknown>
  readonly lines: Line[]
  readonly chunks: string[][]
}
type Line = {
  readonly entry: {
    readonly log: string
    readonly index: string
    readonly access: { patient: string | null }
  }
}

/** Null: of the whole record. */
const officerOf = (organisation: string | null): Caller => ({
  kind: 'privacy-officer',
  professional: 'bouchard',
  name: 'Bouchard',
  organisation,
})

async function disclose(
  input: Record<string, unknown>,
  drained = new Map<string, string>(),
  organisation: string | null = null,
): Promise<Disclosure> {
  const ctx = {
    query: auditExport.query.parse(input),
    now,
    ledger: reader(),
    logs: ['qc-east'],
    load: async () => ({ ok: true, value: { caller: officerOf(organisation) } }),
    drainedLog: async (log: string) =>
      drained.has(log)
        ? { ok: true, value: { size: drained.get(log) } }
        : { ok: false, error: { reason: 'log-unavailable', detail: 'away' } },
  } as unknown as Parameters<typeof auditExport.handle>[0]
  const result = await auditExport.handle(ctx)
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}

async function exported(
  input: Record<string, unknown>,
  drained?: Map<string, string>,
  organisation?: string,
): Promise<Exported> {
  const { body } = await disclose(input, drained, organisation)
  if (typeof body === 'string') throw new Error('an export streams')
  const chunks: string[][] = []
  let text = ''
  for await (const { patients, bytes } of body.chunks) {
    chunks.push([...patients])
    text += new TextDecoder().decode(bytes)
  }
  const [header, ...lines] = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  return { header, lines, chunks }
}

const indices = ({ lines }: Exported): string[] => lines.map(({ entry }) => `${entry.log}/${entry.index}`)
const sizes = (east: number, west: number): Map<string, string> =>
  new Map([
    ['qc-east', String(east)],
    ['qc-west', String(west)],
  ])

beforeEach(() => {
  ledger = openLedger()
  now = Date.parse('2026-11-22T09:00:00.000Z')
})

describe('an export', () => {
  test('without filters holds every entry of every log, each opening its leaf', async () => {
    await fill('qc-east', ['p1', 'p2', null])
    await fill('qc-west', ['p1'])
    const all = await exported({}, sizes(3, 1))
    expect(indices(all)).toEqual(['qc-east/0', 'qc-east/1', 'qc-east/2', 'qc-west/0'])
    expect(all.header).toMatchObject({
      completeness: 'range',
      logs: [
        { log: 'qc-east', size: '3', first: '0', end: '3', current: true },
        { log: 'qc-west', size: '1', first: '0', end: '1', current: true },
      ],
    })
    const { body } = await disclose({ log: 'qc-west' }, sizes(3, 1))
    if (typeof body === 'string') throw new Error('an export streams')
    for await (const { bytes } of body.chunks) {
      const line = new TextDecoder().decode(bytes)
      const [, entry, leaf, salt] =
        line.match(/^\{"entry":(.+),"leaf":"([\w-]+)","salt":"([\w-]+)"\}\n$/) ?? []
      if (entry === undefined) continue
      expect(Buffer.from(leafOf(Buffer.from(salt ?? '', 'base64url'), entry)).toString('base64url')).toBe(
        leaf,
      )
    }
    expect.assertions(5)
  })

  test('by the officer of one organisation holds what its own professionals did, and no other can be asked for', async () => {
    await fill('qc-east', ['p1', 'p2', null])
    const own = await exported({}, sizes(3, 0), 'organisation-1')
    expect(own.lines).toHaveLength(3)
    expect(own.header).toMatchObject({ completeness: 'none', filters: { organisation: 'organisation-1' } })
    expect((await exported({}, sizes(3, 0), 'organisation-2')).lines).toEqual([])
    await expect(exported({ organisation: 'organisation-0' }, sizes(3, 0), 'organisation-1')).rejects.toThrow(
      'not-own-organisation',
    )
  })

  test('stops at the size fixed when it began', async () => {
    await fill('qc-east', ['p1', 'p2', 'p3'])
    expect(indices(await exported({}, sizes(2, 0)))).toEqual(['qc-east/0', 'qc-east/1'])
  })

  test('of a period is a range of indices: from is in it, to is not', async () => {
    await fill('qc-east', ['p1', 'p2', 'p3', 'p4'])
    const part = await exported(
      { from: '2026-11-22T04:00:02-05:00', to: '2026-11-22T09:00:04Z', log: 'qc-east' },
      sizes(4, 0),
    )
    expect(indices(part)).toEqual(['qc-east/1', 'qc-east/2'])
    expect(part.header).toMatchObject({ completeness: 'range', logs: [{ first: '1', end: '3', size: '4' }] })
    expect(indices(await exported({ from: '2027-01-01T00:00:00Z' }, sizes(4, 0)))).toEqual([])
  })

  test.each([
    [{ patient: 'p1' }, ['qc-east/0', 'qc-east/2']],
    [{ practitioner: 'professional-1', patient: 'p2' }, ['qc-east/1']],
    [{ organisation: 'organisation-1' }, ['qc-east/0', 'qc-east/1', 'qc-east/2']],
    [{ action: 'search' }, ['qc-east/0', 'qc-east/1', 'qc-east/2']],
    [{ action: 'read' }, []],
    [{ outcome: 'permit' }, ['qc-east/0', 'qc-east/1', 'qc-east/2']],
    [{ outcome: 'deny' }, []],
  ])('with %j holds what matches, and claims no completeness', async (filter, expected) => {
    await fill('qc-east', ['p1', 'p2', 'p1'])
    const part = await exported(filter, sizes(3, 0))
    expect(indices(part)).toEqual(expected)
    expect(part.header).toMatchObject({ completeness: 'none', filters: filter })
  })

  test('names each patient once, before or with the bytes that first name them, never too many at once', async () => {
    const patients = Array.from({ length: 600 }, (_, i) => `p${i % 520}`)
    await fill('qc-east', patients)
    const { body } = await disclose({}, sizes(600, 0))
    if (typeof body === 'string') throw new Error('an export streams')
    const named = new Set<string>()
    for await (const chunk of body.chunks) {
      expect(chunk.patients.length).toBeLessThanOrEqual(limits.maxAppendEntries)
      for (const patient of chunk.patients) {
        expect(named.has(patient)).toBe(false)
        named.add(patient)
      }
      for (const [, patient] of new TextDecoder().decode(chunk.bytes).matchAll(/"patient":"(p\d+)"/g))
        expect(named.has(patient ?? '')).toBe(true)
    }
    expect(named.size).toBe(520)
  })

  test('goes on over many pages without losing or repeating an entry', async () => {
    const sequencer = new Sequencer({ log: 'qc-east', store: new SqliteLogStore(), now: () => now })
    const drain = new Drain({ source: sequencer, ledger: ledgerOf(ledger), now: () => now })
    const count = 2 * limits.exportPageRows + 10
    await Promise.all(Array.from({ length: count }, (_, i) => sequencer.append(appendOf([`p${i % 5}`]))))
    expect(await drain.waitFor(count, 10_000)).toBe(true)
    const all = await exported({}, sizes(count, 0))
    expect(indices(all)).toEqual(Array.from({ length: count }, (_, i) => `qc-east/${i}`))
  })

  test('covers a log out of reach as far as the ledger goes, and says so', async () => {
    await fill('edge-1', ['p1'])
    const all = await exported({}, sizes(0, 0))
    expect(indices(all)).toEqual(['edge-1/0'])
    expect(all.header.logs).toEqual(
      expect.arrayContaining([expect.objectContaining({ log: 'edge-1', current: false })]),
    )
  })

  test('is refused when a log served here does not answer, or a named log is unknown', async () => {
    await fill('qc-east', ['p1'])
    await expect(disclose({})).rejects.toThrow('log-unavailable')
    await expect(disclose({ log: 'nowhere' }, sizes(1, 0))).rejects.toThrow('not-found')
  })

  test('is named in its own entry: filters, period and sizes', async () => {
    await fill('qc-east', ['p1', 'p2'])
    const { note, disclosed } = await disclose({ patient: 'p1' }, sizes(2, 0))
    expect(note).toMatchObject({ patient: 'p1', format: 'ndjson', 'log:qc-east': '[0,2)/2' })
    expect(disclosed).toEqual([])
  })

  test.each([
    { unknown: 'x' },
    { from: 'yesterday' },
    { from: '2026-11-22' },
    { outcome: 'maybe' },
    { log: '../x' },
    { format: 'xml' },
  ])('is not begun with %j', (input) => {
    expect(auditExport.query.safeParse(input).success).toBe(false)
  })
})

describe('reading the ledger', () => {
  const plan = ({ sql, args }: Statement): string =>
    ledger
      .prepare(`explain query plan ${sql}`)
      .all(...((args ?? []) as SqlValue[]))
      .map((row) => String(row.detail))
      .join('\n')

  test.each([
    [{}, 'PRIMARY KEY (log=? AND idx>? AND idx<?)'],
    [{ patient: 'p' }, 'ledger_body_patient (patient=? AND log=? AND idx>? AND idx<?)'],
    [
      { practitioner: 'p', action: 'read' },
      'ledger_body_practitioner (practitioner=? AND log=? AND idx>? AND idx<?)',
    ],
    [{ organisation: 'o' }, 'ledger_body_organisation (organisation=? AND log=? AND idx>? AND idx<?)'],
    [{ action: 'read', outcome: 'permit' }, 'ledger_body_action (action=? AND log=? AND idx>? AND idx<?)'],
    [{ outcome: 'deny' }, 'ledger_body_refused (outcome=? AND log=? AND idx>? AND idx<?)'],
  ])('with %j takes one index range, in order', (filter, range) => {
    const told = plan(pageStatement('qc-east', 5, 9, filter))
    expect(told).toContain(range)
    expect(told).not.toMatch(/SCAN ledger|USE TEMP B-TREE/)
  })

  test('finds the logs and a period without a walk through the entries', () => {
    expect(plan(logsStatement)).not.toMatch(/SCAN ledger|TEMP B-TREE/)
    expect(plan(firstAtStatement('qc-east', '2026'))).toContain('ledger_body_time (log=? AND time>?)')
  })
})

test.each([
  [{ to: '9999-12-31T23:59:59-05:00' }],
  [{ from: '9999-12-31T23:59:59-05:00' }],
  [{ from: '2026-02-01T00:00:00Z', to: '2026-01-01T00:00:00Z' }],
])('a period that would lie about itself is refused: %j', (period) => {
  expect(auditExport.query.safeParse(period).success).toBe(false)
})
