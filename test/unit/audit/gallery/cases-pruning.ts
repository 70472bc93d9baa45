import { chainExport, rangeExport, type SampleExport } from '../verify/sample-files.ts'
import { SampleLog } from '../verify/sample-log.ts'
import { type Case, changeLine, exportCase, flipped, type LineJson, lineAt, parseLine } from './changes.ts'
import {
  gatineau,
  goneChain,
  laval,
  prunedChain,
  prunedParts,
  prunedPiece,
  prunedRange,
  prunedUnion,
} from './samples.ts'

const pruning = (log: SampleLog): number => log.size - 1

/** Changes the gap of a log, or (null) takes it out. */
function changeGap(file: SampleExport, log: string, change: ((line: LineJson) => void) | null): void {
  const at = file.lines.findIndex((text) => {
    const line = parseLine(text)
    return line.count !== undefined && line.log === log
  })
  const line = parseLine(file.lines[at])
  change?.(line)
  file.lines.splice(at, 1, ...(change === null ? [] : [JSON.stringify(line)]))
}

/** Takes out the first gap of this chain. */
function takeGap(file: SampleExport, chain: string): string {
  const at = file.lines.findIndex((text) => parseLine(text).chain === chain)
  const [gap = ''] = file.lines.splice(at, 1)
  return gap
}

const takeOut = (file: SampleExport, log: string, index: number): void => {
  file.lines.splice(lineAt(file, log, index), 1)
}

const inRanges: readonly Case[] = [
  exportCase(
    'pruned range',
    prunedRange,
    'pruned by an entry that there is not',
    ['pruning-missing', 'laval/8'],
    (file) =>
      changeLine(file, 'laval', 8, (line) => {
        line.pruned = 'laval/9999'
      }),
  ),
  exportCase(
    'pruned range',
    prunedRange,
    'pruned by an entry that does something else',
    ['pruning-missing', 'laval/8'],
    (file) =>
      changeLine(file, 'laval', 8, (line) => {
        line.pruned = 'laval/70'
      }),
  ),
  exportCase(
    'pruned range',
    prunedRange,
    'a redaction passed off as a pruning',
    ['pruning-missing', 'laval/3'],
    (file) =>
      changeLine(file, 'laval', 3, (line) => {
        line.pruned = 'laval/20'
        delete line.redacted
      }),
  ),
  exportCase(
    'pruned range',
    prunedRange,
    'a pruning passed off as a redaction',
    ['redaction-missing', 'laval/8'],
    (file) =>
      changeLine(file, 'laval', 8, (line) => {
        line.redacted = String(pruning(laval))
        delete line.pruned
      }),
  ),
  exportCase(
    'pruned range',
    prunedRange,
    'an open entry past the pruned ones passed off as one of them',
    ['pruning-other', 'laval/50'],
    (file) =>
      changeLine(file, 'laval', 50, (line) => {
        Object.assign(line, { index: '50', log: 'laval', pruned: `laval/${pruning(laval)}` })
        Reflect.deleteProperty(line, 'entry')
        Reflect.deleteProperty(line, 'salt')
      }),
  ),
  exportCase(
    'pruned range',
    prunedRange,
    'pruned by the entry of another log',
    ['pruning-other', 'laval/8'],
    (file) =>
      changeLine(file, 'laval', 8, (line) => {
        line.pruned = `gatineau-2/${pruning(gatineau[1])}`
      }),
  ),
  exportCase('pruned range', prunedRange, 'a pruned line left out', ['index-missing', 'laval/8'], (file) =>
    takeOut(file, 'laval', 8),
  ),
  exportCase('pruned range', prunedRange, 'leaf of a pruned line changed', ['root', 'laval'], (file) =>
    changeLine(file, 'laval', 8, (line) => {
      line.leaf = flipped(line.leaf)
    }),
  ),
  exportCase(
    'pruned range',
    prunedRange,
    'a pruned line with a proof of its own',
    ['format', 'laval/8'],
    (file) =>
      changeLine(file, 'laval', 8, (line) => {
        line.proof = []
      }),
  ),
  exportCase(
    'pruned range',
    prunedRange,
    'a pruned line that names no entry',
    ['format', 'laval/8'],
    (file) =>
      changeLine(file, 'laval', 8, (line) => {
        line.pruned = '81'
      }),
  ),
  exportCase(
    'pruned range',
    prunedRange,
    'a pruned line that names an entry of two logs',
    ['format', 'laval/8'],
    (file) =>
      changeLine(file, 'laval', 8, (line) => {
        line.pruned = 'laval/80/81'
      }),
  ),
  exportCase('pruned range', prunedRange, 'a gap of a chain in a range', ['format', 'laval/8'], (file) => {
    const gap = { count: '2', last: '8', log: 'laval', pruned: `laval/${pruning(laval)}` }
    file.lines.splice(lineAt(file, 'laval', 8), 0, JSON.stringify(gap))
  }),
]

