/**
 * Two faults in a row, every ordered pair: what has ended public logs. `DOSSIER_FULL=1` runs all of them, at the first and
 * second calls of their sites; else each seed takes its eighth.
 */
import { describe, expect, test } from 'vitest'
import type { Fault } from './faults.ts'
import type { Beginning } from './run.ts'
import { isFull, pairsAt, runAll, seed } from './schedules.ts'

const shares = 8

const shareOf = (pairs: readonly Fault[][]): readonly Fault[][] =>
  isFull ? pairs : pairs.filter((_, i) => i % shares === seed % shares)

const places: readonly [Beginning, number, number][] = isFull
  ? (['fresh', 'edge', 'older'] as const).flatMap((beginning) =>
      [1, 2].flatMap((first) =>
        [1, 2].map((second): [Beginning, number, number] => [beginning, first, second]),
      ),
    )
  : [['fresh', 1, 1]]

describe.each(places)('two faults (%s, at call %i, then at call %i)', (beginning, first, second) => {
  test(`lose no acknowledged append and fork no tree (seed ${seed})`, { timeout: 60 * 60_000 }, async () => {
    const { schedules, complete, wrong } = await runAll(beginning, shareOf(pairsAt(first, second)))
    console.info(`${schedules} schedules, in ${complete} both faults struck`)
    expect(wrong).toEqual([])
  })
})

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
