import { expect, test } from 'vitest'
import { runSchedule } from './run.ts'

test('try', async () => {
  for (const b of ['fresh', 'edge', 'older'] as const) {
    const t = performance.now()
    const o = await runSchedule(b, [], 1)
    console.log(b, performance.now() - t, o.wrong, o.world.faultsSeen, o.world.released.length, o.world.lives)
    const t2 = performance.now()
    for (let i = 0; i < 50; i++) await runSchedule(b, [], i)
    console.log((performance.now() - t2) / 50)
  }
})