const beyond: readonly Case[] = [
  exportCase(
    'pruned piece',
    prunedPiece,
    'the pruning entry after the part taken out',
    ['pruning-missing', 'laval/5'],
    (file) => takeOut(file, 'laval', pruning(laval)),
  ),
  exportCase(
    'pruned piece',
    prunedPiece,
    'the pruning entry of the next log taken out',
    ['pruning-missing', 'gatineau/2'],
    (file) => takeOut(file, 'gatineau-2', 30),
  ),
  exportCase(
    'pruned piece',
    prunedPiece,
    'the pruning entry from elsewhere without its proof',
    ['index-outside', 'gatineau-2/30'],
    (file) =>
      changeLine(file, 'gatineau-2', 30, (line) => {
        line.proof = undefined
      }),
  ),
  exportCase(
    'pruned piece',
    prunedPiece,
    'the pruning entry from elsewhere with a wrong proof',
    ['inclusion', 'gatineau-2/30'],
    (file) =>
      changeLine(file, 'gatineau-2', 30, (line) => {
        const [first = '', ...rest] = line.proof ?? []
        line.proof = [flipped(first), ...rest]
      }),
  ),
  exportCase(
    'pruned piece',
    prunedPiece,
    'the pruning entry from elsewhere twice',
    ['index-duplicate', 'gatineau-2/30'],
    (file) => {
      file.lines.push(file.lines[lineAt(file, 'gatineau-2', 30)] as string)
    },
  ),
]

/** By entries that a log should not have taken, or whose note says less than it seems. */
async function notes(): Promise<readonly Case[]> {
  const cases: Case[] = []
  const add = async (
    name: string,
    by: string,
    note: Record<string, string>,
    expected: Case['expected'],
    pruned = 'amos',
  ): Promise<void> => {
    const log = new SampleLog(pruned)
    for (let i = 0; i < 12; i += 1) log.append({ patient: 'p1', organisation: 'o1' })
    const other = by === pruned ? log : new SampleLog(by)
    log.prune(8, [1], other, note)
    const parts = other === log ? [{ log }] : [{ log }, { log: other }]
    cases.push(exportCase('pruned piece', await rangeExport(parts), `range, ${name}`, expected, () => {}))
    const chain = await chainExport('patient', 'p1', parts)
    // An entry that prunes nothing has no place in a chain that is not its own.
    const isStray = typeof expected !== 'string' && expected[0] === 'pruning-missing'
    const at = isStray ? (['chain-key', `${by}/${other.size - 1}`] as const) : expected
    cases.push(exportCase('pruned piece', chain, `chain, ${name}`, at, () => {}))
  }
  await add('pruned by an entry of its own', 'amos', {}, 'verified')
  await add('pruned by an entry of its successor', 'amos-2', {}, 'verified')
  await add('pruned by an entry of a later successor', 'amos-12', {}, 'verified')
  await add('pruned by a log of another name', 'rouyn', {}, ['pruning-missing', 'amos/0'])
  await add('pruned by a log whose name is no successor’s', 'amos-1', {}, ['pruning-missing', 'amos/0'])
  await add('pruned up to past the pruning entry', 'amos', { 'prunes-to': '13' }, [
    'pruning-missing',
    'amos/0',
  ])
  await add('pruned up to less', 'amos', { 'prunes-to': '7' }, ['pruning-other', 'amos/7'])
  await add('pruned up to no number', 'amos', { 'prunes-to': '08' }, ['pruning-missing', 'amos/0'])
  await add('pruned before an earlier time', 'amos', { 'prunes-before': '2026-11-22T09:00:00.000Z' }, [
    'pruning-other',
    'amos/7',
  ])
  await add('pruned before no time', 'amos', { 'prunes-before': 'now' }, ['pruning-missing', 'amos/0'])
  await add('pruned, but of another log', 'amos-2', { 'prunes-log': 'amos-2', 'prunes-to': '0' }, [
    'pruning-other',
    'amos/7',
  ])
  return cases
}

