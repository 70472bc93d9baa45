/** What the log makes of a witness's answer, by a fetch that answers as told, and by a witness over HTTP. */
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { sha256 } from '../../../src/audit/commitment.ts'
import {
  formatNote,
  formatSignatureLine,
  type NoteSignature,
  parseSignatureLines,
  parseVerifierKey,
} from '../../../src/audit/tlog/note.ts'
import type { AddCheckpoint } from '../../../src/audit/tlog/witness.ts'
import {
  type Witness,
  type WitnessAnswer,
  type WitnessClient,
  type WitnessClientOptions,
  witnessClient,
} from '../../../src/audit/witness-client.ts'
import { makeKeys, readKeys } from '../../../src/local/witness/keys.ts'
import { startWitness } from '../../../src/local/witness/start.ts'
import { temporaryFolder, testLog, tree } from '../local/witness/support.ts'

const log = testLog('audit.example/logs/montreal', 1)
const main = tree()
const request: AddCheckpoint = { oldSize: 0n, proof: [], checkpoint: log.checkpoint(main, 5n) }
const time = 1_700_000_000

function witnessKeys(name: string) {
  const folder = temporaryFolder()
  makeKeys(folder)
  return readKeys(folder, name)
}

const targetOf = (vkeys: readonly string[], url = 'https://witness.example/w1'): Witness => ({
  name: 'w1',
  keys: vkeys.map((vkey) => parseVerifierKey(sha256, vkey)),
  url,
})

const linesOf = (lines: readonly NoteSignature[]): string => lines.map(formatSignatureLine).join('')

const asking = (options: Partial<WitnessClientOptions>): WitnessClient =>
  witnessClient({ fetch, now: () => time * 1000, deadlineMs: 10_000, ...options })

/** What the client makes of this response to `request`. */
const answerTo = (response: () => Response | Promise<Response>, target: Witness): Promise<WitnessAnswer> =>
  asking({ fetch: async () => await response() }).submit(target, request)

describe('200', () => {
  test('the verified lines of the witness’s keys are taken, each once; lines of other keys are ignored', async () => {
    const keys = witnessKeys('witness.example/w1')
    const stranger = witnessKeys('stranger.example')
    const text = log.text(main, 5n)
    const own = keys.sign(text, time)
    const body = linesOf([
      ...stranger.sign(log.text(main, 9n), time).slice(0, 1),
      ...own,
      ...keys.sign(text, time + 1),
    ])
    expect(await answerTo(() => new Response(body), targetOf(keys.vkeys))).toEqual({
      kind: 'cosigned',
      lines: own,
    })
    const [ed, mldsa] = keys.vkeys
    expect(await answerTo(() => new Response(body), targetOf([ed]))).toEqual({
      kind: 'cosigned',
      lines: own.slice(0, 1),
    })
    expect(await answerTo(() => new Response(body), targetOf([mldsa]))).toEqual({
      kind: 'cosigned',
      lines: own.slice(1),
    })
  })

  test('a line of a known key that does not verify spoils the answer', async () => {
    const keys = witnessKeys('witness.example/w1')
    const [ed, mldsa] = keys.sign(log.text(main, 5n), time)
    const [elsewhere] = keys.sign(log.text(main, 6n), time)
    if (!ed || !mldsa || !elsewhere) throw new Error('two keys sign')
    const broken = { ...mldsa, signature: mldsa.signature.map((byte, i) => (i === 100 ? byte ^ 1 : byte)) }
    const retimed = { ...ed, signature: ed.signature.map((byte, i) => (i === 7 ? byte ^ 1 : byte)) }
    for (const lines of [[elsewhere], [ed, broken], [ed, elsewhere], [retimed]]) {
      expect(await answerTo(() => new Response(linesOf(lines)), targetOf(keys.vkeys))).toEqual({
        kind: 'rejected',
        status: 200,
        detail: 'a signature by the key witness.example/w1 is invalid',
      })
    }
  })

  test('a cosignature without a time, or from the future, is rejected', async () => {
    const keys = witnessKeys('witness.example/w1')
    const answer = (seconds: number) =>
      answerTo(() => new Response(linesOf(keys.sign(log.text(main, 5n), seconds))), targetOf(keys.vkeys))
    expect(await answer(0)).toMatchObject({ kind: 'rejected' })
    expect(await answer(time + 301)).toMatchObject({ kind: 'rejected' })
    expect(await answer(time + 300)).toMatchObject({ kind: 'cosigned' })
  })

  test('what is not signature lines, or none of a known key, is rejected', async () => {
    const keys = witnessKeys('witness.example/w1')
    const good = linesOf(keys.sign(log.text(main, 5n), time))
    const stranger = linesOf(witnessKeys('witness.example/w1').sign(log.text(main, 5n), time))
    for (const body of [
      '',
      '\n',
      'ok\n',
      `\n${good}`,
      `${good}\n`,
      good.slice(0, -1),
      good.replaceAll('\n', '\r\n'),
      stranger,
    ]) {
      expect(await answerTo(() => new Response(body), targetOf(keys.vkeys))).toMatchObject({
        kind: 'rejected',
        status: 200,
      })
    }
    const notText = Uint8Array.of(0xff, 0x0a)
    expect(await answerTo(() => new Response(notText), targetOf(keys.vkeys))).toMatchObject({
      kind: 'rejected',
    })
  })
})

