/** Each way to change an export is told by its code and its place (`docs/audit-log.md` §5). */
import { describe, expect, test } from 'vitest'
import { base64url } from '../../../../src/audit/base64url.ts'
import {
  chainExport,
  entryLine,
  filteredExport,
  ndjson,
  policyText,
  rangeExport,
  redactedLine,
  type SampleExport,
  type SampleHeaderLog,
  sampleLog,
} from './sample-files.ts'
import { ed25519Cosigner, ed25519Key, signNote } from './sample-keys.ts'
import { SampleLog } from './sample-log.ts'
import { copyOf, expectFault, verifyExport, verifyText } from './support.ts'

const montreal = sampleLog('montreal', 600, true)
const quebec = sampleLog('quebec', 30)
const parts = [{ log: montreal }, { log: quebec }]
const range = await rangeExport(parts)
const part = await rangeExport([{ log: montreal, first: 5, end: 590 }])
const chain = await chainExport('patient', 'p3', parts)
const filtered = await filteredExport(parts, (index) => index % 3 === 0)

type Change = (file: SampleExport) => void
type Case = readonly [what: string, code: string, place: string, change: Change]

const logOf = (file: SampleExport, i = 0): SampleHeaderLog => file.header.logs[i] as SampleHeaderLog

/** Where the line of an entry is. */
const at = (file: SampleExport, log: string, index: number): number => {
  const found = file.lines.findIndex(
    (line) =>
      line.includes(`"index":"${index}","log":"${log}"`) ||
      (line.startsWith(`{"index":"${index}",`) && line.includes(`"log":"${log}"`)),
  )
  expect(found).not.toBe(-1)
  return found
}

const edit = (log: string, index: number, change: (line: string) => string): Change => {
  return (file) => {
    const i = at(file, log, index)
    const line = file.lines[i] as string
    file.lines[i] = change(line)
    expect(file.lines[i]).not.toBe(line)
  }
}

const remove = (log: string, index: number, count = 1): Change => {
  return (file) => {
    file.lines.splice(at(file, log, index), count)
  }
}

const flip = (text: string, from: number): string => {
  const other = text[from] === 'A' ? 'B' : 'A'
  return text.slice(0, from) + other + text.slice(from + 1)
}

const check = (original: SampleExport, cases: readonly Case[]): void => {
  test.each(cases)('%s: %s at %s', async (_, code, place, change) => {
    const file = copyOf(original)
    change(file)
    expectFault(await verifyExport(file), code, place)
  })
}

