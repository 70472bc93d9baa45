import { ed25519Cosigner, ed25519Key, mlDsa44Key, signNote } from '../verify/sample-keys.ts'
import { type Case, type Expected, editNote, exportCase, flipped, headerOf, policyOf } from './changes.ts'
import { kinds, logs, montreal, piece, quebec, range } from './samples.ts'

const [, mlDsa44] = montreal.keys

/** Changes the checkpoint of montreal. */
const checkpointCase = (name: string, expected: Expected, change: (lines: string[]) => void): Case =>
  exportCase('range', range, name, expected, (file) => {
    const header = headerOf(file, 'montreal')
    header.checkpoint = editNote(header.checkpoint, change)
  })

/** In a checkpoint: origin, size, root, empty line, Ed25519, ML-DSA-44, three witnesses. */
const ed25519Line = 4
const firstWitness = 6

const lineOf = (note: string, at: number): string => note.split('\n')[at] as string

/** The last bit of a line's signature. */
function flipSignature(lines: string[], at: number): void {
  const [dash, name, base64] = (lines[at] as string).split(' ') as [string, string, string]
  const bytes = Buffer.from(base64, 'base64')
  bytes[bytes.length - 20] = (bytes[bytes.length - 20] as number) ^ 1
  lines[at] = `${dash} ${name} ${bytes.toString('base64')}`
}

const missing: Expected = ['signature-missing', 'montreal']
const invalid: Expected = ['signature-invalid', 'montreal']

const checkpoints: readonly Case[] = [
  checkpointCase('root changed', invalid, (lines) => {
    lines[2] = Buffer.from(
      flipped(Buffer.from(lines[2] as string, 'base64').toString('base64url')),
      'base64url',
    ).toString('base64')
  }),
  checkpointCase('root that is none', ['format', 'line 1'], (lines) => {
    lines[2] = 'AAAA'
  }),
  checkpointCase('size changed', invalid, (lines) => {
    lines[1] = '304'
  }),
  checkpointCase('size with a leading zero', ['format', 'line 1'], (lines) => {
    lines[1] = '0303'
  }),
  checkpointCase('origin changed', ['origin', 'montreal'], (lines) => {
    lines[0] = quebec.origin
  }),
  checkpointCase('note with an extension line', ['format', 'line 1'], (lines) => {
    lines.splice(3, 0, 'and 12 more')
  }),
  checkpointCase('note with a text above', ['format', 'line 1'], (lines) => {
    lines.unshift('certified copy')
  }),
  exportCase('range', range, 'extension line that the log signed', ['format', 'line 1'], (file) => {
    const text = `${montreal.checkpointText()}extension\n`
    headerOf(file, 'montreal').checkpoint = signNote(text, [montreal.keys[0]])
  }),
  exportCase('range', range, 'checkpoint of another log', ['origin', 'montreal'], (file) => {
    headerOf(file, 'montreal').checkpoint = headerOf(file, 'quebec').checkpoint
  }),
  exportCase('range', range, 'root of another tree, signed by nobody new', invalid, (file) => {
    const [text] = montreal.checkpoint(302).split('\n\n') as [string]
    const [, signatures] = montreal.checkpoint().split('\n\n') as [string, string]
    headerOf(file, 'montreal').checkpoint = `${text}\n\n${signatures}`
  }),
  exportCase(
    'range',
    range,
    'size and root of an earlier checkpoint',
    ['checkpoint-older', 'montreal'],
    (file) => {
      headerOf(file, 'montreal').checkpoint = montreal.checkpoint(302)
    },
  ),
  exportCase('piece', piece, 'checkpoint older than the file', ['checkpoint-older', 'montreal'], (file) => {
    headerOf(file, 'montreal').checkpoint = montreal.checkpoint(294)
  }),
  exportCase('range', range, 'checkpoint taken out', ['header', 'montreal'], (file) => {
    headerOf(file, 'montreal').checkpoint = null
  }),
  exportCase('range', range, 'checkpoint of an empty log', ['header', 'gaspe'], (file) => {
    headerOf(file, 'gaspe').checkpoint = signNote(montreal.checkpointText(), montreal.keys)
  }),
]