describe('any other answer', () => {
  const target = targetOf([])

  test('409 with a size is a conflict; anything else of that status is a rejection', async () => {
    const conflict = (body: string, type = 'text/x.tlog.size') =>
      answerTo(() => new Response(body, { status: 409, headers: { 'Content-Type': type } }), target)
    expect(await conflict('0\n')).toEqual({ kind: 'conflict', size: 0n })
    expect(await conflict(`${2n ** 64n - 1n}\n`)).toEqual({ kind: 'conflict', size: 2n ** 64n - 1n })
    for (const body of ['', '5', '05\n', '-1\n', '5\n\n', ' 5\n', '5\n6\n', `${2n ** 64n}\n`, 'five\n']) {
      expect(await conflict(body)).toMatchObject({ kind: 'rejected', status: 409 })
    }
    expect(await conflict('5\n', 'text/plain')).toMatchObject({ kind: 'rejected', status: 409 })
  })

  test('404 is an unknown log; what the witness judged is a rejection, what it could not judge is to be asked again', async () => {
    const kind = async (status: number) =>
      (await answerTo(() => new Response('because\n', { status }), target)).kind
    expect(await kind(404)).toBe('unknown-log')
    for (const status of [400, 403, 413, 422]) expect(await kind(status)).toBe('rejected')
    for (const status of [408, 429, 500, 502, 503]) expect(await kind(status)).toBe('unreachable')
  })

  test('what a witness says is told in one short line', async () => {
    const said = await answerTo(
      () => new Response(`no\u001b[31m\n${'x'.repeat(1_000)}`, { status: 422 }),
      target,
    )
    expect(said).toEqual({ kind: 'rejected', status: 422, detail: `no [31m ${'x'.repeat(192)}` })
  })

  test('an answer without end is not read to its end', async () => {
    let sent = 0
    let cancelled = false
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        sent += 1
        controller.enqueue(new Uint8Array(16 * 1024).fill(0x61))
      },
      cancel: () => {
        cancelled = true
      },
    })
    expect(await answerTo(() => new Response(endless), target)).toMatchObject({
      kind: 'rejected',
      status: 200,
    })
    expect(cancelled).toBe(true)
    expect(sent).toBeLessThan(10)
  })

  test('a connection that fails is unreachable', async () => {
    const failing = () => {
      throw new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') })
    }
    expect(await answerTo(failing, target)).toEqual({
      kind: 'unreachable',
      detail: 'fetch failed: connect ECONNREFUSED',
    })
  })

  test('a request that cannot be written is the caller’s mistake, and is not sent', async () => {
    let isSent = false
    const send = async () => {
      isSent = true
      return new Response('')
    }
    await expect(asking({ fetch: send }).submit(target, { ...request, checkpoint: 'none' })).rejects.toThrow(
      /note/,
    )
    expect(isSent).toBe(false)
  })
})

describe('over HTTP', () => {
  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer(listener)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  test('a redirect is refused: a witness is where its operator said', async () => {
    let followed = false
    const url = await serve((incoming, response) => {
      followed ||= incoming.url === '/elsewhere'
      response.writeHead(307, { Location: '/elsewhere' }).end()
    })
    const answer = await asking({}).submit(targetOf([], url), request)
    expect(answer).toMatchObject({ kind: 'rejected', status: 307 })
    expect(followed).toBe(false)
  })

  test('a witness that says nothing, or half of something, is given up at the deadline', async () => {
    for (const listener of [
      () => {},
      (_, response) => void response.writeHead(200).write('— '),
    ] satisfies RequestListener[]) {
      const url = await serve(listener)
      expect(await asking({ deadlineMs: 100 }).submit(targetOf([], url), request)).toEqual({
        kind: 'unreachable',
        detail: 'no answer within 100 ms',
      })
    }
  })

  test('nobody there is unreachable', async () => {
    const answer = await asking({}).submit(targetOf([], 'http://127.0.0.1:1'), request)
    expect(answer).toMatchObject({ kind: 'unreachable' })
  })

  test('a witness of the project cosigns, conflicts, rejects, and does not know other logs', async () => {
    const witness = await startWitness({
      home: join(temporaryFolder(), 'home'),
      name: 'witness.example/w1',
      logs: [log.vkey],
    })
    onTestFinished(() => witness.stop())
    const target = targetOf(witness.vkeys, `${witness.url}/`)
    const client = asking({ now: Date.now })
    const ask = async (oldSize: bigint, size: bigint, history = main, of = log) =>
      await client.submit(target, {
        oldSize,
        proof: await history.proof(oldSize, size),
        checkpoint: of.checkpoint(history, size),
      })

    const first = await ask(0n, 5n)
    expect(first).toMatchObject({ kind: 'cosigned' })
    const lines = first.kind === 'cosigned' ? first.lines : []
    expect(lines.map(({ keyId }) => keyId)).toEqual(target.keys.map(({ keyId }) => keyId))
    // As they stand, they go under the checkpoint.
    const note = formatNote(log.text(main, 5n), lines)
    expect(parseSignatureLines(note.slice(note.lastIndexOf('\n\n') + 2))).toEqual(lines)

    expect(await ask(0n, 9n)).toEqual({ kind: 'conflict', size: 5n })
    const fork = tree({ at: 2n, leaf: 'other' })
    expect(await ask(5n, 5n, fork)).toEqual({
      kind: 'rejected',
      status: 422,
      detail: 'the tree of size 5 has another root',
    })
    expect(await ask(5n, 9n, fork)).toMatchObject({ kind: 'rejected', status: 422 })
    expect(await ask(0n, 5n, main, testLog('elsewhere.example', 2))).toEqual({ kind: 'unknown-log' })
    expect(await ask(0n, 5n, main, testLog(log.origin, 2))).toMatchObject({ kind: 'rejected', status: 403 })
    expect(await ask(5n, 9n)).toMatchObject({ kind: 'cosigned' })
  })
})