describe('the header', () => {
  check(range, [
    ['another format', 'format', 'file', ({ header }) => (header.format = 'dossier-export/0')],
    ['no logs', 'format', 'line 1', ({ header }) => (header.logs = [])],
    ['a size that is none', 'format', 'line 1', (file) => (logOf(file).size = '07')],
    ['a note that is none', 'format', 'line 1', (file) => (logOf(file).checkpoint = 'x\n\n— y')],
    ['a part that ends before it begins', 'header', 'montreal', (file) => (logOf(file).first = '604')],
    ['a part past the log', 'header', 'quebec', (file) => (logOf(file, 1).end = '31')],
    ['a log twice', 'header', 'montreal', ({ header }) => (header.logs[1] = logOf({ header, lines: [] }))],
    ['no checkpoint', 'header', 'quebec', (file) => (logOf(file, 1).checkpoint = null)],
    [
      'a checkpoint of an empty log',
      'header',
      'quebec',
      (file) => (logOf(file, 1).size = logOf(file, 1).end = '0'),
    ],
    [
      'a hash too many before the part',
      'header',
      'montreal',
      (file) => logOf(file).before.push(base64url(new Uint8Array(32))),
    ],
    ['a malformed key', 'key', 'montreal', (file) => (logOf(file).keys[0] = 'montreal+00000000+AA')],
    ['a key of another log', 'key', 'quebec', (file) => (logOf(file, 1).keys = logOf(file).keys)],
    ['no Ed25519 key', 'key', 'quebec', (file) => logOf(file, 1).keys.shift()],
    ['another name of a log', 'header', 'laval', (file) => (logOf(file, 1).log = 'laval')],
    [
      'the checkpoint of another log',
      'origin',
      'quebec',
      (file) => (logOf(file, 1).checkpoint = montreal.checkpoint()),
    ],
    [
      'a checkpoint by another key',
      'signature-missing',
      'quebec',
      (file) => {
        logOf(file, 1).checkpoint = signNote(quebec.checkpointText(), [ed25519Key(quebec.origin, 'thief')])
      },
    ],
    [
      'a checkpoint without signatures',
      'format',
      'line 1',
      (file) => {
        logOf(file, 1).checkpoint = quebec.checkpointText()
      },
    ],
    [
      'another size in the checkpoint',
      'signature-invalid',
      'quebec',
      (file) => {
        logOf(file, 1).checkpoint = quebec.checkpoint().replace('\n30\n', '\n31\n')
      },
    ],
    [
      'a cosignature of the log’s own second key over another text',
      'signature-invalid',
      'quebec',
      (file) => {
        const other = quebec.keys[1].sign(quebec.checkpointText(29))
        logOf(file, 1).checkpoint = signNote(quebec.checkpointText(), [
          quebec.keys[0],
          { ...quebec.keys[1], sign: () => other },
        ])
      },
    ],
    [
      'a signature twice',
      'signature-duplicate',
      'quebec',
      (file) => {
        logOf(file, 1).checkpoint = signNote(quebec.checkpointText(), [quebec.keys[0], quebec.keys[0]])
      },
    ],
    [
      'a checkpoint from before the export',
      'checkpoint-older',
      'quebec',
      (file) => (logOf(file, 1).checkpoint = quebec.checkpoint(29)),
    ],
    [
      'a signed text that is no checkpoint',
      'format',
      'line 1',
      (file) => {
        logOf(file, 1).checkpoint = signNote(`${quebec.origin}\nno size\n`, [quebec.keys[0]])
      },
    ],
  ])

  test('is named when the file has nothing else', async () => {
    expectFault(await verifyText(''), 'format', 'file')
    expectFault(await verifyText('{"format":"dossier-export/1"'), 'format', 'file')
    expectFault(await verifyText('\n\n{"format":"dossier-export/1"}\n'), 'format', 'line 3')
    expectFault(await verifyText('date;heure;patient\n'), 'format', 'file')
  })
})

describe('a policy', () => {
  test('refuses keys it does not name', async () => {
    const policy = policyText([montreal], 0)
    expectFault(await verifyExport(range, { policy }), 'key', 'quebec')
  })

  test('asks for its quorum of witnesses, and a cosignature by a thief of a name is invalid', async () => {
    const file = copyOf(range)
    const [w1, w2] = montreal.witnesses
    const cosigned = (log: SampleLog, ...keys: NonNullable<typeof w1>[]): string =>
      signNote(log.checkpointText(), [...log.keys, ...keys])
    if (w1 === undefined || w2 === undefined) throw new Error('the sample has witnesses')
    logOf(file, 1).checkpoint = cosigned(quebec, w1)
    expectFault(await verifyExport(file, { policy: policyText([montreal, quebec], 2) }), 'quorum', 'quebec')
    const stolen = ed25519Cosigner(w2.name, 'thief').sign(quebec.checkpointText())
    const forged = { ...w2, sign: (text: string) => ({ ...w2.sign(text), signature: stolen.signature }) }
    logOf(file, 1).checkpoint = cosigned(quebec, w1, forged)
    expectFault(
      await verifyExport(file, { policy: policyText([montreal, quebec], 2) }),
      'signature-invalid',
      'quebec',
    )
  })

  test('that is none is named itself', async () => {
    expectFault(await verifyExport(range, { policy: '\nlog x\n' }), 'format', 'line 2', 'policy')
    expectFault(await verifyExport(range, { policy: '# nothing' }), 'format', 'file', 'policy')
  })
})