const signatures: readonly Case[] = [
  checkpointCase('signature by another key', missing, (lines) => {
    const other = signNote(montreal.checkpointText(), [ed25519Key(montreal.origin, 'another seed')])
    lines[ed25519Line] = lineOf(other, 4)
  }),
  checkpointCase('signature by another key under the key id of the log', invalid, (lines) => {
    const other = signNote(montreal.checkpointText(), [ed25519Key(montreal.origin, 'another seed')])
    const bytes = Buffer.from(lineOf(other, 4).split(' ')[2] as string, 'base64')
    const own = Buffer.from((lines[ed25519Line] as string).split(' ')[2] as string, 'base64')
    bytes.set(own.subarray(0, 4))
    lines[ed25519Line] = `— ${montreal.origin} ${bytes.toString('base64')}`
  }),
  checkpointCase('signature over another text', invalid, (lines) => {
    lines[ed25519Line] = lineOf(montreal.checkpoint(100), 4)
  }),
  checkpointCase('signature bit flipped', invalid, (lines) => flipSignature(lines, ed25519Line)),
  checkpointCase('signature duplicated', ['signature-duplicate', 'montreal'], (lines) => {
    lines.splice(5, 0, lines[ed25519Line] as string)
  }),
  // What no known key signed counts for nothing, however often.
  checkpointCase('signature of a stranger duplicated', 'verified', (lines) => {
    const stranger = signNote(montreal.checkpointText(), [ed25519Cosigner('stranger.example')])
    lines.splice(9, 0, lineOf(stranger, 4), lineOf(stranger, 4))
  }),
  checkpointCase('signature of a stranger added', 'verified', (lines) => {
    const stranger = signNote(montreal.checkpointText(), [ed25519Cosigner('stranger.example')])
    lines.splice(9, 0, lineOf(stranger, 4))
  }),
  checkpointCase('signature missing', missing, (lines) => {
    lines.splice(ed25519Line, 1)
  }),
  checkpointCase('all signatures missing', ['format', 'line 1'], (lines) => {
    lines.length = 3
    lines.push('')
  }),
  checkpointCase('signature cut short', invalid, (lines) => {
    const [dash, name, base64] = (lines[ed25519Line] as string).split(' ') as [string, string, string]
    lines[ed25519Line] = `${dash} ${name} ${Buffer.from(base64, 'base64').subarray(0, 60).toString('base64')}`
  }),
  checkpointCase('signature of the list in place of that of the checkpoint', invalid, (lines) => {
    lines[ed25519Line] = lineOf(
      signNote(montreal.listText(logs), [montreal.keys[0]]),
      -2 + montreal.list(logs).split('\n').length,
    )
  }),
]

/** Only where ML-DSA-44 can be checked. */
export const mlDsaCases: readonly Case[] = [
  checkpointCase('ML-DSA-44 signature over another size', invalid, (lines) => {
    lines[5] = lineOf(montreal.checkpoint(100), 5)
  }),
  checkpointCase('ML-DSA-44 signature bit flipped', invalid, (lines) => flipSignature(lines, 5)),
  checkpointCase('ML-DSA-44 signature by another key under the key id of the log', invalid, (lines) => {
    const other = lineOf(
      signNote(montreal.checkpointText(), [mlDsa44Key(montreal.origin, 'another seed')]),
      4,
    )
    const bytes = Buffer.from(other.split(' ')[2] as string, 'base64')
    bytes.set(Buffer.from((lines[5] as string).split(' ')[2] as string, 'base64').subarray(0, 4))
    lines[5] = `— ${montreal.origin} ${bytes.toString('base64')}`
  }),
]

const quorum: Expected = ['quorum', 'montreal']

const witnesses: readonly Case[] = [
  checkpointCase('unknown witness', quorum, (lines) => {
    const names = ['unknown.example/w1', 'unknown.example/w2']
    names.forEach((name, i) => {
      const note = signNote(montreal.checkpointText(), [ed25519Cosigner(name)])
      lines[firstWitness + i] = lineOf(note, 4)
    })
  }),
  checkpointCase('witness of the name, not the key, that is trusted', quorum, (lines) => {
    for (const i of [0, 1]) {
      const { name } = montreal.witnesses[i] as { name: string }
      const note = signNote(montreal.checkpointText(), [ed25519Cosigner(name, 'another seed')])
      lines[firstWitness + i] = lineOf(note, 4)
    }
  }),
  checkpointCase('missing quorum', quorum, (lines) => {
    lines.splice(firstWitness, 2)
  }),
  checkpointCase('cosignature over another size', invalid, (lines) => {
    lines[firstWitness] = lineOf(montreal.checkpoint(100), firstWitness)
  }),
  checkpointCase('cosignature bit flipped', invalid, (lines) => flipSignature(lines, firstWitness)),
  checkpointCase('time of a cosignature changed', invalid, (lines) => {
    const [dash, name, base64] = (lines[firstWitness] as string).split(' ') as [string, string, string]
    const bytes = Buffer.from(base64, 'base64')
    bytes[11] = (bytes[11] as number) ^ 1
    lines[firstWitness] = `${dash} ${name} ${bytes.toString('base64')}`
  }),
  checkpointCase('one cosignature counted twice', ['signature-duplicate', 'montreal'], (lines) => {
    lines[firstWitness + 1] = lines[firstWitness] as string
  }),
  {
    name: 'the log named as its own witness',
    kind: 'range',
    subject: {
      ...kinds.range,
      policy: policyOf((lines) => {
        lines[6] = `witness w1 ${montreal.keys[0].vkey}`
      }),
    },
    expected: ['format', 'line 7', 'policy'],
  },
  {
    name: 'the second key of the log named as its own witness',
    kind: 'range',
    subject: {
      ...kinds.range,
      policy: policyOf((lines) => {
        lines[6] = `witness w1 ${mlDsa44.vkey}`
      }),
    },
    expected: ['format', 'line 7', 'policy'],
  },
]

export const signedCases: readonly Case[] = [...checkpoints, ...signatures, ...witnesses]
