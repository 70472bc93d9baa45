/** Files as a record writes them are verified, whatever an editor or a spreadsheet did to their form. */
import { describe, expect, test } from 'vitest'
import { portableCrypto } from '../../../../src/audit/verify/portable-crypto.ts'
import { verify } from '../../../../src/audit/verify/verify.ts'
import { nodeCrypto } from '../../../../src/cli/node-crypto.ts'
import {
  chainExport,
  csv,
  csvRows,
  filteredExport,
  ndjson,
  policyText,
  publishedLog,
  publishedSite,
  rangeExport,
  type SampleExport,
  sampleLog,
  tlogProof,
} from './sample-files.ts'
import { SampleLog } from './sample-log.ts'
import {
  copyOf,
  expectFault,
  expectVerified,
  fsckSite,
  streamOf,
  verifyExport,
  verifyText,
} from './support.ts'

const montreal = sampleLog('montreal', 600, true)
const quebec = sampleLog('quebec', 30)
const empty = new SampleLog('laval')
const logs = [montreal, quebec]
const policy = policyText(logs, 2)

const exports: readonly (readonly [string, SampleExport])[] = [
  ['a whole range', await rangeExport([{ log: montreal }, { log: quebec }])],
  [
    'a part of a range',
    await rangeExport([{ log: montreal, first: 5, end: 590, size: 595 }, { log: quebec }]),
  ],
  ['a range of nothing', await rangeExport([{ log: montreal, first: 7, end: 7 }])],
  ['a range of an empty log', await rangeExport([{ log: empty }, { log: quebec }])],
  ['one block and no more', await rangeExport([{ log: montreal, first: 256, end: 512 }])],
  ['a patient’s chain', await chainExport('patient', 'p3', [{ log: montreal }, { log: quebec }])],
  ['a chain of nothing', await chainExport('patient', 'nobody', [{ log: montreal }, { log: quebec }])],
  ['an organisation’s chain', await chainExport('organisation', 'o1', [{ log: montreal }, { log: quebec }])],
  ['a filtered export', await filteredExport([{ log: montreal }, { log: quebec }], (i) => i % 3 === 0)],
]

describe.each(exports)('%s', (_, file) => {
  test('is verified, and its report is the same with either cryptography', async () => {
    const report = await verifyText(ndjson(file))
    expectVerified(report)
    expect(await verifyText(ndjson(file), {}, portableCrypto)).toEqual(report)
  })

  test('is verified as rows beside their proofs', async () => {
    expectVerified(await verifyText(csv(csvRows(file)), { proof: ndjson(file) }))
  })
})

describe('a report', () => {
  test('says what is in the file and what it rests on', async () => {
    const file = await rangeExport([{ log: montreal, first: 5, end: 590, known: 100 }])
    const known = [montreal.checkpoint(100), montreal.checkpoint()]
    expect(await verifyExport(file, { policy, known })).toMatchObject({
      ok: true,
      kind: 'range',
      trust: 'policy',
      notChecked: [],
      logs: [
        {
          log: 'montreal',
          checkpointSize: '603',
          first: '5',
          end: '590',
          // 585 of the range, and the redaction entry of 11 from beyond it.
          entries: 586,
          redacted: 2,
          keys: [expect.stringMatching(/^Ed25519 [0-9a-f]{8}$/), expect.stringMatching(/^ML-DSA-44 /)],
          witnesses: ['w1', 'w2', 'w3'],
          known: ['100', '603'],
        },
      ],
    })
  })

  test('names what could not be judged: signers whose keys are not known', async () => {
    const report = await verifyExport(await rangeExport([{ log: montreal }]))
    expect(report).toMatchObject({ ok: true, trust: 'file', logs: [{ witnesses: [] }] })
    expect(report.ok && report.notChecked).toHaveLength(3)
  })

  test('leaves the second key out where a policy names only the first', async () => {
    const only = policyText(logs, 0).replaceAll(/^log .*\+Bg?[A-Za-z0-9+/=]{1000,}\n/gm, '')
    const file = await rangeExport([{ log: montreal }])
    expect(await verifyExport(file, { policy: only })).toMatchObject({
      ok: true,
      logs: [{ keys: [expect.stringMatching(/^Ed25519/)] }],
    })
  })

  test('counts nothing that cannot be checked: without ML-DSA-44 its witness is not in the quorum', async () => {
    const { ed25519 } = nodeCrypto.signatures
    const without = { ...nodeCrypto, signatures: ed25519 === undefined ? {} : { ed25519 } }
    const file = ndjson(await rangeExport([{ log: montreal }]))
    const report = await verifyText(file, { policy }, without)
    expect(report).toMatchObject({ ok: true, logs: [{ witnesses: ['w1', 'w2'] }] })
    expect(report.ok && report.notChecked).toHaveLength(2)
    expectFault(await verifyText(file, { policy: policyText(logs, 3) }, without), 'quorum', 'montreal')
  })
})

describe('a proof of one entry', () => {
  test('is verified by the keys of a policy', async () => {
    const report = await verifyText(await tlogProof(montreal, 77), { policy })
    expect(report).toMatchObject({ ok: true, kind: 'tlog-proof', logs: [{ first: '77', end: '78' }] })
  })

  test('survives other line ends and blank lines around it', async () => {
    const text = `\ufeff\r\n${(await tlogProof(montreal, 77)).replaceAll('\n', '\r\n')}\r\n\r\n`
    expectVerified(await verifyText(text, { policy: policy.replaceAll('\n', '\r\n') }))
  })
})

