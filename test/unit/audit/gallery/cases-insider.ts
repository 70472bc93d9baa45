/** What somebody with access to the database, or who prepares a file for a court, might try. */
import { gzipSync } from 'node:zlib'
import { base64url } from '../../../../src/audit/base64url.ts'
import { chainExport, ndjson, rangeExport, sampleLog } from '../verify/sample-files.ts'
import {
  type Case,
  changeCommitted,
  changeLine,
  exportCase,
  flipped,
  headerOf,
  type Json,
  lineAt,
  otherHash,
  textCase,
} from './changes.ts'
import { emptyChain, filtered, gaspe, logs, montreal, patientChain, piece, quebec, range } from './samples.ts'

const hashes = (from: number, to: number): string[] => montreal.subtreeHashes(from, to).map(base64url)

/** The chain as it was when montreal had 200 entries. */
const olderChain = await chainExport('patient', 'p3', [
  { log: montreal, size: 200 },
  { log: quebec },
  { log: gaspe },
])

/** All of an earlier state: honest, and old. */
const before = sampleLog('montreal', 300, true)
before.entry(11).redacted = null
const older = await rangeExport([{ log: before, size: 250, checkpointSize: 250 }])

const states: readonly Case[] = [
  exportCase(
    'patient chain',
    olderChain,
    'whole file from an older state, with newer heads',
    ['chain-head', 'montreal'],
    (file) => {
      file.header = structuredClone(patientChain.header)
    },
  ),
  exportCase(
    'patient chain',
    olderChain,
    'one head of an older file made a newer one',
    ['chain-key', 'montreal'],
    (file) => {
      headerOf(file, 'montreal').head = montreal.head('patient', 'p3')
    },
  ),
  exportCase(
    'piece',
    older,
    'whole file from an older state, known to be so',
    ['known-unproved', 'montreal'],
    () => {},
  ),
  exportCase(
    'piece',
    older,
    'whole file from an older state, with the newer size',
    ['checkpoint-older', 'montreal'],
    (file) => {
      headerOf(file, 'montreal').size = '303'
    },
  ),
]

const redactionOf11 = piece.lines.at(-1) as string

const bounds: readonly Case[] = [
  exportCase('range', range, 'end lowered to hide the tail', ['header', 'montreal'], (file) => {
    headerOf(file, 'montreal').end = '200'
  }),
  exportCase(
    'range',
    range,
    'end lowered, its hashes taken from the tiles, the tail left in',
    ['index-outside', 'montreal/200'],
    (file) => {
      Object.assign(headerOf(file, 'montreal'), { end: '200', after: hashes(200, 303) })
      file.lines = file.lines.filter((line) => !line.startsWith('{"block"'))
    },
  ),
  // Whoever reads the header sees it: the part searched ends at 200 of 303.
  exportCase(
    'range',
    range,
    'end lowered, its hashes taken from the tiles, the tail cut off',
    'verified',
    (file) => {
      Object.assign(headerOf(file, 'montreal'), { end: '200', after: hashes(200, 303) })
      file.lines.splice(200, lineAt(file, 'quebec', 0) - 200)
      // Nor is 11 explained any more, unless its redaction entry comes after the range.
      file.lines.splice(200, 0, redactionOf11)
    },
  ),
  exportCase('range', range, 'end lowered, with the hashes of another part', ['root', 'montreal'], (file) => {
    Object.assign(headerOf(file, 'montreal'), { end: '200', after: hashes(200, 303).reverse() })
    file.lines.splice(200, lineAt(file, 'quebec', 0) - 200, redactionOf11)
  }),
  exportCase('range', range, 'first raised to hide the head', ['header', 'montreal'], (file) => {
    headerOf(file, 'montreal').first = '8'
  }),
  exportCase(
    'range',
    range,
    'first raised, its hashes taken from the tiles, the head left in',
    ['index-outside', 'montreal/0'],
    (file) => {
      Object.assign(headerOf(file, 'montreal'), { first: '8', before: hashes(0, 8) })
    },
  ),
  exportCase('range', range, 'size lowered below the end', ['header', 'montreal'], (file) => {
    headerOf(file, 'montreal').size = '300'
  }),
  exportCase('range', range, 'first after end', ['header', 'montreal'], (file) => {
    headerOf(file, 'montreal').first = '304'
  }),
  exportCase('range', range, 'size raised past the checkpoint', ['checkpoint-older', 'montreal'], (file) => {
    headerOf(file, 'montreal').size = '304'
  }),
  exportCase('piece', piece, 'hash before the part changed', ['root', 'montreal'], (file) => {
    const { before } = headerOf(file, 'montreal')
    before[0] = flipped(before[0] as string)
  }),
  exportCase('piece', piece, 'hash after the part changed', ['root', 'montreal'], (file) => {
    const { after } = headerOf(file, 'montreal')
    after[0] = flipped(after[0] as string)
  }),
  exportCase('piece', piece, 'entry moved into the hashes before', ['root', 'montreal'], (file) => {
    const header = headerOf(file, 'montreal')
    Object.assign(header, { first: '6' })
    file.lines.shift()
  }),
  exportCase(
    'patient chain',
    patientChain,
    'part of a log passed off as a chain',
    ['header', 'montreal'],
    (file) => {
      headerOf(file, 'montreal').first = '47'
    },
  ),
]

