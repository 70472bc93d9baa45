/** Prunings of more bodies than one request lets go, what is held meanwhile, and those that the schedule orders. */
import { beforeEach, describe, expect, test } from 'vitest'
import { limits } from '../../../src/limits.ts'
import { PruningWorld, yearMs } from './pruning-world.ts'

const perRound = limits.pruneBatches * limits.pruneBatchEntries

/** So many entries of the year 2018 of a log that nobody writes to: index n is about p0 … p99. */
function fill(world: PruningWorld, log: string, count: number): void {
  const rows = 'with recursive n (i) as (select 0 union all select i + 1 from n where i + 1 < :count)'
  world.ledger.exec('begin')
  world.ledger
    .prepare(`${rows} insert into ledger_leaf (log, idx, leaf) select :log, i, zeroblob(33) from n`)
    .run({ count, log })
  world.ledger
    .prepare(
      `${rows} insert into ledger_body (log, idx, salt, entry)
       select :log, i, zeroblob(32), json_object('log', :log, 'index', cast(i as text),
                'time', '2018-11-22T09:00:00.000Z', 'access', json_object('requestId', 'r' || i, 'action', 'read',
                'phase', 'access', 'patient', 'p' || (i % 100), 'who', json_object('organisation', 'o'),
                'decision', json_object('outcome', 'permit', 'reason', 'shared-domain')))
         from n`,
    )
    .run({ count, log })
  world.ledger.exec('commit')
  world.publish(log, count)
}

const count = ({ ledger }: PruningWorld, log: string, more = ''): number =>
  Number(ledger.prepare(`select count(*) as n from ledger_body where log = ? ${more}`).get(log)?.n)

describe('a pruning of more than one request lets go', () => {
  const [old, next] = ['qc-east', 'qc-east-2']
  const size = perRound + 3_000
  let world: PruningWorld

  // The storage of the old log was lost: what it is asked to drain, it never does.
  beforeEach(() => {
    world = new PruningWorld()
    world.retire(old, next)
    world.now += 8 * yearMs
  })

  test('says that it goes on by itself, goes on round by round, and tells the log when all is done', async () => {
    fill(world, old, perRound + size)
    const first = await world.ask()
    expect([first.status, JSON.stringify(first.json)]).toEqual([
      503,
      expect.stringContaining('goes on by itself'),
    ])
    expect(count(world, old)).toBe(size)
    expect(world.removals(next).map(({ phase }) => phase)).toEqual(['intent'])
    expect(await world.settle()).toBe(0)
    world.now += limits.settleAfterMs
    expect([await world.settle(), count(world, old)]).toEqual([0, 3_000])
    expect([await world.settle(), count(world, old)]).toEqual([1, 0])
    await world.drained(next)
    const [intent, refused, outcome] = world.removals(next)
    expect([refused?.phase, outcome?.phase, outcome?.requestId]).toEqual([
      'access',
      'outcome',
      intent?.requestId,
    ])
    expect(outcome).toMatchObject({ operation: 'prune', decision: { reason: 'settled-committed' } })
    expect([await world.settle(), world.sequencer(next).countOpenIntents()]).toEqual([0, 0])
  })

  test('is finished as well by whoever asks again, who gives reasons of his own', async () => {
    fill(world, old, size)
    await world.ask()
    expect(await world.ask({ reason: 'Encore une fois' })).toMatchObject({
      status: 200,
      json: { changed: true },
    })
    expect(count(world, old)).toBe(0)
    expect(world.prunings(next).map(({ note }) => note?.reason)).toEqual(['Délai écoulé', 'Encore une fois'])
    expect(await world.ask()).toMatchObject({ status: 200, json: { changed: false } })
    world.now += limits.settleAfterMs
    expect(await world.settle()).toBe(1)
  })

  test('lets nothing go that is on hold, at no round', async () => {
    fill(world, old, size)
    world.hold('patient', 'p1')
    world.hold('patient', 'p99')
    await world.ask()
    world.now += limits.settleAfterMs
    expect(await world.settle()).toBe(1)
    expect(count(world, old)).toBe(size / 50)
    expect(count(world, old, "and patient not in ('p1', 'p99')")).toBe(0)
  })

  test('keeps what is still there when a hold is set between two rounds', async () => {
    fill(world, old, size)
    await world.ask()
    world.hold('patient', 'p7')
    world.now += limits.settleAfterMs
    expect(await world.settle()).toBe(1)
    expect(count(world, old)).toBe((size - perRound) / 100)
    expect(count(world, old, "and patient <> 'p7'")).toBe(0)
  })

  test('keeps what is still there when a hold is set between two transactions of a round', async () => {
    fill(world, old, size)
    world.onDelete = (done) => {
      // The transaction under way has been told what is held.
      if (done === 4) world.hold('patient', 'p7')
    }
    expect((await world.ask()).status).toBe(503)
    world.now += limits.settleAfterMs
    expect(await world.settle()).toBe(1)
    expect(count(world, old)).toBe((size - 5 * limits.pruneBatchEntries) / 100)
  })
})

