/** Ages that decide who acts for whom (P-9.0001, s. 112): under 14 a guardian does, from 14 on the person alone. */
export const ageOfConsent = 14

/** Today where the record's people live, `YYYY-MM-DD`. `nowMs`: milliseconds since 1970. */
export const todayInQuebec = (nowMs: number): string =>
  new Intl.DateTimeFormat('en-CA', { timeZone: 'America/Toronto', dateStyle: 'short' }).format(nowMs)

/** Whole years on a day; both `YYYY-MM-DD`. A person born on 29 February turns a year older on 1 March. */
export function ageOn(birthDate: string, day: string): number {
  const years = Number(day.slice(0, 4)) - Number(birthDate.slice(0, 4))
  return day.slice(5) < birthDate.slice(5) ? years - 1 : years
}

/**
 * Null when it cannot be told: no whole birth date is known, or those known disagree about it. `birthDates`: as the
 * person's source records say.
 */
export function isOfAge(birthDates: readonly string[], day: string): boolean | null {
  const known = birthDates.filter((date) => /^\d{4}-\d{2}-\d{2}$/.test(date))
  const answers = new Set(known.map((date) => ageOn(date, day) >= ageOfConsent))
  return answers.size === 1 ? answers.has(true) : null
}
