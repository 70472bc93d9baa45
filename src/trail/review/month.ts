/** A month as Québec counts it, and the hour of the day there. */

const zone = 'America/Toronto'

const wall = new Intl.DateTimeFormat('en-CA', {
  timeZone: zone,
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
})

/** What Québec's clocks are ahead of UTC at this instant, in milliseconds (behind: negative). */
function offsetMs(ms: number): number {
  const parts = Object.fromEntries(wall.formatToParts(ms).map(({ type, value }) => [type, Number(value)]))
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = parts
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(ms / 1_000) * 1_000
}

/** Midnight there at the beginning of a month (from 0), in milliseconds since 1970; no clock changes at that hour. */
function beginningOf(year: number, month: number): number {
  const utc = Date.UTC(year, month, 1)
  return utc - offsetMs(utc - offsetMs(utc))
}

export interface Month {
  /** `YYYY-MM`. */
  readonly name: string
  /** Milliseconds since 1970, `to` exclusive. */
  readonly from: number
  readonly to: number
}

export const monthPattern = /^2\d{3}-(0[1-9]|1[0-2])$/

/** @param name `YYYY-MM` */
export function monthOf(name: string): Month {
  const [year = 0, month = 0] = name.split('-').map(Number)
  return { name, from: beginningOf(year, month - 1), to: beginningOf(year, month) }
}

/** 0 to 23. */
export const hourOf = (ms: number): number => new Date(ms + offsetMs(ms)).getUTCHours()
