/** Each way to change what a log publishes is told by the smallest thing that is wrong. */
import { describe, expect, test } from 'vitest'
import { sha256 } from '../../../../src/audit/commitment.ts'
import { leafHash } from '../../../../src/audit/tlog/hash.ts'
import { fsck } from '../../../../src/audit/verify/fsck.ts'
import { portableCrypto } from '../../../../src/audit/verify/portable-crypto.ts'
import { policyText, publishedLog, publishedSite, type SampleSite, sampleLog } from './sample-files.ts'
import { bytesOf, ed25519Key, signNote } from './sample-keys.ts'
import { SampleLog } from './sample-log.ts'
import { expectFault, fsckSite } from './support.ts'

const montreal = sampleLog('montreal', 600)
const quebec = sampleLog('quebec', 30)
const policy = policyText([montreal, quebec], 2)

const bytesAt = (site: SampleSite, path: string): Uint8Array => {
  const bytes = site.get(path)
  if (bytes === undefined) throw new Error(`${path} is not published`)
  return bytes
}

const flip = (site: SampleSite, path: string, at: number): void => {
  const bytes = bytesAt(site, path).slice()
  bytes[at] = (bytes[at] as number) ^ 1
  site.set(path, bytes)
}

/** Another entry in the bundle, and its hash in the tile. */
const replaceLeaf = (site: SampleSite, path: string, slot: number): void => {
  flip(site, path.replace('/0/', '/entries/'), slot * 35 + 10)
  const bundle = bytesAt(site, path.replace('/0/', '/entries/'))
  const tile = bytesAt(site, path).slice()
  tile.set(leafHash(sha256, bundle.slice(slot * 35 + 2, slot * 35 + 35)), slot * 32)
  site.set(path, tile)
}

