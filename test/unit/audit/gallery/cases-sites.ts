/** What logs publish, changed on the server or on the way. */

import { sha256 } from '../../../../src/audit/commitment.ts'
import { leafHash } from '../../../../src/audit/tlog/hash.ts'
import { logListing, publishedLog, type SampleSite, sampleLog } from '../verify/sample-files.ts'
import { bytesOf, ed25519Key, signNote } from '../verify/sample-keys.ts'
import { type Case, type Expected, editNote, siteCase } from './changes.ts'
import { fork, kinds, logs, montreal, quebec } from './samples.ts'

/** Files of montreal: one full tile, one of 47, and the one above. */
const full = 'montreal/tile/0/000'
const partial = 'montreal/tile/0/001.p/47'
const upper = 'montreal/tile/1/000.p/1'
const fullBundle = 'montreal/tile/entries/000'
const partialBundle = 'montreal/tile/entries/001.p/47'

const bytesAt = (site: SampleSite, path: string): Uint8Array => site.get(path) as Uint8Array

const flip = (site: SampleSite, path: string, at: number): void => {
  const bytes = bytesAt(site, path)
  bytes[at] = (bytes[at] as number) ^ 1
}

const noteCase = (name: string, expected: Expected, change: (lines: string[]) => void): Case =>
  siteCase(name, expected, (site) => {
    const note = Buffer.from(bytesAt(site, 'montreal/checkpoint')).toString()
    site.set('montreal/checkpoint', bytesOf(editNote(note, change)))
  })

/** The leaf and its hash changed, so that bundle and tile agree. */
const forgeLeaf = (site: SampleSite, bundle: string, tile: string, at: number): void => {
  flip(site, bundle, at * 35 + 10)
  const leaf = bytesAt(site, bundle).subarray(at * 35 + 2, at * 35 + 35)
  bytesAt(site, tile).set(leafHash(sha256, leaf), at * 32)
}

const withKnown = (name: string, expected: Expected, known: readonly string[]): Case => ({
  name,
  kind: 'site',
  subject: { ...kinds.site, known },
  expected,
})

