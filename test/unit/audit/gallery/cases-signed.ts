/** What is signed, changed: checkpoints, heads, lists, keys; witnesses; what was known before. */
import { policyText, sampleLog } from '../verify/sample-files.ts'
import { ed25519Cosigner, ed25519Key, mlDsa44Key, signNote } from '../verify/sample-keys.ts'
import { type Case, type Expected, editNote, exportCase, flipped, headerOf, policyOf } from './changes.ts'
import { emptyChain, kinds, logs, montreal, patientChain, piece, quebec, range } from './samples.ts'

/** Another history of the same log, under the same key. */
const fork = sampleLog('montreal', 90)
for (let i = fork.size; i < 303; i += 1) fork.append({ patient: 'somebody else' })

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

const heads: readonly Case[] = [
  exportCase(
    'patient chain',
    patientChain,
    'chain head of another patient',
    ['chain-key', 'montreal'],
    (file) => {
      headerOf(file, 'montreal').head = montreal.head('patient', 'p2')
    },
  ),
  exportCase(
    'patient chain',
    patientChain,
    'chain head of an organisation',
    ['chain-key', 'quebec'],
    (file) => {
      headerOf(file, 'quebec').head = quebec.head('organisation', 'p3')
    },
  ),
  exportCase('patient chain', patientChain, 'head with a lower count, signed by nobody', invalid, (file) => {
    const header = headerOf(file, 'montreal')
    header.head = editNote(header.head, (lines) => {
      lines[5] = 'count 40'
    })
  }),
  exportCase(
    'patient chain',
    patientChain,
    'head of a chain of nothing, signed by nobody',
    invalid,
    (file) => {
      const header = headerOf(file, 'montreal')
      header.head = editNote(header.head, (lines) => {
        lines.splice(5, 2, 'count 0', 'last -')
      })
    },
  ),
  exportCase('patient chain', patientChain, 'honest older head', ['chain-key', 'montreal'], (file) => {
    headerOf(file, 'montreal').head = montreal.head('patient', 'p3', 200)
  }),
  exportCase(
    'patient chain',
    patientChain,
    'honest older head, and the size it is of',
    ['chain-head', 'montreal'],
    (file) => {
      const header = headerOf(file, 'montreal')
      header.head = montreal.head('patient', 'p3', 270)
      header.size = '270'
      header.end = '270'
      file.lines = file.lines.filter((line) => !/"index":"26[39]","log":"montreal"/.test(line))
      // 275 to 299 stay, as the insider forgot them.
      file.lines = file.lines.filter((line) => !/"index":"(2[789]\d)","log":"montreal"/.test(line))
    },
  ),
  exportCase('patient chain', patientChain, 'head of another log', ['origin', 'montreal'], (file) => {
    headerOf(file, 'montreal').head = headerOf(file, 'quebec').head
  }),
  exportCase('patient chain', patientChain, 'head taken out', ['header', 'montreal'], (file) => {
    headerOf(file, 'montreal').head = null
  }),
  exportCase('patient chain', patientChain, 'head without signature', ['format', 'line 1'], (file) => {
    headerOf(file, 'montreal').head = montreal.headText('patient', 'p3')
  }),
  exportCase('patient chain', patientChain, 'head with a line more', ['format', 'line 1'], (file) => {
    const text = `${montreal.headText('patient', 'p3')}more 1\n`
    headerOf(file, 'montreal').head = signNote(text, [montreal.keys[0]])
  }),
  exportCase(
    'patient chain',
    patientChain,
    'checkpoint in the place of a head',
    ['format', 'line 1'],
    (file) => {
      headerOf(file, 'montreal').head = montreal.checkpoint()
    },
  ),
  exportCase('range', range, 'head in a file that promises no chain', ['header', 'montreal'], (file) => {
    headerOf(file, 'montreal').head = montreal.head('patient', 'p3')
  }),
  exportCase(
    'empty chain',
    emptyChain,
    'a patient of whom nothing is known made of one who is',
    ['chain-key', 'montreal'],
    (file) => {
      file.header.filters.patient = 'p3'
    },
  ),
]

const listed: Expected = ['list-signature', 'file']

const lists: readonly Case[] = [
  exportCase('patient chain', patientChain, 'log left out of the list', ['list-log', 'quebec'], (file) => {
    file.header.list = montreal.list(logs.filter(({ name }) => name !== 'quebec'))
  }),
  exportCase(
    'patient chain',
    patientChain,
    'log of the list left out of the file',
    ['list-log', 'quebec'],
    (file) => {
      file.header.logs = file.header.logs.filter(({ log }) => log !== 'quebec')
      file.lines = file.lines.filter((line) => !line.includes('"log":"quebec"'))
    },
  ),
  exportCase(
    'patient chain',
    patientChain,
    'empty log of the list left out of the file',
    ['list-log', 'gaspe'],
    (file) => {
      file.header.logs.pop()
    },
  ),
  exportCase('range', range, 'log that no list has', ['list-log', 'gaspe'], (file) => {
    file.header.list = montreal.list([montreal, quebec])
  }),
  exportCase(
    'patient chain',
    patientChain,
    'line of the list taken out, signed by nobody',
    listed,
    (file) => {
      file.header.list = editNote(file.header.list, (lines) => {
        lines.splice(3, 1)
      })
    },
  ),
  exportCase('patient chain', patientChain, 'list of an earlier size', ['list', 'montreal'], (file) => {
    file.header.list = montreal.list(logs, 302)
  }),
  exportCase('patient chain', patientChain, 'list of a later size', 'verified', (file) => {
    file.header.list = montreal.list(logs, 1_000_000)
  }),
  exportCase('piece', piece, 'list signed by a log that is not in the file', listed, (file) => {
    file.header.list = quebec.list(logs)
  }),
  exportCase('patient chain', patientChain, 'list signed by another key', listed, (file) => {
    file.header.list = signNote(montreal.listText(logs), [ed25519Key(montreal.origin, 'another seed')])
  }),
  exportCase('patient chain', patientChain, 'list without signature', ['format', 'line 1'], (file) => {
    file.header.list = montreal.listText(logs)
  }),
  exportCase('patient chain', patientChain, 'list taken out', ['list', 'file'], (file) => {
    file.header.list = null
  }),
  exportCase('patient chain', patientChain, 'list that is not sorted', ['list', 'file'], (file) => {
    const lines = montreal.listText(logs).split('\n')
    lines.splice(3, 2, lines[4] as string, lines[3] as string)
    file.header.list = signNote(lines.join('\n'), [montreal.keys[0]])
  }),
  exportCase('patient chain', patientChain, 'head in the place of the list', ['list', 'file'], (file) => {
    file.header.list = montreal.head('patient', 'p3')
  }),
]

export const signedCases: readonly Case[] = [
  ...checkpoints,
  ...signatures,
  ...witnesses,
  ...policies,
  ...knowns,
  ...heads,
  ...lists,
]
