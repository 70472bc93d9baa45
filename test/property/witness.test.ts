/** Whatever logs send, in whatever order, with restarts between: a witness cosigns one history. */
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sha256 } from '../../src/audit/commitment.ts'
import { sameBytes } from '../../src/audit/tlog/hash.ts'
import { parseVerifierKey } from '../../src/audit/tlog/note.ts'
import { formatAddCheckpoint } from '../../src/audit/tlog/witness.ts'
import { type Cosigner, openStore } from '../../src/local/witness/store.ts'
import { readSubmission } from '../../src/local/witness/submission.ts'
import { requestOf, temporaryFolder, testLog, tree } from '../unit/local/witness/support.ts'

const log = testLog('audit.example/logs/montreal', 1)
const keys = [parseVerifierKey(sha256, log.vkey)]

/** The same log in several histories: each leaves the first at its own place. */
const histories = [undefined, 1n, 4n, 4n, 7n, 12n].map((at, i) =>
  tree(at === undefined ? undefined : { at, leaf: `history ${i}` }),
)

const history = fc.integer({ min: 0, max: histories.length - 1 })
const size = fc.bigInt({ min: 0n, max: 20n })

const step = fc.oneof(
  { weight: 1, arbitrary: fc.constant('restart' as const) },
  {
    weight: 12,
    arbitrary: fc.record({
      history,
      /** Of another history: a proof that was not made for what is shown. */
      proofOf: fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: history }),
      /** Null: what the witness has, as a client that read the 409 sends it. */
      oldSize: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: size }),
      size,
      /** Seconds; a clock may jump. */
      now: fc.integer({ min: 1, max: 1_000 }),
    }),
  },
)

/** Signs with nothing: what matters is what was let through. */
const cosigner: Cosigner = {
  sign: (_, time) => [{ name: 'witness.example/w1', keyId: 1, signature: Uint8Array.of(time & 0xff) }],
  isOwn: ({ name }) => name === 'witness.example/w1',
}

test('over random histories with forks, rollbacks and restarts, all that was ever cosigned is one history', async () => {
  const file = join(temporaryFolder(), 'witness.sqlite')
  let run = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const path = `${file}-${run++}`
      let store = openStore(path)
      try {
        const cosigned: { size: bigint; history: number; time: number }[] = []
        for (const action of steps) {
          if (action === 'restart') {
            store.close()
            store = openStore(path)
            continue
          }
          const before = store.latest(log.origin)
          const oldSize = action.oldSize ?? before?.size ?? 0n
          const shown = histories[action.history] as (typeof histories)[number]
          const proving = histories[action.proofOf ?? action.history] as (typeof histories)[number]
          const submission = readSubmission(
            formatAddCheckpoint({
              oldSize,
              proof: oldSize <= action.size ? await proving.proof(oldSize, action.size) : [],
              checkpoint: log.checkpoint(shown, action.size),
            }),
            () => keys,
          )
          const answer = submission.ok ? store.cosign(submission.value, cosigner, action.now) : submission
          const after = store.latest(log.origin)
          if (!answer.ok) {
            expect(after).toEqual(before)
            continue
          }
          expect(oldSize).toBe(before?.size ?? 0n)
          expect(after?.size).toBe(action.size)
          cosigned.push({ size: action.size, history: action.history, time: after?.time ?? 0 })
        }
        expectOneHistory(cosigned)
      } finally {
        store.close()
      }
    }),
    { numRuns: 150 },
  )
})

/** Sizes and times never go back, and each tree is a beginning of the last one. */
function expectOneHistory(
  cosigned: readonly { readonly size: bigint; readonly history: number; readonly time: number }[],
) {
  const last = cosigned.at(-1)
  cosigned.forEach((one, i) => {
    const previous = cosigned[i - 1]
    if (previous !== undefined) {
      expect(one.size).toBeGreaterThanOrEqual(previous.size)
      expect(one.time).toBeGreaterThanOrEqual(previous.time)
    }
    const root = histories[one.history]?.root(one.size) as Uint8Array
    const beginning = histories[last?.history ?? 0]?.root(one.size) as Uint8Array
    expect(sameBytes(root, beginning)).toBe(true)
  })
}

test('an honest log gets every checkpoint cosigned, whatever its sizes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.bigInt({ min: 0n, max: 1n << 40n }), { maxLength: 12 }), async (sizes) => {
      const store = openStore(':memory:')
      try {
        let oldSize = 0n
        for (const size of sizes.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))) {
          const submission = readSubmission(
            await requestOf(log, histories[0] ?? tree(), oldSize, size),
            () => keys,
          )
          expect(submission.ok && store.cosign(submission.value, cosigner, 1).ok).toBe(true)
          oldSize = size
        }
      } finally {
        store.close()
      }
    }),
    { numRuns: 50 },
  )
})
