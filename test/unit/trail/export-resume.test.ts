/** An export that broke off: what was received and what is fetched after it are the file that would have come whole. */
import { beforeAll, describe, expect, test } from 'vitest'
import type { Caller } from '../../../src/access/caller.ts'
import { limits } from '../../../src/limits.ts'
import { sealedTexts } from '../../../src/records/cursor.ts'
import { SampleLog } from '../audit/verify/sample-log.ts'
import { type Asked, chunksOf, disclose, exportedText } from './exported.ts'
import { PublishedLedger } from './published-ledger.ts'

const served = ['east', 'west', 'west-2']
/** Of one person, who was `p2` until two records were joined. */
const joined: Asked = { served, sources: [['p2', 'p1'], ['p1']] }

const patient: Caller = { kind: 'patient', person: 'p1', name: '', assurance: 'a' }

/** `east`: 20 and 290 are redacted by 300 and 430, 520 by the last; `west`: 0 to 9 went by an entry of `west-2`. */
function sampleLogs(): readonly SampleLog[] {
  const [east, west, later] = served.map((name) => new SampleLog(name)) as [SampleLog, SampleLog, SampleLog]
  for (let i = 0; i < 600; i++) {
    if (i === 300) east.redact(20)
    else if (i === 430) east.redact(290)
    else east.append({ patient: `p${i % 4}`, organisation: `o${i % 3}` })
  }
  east.redact(520)
  for (let i = 0; i < 20; i++) west.append({ patient: `p${i % 3}`, organisation: 'o1' })
  later.append({ patient: 'p1', organisation: 'o1' })
  west.prune(10, [], later)
  return [east, west, later]
}

const cursorOf = ({ headers }: Awaited<ReturnType<typeof disclose>>): string =>
  headers?.['Dossier-Export-Cursor'] ?? ''

/** `<log>/<index>` of a line that is an entry; null: it is none. */
function placeOf(line: string): string | null {
  const { entry, index, log } = JSON.parse(line) as {
    entry?: { readonly log: string; readonly index: string }
    index?: string
    log?: string
  }
  if (entry) return `${entry.log}/${entry.index}`
  return index === undefined ? null : `${log}/${index}`
}

/** The file up to and with the line at this place, and what is fetched after it. */
async function brokenAt(
  ledger: PublishedLedger,
  asked: Asked,
  { text, cursor }: { readonly text: string; readonly cursor: string },
  { end, place }: { readonly end: number; readonly place: string },
): Promise<string> {
  return text.slice(0, end) + (await exportedText(ledger, { _cursor: cursor, after: place }, asked))
}

async function whole(ledger: PublishedLedger, input: Record<string, unknown>, asked: Asked) {
  const disclosed = await disclose(ledger, input, asked)
  let text = ''
  for await (const { bytes } of chunksOf(disclosed)) text += new TextDecoder().decode(bytes)
  return { text, cursor: cursorOf(disclosed) }
}

/** Every entry of a file, and where its line ends. */
function placesIn(text: string): readonly { readonly end: number; readonly place: string }[] {
  const places: { end: number; place: string }[] = []
  let end = 0
  for (const line of text.split('\n').slice(0, -1)) {
    end += line.length + 1
    const place = line.startsWith('{"format":') ? null : placeOf(line)
    if (place !== null) places.push({ end, place })
  }
  return places
}

/** All of a short list; of a long one its ends, each block's, and some between. */
const some = <T extends { readonly place: string }>(places: readonly T[]): readonly T[] =>
  places.filter(
    ({ place }, i) =>
      places.length < 60 ||
      i < 3 ||
      i > places.length - 6 ||
      i % 61 === 0 ||
      (Number(place.split('/')[1]) + 2) % 256 < 3,
  )

let ledger: PublishedLedger

beforeAll(() => {
  ledger = new PublishedLedger()
  for (const log of sampleLogs()) ledger.publish(log)
})

