import { ed25519 } from '@noble/curves/ed25519.js'
import { ml_dsa44 } from '@noble/post-quantum/ml-dsa.js'
import { beforeEach, describe, expect, test } from 'vitest'
import { sha256 } from '../../../src/audit/commitment.ts'
import { checkpointsStatement, publishedCheckpoint, readTiles } from '../../../src/audit/public-store.ts'
import { parseCheckpoint } from '../../../src/audit/tlog/checkpoint.ts'
import { leafHash } from '../../../src/audit/tlog/hash.ts'
import { parseNote, parseVerifierKey } from '../../../src/audit/tlog/note.ts'
import { openNote } from '../../../src/audit/tlog/signature.ts'
import { tilesOf } from '../../../src/audit/tlog/tile.ts'
import { treeHash } from '../../../src/audit/tlog/tree.ts'
import { limits } from '../../../src/limits.ts'
import { copyOf, databaseOf, memoryAnchors, newWorld, origin, signerOf, type World } from './log-world.ts'
import { appendOf, ledgerEntries, until } from './support.ts'

const signatures = {
  ed25519: (key: Uint8Array, message: Uint8Array, signature: Uint8Array) =>
    ed25519.verify(signature, message, key),
  mlDsa44: (key: Uint8Array, message: Uint8Array, signature: Uint8Array) =>
    ml_dsa44.verify(signature, message, key),
}

let world: World
beforeEach(() => {
  world = newWorld()
})

async function newest({ ledger, log }: World) {
  const [[row] = []] = await databaseOf(ledger).read([checkpointsStatement(log, 1)])
  if (!row) return null
  const { note } = publishedCheckpoint(row)
  const { vkey, mldsa44Vkey } = signerOf(log).identity
  const keys = [vkey, mldsa44Vkey].map((key) => parseVerifierKey(sha256, key))
  const opened = openNote(signatures, parseNote(note), keys)
  expect(opened.verified).toHaveLength(2)
  return parseCheckpoint(opened.text)
}

function naiveRoot({ ledger, log }: World, size: number): Uint8Array {
  const leaves = ledgerEntries(ledger, log).slice(0, size)
  return new Uint8Array(
    treeHash(
      sha256,
      leaves.map(({ leaf }) => leafHash(sha256, leaf)),
    ),
  )
}

describe('an audit log', () => {
  test('publishes what it was given: tiles, and a checkpoint by both its keys', async () => {
    const log = world.open()
    for (let i = 0; i < 3; i++) await log.append(appendOf(Array<string>(200).fill(`p${i}`)))
    expect(await log.published(600, 5_000)).toBe(true)
    const checkpoint = await newest(world)
    expect(checkpoint).toMatchObject({ origin: origin('qc-test'), size: 600n })
    expect(checkpoint?.root).toEqual(naiveRoot(world, 600))
    const tiles = tilesOf(600n)
    expect((await readTiles(databaseOf(world.ledger), 'qc-test', tiles)).map(({ length }) => length)).toEqual(
      tiles.map(({ width }) => width * 32),
    )
    expect(log.status()).toMatchObject({
      size: '600',
      drained: '600',
      published: '600',
      standing: 'anchored',
    })
    expect(log.isSettled).toBe(true)
    expect(world.store.read((sql) => sql.exec('select count(*) as n from undrained'))[0]?.n).toBe(0)
  })

  test('publishes no more often than its cadence', async () => {
    const log = world.open({ publishEveryMs: 1_000 })
    await log.append(appendOf(['p1']))
    expect(await log.published(1, 5_000)).toBe(true)
    await log.append(appendOf(['p1']))
    expect(await log.drained(2, 5_000)).toBe(true)
    await log.advance()
    expect((await newest(world))?.size).toBe(1n)
    world.now += 1_000
    await log.advance()
    expect((await newest(world))?.size).toBe(2n)
  })

  test('attests heads and the list of logs as of one size, also of a chain that is empty', async () => {
    const log = world.open()
    await log.append(appendOf(['p1', 'p2', 'p1']))
    await log.published(3, 5_000)
    const other = {
      log: 'other',
      vkey: signerOf('other').identity.vkey,
      mldsa44Vkey: null,
      predecessor: null,
      isRetired: false,
    }
    const chains = [
      { kind: 'patient', key: 'p1' },
      { kind: 'patient', key: 'nobody' },
      { kind: 'organisation', key: 'organisation-1' },
    ] as const
    const attested = await log.attest({ chains, list: [other] })
    if (!attested.ok) throw new Error(attested.error.reason)
    const [first, empty, organisation] = attested.value.heads.map((head) => parseNote(head).text.split('\n'))
    expect(first?.slice(0, 4)).toEqual(['dossier-head/v1', origin('qc-test'), 'size 3', 'chain patient'])
    expect(first?.slice(5, 7)).toEqual(['count 2', 'last 2'])
    expect(empty?.slice(5, 7)).toEqual(['count 0', 'last -'])
    expect(organisation?.slice(5, 7)).toEqual(['count 3', 'last 2'])
    // Once listed, always listed.
    const again = await log.attest({ chains: [], list: [] })
    expect(
      again.ok &&
        parseNote(again.value.list)
          .text.split('\n')
          .slice(3, 5)
          .map((line) => line.split(' ')[1]),
    ).toEqual(['other', 'qc-test'])
  })
})

