/** Names of a log and of those that take over from it, one after the other. */

/** Names in the line of `log`: itself, then `<log>-2`, `<log>-3` … */
export const isOfLine = (log: string, name: string): boolean =>
  name === log || (name.startsWith(`${log}-`) && /^(?:[2-9]|[1-9]\d{1,5})$/.test(name.slice(log.length + 1)))

/** @param name of the line of `log`, whose own name may end in a number. */
export const successorOf = (log: string, name: string): string =>
  `${log}-${name === log ? 2 : Number(name.slice(log.length + 1)) + 1}`
