/** Entries edited, taken out, put in and moved. */

import type { SampleExport } from '../verify/sample-files.ts'
import { ndjson } from '../verify/sample-files.ts'
import {
  type Case,
  changeCommitted,
  changeLine,
  type EntryJson,
  type Expected,
  editAt,
  exportCase,
  flipped,
  type LineJson,
  leafPaths,
  lineAt,
  otherHash,
  parseLine,
  textCase,
} from './changes.ts'
import { filtered, montreal, patientChain, piece, range } from './samples.ts'

/** An entry of montreal with every member filled in that a sample fills in. */
const index = 38
const entry = JSON.parse(montreal.entry(index).text) as EntryJson

/** What is wrong first when a member was changed and the leaf made to fit: the form of the entry, its place, or the tree. */
const recomputed: Readonly<Record<string, Expected>> = {
  'chains.organisation.count': ['block', 'montreal/0-255'],
  'chains.organisation.previous': ['block', 'montreal/0-255'],
  'chains.patient.count': ['block', 'montreal/0-255'],
  'chains.patient.previous': ['block', 'montreal/0-255'],
  index: ['index-missing', 'montreal/38'],
  log: ['log', 'montrealx/38'],
  // The entry after it has the same time.
  time: ['time', 'montreal/39'],
  v: ['entry', 'montreal/38'],
}

const editedFields: readonly Case[] = leafPaths(entry).flatMap((path) => {
  const field = path.join('.')
  return [
    exportCase('range', range, `entry edited: ${field}`, ['leaf', `montreal/${index}`], (file) =>
      changeLine(file, 'montreal', index, (line) => editAt(line.entry, path)),
    ),
    exportCase(
      'range',
      range,
      `entry edited with its leaf recomputed: ${field}`,
      recomputed[field] ?? ['block', 'montreal/0-255'],
      (file) => changeCommitted(file, 'montreal', index, (edited) => editAt(edited, path)),
    ),
  ]
})

/** The same change in each kind of export. */
const inEach = (
  name: string,
  expected: readonly [Expected, Expected, Expected],
  at: readonly [number, number, number],
  change: (file: SampleExport, index: number) => void,
): Case[] =>
  (
    [
      ['piece', piece],
      ['patient chain', patientChain],
      ['filtered', filtered],
    ] as const
  ).map(([kind, sample], i) =>
    exportCase(kind, sample, `${name}, ${kind}`, expected[i] as Expected, (file) =>
      change(file, at[i] as number),
    ),
  )

const hide = (line: LineJson): void => {
  line.entry.access.who.name = 'Somebody else'
}

const takeOut = (file: SampleExport, log: string, at: number): string =>
  file.lines.splice(lineAt(file, log, at), 1)[0] as string

