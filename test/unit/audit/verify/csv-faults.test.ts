/** Each way to change a CSV export is told by its row, and what is wrong with the proofs as theirs. */
import { describe, expect, test } from 'vitest'
import { limits } from '../../../../src/limits.ts'
import { csv, csvRows, ndjson, rangeExport, sampleLog } from './sample-files.ts'
import { expectFault, verifyText } from './support.ts'

const montreal = sampleLog('montreal', 60, true)
const file = await rangeExport([{ log: montreal }, { log: sampleLog('quebec', 10) }])
const proof = ndjson(file)
const rows = csvRows(file)
/** Of entry 17: the columns are row 1, and 3, 10 and 11 are redacted. */
const row = 16

const changed = (change: (copy: string[][]) => void): string => {
  const copy = structuredClone(rows)
  change(copy)
  return csv(copy)
}

describe('rows', () => {
  const column = (name: string): number => rows[0]?.indexOf(name) ?? -1

  test('are where this test thinks', () => {
    expect(rows[row - 1]?.slice(0, 2)).toEqual(['montreal', '17'])
  })

  test.each([
    'log',
    'index',
    'time',
    'outcome',
    'patient',
    'name',
    'resources',
    'query_sha256',
    'stale_seconds',
    'note',
    'leaf',
  ])('a changed %s is told by row and column', async (name) => {
    const text = changed((copy) => {
      ;(copy[row - 1] as string[])[column(name)] += 'x'
    })
    expectFault(await verifyText(text, { proof }), 'csv-cell', `row ${row} column ${name}`)
  })

  test.each<[string, string, string, (copy: string[][]) => void]>([
    ['a column left out', 'csv-columns', 'row 1', (copy) => copy.map((cells) => cells.splice(5, 1))],
    ['a column more', 'csv-columns', 'row 1', (copy) => copy.map((cells) => cells.push(''))],
    ['columns exchanged', 'csv-columns', 'row 1', ([columns]) => columns?.reverse()],
    ['no columns', 'csv-columns', 'row 1', (copy) => copy.shift()],
    ['a row left out', 'csv-row-missing', 'montreal/17', (copy) => copy.splice(row - 1, 1)],
    ['two rows left out', 'csv-row-missing', 'montreal/17', (copy) => copy.splice(row - 1, 2)],
    ['the last row left out', 'csv-row-missing', 'quebec/9', (copy) => copy.pop()],
    [
      'a row twice',
      'csv-row-extra',
      `row ${row + 1}`,
      (copy) => copy.splice(row, 0, copy[row - 1] as string[]),
    ],
    [
      'the last row twice',
      'csv-row-extra',
      `row ${rows.length + 1}`,
      (copy) => copy.push(copy.at(-1) as string[]),
    ],
    ['a field left out', 'csv-cell', `row ${row} column leaf`, (copy) => copy[row - 1]?.pop()],
    ['a field more', 'csv-cell', `row ${row} column leaf`, (copy) => copy[row - 1]?.push('x')],
    [
      'a blank row before another one',
      'csv-cell',
      `row ${row + 1} column reason`,
      (copy) => {
        ;(copy[row - 1] as string[])[10] = 'other'
        copy.splice(3, 0, [''])
      },
    ],
  ])('%s', async (_, code, place, change) => {
    expectFault(await verifyText(changed(change), { proof }), code, place)
  })

  test('an apostrophe that was taken away makes a formula again, and is missed', async () => {
    const text = csv(rows)
    expect(text).toContain(";'=2")
    expectFault(
      await verifyText(text.replace(";'=2", ';=2'), { proof }),
      'csv-cell',
      'row 11 column break_glass_reason',
    )
  })

  test('a quote that is never closed, and a field without end', async () => {
    const text = csv(rows)
    expectFault(await verifyText(`${text}"open`, { proof }), 'format', `row ${rows.length + 1}`)
    const endless = `${text}${'x'.repeat(3 * limits.maxVerifiedLineLength)}`
    expectFault(await verifyText(endless, { proof }), 'format', `row ${rows.length + 1}`)
  })
})

describe('proofs', () => {
  test('are judged first, and named as the file that is wrong', async () => {
    const other = proof.replace('"status":200', '"status":201')
    expectFault(await verifyText(csv(rows), { proof: other }), 'leaf', 'montreal/0', 'proof')
    expectFault(await verifyText(csv(rows), { proof: '' }), 'format', 'file', 'proof')
  })

  test('are asked for, and only where they are needed', async () => {
    expectFault(await verifyText(csv(rows)), 'format', 'file')
    expectFault(await verifyText(proof, { proof }), 'format', 'file')
  })
})