describe('a known checkpoint', () => {
  const fork = sampleLog('montreal', 590)

  test('of the same size and another root is a fork', async () => {
    fork.entries.length = 0
    for (let i = 0; i < 603; i += 1) fork.appendText(`other ${i}`)
    expectFault(await verifyExport(range, { known: [fork.checkpoint()] }), 'known-fork', 'montreal')
  })

  test('that the proof does not lead from is a fork', async () => {
    const file = await rangeExport([{ log: montreal, known: 100 }])
    const other = new SampleLog('montreal')
    for (let i = 0; i < 100; i += 1) other.appendText(`other ${i}`)
    expectFault(await verifyExport(file, { known: [other.checkpoint()] }), 'known-fork', 'montreal')
  })

  test('without a proof from it, or newer than the file, leaves it open', async () => {
    const file = await rangeExport([{ log: sampleLog('montreal', 590), known: 100 }])
    expectFault(await verifyExport(file, { known: [montreal.checkpoint(101)] }), 'known-unproved', 'montreal')
    expectFault(await verifyExport(file, { known: [montreal.checkpoint(600)] }), 'known-unproved', 'montreal')
  })

  test('that the log did not sign says nothing, and is named itself', async () => {
    const known = signNote(montreal.checkpointText(100), [ed25519Key(montreal.origin, 'thief')])
    expectFault(
      await verifyExport(range, { known: [montreal.checkpoint(), known] }),
      'signature-missing',
      'montreal',
      1,
    )
    expectFault(await verifyExport(range, { known: ['no checkpoint'] }), 'format', 'file', 0)
  })
})

