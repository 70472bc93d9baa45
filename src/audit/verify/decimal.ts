/** Canonical decimals below 2^64, kept as the texts they come as: comparing them so is cheaper than numbers of any kind. */

const pattern = /^(?:0|[1-9][0-9]{0,19})$/
const largest = '18446744073709551615'

export const isDecimal = (value: unknown): value is string =>
  typeof value === 'string' && pattern.test(value) && (value.length < 20 || value <= largest)

export const isDecimalLess = (a: string, b: string): boolean =>
  a.length === b.length ? a < b : a.length < b.length
