/** Instants as requests name them, and as the ledger writes them. */
import * as z from 'zod'

/** ISO 8601 with an offset. Beyond the years of four digits, text in UTC would no longer sort by time. */
export const instant = z.iso
  .datetime({ offset: true })
  .refine((time) => /^\d{4}-/.test(utc(time)), 'not within the years 0001 to 9999 (UTC)')

/** As the ledger writes times, so that they compare as text; the empty string for what is no instant. */
export function utc(time: string): string {
  const at = new Date(time)
  return Number.isNaN(at.getTime()) ? '' : at.toISOString()
}
