/** Text or bytes that are not in the format they should be in: always the fault of whoever sent them. */
export class FormatError extends Error {
  override name = 'FormatError'
}

/** A piece of foreign text as it may stand in a message: quoted, escaped, at most 60 characters of it. */
export const quote = (text: string): string =>
  JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
