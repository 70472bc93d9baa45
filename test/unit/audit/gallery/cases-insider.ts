import { base64url } from '../../../../src/audit/base64url.ts'
import {
  chainExport,
  rangeExport,
  type SampleExport,
  type SampleHeaderLog,
  sampleLog,
} from '../verify/sample-files.ts'
import { type Case, exportCase, flipped, headerOf, lineAt } from './changes.ts'
import { emptyChain, filtered, gaspe, logs, montreal, patientChain, piece, quebec, range } from './samples.ts'

const hashes = (from: number, to: number): string[] => montreal.subtreeHashes(from, to).map(base64url)

/** Says of which chain the file is, whatever it holds. */
const promise = (file: SampleExport, kind: 'organisation' | 'patient', key: string): void => {
  file.header.filters = { [kind]: key }
  file.header.chains = [key]
}

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
      headerOf(file, 'montreal').heads[0] = montreal.head('patient', 'p3')
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
      promise(file, 'patient', 'p2')
    },
  ),
  exportCase(
    'filtered',
    filtered,
    'completeness raised from none to patient-chain, with the heads',
    ['chain-key', 'montreal/2'],
    (file) => {
      file.header.completeness = 'patient-chain'
      promise(file, 'patient', 'p1')
      for (const log of logs) headerOf(file, log.name).heads[0] = log.head('patient', 'p1')
    },
  ),
  exportCase('range', range, 'completeness lowered from range to none', ['format', 'line 2'], (file) => {
    file.header.completeness = 'none'
  }),
  exportCase(
    'patient chain',
    patientChain,
    'completeness lowered from patient-chain to none',
    ['format', 'line 1'],
    (file) => {
      file.header.completeness = 'none'
    },
  ),
  exportCase(
    'patient chain',
    patientChain,
    'completeness lowered from patient-chain to none, without chains',
    ['header', 'montreal'],
    (file) => {
      file.header.completeness = 'none'
      file.header.chains = []
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
      file.header.chains = []
      for (const log of file.header.logs) log.heads = []
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
      promise(file, 'organisation', 'p3')
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
    ['format', 'line 1'],
    (file) => {
      file.header.filters.patient = 'p2'
    },
  ),
  exportCase(
    'patient chain',
    patientChain,
    'filters and chains changed so that the chain is of another key',
    ['chain-key', 'montreal'],
    (file) => promise(file, 'patient', 'p2'),
  ),
  exportCase(
    'patient chain',
    patientChain,
    'filters and heads changed to those of another patient',
    ['chain-key', 'montreal/9'],
    (file) => {
      promise(file, 'patient', 'p2')
      for (const log of logs) headerOf(file, log.name).heads[0] = log.head('patient', 'p2')
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
      promise(file, 'patient', 'p3')
      for (const log of logs) headerOf(file, log.name).heads[0] = log.head('patient', 'p3')
    },
  ),
]

const sections: readonly Case[] = [
  exportCase('range', range, 'sections of two logs exchanged', ['truncated', 'montreal/0'], (file) => {
    const from = lineAt(file, 'quebec', 0)
    file.lines = [...file.lines.slice(from), ...file.lines.slice(0, from)]
  }),
  exportCase('range', range, 'logs exchanged in the header', ['truncated', 'quebec/0'], (file) => {
    const [first, second, third] = file.header.logs as [SampleHeaderLog, SampleHeaderLog, SampleHeaderLog]
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

export const insiderCases: readonly Case[] = [...states, ...bounds, ...promises, ...sections]
