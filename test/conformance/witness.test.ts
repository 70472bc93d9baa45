/**
 * C2SP tlog-witness (with the clarifications of July 2026: a zero size, and 422 for two roots of one size) and
 * tlog-cosignature, against the witness over HTTP. Names quote the sentence that a test is about.
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { sha256 } from '../../src/audit/commitment.ts'
import { signatureFunctions } from '../../src/audit/signature-functions.ts'
import { encodeBase64 } from '../../src/audit/tlog/base64.ts'
import { formatCheckpoint } from '../../src/audit/tlog/checkpoint.ts'
import { emptyRoot } from '../../src/audit/tlog/hash.ts'
import {
  formatNote,
  formatSignatureLine,
  type NoteSignature,
  parseNote,
  parseSignatureLines,
  parseVerifierKey,
} from '../../src/audit/tlog/note.ts'
import { openNote } from '../../src/audit/tlog/signature.ts'
import { formatAddCheckpoint } from '../../src/audit/tlog/witness.ts'
import { startWitness, type Witness, type WitnessOptions } from '../../src/local/witness/start.ts'
import { requestOf, temporaryFolder, testLog, tree } from '../unit/local/witness/support.ts'

const log = testLog('audit.example/logs/montreal', 1)
const other = testLog('audit.example/logs/quebec', 2)
const main = tree()
/** Another history of the same log, from its fourth leaf on. */
const fork = tree({ at: 3n, leaf: 'other' })
const name = 'witness.example/w1'

async function start(options: Partial<WitnessOptions> = {}): Promise<Witness> {
  const witness = await startWitness({
    home: join(temporaryFolder(), 'home'),
    name,
    logs: [log.vkey, log.mldsa44Vkey, other.vkey],
    ...options,
  })
  onTestFinished(() => witness.stop())
  return witness
}

async function post(witness: Witness, body: string | Uint8Array) {
  const response = await fetch(`${witness.url}/add-checkpoint`, { method: 'POST', body: body as BodyInit })
  return { status: response.status, type: response.headers.get('Content-Type'), body: await response.text() }
}

const submit = async (witness: Witness, oldSize: bigint, size: bigint, history = main, of = log) =>
  await post(witness, await requestOf(of, history, oldSize, size))

const monitor = (witness: Witness, origin = log.origin): Promise<Response> =>
  fetch(`${witness.url}/${createHash('sha256').update(origin).digest('hex')}/checkpoint`)

/** The note of a size of the log with these lines. */
const noted = (size: bigint, ...lines: NoteSignature[]): string => formatNote(log.text(main, size), lines)

const broken = (line: NoteSignature): NoteSignature => ({
  ...line,
  signature: line.signature.map((byte, i) => (i === line.signature.length - 1 ? byte ^ 1 : byte)),
})

