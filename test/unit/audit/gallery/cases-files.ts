/** Blocks, and the file as a whole. */
import { gzipSync } from 'node:zlib'
import { ndjson, rangeExport, sampleLog } from '../verify/sample-files.ts'
import {
  type Case,
  changeCommitted,
  changeLine,
  exportCase,
  flipped,
  headerOf,
  lineAt,
  parseLine,
  textCase,
} from './changes.ts'
import { emptyChain, filtered, range } from './samples.ts'

const blocks: readonly Case[] = [
  exportCase('range', range, 'hash of a block changed', ['block', 'montreal/0-255'], (file) => {
    const at = file.lines.findIndex((line) => line.startsWith('{"block"'))
    const line = parseLine(file.lines[at])
    line.hash = flipped(line.hash)
    file.lines[at] = JSON.stringify(line)
  }),
  exportCase('range', range, 'block of other entries', ['format', 'montreal/256'], (file) => {
    const at = file.lines.findIndex((line) => line.startsWith('{"block"'))
    file.lines[at] = (file.lines[at] as string).replace('["0","256"]', '["256","512"]')
  }),
  exportCase('range', range, 'block twice', ['format', 'montreal/256'], (file) => {
    const at = file.lines.findIndex((line) => line.startsWith('{"block"'))
    file.lines.splice(at, 0, file.lines[at] as string)
  }),
  exportCase('range', range, 'block too early', ['format', 'montreal/255'], (file) => {
    const at = file.lines.findIndex((line) => line.startsWith('{"block"'))
    file.lines.splice(at - 1, 2, file.lines[at] as string, file.lines[at - 1] as string)
  }),
  exportCase('range', range, 'block of another log', ['log', 'line 258'], (file) => {
    const at = file.lines.findIndex((line) => line.startsWith('{"block"'))
    file.lines[at] = (file.lines[at] as string).replace('"log":"montreal"', '"log":"gaspe"')
  }),
  exportCase('filtered', filtered, 'block in a file that is no range', ['format', 'line 3'], (file) => {
    file.lines.splice(1, 0, range.lines.find((line) => line.startsWith('{"block"')) as string)
  }),
  // The root says all that it says, if not where.
  exportCase('range', range, 'blocks taken out', 'verified', (file) => {
    file.lines = file.lines.filter((line) => !line.startsWith('{"block"'))
  }),
  exportCase(
    'range',
    range,
    'blocks taken out, an entry edited with its leaf recomputed',
    ['root', 'montreal'],
    (file) => {
      file.lines = file.lines.filter((line) => !line.startsWith('{"block"'))
      changeCommitted(file, 'montreal', 38, ({ access }) => {
        access.who.name = 'Somebody else'
      })
    },
  ),
]

const big = sampleLog('montreal', 600)

const inGzip = new Uint8Array(gzipSync(ndjson(range)))

const files: readonly Case[] = [
  textCase('range', 'empty file', ['format', 'file'], ''),
  textCase('range', 'file of blank lines', ['format', 'file'], '\n \r\n\n'),
  textCase('range', 'gzip of nothing', ['format', 'file'], gzipSync('')),
  textCase('range', 'gzip cut short', ['unreadable', 'file'], inGzip.subarray(0, -9)),
  textCase(
    'range',
    'gzip with another checksum',
    ['unreadable', 'file'],
    inGzip.with(-8, (inGzip.at(-8) ?? 0) ^ 1),
  ),
  textCase(
    'range',
    'gzip with bytes after its end',
    ['unreadable', 'file'],
    Buffer.concat([inGzip, Buffer.from('{}')]),
  ),
  textCase(
    'range',
    'two files in gzip, one after the other',
    ['unreadable', 'file'],
    Buffer.concat([inGzip, inGzip]),
  ),
  textCase('range', 'gzip in gzip', ['unreadable', 'file'], gzipSync(inGzip)),
  textCase(
    'range',
    'file in another encoding',
    ['unreadable', 'file'],
    Buffer.from(ndjson(range).replaceAll('—', '\x97'), 'latin1'),
  ),
  textCase(
    'empty chain',
    'UTF-16 without a byte order mark',
    ['format', 'file'],
    Buffer.from(ndjson(emptyChain), 'utf16le'),
  ),
  textCase('range', 'letter', ['format', 'file'], 'Dear colleague,\nplease find enclosed…\n'),
  textCase(
    'range',
    'header taken out',
    ['format', 'file'],
    ndjson(range).slice(ndjson(range).indexOf('\n') + 1),
  ),
  textCase(
    'range',
    'header twice',
    ['format', 'montreal/0'],
    `${JSON.stringify(range.header)}\n${ndjson(range)}`,
  ),
  textCase(
    'range',
    'another format',
    ['format', 'file'],
    ndjson(range).replace('dossier-export/1', 'dossier-export/2'),
  ),
  textCase(
    'range',
    'a second file after the first',
    ['log', 'montreal/0'],
    ndjson(range) + range.lines.join('\n'),
  ),
  textCase('range', 'JSON cut off in the header', ['format', 'file'], ndjson(range).slice(0, 500)),
  // Nothing vouches for these members: verifiers say what was searched, not why or when.
  exportCase('filtered', filtered, 'words of the header that nobody signs', 'verified', (file) => {
    file.header.exportId = 'another'
    file.header.time = '2020-01-01T00:00:00.000Z'
    file.header.filters.action = 'delete'
    for (const log of file.header.logs) log.current = false
  }),
  exportCase(
    'range',
    await rangeExport([{ log: big }]),
    'second of two blocks edited, its leaf recomputed',
    ['block', 'montreal/256-511'],
    (file) =>
      changeCommitted(file, 'montreal', 300, ({ access }) => {
        access.status = 403
      }),
  ),
  exportCase(
    'range',
    range,
    'entry hidden by the redacted line of another',
    ['index-duplicate', 'montreal/3'],
    (file) => {
      const at = lineAt(file, 'montreal', 4)
      file.lines[at] = file.lines[lineAt(file, 'montreal', 3)] as string
    },
  ),
  exportCase(
    'range',
    range,
    'entry replaced by the one before it',
    ['index-duplicate', 'montreal/37'],
    (file) => {
      file.lines[lineAt(file, 'montreal', 38)] = file.lines[lineAt(file, 'montreal', 37)] as string
    },
  ),
  exportCase('range', range, 'entry replaced by one far ahead', ['index-order', 'montreal/39'], (file) => {
    file.lines[lineAt(file, 'montreal', 38)] = file.lines[lineAt(file, 'montreal', 200)] as string
  }),
  exportCase(
    'filtered',
    filtered,
    'entry of a later time than the checkpoint',
    ['index-outside', 'montreal/302'],
    (file) => {
      const header = headerOf(file, 'montreal')
      Object.assign(header, { size: '300', end: '300' })
      file.lines = file.lines.filter((line) => !line.includes('"redacted":"302"'))
    },
  ),
  exportCase('range', range, 'leaf of the entry after it', ['leaf', 'montreal/38'], (file) => {
    const next = parseLine(file.lines[lineAt(file, 'montreal', 39)])
    changeLine(file, 'montreal', 38, (line) => {
      line.leaf = next.leaf
    })
  }),
]

export const fileCases: readonly Case[] = [...blocks, ...files]
