/** Chains of one person under two ids in one file: what must hold of each, and that none is taken for the other. */
import { filteredExport, type SampleExport } from '../verify/sample-files.ts'
import {
  type Case,
  changeLine,
  type Expected,
  exportCase,
  headerOf,
  hide,
  lineAt,
  parseLine,
} from './changes.ts'
import { montreal, patientChain, range, unionChain } from './samples.ts'

const remove = (file: SampleExport, index: number, log = 'montreal'): void => {
  file.lines.splice(lineAt(file, log, index), 1)
}

/** Takes the lines of one key out of the part of a log. */
const removeAll = (file: SampleExport, key: string, log: string): void => {
  file.lines = file.lines.filter((text) => {
    const { entry, chain, log: of } = parseLine(text)
    return (entry?.log ?? of) !== log || (entry?.access.patient ?? chain) !== key
  })
}

const union = (name: string, expected: Expected, change: (file: SampleExport) => void): Case =>
  exportCase('union chain', unionChain, name, expected, change)

const lineOf14 = (await filteredExport([{ log: montreal }], (index) => index === 14)).lines[0] as string

export const unionCases: readonly Case[] = [
  union('entry of the first key taken out', ['chain-gap', 'montreal/22'], (file) => remove(file, 15)),
  union('entry of the second key taken out', ['chain-gap', 'montreal/29'], (file) => remove(file, 23)),
  union('entry of the second key taken out of the other log', ['chain-gap', 'quebec/10'], (file) =>
    remove(file, 4, 'quebec'),
  ),
  union('redacted entry of the second key taken out', ['chain-gap', 'montreal/16'], (file) =>
    remove(file, 10),
  ),
  union('last entry of the first key taken out', ['chain-head', 'quebec'], (file) =>
    remove(file, 21, 'quebec'),
  ),
  union('all of one key in one log taken out', ['chain-head', 'montreal'], (file) => {
    removeAll(file, 'p4', 'montreal')
    remove(file, 41)
  }),
  union(
    'all of one key in one log taken out, not what redacted one of them',
    ['chain-key', 'montreal/41'],
    (file) => removeAll(file, 'p4', 'montreal'),
  ),
  union('entry of somebody else put in', ['chain-key', 'montreal/14'], (file) => {
    file.lines.splice(lineAt(file, 'montreal', 15), 0, lineOf14)
  }),
  union('entries of the two keys exchanged', ['index-order', 'montreal/15'], (file) => {
    const at = lineAt(file, 'montreal', 15)
    file.lines.splice(at, 2, file.lines[at + 1] as string, file.lines[at] as string)
  }),
  union('entries of one key exchanged', ['chain-gap', 'montreal/22'], (file) => {
    const [one, other] = [lineAt(file, 'montreal', 15), lineAt(file, 'montreal', 22)]
    const lines = [file.lines[one] as string, file.lines[other] as string] as const
    file.lines[one] = lines[1]
    file.lines[other] = lines[0]
  }),
  union('heads of the two keys exchanged', ['chain-key', 'montreal'], (file) => {
    headerOf(file, 'montreal').heads.reverse()
  }),
  union('keys exchanged, heads not', ['chain-key', 'montreal'], (file) => {
    file.header.chains.reverse()
  }),
  union('head of the second key taken out', ['header', 'quebec'], (file) => {
    headerOf(file, 'quebec').heads.length = 1
  }),
  union('one head more', ['header', 'gaspe'], (file) => {
    const { heads } = headerOf(file, 'gaspe')
    heads.push(heads[0] as string)
  }),
  union('older head of the second key', ['chain-key', 'montreal'], (file) => {
    headerOf(file, 'montreal').heads[1] = montreal.head('patient', 'p4', 200)
  }),
  union('key taken out, its lines not', ['format', 'line 2'], (file) => {
    file.header.chains = ['p3']
    for (const { heads } of file.header.logs) heads.length = 1
  }),
  // The file is then of one key, and says so: that the two are one person the record alone knows.
  union('key taken out with all that is of it', 'verified', (file) => {
    file.header.chains = ['p3']
    for (const { log, heads } of file.header.logs) {
      heads.length = 1
      removeAll(file, 'p4', log)
    }
    remove(file, 41)
    changeLine(file, 'montreal', 3, (line) => {
      line.chain = undefined
    })
  }),
  union('key asked for taken out', ['format', 'line 1'], (file) => {
    file.header.chains = ['p4', 'p5']
  }),
  union('key twice', ['format', 'line 1'], (file) => {
    file.header.chains = ['p3', 'p3']
  }),
  union('keys that are no texts', ['format', 'line 1'], (file) => {
    file.header.chains = ['p3', 4 as unknown as string]
  }),
  union('two keys of an organisation', ['format', 'line 1'], (file) => {
    file.header.completeness = 'organisation-chain'
    file.header.filters = { organisation: 'p3' }
  }),
  union('redacted entry of the first key said to be of the second', ['chain-order', 'montreal/4'], (file) =>
    changeLine(file, 'montreal', 3, (line) => {
      line.chain = 'p4'
    }),
  ),
  union('redacted entry of the second key said to be of the first', ['chain-order', 'montreal/15'], (file) =>
    changeLine(file, 'montreal', 10, (line) => {
      line.chain = 'p3'
    }),
  ),
  union('redacted entry said to be of somebody else', ['chain-key', 'montreal/10'], (file) =>
    changeLine(file, 'montreal', 10, (line) => {
      line.chain = 'p5'
    }),
  ),
  union('redacted entry that names no chain', ['format', 'line 2'], (file) =>
    changeLine(file, 'montreal', 3, (line) => {
      line.chain = undefined
    }),
  ),
  union('redacted entry whose chain is no key', ['format', 'line 2'], (file) =>
    changeLine(file, 'montreal', 3, (line) => {
      line.chain = null
    }),
  ),
  union('entry of the second key hidden as redacted', ['redaction-other', 'montreal/16'], (file) => {
    hide(file, 16, '20')
    changeLine(file, 'montreal', 16, (line) => {
      line.chain = 'p4'
    })
  }),
  exportCase('patient chain', patientChain, 'one chain named in a line', ['format', 'line 2'], (file) =>
    changeLine(file, 'montreal', 3, (line) => {
      line.chain = 'p3'
    }),
  ),
  exportCase('range', range, 'chain named in a line of a range', ['format', 'montreal/3'], (file) =>
    changeLine(file, 'montreal', 3, (line) => {
      line.chain = 'p3'
    }),
  ),
]
