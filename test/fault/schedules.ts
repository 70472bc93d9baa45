/** Which schedules there are: systematically all faults, and all ordered pairs of them. */
import { type Fault, modesOf, type Site, sites } from './faults.ts'

/** Each way of each site, at its n-th call. */
export const faultsAt = (nth: number): Fault[] =>
  (Object.keys(sites) as Site[]).flatMap((site) => modesOf(site).map((mode) => ({ site, mode, nth })))

export const pairsAt = (first: number, second: number): Fault[][] =>
  faultsAt(first).flatMap((one) => faultsAt(second).map((other) => [one, other]))