export const siteCases: readonly Case[] = [
  siteCase('tile bit flipped', ['tile-hash', full], (site) => flip(site, full, 20 * 32)),
  siteCase('tile bit flipped, of a partial tile', ['tile-hash', partial], (site) =>
    flip(site, partial, 20 * 32),
  ),
  siteCase('tile bit flipped, of an upper tile', ['tile-hash', upper], (site) => flip(site, upper, 3)),
  siteCase('bundle bit flipped', ['bundle-leaf', 'montreal/20'], (site) =>
    flip(site, fullBundle, 20 * 35 + 10),
  ),
  siteCase('bundle bit flipped, of a partial bundle', ['bundle-leaf', 'montreal/276'], (site) =>
    flip(site, partialBundle, 20 * 35 + 10),
  ),
  siteCase('version of a leaf changed', ['bundle-leaf', 'montreal/20'], (site) =>
    flip(site, fullBundle, 20 * 35 + 2),
  ),
  siteCase('length of an entry changed', ['bundle-leaf', 'montreal/20'], (site) =>
    flip(site, fullBundle, 20 * 35 + 1),
  ),
  siteCase('partial tile stale', ['tile', partial], (site) =>
    site.set(partial, bytesAt(site, partial).slice(0, 40 * 32)),
  ),
  siteCase('partial bundle stale', ['tile', partialBundle], (site) =>
    site.set(partialBundle, bytesAt(site, partialBundle).slice(0, 40 * 35)),
  ),
  siteCase('tile missing', ['tile', full], (site) => site.delete(full)),
  siteCase('bundle missing', ['tile', fullBundle], (site) => site.delete(fullBundle)),
  siteCase('tile empty', ['tile', upper], (site) => site.set(upper, new Uint8Array())),
  siteCase('tile of another log', ['tile-hash', full], (site) => {
    const foreign = sampleLog('laval', 256)
    site.set(full, Buffer.concat(foreign.entries.map(({ leaf }) => leafHash(sha256, leaf))))
  }),
  siteCase('bundle of another log', ['bundle-leaf', 'montreal/0'], (site) => {
    const foreign = sampleLog('laval', 256)
    site.set(fullBundle, Buffer.concat(foreign.entries.flatMap(({ leaf }) => [Buffer.from([0, 33]), leaf])))
  }),
  siteCase('two leaves exchanged in the bundle', ['bundle-leaf', 'montreal/20'], (site) => {
    const bytes = bytesAt(site, fullBundle)
    const [first, second] = [bytes.slice(700, 735), bytes.slice(735, 770)]
    bytes.set(second, 700)
    bytes.set(first, 735)
  }),
  siteCase('leaf changed in bundle and tile', ['tile-hash', upper], (site) =>
    forgeLeaf(site, fullBundle, full, 20),
  ),
  siteCase('leaf changed in bundle and partial tile', ['root', 'montreal'], (site) =>
    forgeLeaf(site, partialBundle, partial, 20),
  ),
  siteCase('all of another history, under the checkpoint of this one', ['root', 'montreal'], (site) => {
    for (const [path, bytes] of forkFiles()) if (!path.endsWith('checkpoint')) site.set(path, bytes)
  }),
  siteCase('all of another history, with its checkpoint', ['known-fork', 'montreal'], (site) => {
    for (const [path, bytes] of forkFiles()) site.set(path, bytes)
  }),
  noteCase('root changed', ['signature-invalid', 'montreal'], (lines) => {
    lines[2] = montreal.checkpointText(302).split('\n')[2] as string
  }),
  noteCase('size changed', ['signature-invalid', 'montreal'], (lines) => {
    lines[1] = '302'
  }),
  noteCase('origin changed', ['origin', 'montreal'], (lines) => {
    lines[0] = quebec.origin
  }),
  noteCase('signature missing', ['signature-missing', 'montreal'], (lines) => lines.splice(4, 1)),
  noteCase('signature by another key', ['signature-missing', 'montreal'], (lines) => {
    const note = signNote(montreal.checkpointText(), [ed25519Key(montreal.origin, 'another seed')])
    lines[4] = note.split('\n')[4] as string
  }),
  noteCase('missing quorum', ['quorum', 'montreal'], (lines) => lines.splice(6, 2)),
  siteCase('checkpoint of an earlier size', ['known-unproved', 'montreal'], (site) =>
    site.set('montreal/checkpoint', bytesOf(montreal.checkpoint(90))),
  ),
  siteCase('checkpoint gone', ['unreadable', 'file'], (site) => site.delete('montreal/checkpoint')),
  siteCase('checkpoint that is none', ['format', 'file'], (site) =>
    site.set('montreal/checkpoint', bytesOf('not found\n')),
  ),
  siteCase('checkpoint that is no text', ['unreadable', 'file'], (site) =>
    site.set('montreal/checkpoint', Uint8Array.of(0x80, 0x81)),
  ),
  siteCase('log left out of the listing', ['known-unproved', 'quebec'], (site) =>
    site.set('logs.json', bytesOf(logListing(logs.filter(({ name }) => name !== 'quebec')))),
  ),
  siteCase('log twice in the listing', ['format', 'file'], (site) =>
    site.set('logs.json', bytesOf(logListing([...logs, montreal]))),
  ),
  siteCase('another key in the listing', ['key', 'montreal'], (site) => {
    const other = ed25519Key(montreal.origin, 'insider').vkey
    const listing = Buffer.from(bytesAt(site, 'logs.json')).toString()
    site.set('logs.json', bytesOf(listing.replace(montreal.keys[0].vkey, other)))
  }),
  siteCase('member twice in the listing', ['format', 'file'], (site) => {
    const listing = Buffer.from(bytesAt(site, 'logs.json')).toString()
    site.set('logs.json', bytesOf(listing.replace('"origin"', '"origin":"x","origin"')))
  }),
  siteCase('listing gone', ['unreadable', 'file'], (site) => site.delete('logs.json')),
  siteCase('line ends and byte order mark of a checkpoint', 'verified', (site) =>
    site.set('montreal/checkpoint', bytesOf(`\ufeff${montreal.checkpoint().replaceAll('\n', '\r\n')}`)),
  ),
  withKnown('known checkpoint of a fork', ['known-fork', 'montreal'], [fork.checkpoint(100)]),
  withKnown('known checkpoint of a fork of the same size', ['known-fork', 'montreal'], [fork.checkpoint()]),
]

function forkFiles(): Map<string, Uint8Array> {
  return new Map([...publishedLog(fork)].map(([path, bytes]) => [`montreal/${path}`, bytes]))
}
