/** Conditional reads (R4 §3.1.0.1.8; RFC 9110 §13.1): whether the client already has what it asks for. */

export interface Conditions {
  /** `If-None-Match` as received; null without it. */
  readonly ifNoneMatch: string | null
  /** `If-Modified-Since` as received; null without it. */
  readonly ifModifiedSince: string | null
}

export interface Version {
  readonly version: number
  /** UTC, ISO 8601 with milliseconds. */
  readonly published: string
}

export const etagOf = ({ version }: Pick<Version, 'version'>): string => `W/"${version}"`

export const lastModifiedOf = ({ published }: Pick<Version, 'published'>): string =>
  new Date(published).toUTCString()

/** Tags are compared weakly (RFC 9110 §8.8.3.2); with `If-None-Match` there, `If-Modified-Since` does not count. */
export function isNotModified({ ifNoneMatch, ifModifiedSince }: Conditions, current: Version): boolean {
  if (ifNoneMatch !== null)
    return ifNoneMatch
      .split(',')
      .map((tag) => tag.trim())
      .some((tag) => tag === '*' || tag.replace(/^W\//, '') === `"${current.version}"`)
  // HTTP dates have whole seconds; what is none is left unheeded.
  const since = Date.parse(httpDate.test(ifModifiedSince ?? '') ? (ifModifiedSince ?? '') : '')
  return Math.floor(Date.parse(current.published) / 1_000) * 1_000 <= since
}

/** RFC 9110 §5.6.7, the form that clients have sent since 1999. */
const httpDate = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/