describe('tiles', () => {
  test.each<[string, string, string, (site: SampleSite) => void]>([
    ['a tile left out', 'tile', 'montreal/tile/0/001', (site) => site.delete('tile/0/001')],
    ['a bundle left out', 'tile', 'montreal/tile/entries/001', (site) => site.delete('tile/entries/001')],
    ['a partial tile left out', 'tile', 'montreal/tile/1/000.p/2', (site) => site.delete('tile/1/000.p/2')],
    [
      'a tile cut off',
      'tile',
      'montreal/tile/0/001',
      (site) => site.set('tile/0/001', bytesAt(site, 'tile/0/001').slice(1)),
    ],
    [
      'a bundle cut off',
      'tile',
      'montreal/tile/entries/000',
      (site) => site.set('tile/entries/000', bytesAt(site, 'tile/entries/000').slice(1)),
    ],
    [
      'a bundle with bytes more',
      'tile',
      'montreal/tile/entries/002.p/88',
      (site) =>
        site.set('tile/entries/002.p/88', new Uint8Array([...bytesAt(site, 'tile/entries/002.p/88'), 0])),
    ],
    [
      'a leaf changed in a full bundle',
      'bundle-leaf',
      'montreal/261',
      (site) => flip(site, 'tile/entries/001', 5 * 35 + 20),
    ],
    [
      'a leaf changed in the last bundle',
      'bundle-leaf',
      'montreal/517',
      (site) => flip(site, 'tile/entries/002.p/88', 5 * 35 + 20),
    ],
    [
      'the version of a leaf',
      'bundle-leaf',
      'montreal/261',
      (site) => flip(site, 'tile/entries/001', 5 * 35 + 2),
    ],
    [
      'the length of an entry',
      'bundle-leaf',
      'montreal/261',
      (site) => flip(site, 'tile/entries/001', 5 * 35 + 1),
    ],
    [
      'an entry of another length',
      'bundle-leaf',
      'montreal/256',
      (site) => {
        const bundle = bytesAt(site, 'tile/entries/001')
        site.set('tile/entries/001', new Uint8Array([0, 32, ...bundle.slice(3)]))
      },
    ],
    ['a hash in a full tile', 'tile-hash', 'montreal/tile/0/001', (site) => flip(site, 'tile/0/001', 5 * 32)],
    [
      'a hash in the last tile',
      'tile-hash',
      'montreal/tile/0/002.p/88',
      (site) => flip(site, 'tile/0/002.p/88', 5 * 32),
    ],
    [
      'a hash in a tile above',
      'tile-hash',
      'montreal/tile/1/000.p/2',
      (site) => flip(site, 'tile/1/000.p/2', 40),
    ],
    [
      'an entry with its hash',
      'tile-hash',
      'montreal/tile/1/000.p/2',
      (site) => replaceLeaf(site, 'tile/0/001', 5),
    ],
    [
      'an entry with its hash in the last tile',
      'root',
      'montreal',
      (site) => replaceLeaf(site, 'tile/0/002.p/88', 5),
    ],
    [
      'an entry and another hash',
      'bundle-leaf',
      'montreal/261',
      (site) => {
        flip(site, 'tile/entries/001', 5 * 35 + 20)
        flip(site, 'tile/0/001', 5 * 32)
      },
    ],
    [
      'two bundles exchanged',
      'bundle-leaf',
      'montreal/0',
      (site) => {
        const first = bytesAt(site, 'tile/entries/000')
        site.set('tile/entries/000', bytesAt(site, 'tile/entries/001'))
        site.set('tile/entries/001', first)
      },
    ],
  ])('%s', async (_, code, place, change) => {
    const site = publishedLog(montreal)
    change(site)
    expectFault(await fsckSite(site, { policy }), code, place)
  })

  test('of the sentence that names a leaf hash, the leaf', async () => {
    const site = publishedLog(montreal)
    flip(site, 'tile/0/001', 5 * 32)
    expect(await fsckSite(site, { policy })).toHaveProperty(
      'sentence',
      expect.stringContaining('montreal/261'),
    )
  })

  test('a hash changed in a tile between others', async () => {
    const large = new SampleLog('large')
    for (let i = 0; i < 256 * 256 + 3; i += 1) large.appendText(`entry ${i}`)
    const site = publishedLog(large)
    flip(site, 'tile/1/000', 77 * 32)
    expectFault(await fsckSite(site, { policy: policyText([large], 0) }), 'tile-hash', 'large/tile/1/000')
  })
})

describe('a checkpoint', () => {
  const withCheckpoint = (text: string): SampleSite => publishedLog(montreal).set('checkpoint', bytesOf(text))

  test.each<[string, string, string, () => SampleSite]>([
    ['none', 'unreadable', 'file', () => new Map()],
    ['one that is no note', 'format', 'file', () => withCheckpoint('hello\n')],
    [
      'by another key',
      'signature-missing',
      'montreal',
      () => withCheckpoint(signNote(montreal.checkpointText(), [ed25519Key(montreal.origin, 'thief')])),
    ],
    [
      'of another size',
      'signature-invalid',
      'montreal',
      () => withCheckpoint(montreal.checkpoint().replace('\n600\n', '\n599\n')),
    ],
    ['of a log that is not trusted', 'key', 'laval', () => publishedLog(sampleLog('laval', 3))],
    [
      'without witnesses',
      'quorum',
      'montreal',
      () => withCheckpoint(signNote(montreal.checkpointText(), montreal.keys)),
    ],
    [
      'of another history',
      'bundle-leaf',
      'montreal/512',
      () => {
        const root = sha256(bytesOf('another'))
        return withCheckpoint(
          signNote(montreal.checkpointText(600, root), [...montreal.keys, ...montreal.witnesses]),
        )
      },
    ],
  ])('%s', async (what, code, place, site) => {
    // Tiles that agree with each other and not with the root: nothing smaller is wrong.
    const expected =
      what === 'of another history' ? (['root', 'montreal'] as const) : ([code, place] as const)
    expectFault(await fsckSite(site(), { policy }), ...expected)
  })

  test('without a policy nor a list, no key is trusted', async () => {
    expectFault(await fsckSite(publishedLog(montreal)), 'key', 'montreal')
  })
})