describe('tlog-witness, add-checkpoint: signatures', () => {
  test('"If the checkpoint origin is unknown, the witness MUST respond with a 404"', async () => {
    const witness = await start()
    expect(await submit(witness, 0n, 5n, main, testLog('elsewhere.example', 1))).toMatchObject({
      status: 404,
    })
  })

  test('"403 Forbidden … if … no signature from a trusted key for the origin is present"', async () => {
    const witness = await start()
    const text = log.text(main, 5n)
    const stranger = testLog('stranger.example', 3)
    const impostor = testLog(log.origin, 3)
    for (const lines of [
      [stranger.ed25519Line(text)],
      [impostor.ed25519Line(text)],
      [other.ed25519Line(text)],
    ]) {
      const body = formatAddCheckpoint({ oldSize: 0n, proof: [], checkpoint: formatNote(text, lines) })
      expect(await post(witness, body)).toMatchObject({ status: 403 })
    }
    expect((await monitor(witness)).status).toBe(404)
  })

  test('"or a signature line’s key name and ID match a trusted key but the signature itself fails to verify"', async () => {
    const witness = await start()
    const text = log.text(main, 5n)
    const ed = log.ed25519Line(text)
    const mldsa = log.mldsa44Line(text)
    for (const lines of [
      [broken(ed)],
      [ed, broken(ed)],
      [broken(mldsa)],
      [ed, broken(mldsa)],
      [broken(ed), mldsa],
      [log.ed25519Line(log.text(fork, 5n))],
      [{ ...ed, signature: ed.signature.slice(1) }],
    ]) {
      const body = formatAddCheckpoint({ oldSize: 0n, proof: [], checkpoint: noted(5n, ...lines) })
      expect(await post(witness, body)).toMatchObject({ status: 403 })
    }
  })

  test('"it MUST ignore signatures from unknown keys"; "MAY include multiple signatures", the same twice too', async () => {
    const witness = await start()
    const text = log.text(main, 5n)
    const [ed, mldsa] = [log.ed25519Line(text), log.mldsa44Line(text)]
    const stranger = broken(testLog('stranger.example', 3).ed25519Line(text))
    const impostor = broken(testLog(log.origin, 3).ed25519Line(text))
    const lines = [stranger, ed, ed, impostor, mldsa, ed, log.mldsa44Line(text, 1_700_000_001n)]
    const body = formatAddCheckpoint({ oldSize: 0n, proof: [], checkpoint: noted(5n, ...lines) })
    expect(await post(witness, body)).toMatchObject({ status: 200 })
    const kept = parseNote(await (await monitor(witness)).text()).signatures
    expect(kept.slice(0, 2)).toEqual([ed, mldsa])
    expect(kept.slice(2).map((line) => line.name)).toEqual([name, name])
  })

  test('a signature by the log’s ML-DSA-44 key alone is enough, but vouches for no extension line', async () => {
    const witness = await start()
    const plain = formatNote(log.text(main, 5n), [log.mldsa44Line(log.text(main, 5n))])
    expect(
      await post(witness, formatAddCheckpoint({ oldSize: 0n, proof: [], checkpoint: plain })),
    ).toMatchObject({ status: 200 })
    const extended = log.text(main, 5n, ['anything'])
    const [ed, mldsa] = [log.ed25519Line(extended), log.mldsa44Line(extended)]
    for (const [lines, status] of [
      [[mldsa], 403],
      [[ed, mldsa], 200],
    ] as const) {
      const checkpoint = formatNote(extended, lines)
      expect(await post(witness, formatAddCheckpoint({ oldSize: 5n, proof: [], checkpoint }))).toMatchObject({
        status,
      })
    }
  })
})

