import { describe, expect, test } from 'vitest'
import { csvHeader, csvLine, ndjsonHeader, ndjsonLine } from '../../../src/trail/export-format.ts'
import { base } from '../audit/access.ts'

const bytes = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value)

function row(access: object) {
  const entry = JSON.stringify({
    access: { ...base, patient: 'p1', resources: ['Observation/a/_history/1'], part: 1, parts: 1, ...access },
    chains: { organisation: null, patient: null },
    index: '7',
    log: 'qc-test',
    time: '2026-11-22T09:06:00.123Z',
    v: 1,
  })
  return {
    kind: 'open',
    index: 7,
    entry,
    leaf: bytes(33, 255),
    salt: bytes(32, 1),
    patient: 'p1',
    proof: null,
  } as const
}

/** RFC 4180, read by another hand than the one that wrote it. */
function parseCsv(text: string): string[][] {
  const records: string[][] = []
  let record: string[] = []
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    record.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'))
    if (end === ',') continue
    records.push(record)
    record = []
  }
  return records
}

describe('an NDJSON line', () => {
  test('carries the stored text verbatim, with leaf and salt, and a proof where there is one', () => {
    const stored = { ...row({}), entry: `{"b":1, "a":2}` }
    const salt = Buffer.from(stored.salt).toString('base64url')
    const leaf = '_'.repeat(44)
    expect(ndjsonLine('qc-test', stored)).toBe(`{"entry":{"b":1, "a":2},"leaf":"${leaf}","salt":"${salt}"}\n`)
    expect(ndjsonLine('qc-test', { ...stored, proof: [bytes(32, 0), bytes(32, 255)] })).toBe(
      `{"entry":{"b":1, "a":2},"leaf":"${leaf}","proof":["${'A'.repeat(43)}","${'_'.repeat(42)}8"],"salt":"${salt}"}\n`,
    )
  })

  test('is one line, and so is the header', () => {
    const line = ndjsonLine('qc-test', row({ breakGlassReason: 'a\nb' }))
    expect(line.indexOf('\n')).toBe(line.length - 1)
    const header = ndjsonHeader({
      exportId: 'e',
      time: '2026-11-22T09:06:00.123Z',
      completeness: 'range',
      filters: {},
      chains: [],
      logs: [],
      list: 'dossier-logs/v1\n…',
    })
    expect(JSON.parse(header)).toMatchObject({ format: 'dossier-export/1', completeness: 'range' })
    expect(header.indexOf('\n')).toBe(header.length - 1)
  })
})

describe('a CSV record', () => {
  test('has a field for each column of the header', () => {
    const [header, record] = parseCsv(csvHeader() + csvLine(row({})))
    expect(record).toHaveLength(header?.length ?? 0)
    const told = Object.fromEntries((header ?? []).map((name, i) => [name, record?.[i]]))
    expect(told).toMatchObject({
      log: 'qc-test',
      index: '7',
      patient: 'p1',
      outcome: 'permit',
      status: '200',
      detail: '',
    })
  })

  test.each(['=cmd|x', '+1', '-1', '@sum', '\tx', '\rx'])('makes %j text for a spreadsheet', (name) => {
    const [header, record] = parseCsv(csvHeader() + csvLine(row({ who: { ...base.who, name } })))
    expect(record?.[header?.indexOf('name') ?? -1]).toBe(`'${name}`)
  })

  test.each([
    ['x;=cmd', "x;'=cmd"],
    ['x\n@sum', "x\n'@sum"],
    ['x;y-z', 'x;y-z'],
  ])('makes what a spreadsheet would split off %j text too, and quotes it', (name, told) => {
    const text = csvLine(row({ who: { ...base.who, name } }))
    expect(text).toContain(`"${told}"`)
  })

  test('keeps quotes, commas, line ends and accents of a field', () => {
    const name = 'O"Brien, Zoé\r\nMD'
    const [header, record] = parseCsv(csvHeader() + csvLine(row({ who: { ...base.who, name } })))
    expect(record?.[header?.indexOf('name') ?? -1]).toBe(name)
  })
})