describe('an export that broke off goes on after any entry that was received:', () => {
  test.each<readonly [name: string, input: Record<string, unknown>, asked: Asked, entries: number]>([
    ['all of the logs', {}, { served }, 623],
    ['a part, with redactions beyond it', { until: 'east:400', log: 'east' }, { served }, 401],
    ['the log whose pruning is elsewhere', { log: 'west' }, { served }, 21],
    ['one chain', { patient: 'p0' }, { served }, 0],
    ['two chains of one person', { patient: 'p1' }, joined, 0],
    ['the chain of an organisation', { organisation: 'o1' }, { served }, 0],
    ['what filters leave', { action: 'redaction' }, { served }, 4],
    ['what a patient has of their own', {}, { ...joined, caller: patient }, 0],
    ['filters, of one person under two ids', { patient: 'p1', outcome: 'permit' }, joined, 0],
  ])('%s', async (_, input, asked, entries) => {
    const file = await whole(ledger, input, asked)
    const places = placesIn(file.text)
    if (entries > 0) expect(places).toHaveLength(entries)
    expect(places.length).toBeGreaterThan(3)
    for (const at of some(places))
      expect([at.place, await brokenAt(ledger, asked, file, at)]).toEqual([at.place, file.text])
  })

  test('as CSV and as AuditEvents', async () => {
    const ndjson = await whole(ledger, { patient: 'p1' }, joined)
    const open = ndjson.text.split('\n').flatMap((line) => {
      const { entry } = line === '' ? {} : (JSON.parse(line) as { entry?: { log: string; index: string } })
      return entry ? [`${entry.log}/${entry.index}`] : []
    })
    const place = open[Math.floor(open.length / 2)] ?? ''
    const [log = '', index = ''] = place.split('/')
    for (const [format, isLast] of [
      ['csv', (line: string) => line.startsWith(`${log},${index},`)],
      ['fhir', (line: string) => line.includes(`"valueString":"${place}"`)],
    ] as const) {
      const file = await whole(ledger, { patient: 'p1', format }, joined)
      const lines = file.text.match(/[^\n]*\n/g) ?? []
      const kept = lines.slice(0, lines.findLastIndex(isLast) + 1).join('')
      const rest = await exportedText(ledger, { _cursor: file.cursor, after: place }, joined)
      expect(kept.length).toBeGreaterThan(0)
      expect(rest.length).toBeGreaterThan(0)
      expect(kept + rest).toBe(file.text)
    }
  })

  test('as it was when it began, whatever has been added since', async () => {
    const own = new PublishedLedger()
    const log = new SampleLog('east')
    for (let i = 0; i < 300; i++) log.append({ patient: 'p1' })
    own.publish(log)
    const file = await whole(own, {}, { served: ['east'] })
    for (let i = 0; i < 300; i++) log.append({ patient: 'p1' })
    own.publish(log)
    const at = placesIn(file.text)[255] as { end: number; place: string }
    expect(await brokenAt(own, { served: ['east'] }, file, at)).toBe(file.text)
  })
})

describe('going on', () => {
  const after = 'east/100'

  test('names each patient of the rest in the log again, and says where it goes on', async () => {
    const { cursor } = await whole(ledger, {}, { served })
    const disclosed = await disclose(ledger, { _cursor: cursor, after }, { served })
    const patients: string[] = []
    for await (const chunk of chunksOf(disclosed)) patients.push(...chunk.patients)
    expect(new Set(patients)).toEqual(new Set(['p0', 'p1', 'p2', 'p3']))
    expect(disclosed.note).toMatchObject({ after, 'log:east': '[0,601)/601' })
    expect(disclosed.note?.export).toBe(
      (await disclose(ledger, { _cursor: cursor, after }, { served })).note?.export,
    )
    expect(cursorOf(disclosed)).not.toBe('')
  })

  test.each<readonly [who: string, asked: Asked]>([
    ['another officer', { served, subject: 'somebody' }],
    ['an officer of one organisation now', { served, organisation: 'o1' }],
  ])('is refused to %s', async (_, asked) => {
    const { cursor } = await whole(ledger, {}, { served })
    await expect(disclose(ledger, { _cursor: cursor, after }, asked)).rejects.toThrow('_cursor')
  })

  test('is refused where the records of the person were parted since', async () => {
    const { cursor } = await whole(ledger, { patient: 'p1' }, joined)
    await expect(disclose(ledger, { _cursor: cursor, after }, { served, sources: [['p1']] })).rejects.toThrow(
      '_cursor',
    )
  })

  test('is refused with a cursor that is forged, of another key or of a page', async () => {
    const { cursor } = await whole(ledger, {}, { served })
    const foreign = await sealedTexts(new Uint8Array(32).fill(8)).seal('{}', '')
    for (const wrong of [
      `${cursor.slice(0, 40)}${cursor[40] === 'A' ? 'B' : 'A'}${cursor.slice(41)}`,
      foreign,
      'x',
      '',
    ])
      await expect(disclose(ledger, { _cursor: wrong, after }, { served })).rejects.toThrow('_cursor')
  })

  test.each<readonly [string, Record<string, string>]>([
    ['without a place', {}],
    ['with a place that is none', { after: 'east' }],
    ['with another filter', { after, action: 'read' }],
    ['with another format than it began with', { after, format: 'csv' }],
  ])('is refused %s', async (_, more) => {
    const { cursor } = await whole(ledger, {}, { served })
    await expect(disclose(ledger, { _cursor: cursor, ...more }, { served })).rejects.toThrow()
  })

  test('is refused after an entry of a log that the export does not have', async () => {
    const { cursor } = await whole(ledger, { log: 'east' }, { served })
    await expect(disclose(ledger, { _cursor: cursor, after: 'west-2/1' }, { served })).rejects.toThrow(
      '_cursor',
    )
  })

  test('is refused after a place without a cursor', async () => {
    await expect(disclose(ledger, { after }, { served })).rejects.toThrow()
  })

  test('is not offered for more chains than a cursor can hold', async () => {
    const many: Asked = { served, sources: [Array.from({ length: 60 }, (_, i) => `p1${'x'.repeat(90)}${i}`)] }
    const disclosed = await disclose(ledger, { patient: `p1${'x'.repeat(90)}59` }, many)
    expect(disclosed.headers).not.toHaveProperty('Dossier-Export-Cursor')
    expect(limits.maxExportCursorLength).toBeLessThan(limits.maxQueryBytes)
  })
})
