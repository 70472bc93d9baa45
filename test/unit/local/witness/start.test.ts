/** A witness as its operator starts it: keys, memory, the logs it takes, and what it refuses to start with. */
import { chmodSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { sha256 } from '../../../../src/audit/commitment.ts'
import { parsePolicy } from '../../../../src/audit/tlog/policy.ts'
import {
  policyLines,
  startWitness,
  type Witness,
  type WitnessOptions,
} from '../../../../src/local/witness/start.ts'
import { requestOf, temporaryFolder, testLog, tree } from './support.ts'

const log = testLog('audit.example/logs/montreal', 1)
const other = testLog('audit.example/logs/quebec', 2)
const impostor = testLog(log.origin, 3)
const name = 'witness.example/w1'
const main = tree()

const home = (): string => join(temporaryFolder(), 'home')

async function start(options: Partial<WitnessOptions> & { readonly home: string }): Promise<Witness> {
  const witness = await startWitness({ name, logs: [log.vkey], ...options })
  onTestFinished(() => witness.stop())
  return witness
}

/** Starts, does nothing, stops. */
const once = async (options: Partial<WitnessOptions> & { readonly home: string }): Promise<void> =>
  await (await start(options)).stop()

const submit = async ({ url }: Witness, oldSize: bigint, size: bigint, of = log): Promise<number> => {
  const body = await requestOf(of, main, oldSize, size)
  return (await fetch(`${url}/add-checkpoint`, { method: 'POST', body })).status
}

/** A record that says this about its logs. */
async function record(status: number, list: string): Promise<string> {
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/audit/logs' ? status : 404).end(list)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const listOf = (...logs: { vkey: string; mldsa44Vkey: string | null }[]): string =>
  JSON.stringify({
    logs: logs.map((keys) => ({ log: 'x', origin: 'x', url: 'x', successor: null, ...keys })),
  })

describe('keys', () => {
  test('are made at the first start, each in a file that only its owner can read, and stay', async () => {
    const folder = home()
    const witness = await start({ home: folder })
    for (const file of ['ed25519.key', 'ml-dsa-44.key']) {
      expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600)
    }
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    expect(readFileSync(join(folder, 'ed25519.key'))).not.toEqual(readFileSync(join(folder, 'ml-dsa-44.key')))
    await witness.stop()
    expect((await start({ home: folder })).vkeys).toEqual(witness.vkeys)
    expect((await start({ home: home() })).vkeys[0]).not.toBe(witness.vkeys[0])
  })

  test('that others can read, that are damaged, missing or another witness’s are refused', async () => {
    const [folder, stranger] = [home(), home()]
    await once({ home: folder })
    await once({ home: stranger })
    const file = join(folder, 'ed25519.key')
    chmodSync(file, 0o644)
    await expect(start({ home: folder })).rejects.toThrow(/Others may read .*ed25519.key/)
    chmodSync(file, 0o600)
    const good = readFileSync(file)
    writeFileSync(file, 'AAAA\n')
    await expect(start({ home: folder })).rejects.toThrow(/ed25519.key is damaged/)
    writeFileSync(file, readFileSync(join(stranger, 'ed25519.key')))
    await expect(start({ home: folder })).rejects.toThrow('are not those of this witness')
    rmSync(file)
    await expect(start({ home: folder })).rejects.toThrow(/ed25519.key cannot be read/)
    writeFileSync(file, good, { mode: 0o600 })
    await once({ home: folder })
  })

  test('go into a policy as one witness: either signature counts, both count once', async () => {
    const witness = await start({ home: home(), publicUrl: 'https://witness.example/' })
    expect(witness.url).toBe('https://witness.example')
    const text = [...policyLines(name, witness), `quorum ${name}`, ''].join('\n')
    const policy = parsePolicy(sha256, text)
    expect(policy.witnesses.map(({ key, url }) => [key.name, key.type, url])).toEqual([
      [name, 0x04, 'https://witness.example'],
      [name, 0x06, 'https://witness.example'],
    ])
    const [ed, mldsa] = policy.witnesses
    expect(policy.isQuorum(new Set([ed?.name ?? '']))).toBe(true)
    expect(policy.isQuorum(new Set([mldsa?.name ?? '']))).toBe(true)
    expect(policy.isQuorum(new Set())).toBe(false)
  })
})

describe('memory', () => {
  test('a witness that lost it must not sign again with the same keys', async () => {
    const folder = home()
    await once({ home: folder })
    renameSync(join(folder, 'witness.sqlite'), join(folder, 'lost'))
    await expect(start({ home: folder })).rejects.toThrow(
      'this witness has lost its memory and must not sign again',
    )
    renameSync(join(folder, 'lost'), join(folder, 'witness.sqlite'))
    await once({ home: folder })
  })

  test('a first start that was broken off before the keys were whole is finished by the next', async () => {
    const folder = home()
    await once({ home: folder })
    const db = new DatabaseSync(join(folder, 'witness.sqlite'))
    db.exec('delete from identity')
    db.close()
    rmSync(join(folder, 'ml-dsa-44.key'))
    const witness = await start({ home: folder })
    expect(await submit(witness, 0n, 5n)).toBe(200)
  })

  test('two witnesses on one folder: the second is refused, and the first goes on', async () => {
    const folder = home()
    const witness = await start({ home: folder })
    await expect(start({ home: folder })).rejects.toThrow(/A witness already runs on /)
    expect(await submit(witness, 0n, 5n)).toBe(200)
  })

  test('is guarded below the code: no row goes back, changes its root or vanishes', async () => {
    const folder = home()
    const witness = await start({ home: folder, now: () => 1_000_000 })
    await submit(witness, 0n, 10n)
    await witness.stop()
    const db = new DatabaseSync(join(folder, 'witness.sqlite'))
    onTestFinished(() => db.close())
    for (const change of [
      `update cosigned set size = '9'`,
      `update cosigned set root = zeroblob(32)`,
      'update cosigned set time = 999',
      `update cosigned set origin = 'elsewhere'`,
      'delete from cosigned',
    ]) {
      expect(() => db.exec(change)).toThrow(/a witness never/)
    }
    db.exec(`update cosigned set size = '11', time = 1001`)
  })

  test('when it cannot be written, nothing is signed, and nothing more until the next start', async () => {
    const folder = home()
    const failures: unknown[] = []
    let calls = 0
    const witness = await start({
      home: folder,
      onStorageFailure: (error) => failures.push(error),
      // No whole number: the database refuses the row.
      now: () => (calls++ === 1 ? Number.POSITIVE_INFINITY : 1_700_000_000_000),
    })
    expect(await submit(witness, 0n, 5n)).toBe(200)
    expect(await submit(witness, 5n, 6n)).toBe(503)
    expect(failures).toHaveLength(1)
    expect(await submit(witness, 5n, 6n)).toBe(503)
    await witness.stop()
    expect(await submit(await start({ home: folder }), 5n, 6n)).toBe(200)
  })
})

describe('logs', () => {
  test('are remembered: named once, watched ever after', async () => {
    const folder = home()
    await once({ home: folder, logs: [log.vkey] })
    const witness = await start({ home: folder, logs: [other.vkey] })
    expect(await submit(witness, 0n, 5n)).toBe(200)
    expect(await submit(witness, 0n, 5n, other)).toBe(200)
  })

  test('must be named by a key that can sign for a log', async () => {
    for (const [vkey, why] of [
      ['nonsense', 'no key of a log'],
      [`${log.vkey}A`, 'no key of a log'],
      ['witness.example/w1+df1c0a35+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU', 'type 4 sign no logs'],
      [testLog('x'.repeat(256), 1).vkey, 'the origin is too long'],
    ] as const) {
      await expect(start({ home: home(), logs: [vkey] })).rejects.toThrow(why)
    }
    await expect(start({ home: home(), logs: [] })).rejects.toThrow('There is no log to watch')
  })

  test('of a record’s list are taken on trust at first use, and said', async () => {
    const said: string[] = []
    const folder = home()
    const url = await record(200, listOf({ vkey: log.vkey, mldsa44Vkey: log.mldsa44Vkey }))
    const options = { home: folder, logs: [], onMessage: (line: string) => void said.push(line) }
    await once({ ...options, logsFrom: `${url}/` })
    expect(said).toEqual([log.vkey, log.mldsa44Vkey].map((vkey) => `taken on trust, for first use: ${vkey}`))
    said.length = 0
    await once({ ...options, logsFrom: url })
    expect(said).toEqual([])
  })

  test('a list with other keys for a known log changes nothing; new logs in it are taken', async () => {
    const said: string[] = []
    const folder = home()
    await once({ home: folder })
    const url = await record(
      200,
      listOf(
        { vkey: impostor.vkey, mldsa44Vkey: impostor.mldsa44Vkey },
        { vkey: other.vkey, mldsa44Vkey: null },
      ),
    )
    const witness = await start({ home: folder, logsFrom: url, onMessage: (line) => void said.push(line) })
    expect(said.map((line) => line.split(':')[0])).toEqual([
      `not taken, since ${log.origin} is pinned to other keys`,
      `not taken, since ${log.origin} is pinned to other keys`,
      'taken on trust, for first use',
    ])
    expect(await submit(witness, 0n, 5n, impostor)).toBe(403)
    expect(await submit(witness, 0n, 5n)).toBe(200)
    expect(await submit(witness, 0n, 5n, other)).toBe(200)
  })

  test('a list that cannot be read stops a first start, not a witness that knows its logs', async () => {
    const [away, damaged, foreign] = [
      await record(503, ''),
      await record(200, '{"logs":'),
      await record(200, listOf({ vkey: 'nonsense', mldsa44Vkey: null })),
    ]
    for (const url of [away, damaged, foreign, 'http://127.0.0.1:1']) {
      await expect(start({ home: home(), logs: [], logsFrom: url })).rejects.toThrow(
        /The list of logs .* cannot be read/,
      )
    }
    const folder = home()
    const said: string[] = []
    await once({ home: folder })
    const witness = await start({
      home: folder,
      logs: [],
      logsFrom: away,
      onMessage: (line) => void said.push(line),
    })
    expect(said.join()).toMatch(/cannot be read: status 503/)
    expect(await submit(witness, 0n, 5n)).toBe(200)
  })
})

describe('a start', () => {
  test('under another name is refused: keys are for one name', async () => {
    const folder = home()
    await once({ home: folder })
    await expect(start({ home: folder, name: 'witness.example/w2' })).rejects.toThrow(`is called ${name}`)
    for (const bad of ['', 'two words', 'a+b', 'x'.repeat(256)]) {
      await expect(start({ home: home(), name: bad })).rejects.toThrow(/name/)
    }
  })

  test('on a port that is taken says so, and leaves the folder free', async () => {
    const folder = home()
    const witness = await start({ home: home() })
    await expect(start({ home: folder, port: Number(new URL(witness.url).port) })).rejects.toThrow(
      /cannot listen/,
    )
    await once({ home: folder })
  })
})
