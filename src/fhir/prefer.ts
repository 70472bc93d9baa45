/** `Prefer` (RFC 7240) as FHIR R4 uses it: what a write answers with, and what a search does about parameters it does not know. */

export interface Preferences {
  /** `return`, R4 §3.1.0.1.9; null: none, or none that FHIR knows. */
  readonly answer: 'minimal' | 'representation' | 'OperationOutcome' | null
  /** `handling`, R4 §3.1.1.3.2; null: none. */
  readonly handling: 'strict' | 'lenient' | null
}

const answers = ['minimal', 'representation', 'OperationOutcome'] as const
const handlings = ['strict', 'lenient'] as const

/** A preference with its value, bare or quoted; its parameters, after `;`, mean nothing here. */
const preference = /(?:^|,)\s*([!#$%&'*+.^_`|~\w-]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",;]*)))?/g

/**
 * What the client prefers. A name given twice counts as given first, and what is not known is not there (RFC 7240, section 2):
 * a preference is never an error.
 *
 * @example parsePrefer('return=minimal, handling="lenient"') // { answer: 'minimal', handling: 'lenient' }
 */
export function parsePrefer(header: string | null): Preferences {
  const given = new Map<string, string>()
  for (const [, name = '', quoted, bare] of (header ?? '').matchAll(preference)) {
    const key = name.toLowerCase()
    if (!given.has(key)) given.set(key, quoted?.replaceAll(/\\(.)/g, '$1') ?? bare ?? '')
  }
  return {
    answer: answers.find((one) => one === given.get('return')) ?? null,
    handling: handlings.find((one) => one === given.get('handling')) ?? null,
  }
}
