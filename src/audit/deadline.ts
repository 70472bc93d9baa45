/** Settles like `work`, but rejects with `Error(what)` when that takes longer than `ms`; `work` itself goes on. */
export async function withDeadline<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Milliseconds from `now` until `at`, 0 when it is due. What is further off than `longestMs` was set before the clock went
 * back: it is due, or nothing would happen for as long as the clock was wrong.
 */
export function msUntil(at: number, now: number, longestMs: number): number {
  const ms = at - now
  return ms > longestMs ? 0 : Math.max(ms, 0)
}
