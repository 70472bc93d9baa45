/** Dates of the sample data, counted back from a fixed day: the data does not age between two runs. */

/** "Today" of the sample data. */
export const referenceDate = '2026-11-01'

const dayMs = 86_400_000

/** `YYYY-MM-DD`, so many days before the reference date. */
export function daysAgo(days: number): string {
  return new Date(Date.parse(referenceDate) - days * dayMs).toISOString().slice(0, 10)
}

/** `date`, so many days later. */
export function daysAfter(date: string, days: number): string {
  return new Date(Date.parse(date) + days * dayMs).toISOString().slice(0, 10)
}

/** FHIR dateTime of a minute of that day in eastern standard time, which the sample's systems keep all year. */
export function at(date: string, hour: number, minute = 0): string {
  return `${date}T${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}:00-05:00`
}

/** Whole years of age on a day. */
export function ageOn(birthDate: string, date: string): number {
  const years = Number(date.slice(0, 4)) - Number(birthDate.slice(0, 4))
  return date.slice(5) < birthDate.slice(5) ? years - 1 : years
}
