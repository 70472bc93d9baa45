/** Redactions and chains: what holds the lines of a sparse export together. */
import { base64url } from '../../../../src/audit/base64url.ts'
import { chainExport, rangeExport, sampleLog } from '../verify/sample-files.ts'
import { type Case, changeCommitted, changeLine, exportCase, flipped, hide, lineAt } from './changes.ts'
import { filtered, organisationChain, patientChain, piece, range } from './samples.ts'

// --- redactions ---

/** Of 30 entries, of which 3 is redacted twice. */
const twice = sampleLog('montreal', 28)
twice.redact(3)
twice.redact(3)
const redactedTwice = await rangeExport([{ log: twice }])

/** Redacts 50 with places in the chains that 50 never had. */
const displaced = sampleLog('montreal', 60)
displaced.redact(50, {
  more: { note: { redacts: '50', 'redacts-organisation': '5@3', 'redacts-patient': '2@1' } },
})
const displacedChain = await chainExport('patient', 'p2', [{ log: displaced }])

/** Redaction entries that were refused, or are of another action, redact nothing. */
const refused = sampleLog('montreal', 30)
refused.redact(3, { more: { decision: { outcome: 'deny', reason: 'role', detail: null } } })
const refusedRange = await rangeExport([{ log: refused }])

/** A successor took over the redaction entry of its predecessor, which redacted 3 there. */
const takenOver = sampleLog('montreal', 30)
takenOver.redact(3, {
  more: {
    note: { redacts: '3', 'redacts-log': 'laval', 'redacts-organisation': '-', 'redacts-patient': '-' },
  },
})
const takenOverRange = await rangeExport([{ log: takenOver }])

const redactions: readonly Case[] = [
  exportCase(
    'range',
    takenOverRange,
    'redaction by an entry about another log',
    ['redaction-missing', 'montreal/3'],
    () => {},
  ),
  exportCase('range', range, 'redaction without an entry', ['redaction-missing', 'montreal/50'], (file) =>
    hide(file, 50, '60'),
  ),
  exportCase(
    'range',
    range,
    'redaction by an entry that never was',
    ['redaction-missing', 'montreal/50'],
    (file) => hide(file, 50, '302000'),
  ),
  exportCase('range', range, 'redaction by itself', ['redaction-missing', 'montreal/50'], (file) =>
    hide(file, 50, '50'),
  ),
  exportCase(
    'range',
    range,
    'redaction by an entry before it',
    ['redaction-missing', 'montreal/50'],
    (file) => hide(file, 50, '20'),
  ),
  exportCase('range', range, 'redaction of another index', ['redaction-other', 'montreal/9'], (file) =>
    hide(file, 9, '20'),
  ),
  exportCase(
    'patient chain',
    patientChain,
    'redaction of another index',
    ['redaction-other', 'montreal/9'],
    (file) => hide(file, 9, '20'),
  ),
  exportCase(
    'range',
    range,
    'redaction by an entry of another log',
    ['redaction-missing', 'montreal/9'],
    (file) =>
      // Of quebec 10 is an ordinary entry; of montreal too.
      hide(file, 9, '12'),
  ),
  exportCase(
    'range',
    range,
    'redaction entry that is redacted itself',
    ['redaction-missing', 'montreal/3'],
    (file) => hide(file, 20, '302'),
  ),
  exportCase('range', range, 'redacted with another leaf', ['block', 'montreal/0-255'], (file) =>
    changeLine(file, 'montreal', 3, (line) => {
      line.leaf = flipped(line.leaf)
    }),
  ),
  exportCase('range', range, 'redacted with a leaf of another version', ['format', 'montreal/3'], (file) =>
    changeLine(file, 'montreal', 3, (line) => {
      const bytes = Buffer.from(line.leaf, 'base64url')
      bytes[0] = 2
      line.leaf = base64url(bytes)
    }),
  ),
  exportCase(
    'patient chain',
    patientChain,
    'redacted with another leaf',
    ['inclusion', 'montreal/3'],
    (file) =>
      changeLine(file, 'montreal', 3, (line) => {
        line.leaf = flipped(line.leaf)
      }),
  ),
  exportCase('piece', piece, 'hidden by a later forged line', ['inclusion', 'montreal/302'], (file) => {
    hide(file, 50, '302')
    changeCommitted(file, 'montreal', 302, (entry) => {
      entry.access.note = { ...entry.access.note, redacts: '50' }
    })
  }),
  exportCase(
    'range',
    range,
    'hidden by a later forged line of the range',
    ['block', 'montreal/0-255'],
    (file) => {
      hide(file, 50, '60')
      changeCommitted(file, 'montreal', 60, (entry) => {
        entry.access.action = 'redaction'
        entry.access.phase = 'intent'
        entry.access.note = { redacts: '50', 'redacts-organisation': '-', 'redacts-patient': '-' }
      })
    },
  ),
  exportCase(
    'filtered',
    filtered,
    'redaction entry left out',
    ['redaction-missing', 'montreal/11'],
    (file) => {
      file.lines.splice(lineAt(file, 'montreal', 302), 1)
    },
  ),
  exportCase('range', redactedTwice, 'redaction twice', ['redaction-duplicate', 'montreal/29'], () => {}),
  exportCase(
    'range',
    refusedRange,
    'redaction by an entry that was refused',
    ['redaction-missing', 'montreal/3'],
    () => {},
  ),
  exportCase(
    'patient chain',
    displacedChain,
    'redaction that gives the entry another place',
    ['chain-order', 'montreal/50'],
    () => {},
  ),
]