describe('what is due', () => {
  const east = ['qc-east', 'qc-east-2'] as const
  let world: PruningWorld

  /** Two regions, the log of one of them retired; of each the first three entries are eight years old. */
  beforeEach(async () => {
    world = new PruningWorld(['qc-east', 'qc-west'])
    for (const log of ['qc-east', 'qc-west']) await world.append(log, 'p1', 'p2', 'p3')
    world.publish('qc-east')
    world.retire(...east)
    world.now += 8 * yearMs
    for (const log of ['qc-east-2', 'qc-west']) {
      await world.append(log, 'p4')
      world.publish(log)
    }
  })

  const round = async () => {
    const ordered: number[] = []
    for (const log of ['qc-east', 'qc-west']) ordered.push(await world.due(log))
    return ordered
  }

  test('is ordered once in the log of each region, or in its successor, carried out, and its outcome told', async () => {
    world.hold('patient', 'p2')
    expect(await round()).toEqual([1, 1])
    // Before the orders are in the audit database, and after.
    expect(await round()).toEqual([0, 0])
    for (const log of ['qc-east-2', 'qc-west']) await world.drained(log)
    expect(await round()).toEqual([0, 0])
    expect([world.indices('qc-east'), world.indices('qc-west')]).toEqual([
      [0, 1, 2],
      [0, 1, 2, 3, 4],
    ])
    world.now += limits.settleAfterMs
    for (const log of ['qc-east', 'qc-west']) expect(await world.settle(log)).toBe(1)
    for (const log of ['qc-east', 'qc-west']) expect(await world.settle(log)).toBe(0)
    for (const log of ['qc-east-2', 'qc-west']) await world.drained(log)
    expect([world.indices('qc-east'), world.indices('qc-west')]).toEqual([[1], [1, 3, 4, 5]])
    for (const [by, of] of [
      ['qc-east-2', 'qc-east'],
      ['qc-west', 'qc-west'],
    ] as const)
      expect(world.removals(by)).toMatchObject([
        { phase: 'intent', note: { 'prunes-log': of, 'prunes-to': '3', basis: 'audit-retention-days' } },
        {
          phase: 'outcome',
          operation: 'prune',
          decision: { outcome: 'permit', reason: 'settled-committed' },
        },
      ])
  })

  test('is ordered again only when a month more of it is past the policy', async () => {
    const dayMs = 86_400_000
    // After those of today: of ten days later, and of forty.
    for (const days of [10, 30]) {
      world.now += days * dayMs
      await world.append('qc-west', 'p5')
    }
    world.publish('qc-west')
    world.now += (7 * 365 + 2 - 40 + 1) * dayMs
    const ordered: number[] = []
    for (const days of [0, 10, 29]) {
      world.now += days * dayMs
      ordered.push(await world.due('qc-west'))
      await world.drained('qc-west')
    }
    expect(ordered).toEqual([1, 0, 1])
    expect(world.prunings('qc-west').map(({ note }) => note?.['prunes-to'])).toEqual(['4', '5'])
  })
})
