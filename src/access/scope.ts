/**
 * SMART App Launch 2.2 scopes (`system|user|patient/Type.cruds?param=value`): they narrow what a token may be used for,
 * never widen it. Pure.
 */

/** One interaction on one resource type; `*`: on any, as an operation that is no FHIR interaction needs. */
export interface ScopeNeed {
  readonly type: string
  /** create, read, update, delete, search. */
  readonly interaction: 'c' | 'r' | 'u' | 'd' | 's'
}
