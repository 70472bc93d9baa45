/** A CSV export edited, in a spreadsheet or by hand. */
import { csv, csvRows, ndjson } from '../verify/sample-files.ts'
import { type Case, type Expected, textCase } from './changes.ts'
import { filtered, piece } from './samples.ts'

const rows = csvRows(piece)
const text = csv(rows)

/** Rows are numbered from 1, the columns are the first: `row(7)` is of the entry `5 + 7 - 2`, with 10 and 11 redacted. */
const rowsCase = (name: string, expected: Expected, change: (rows: string[][]) => void): Case => {
  const changed = structuredClone(rows)
  change(changed)
  return textCase('CSV', name, expected, csv(changed))
}

const column = (name: string): number => (rows[0] as string[]).indexOf(name)

/** Every column of one record, edited alone. */
const cells: readonly Case[] = (rows[0] as string[]).map((name, at) =>
  rowsCase(`CSV cell edited: ${name}`, ['csv-cell', `row 20 column ${name}`], (changed) => {
    const row = changed[19] as string[]
    row[at] = `${row[at]}1`
  }),
)

export const csvCases: readonly Case[] = [
  ...cells,
  rowsCase('CSV cell emptied', ['csv-cell', 'row 20 column patient'], (changed) => {
    const row = changed[19] as string[]
    row[column('patient')] = ''
  }),
  rowsCase(
    'apostrophe before a formula taken out',
    ['csv-cell', 'row 7 column break_glass_reason'],
    (changed) => {
      const row = changed[6] as string[]
      row[column('break_glass_reason')] = (row[column('break_glass_reason')] as string).replace("'=", '=')
    },
  ),
  rowsCase('row removed', ['csv-row-missing', 'montreal/25'], (changed) => changed.splice(19, 1)),
  rowsCase('first row removed', ['csv-row-missing', 'montreal/5'], (changed) => changed.splice(1, 1)),
  rowsCase('last row removed', ['csv-row-missing', 'montreal/302'], (changed) => changed.pop()),
  rowsCase('all rows removed', ['csv-row-missing', 'montreal/5'], (changed) => changed.splice(1)),
  rowsCase('row added at the end', ['csv-row-extra', `row ${rows.length + 1}`], (changed) =>
    changed.push(changed[1] as string[]),
  ),
  rowsCase('row duplicated', ['csv-row-extra', 'row 21'], (changed) =>
    changed.splice(20, 0, changed[19] as string[]),
  ),
  rowsCase('row of another file put in', ['csv-row-extra', 'row 20'], (changed) =>
    changed.splice(19, 0, csvRows(filtered)[1] as string[]),
  ),
  rowsCase('rows sorted by another column', ['csv-row-missing', 'montreal/5'], (changed) => {
    const [first, ...others] = changed as [string[], ...string[][]]
    changed.splice(0, changed.length, first, ...others.reverse())
  }),
  rowsCase('columns put in as a row again', ['csv-row-extra', 'row 20'], (changed) =>
    changed.splice(19, 0, changed[0] as string[]),
  ),
  rowsCase('column swapped', ['csv-columns', 'row 1'], (changed) => {
    for (const row of changed) row.splice(3, 2, row[4] as string, row[3] as string)
  }),
  rowsCase('columns of the same content swapped by name only', ['csv-columns', 'row 1'], (changed) => {
    ;(changed[0] as string[]).splice(4, 2, 'parts', 'part')
  }),
  rowsCase(
    'cells of two columns swapped below their names',
    ['csv-cell', 'row 2 column request_id'],
    (changed) => {
      for (const row of changed.slice(1)) row.splice(3, 2, row[4] as string, row[3] as string)
    },
  ),
  rowsCase('column removed', ['csv-columns', 'row 1'], (changed) => {
    for (const row of changed) row.splice(column('address'), 1)
  }),
  rowsCase('column added', ['csv-columns', 'row 1'], (changed) => {
    for (const row of changed) row.push('x')
  }),
  rowsCase('one field more in a row', ['csv-cell', 'row 20 column leaf'], (changed) => changed[19]?.push('')),
  rowsCase('one field less in a row', ['csv-cell', 'row 20 column leaf'], (changed) => changed[19]?.pop()),
  rowsCase('columns missing', ['csv-columns', 'row 1'], (changed) => changed.shift()),
  textCase('CSV', 'quote that ends in another field', ['csv-cell', 'row 20 column action'], openQuote()),
  {
    name: 'proof file of other entries',
    kind: 'CSV',
    subject: { file: text, proof: ndjson(filtered) },
    expected: ['csv-row-missing', 'montreal/2'],
  },
  {
    name: 'proof file that was changed',
    kind: 'CSV',
    subject: { file: text, proof: ndjson(piece).replace('Tremblay', 'Tremblai') },
    expected: ['leaf', 'montreal/5', 'proof'],
  },
  {
    name: 'proof file without its last line',
    kind: 'CSV',
    subject: { file: text, proof: ndjson({ ...piece, lines: piece.lines.slice(0, -1) }) },
    expected: ['redaction-missing', 'montreal/11', 'proof'],
  },
  {
    name: 'proof file that is the CSV itself',
    kind: 'CSV',
    subject: { file: text, proof: text },
    expected: ['format', 'file', 'proof'],
  },
  {
    name: 'proof file that is empty',
    kind: 'CSV',
    subject: { file: text, proof: '' },
    expected: ['format', 'file', 'proof'],
  },
  { name: 'CSV without its proof file', kind: 'CSV', subject: { file: text }, expected: ['format', 'file'] },
  {
    name: 'export and proof exchanged',
    kind: 'CSV',
    subject: { file: ndjson(piece), proof: text },
    expected: ['format', 'file'],
  },
]

function openQuote(): string {
  const records = text.split('\r\n')
  records[19] = (records[19] as string).replace(',search,', ',"search,')
  return records.join('\r\n')
}