const promises: readonly Case[] = [
  exportCase(
    'filtered',
    filtered,
    'completeness raised from none to range',
    ['index-missing', 'montreal/0'],
    (file) => {
      file.header.completeness = 'range'
    },
  ),
  exportCase(
    'filtered',
    filtered,
    'completeness raised from none to patient-chain',
    ['header', 'montreal'],
    (file) => {
      file.header.completeness = 'patient-chain'
      file.header.filters = { patient: 'p2' }
    },
  ),
  exportCase(
    'filtered',
    filtered,
    'completeness raised from none to patient-chain, with the heads',
    ['chain-key', 'montreal/2'],
    (file) => {
      file.header.completeness = 'patient-chain'
      file.header.filters = { patient: 'p1' }
      for (const log of logs) headerOf(file, log.name).head = log.head('patient', 'p1')
    },
  ),
  exportCase('range', range, 'completeness lowered from range to none', ['format', 'line 2'], (file) => {
    file.header.completeness = 'none'
  }),
  exportCase(
    'patient chain',
    patientChain,
    'completeness lowered from patient-chain to none',
    ['header', 'montreal'],
    (file) => {
      file.header.completeness = 'none'
    },
  ),
  // The file promises less than it holds, and says so.
  exportCase(
    'patient chain',
    patientChain,
    'completeness lowered from patient-chain to none, without heads',
    'verified',
    (file) => {
      file.header.completeness = 'none'
      for (const log of file.header.logs) log.head = null
      file.lines.splice(1, 1)
    },
  ),
  exportCase(
    'patient chain',
    patientChain,
    'patient-chain made an organisation-chain',
    ['chain-key', 'montreal'],
    (file) => {
      file.header.completeness = 'organisation-chain'
      file.header.filters = { organisation: 'p3' }
    },
  ),
  exportCase(
    'patient chain',
    patientChain,
    'completeness that nobody knows',
    ['format', 'line 1'],
    (file) => {
      file.header.completeness = 'everything' as 'none'
    },
  ),
  exportCase(
    'patient chain',
    patientChain,
    'filters changed so that the chain is of another key',
    ['chain-key', 'montreal'],
    (file) => {
      file.header.filters.patient = 'p2'
    },
  ),
  exportCase(
    'patient chain',
    patientChain,
    'filters and heads changed to those of another patient',
    ['chain-key', 'montreal/9'],
    (file) => {
      file.header.filters.patient = 'p2'
      for (const log of logs) headerOf(file, log.name).head = log.head('patient', 'p2')
    },
  ),
  exportCase(
    'patient chain',
    patientChain,
    'filters without the key of the chain',
    ['format', 'line 1'],
    (file) => {
      file.header.filters = {}
    },
  ),
  exportCase(
    'empty chain',
    emptyChain,
    'nothing said of a patient who has entries',
    ['chain-head', 'montreal'],
    (file) => {
      file.header.filters.patient = 'p3'
      for (const log of logs) headerOf(file, log.name).head = log.head('patient', 'p3')
    },
  ),
]

