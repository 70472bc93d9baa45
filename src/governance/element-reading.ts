/** Strict reading of FHIR elements: each helper says what is wrong and where, and passes nothing over. Pure. */
import { isObject, type JsonObject } from '../fhir/json.ts'
import type { Issue } from '../fhir/outcome.ts'
import { idPattern } from '../fhir/types.ts'

export type Issues = Issue[]

/** `fr` and `en` follow the element's path, without a full stop. */
export function wrong(issues: Issues, expression: string, fr: string, en: string): void {
  issues.push({
    code: 'value',
    expression,
    text: { fr: `${expression} : ${fr}.`, en: `${expression}: ${en}.` },
  })
}

export function required(issues: Issues, expression: string): void {
  issues.push({
    code: 'required',
    expression,
    text: { fr: `${expression} est obligatoire.`, en: `${expression} is required.` },
  })
}

/** An issue for every other member: `modifierExtension`, `_status`, elements of later versions and misspelt ones. */
export function onlyMembers(
  issues: Issues,
  value: JsonObject,
  at: string,
  understood: readonly string[],
): void {
  for (const name of Object.keys(value)) {
    if (understood.includes(name)) continue
    const expression = `${at}.${name}`
    issues.push({
      code: 'not-supported',
      expression,
      text: {
        fr: `${expression} n’est pas compris : la portée du refus pourrait en dépendre.`,
        en: `${expression} is not understood: what is refused might depend on it.`,
      },
    })
  }
}

/** Items of a repeating element with their expressions; none when it is absent. */
export function items(issues: Issues, value: unknown, at: string): readonly (readonly [string, unknown])[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) {
    wrong(issues, at, 'attend une liste', 'expects a list')
    return []
  }
  return value.map((item, i) => [`${at}[${i}]`, item] as const)
}

/** A CodeableConcept of exactly one coding: more would be alternatives, of which some may not be understood. */
export function readConcept(
  issues: Issues,
  value: unknown,
  at: string,
): { readonly system: string; readonly code: string } | null {
  if (!isObject(value)) {
    wrong(issues, at, 'attend un CodeableConcept', 'expects a CodeableConcept')
    return null
  }
  onlyMembers(issues, value, at, ['coding', 'text'])
  const codings = items(issues, value.coding, `${at}.coding`)
  const [first, second] = codings
  if (!first || second) {
    wrong(issues, `${at}.coding`, 'attend un seul code', 'expects one coding')
    return null
  }
  return readCoding(issues, first[1], first[0])
}

export function readCoding(
  issues: Issues,
  value: unknown,
  at: string,
): { readonly system: string; readonly code: string } | null {
  if (!isObject(value) || typeof value.system !== 'string' || typeof value.code !== 'string') {
    wrong(issues, at, 'attend `system` et `code`', 'expects `system` and `code`')
    return null
  }
  onlyMembers(issues, value, at, ['system', 'code', 'display'])
  return { system: value.system, code: value.code }
}

/** Id of a relative reference `Patient/[id]`. */
export function patientReference(issues: Issues, value: unknown, at: string): string | null {
  if (value === undefined) {
    required(issues, at)
    return null
  }
  const reference = isObject(value) && typeof value.reference === 'string' ? value.reference : ''
  const id = reference.startsWith('Patient/') ? reference.slice('Patient/'.length) : ''
  if (!isObject(value) || !idPattern.test(id)) {
    wrong(issues, `${at}.reference`, 'attend `Patient/[id]`', 'expects `Patient/[id]`')
    return null
  }
  if (value.type !== undefined && value.type !== 'Patient')
    wrong(issues, `${at}.type`, 'attend `Patient`', 'expects `Patient`')
  onlyMembers(issues, value, at, ['reference', 'type', 'display'])
  return id
}
