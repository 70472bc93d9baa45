import { createHash, createHmac } from 'node:crypto'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { leafOf } from '../../../src/audit/commitment.ts'
import type { AppendReply, AppendRequest } from '../../../src/audit/port.ts'
import { Sequencer } from '../../../src/audit/sequencer.ts'
import { leafHash } from '../../../src/audit/tlog/hash.ts'
import { treeHash } from '../../../src/audit/tlog/tree.ts'
import { limits } from '../../../src/limits.ts'
import { appendOf, type CommitFault, SqliteLogStore, until } from './support.ts'

const log = 'qc-test'
const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()

interface Stored {
  readonly access: {
    readonly requestId: string
    readonly patient: string | null
    readonly note: Record<string, string> | null
  }
  readonly chains: Record<
    'organisation' | 'patient',
    { readonly count: string; readonly previous: string | null } | null
  >
  readonly index: string
  readonly log: string
  readonly time: string
  readonly v: number
}

let store: SqliteLogStore
let now: number
let sequencer: Sequencer

const open = (): Sequencer => new Sequencer({ log, store, now: () => now })

beforeEach(() => {
  store = new SqliteLogStore()
  now = Date.parse('2026-11-22T09:06:00.123Z')
  sequencer = open()
})

/** What the log's own storage holds, in order. */
const stored = (): Stored[] =>
  store.database
    .prepare('select entry from undrained order by idx')
    .all()
    .map(({ entry }) => JSON.parse(String(entry)) as Stored)

async function take(request: AppendRequest, from = sequencer): Promise<AppendReply> {
  const answer = await from.append(request)
  if (!answer.ok) throw new Error(JSON.stringify(answer.error))
  return answer.value
}

describe('an append', () => {
  test('is stored as canonical text around the app’s own, with index, chains and time', async () => {
    const request = appendOf(['p1'])
    await take(appendOf(['p1']))
    const reply = await take(request)
    const text = String(store.database.prepare('select entry from undrained where idx = 1').get()?.entry)
    expect(text).toBe(
      `{"access":${request.entries[0]?.access},"chains":{"organisation":{"count":"2","previous":"0"},` +
        `"patient":{"count":"2","previous":"0"}},"index":"1","log":"qc-test","time":"2026-11-22T09:06:00.123Z","v":1}`,
    )
    expect(reply).toMatchObject({ log, first: '1', count: 1, time: '2026-11-22T09:06:00.123Z' })
  })

  test('is answered with the tree hash of its leaves, each an HMAC of the entry under its salt', async () => {
    const reply = await take(appendOf(['p1', 'p2', null]))
    const rows = store.database.prepare('select leaf, salt, entry from undrained order by idx').all()
    const leaves = rows.map(({ salt, entry }) =>
      Buffer.concat([
        Buffer.from([1]),
        createHmac('sha256', salt as Uint8Array)
          .update(String(entry))
          .digest(),
      ]),
    )
    expect(rows.map(({ leaf }) => Buffer.from(leaf as Uint8Array))).toEqual(leaves)
    const hash = treeHash(
      sha256,
      leaves.map((leaf) => leafHash(sha256, leaf)),
    )
    expect(reply.hash).toBe(Buffer.from(hash).toString('base64url'))
  })

  test('never bears an earlier time than the one before', async () => {
    await take(appendOf(['p1']))
    now -= 60_000
    expect((await take(appendOf(['p1']))).time).toBe('2026-11-22T09:06:00.123Z')
  })

  test('that breaks a limit is refused and stores nothing', async () => {
    const huge = { access: `{"x":"${'x'.repeat(limits.maxEntryBytes)}"}`, patient: null, organisation: null }
    const empty = await sequencer.append({ ...appendOf([null]), entries: [] })
    const large = await sequencer.append({ ...appendOf([null]), entries: [huge] })
    const many = await sequencer.append({
      ...appendOf([null]),
      entries: Array(limits.maxAppendEntries + 1).fill(huge),
    })
    expect([empty.ok, large.ok, many.ok]).toEqual([false, false, false])
    expect(stored()).toEqual([])
  })

  test('past the entries that may wait for a commit is refused as overload', async () => {
    const large = Array(limits.maxAppendEntries).fill(null)
    const first = sequencer.append(appendOf([null]))
    const waiting = Array.from({ length: limits.maxPendingAppends / limits.maxAppendEntries }, () =>
      sequencer.append(appendOf(large)),
    )
    expect(await sequencer.append(appendOf([null]))).toEqual({ ok: false, error: { reason: 'log-overload' } })
    expect((await first).ok).toBe(true)
    expect((await Promise.all(waiting)).every(({ ok }) => ok)).toBe(true)
  })

  test('past the bytes that may wait for an answer is refused as overload, and taken once they are answered', async () => {
    const access = `{"x":"${'é'.repeat((limits.maxEntryBytes - limits.entryFrameBytes) / 2 - 8)}"}`
    const entries = Array(limits.maxAppendEntries).fill({ access, patient: null, organisation: null })
    const large = (): AppendRequest => ({ ...appendOf([null]), entries })
    const first = sequencer.append(large())
    expect(await sequencer.append(large())).toEqual({ ok: false, error: { reason: 'log-overload' } })
    expect((await first).ok).toBe(true)
    store.faults.push('fails-not-persisted')
    expect(await sequencer.append(large())).toMatchObject({ error: { reason: 'log-unavailable' } })
    expect((await sequencer.append(large())).ok).toBe(true)
  })

  test('to storage of another log is refused', () => {
    sequencer.append(appendOf([null]))
    expect(() => new Sequencer({ log: 'other', store, now: () => now })).toThrow('holds log qc-test')
  })
})