const sections: readonly Case[] = [
  exportCase('range', range, 'sections of two logs exchanged', ['truncated', 'montreal/0'], (file) => {
    const from = lineAt(file, 'quebec', 0)
    file.lines = [...file.lines.slice(from), ...file.lines.slice(0, from)]
  }),
  exportCase('range', range, 'logs exchanged in the header', ['truncated', 'quebec/0'], (file) => {
    const [first, second, third] = file.header.logs as [Json, Json, Json]
    file.header.logs = [second, first, third]
  }),
  exportCase('range', range, 'section of a log taken out', ['truncated', 'quebec/0'], (file) => {
    file.lines.length = lineAt(file, 'quebec', 0)
  }),
  exportCase(
    'range',
    range,
    'log taken out of the header, its section left in',
    ['log', 'quebec/0'],
    (file) => {
      file.header.logs.splice(1, 1)
    },
  ),
  exportCase('range', range, 'log twice in the header', ['header', 'montreal'], (file) => {
    file.header.logs.push(structuredClone(headerOf(file, 'montreal')))
  }),
  exportCase('range', range, 'log said to be empty', ['truncated', 'quebec/0'], (file) => {
    file.lines.length = lineAt(file, 'quebec', 0)
  }),
  exportCase('range', range, 'log made an empty one', ['index-outside', 'quebec/0'], (file) => {
    Object.assign(headerOf(file, 'quebec'), { size: '0', end: '0', checkpoint: null })
  }),
  // A range says which logs it covers; only chains promise all of them.
  exportCase('range', range, 'log made an empty one, its section taken out', 'verified', (file) => {
    Object.assign(headerOf(file, 'quebec'), { size: '0', end: '0', checkpoint: null })
    file.lines.length = lineAt(file, 'quebec', 0)
  }),
  exportCase(
    'patient chain',
    patientChain,
    'log of a chain made an empty one',
    ['chain-key', 'quebec'],
    (file) => {
      Object.assign(headerOf(file, 'quebec'), { size: '0', end: '0', checkpoint: null })
      file.lines.length = lineAt(file, 'quebec', 3)
    },
  ),
  exportCase('range', range, 'no logs at all', ['format', 'line 1'], (file) => {
    file.header.logs = []
    file.lines = []
  }),
]

/** The text of one line, changed as a text. */
const lineText = (index: number, change: (text: string) => string): string => {
  const file = structuredClone(range)
  const at = lineAt(file, 'montreal', index)
  file.lines[at] = change(file.lines[at] as string)
  return ndjson(file)
}

