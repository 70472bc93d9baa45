/** The databases and children of a local cluster: who may write where, what survives, what is started again. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ProcessName } from '../../src/local/cluster.ts'
import { readSecrets, readState } from '../../src/local/home.ts'
import { hranaReader, hranaWriter } from '../../src/store/hrana.ts'
import { startTestCluster, type TestCluster } from './support.ts'

const primaries = ['records-primary', 'audit', 'local-montreal', 'local-quebec'] as const
const messages: string[] = []

let fixture: TestCluster
beforeAll(async () => {
  fixture = await startTestCluster({ onMessage: (line) => messages.push(line) })
})
afterAll(() => fixture.end())

/** What a primary's admin listener says of its configuration. */
async function configuration(name: string, key: string): Promise<Response> {
  const port = readState(fixture.cluster.home)?.ports[`${name}-admin`]
  return fetch(`http://127.0.0.1:${port}/v1/namespaces/default/config`, {
    headers: { authorization: `Basic ${key}` },
  })
}

const adminKey = (): string => readSecrets(fixture.cluster.home)?.adminKey ?? ''

describe('the databases of a local cluster', () => {
  test.each(primaries)('%s acknowledges only what is on disk, also after a crash', async (name) => {
    const durability = async () =>
      ((await (await configuration(name, adminKey())).json()) as Record<string, unknown>).durability_mode
    expect(await durability()).toBe('strong')
    await fixture.cluster.processes[name].crash()
    await fixture.cluster.processes[name].start()
    expect(await durability()).toBe('strong')
  })

  test('show their configuration to nobody without the admin key', async () => {
    const answers = await Promise.all(primaries.map((name) => configuration(name, 'guess')))
    expect(answers.map(({ ok }) => ok)).toEqual(primaries.map(() => false))
  })

  test('take a write only with the write token, and no token of another database', async () => {
    const { primary, replica, audit, local } = fixture.cluster.databases
    const all = [primary, replica, audit, ...Object.values(local)]
    const tokens = all.flatMap(({ readToken, writeToken }) => [readToken, writeToken])
    expect(new Set(tokens).size).toBe(tokens.length)

    const heartbeat = [{ sql: 'update heartbeat set at = at' }]
    const write = (token: string) => hranaWriter({ url: primary.url, token }).apply(heartbeat)
    await write(primary.writeToken)
    await expect(write(primary.readToken)).rejects.toThrow()
    const read = (url: string, token: string) => hranaReader({ url, token }).read([{ sql: 'select 1' }])
    for (const [index, { url }] of all.entries()) {
      for (const [other, { readToken }] of all.entries()) {
        const answer = read(url, readToken)
        if (index === other) await answer
        else await expect(answer).rejects.toThrow()
      }
    }
  })

  // The primary was killed above: its replication log began anew, and the replica fetches everything again.
  test('pass what the primary took on to the replica, also after a crash', async () => {
    const { primary, replica } = fixture.cluster.databases
    const at = 1_700_000_000_000
    await hranaWriter({ url: primary.url, token: primary.writeToken }).apply([
      { sql: 'update heartbeat set at = ?', args: [at] },
    ])
    const seen = async () => {
      const [rows] = await hranaReader({ url: replica.url, token: replica.readToken }).read([
        { sql: 'select at from heartbeat' },
      ])
      return rows?.[0]?.at
    }
    await expect.poll(seen, { timeout: 20_000 }).toBe(at)
  })
})

describe('the children of a local cluster', () => {
  test('are started again on the same port when they die', async () => {
    const { worker } = fixture.cluster.processes
    const pid = worker.pid()
    await worker.crash()
    await worker.start()
    expect(worker.pid()).not.toBe(pid)
    expect((await fixture.get('/healthz', null)).status).toBe(200)
    expect(messages).toContain('worker died (SIGKILL); starting it again.')
  })

  test('stay down when they are ended on purpose, until they are started', async () => {
    const names: readonly ProcessName[] = ['local-quebec', 'identity']
    for (const name of names) {
      const child = fixture.cluster.processes[name]
      await child.kill()
      expect(child.pid()).toBeUndefined()
    }
    await expect(fixture.cluster.token('tremblay')).rejects.toThrow('does not answer')
    for (const name of names) await fixture.cluster.processes[name].start()
    expect(await fixture.cluster.token('tremblay')).toMatch(/^ey/)
  })
})