describe('the lines of a range', () => {
  check(range, [
    [
      'a changed entry',
      'leaf',
      'montreal/17',
      edit('montreal', 17, (line) => line.replace('"status":200', '"status":201')),
    ],
    ['a changed salt', 'leaf', 'montreal/17', edit('montreal', 17, (line) => flip(line, line.length - 20))],
    ['a changed leaf', 'leaf', 'montreal/17', edit('montreal', 17, (line) => flip(line, line.length - 80))],
    [
      'an index that lies',
      'leaf',
      'montreal/17',
      edit('montreal', 17, (line) => line.replace('"index":"17"', '"index":"18"')),
    ],
    [
      'a log that lies',
      'leaf',
      'quebec/0',
      edit('quebec', 0, (line) => line.replace('"log":"quebec"', '"log":"nowhere"')),
    ],
    ['half a line', 'format', 'montreal/17', edit('montreal', 17, (line) => line.slice(0, 300))],
    [
      'a member too many',
      'format',
      'montreal/17',
      edit('montreal', 17, (line) => line.replace('{', '{"a":1,')),
    ],
    [
      'a leaf that is no base64url',
      'format',
      'montreal/17',
      edit('montreal', 17, (line) => line.replace('"leaf":"A', '"leaf":"=')),
    ],
    [
      'a redaction that names no index',
      'format',
      'montreal/3',
      edit('montreal', 3, (line) => line.replace(/"redacted":"\d+"/, '"redacted":"-1"')),
    ],
    ['an entry left out', 'index-missing', 'montreal/17', remove('montreal', 17)],
    ['the last entry of a log left out', 'truncated', 'montreal/602', remove('montreal', 602)],
    [
      'an entry twice',
      'index-duplicate',
      'montreal/17',
      (file) => {
        const i = at(file, 'montreal', 17)
        file.lines.splice(i, 0, file.lines[i] as string)
      },
    ],
    [
      'an older entry again',
      'index-order',
      'montreal/7',
      (file) => {
        file.lines.splice(at(file, 'montreal', 17), 0, entryLine(montreal, 7))
      },
    ],
    [
      'two entries exchanged',
      'index-order',
      'montreal/17',
      (file) => {
        const i = at(file, 'montreal', 17)
        const [line] = file.lines.splice(i, 1)
        file.lines.splice(i + 1, 0, line as string)
      },
    ],
    [
      'an entry of a later log among them',
      'log',
      'quebec/3',
      (file) => {
        file.lines.splice(at(file, 'montreal', 17), 0, entryLine(quebec, 3))
      },
    ],
    [
      'an entry of an earlier log among them',
      'log',
      'montreal/17',
      (file) => {
        file.lines.splice(at(file, 'quebec', 17), 0, entryLine(montreal, 17))
      },
    ],
    [
      'an entry of a log that is not covered',
      'log',
      'laval/0',
      (file) => {
        const laval = sampleLog('laval', 1)
        file.lines.splice(at(file, 'quebec', 17), 0, entryLine(laval, 0))
      },
    ],
    [
      'the block of another log',
      'log',
      'line 262',
      (file) => {
        const i = file.lines.findIndex((line) => line.startsWith('{"block"'))
        file.lines[i] = (file.lines[i] as string).replace('montreal', 'laval')
        file.lines.splice(i + 1, 0)
        expect(i + 2).toBe(258)
        file.lines.splice(0, 0, '', '', '', '')
      },
    ],
    ['the end cut off', 'truncated', 'quebec/20', (file) => (file.lines.length = at(file, 'quebec', 20))],
    ['a whole log cut off', 'truncated', 'quebec/0', (file) => (file.lines.length = at(file, 'quebec', 0))],
    [
      'an entry more than the range has',
      'index-outside',
      'quebec/30',
      (file) => {
        const more = sampleLog('quebec', 31)
        file.lines.push(entryLine(more, 30))
      },
    ],
    [
      'the last entry again',
      'index-duplicate',
      'quebec/29',
      (file) => file.lines.push(file.lines.at(-1) as string),
    ],
    [
      'the hash of a block',
      'block',
      'montreal/256-511',
      (file) => {
        const i = file.lines.findIndex((line) => line.startsWith('{"block":["256"'))
        file.lines[i] = flip(file.lines[i] as string, 40)
      },
    ],
    [
      'a block before its end',
      'format',
      'montreal/253',
      (file) => {
        const i = file.lines.findIndex((line) => line.startsWith('{"block":["0"'))
        const [line] = file.lines.splice(i, 1)
        file.lines.splice(i - 3, 0, line as string)
      },
    ],
    ['the last entry of a block left out', 'index-missing', 'montreal/255', remove('montreal', 255)],
    [
      'a block twice',
      'format',
      'montreal/256',
      (file) => {
        const i = file.lines.findIndex((line) => line.startsWith('{"block"'))
        file.lines.splice(i, 0, file.lines[i] as string)
      },
    ],
    [
      'a proof where none is due',
      'format',
      'montreal/17',
      edit('montreal', 17, (line) => line.replace('"salt"', '"proof":[],"salt"')),
    ],
    [
      'a member twice',
      'format',
      'montreal/17',
      edit('montreal', 17, (line) => line.replace('"leaf":"', '"leaf":"","leaf":"')),
    ],
    [
      'a block that is none',
      'format',
      'montreal/256',
      (file) => {
        const i = file.lines.findIndex((line) => line.startsWith('{"block":["0"'))
        file.lines[i] = (file.lines[i] as string).replace('"256"', '"255"')
      },
    ],
    [
      'a redacted leaf',
      'block',
      'montreal/0-255',
      edit('montreal', 10, (line) => flip(line, line.indexOf('"leaf":"') + 20)),
    ],
    [
      'a redaction that names an open entry',
      'redaction-missing',
      'montreal/10',
      edit('montreal', 10, (line) => line.replace('"41"', '"42"')),
    ],
    [
      'a redaction that names another one',
      'redaction-other',
      'montreal/10',
      edit('montreal', 10, (line) => line.replace('"41"', '"20"')),
    ],
    [
      'an entry made to look redacted',
      'redaction-missing',
      'montreal/30',
      edit('montreal', 30, () => redactedLine(montreal, 30).replace('"null"', '"99"')),
    ],
  ])

  check(part, [
    [
      'a hash before the part',
      'root',
      'montreal',
      (file) => {
        logOf(file).before[1] = base64url(new Uint8Array(32))
      },
    ],
    [
      'a hash after the part',
      'root',
      'montreal',
      (file) => {
        logOf(file).after[0] = base64url(new Uint8Array(32))
      },
    ],
    [
      'the leaf of a redacted line outside whole blocks is not covered by a block',
      'root',
      'montreal',
      edit('montreal', 10, (line) => flip(line, line.indexOf('"leaf":"') + 20)),
    ],
    ['the redaction entry from beyond left out', 'redaction-missing', 'montreal/11', remove('montreal', 602)],
    [
      'another entry from beyond',
      'index-outside',
      'montreal/595',
      (file) => file.lines.splice(-1, 0, entryLine(montreal, 595)),
    ],
    [
      'the redaction entry from beyond without its proof',
      'index-outside',
      'montreal/602',
      (file) => {
        file.lines[file.lines.length - 1] = entryLine(montreal, 602)
      },
    ],
    [
      'a wrong proof',
      'inclusion',
      'montreal/602',
      edit('montreal', 602, (line) => flip(line, line.indexOf('"proof":["') + 12)),
    ],
    [
      'a proof too short',
      'inclusion',
      'montreal/602',
      edit('montreal', 602, (line) => line.replace(/,"[^"]+"\],"salt"/, '],"salt"')),
    ],
    [
      'half of the last line',
      'format',
      `line ${part.lines.length + 1}`,
      edit('montreal', 602, (line) => line.slice(0, 300)),
    ],
  ])

  test('a line without end is refused without being held', async () => {
    const endless = `${ndjson(range).split('\n').slice(0, 3).join('\n')}\n${' '.repeat(3 * 1024 * 1024)}`
    expectFault(await verifyText(endless), 'format', 'montreal/2')
  })

  test('bytes that are no text are told as such', async () => {
    const bytes = new TextEncoder().encode(ndjson(range))
    bytes[bytes.length - 5000] = 0xff
    expectFault(await verifyText(bytes), 'unreadable', 'file')
  })
})

describe('what a log committed to wrongly', () => {
  const committed = async (change: (text: string) => string, index = 7): Promise<SampleExport> => {
    const log = sampleLog('montreal', 12)
    const { text } = log.entry(index)
    log.entries.length = index
    log.appendText(change(text))
    for (const rest of sampleLog('montreal', 12).entries.slice(index + 1)) log.appendText(rest.text)
    return await rangeExport([{ log }])
  }

  test.each<[string, string, (text: string) => string]>([
    ['another version', 'entry', (text) => text.replace('"v":1', '"v":2')],
    ['a member more', 'entry', (text) => text.replace('"v":1', '"v":1,"w":0')],
    ['a place without a patient', 'entry', (text) => text.replace('"patient":"p1"', '"patient":null')],
    ['a patient without a place', 'entry', (text) => text.replace(/"patient":\{[^}]*\}/, '"patient":null')],
    ['a first place with a predecessor', 'entry', (text) => text.replace('"count":"2"', '"count":"1"')],
    ['a predecessor after it', 'entry', (text) => text.replace('"previous":"1"', '"previous":"9"')],
    ['a count with a leading zero', 'entry', (text) => text.replace('"count":"2"', '"count":"02"')],
    ['no accessor', 'entry', (text) => text.replace('"who":', '"whom":')],
    ['a month that is none', 'entry', (text) => text.replace('2026-11-', '2026-13-')],
    ['no index', 'entry', (text) => text.replace('"index"', '"indes"')],
    ['a time before the last one', 'time', (text) => text.replace('T09:', 'T08:')],
  ])('%s', async (_, code, change) => {
    expectFault(await verifyExport(await committed(change)), code, 'montreal/7')
  })

  test('a text that is not canonical gives another leaf when it is read as it should be written', async () => {
    const file = await committed((text) => text.replace('"v":1', '"v": 1'))
    expectFault(await verifyExport(file), 'leaf', 'montreal/7')
    const twice = await committed((text) => text.replace('"status":200', '"status":404,"status":200'))
    // Two readers would see two entries.
    expectFault(await verifyExport(twice), 'format', 'montreal/7')
  })

  test('two redactions of one entry', async () => {
    const log = sampleLog('montreal', 12)
    const first = log.redact(4)
    log.redact(4)
    log.entry(4).redacted = first
    expectFault(await verifyExport(await rangeExport([{ log }])), 'redaction-duplicate', 'montreal/13')
  })

  test('a redaction of a redaction leaves the first one without its entry', async () => {
    const log = sampleLog('montreal', 12)
    log.redact(4)
    log.redact(12)
    expectFault(await verifyExport(await rangeExport([{ log }])), 'redaction-missing', 'montreal/4')
  })

  test('a refused redaction redacts nothing', async () => {
    const log = sampleLog('montreal', 12)
    log.redact(4, { more: { decision: { outcome: 'deny', reason: 'no-right', detail: null } } })
    expectFault(await verifyExport(await rangeExport([{ log }])), 'redaction-missing', 'montreal/4')
  })
})

