import { runSchedule } from './run.ts'
  for (const b of ['fresh','edge','older'] as const) {
    const t = performance.now()
    const o = await runSchedule(b, [], 1)
    console.log(b, performance.now()-t, o.wrong, o.world.faultsSeen, o.world.released.length, o.world.lives, o.world.time.nowMs)
    const t2 = performance.now()
    for (let i=0;i<50;i++) await runSchedule(b, [], i)
    console.log((performance.now()-t2)/50)
  }
