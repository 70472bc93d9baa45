/** Each call of a log breaks once, in each way: nothing acknowledged is lost, nothing signed is contradicted, all goes on. */
import { describe, expect, test } from 'vitest'
import { type Fault, type Site, sites } from './faults.ts'
import type { Beginning } from './run.ts'
import { faultsAt, runAll, seed, timeout } from './schedules.ts'

/** Only a log that was set back halts; only one from before there were checkpoints asks for leaves. */
const elsewhere: Readonly<Record<Beginning, readonly Site[]>> = {
  fresh: ['commit of a halt', 'outside: read leaves'],
  edge: ['commit of a halt', 'outside: read leaves'],
  older: ['commit of a halt'],
}

const once = (nth: number): Fault[][] => faultsAt(nth).map((fault) => [fault])

describe.each<[Beginning, string, Fault[][]]>([
  ['fresh', 'an empty log', [[], ...once(1), ...once(2), ...once(3)]],
  ['edge', 'a log whose tile is about to be full', [[], ...once(1), ...once(2)]],
  ['older', 'a log from before there were checkpoints', [[], ...once(1), ...once(2)]],
])('one fault in the life of a log (%s)', (beginning, what, schedules) => {
  test(`${what} stays one log, loses nothing, and goes on by itself (seed ${seed})`, {
    timeout,
  }, async () => {
    const report = await runAll(beginning, schedules)
    expect(report.wrong).toEqual([])
    const expected = Object.keys(sites).filter((site) => !elsewhere[beginning].includes(site as Site))
    expect([...report.sites].sort()).toEqual(expected.sort())
  })
})
