/** The other half of the pairs, in a process of its own: the two run side by side. */
import { expect, test } from 'vitest'
import { runAll, seed, shortPairs, timeout } from './schedules.ts'

test(`two faults lose no acknowledged append and fork no tree (seed ${seed}, second half)`, {
  timeout,
}, async () => {
  const { schedules, complete, wrong } = await runAll('fresh', shortPairs(1, 2))
  console.info(`${schedules} schedules, in ${complete} both faults struck`)
  expect(wrong).toEqual([])
})
