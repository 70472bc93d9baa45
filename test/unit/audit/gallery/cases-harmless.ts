/** What editors, spreadsheets and mail programs do to a file without changing what it says: no alarm. */
import { gzipSync } from 'node:zlib'
import { csv, csvRows, ndjson, type SampleExport } from '../verify/sample-files.ts'
import { type Case, exportCase, textCase } from './changes.ts'
import { type Kind, kinds, patientChain, piece, proofOf77, range } from './samples.ts'

const utf16 = (text: string, isBigEndian: boolean): Buffer => {
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le')
  return isBigEndian ? bytes.swap16() : bytes
}

/** Of a text, whatever it is. */
const textForms: readonly (readonly [string, (text: string) => string | Uint8Array])[] = [
  ['line endings', (text) => text.replace(/\r?\n/g, '\r\n')],
  ['line endings of Unix', (text) => text.replaceAll('\r\n', '\n')],
  ['byte order mark', (text) => `\ufeff${text}`],
  ['UTF-16 LE', (text) => utf16(text, false)],
  ['UTF-16 BE', (text) => utf16(text, true)],
  ['blank lines around', (text) => `\r\n\n${text}\n\n`],
  ['blank lines between', (text) => text.replace(/\r?\n/g, '\n\n')],
  ['final newline missing', (text) => text.replace(/\r?\n$/, '')],
  ['gzip', (text) => gzipSync(text)],
]

const text = (kind: Kind): string => (kinds[kind] as { file: string }).file

const forms: readonly Case[] = (
  ['range', 'piece', 'patient chain', 'filtered', 'tlog-proof', 'CSV'] as const
).flatMap((kind) =>
  textForms
    // Between the lines of a quoted field there are no lines of the file.
    .filter(([name]) => kind !== 'CSV' || name !== 'blank lines between')
    .map(([name, change]) => textCase(kind, `${name}, ${kind}`, 'verified', change(text(kind)))),
)

function reversed<T>(value: T): T
function reversed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(reversed)
  const members = Object.entries(value).reverse()
  return Object.fromEntries(members.map(([name, member]) => [name, reversed(member)]))
}

const escaped = (line: string): string =>
  line.replace(
    /[^\x20-\x7e]|[<>&'/=]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

const each =
  (change: (line: string) => string) =>
  (file: SampleExport): void => {
    file.lines = file.lines.map(change)
  }

const jsonForms: readonly (readonly [string, (file: SampleExport) => void])[] = [
  ['members reordered', each((line) => JSON.stringify(reversed(JSON.parse(line))))],
  ['spaces', each((line) => JSON.stringify(JSON.parse(line), null, 1).replace(/\n\s*/g, ' '))],
  ['tabs before and after', each((line) => `\t ${line} \t`)],
  ['\\u-escapes', each(escaped)],
  [
    'numbers in another form',
    each((line) => line.replace('"status":200', '"status":2.00e2').replace('"v":1', '"v":1.0')),
  ],
]

const sheet = csvRows(piece)
const quoted = (rows: readonly (readonly string[])[], separator = ','): string =>
  rows.map((row) => `${row.map((field) => `"${field.replaceAll('"', '""')}"`).join(separator)}\r\n`).join('')

export const harmlessCases: readonly Case[] = [
  ...forms,
  ...(
    [
      ['range', range],
      ['patient chain', patientChain],
    ] as const
  ).flatMap(([kind, sample]) =>
    jsonForms.map(([name, change]) => exportCase(kind, sample, `${name}, ${kind}`, 'verified', change)),
  ),
  exportCase('range', range, 'members of the header reordered', 'verified', (file) => {
    file.header = reversed(file.header)
  }),
  textCase('CSV', 'CSV with other quoting', 'verified', quoted(sheet)),
  textCase('CSV', 'CSV with LF', 'verified', csv(sheet, '\n')),
  textCase(
    'CSV',
    'CSV with other quoting, LF and byte order mark',
    'verified',
    `\ufeff${quoted(sheet).replaceAll('\r\n', '\n')}`,
  ),
  textCase('CSV', 'CSV with UTF-16', 'verified', utf16(quoted(sheet), false)),
  {
    name: 'proof file with other line ends',
    kind: 'CSV',
    subject: { file: csv(sheet), proof: utf16(ndjson(piece).replaceAll('\n', '\r\n'), true) },
    expected: 'verified',
  },
  {
    name: 'policy with other line ends, without the last one',
    kind: 'tlog-proof',
    subject: { file: proofOf77, policy: kinds['tlog-proof'].policy.replaceAll('\n', '\r\n').trimEnd() },
    expected: 'verified',
  },
  {
    name: 'known checkpoint with other line ends and blank lines',
    kind: 'piece',
    subject: {
      ...kinds.piece,
      known: kinds.piece.known.map((note) => `\r\n${note.replaceAll('\n', '\r\n')}\r\n\r\n`),
    },
    expected: 'verified',
  },
]
