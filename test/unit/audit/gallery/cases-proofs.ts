/** Inclusion paths, in sparse exports and in proofs of one entry. */
import { base64url } from '../../../../src/audit/base64url.ts'
import { tlogProof } from '../verify/sample-files.ts'
import {
  type Case,
  changeLine,
  type Expected,
  exportCase,
  flipped,
  lineAt,
  parseLine,
  textCase,
} from './changes.ts'
import { filtered, montreal, piece, proofOf77, quebec, range } from './samples.ts'

/** The path of montreal/38, changed. */
const pathCase = (name: string, change: (path: string[]) => void): Case =>
  exportCase('filtered', filtered, name, ['inclusion', 'montreal/38'], (file) =>
    changeLine(file, 'montreal', 38, ({ proof = [] }) => change(proof)),
  )

const pathIn100 = (await montreal.inclusion(38, 100)).map(base64url)

const paths: readonly Case[] = [
  pathCase('inclusion path too short', (path) => path.pop()),
  pathCase('inclusion path too long', (path) => path.push(path[0] as string)),
  pathCase('inclusion path reordered', (path) => path.reverse()),
  pathCase('inclusion path of nothing', (path) => {
    path.length = 0
  }),
  pathCase('inclusion path bit flipped', (path) => {
    path[3] = flipped(path[3] as string)
  }),
  pathCase('inclusion path to an earlier root', (path) => {
    path.splice(0, path.length, ...pathIn100)
  }),
  exportCase(
    'filtered',
    filtered,
    'inclusion paths of two entries exchanged',
    ['inclusion', 'montreal/38'],
    (file) => {
      let path: string[] | undefined
      changeLine(file, 'montreal', 38, (line) => {
        path = line.proof
        line.proof = parseLine(file.lines[lineAt(file, 'montreal', 47)]).proof
      })
      changeLine(file, 'montreal', 47, (line) => {
        line.proof = path
      })
    },
  ),
  exportCase('filtered', filtered, 'inclusion path taken out', ['format', 'line 6'], (file) =>
    changeLine(file, 'montreal', 38, (line) => {
      delete line.proof
    }),
  ),
  exportCase(
    'piece',
    piece,
    'inclusion path of a redaction entry taken out',
    ['index-outside', 'montreal/302'],
    (file) =>
      changeLine(file, 'montreal', 302, (line) => {
        delete line.proof
      }),
  ),
  exportCase('range', range, 'inclusion path where none belongs', ['format', 'montreal/38'], (file) =>
    changeLine(file, 'montreal', 38, (line) => {
      line.proof = pathIn100
    }),
  ),
  exportCase('filtered', filtered, 'inclusion path with half a hash', ['format', 'line 6'], (file) =>
    changeLine(file, 'montreal', 38, ({ proof = [] }) => {
      proof[0] = (proof[0] as string).slice(0, 20)
    }),
  ),
]

const proofLines = proofOf77.split('\n')
/** Lines of a tlog-proof before its path. */
const pathStart = 3
const pathEnd = proofLines.indexOf('', pathStart)

const proofCase = (name: string, expected: Expected, change: (lines: string[]) => void): Case => {
  const lines = [...proofLines]
  change(lines)
  return textCase('tlog-proof', name, expected, lines.join('\n'))
}

const inclusion77: Expected = ['inclusion', 'montreal/77']

const editExtra = (lines: string[], edit: (bytes: Buffer) => Buffer): void => {
  const bytes = Buffer.from((lines[1] as string).slice('extra '.length), 'base64')
  lines[1] = `extra ${edit(bytes).toString('base64')}`
}

const tlogProofs: readonly Case[] = [
  proofCase('inclusion path too short', inclusion77, (lines) => lines.splice(pathStart, 1)),
  proofCase('inclusion path too long', inclusion77, (lines) =>
    lines.splice(pathStart, 0, lines[pathStart] as string),
  ),
  proofCase('inclusion path reordered', inclusion77, (lines) => {
    const path = lines.slice(pathStart, pathEnd)
    lines.splice(pathStart, path.length, ...path.reverse())
  }),
  proofCase('index changed', ['inclusion', 'montreal/78'], (lines) => {
    lines[2] = 'index 78'
  }),
  proofCase('index with a leading zero', ['format', 'file'], (lines) => {
    lines[2] = 'index 077'
  }),
  proofCase('index past the tree', ['inclusion', 'montreal/18446744073709551615'], (lines) => {
    lines[2] = 'index 18446744073709551615'
  }),
  proofCase('entry edited', inclusion77, (lines) =>
    editExtra(lines, (bytes) =>
      Buffer.from(bytes.toString('latin1').replace('Tremblay', 'Tremblai'), 'latin1'),
    ),
  ),
  proofCase('entry in another form of JSON', 'verified', (lines) =>
    editExtra(lines, (bytes) => Buffer.concat([bytes, Buffer.from(' ')])),
  ),
  proofCase('entry that is no JSON', ['format', 'file'], (lines) =>
    editExtra(lines, (bytes) => bytes.subarray(0, bytes.length - 1)),
  ),
  proofCase('salt changed', inclusion77, (lines) =>
    editExtra(lines, (bytes) => {
      bytes[0] = (bytes[0] as number) ^ 1
      return bytes
    }),
  ),
  proofCase('opening taken out', ['format', 'file'], (lines) => lines.splice(1, 1)),
  proofCase('size changed', ['signature-invalid', 'montreal'], (lines) => {
    lines[pathEnd + 2] = '304'
  }),
  proofCase('all signatures missing', ['format', 'file'], (lines) => {
    lines.length = pathEnd + 4
    lines.push('')
  }),
  proofCase('signature moved into the text', ['format', 'file'], (lines) => {
    const [signature] = lines.splice(pathEnd + 5, 1)
    lines.splice(pathEnd + 3, 0, signature as string)
  }),
  proofCase('truncated tail', ['format', 'file'], (lines) => {
    lines.length = pathEnd
  }),
  textCase(
    'tlog-proof',
    'checkpoint of another log',
    ['log', 'quebec/77'],
    [...proofLines.slice(0, pathEnd + 1), quebec.checkpoint()].join('\n'),
  ),
  textCase(
    'tlog-proof',
    'entry of another log under this checkpoint',
    ['log', 'montreal/77'],
    [...(await tlogProof(quebec, 7)).split('\n').slice(0, 2), ...proofLines.slice(2)].join('\n'),
  ),
]

export const proofCases: readonly Case[] = [...paths, ...tlogProofs]