describe('a chain', () => {
  const indices = montreal.chainIndices('patient', 'p3')
  const nth = (n: number): number => indices[n] as number
  const last = indices.at(-1) as number

  check(chain, [
    ['an entry left out', 'chain-gap', `montreal/${nth(6)}`, remove('montreal', nth(5))],
    [
      'the first entry left out',
      'chain-gap',
      `quebec/${quebec.chainIndices('patient', 'p3')[1]}`,
      remove('quebec', 3),
    ],
    ['the newest entry left out', 'chain-head', 'montreal', remove('montreal', last)],
    ['all of a log left out', 'chain-head', 'quebec', (file) => (file.lines.length = at(file, 'quebec', 3))],
    [
      'an entry twice',
      'index-duplicate',
      `montreal/${nth(5)}`,
      (file) => {
        const i = at(file, 'montreal', nth(5))
        file.lines.splice(i, 0, file.lines[i] as string)
      },
    ],
    [
      'two entries exchanged',
      'chain-gap',
      `montreal/${nth(6)}`,
      (file) => {
        const i = at(file, 'montreal', nth(5))
        const [line] = file.lines.splice(i, 1)
        file.lines.splice(i + 1, 0, line as string)
      },
    ],
    [
      'a line without its proof',
      'format',
      'line 10',
      (file) => {
        file.lines[8] = (file.lines[8] as string).replace(/"proof":\[[^\]]*\],/, '')
      },
    ],
    [
      'a changed entry',
      'leaf',
      `montreal/${nth(5)}`,
      edit('montreal', nth(5), (line) => line.replace('"status":200', '"status":201')),
    ],
    [
      'a path of another entry',
      'inclusion',
      `montreal/${nth(5)}`,
      edit('montreal', nth(5), (line) => flip(line, line.indexOf('"proof":["') + 12)),
    ],
    ['a redaction entry left out', 'redaction-missing', 'montreal/3', remove('montreal', 20)],
    [
      'the head of another patient',
      'chain-key',
      'montreal',
      (file) => (logOf(file).heads[0] = montreal.head('patient', 'p4')),
    ],
    [
      'the head of an organisation',
      'chain-key',
      'montreal',
      (file) => (logOf(file).heads[0] = montreal.head('organisation', 'p3')),
    ],
    [
      'an older head',
      'chain-key',
      'montreal',
      (file) => (logOf(file).heads[0] = montreal.head('patient', 'p3', 400)),
    ],
    [
      'the head of another log',
      'origin',
      'montreal',
      (file) => (logOf(file).heads[0] = quebec.head('patient', 'p3')),
    ],
    [
      'a head by a thief',
      'signature-missing',
      'montreal',
      (file) => {
        logOf(file).heads[0] = signNote(montreal.headText('patient', 'p3'), [
          ed25519Key(montreal.origin, 'thief'),
        ])
      },
    ],
    [
      'a smaller count in the head',
      'signature-invalid',
      'montreal',
      (file) => {
        logOf(file).heads[0] = montreal.head('patient', 'p3').replace(`count ${indices.length}`, 'count 1')
      },
    ],
    [
      'a head signed twice',
      'signature-duplicate',
      'montreal',
      (file) => {
        logOf(file).heads[0] = signNote(montreal.headText('patient', 'p3'), [
          montreal.keys[0],
          montreal.keys[0],
        ])
      },
    ],
    ['no head', 'header', 'quebec', (file) => (logOf(file, 1).heads = [])],
    ['a part of the log', 'header', 'quebec', (file) => (logOf(file, 1).end = '29')],
    ['no patient in the filters', 'format', 'line 1', ({ header }) => (header.filters = {})],
    ['no list', 'list', 'file', ({ header }) => (header.list = null)],
  ])

  test('an entry of another patient', async () => {
    const file = copyOf(chain)
    const other = await chainExport('patient', 'p4', [{ log: montreal }])
    file.lines.splice(1, 0, other.lines[0] as string)
    const [first] = montreal.chainIndices('patient', 'p4')
    expectFault(await verifyExport(file), 'chain-key', `montreal/${first}`)
  })

  test('places that go back, or leave one out, as the log gave them', async () => {
    const changed = async (from: RegExp, to: string): Promise<SampleExport> => {
      const log = sampleLog('montreal', 40)
      const texts = log.entries.map(({ text }) => text)
      log.entries.length = 0
      for (const [i, text] of texts.entries()) log.appendText(i === 15 ? text.replace(from, to) : text)
      return await chainExport('patient', 'p3', [{ log }])
    }
    const place = /"patient":\{"count":"3","previous":"9"\}/
    expectFault(
      await verifyExport(await changed(place, '"patient":{"count":"2","previous":"9"}')),
      'chain-order',
      'montreal/15',
    )
    expectFault(
      await verifyExport(await changed(place, '"patient":{"count":"3","previous":"3"}')),
      'chain-order',
      'montreal/15',
    )
    expectFault(
      await verifyExport(await changed(place, '"patient":{"count":"4","previous":"9"}')),
      'chain-gap',
      'montreal/15',
    )
  })

  test('a redacted entry of another chain does not fill a gap', async () => {
    const log = sampleLog('montreal', 40)
    log.redact(14)
    const file = await chainExport('patient', 'p3', [{ log }])
    const stray = redactedLine(log, 14, await log.inclusion(14))
    const redaction = entryLine(log, 40, await log.inclusion(40))
    file.lines.splice(2, 0, stray)
    file.lines.push(redaction)
    expectFault(await verifyExport(file), 'chain-order', 'montreal/15')
  })

  test('a redaction entry that a successor took over, which redacts nothing there', async () => {
    const log = sampleLog('montreal', 40)
    const places = { 'redacts-organisation': '-', 'redacts-patient': '8@33' }
    log.redact(39, { more: { note: { redacts: '39', 'redacts-log': 'laval', ...places } } })
    expectFault(await verifyExport(await rangeExport([{ log }])), 'redaction-missing', 'montreal/39')
  })

  test('a redaction entry that gives another place', async () => {
    const log = sampleLog('montreal', 40)
    const by = log.redact(39, {
      more: { note: { redacts: '39', 'redacts-organisation': '-', 'redacts-patient': '8@33' } },
    })
    expect(by).toBe(40)
    const file = await chainExport('patient', 'p3', [{ log }])
    expectFault(await verifyExport(file), 'chain-gap', 'montreal/39')
  })
})

