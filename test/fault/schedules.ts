/** Which schedules there are: systematically all faults, and all ordered pairs of them. */
import { type Fault, type Mode, modesOf, type Site, sites } from './faults.ts'
import { type Beginning, runSchedule } from './run.ts'

/** A run that is cut off goes on in the time it simulates, and with it whatever comes after: never on a busy machine. */
export const timeout = 60 * 60_000

/** Each way of each site, at its n-th call. */
export const faultsAt = (nth: number): Fault[] =>
  (Object.keys(sites) as Site[]).flatMap((site) => modesOf(site).map((mode) => ({ site, mode, nth })))

/** The second strikes at the n-th call of its site after the first, often while the log recovers from that. */
export const pairsAt = (first: number, second: number): Fault[][] =>
  faultsAt(first).flatMap((one) => faultsAt(second).map((other) => [one, other]))

/** What every short run tries of each call: refused, done all the same, and done by an instance that is killed before it knows. */
const shortModes: readonly Mode[] = ['fails, not done', 'fails, done', 'killed after it was done']

/** Part `part` of `parts` of all ordered pairs of those, each at its first call. */
export function shortPairs(part: number, parts: number): Fault[][] {
  const faults = faultsAt(1).filter(({ mode }) => shortModes.includes(mode))
  const firsts = faults.filter((_, i) => i % parts === part)
  return firsts.flatMap((one) => faults.map((other) => [one, other]))
}

/** `DOSSIER_FAULT_SEED` chooses latencies, what arrives late, and which pairs a short run takes. */
export const seed = Number(process.env.DOSSIER_FAULT_SEED ?? 1)

/** Every schedule of a full run; a short one takes a share of the pairs, another one with each seed. */
export const isFull = process.env.DOSSIER_FULL !== undefined

export interface Report {
  readonly schedules: number
  /** Schedules all of whose faults struck. */
  readonly complete: number
  /** Sites whose fault struck. */
  readonly sites: ReadonlySet<Site>
  /** One line for each schedule after which something is wrong. */
  readonly wrong: readonly string[]
}

export async function runAll(
  beginning: Beginning,
  schedules: readonly (readonly Fault[])[],
): Promise<Report> {
  const struck = new Set<Site>()
  const wrong: string[] = []
  let complete = 0
  for (const faults of schedules) {
    const outcome = await runSchedule(beginning, faults, seed)
    for (const { site } of faults.slice(0, outcome.fired)) struck.add(site)
    if (outcome.fired === faults.length) complete++
    if (outcome.wrong.length > 0) wrong.push(`${outcome.schedule}: ${outcome.wrong.join('; ')}`)
  }
  return { schedules: schedules.length, complete, sites: struck, wrong }
}