describe('tlog-witness, add-checkpoint: sizes and proofs', () => {
  test('the first checkpoint of a log is taken with old size 0 and no proof', async () => {
    const witness = await start()
    expect(await submit(witness, 0n, 5n)).toMatchObject({ status: 200 })
    expect(await submit(witness, 0n, 7n, main, other)).toMatchObject({ status: 200 })
  })

  test('"The old size MUST be equal to or lower than the checkpoint size. Otherwise … 400", before it is compared', async () => {
    const witness = await start()
    expect(await submit(witness, 6n, 5n)).toMatchObject({ status: 400 })
    await submit(witness, 0n, 6n)
    expect(await submit(witness, 6n, 5n)).toMatchObject({ status: 400 })
  })

  test('"409 Conflict": the size in decimal, a newline, text/x.tlog.size', async () => {
    const witness = await start()
    expect(await submit(witness, 2n, 5n)).toEqual({ status: 409, type: 'text/x.tlog.size', body: '0\n' })
    await submit(witness, 0n, 5n)
    for (const old of [0n, 4n, 6n]) {
      expect(await submit(witness, old, 8n)).toEqual({ status: 409, type: 'text/x.tlog.size', body: '5\n' })
    }
  })

  test('a log rolled back learns what was cosigned, and nothing smaller is cosigned', async () => {
    const witness = await start()
    await submit(witness, 0n, 100n)
    for (const [old, size] of [
      [0n, 50n],
      [40n, 50n],
      [50n, 50n],
      [99n, 99n],
    ] as const) {
      expect(await submit(witness, old, size)).toEqual({
        status: 409,
        type: 'text/x.tlog.size',
        body: '100\n',
      })
    }
    expect(parseNote(await (await monitor(witness)).text()).text).toBe(log.text(main, 100n))
  })

  test('"If the Merkle Consistency Proof doesn’t verify … 422": missing, extra, wrong, of another tree', async () => {
    const witness = await start()
    await submit(witness, 0n, 5n)
    const proof = await main.proof(5n, 13n)
    const zero = new Uint8Array(32)
    for (const wrong of [
      [],
      proof.slice(1),
      proof.slice(0, -1),
      [...proof, zero],
      [zero, ...proof.slice(1)],
      await fork.proof(5n, 13n),
      await main.proof(5n, 12n),
    ]) {
      const body = formatAddCheckpoint({ oldSize: 5n, proof: wrong, checkpoint: log.checkpoint(main, 13n) })
      expect(await post(witness, body)).toMatchObject({ status: 422 })
    }
    expect(await submit(witness, 5n, 13n, fork)).toMatchObject({ status: 422 })
    expect(await submit(witness, 5n, 13n)).toMatchObject({ status: 200 })
  })

  test('"If the old size is zero, the consistency proof MUST be empty"', async () => {
    const witness = await start()
    const body = formatAddCheckpoint({
      oldSize: 0n,
      proof: [new Uint8Array(32)],
      checkpoint: log.checkpoint(main, 5n),
    })
    expect(await post(witness, body)).toMatchObject({ status: 422 })
  })

  test('same size, same root: a fresh cosignature; a proof beside it is 422', async () => {
    let now = 1_700_000_000_000
    const witness = await start({ now: () => now })
    const first = await submit(witness, 0n, 5n)
    now += 60_000
    const second = await submit(witness, 5n, 5n)
    expect(second.status).toBe(200)
    expect(second.body).not.toBe(first.body)
    const body = formatAddCheckpoint({
      oldSize: 5n,
      proof: [new Uint8Array(32)],
      checkpoint: log.checkpoint(main, 5n),
    })
    expect(await post(witness, body)).toMatchObject({ status: 422 })
  })

  test('the same checkpoint again within a second: the same cosignature, so nobody can make it sign all the time', async () => {
    const witness = await start({ now: () => 1_700_000_000_000 })
    const first = await submit(witness, 0n, 5n)
    expect(first.status).toBe(200)
    expect(await submit(witness, 5n, 5n)).toEqual(first)
  })

  test('same size, other root: 422, and both checkpoints are shown to everybody', async () => {
    const witness = await start()
    await submit(witness, 0n, 5n)
    expect(await submit(witness, 5n, 5n, fork)).toMatchObject({ status: 422 })
    // Also when the log does not own up to the size it had.
    expect(await submit(witness, 0n, 5n, fork)).toMatchObject({ status: 409, body: '5\n' })
    expect(parseNote(await (await monitor(witness)).text()).text).toBe(log.text(main, 5n))
    const page = await (await fetch(witness.url)).text()
    expect(page).toContain(encodeBase64(main.root(5n)).replaceAll("'", '&#39;'))
    expect(page).toContain(encodeBase64(fork.root(5n)))
  })

  test('"A checkpoint of size zero MUST have the root hash of the empty tree … Otherwise … 422"', async () => {
    const witness = await start()
    const empty = formatCheckpoint({ origin: log.origin, size: 0n, root: new Uint8Array(32), extensions: [] })
    const body = formatAddCheckpoint({
      oldSize: 0n,
      proof: [],
      checkpoint: formatNote(empty, [log.ed25519Line(empty)]),
    })
    expect(await post(witness, body)).toMatchObject({ status: 422 })
    expect(main.root(0n)).toEqual(emptyRoot(sha256))
    expect(await submit(witness, 0n, 0n)).toMatchObject({ status: 200 })
    expect(await submit(witness, 0n, 5n)).toMatchObject({ status: 200 })
  })

  test('sizes past 2^53 and up to 2^64 − 1 are exact', async () => {
    const witness = await start()
    const large = 2n ** 53n
    expect(await submit(witness, 0n, large)).toMatchObject({ status: 200 })
    expect(await submit(witness, large + 1n, large + 2n)).toMatchObject({ status: 409, body: `${large}\n` })
    expect(await submit(witness, large, large + 1n)).toMatchObject({ status: 200 })
    expect(await submit(witness, large, large + 2n)).toMatchObject({ status: 409, body: `${large + 1n}\n` })
    expect(await submit(witness, large + 1n, large + 2n)).toMatchObject({ status: 200 })
    const [half, largest] = [2n ** 63n, 2n ** 64n - 1n]
    expect(await submit(witness, 0n, half, main, other)).toMatchObject({ status: 200 })
    expect(await submit(witness, half, largest, main, other)).toMatchObject({ status: 200 })
    expect(await submit(witness, half, largest, main, other)).toMatchObject({
      status: 409,
      body: `${largest}\n`,
    })
    expect(parseNote(await (await monitor(witness, other.origin)).text()).text).toBe(
      other.text(main, largest),
    )
  })
})

