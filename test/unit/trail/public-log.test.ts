import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createApp } from '../../../src/app.ts'
import type { Rate } from '../../../src/config.ts'
import type { Ports } from '../../../src/disclosure/ports.ts'
import { limits } from '../../../src/limits.ts'
import { logListing, publishedLog, sampleLog } from '../audit/verify/sample-files.ts'
import { SampleLog } from '../audit/verify/sample-log.ts'
import { PublishedLedger } from './published-ledger.ts'

const wide: Rate = { perSecond: 1, burst: 10_000 }
/** Published at 300 and 605 entries; 770, and their tiles, are in the audit database. */
const east = sampleLog('east', 770)
const newest = 605

let ledger: PublishedLedger
beforeAll(() => {
  ledger = new PublishedLedger()
  ledger.publish(east, [300, newest])
  ledger.putTiles(east, east.size)
  ledger.publish(new SampleLog('west'))
})
beforeEach(() => {
  ledger.isAway = false
})

const appWith = (address: Rate = wide) =>
  createApp({
    config: {
      regions: [{ name: 'test', log: 'east' }],
      publicUrl: 'https://record.example',
      clientAddressHeader: null,
      rates: { address, client: wide, professional: wide, identity: wide },
    },
    ledger: ledger.reader,
    peerAddress: () => '192.0.2.1',
  } as unknown as Ports)

const get = async (path: string, init: RequestInit = {}, app = appWith()): Promise<Response> =>
  await app.request(`http://inside${path}`, init)

const bytesOf = async (response: Response): Promise<Uint8Array> =>
  new Uint8Array(await response.arrayBuffer())

/** What a log of this size publishes. */
const site = (size: number) => {
  const log = new SampleLog('east', east.witnesses)
  for (const { text } of east.entries.slice(0, size)) log.appendText(text)
  return publishedLog(log)
}

describe('what anyone may read of a log', () => {
  test('is every file of it, for ever the same, but for the checkpoint', async () => {
    for (const [path, bytes] of site(newest)) {
      const response = await get(`/audit/logs/east/${path}`)
      const isTile = path !== 'checkpoint'
      expect([path, response.status]).toEqual([path, 200])
      expect(Buffer.from(await bytesOf(response)).equals(Buffer.from(bytes)), path).toBe(true)
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'access-control-allow-origin': '*',
        'x-content-type-options': 'nosniff',
        'content-type': isTile ? 'application/octet-stream' : 'text/plain; charset=utf-8',
        'cache-control': isTile
          ? 'public, max-age=31536000, immutable'
          : `public, max-age=${limits.publicCacheSeconds}`,
      })
      expect(response.headers.get('dossier-receipt')).toBeNull()
    }
  })

  test('is the same to HEAD, without the bytes', async () => {
    for (const path of ['/audit/logs', '/audit/logs/east/checkpoint', '/audit/logs/east/tile/0/000']) {
      const [head, whole] = [await get(path, { method: 'HEAD' }), await get(path)]
      expect([head.status, await head.text()]).toEqual([200, ''])
      expect(Object.fromEntries(head.headers)).toEqual(Object.fromEntries(whole.headers))
    }
    expect((await get('/audit/logs/nowhere/checkpoint', { method: 'HEAD' })).status).toBe(404)
  })

  test('has partial tiles and bundles of every width up to the newest checkpoint', async () => {
    const whole = site(newest)
    for (const path of ['tile/0/002', 'tile/entries/002', 'tile/1/000', 'tile/0/001', 'tile/entries/000']) {
      const longest = whole.get(path) ?? whole.get(`${path}.p/${path === 'tile/1/000' ? 2 : 93}`)
      const each = path.includes('entries') ? 35 : 32
      for (const width of [1, 2]) {
        const response = await get(`/audit/logs/east/${path}.p/${width}`)
        expect([path, response.status]).toEqual([path, 200])
        expect(Buffer.from(await bytesOf(response))).toEqual(
          Buffer.from(longest?.slice(0, width * each) ?? []),
        )
      }
    }
  })

  test.each([
    'tile/0/002.p/94',
    'tile/entries/002.p/94',
    'tile/0/002',
    'tile/entries/002',
    'tile/0/003.p/1',
    'tile/entries/003.p/1',
    'tile/1/000.p/3',
    'tile/1/000',
    'tile/2/000.p/1',
    'tile/63/000.p/1',
    'tile/0/x018/x446/x744/x073/x709/x551/615.p/1',
    'tile/0/0',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/01',
    'tile/0/x000/000',
    'tile/00/000',
    'tile/64/000',
    'tile/0/%30%30%30',
    'tile/0/000/',
    'tile//000',
    'tile/data/000',
    'checkpoint/',
    '',
    'Checkpoint',
    '../east/tile/0/002',
  ])('does not go past what is published, and has one path for one file: %s', async (path) => {
    const response = await get(`/audit/logs/east/${path}`)
    expect([response.status, await response.text()]).toEqual([404, 'There is nothing at this address.\n'])
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
  })

  test.each(['nowhere', 'west', 'EAST', 'e%61st', `${'x'.repeat(64)}`])(
    'is nothing of the log %s',
    async (log) => {
      for (const file of ['checkpoint', 'tile/0/000.p/1', 'tile/entries/000.p/1'])
        expect((await get(`/audit/logs/${log}/${file}`)).status).toBe(404)
    },
  )

  test('is told of by a list of all logs, at the public address', async () => {
    const response = await get('/audit/logs')
    expect(JSON.parse(await response.text())).toEqual(JSON.parse(logListing([east, new SampleLog('west')])))
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(response.headers.get('cache-control')).toBe(`public, max-age=${limits.publicCacheSeconds}`)
  })

  test('says that it is away when the audit database is', async () => {
    ledger.isAway = true
    for (const path of ['', '/east/checkpoint', '/east/tile/0/000']) {
      const response = await get(`/audit/logs${path}`)
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2'])
      expect(await response.text()).not.toContain('east')
    }
  })

  test('is limited by address, as everything is', async () => {
    const app = appWith({ perSecond: 0.001, burst: 2 })
    const statuses: number[] = []
    for (let i = 0; i < 3; i++) statuses.push((await get('/audit/logs/east/checkpoint', {}, app)).status)
    expect(statuses).toEqual([200, 200, 429])
    const refused = await get('/audit/logs', {}, app)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  })

  test('is not what a missing tile or leaf would make of it', async () => {
    const broken = new PublishedLedger()
    broken.publish(east, [300])
    broken.database.exec('drop trigger ledger_leaf_kept; pragma foreign_keys = off; drop trigger tile_kept')
    broken.database.exec('delete from ledger_leaf where idx = 5; delete from tile where level = 1')
    const intact = ledger
    ledger = broken
    try {
      const app = appWith()
      const statuses = ['tile/entries/000', 'tile/entries/000.p/5', 'tile/1/000.p/1'].map(
        async (path) => (await get(`/audit/logs/east/${path}`, {}, app)).status,
      )
      expect(await Promise.all(statuses)).toEqual([404, 200, 404])
    } finally {
      ledger = intact
    }
  })

  test('reads no entry and nothing else of a person, by index ranges', () => {
    const read = ledger.asked.map(({ sql }) => sql).join('\n')
    expect(read).not.toMatch(/ledger_body|salt|\bentry\b/)
    const plans = ledger.plans().map((plan) => plan.join('\n'))
    expect(plans.length).toBeGreaterThanOrEqual(5)
    for (const plan of plans) expect(plan).not.toMatch(/SCAN (?!log\b|wanted|\(subquery)|AUTOMATIC/)
  })
})
