/** The outermost middleware: admits a bounded number of requests, and lets nothing leave that `release` did not make. */
import type { MiddlewareHandler } from 'hono'
import { limits } from '../limits.ts'
import { isMinted, refuseWithoutReceipt } from './release.ts'

/** Whether a path is on such a list. */
export function amongPaths(paths: readonly string[]): (path: string) => boolean {
  const exact = new Set(paths)
  const folders = paths.filter((path) => path.endsWith('/**')).map((path) => path.slice(0, -2))
  return (path) => exact.has(path) || folders.some((folder) => path.startsWith(folder))
}

/**
 * @param publicPaths the closed list: a response without a receipt leaves from nowhere else; one that ends in `/**` is
 *   every path below it
 */
export function gate(publicPaths: readonly string[]): MiddlewareHandler {
  const isPublic = amongPaths(publicPaths)
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
    if (!isMinted(c.res, isPublic(c.req.path))) {
      // Cleared first: the framework would carry the headers of the old response over to the new one.
      c.res = undefined
      c.res = refuseWithoutReceipt('internal')
    }
  }
}
