/** One log ends and another goes on: nothing is lost on the way, wherever it breaks off. */
import { beforeEach, describe, expect, test } from 'vitest'
import type { AuditLog } from '../../../src/audit/audit-log.ts'
import { accessOf, sha256 } from '../../../src/audit/commitment.ts'
import type { AppendRequest } from '../../../src/audit/port.ts'
import {
  checkpointsStatement,
  type PublishedCheckpoint,
  publishedCheckpoint,
} from '../../../src/audit/public-store.ts'
import { type Founding, type SuccessionRpc, succeedLog } from '../../../src/audit/succession.ts'
import { treeHash } from '../../../src/audit/tlog/tree.ts'
import { limits } from '../../../src/limits.ts'
import { successorOf } from '../../../src/log-line.ts'
import { base } from './access.ts'
import { copyOf, databaseOf, newWorld, signerOf, type World } from './log-world.ts'
import { appendOf, ledgerEntries } from './support.ts'

let world: World
beforeEach(() => {
  world = newWorld()
})

describe('succession', () => {
  const order = (log: string, lastCheckpoint: PublishedCheckpoint | null) => ({
    log,
    successor: successorOf('qc-test', log),
    base: {
      ...base,
      action: 'succession',
      operation: 'succeed',
      note: { reason: 'the keys change' },
    } as const,
    newestCheckpoints: async () => (lastCheckpoint ? [lastCheckpoint] : []),
  })

  /** Two logs over one audit database, as the Worker reaches them. */
  function logsOf(...worlds: World[]): { rpc: SuccessionRpc; of(name: string): AuditLog } {
    const open = new Map(
      worlds.map((each) => [each.log, each.open({ mustBeFounded: each.log.endsWith('-2') })]),
    )
    const of = (name: string): AuditLog => {
      const log = open.get(name)
      if (!log) throw new Error(`no log ${name}`)
      return log
    }
    const rpc = {
      close: (log: string, successor: string) => of(log).close(successor),
      stranded: (log: string, from: number) => of(log).stranded(from),
      found: (log: string, founding: Founding) => of(log).found(founding),
      append: (log: string, request: AppendRequest) => of(log).append(request),
      retire: (log: string) => of(log).retire(),
    }
    return { rpc, of }
  }

  const noteOf = (w: World, index: number): Record<string, string> | null => {
    const { access } = JSON.parse(ledgerEntries(w.ledger, w.log)[index]?.entry ?? '') as StoredText
    return access.note
  }
  const lastOf = async ({ ledger, log }: World): Promise<PublishedCheckpoint | null> => {
    const [[row] = []] = await databaseOf(ledger).read([checkpointsStatement(log, 1)])
    return row ? publishedCheckpoint(row) : null
  }

  test('of a sound log ends it and goes on in a log whose entry 0 commits to its last checkpoint', async () => {
    const next = newWorld('qc-test-2', world.ledger)
    const { rpc, of } = logsOf(world, next)
    const old = of('qc-test')
    const intent = appendOf([null], 'organisation-1', { phase: 'intent' })
    await old.append(intent)
    await old.published(1, 5_000)
    const checkpoint = await lastOf(world)
    expect(await succeedLog(rpc, order('qc-test', checkpoint))).toEqual({
      ok: true,
      value: { successor: 'qc-test-2', salvaged: 0 },
    })
    const refused = await old.append(appendOf(['p1']))
    expect(!refused.ok && refused.error).toEqual({ reason: 'retired', successor: 'qc-test-2' })
    const log = of('qc-test-2')
    expect((await log.append(appendOf(['p1']))).ok).toBe(true)
    expect(await log.published(2, 5_000)).toBe(true)
    const [, size = '', root = ''] = checkpoint?.note.split('\n') ?? []
    expect(noteOf(next, 0)).toEqual({
      reason: 'the keys change',
      predecessor: 'qc-test',
      'predecessor-key': signerOf('qc-test').identity.vkey,
      'checkpoint-size': size,
      'checkpoint-root': root,
    })
    next.now += limits.settleAfterMs
    expect(log.openIntents().map(({ requestId }) => requestId)).toEqual([intent.requestId])
    expect(next.ledger.prepare('select log, predecessor from log order by log').all()).toEqual([
      { log: 'qc-test', predecessor: null },
      { log: 'qc-test-2', predecessor: 'qc-test' },
    ])
    // Ordered once more it does nothing more, and a restart changes nothing.
    expect(await succeedLog(rpc, order('qc-test', checkpoint))).toMatchObject({ ok: true })
    expect(log.status().size).toBe('2')
    expect(world.open().status()).toMatchObject({ standing: 'retired', successor: 'qc-test-2' })
  })

  test('of a log set back salvages the entries that only its storage holds', async () => {
    const first = world.open()
    await first.append(appendOf(['p1', 'p2']))
    await first.published(2, 5_000)
    const backup = copyOf(world.store)
    await first.append(appendOf(['p1']))
    await first.published(3, 5_000)
    world.store = backup
    // Its audit database away, it takes entries in good faith, at indices that are taken.
    const away = world.open({ outside: { ...world.outside, view: () => Promise.reject(new Error('away')) } })
    const good = appendOf(['p3', 'p4'])
    const receipt = await away.append(good)
    const next = newWorld('qc-test-2', world.ledger)
    const { rpc, of } = logsOf(world, next)
    await of('qc-test').advance()
    expect(of('qc-test').status().standing).toBe('halted')
    const done = await succeedLog(rpc, order('qc-test', await lastOf(world)))
    expect(done).toEqual({ ok: true, value: { successor: 'qc-test-2', salvaged: 2 } })
    expect(await of('qc-test-2').published(4, 5_000)).toBe(true)
    const stored = ledgerEntries(next.ledger, 'qc-test-2')
    expect(stored).toHaveLength(4)
    expect(stored.slice(2).map(({ entry }) => accessOf(entry))).toEqual(
      good.entries.map(({ access }) => access),
    )
    const listed = noteOf(next, 1) ?? {}
    expect(Object.keys(listed).sort()).toEqual(['entry:2', 'entry:3', 'predecessor'])
    // The receipts of salvaged entries still prove them: the listing names their leaves, and so their tree hash.
    const hashes = ['entry:2', 'entry:3'].map((name) =>
      Buffer.from(listed[name]?.split(' ')[0] ?? '', 'base64url'),
    )
    const hash = Buffer.from(treeHash(sha256, hashes)).toString('base64url')
    expect(receipt.ok && receipt.value.hash).toBe(hash)
    expect(noteOf(next, 0)?.['checkpoint-size']).toBe('3')
  })

  test('is not begun while a sound log cannot be drained, so that its callers are not left without a log', async () => {
    const next = newWorld('qc-test-2', world.ledger)
    const away = { ...world.outside, append: () => Promise.reject(new Error('away')) }
    const log = world.open({ outside: away })
    await log.append(appendOf(['p1']))
    const { rpc } = logsOf(next)
    const done = await succeedLog(
      { ...rpc, close: (_, successor) => log.close(successor) },
      order('qc-test', null),
    )
    expect(done.ok).toBe(false)
    expect((await log.append(appendOf(['p1']))).ok).toBe(true)
  }, 20_000)

  test('does not lose what was counted of failed authentications', async () => {
    const log = world.open({ maxSingleFailuresPerMinute: 0 })
    for (let i = 0; i < 3; i++) await log.appendFailure('192.0.2.1', 'expired', appendOf([null], null))
    expect((await log.close('qc-test-2')).ok).toBe(true)
    const stored = ledgerEntries(world.ledger, 'qc-test')
    expect(stored).toHaveLength(1)
    expect(noteOf(world, 0)).toMatchObject({ count: '3', 'count:expired': '3' })
  })

  test('a log that is to succeed another takes nothing before it is begun', async () => {
    const log = newWorld('qc-test-2').open({ mustBeFounded: true })
    const refused = await log.append(appendOf(['p1']))
    expect(!refused.ok && refused.error).toMatchObject({ detail: 'qc-test-2 has not been begun' })
  })

  test.each(['close', 'found', 'stranded', 'append', 'retire'] as const)(
    'broken off at %s, before or after it was done, is finished by ordering it again',
    async (step) => {
      for (const isDone of [false, true]) {
        const w = newWorld()
        const next = newWorld('qc-test-2', w.ledger)
        const first = w.open()
        await first.append(appendOf(['p1']))
        await first.published(1, 5_000)
        const backup = copyOf(w.store)
        await first.append(appendOf(['p1']))
        await first.published(2, 5_000)
        w.store = backup
        const away = w.open({ outside: { ...w.outside, view: () => Promise.reject(new Error('away')) } })
        await away.append(appendOf(['p3']))
        const { rpc, of } = logsOf(w, next)
        await of('qc-test').advance()
        const failing = {
          ...rpc,
          [step]: async (...args: unknown[]) => {
            if (isDone) await (rpc[step] as (...given: unknown[]) => Promise<unknown>)(...args)
            throw new Error('broken off')
          },
        }
        const checkpoint = await lastOf(w)
        await expect(succeedLog(failing, order('qc-test', checkpoint))).rejects.toThrow('broken off')
        expect((await succeedLog(rpc, order('qc-test', checkpoint))).ok).toBe(true)
        expect(await of('qc-test-2').published(3, 5_000)).toBe(true)
        expect(of('qc-test-2').status().size).toBe('3')
        expect((await of('qc-test').append(appendOf(['p1']))).ok).toBe(false)
      }
    },
  )
})

interface StoredText {
  readonly access: { readonly note: Record<string, string> | null }
}
