/** Each way to change the proof of one entry is told. */
import { expect, test } from 'vitest'
import { formatTlogProof, parseTlogProof, type TlogProof } from '../../../../src/audit/tlog/tlog-proof.ts'
import { policyText, sampleLog, tlogProof } from './sample-files.ts'
import { bytesOf, ed25519Key, signNote } from './sample-keys.ts'
import { SampleLog } from './sample-log.ts'
import { expectFault, verifyText } from './support.ts'

const montreal = sampleLog('montreal', 60)
const quebec = sampleLog('quebec', 10)
const policy = policyText([montreal], 2)
const text = await tlogProof(montreal, 17)

const opening = (entry: string, log = montreal, index = 17): Uint8Array =>
  new Uint8Array([...log.entry(index).salt, ...bytesOf(entry)])

const changed = (change: (proof: TlogProof) => Partial<TlogProof>): string => {
  const proof = parseTlogProof(text)
  return formatTlogProof({ ...proof, ...change(proof) })
}

test.each<[string, string, string, () => string]>([
  ['no extra line', 'format', 'file', () => changed(() => ({ extra: null }))],
  ['only a salt', 'format', 'file', () => changed(() => ({ extra: new Uint8Array(32) }))],
  ['an entry that is no JSON', 'format', 'file', () => changed(() => ({ extra: opening('{"access":') }))],
  ['a header that is none', 'format', 'file', () => text.replace('index 17', 'Index 17')],
  ['the half of it', 'format', 'file', () => text.slice(0, 2000)],
  [
    'a changed entry',
    'inclusion',
    'montreal/17',
    () =>
      changed(() => ({ extra: opening(montreal.entry(17).text.replace('"status":200', '"status":201')) })),
  ],
  [
    'a changed salt',
    'inclusion',
    'montreal/17',
    () =>
      changed(() => ({
        extra: new Uint8Array([...new Uint8Array(32), ...bytesOf(montreal.entry(17).text)]),
      })),
  ],
  ['another index', 'inclusion', 'montreal/18', () => changed(() => ({ index: 18n }))],
  ['an index past the tree', 'inclusion', 'montreal/60', () => changed(() => ({ index: 60n }))],
  ['a path too short', 'inclusion', 'montreal/17', () => changed(({ path }) => ({ path: path.slice(1) }))],
  [
    'the entry of another log',
    'log',
    'montreal/17',
    () => changed(() => ({ extra: opening(quebec.entry(7).text, quebec, 7) })),
  ],
  [
    'another version of the entry',
    'entry',
    'montreal/17',
    () => changed(() => ({ extra: opening(montreal.entry(17).text.replace('"v":1', '"v":2')) })),
  ],
  [
    'the checkpoint of another log',
    'key',
    'quebec',
    () => changed(() => ({ checkpoint: quebec.checkpoint() })),
  ],
  [
    'a checkpoint by another key',
    'signature-missing',
    'montreal',
    () =>
      changed(() => ({
        checkpoint: signNote(montreal.checkpointText(), [ed25519Key(montreal.origin, 'thief')]),
      })),
  ],
  ['a checkpoint of another size', 'signature-invalid', 'montreal', () => text.replace('\n60\n', '\n61\n')],
  [
    'a checkpoint without witnesses',
    'quorum',
    'montreal',
    () => changed(() => ({ checkpoint: signNote(montreal.checkpointText(), montreal.keys) })),
  ],
  [
    'an origin that is no log’s',
    'origin',
    'file',
    () =>
      changed(() => ({
        checkpoint: signNote(montreal.checkpointText().replace('/audit/logs/', '/logs/'), [montreal.keys[0]]),
      })),
  ],
])('%s', async (_, code, place, change) => {
  expectFault(await verifyText(change(), { policy }), code, place)
})

test('an entry that says another index than the one it is proved at', async () => {
  const log = new SampleLog('montreal', montreal.witnesses)
  for (let i = 0; i < 10; i += 1) log.appendText(sampleLog('montreal', 12).entry(i + 1).text)
  expectFault(await verifyText(await tlogProof(log, 4), { policy }), 'entry', 'montreal/4')
})

test('an entry in another form of JSON is the same entry', async () => {
  const entry = JSON.stringify(JSON.parse(montreal.entry(17).text), null, 2)
  expect(
    await verifyText(
      changed(() => ({ extra: opening(entry) })),
      { policy },
    ),
  ).toMatchObject({ ok: true })
})

test('without a policy no key is trusted', async () => {
  expectFault(await verifyText(text), 'key', 'montreal')
})

test('a known checkpoint must be of the same size, and of the same log', async () => {
  expect(await verifyText(text, { policy, known: [montreal.checkpoint()] })).toMatchObject({
    ok: true,
    logs: [{ known: ['60'] }],
  })
  expectFault(
    await verifyText(text, { policy, known: [montreal.checkpoint(50)] }),
    'known-unproved',
    'montreal',
  )
  expectFault(await verifyText(text, { policy, known: [quebec.checkpoint()] }), 'known-unproved', 'quebec')
})