describe('a group commit', () => {
  test('takes everything that arrived during the previous one, and the first alone at once', async () => {
    let open = (): void => {}
    store.gate = new Promise((resolve) => {
      open = resolve
    })
    const first = sequencer.append(appendOf(['p1']))
    expect(store.commits).toBe(1)
    const others = Array.from({ length: 50 }, (_, i) => sequencer.append(appendOf([`p${i}`])))
    expect(store.commits).toBe(1)
    open()
    const replies = await Promise.all([first, ...others])
    expect(store.commits).toBe(2)
    expect(replies.map((reply) => reply.ok && Number(reply.value.first))).toEqual(
      Array.from({ length: 51 }, (_, i) => i),
    )
  })
})

describe('the storage', () => {
  const statementsOf = async (work: () => Promise<unknown>): Promise<number> => {
    const before = store.statements
    await work()
    return store.statements - before
  }

  test('runs nine statements for an append, and few more for many in one commit', async () => {
    await take(appendOf(['p0']))
    expect(await statementsOf(() => take(appendOf(['p1'])))).toBeLessThanOrEqual(9)
    const many = await statementsOf(() =>
      Promise.all(Array.from({ length: 101 }, () => take(appendOf(['p1'])))),
    )
    // Two commits: the first append alone, then a hundred, of whose rows a statement takes 16 or 25.
    expect(many).toBeLessThanOrEqual(2 * 9 + Math.ceil(100 / 16) + Math.ceil(100 / 25))
  })
})

describe('a repeated append', () => {
  test('gets the first reply, also in the same commit and from a restarted log', async () => {
    const request = appendOf(['p1', 'p2'])
    const [first, during] = await Promise.all([take(request), take(request)])
    now += limits.appendMemoryMs
    sequencer = open()
    expect(during).toEqual(first)
    expect(await take(request)).toEqual(first)
    expect(stored()).toHaveLength(2)
  })

  test('with other content is refused', async () => {
    const request = appendOf(['p1'])
    await take(request)
    expect((await sequencer.append({ ...request, entries: appendOf(['p2']).entries })).ok).toBe(false)
    expect(stored()).toHaveLength(1)
  })

  test('in another phase or part of a sequence is another append', async () => {
    const { requestId } = appendOf([null])
    const intent = appendOf([null], null, { requestId, phase: 'intent' })
    await take(intent)
    await take({ ...intent, phase: 'outcome' })
    await take({ ...intent, phase: 'chunk', sequence: 1 })
    await take({ ...intent, phase: 'chunk', sequence: 2 })
    expect(stored()).toHaveLength(4)
  })

  test('is forgotten after its time, and memory stays bounded', async () => {
    for (let i = 0; i < 40; i++) await take(appendOf([null]))
    now += limits.appendMemoryMs + 1
    for (let i = 0; i < 5; i++) await take(appendOf([null]))
    expect(store.database.prepare('select count(*) as n from appended').get()?.n).toBe(5)
  })
})