describe('the list of logs', () => {
  const signed = (text: string): string => signNote(text, [montreal.keys[0]])
  const laval = new SampleLog('laval')

  check(chain, [
    [
      'a log that the export leaves out',
      'list-log',
      'laval',
      ({ header }) => {
        header.list = montreal.list([montreal, quebec, laval])
      },
    ],
    [
      'a log that is not in it',
      'list-log',
      'quebec',
      ({ header }) => (header.list = montreal.list([montreal])),
    ],
    [
      'by a log that is not covered',
      'list-signature',
      'file',
      ({ header }) => (header.list = laval.list([montreal, quebec], 700)),
    ],
    [
      'by a thief',
      'list-signature',
      'file',
      ({ header }) => {
        header.list = signNote(montreal.listText([montreal, quebec]), [ed25519Key(montreal.origin, 'thief')])
      },
    ],
    [
      'changed',
      'list-signature',
      'file',
      ({ header }) => (header.list = (header.list as string).replace('active', 'retired')),
    ],
    [
      'not sorted',
      'list',
      'file',
      ({ header }) => {
        const lines = montreal.listText([montreal, quebec]).split('\n')
        header.list = signed([...lines.slice(0, 3), lines[4], lines[3], ''].join('\n'))
      },
    ],
    [
      'with a state that is none',
      'list',
      'file',
      ({ header }) => {
        header.list = signed(montreal.listText([montreal, quebec]).replaceAll('active', 'lost'))
      },
    ],
    [
      'older than the export',
      'list',
      'montreal',
      ({ header }) => {
        header.list = montreal.list([montreal, quebec], 602)
      },
    ],
    [
      'with another key of a log',
      'list',
      'quebec',
      ({ header }) => {
        const other = ed25519Key(quebec.origin, 'other').vkey
        header.list = signed(montreal.listText([montreal, quebec]).replace(quebec.keys[0].vkey, other))
      },
    ],
  ])

  test('may have more logs than a range covers', async () => {
    const file = copyOf(range)
    file.header.list = montreal.list([montreal, quebec, laval])
    expect(await verifyExport(file)).toMatchObject({ ok: true })
    file.header.list = montreal.list([montreal])
    expectFault(await verifyExport(file), 'list-log', 'quebec')
  })
})

