import { ed25519Key, signNote } from '../verify/sample-keys.ts'
import { type Case, type Expected, editNote, exportCase, headerOf } from './changes.ts'
import { emptyChain, logs, montreal, patientChain, piece, quebec, range } from './samples.ts'

const heads: readonly Case[] = [
  exportCase(
    'patient chain',
    patientChain,
    'chain head of another patient',
    ['chain-key', 'montreal'],
    (file) => {
      headerOf(file, 'montreal').heads[0] = montreal.head('patient', 'p2')
    },
  ),
  exportCase(
    'patient chain',
    patientChain,
    'chain head of an organisation',
    ['chain-key', 'quebec'],
    (file) => {
      headerOf(file, 'quebec').heads[0] = quebec.head('organisation', 'p3')
    },
  ),
  exportCase(
    'patient chain',
    patientChain,
    'head with a lower count, signed by nobody',
    ['signature-invalid', 'montreal'],
    (file) => {
      const header = headerOf(file, 'montreal')
      header.heads[0] = editNote(header.heads[0] ?? null, (lines) => {
        lines[5] = 'count 40'
      })
    },
  ),
  exportCase(
    'patient chain',
    patientChain,
    'head of a chain of nothing, signed by nobody',
    ['signature-invalid', 'montreal'],
    (file) => {
      const header = headerOf(file, 'montreal')
      header.heads[0] = editNote(header.heads[0] ?? null, (lines) => {
        lines.splice(5, 2, 'count 0', 'last -')
      })
    },
  ),
  exportCase('patient chain', patientChain, 'honest older head', ['chain-key', 'montreal'], (file) => {
    headerOf(file, 'montreal').heads[0] = montreal.head('patient', 'p3', 200)
  }),
  exportCase(
    'patient chain',
    patientChain,
    'honest older head, and the size it is of',
    ['chain-head', 'montreal'],
    (file) => {
      const header = headerOf(file, 'montreal')
      header.heads[0] = montreal.head('patient', 'p3', 270)
      header.size = '270'
      header.end = '270'
      file.lines = file.lines.filter((line) => !/"index":"26[39]","log":"montreal"/.test(line))
      // 275 to 299 stay, as the insider forgot them.
      file.lines = file.lines.filter((line) => !/"index":"(2[789]\d)","log":"montreal"/.test(line))
    },
  ),
  exportCase('patient chain', patientChain, 'head of another log', ['origin', 'montreal'], (file) => {
    headerOf(file, 'montreal').heads = headerOf(file, 'quebec').heads
  }),
  exportCase('patient chain', patientChain, 'head taken out', ['header', 'montreal'], (file) => {
    headerOf(file, 'montreal').heads = []
  }),
  exportCase('patient chain', patientChain, 'head without signature', ['format', 'line 1'], (file) => {
    headerOf(file, 'montreal').heads[0] = montreal.headText('patient', 'p3')
  }),
  exportCase('patient chain', patientChain, 'head with a line more', ['format', 'line 1'], (file) => {
    const text = `${montreal.headText('patient', 'p3')}more 1\n`
    headerOf(file, 'montreal').heads[0] = signNote(text, [montreal.keys[0]])
  }),
  exportCase(
    'patient chain',
    patientChain,
    'checkpoint in the place of a head',
    ['format', 'line 1'],
    (file) => {
      headerOf(file, 'montreal').heads[0] = montreal.checkpoint()
    },
  ),
  exportCase('range', range, 'head in a file that promises no chain', ['header', 'montreal'], (file) => {
    headerOf(file, 'montreal').heads[0] = montreal.head('patient', 'p3')
  }),
  exportCase(
    'empty chain',
    emptyChain,
    'a patient of whom nothing is known made of one who is',
    ['chain-key', 'montreal'],
    (file) => {
      file.header.filters.patient = 'p3'
      file.header.chains = ['p3']
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
  // No control character to C2SP signed-note: the text is one, and not the one that was signed.
  exportCase('patient chain', patientChain, 'list with U+007F in it', listed, (file) => {
    file.header.list = (file.header.list as string).replace('active', 'activ\u007f')
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

export const statementCases: readonly Case[] = [...heads, ...lists]