const json: readonly Case[] = [
  textCase(
    'range',
    'duplicate member in an entry, the false one first',
    ['format', 'montreal/38'],
    lineText(38, (text) => text.replace('"patient":"p1"', '"patient":"p5","patient":"p1"')),
  ),
  textCase(
    'range',
    'duplicate member in an entry, the false one last',
    ['format', 'montreal/38'],
    lineText(38, (text) =>
      text.replace('"name":"Dre Anne Tremblay"', '"name":"Dre Anne Tremblay","name":"Somebody else"'),
    ),
  ),
  textCase(
    'range',
    'duplicate member in an entry, one of the two names escaped',
    ['format', 'montreal/38'],
    lineText(38, (text) => text.replace('"patient":"p1"', '"p\\u0061tient":"p5","patient":"p1"')),
  ),
  textCase(
    'range',
    'duplicate entry in a line',
    ['format', 'montreal/38'],
    lineText(38, (text) =>
      text.replace('{"entry"', '{"entry":{"access":{"who":{"name":"Somebody else"}}},"entry"'),
    ),
  ),
  textCase(
    'range',
    'duplicate salt in a line',
    ['format', 'montreal/38'],
    lineText(38, (text) => text.replace('"salt"', `"salt":"${otherHash('salt')}","salt"`)),
  ),
  textCase(
    'range',
    'duplicate member in the header',
    ['format', 'file'],
    ndjson(range).replace('"completeness"', '"completeness":"patient-chain","completeness"'),
  ),
  textCase(
    'range',
    'duplicate index in a redacted line',
    ['format', 'montreal/3'],
    lineText(3, (text) => text.replace('"index"', '"index":"4","index"')),
  ),
  textCase(
    'range',
    'member of an entry that nobody knows, not committed to',
    ['leaf', 'montreal/38'],
    lineText(38, (text) => text.replace('"access":{', '"access":{"aa":"consented",')),
  ),
  textCase(
    'range',
    'member beside the entry that nobody knows',
    ['format', 'montreal/38'],
    lineText(38, (text) => text.replace('{"entry"', '{"comment":"consented","entry"')),
  ),
  textCase(
    'range',
    'member of the entry named __proto__',
    ['leaf', 'montreal/38'],
    lineText(38, (text) => text.replace('"access":{', '"access":{"__proto__":{"patient":"p5"},')),
  ),
  exportCase('range', range, 'member beside access, committed to', ['entry', 'montreal/38'], (file) =>
    changeCommitted(file, 'montreal', 38, (entry) => {
      entry.zz = 1
    }),
  ),
  exportCase('range', range, 'entry of another version, committed to', ['entry', 'montreal/38'], (file) =>
    changeCommitted(file, 'montreal', 38, (entry) => {
      entry.v = 2
    }),
  ),
  exportCase('range', range, 'index with a leading zero, committed to', ['entry', 'montreal/38'], (file) =>
    changeCommitted(file, 'montreal', 38, (entry) => {
      entry.index = '038'
    }),
  ),
  exportCase('range', range, 'index as a number, committed to', ['entry', 'montreal/38'], (file) =>
    changeCommitted(file, 'montreal', 38, (entry) => {
      entry.index = 38
    }),
  ),
  exportCase('range', range, 'index of 2^64, committed to', ['entry', 'montreal/38'], (file) =>
    changeCommitted(file, 'montreal', 38, (entry) => {
      entry.index = '18446744073709551616'
    }),
  ),
  exportCase('range', range, 'index of 2^64 − 1, committed to', ['index-order', 'montreal/39'], (file) =>
    changeCommitted(file, 'montreal', 38, (entry) => {
      entry.index = '18446744073709551615'
    }),
  ),
  exportCase('range', range, 'predecessor after the entry, committed to', ['entry', 'montreal/38'], (file) =>
    changeCommitted(file, 'montreal', 38, ({ chains }) => {
      chains.patient.previous = '38'
    }),
  ),
  exportCase(
    'range',
    range,
    'patient taken out and the place left, committed to',
    ['entry', 'montreal/38'],
    (file) =>
      changeCommitted(file, 'montreal', 38, ({ access }) => {
        access.patient = null
      }),
  ),
  exportCase(
    'range',
    range,
    'organisation put in without a place, committed to',
    ['entry', 'montreal/12'],
    (file) =>
      changeCommitted(file, 'montreal', 12, ({ chains }) => {
        chains.organisation = null
      }),
  ),
  exportCase(
    'range',
    range,
    'time before that of the entry before, committed to',
    ['time', 'montreal/38'],
    (file) =>
      changeCommitted(file, 'montreal', 38, (entry) => {
        entry.time = '2026-11-22T08:00:00.000Z'
      }),
  ),
  exportCase('range', range, 'time that is none, committed to', ['entry', 'montreal/38'], (file) =>
    changeCommitted(file, 'montreal', 38, (entry) => {
      entry.time = '2026-11-22 09:00'
    }),
  ),
  exportCase('range', range, 'time of a 13th month, committed to', ['entry', 'montreal/38'], (file) =>
    changeCommitted(file, 'montreal', 38, (entry) => {
      entry.time = entry.time.replace('-11-', '-13-')
    }),
  ),
  textCase(
    'range',
    'huge number',
    ['format', 'montreal/38'],
    lineText(38, (text) => text.replace('"status":200', '"status":1e999')),
  ),
  textCase(
    'range',
    'number past the doubles',
    ['leaf', 'montreal/38'],
    lineText(38, (text) => text.replace('"status":200', '"status":20000000000000000000000000')),
  ),
  textCase(
    'range',
    'half a surrogate pair',
    ['format', 'montreal/38'],
    lineText(38, (text) => text.replace('Tremblay', '\\ud800')),
  ),
  textCase(
    'range',
    'size of the header with a leading zero',
    ['format', 'line 1'],
    ndjson(range).replace('"size":"303"', '"size":"0303"'),
  ),
  textCase(
    'range',
    'size of the header as a number',
    ['format', 'line 1'],
    ndjson(range).replace('"size":"303"', '"size":303'),
  ),
  textCase(
    'range',
    'size of the header of 2^64',
    ['format', 'line 1'],
    ndjson(range).replace('"size":"303"', '"size":"18446744073709551616"'),
  ),
  textCase(
    'range',
    'line of a MiB',
    ['format', 'montreal/38'],
    lineText(38, (text) => text.replace('"entry":', `"entry":${' '.repeat(1024 * 1024)}`)),
  ),
  textCase(
    'range',
    'line cut in half',
    ['format', 'montreal/38'],
    lineText(38, (text) => text.slice(0, 300)),
  ),
  textCase(
    'range',
    'two lines in one',
    ['format', 'montreal/38'],
    lineText(38, (text) => text + text),
  ),
  textCase(
    'range',
    'line that is no JSON',
    ['format', 'montreal/38'],
    lineText(38, () => 'see annex B'),
  ),
  textCase(
    'range',
    'line that is JSON and no object',
    ['format', 'montreal/38'],
    lineText(38, () => '[]'),
  ),
  textCase(
    'range',
    'line of a kind that nobody knows',
    ['format', 'montreal/38'],
    lineText(38, () => '{"pruned":"38"}'),
  ),
  textCase(
    'range',
    'salt in base64 that is not canonical',
    ['format', 'montreal/38'],
    lineText(38, (text) => text.replace(/"salt":"(.{42})."/, (_, salt) => `"salt":"${salt}_"`)),
  ),
  textCase(
    'range',
    'leaf with padding',
    ['format', 'montreal/38'],
    lineText(38, (text) => text.replace(/"leaf":"(.{44})"/, '"leaf":"$1="')),
  ),
]

const blocks: readonly Case[] = [
  exportCase('range', range, 'hash of a block changed', ['block', 'montreal/0-255'], (file) => {
    const at = file.lines.findIndex((line) => line.startsWith('{"block"'))
    const line = JSON.parse(file.lines[at] as string) as Json
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

const files: readonly Case[] = [
  textCase('range', 'empty file', ['format', 'file'], ''),
  textCase('range', 'file of blank lines', ['format', 'file'], '\n \r\n\n'),
  textCase('range', 'file in gzip', ['unreadable', 'file'], gzipSync(ndjson(range))),
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
    const next = JSON.parse(file.lines[lineAt(file, 'montreal', 39)] as string) as Json
    changeLine(file, 'montreal', 38, (line) => {
      line.leaf = next.leaf
    })
  }),
]

export const insiderCases: readonly Case[] = [
  ...states,
  ...bounds,
  ...promises,
  ...sections,
  ...json,
  ...blocks,
  ...files,
]
