/** The outermost middleware: admits a bounded number of requests, and lets nothing leave that `release` did not make. */
import type { MiddlewareHandler } from 'hono'
import { limits } from '../limits.ts'
import { isMinted, refuseWithoutReceipt } from './release.ts'

/** @param publicPaths the closed list: a response without a receipt leaves from nowhere else */
export function gate(publicPaths: readonly string[]): MiddlewareHandler {
  // Owned by this isolate: requests under way. sqld refuses what is past its own bound; we say so first, and clearly.
  let underWay = 0
  return async (c, next) => {
    // A process that is busy is alive: a supervisor that asks must not be told otherwise.
    if (c.req.path === '/healthz') return await next()
    if (underWay >= limits.maxConcurrentRequests) {
      c.res = refuseWithoutReceipt('overload')
      return
    }
    underWay++
    try {
      await next()
    } finally {
      underWay--
    }
    if (!isMinted(c.res, publicPaths.includes(c.req.path))) {
      // Cleared first: the framework would carry the headers of the old response over to the new one.
      c.res = undefined
      c.res = refuseWithoutReceipt('internal')
    }
  }
}
