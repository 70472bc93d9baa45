/**
 * What a conditional create, update or delete names (FHIR R4, RESTful API, conditional interactions): `If-None-Exist`,
 * `Type?…`, and `If-Match`.
 */
import { err, ok, type Result } from '../result.ts'
import { formParameters } from './interactions.ts'
import type { Issue } from './outcome.ts'
import { idPattern } from './types.ts'

/** At least one of both; with both, both must be met. */
export interface Condition {
  /** `system|value`, as stored for the parameter `identifier`; the system may be empty. */
  readonly identifier: string | null
  readonly id: string | null
}

/**
 * @param text the query, without `?`
 * @param at expression of what is wrong
 */
export function parseCondition(text: string, at: string): Result<Condition, readonly Issue[]> {
  const parameters = [...new URLSearchParams(text)].filter(([name]) => !formParameters.includes(name))
  const issues: Issue[] = []
  let identifier: string | null = null
  let id: string | null = null
  for (const [name, value] of parameters) {
    if (name === 'identifier' && identifier === null) {
      identifier = identifierOf(value)
      if (identifier === null) issues.push(issue('value', at, identifierTexts))
    } else if (name === '_id' && id === null) {
      id = value
      if (!idPattern.test(value)) issues.push(issue('value', at, idTexts))
    } else
      issues.push(
        issue('not-supported', at, {
          fr: `Condition non offerte : « ${name} ». Une condition nomme \`identifier\` ou \`_id\`, une fois.`,
          en: `Unsupported condition "${name}". A condition names \`identifier\` or \`_id\`, once.`,
        }),
      )
  }
  if (parameters.length === 0) issues.push(issue('required', at, emptyTexts))
  return issues.length > 0 ? err(issues) : ok({ identifier, id })
}

/** One token `system|value`, with the escapes of search values taken out (R4 §3.1.1.5.7). Null: anything else. */
function identifierOf(token: string): string | null {
  const parts: string[] = ['']
  for (const [character] of token.matchAll(/\\[\s\S]|[\s\S]/g)) {
    if (character === ',') return null
    if (character === '|') parts.push('')
    else parts[parts.length - 1] += character.length === 2 ? character.slice(1) : character
  }
  const [system = '', value = '', ...rest] = parts
  return parts.length === 2 && value !== '' && rest.length === 0 ? `${system}|${value}` : null
}

/** A version, or `*`: any. */
export type Expected = number | '*'

/** `If-Match`: one entity tag as this server gives them, `W/"3"`, or `*`. */
export function parseIfMatch(text: string, at: string): Result<Expected, readonly Issue[]> {
  if (text.trim() === '*') return ok('*')
  const [, version] = /^\s*(?:W\/)?"([1-9]\d{0,14})"\s*$/.exec(text) ?? []
  return version === undefined ? err([issue('value', at, ifMatchTexts)]) : ok(Number(version))
}

const identifierTexts = {
  fr: '`identifier` : un seul `système|valeur` (`|valeur` sans système).',
  en: '`identifier`: one `system|value` (`|value` without a system).',
}
const idTexts = {
  fr: '`_id` : 1 à 64 lettres ASCII, chiffres, « - » ou « . ».',
  en: '`_id`: 1 to 64 ASCII letters, digits, "-" or ".".',
}
const emptyTexts = {
  fr: 'La condition est vide : elle nomme `identifier` ou `_id`.',
  en: 'The condition is empty: it names `identifier` or `_id`.',
}
const ifMatchTexts = {
  fr: '`If-Match` nomme une seule version, comme l’en-tête `ETag` : `W/"3"`.',
  en: '`If-Match` names one version, as the `ETag` header does: `W/"3"`.',
}

const issue = (code: string, expression: string, text: Issue['text']): Issue => ({ code, expression, text })
