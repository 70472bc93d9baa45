/**
 * Two faults in a row, every ordered pair: what has ended public logs. Each call refused, done all the same, or done by an
 * instance that is killed; half of the pairs here, half in `two-more-faults.test.ts`. `DOSSIER_FULL=1` runs every way of every
 * site, at the first and second calls, in three beginnings.
 */
import { describe, expect, test } from 'vitest'
import type { Fault } from './faults.ts'
import type { Beginning } from './run.ts'
import { isFull, pairsAt, runAll, seed, shortPairs, timeout } from './schedules.ts'

test(`two faults lose no acknowledged append and fork no tree (seed ${seed}, first half)`, {
  timeout,
}, async () => {
  const { schedules, complete, wrong } = await runAll('fresh', shortPairs(0, 2))
  console.info(`${schedules} schedules, in ${complete} both faults struck`)
  expect(wrong).toEqual([])
})

const places: readonly [Beginning, number, number][] = (['fresh', 'edge', 'older'] as const).flatMap(
  (beginning) =>
    [1, 2].flatMap((first) =>
      [1, 2].map((second): [Beginning, number, number] => [beginning, first, second]),
    ),
)

describe.runIf(isFull).each(places)(
  'every pair (%s, at call %i, then at call %i)',
  (beginning, first, second) => {
    test(`loses no acknowledged append and forks no tree (seed ${seed})`, {
      timeout,
    }, async () => {
      const { schedules, complete, wrong } = await runAll(beginning, pairsAt(first, second))
      console.info(`${schedules} schedules, in ${complete} both faults struck`)
      expect(wrong).toEqual([])
    })
  },
)

describe('two faults that did harm once', () => {
  test.each<[string, Fault[]]>([
    [
      'a witness that was away is asked again, though the log does not grow',
      [{ site: 'witness', mode: 'away', nth: 2 }],
    ],
    [
      'a log that nobody let announce itself, in silence, asks again',
      [{ site: 'outside: register', mode: 'fails, not done', nth: 3 }],
    ],
    [
      'a clock that is put right does not put off the next checkpoint',
      [{ site: 'clock', mode: 'ahead for a while', nth: 2 }],
    ],
    [
      'a witness that fails at the moment when only it knows better is asked once more before anything is signed',
      [
        { site: 'storage', mode: 'restored with the audit database', nth: 1 },
        { site: 'witness', mode: 'fails, done', nth: 1 },
      ],
    ],
    [
      'tiles that cannot be read, in silence, do not keep the log from its next alarm',
      [{ site: 'outside: read tiles', mode: 'away', nth: 1 }],
    ],
  ])('%s', async (_, faults) => {
    expect((await runAll('edge', [faults])).wrong).toEqual([])
  })
})