// --- chains ---

const lineOf38 = filtered.lines[lineAt(filtered, 'montreal', 38)] as string

const chains: readonly Case[] = [
  exportCase('organisation chain', organisationChain, 'chain gap', ['chain-gap', 'montreal/42'], (file) => {
    file.lines.splice(lineAt(file, 'montreal', 38), 1)
  }),
  exportCase(
    'organisation chain',
    organisationChain,
    'chain reorder',
    ['chain-gap', 'montreal/42'],
    (file) => {
      const at = lineAt(file, 'montreal', 38)
      file.lines.splice(at, 2, file.lines[at + 1] as string, file.lines[at] as string)
    },
  ),
  exportCase(
    'patient chain',
    patientChain,
    'first entry of a chain taken out',
    ['chain-gap', 'quebec/9'],
    (file) => {
      file.lines.splice(lineAt(file, 'quebec', 3), 1)
    },
  ),
  exportCase(
    'patient chain',
    patientChain,
    'all of a chain in one log taken out',
    ['chain-head', 'montreal'],
    (file) => {
      file.lines = file.lines.filter((line) => !line.includes('"log":"montreal"'))
    },
  ),
  exportCase('patient chain', patientChain, 'all lines taken out', ['chain-head', 'montreal'], (file) => {
    file.lines = []
  }),
  exportCase(
    'patient chain',
    patientChain,
    'entry of another patient put in',
    ['chain-key', 'montreal/38'],
    (file) => {
      file.lines.splice(lineAt(file, 'montreal', 40), 0, lineOf38)
    },
  ),
  exportCase(
    'patient chain',
    patientChain,
    'entry after a gap renumbered',
    ['inclusion', 'montreal/53'],
    (file) => {
      file.lines.splice(lineAt(file, 'montreal', 47), 1)
      changeCommitted(file, 'montreal', 53, ({ chains }) => {
        chains.patient = { count: String(Number(chains.patient?.count) - 1), previous: '40' }
      })
    },
  ),
  exportCase(
    'patient chain',
    patientChain,
    'entry moved into the part of another log',
    ['log', 'quebec/3'],
    (file) => {
      const [line] = file.lines.splice(lineAt(file, 'quebec', 3), 1)
      file.lines.splice(lineAt(file, 'montreal', 47), 0, line as string)
    },
  ),
]

export const chainCases: readonly Case[] = [...redactions, ...chains]