describe('published tiles', () => {
  test('of all listed logs are verified, and the report is the same with either cryptography', async () => {
    const report = await fsckSite(publishedSite([...logs, empty]))
    expect(report).toMatchObject({
      ok: true,
      kind: 'tiles',
      trust: 'file',
      logs: [{ entries: 603 }, { entries: 30 }, { entries: 0 }],
    })
    expect(await fsckSite(publishedSite([...logs, empty]), {}, portableCrypto)).toEqual(report)
  })

  test('of one log are verified by a policy, and against an older checkpoint', async () => {
    const report = await fsckSite(publishedLog(montreal), { policy, known: [montreal.checkpoint(300)] })
    expect(report).toMatchObject({ ok: true, trust: 'policy', logs: [{ known: ['300'] }] })
  })

  test('may lack a partial tile that the full one has replaced', async () => {
    const older = publishedLog(montreal)
    older.set('checkpoint', new TextEncoder().encode(montreal.checkpoint(300)))
    older.set('tile/1/000.p/1', (older.get('tile/1/000.p/2') as Uint8Array).slice(0, 32))
    expectVerified(await fsckSite(older, { policy }))
  })

  test('reach to a second level of tiles', async () => {
    const large = new SampleLog('large')
    for (let i = 0; i < 256 * 256 + 300; i += 1) large.appendText(`entry ${i}`)
    expectVerified(await fsckSite(publishedSite([large])))
  })
})

describe('what an editor does to the form of a file', () => {
  const file = exports[1]?.[1] as SampleExport
  const text = ndjson(file)
  const utf16 = (endian: 'le' | 'be'): Uint8Array => {
    const bytes = Buffer.from(`\ufeff${text}`, 'utf16le')
    return endian === 'le' ? bytes : bytes.swap16()
  }
  const respaced = (line: string): string => JSON.stringify(JSON.parse(line), null, 1).replaceAll('\n', ' ')
  const reversed = (value: unknown): unknown =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(
          Object.entries(value)
            .reverse()
            .map(([name, member]) => [name, reversed(member)]),
        )
      : value
  const escaped = (line: string): string =>
    line.replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)

  test.each<[string, string | Uint8Array]>([
    ['a byte order mark', `\ufeff${text}`],
    ['line ends of Windows', text.replaceAll('\n', '\r\n')],
    ['no line end at the end', text.slice(0, -1)],
    ['blank lines', `\n \n${text.replaceAll('\n', '\n\n')}\r\n`],
    ['UTF-16, little-endian', utf16('le')],
    ['UTF-16, big-endian', utf16('be')],
    [
      'spaces between the tokens',
      text
        .split('\n')
        .map((line) => line && respaced(line))
        .join('\n'),
    ],
    [
      'members in another order',
      text
        .split('\n')
        .map((line) => line && JSON.stringify(reversed(JSON.parse(line))))
        .join('\n'),
    ],
    ['letters as escapes', escaped(text)],
  ])('%s raises no alarm', async (_, form) => {
    expectVerified(await verifyText(form))
  })

  test.each([1, 2, 3, 7, 4096])('pieces of %d bytes are one file', async (size) => {
    const small = ndjson(await rangeExport([{ log: quebec }]))
    expectVerified(await verify(nodeCrypto, { file: streamOf(`\ufeff${small}`, size) }))
    const wide = Buffer.from(`\ufeff${small}`, 'utf16le')
    expectVerified(await verify(nodeCrypto, { file: streamOf(wide, size) }))
  })

  test('a checkpoint from a mail, with other line ends, is known all the same', async () => {
    const known = `\r\n${montreal.checkpoint().replaceAll('\n', '\r\n')}\r\n`
    expect(await verifyText(text, { known: [known] })).toMatchObject({
      ok: true,
      logs: [{ known: ['603'] }, {}],
    })
  })
})

describe('what a spreadsheet does to the form of a CSV file', () => {
  const file = exports[1]?.[1] as SampleExport
  const rows = csvRows(file)
  const proof = ndjson(file)
  const quoted = rows
    .map((row) => `${row.map((field) => `"${field.replaceAll('"', '""')}"`).join(',')}\n`)
    .join('')

  test.each<[string, string | Uint8Array]>([
    ['line ends of Unix, within fields too', csv(rows, '\n').replaceAll('\r\n', '\n')],
    ['line ends of Windows, within fields too', csv(rows, '\n').replaceAll(/\r?\n/g, '\r\n')],
    ['quotes around every field', quoted],
    ['a byte order mark', `\ufeff${csv(rows)}`],
    ['UTF-16', Buffer.from(`\ufeff${csv(rows)}`, 'utf16le')],
    ['blank lines at the end', `${csv(rows)}\r\n\r\n`],
    ['no line end at the end', csv(rows).slice(0, -2)],
  ])('%s raises no alarm', async (_, form) => {
    expectVerified(await verifyText(form, { proof }))
  })

  test('the form of the proofs does not matter either', async () => {
    expectVerified(await verifyText(csv(rows), { proof: `\ufeff${proof.replaceAll('\n', '\r\n')}` }))
  })
})

test('a block line may be left out: the root needs none', async () => {
  const file = copyOf(exports[0]?.[1] as SampleExport)
  file.lines = file.lines.filter((line) => !line.startsWith('{"block"'))
  expectVerified(await verifyExport(file))
})