describe('a one-time key', () => {
  test('seen before refuses its append alone, within one commit and later, until it expires', async () => {
    const once = [{ key: 'proof-1', untilMs: now + 1_000 }]
    const busy = sequencer.append(appendOf([null]))
    const [first, second, other] = await Promise.all([
      sequencer.append(appendOf(['p1'], null, { once })),
      sequencer.append(appendOf(['p2'], null, { once })),
      sequencer.append(appendOf(['p3'])),
    ])
    expect([(await busy).ok, first.ok, second.ok, other.ok]).toEqual([true, true, false, true])
    expect(second).toEqual({ ok: false, error: { reason: 'replayed', key: 'proof-1' } })
    expect((await sequencer.append(appendOf(['p4'], null, { once }))).ok).toBe(false)
    now += 1_001
    expect((await sequencer.append(appendOf(['p5'], null, { once }))).ok).toBe(true)
    expect(stored().map(({ access }) => access.patient)).toEqual([null, 'p1', 'p3', 'p5'])
  })

  test('does not keep the append that used it from being repeated', async () => {
    const request = appendOf(['p1'], null, { once: [{ key: 'proof-1', untilMs: now + 1_000 }] })
    expect(await take(request)).toEqual(await take(request))
  })
})

describe('an intent', () => {
  test('is told when it has had no outcome in time, and no more after its outcome', async () => {
    const intent = appendOf([null], 'organisation-1', { phase: 'intent' })
    await take(intent)
    expect(sequencer.openIntents()).toEqual([])
    expect(sequencer.countOpenIntents()).toBe(1)
    now += limits.settleAfterMs
    sequencer = open()
    const { requestId } = intent
    expect(sequencer.openIntents()).toEqual([
      { requestId, access: intent.entries[0]?.access, organisation: 'organisation-1' },
    ])
    await take(appendOf(['p1'], 'organisation-1', { requestId, phase: 'outcome' }))
    expect(sequencer.openIntents()).toEqual([])
    expect(sequencer.countOpenIntents()).toBe(0)
  })
})