export const entryCases: readonly Case[] = [
  ...editedFields,
  ...inEach(
    'entry edited',
    [
      ['leaf', 'montreal/38'],
      ['leaf', 'montreal/47'],
      ['leaf', 'montreal/38'],
    ],
    [38, 47, 38],
    (file, at) => changeLine(file, 'montreal', at, hide),
  ),
  ...inEach(
    'entry edited with its leaf recomputed',
    [
      ['root', 'montreal'],
      ['inclusion', 'montreal/47'],
      ['inclusion', 'montreal/38'],
    ],
    [38, 47, 38],
    (file, at) =>
      changeCommitted(file, 'montreal', at, (changed) => {
        changed.access.who.name = 'Somebody else'
      }),
  ),
  ...inEach(
    'salt changed',
    [
      ['leaf', 'montreal/38'],
      ['leaf', 'montreal/47'],
      ['leaf', 'montreal/38'],
    ],
    [38, 47, 38],
    (file, at) =>
      changeLine(file, 'montreal', at, (line) => {
        line.salt = flipped(line.salt)
      }),
  ),
  ...inEach(
    'leaf changed',
    [
      ['leaf', 'montreal/38'],
      ['leaf', 'montreal/47'],
      ['leaf', 'montreal/38'],
    ],
    [38, 47, 38],
    (file, at) =>
      changeLine(file, 'montreal', at, (line) => {
        line.leaf = flipped(line.leaf)
      }),
  ),
  ...inEach(
    'entry deleted',
    [['index-missing', 'montreal/38'], ['chain-gap', 'montreal/53'], 'verified'],
    [38, 47, 38],
    (file, at) => takeOut(file, 'montreal', at),
  ),
  ...inEach(
    'entry duplicated',
    [
      ['index-duplicate', 'montreal/38'],
      ['index-duplicate', 'montreal/47'],
      ['index-duplicate', 'montreal/38'],
    ],
    [38, 47, 38],
    (file, at) => {
      const line = lineAt(file, 'montreal', at)
      file.lines.splice(line, 0, file.lines[line] as string)
    },
  ),
  ...inEach(
    'entries swapped',
    [
      ['index-order', 'montreal/38'],
      ['chain-gap', 'montreal/53'],
      ['index-order', 'montreal/38'],
    ],
    [38, 47, 38],
    (file, at) => {
      const line = lineAt(file, 'montreal', at)
      const [own, next] = file.lines.slice(line, line + 2) as [string, string]
      file.lines.splice(line, 2, next, own)
    },
  ),
  exportCase('range', range, 'entry inserted', ['index-duplicate', 'montreal/37'], (file) => {
    // A forged entry that claims an index which is taken.
    const line = lineAt(file, 'montreal', 37)
    file.lines.splice(line + 1, 0, file.lines[line] as string)
    changeSecond(file, line + 1)
  }),
  exportCase('range', range, 'truncated tail', ['truncated', 'quebec/20'], (file) => {
    file.lines.length = lineAt(file, 'quebec', 20)
  }),
  exportCase(
    'range',
    range,
    'truncated tail of a log that another one follows',
    ['truncated', 'montreal/300'],
    (file) => {
      const from = lineAt(file, 'montreal', 300)
      file.lines.splice(from, lineAt(file, 'quebec', 0) - from)
    },
  ),
  exportCase('patient chain', patientChain, 'truncated tail', ['chain-head', 'quebec'], (file) => {
    file.lines.length -= 1
  }),
  exportCase('piece', piece, 'truncated tail', ['redaction-missing', 'montreal/11'], (file) => {
    file.lines.length -= 1
  }),
  exportCase('range', range, 'truncated head', ['index-missing', 'montreal/0'], (file) => {
    file.lines.splice(0, 5)
  }),
  exportCase('patient chain', patientChain, 'truncated head', ['chain-gap', 'montreal/15'], (file) => {
    takeOut(file, 'montreal', 3)
    takeOut(file, 'montreal', 9)
  }),
  exportCase('range', range, 'moved to another log', ['log', 'quebec/5'], (file) => {
    const line = takeOut(file, 'quebec', 5)
    file.lines.splice(lineAt(file, 'montreal', 100), 0, line)
  }),
  exportCase(
    'filtered',
    filtered,
    'moved to another log, its log renamed',
    ['inclusion', 'montreal/2'],
    (file) => {
      const line = parseLine(takeOut(file, 'quebec', 2))
      file.lines[lineAt(file, 'montreal', 2)] = JSON.stringify(line)
      const at = file.lines.indexOf(JSON.stringify(line))
      changeCommittedLine(file, at, (moved) => {
        moved.log = 'montreal'
      })
    },
  ),
  exportCase('range', range, 'replayed from another log', ['log', 'quebec/5'], (file) => {
    file.lines.splice(lineAt(file, 'montreal', 100), 0, file.lines[lineAt(file, 'quebec', 5)] as string)
  }),
  exportCase(
    'range',
    range,
    'replayed from another log, in the place of an entry',
    ['log', 'quebec/5'],
    (file) => {
      file.lines[lineAt(file, 'montreal', 100)] = file.lines[lineAt(file, 'quebec', 5)] as string
    },
  ),
  textCase('range', 'salts of two entries exchanged', ['leaf', 'montreal/50'], exchangedSalts()),
]

/** Another name in an entry, and the leaf made to fit. */
function changeSecond(file: SampleExport, at: number): void {
  changeCommittedLine(file, at, (changed) => {
    changed.access.who.name = 'Somebody else'
  })
}

function changeCommittedLine(file: SampleExport, at: number, change: (entry: EntryJson) => void): void {
  const one: SampleExport = { ...file, lines: [file.lines[at] as string] }
  const { log, index: own } = parseLine(one.lines[0]).entry
  changeCommitted(one, String(log), Number(own), change)
  file.lines[at] = one.lines[0] as string
}

function exchangedSalts(): string {
  const file = structuredClone(range)
  let salt = otherHash('none')
  changeLine(file, 'montreal', 50, (line) => {
    salt = line.salt
    line.salt = parseLine(file.lines[lineAt(file, 'montreal', 51)]).salt
  })
  changeLine(file, 'montreal', 51, (line) => {
    line.salt = salt
  })
  return ndjson(file)
}
