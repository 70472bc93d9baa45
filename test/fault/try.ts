import { type Beginning, runSchedule } from './run.ts'
import { faultsAt } from './schedules.ts'

let n = 0,
  unfired = 0
for (const b of ['fresh', 'edge', 'older'] as Beginning[]) {
  const c = process.cpuUsage(),
    n0 = n
  for (const nth of [1, 2, 3])
    for (const f of faultsAt(nth)) {
      const o = await runSchedule(b, [f], 1)
      n++
      if (o.fired === 0) {
        unfired++
        console.log('UNFIRED', o.schedule)
      }
      if (o.wrong.length) console.log(o.schedule, o.wrong.slice(0, 4), o.world.faultsSeen.slice(-3))
    }
  console.log(b, process.cpuUsage(c).user / 1000 / (n - n0))
}
console.log(n, unfired, performance.now() / 1000)
