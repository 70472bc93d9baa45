/** The heartbeat: one row that readers keep young, by which a replica's age is known without asking the primary. */
import { limits } from '../limits.ts'
import type { Statement } from './ports.ts'

/**
 * A no-op at the primary when somebody else was just there; a heartbeat left in the future by a wrong clock is brought
 * back. `now` in milliseconds since 1970.
 */
export const heartbeatStatement = (now: number): Statement => ({
  sql: 'update heartbeat set at = :now where id = 1 and (at < :now - :every or at > :now + :skew)',
  args: { now, every: limits.heartbeatEveryMs, skew: limits.maxClockSkewMs },
})
