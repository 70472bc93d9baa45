import { type Beginning, runSchedule } from './run.ts'
import { faultsAt, pairsAt } from './schedules.ts'

let n = 0,
  caught = 0
for (const b of ['fresh', 'edge'] as Beginning[])
  for (const nth of [1, 2])
    for (const f of [
      [],
      ...faultsAt(nth).map((one) => [one]),
      ...(nth === 1 && b === 'fresh' ? pairsAt(1, 1).filter(([, other]) => other?.site === 'storage') : []),
    ]) {
      const o = await runSchedule(b, f, 1).catch((error) => ({
        schedule: b + String(f),
        wrong: [String(error)],
      }))
      n++
      if (o.wrong.length) {
        caught++
        console.log('CAUGHT', o.schedule, '|', o.wrong[0]?.replaceAll(/\d+/g, 'N'))
      }
    }
console.log('END', n)
process.exit()
