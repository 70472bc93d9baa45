import { type Beginning, runSchedule } from './run.ts'
import { pairsAt } from './schedules.ts'

const [b, n1, n2, part, parts] = process.argv.slice(2)
let n = 0,
  fired = 0,
  wrong = 0
for (const [i, f] of pairsAt(Number(n1), Number(n2)).entries()) {
  if (i % Number(parts) !== Number(part)) continue
  const o = await runSchedule(b as Beginning, f, 1)
  n++
  if (o.fired === 2) fired++
  if (o.wrong.length) {
    wrong++
    console.log(o.schedule, o.wrong.slice(0, 4), o.world.faultsSeen.slice(-3))
  }
}
console.log('END', b, n1, n2, n, 'both fired', fired, 'wrong', wrong, performance.now() / 1000)