describe('after a start', () => {
  test('a log takes appends but signs nothing while nobody says how far it had come', async () => {
    const away = () => Promise.reject(new Error('away'))
    const log = world.open({ outside: { ...world.outside, view: away } })
    expect((await log.append(appendOf(['p1']))).ok).toBe(true)
    await log.advance()
    expect(log.status()).toMatchObject({ standing: 'unanchored', size: '1', drained: '0', published: '0' })
    expect(await newest(world)).toBeNull()
    expect((await log.attest({ chains: [], list: [] })).ok).toBe(false)
  })

  test.each<[string, (w: World) => void, RegExp]>([
    ['entries', () => {}, /audit database holds 4 entries of this log, its own storage 2/],
  ])(
    'on storage set back, the audit database remembering more %s: halts, and stays halted',
    async (_, change, why) => {
      const first = world.open()
      await first.append(appendOf(['p1', 'p2']))
      await first.published(2, 5_000)
      const backup = copyOf(world.store)
      await first.append(appendOf(['p1', 'p2']))
      await first.published(4, 5_000)
      change(world)
      world.store = backup
      const log = world.open()
      await log.advance()
      expect(log.status()).toMatchObject({ standing: 'halted', size: '2' })
      expect(log.status().fault).toMatch(why)
      const refused = await log.append(appendOf(['p3']))
      expect(!refused.ok && refused.error).toMatchObject({ reason: 'log-unavailable' })
      expect(world.open().status().standing).toBe('halted')
      expect((await newest(world))?.size).toBe(4n)
    },
  )

  test('on storage set back together with the audit database, halts by what records remember', async () => {
    const anchors = memoryAnchors()
    const first = world.open({ anchors })
    await first.append(appendOf(['p1', 'p2']))
    await first.published(2, 5_000)
    expect(anchors.newest.get('qc-test')?.size).toBe(2)
    const fresh = newWorld()
    const log = fresh.open({ anchors })
    await log.append(appendOf(['p1', 'p2', 'p3']))
    await log.advance()
    expect(log.status()).toMatchObject({ standing: 'halted', drained: '0', published: '0' })
    expect(log.status().fault).toMatch(/records holds a checkpoint of size 2/)
  })

  test('halts also when records answer only after it was anchored, and leaves there what they remember', async () => {
    const anchors = memoryAnchors()
    const first = world.open({ anchors })
    await first.append(appendOf(['p1', 'p2']))
    await first.published(2, 5_000)
    const remembered = await until(() => anchors.newest.get('qc-test')?.size === 2).then(() =>
      anchors.newest.get('qc-test'),
    )
    const fresh = newWorld()
    let asked = 0
    const late = {
      ...anchors,
      view: async (log: string) => {
        if (asked++ > 0) return await anchors.view(log)
        fresh.now += limits.anchorPatienceMs
        throw new Error('away')
      },
    }
    const log = fresh.open({ anchors: late })
    await log.append(appendOf(['p1']))
    await log.published(1, 5_000)
    await until(() => log.status().standing === 'halted')
    expect(log.status().fault).toMatch(/records holds a checkpoint of size 2/)
    expect(anchors.newest.get('qc-test')).toEqual(remembered)
  })

  test('signs nothing while records, which fail once, may know better', async () => {
    const anchors = memoryAnchors()
    anchors.newest.set('qc-test', { size: 2, note: 'of another history' })
    let asked = 0
    const log = world.open({
      anchors: {
        ...anchors,
        view: (name) => (asked++ === 0 ? Promise.reject(new Error('away')) : anchors.view(name)),
      },
    })
    await log.append(appendOf(['p1']))
    await log.advance()
    expect(log.status()).toMatchObject({ standing: 'unanchored', drained: '0' })
    world.now += limits.anchorRetryMs
    await log.advance()
    expect(log.status().standing).toBe('halted')
    expect(await newest(world)).toBeNull()
  })

  test.each([
    ['a key of another origin', { vkey: signerOf('else').identity.vkey }],
    ['a line of its own', { vkey: `${signerOf('other').identity.vkey}\nlog x y - - active` }],
    ['two keys of one kind', { mldsa44Vkey: signerOf('other').identity.vkey }],
    ['a predecessor that is no log', { predecessor: '- active\nlog x' }],
    ['a name that is none', { log: 'Other' }],
  ])('signs no list with %s, and is not marked by it', async (_, change) => {
    const log = world.open()
    await log.append(appendOf(['p1']))
    const { vkey, mldsa44Vkey } = signerOf('other').identity
    const other = { log: 'other', vkey, mldsa44Vkey, predecessor: null, isRetired: false }
    expect((await log.attest({ chains: [], list: [{ ...other, ...change }] })).ok).toBe(false)
    const attested = await log.attest({ chains: [], list: [other] })
    if (!attested.ok) throw new Error(attested.error.reason)
    expect(parseNote(attested.value.list).text.split('\n')).toHaveLength(6)
  })

  test('goes on publishing and witnessing when the clock is set back by an hour', async () => {
    const anchors = memoryAnchors()
    let asked = 0
    const log = world.open({
      publishEveryMs: 1_000,
      anchors,
      client: { submit: async () => ({ kind: 'unreachable', detail: String(++asked) }) },
      witnesses: [{ name: 'w1', keys: [], url: 'https://witness.example' }],
    })
    await log.append(appendOf(['p1']))
    expect(await log.published(1, 5_000)).toBe(true)
    await until(() => asked === 1 && anchors.newest.get('qc-test')?.size === 1)
    world.now -= 3_600_000
    await log.append(appendOf(['p1']))
    expect(await log.published(2, 5_000)).toBe(true)
    await until(() => asked === 2 && anchors.newest.get('qc-test')?.size === 2)
  })

  test('with a fork in the audit database of the same size, halts', async () => {
    const first = world.open()
    await first.append(appendOf(['p1']))
    const other = newWorld()
    await other.open().append(appendOf(['p1']))
    await first.published(1, 5_000)
    world.store = other.store
    const log = world.open()
    await log.advance()
    expect(log.status().standing).toBe('halted')
    expect(log.status().fault).toMatch(/another entry 0|checkpoint of size 1/)
  })

  test('a log whose audit database has lost what it acknowledged says so and signs nothing', async () => {
    const first = world.open()
    await first.append(appendOf(['p1']))
    await first.published(1, 5_000)
    await first.append(appendOf(['p1']))
    const bare = newWorld()
    const log = bare.open({ store: world.store })
    await log.advance()
    expect(log.status().fault).toMatch(/has acknowledged \d+ entries and holds 0/)
    expect(log.status().standing).toBe('unanchored')
    expect((await log.append(appendOf(['p2']))).ok).toBe(true)
  })

  test('goes on where it was: what a checkpoint covers is neither asked for nor sent again', async () => {
    const first = world.open()
    await first.append(appendOf(['p1']))
    await first.published(1, 5_000)
    const second = world.open()
    expect(await second.published(1, 5_000)).toBe(true)
    await second.append(appendOf(['p1']))
    expect(await second.published(2, 5_000)).toBe(true)
    expect(world.faults).toEqual([])
  })

  test('a log from before there were checkpoints makes its tiles from the ledger', async () => {
    const log = world.open()
    await log.append(appendOf(Array<string>(256).fill('p1')))
    await log.append(appendOf(Array<string>(44).fill('p1')))
    await log.published(300, 5_000)
    const { database } = world.store
    database.exec('delete from publication; delete from checkpoint; delete from undrained')
    world.ledger.exec(
      'drop trigger tile_kept; drop trigger checkpoint_kept; delete from tile; delete from checkpoint',
    )
    const again = world.open()
    await again.append(appendOf(['p2']))
    expect(await again.published(301, 5_000)).toBe(true)
    expect((await newest(world))?.root).toEqual(naiveRoot(world, 301))
  })

  test('a log from before there were checkpoints signs nothing of a ledger that was changed, also while it grows', async () => {
    const log = world.open()
    await log.append(appendOf(Array<string>(100).fill('p1')))
    await log.published(100, 5_000)
    world.store.database.exec('delete from publication; delete from checkpoint; delete from undrained')
    world.ledger.exec(
      `drop trigger tile_kept; drop trigger checkpoint_kept; drop trigger ledger_leaf_frozen;
       delete from tile; delete from checkpoint; update ledger_leaf set leaf = zeroblob(33) where idx = 7`,
    )
    const append = () => Promise.reject(new Error('away'))
    const again = world.open({ outside: { ...world.outside, append } })
    await again.append(appendOf(['p2']))
    await again.advance()
    await until(() => again.status().standing === 'halted')
    expect(again.status().fault).toMatch(/do not give the root that the entries gave/)
    expect(await newest(world)).toBeNull()
  })

  test('a log whose secret was replaced goes on taking appends, signs nothing, and says what to do', async () => {
    const first = world.open()
    await first.append(appendOf(['p1']))
    await first.published(1, 5_000)
    const log = world.open({ signers: [signerOf('qc-test', 8)] })
    expect((await log.append(appendOf(['p1']))).ok).toBe(true)
    await log.advance()
    expect(log.status()).toMatchObject({ published: '0' })
    expect(world.faults.join()).toMatch(/another log|keys of this log have changed/)
    const both = world.open({ signers: [signerOf('qc-test', 8), signerOf('qc-test', 7)] })
    await both.append(appendOf(['p1']))
    expect(await both.published(3, 5_000)).toBe(true)
    expect((await newest(world))?.size).toBe(3n)
  })

  test('a retired log signs heads of its chains as long as its secret is there, and none with another', async () => {
    const first = world.open()
    await first.append(appendOf(['p1']))
    await first.published(1, 5_000)
    expect((await first.close('qc-test-2')).ok).toBe(true)
    await first.retire()
    const asked = { chains: [{ kind: 'patient', key: 'p1' }], list: [] } as const
    const both = world.open({ signers: [signerOf('qc-test', 8), signerOf('qc-test', 7)] })
    const said = await both.attest(asked)
    expect(said.ok && said.value.heads[0]).toMatch(/^count 1$/m)
    const newOnly = world.open({ signers: [signerOf('qc-test', 8)] })
    expect(await newOnly.attest(asked)).toMatchObject({ ok: false, error: { reason: 'log-unavailable' } })
  })
})