describe('a list of logs', () => {
  test.each<[string, string, string, (site: SampleSite) => void]>([
    ['that is no list', 'format', 'file', (site) => site.set('logs.json', bytesOf('[]'))],
    [
      'with another key',
      'signature-missing',
      'quebec',
      (site) => {
        const listing = new TextDecoder().decode(bytesAt(site, 'logs.json'))
        const other = ed25519Key(quebec.origin, 'other').vkey
        site.set('logs.json', bytesOf(listing.replace(quebec.keys[0].vkey, other)))
      },
    ],
    [
      'with the keys of another log',
      'key',
      'quebec',
      (site) => {
        const listing = new TextDecoder().decode(bytesAt(site, 'logs.json'))
        site.set('logs.json', bytesOf(listing.replace(quebec.keys[0].vkey, montreal.keys[0].vkey)))
      },
    ],
    [
      'with the checkpoint of another log',
      'origin',
      'quebec',
      (site) => site.set('quebec/checkpoint', bytesAt(site, 'montreal/checkpoint')),
    ],
    [
      'with a name and the origin of another',
      'header',
      'laval',
      (site) => {
        const listing = new TextDecoder().decode(bytesAt(site, 'logs.json'))
        site.set('logs.json', bytesOf(listing.replace('"log":"quebec"', '"log":"laval"')))
      },
    ],
    [
      'with a log whose checkpoint went',
      'unreadable',
      'file',
      (site) => {
        site.delete('quebec/checkpoint')
        site.set('quebec/tile/entries/000.p/1', new Uint8Array(35))
      },
    ],
    [
      'without any checkpoint',
      'unreadable',
      'file',
      (site) => {
        for (const path of [...site.keys()]) if (path !== 'logs.json') site.delete(path)
      },
    ],
    [
      'with a leaf changed in the second log',
      'bundle-leaf',
      'quebec/7',
      (site) => flip(site, 'quebec/tile/entries/000.p/30', 7 * 35 + 9),
    ],
  ])('%s', async (_, code, place, change) => {
    const site = publishedSite([montreal, quebec])
    change(site)
    expectFault(await fsckSite(site), code, place)
  })

  test('with a key that the policy does not name', async () => {
    const site = publishedSite([montreal, quebec])
    expectFault(await fsckSite(site, { policy: policyText([montreal], 0) }), 'key', 'quebec')
  })
})

describe('a known checkpoint', () => {
  const other = new SampleLog('montreal')
  for (let i = 0; i < 600; i += 1) other.appendText(`other ${i}`)

  test.each<[string, string, string, string, unknown]>([
    ['of the same size and another root', 'known-fork', 'montreal', other.checkpoint(), 'file'],
    ['that the tiles do not begin with', 'known-fork', 'montreal', other.checkpoint(300), 'file'],
    ['that is newer', 'known-unproved', 'montreal', sampleLog('montreal', 601).checkpoint(), 'file'],
    ['of a log that is not here', 'known-unproved', 'laval', sampleLog('laval', 3).checkpoint(), 'file'],
    ['that is none', 'format', 'file', 'hello', 0],
  ])('%s', async (_, code, place, known, source) => {
    expectFault(await fsckSite(publishedLog(montreal), { policy, known: [known] }), code, place, source)
  })
})

test('what cannot be read is told with the path and the reason', async () => {
  const site = publishedLog(montreal)
  const report = await fsck(portableCrypto, {
    policy,
    fetchFile: async (path) => {
      if (path === 'tile/0/001') throw new Error('the disk is on fire')
      return site.get(path) ?? null
    },
    listing: { path: 'logs.json', folderOf: (log) => log },
  })
  expectFault(report, 'unreadable', 'file')
  expect(report).toHaveProperty('sentence', expect.stringMatching(/tile\/0\/001.*the disk is on fire/))
})