describe('tlog-witness, add-checkpoint: the body', () => {
  test('"The client MUST NOT send more than 63 consistency proof lines": 63 are read, 64 are 400', async () => {
    const witness = await start()
    const line = `${encodeBase64(new Uint8Array(32))}\n`
    const body = (lines: number): string => `old 0\n${line.repeat(lines)}\n${log.checkpoint(main, 5n)}`
    expect(await post(witness, body(63))).toMatchObject({ status: 422 })
    expect(await post(witness, body(64))).toMatchObject({ status: 400 })
  })

  test('anything else than "old", proof lines, an empty line and a checkpoint is 400', async () => {
    const witness = await start()
    const good = await requestOf(log, main, 0n, 5n)
    const checkpoint = log.checkpoint(main, 5n)
    for (const body of [
      '',
      '\n',
      '\n\n\n',
      good.slice(0, -1),
      good.slice(0, good.length / 2),
      `${good}\n`,
      checkpoint,
      good.replace('old 0', 'old 00'),
      good.replace('old 0', 'old -1'),
      good.replace('old 0', 'old 0x0'),
      good.replace('old 0', 'old'),
      good.replace('old 0', 'old  0'),
      good.replace('old 0', 'new 0'),
      good.replace('old 0', `old ${2n ** 64n}`),
      good.replaceAll('\n', '\r\n'),
      `old 0\nAAAA\n\n${checkpoint}`,
      `old 0\n${encodeBase64(new Uint8Array(33))}\n\n${checkpoint}`,
      `old 0\n ${encodeBase64(new Uint8Array(32))}\n\n${checkpoint}`,
      good.replace('\n5\n', '\n05\n'),
      good.replace('\n5\n', `\n${2n ** 64n}\n`),
      good.replace('\n5\n', '\n5 \n'),
      good.replace('— ', '- '),
      `\uFEFF${good}`,
      good.replace(log.origin, `${log.origin}\0`),
    ]) {
      expect(await post(witness, body), JSON.stringify(body.slice(0, 80))).toMatchObject({ status: 400 })
    }
    for (const bytes of [Uint8Array.of(0xff, 0xfe), Buffer.concat([Buffer.from(good), Buffer.of(0xc3)])]) {
      expect(await post(witness, bytes)).toMatchObject({ status: 400 })
    }
    expect(await post(witness, good)).toMatchObject({ status: 200 })
  })

  test('more than 64 KiB is 413, whether announced or not, and the witness goes on', async () => {
    const witness = await start()
    expect(await post(witness, 'a'.repeat(64 * 1024))).toMatchObject({ status: 400 })
    const socket = await tcp(witness)
    socket.write(
      `POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nTransfer-Encoding: chunked\r\n\r\n${'8000\r\n'.concat('a'.repeat(0x8000), '\r\n').repeat(3)}`,
    )
    expect(await socket.received()).toMatch(/^HTTP\/1\.1 413 /)
    expect(await submit(witness, 0n, 5n)).toMatchObject({ status: 200 })
  })

  test('"The request MUST be an HTTP POST"; other paths are 404', async () => {
    const witness = await start()
    const asked = async (path: string, method: string) => {
      const response = await fetch(`${witness.url}${path}`, { method })
      return [response.status, response.headers.get('Allow')]
    }
    expect(await asked('/add-checkpoint', 'GET')).toEqual([405, 'POST'])
    expect(await asked('/add-checkpoint', 'PUT')).toEqual([405, 'POST'])
    expect(await asked('/', 'POST')).toEqual([405, 'GET, HEAD'])
    expect(await asked('/sign-subtree', 'POST')).toEqual([404, null])
    expect(await asked('/add-checkpoint/', 'POST')).toEqual([404, null])
    expect(await asked(`/${'0'.repeat(64)}/checkpoint`, 'GET')).toEqual([404, null])
    expect(await asked('//', 'GET')).toEqual([404, null])
  })
})