describe('failed authentications', () => {
  const fail = (address: string, reason: string) =>
    sequencer.appendFailure(address, reason, appendOf([null], null))

  test('are single up to the limit of their address, then one counted entry when the minute is over', async () => {
    const answers = []
    for (let i = 0; i < 30; i++)
      answers.push(await fail('192.0.2.1', i % 3 === 0 ? 'expired' : 'signature-wrong'))
    const elsewhere = await fail('192.0.2.2', 'expired')
    expect(answers.filter(({ ok }) => ok)).toHaveLength(limits.maxSingleFailuresPerMinute)
    expect(answers.at(-1)).toEqual({ ok: false, error: { reason: 'counted' } })
    expect(elsewhere.ok).toBe(true)
    sequencer.tick()
    expect(stored()).toHaveLength(21)
    expect(sequencer.hasCounts).toBe(true)

    now += 60_000
    sequencer = open()
    sequencer.tick()
    await take(appendOf([null]))
    const counted = stored().filter(({ access }) => access.note !== null)
    expect(counted.map(({ access }) => access.note)).toEqual([
      { minute: '2026-11-22T09:06:00.000Z', count: '10', 'count:expired': '3', 'count:signature-wrong': '7' },
    ])
    expect((await fail('192.0.2.1', 'expired')).ok).toBe(true)
    expect(sequencer.hasCounts).toBe(false)
  })

  test('are single up to the limit the operator sets', async () => {
    sequencer = new Sequencer({ log, store, now: () => now, maxSingleFailuresPerMinute: 2 })
    const answers = [await fail('192.0.2.1', 'expired'), await fail('192.0.2.1', 'expired')]
    expect(answers.every(({ ok }) => ok)).toBe(true)
    expect(await fail('192.0.2.1', 'expired')).toEqual({ ok: false, error: { reason: 'counted' } })
  })

  test('of a minute with as many reasons as there may be are all told in its one entry, which fits', async () => {
    const reasons = Array.from({ length: limits.maxFailureReasons }, (_, i) =>
      `${i}-`.padEnd(limits.maxFailureNameLength, 'x'),
    )
    sequencer = new Sequencer({ log, store, now: () => now, maxSingleFailuresPerMinute: 0 })
    for (const reason of [...reasons, ...reasons]) await fail('192.0.2.1', reason)
    now += 60_000
    sequencer.tick()
    await until(() => stored().length === 1)
    const [{ access: { note } = { note: null } } = {}] = stored()
    expect(note).toEqual({
      minute: '2026-11-22T09:06:00.000Z',
      count: String(2 * reasons.length),
      ...Object.fromEntries(reasons.map((reason) => [`count:${reason}`, '2'])),
    })
  })

  test('past the bytes that may wait are counted, so that a flood of long ones fills no memory', async () => {
    let open = (): void => {}
    store.gate = new Promise((resolve) => {
      open = resolve
    })
    const busy = sequencer.append(appendOf([null]))
    const access = `{"x":"${'x'.repeat(60_000)}"}`
    const long = { ...appendOf([null], null), entries: [{ access, patient: null, organisation: null }] }
    const answers = Array.from({ length: 40 }, (_, i) =>
      sequencer.appendFailure(`198.51.100.${i}`, 'expired', { ...long, requestId: `r${i}` }),
    )
    open()
    await busy
    const singly = (await Promise.all(answers)).filter(({ ok }) => ok).length
    expect(singly).toBe(Math.floor(limits.maxPendingFailureBytes / access.length))
    now += 60_000
    sequencer.tick()
    await until(() => stored().length === 41)
    const counted = stored().filter(({ access: { note } }) => note?.count === '1')
    expect(counted).toHaveLength(40 - singly)
  })

  test('never keep other appends waiting, nor wait behind them', async () => {
    let open = (): void => {}
    store.gate = new Promise((resolve) => {
      open = resolve
    })
    const first = sequencer.append(appendOf([null]))
    const failures = Array.from({ length: 200 }, (_, i) => fail(`198.51.100.${i}`, 'expired'))
    const read = sequencer.append(appendOf(['p1']))
    open()
    await first
    const { first: index } = await read.then((answer) => (answer.ok ? answer.value : { first: '-1' }))
    await Promise.all(failures)
    expect(Number(index)).toBe(1)
    expect(store.commits).toBe(1 + Math.ceil(200 / limits.maxFailuresPerCommit))
  })
})

describe('the chains', () => {
  test('of every patient and organisation count 1..n and link each entry to the one before', async () => {
    const name = fc.constantFrom('a', 'b', 'c', null)
    const append = fc.record({
      patients: fc.array(name, { minLength: 1, maxLength: 4 }),
      organisation: name,
      alone: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(append, { maxLength: 30 }), async (appends) => {
        store = new SqliteLogStore()
        sequencer = open()
        const waiting: Promise<AppendReply>[] = []
        for (const { patients, organisation, alone } of appends) {
          const reply = take(appendOf(patients, organisation))
          waiting.push(reply)
          if (alone) await reply
        }
        await Promise.all(waiting)
        const heads = new Map<string, { count: number; index: string }>()
        for (const [i, entry] of stored().entries()) {
          expect(entry.index).toBe(String(i))
          const keys = { patient: entry.access.patient, organisation: keysOf(appends)[i] ?? null }
          for (const kind of ['patient', 'organisation'] as const) {
            const key = keys[kind]
            const head = heads.get(`${kind} ${key}`)
            expect(entry.chains[kind]).toEqual(
              key === null ? null : { count: String((head?.count ?? 0) + 1), previous: head?.index ?? null },
            )
            heads.set(`${kind} ${key}`, { count: (head?.count ?? 0) + 1, index: entry.index })
          }
        }
      }),
      { numRuns: 60 },
    )
  })

  /** Key of the organisation chain of each entry, in order. */
  const keysOf = (
    appends: readonly { patients: readonly unknown[]; organisation: string | null }[],
  ): (string | null)[] => appends.flatMap(({ patients, organisation }) => patients.map(() => organisation))
})

