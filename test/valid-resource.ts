/** Fills what R4 requires into a resource of which a test says only what it is about. */
import type { ElementRule } from '../src/fhir/definitions.ts'
import { isObject, type JsonObject } from '../src/fhir/json.ts'
import { resourceTypes } from '../src/fhir/types.ts'
import { validateResource } from '../src/fhir/validate.ts'
import { definitionsOfR4 } from '../src/local/definitions/of-r4.ts'

/** Of a type that R4 does not have, nothing is required. */
export function completed<T extends JsonObject>(resource: T): T {
  const { resourceType } = resource
  if (typeof resourceType !== 'string' || !resourceTypes.has(resourceType)) return resource
  return completedAs(resourceType, resource) as T
}

function completedAs(shapeName: string, value: JsonObject): JsonObject {
  const shape = definitionsOfR4().shapeOf(shapeName)
  const filled: Record<string, unknown> = {}
  for (const [name, member] of Object.entries(value)) {
    const rule = shape.elements.get(name)
    filled[name] = rule && !rule.isPrimitive ? completedMember(rule, member) : member
  }
  for (const rules of shape.required.values()) {
    const [rule] = rules
    if (!rule || rules.some(({ name }) => value[name] !== undefined || value[`_${name}`] !== undefined))
      continue
    filled[rule.name] = rule.isRepeated ? [least(rule)] : least(rule)
  }
  return filled
}

function completedMember(rule: ElementRule, member: unknown): unknown {
  if (Array.isArray(member)) return member.map((item: unknown) => completedMember(rule, item))
  if (!isObject(member)) return member
  return rule.type === 'Resource' ? completed(member) : completedAs(rule.shape, member)
}

/** The least that R4 accepts as this element. */
export function least(rule: ElementRule): unknown {
  const [system, codes] = rule.codes ? ([...rule.codes.bySystem][0] ?? []) : []
  const [code] = codes ?? []
  if (rule.isPrimitive) return code ?? leastPrimitives[rule.type] ?? 'x'
  if (rule.type === 'Resource') return completed({ resourceType: 'Basic' })
  if (rule.type === 'CodeableConcept')
    return code === undefined ? { text: 'x' } : { coding: [{ system, code }] }
  if (rule.type === 'Reference') return { display: 'x' }
  const filled = completedAs(rule.shape, {})
  return Object.keys(filled).length > 0 ? filled : { extension: [{ url: 'urn:x', valueBoolean: true }] }
}

const leastPrimitives: Readonly<Record<string, unknown>> = {
  boolean: true,
  decimal: 1,
  integer: 1,
  unsignedInt: 1,
  positiveInt: 1,
  date: '2026',
  dateTime: '2026',
  instant: '2026-01-01T00:00:00Z',
  time: '00:00:00',
  uri: 'urn:x',
  url: 'urn:x',
  canonical: 'urn:x',
  oid: 'urn:oid:1.2',
  uuid: 'urn:uuid:00000000-0000-4000-8000-000000000000',
  base64Binary: 'AAAA',
  xhtml: '<div xmlns="http://www.w3.org/1999/xhtml">x</div>',
}

/** What R4 leaves of a resource: without the members it does not accept, and with those it requires. */
export function asR4<T extends JsonObject>(resource: T): T {
  let left: JsonObject = completed(resource)
  // A member that goes may have been required, or have kept another out.
  for (let round = 0; round < 3; round++) {
    const wrong = new Set(
      validateResource(left, definitionsOfR4(), { at: '', maxIssues: 100, typeOf: () => null }).map(
        ({ expression = '' }) => expression.replace(/[.[].*$/, ''),
      ),
    )
    if (wrong.size === 0) break
    left = completed(Object.fromEntries(Object.entries(left).filter(([name]) => !wrong.has(name))))
  }
  return left as T
}

/** A bundle with its resources completed; anything else as it is. */
export function completedEntries(bundle: unknown): unknown {
  if (!isObject(bundle) || !Array.isArray(bundle.entry)) return bundle
  const entry = bundle.entry.map((item: unknown) =>
    isObject(item) && isObject(item.resource) ? { ...item, resource: completed(item.resource) } : item,
  )
  return { ...bundle, entry }
}