describe('a filtered export', () => {
  check(filtered, [
    [
      'an entry the log did not have when it began',
      'index-outside',
      'montreal/600',
      (file) => (logOf(file).size = logOf(file).end = '600'),
    ],
    [
      'an entry twice',
      'index-duplicate',
      'montreal/9',
      (file) => {
        const i = at(file, 'montreal', 9)
        file.lines.splice(i, 0, file.lines[i] as string)
      },
    ],
    [
      'a block',
      'format',
      'line 2',
      (file) => file.lines.splice(0, 0, range.lines.find((line) => line.startsWith('{"block"')) as string),
    ],
    [
      'a time before the last one',
      'index-order',
      'montreal/6',
      (file) => {
        const i = at(file, 'montreal', 6)
        const [line] = file.lines.splice(i, 1)
        file.lines.splice(i + 1, 0, line as string)
      },
    ],
  ])
})

test('a fault far down is told without reading to the end', async () => {
  let pieces = 0
  const text = ndjson(range)
  const { verify } = await import('../../../../src/audit/verify/verify.ts')
  const { nodeCrypto } = await import('../../../../src/cli/node-crypto.ts')
  const file = (async function* () {
    for (let at = 0; at < text.length; at += 10_000) {
      pieces += 1
      yield new TextEncoder().encode(text.slice(at, at + 10_000).replaceAll('"status":200', '"status":500'))
    }
  })()
  expectFault(await verify(nodeCrypto, { file }), 'leaf', 'montreal/0')
  expect(pieces).toBeLessThan(10)
})
