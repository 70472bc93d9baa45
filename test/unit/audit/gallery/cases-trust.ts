/** What a verdict rests on: policies, keys, checkpoints known from elsewhere. */
import { policyText, sampleLog } from '../verify/sample-files.ts'
import { ed25519Key, mlDsa44Key, signNote } from '../verify/sample-keys.ts'
import { type Case, type Expected, exportCase, flipped, headerOf, policyOf } from './changes.ts'
import { fork, kinds, logs, montreal, piece, quebec, range } from './samples.ts'

const otherLogs = [sampleLog('montreal', 0), ...logs.slice(1)]

const policies: readonly Case[] = [
  {
    name: 'a policy that trusts another key of the log',
    kind: 'range',
    subject: {
      ...kinds.range,
      policy: policyOf((lines) => {
        lines[0] = `log ${ed25519Key(montreal.origin, 'another seed').vkey}`
      }),
    },
    expected: ['key', 'montreal'],
  },
  {
    name: 'a policy that does not name a log',
    kind: 'range',
    subject: { ...kinds.range, policy: policyText(otherLogs.slice(1), 0) },
    expected: ['key', 'montreal'],
  },
  {
    name: 'a policy that names only the Ed25519 keys',
    kind: 'range',
    subject: {
      ...kinds.range,
      policy: policyOf((lines) => {
        lines.splice(0, 6, ...logs.map(({ keys: [first] }) => `log ${first.vkey}`))
      }),
    },
    expected: 'verified',
  },
  exportCase('range', range, 'all of a log signed anew by keys of the insider', ['key', 'quebec'], (file) => {
    const forged = headerOf(file, 'quebec')
    const keys = [ed25519Key(quebec.origin, 'insider'), mlDsa44Key(quebec.origin, 'insider')]
    forged.keys = keys.map(({ vkey }) => vkey)
    forged.checkpoint = signNote(quebec.checkpointText(), [...keys, ...quebec.witnesses])
  }),
  exportCase(
    'piece',
    piece,
    'keys in the header that the list does not have',
    ['list', 'montreal'],
    (file) => {
      const forged = headerOf(file, 'montreal')
      const keys = [montreal.keys[0], mlDsa44Key(montreal.origin, 'insider')]
      forged.keys = keys.map(({ vkey }) => vkey)
      forged.checkpoint = signNote(montreal.checkpointText(), keys)
    },
  ),
  exportCase('range', range, 'second key taken out of the header', ['list', 'montreal'], (file) => {
    headerOf(file, 'montreal').keys.pop()
  }),
  exportCase('range', range, 'key of another log', ['key', 'montreal'], (file) => {
    headerOf(file, 'montreal').keys = headerOf(file, 'quebec').keys
  }),
  exportCase('range', range, 'key named twice', ['key', 'montreal'], (file) => {
    const { keys } = headerOf(file, 'montreal')
    keys.push(keys[0] as string)
  }),
  exportCase('range', range, 'key damaged', ['key', 'montreal'], (file) => {
    const { keys } = headerOf(file, 'montreal')
    keys[0] = (keys[0] as string).replace(/\+[0-9a-f]{8}\+/, '+00000000+')
  }),
  exportCase('range', range, 'origin changed in the header', ['key', 'montreal'], (file) => {
    headerOf(file, 'montreal').origin = 'elsewhere.example/audit/logs/montreal'
  }),
  exportCase('range', range, 'log renamed in the header', ['header', 'laval'], (file) => {
    headerOf(file, 'montreal').log = 'laval'
  }),
]

const known = (name: string, expected: Expected, texts: readonly string[]): Case => ({
  name,
  kind: 'piece',
  subject: { ...kinds.piece, known: texts },
  expected,
})

const knowns: readonly Case[] = [
  known('known checkpoint of a fork', ['known-fork', 'montreal'], [fork.checkpoint(100)]),
  known('known checkpoint of a fork of the same size', ['known-fork', 'montreal'], [fork.checkpoint(303)]),
  known(
    'known checkpoint that the file has no proof from',
    ['known-unproved', 'montreal'],
    [montreal.checkpoint(101)],
  ),
  known(
    'known checkpoint that is newer',
    ['known-unproved', 'montreal'],
    [fork.checkpoint(303).replace('\n303\n', '\n304\n')].map(resigned),
  ),
  known('known checkpoint of a log that is not there', ['known-unproved', 'quebec'], [quebec.checkpoint()]),
  known(
    'known checkpoint that nobody signed',
    ['signature-invalid', 'montreal', 0],
    [montreal.checkpoint(100).replace('\n100\n', '\n101\n')],
  ),
  known('known checkpoint that is none', ['format', 'file', 1], [montreal.checkpoint(100), 'a letter\n']),
  exportCase('piece', piece, 'consistency proof to a fork', ['known-fork', 'montreal'], (file) => {
    const { proof } = headerOf(file, 'montreal').known as { proof: string[] }
    proof[1] = flipped(proof[1] as string)
  }),
  exportCase('piece', piece, 'consistency proof too short', ['known-fork', 'montreal'], (file) => {
    headerOf(file, 'montreal').known?.proof.pop()
  }),
  exportCase('piece', piece, 'consistency proof too long', ['known-fork', 'montreal'], (file) => {
    const { proof } = headerOf(file, 'montreal').known as { proof: string[] }
    proof.push(proof[0] as string)
  }),
  exportCase('piece', piece, 'consistency proof taken out', ['known-unproved', 'montreal'], (file) => {
    headerOf(file, 'montreal').known = null
  }),
]

function resigned(note: string): string {
  const [text] = note.split('\n\n') as [string]
  return signNote(`${text}\n`, montreal.keys)
}

export const trustCases: readonly Case[] = [...policies, ...knowns]