const inChains: readonly Case[] = [
  exportCase('pruned chain', prunedChain, 'gap not told', ['chain-gap', 'laval/52'], (file) =>
    changeGap(file, 'laval', null),
  ),
  exportCase('gone chain', goneChain, 'gap at the end not told', ['chain-head', 'laval'], (file) =>
    changeGap(file, 'laval', null),
  ),
  exportCase('gone chain', goneChain, 'gap at the end made longer', ['chain-head', 'laval'], (file) =>
    changeGap(file, 'laval', (line) => {
      line.count = '2'
    }),
  ),
  exportCase('pruned chain', prunedChain, 'gap made shorter', ['chain-gap', 'laval/52'], (file) =>
    changeGap(file, 'laval', (line) => {
      line.count = String(Number(line.count) - 1)
    }),
  ),
  exportCase('pruned chain', prunedChain, 'gap made longer', ['chain-order', 'laval/52'], (file) =>
    changeGap(file, 'laval', (line) => {
      line.count = String(Number(line.count) + 1)
    }),
  ),
  exportCase('pruned chain', prunedChain, 'gap that ends elsewhere', ['chain-gap', 'laval/52'], (file) =>
    changeGap(file, 'laval', (line) => {
      line.last = '44'
    }),
  ),
  exportCase('pruned chain', prunedChain, 'gap told twice', ['index-duplicate', 'laval/48'], (file) => {
    const at = file.lines.findIndex((text) => parseLine(text).last === '48')
    file.lines.splice(at, 0, file.lines[at] as string)
  }),
  exportCase(
    'pruned chain',
    prunedChain,
    'entry after the gap passed off as gone with it',
    ['pruning-other', 'laval/52'],
    (file) => {
      takeOut(file, 'laval', 52)
      changeGap(file, 'laval', (line) => {
        Object.assign(line, { count: String(Number(line.count) + 1), last: '52' })
      })
    },
  ),
  exportCase(
    'pruned chain',
    prunedChain,
    'pruning entry of a gap taken out',
    ['pruning-missing', 'gatineau/18'],
    (file) => takeOut(file, 'gatineau-2', 30),
  ),
  exportCase('pruned chain', prunedChain, 'gap of no members', ['format', 'line 2'], (file) =>
    changeGap(file, 'laval', (line) => {
      line.count = '0'
    }),
  ),
  exportCase('pruned chain', prunedChain, 'gap of a log that is not covered', ['log', 'hull/48'], (file) =>
    changeGap(file, 'laval', (line) => {
      line.log = 'hull'
    }),
  ),
  exportCase('pruned chain', prunedChain, 'a pruned line in a chain', ['format', 'line 2'], (file) => {
    const { leaf } = parseLine(prunedRange.lines[lineAt(prunedRange, 'laval', 4)])
    const line = { index: '4', leaf, log: 'laval', pruned: `laval/${pruning(laval)}` }
    file.lines.unshift(JSON.stringify(line))
  }),
  exportCase(
    'pruned union',
    prunedUnion,
    'a gap put before where it ends',
    ['index-order', 'laval/7'],
    (file) => {
      const gap = takeGap(file, 'p0')
      file.lines.unshift(gap)
    },
  ),
  exportCase(
    'pruned union',
    prunedUnion,
    'a gap that names the other chain',
    ['chain-head', 'laval'],
    (file) =>
      changeGap(file, 'laval', (line) => {
        line.chain = 'p0'
      }),
  ),
  exportCase(
    'pruned union',
    prunedUnion,
    'a gap of a chain that is not covered',
    ['chain-key', 'laval/7'],
    (file) =>
      changeGap(file, 'laval', (line) => {
        line.chain = 'p1'
      }),
  ),
  exportCase('pruned union', prunedUnion, 'a gap that names no chain', ['format', 'line 2'], (file) =>
    changeGap(file, 'laval', (line) => {
      delete line.chain
    }),
  ),
  exportCase('pruned union', prunedUnion, 'a gap that names no text', ['format', 'line 2'], (file) =>
    changeGap(file, 'laval', (line) => {
      Object.assign(line, { chain: 0 })
    }),
  ),
  exportCase(
    'pruned union',
    prunedUnion,
    'gap of one of two chains not told',
    ['chain-gap', 'laval/52'],
    (file) => {
      takeGap(file, 'p0')
    },
  ),
  exportCase('pruned chain', prunedChain, 'a gap that names the only chain', ['format', 'line 2'], (file) =>
    changeGap(file, 'laval', (line) => {
      line.chain = 'p0'
    }),
  ),
  exportCase(
    'pruned chain',
    await chainExport('organisation', 'o2', prunedParts),
    'chain of a log of which only the end is left',
    'verified',
    () => {},
  ),
]

export const pruningCases: readonly Case[] = [...inRanges, ...beyond, ...(await notes()), ...inChains]