describe('tlog-witness, HTTP interface', () => {
  test('"Witnesses SHOULD support HTTP keep-alive": two requests on one connection', async () => {
    const witness = await start()
    const socket = await tcp(witness)
    const ask = 'GET / HTTP/1.1\r\nHost: w\r\n\r\n'
    socket.write(ask)
    await socket.until(/<\/html>/)
    const body = await requestOf(log, main, 0n, 5n)
    socket.write(
      `POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    )
    expect((await socket.received()).match(/HTTP\/1\.1 200 /g)).toHaveLength(2)
  })

  test('a request that does not arrive is given up, one that is no HTTP is 400', async () => {
    const witness = await start({ requestMs: 200 })
    const slow = await tcp(witness)
    slow.write('POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 10\r\n\r\nold')
    expect(await slow.received()).toMatch(/^HTTP\/1\.1 408 /)
    const garbage = await tcp(witness)
    garbage.write('\0\0\0\0\r\n\r\n')
    expect(await garbage.received()).toMatch(/^HTTP\/1\.1 400 /)
    expect(await submit(witness, 0n, 5n)).toMatchObject({ status: 200 })
  })

  test('a client that goes away in the middle of its request harms nobody', async () => {
    const witness = await start()
    const gone = await tcp(witness)
    gone.write('POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 100\r\n\r\nold 0')
    gone.destroy()
    expect(await submit(witness, 0n, 5n)).toMatchObject({ status: 200 })
  })

  test('GET <monitoring prefix>/<hex sha256 of the origin>/checkpoint: the log’s lines, then the witness’s', async () => {
    const witness = await start()
    expect((await monitor(witness)).status).toBe(404)
    await submit(witness, 0n, 5n)
    const { body } = await submit(witness, 5n, 8n)
    const response = await monitor(witness)
    expect(response.headers.get('Content-Type')).toBe('text/plain; charset=utf-8')
    expect(response.headers.get('Access-Control-Allow-Origin')).toBe('*')
    expect(await response.text()).toBe(`${log.checkpoint(main, 8n)}${body}`)
    expect((await monitor(witness, other.origin)).status).toBe(404)
  })

  test('its page names it, its keys and its logs, in two languages, without scripts or anything from elsewhere', async () => {
    const witness = await start()
    await submit(witness, 0n, 5n)
    const response = await fetch(witness.url)
    const page = await response.text()
    const plus = (text: string): string => text.replaceAll("'", '&#39;')
    for (const text of [name, ...witness.vkeys, log.origin, log.vkey, other.origin])
      expect(page).toContain(plus(text))
    expect(page).toMatch(/<section lang="fr">[\s\S]*5 entrées[\s\S]*<section lang="en">[\s\S]*5 entries/)
    expect(page).not.toMatch(/<script|<img|<link|src=|https?:\/\//)
    expect(response.headers.get('Content-Security-Policy')).toContain("default-src 'none'")
    expect(response.headers.get('Set-Cookie')).toBeNull()
  })
})

describe('tlog-cosignature', () => {
  test('both keys sign the checkpoint, with the time, each under its own key', async () => {
    const witness = await start({ now: () => 1_700_000_000_999 })
    const { body } = await submit(witness, 0n, 5n)
    const keys = witness.vkeys.map((vkey) => parseVerifierKey(sha256, vkey))
    expect(keys.map(({ type }) => type)).toEqual([0x04, 0x06])
    const opened = openNote(signatureFunctions, parseNote(`${log.checkpoint(main, 5n)}${body}`), keys)
    expect(opened.verified.map(({ key, timestamp }) => [key.type, timestamp])).toEqual([
      [0x04, 1_700_000_000n],
      [0x06, 1_700_000_000n],
    ])
    // The answer is these lines and nothing else.
    expect(parseSignatureLines(body).map(formatSignatureLine).join('')).toBe(body)
  })

  test('a clock set back does not set back the time of a later statement, also after a restart', async () => {
    const home = join(temporaryFolder(), 'home')
    let now = 1_700_000_000_000
    const timeOf = ({ body }: { body: string }): bigint[] =>
      parseSignatureLines(body).map(({ signature }) => Buffer.from(signature).readBigUInt64BE())
    const witness = await start({ home, now: () => now })
    expect(timeOf(await submit(witness, 0n, 5n))).toEqual([1_700_000_000n, 1_700_000_000n])
    now -= 3_600_000
    expect(timeOf(await submit(witness, 5n, 6n))).toEqual([1_700_000_000n, 1_700_000_000n])
    await witness.stop()
    const again = await start({ home, now: () => now })
    expect(timeOf(await submit(again, 6n, 7n))).toEqual([1_700_000_000n, 1_700_000_000n])
    now += 7_200_000
    expect(timeOf(await submit(again, 7n, 8n))).toEqual([1_700_003_600n, 1_700_003_600n])
  })

  test('"The timestamp MUST NOT be zero", not even by a clock that starts in 1970', async () => {
    const witness = await start({ now: () => 0 })
    const [line] = parseSignatureLines((await submit(witness, 0n, 5n)).body)
    expect(Buffer.from(line?.signature ?? []).readBigUInt64BE()).toBe(1n)
  })
})

describe('tlog-witness, add-checkpoint: "checking … and persisting the new checkpoint must be performed atomically"', () => {
  test('many requests at once give one history', async () => {
    const witness = await start()
    await submit(witness, 0n, 5n)
    const requests = Array.from({ length: 40 }, (_, i) => ({
      history: i % 2 === 0 ? main : tree({ at: BigInt(5 + (i % 7)), leaf: `fork ${i}` }),
      size: BigInt(13 + (i % 3)),
    }))
    const answers = await Promise.all(
      requests.map(async ({ history, size }) => ({ ...(await submit(witness, 5n, size, history)), size })),
    )
    const cosigned = answers.filter(({ status }) => status === 200)
    expect(cosigned).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(39)
    expect(await (await monitor(witness)).text()).toContain(cosigned[0]?.body ?? 'nothing')
  })

  test('what was cosigned is remembered after a restart', async () => {
    const home = join(temporaryFolder(), 'home')
    const witness = await start({ home })
    await submit(witness, 0n, 5n)
    const before = await (await monitor(witness)).text()
    await witness.stop()
    const again = await start({ home, logs: [] })
    expect(again.vkeys).toEqual(witness.vkeys)
    expect(await (await monitor(again)).text()).toBe(before)
    expect(await submit(again, 0n, 5n, fork)).toMatchObject({ status: 409, body: '5\n' })
    expect(await submit(again, 5n, 5n, fork)).toMatchObject({ status: 422 })
    expect(await submit(again, 5n, 9n)).toMatchObject({ status: 200 })
  })
})

/** A connection that speaks for itself. */
async function tcp(witness: Witness) {
  const { hostname, port } = new URL(witness.url)
  const socket = connect(Number(port), hostname)
  onTestFinished(() => void socket.destroy())
  // An answer before the end of the request resets what is still on its way.
  socket.on('error', () => {})
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  await once(socket, 'connect')
  return {
    write: (bytes: string) => void socket.write(bytes),
    destroy: () => void socket.destroy(),
    until: async (pattern: RegExp) => {
      while (!pattern.test(text)) await once(socket, 'data')
    },
    /** Everything, once the witness has closed the connection. */
    received: async () => {
      if (!socket.closed) await once(socket, 'close')
      return text
    },
  }
}