describe('a commit that fails', () => {
  const faults: CommitFault[] = [
    'fails-not-persisted',
    'fails-but-persisted',
    'hangs-not-persisted',
    'hangs-but-persisted',
  ]
  const steps = [0, 1, 2, 3, 4]

  test.each(faults.flatMap((fault) => steps.map((step) => [fault, step] as const)))(
    '(%s, commit %i) neither doubles, loses nor renumbers what its callers repeat',
    async (fault, step) => {
      const requests = Array.from({ length: 5 }, (_, i) => appendOf([`p${i % 2}`, null]))
      const replies: AppendReply[] = []
      for (const request of requests) {
        const faulty = replies.length === step
        if (faulty) store.faults.push(fault)
        const answer =
          faulty && fault.startsWith('hangs') ? await outOfTime(request) : await sequencer.append(request)
        if (faulty) {
          expect(answer?.ok ?? false).toBe(false)
          expect(sequencer.size).toBe(2 * step)
          // A log that hangs is ended; a new instance opens the same storage.
          if (fault.startsWith('hangs')) sequencer = open()
        }
        replies.push(await take(request))
      }
      expect(replies.map(({ first }) => first)).toEqual(['0', '2', '4', '6', '8'])
      expect(stored().map(({ access }) => access.requestId)).toEqual(
        requests.flatMap(({ requestId }) => [requestId, requestId]),
      )
      expect(stored().map(({ chains }) => chains.organisation?.count)).toEqual(
        Array.from({ length: 10 }, (_, i) => String(i + 1)),
      )
      const rows = store.database.prepare('select leaf, salt, entry from undrained order by idx').all()
      for (const [i, { hash }] of replies.entries()) {
        const leaves = rows
          .slice(2 * i, 2 * i + 2)
          .map(({ salt, entry }) => leafHash(sha256, leafOf(salt as Uint8Array, String(entry))))
        expect(hash).toBe(Buffer.from(treeHash(sha256, leaves)).toString('base64url'))
      }
    },
  )

  /** An append nobody waits for any more: null after one turn of the event loop without an answer. */
  const outOfTime = (request: AppendRequest): Promise<null> => {
    void sequencer.append(request)
    return new Promise((resolve) => setImmediate(() => resolve(null)))
  }

  test('refuses everything that was waiting, and the next append goes on from what is stored', async () => {
    store.faults.push('fails-but-persisted')
    const [first, second] = await Promise.all([
      sequencer.append(appendOf(['p1'])),
      sequencer.append(appendOf(['p1'])),
    ])
    expect([first, second]).toMatchObject([
      { ok: false, error: { reason: 'log-unavailable' } },
      { ok: false, error: { reason: 'log-unavailable' } },
    ])
    expect((await take(appendOf(['p1']))).first).toBe('1')
    expect(stored()[1]?.chains.patient).toEqual({ count: '2', previous: '0' })
  })

  test('keeps the counted failures', async () => {
    for (let i = 0; i < limits.maxSingleFailuresPerMinute; i++) {
      await sequencer.appendFailure('192.0.2.1', 'expired', appendOf([null], null))
    }
    store.faults.push('fails-not-persisted')
    await sequencer.appendFailure('192.0.2.1', 'expired', appendOf([null], null))
    // Waits for the failing commit and is refused with it.
    expect((await sequencer.append(appendOf([null]))).ok).toBe(false)
    await take(appendOf([null]))
    now += 60_000
    sequencer.tick()
    await take(appendOf([null]))
    expect(stored().find(({ access }) => access.note)?.access.note?.count).toBe('1')
  })
})
