/**
 * Whether a resource is one of FHIR R4: its elements, their cardinalities, types, formats, required codes and reference
 * targets. Profiles, terminologies that others keep and FHIRPath invariants are not looked at, but for those that say what
 * an element, an extension and a contained resource is (ele-1, ext-1, dom-2, dom-4, dom-5, ref-1).
 */
import type { Definitions, ElementRule, Shape, ValueSet } from './definitions.ts'
import { isObject, type JsonObject } from './json.ts'
import type { Issue } from './outcome.ts'
import { primitiveFault } from './primitives.ts'
import { resourceTypes } from './types.ts'
import * as faults from './validate-issues.ts'
import { literalType, namedType } from './validate-reference.ts'

export interface ValidationOptions {
  /** Place of the resource, e.g. `Bundle.entry[3].resource`: expressions begin with it. */
  readonly at: string
  /** Issues reported at most. */
  readonly maxIssues: number
  /** Type of what a reference other than `Type/id` or `#id` means where the resource stands; null: it cannot be told. */
  readonly typeOf: (reference: string) => string | null
}

/** @returns what is wrong, in the order of the resource; empty: nothing */
export function validateResource(
  resource: JsonObject,
  definitions: Definitions,
  options: ValidationOptions,
): readonly Issue[] {
  const validation = new Validation(definitions, options)
  validation.resource(resource, null)
  return validation.issues
}

/** What `#id` refers into. */
interface Container {
  readonly resource: JsonObject
  /** Contained resources by id; made when first needed. */
  contained: ReadonlyMap<unknown, JsonObject> | null
}

class Validation {
  readonly issues: Issue[] = []
  readonly #definitions: Definitions
  readonly #options: ValidationOptions
  /** Names and positions from the resource to where the walk is. */
  readonly #path: (string | number)[] = []
  #container: Container = { resource: {}, contained: null }
  /** Of those around the walk: references in one resolve within it. */
  #bundles = 0

  constructor(definitions: Definitions, options: ValidationOptions) {
    this.#definitions = definitions
    this.#options = options
  }

  #report({ code, text }: faults.Fault, ...below: readonly (string | number)[]): void {
    if (this.#isFull()) return
    let expression = this.#options.at
    for (const step of [...this.#path, ...below])
      expression += typeof step === 'number' ? `[${step}]` : expression === '' ? step : `.${step}`
    this.issues.push({ code, expression, text })
  }

  /** What more is found would not be told: it is not looked for, since each of thousands would be compared with all known names. */
  #isFull(): boolean {
    return this.issues.length >= this.#options.maxIssues
  }

  /** @param container of a contained resource; null: it is its own */
  resource(value: unknown, container: Container | null): void {
    const type = isObject(value) ? value.resourceType : undefined
    if (!isObject(value)) this.#report(faults.objectExpected('Resource'))
    else if (typeof type !== 'string' || !resourceTypes.has(type))
      this.#report(faults.unknownType(type, resourceTypes), 'resourceType')
    else this.#resourceOf(value, type, container)
  }

  #resourceOf(value: JsonObject, type: string, container: Container | null): void {
    const around = this.#container
    this.#container = container ?? { resource: value, contained: null }
    if (type === 'Bundle') this.#bundles++
    if (container === null) this.#containedIds(value)
    else this.#containedRules(value)
    this.#members(value, this.#definitions.shapeOf(type), type)
    if (type === 'Bundle') this.#bundles--
    this.#container = around
  }

  #containedIds({ contained }: JsonObject): void {
    if (!Array.isArray(contained)) return
    const ids = new Set<unknown>()
    contained.forEach((inner: unknown, i) => {
      if (!isObject(inner) || inner.id === undefined) return
      if (ids.has(inner.id)) this.#report(faults.duplicateContained, 'contained', i, 'id')
      ids.add(inner.id)
    })
  }

  #containedRules({ contained, meta }: JsonObject): void {
    if (contained !== undefined) this.#report(faults.notInContained('contained'), 'contained')
    if (!isObject(meta)) return
    for (const name of ['versionId', 'lastUpdated', 'security'])
      if (meta[name] !== undefined) this.#report(faults.notInContained(name), 'meta', name)
  }

  #members(object: JsonObject, shape: Shape, type: string): void {
    let chosen: Map<string, string> | null = null
    for (const name in object) {
      if (this.#isFull()) return
      const isTwin = name.startsWith('_')
      const rule = shape.elements.get(isTwin ? name.slice(1) : name)
      if (!rule || (isTwin && !rule.isPrimitive)) {
        if (name !== 'resourceType' || !resourceTypes.has(type)) this.#unknown(name, shape)
        continue
      }
      if (rule.choice !== null) {
        chosen ??= new Map()
        const first = chosen.get(rule.choice) ?? rule.name
        chosen.set(rule.choice, first)
        if (first !== rule.name) this.#report(faults.choiceTwice(rule.choice, first), rule.name)
      }
      this.#path.push(rule.name)
      if (isTwin) this.#twin(object[name], object[rule.name], rule)
      else this.#element(object[name], rule.isPrimitive ? object[`_${name}`] : undefined, rule)
      this.#path.pop()
    }
    for (const [name, rules] of shape.required)
      if (!rules.some((rule) => isPresent(object, rule)))
        this.#report(faults.missingElement(name, type), name)
  }

  #unknown(name: string, shape: Shape): void {
    const fault = faults.unknownElement(name, shape.elements.keys())
    // A name that cannot be repeated cannot be part of a path either.
    if (faults.isName(name)) this.#report(fault, name)
    else this.#report(fault)
  }

  /** @param twin what stands beside a primitive: its extensions */
  #element(value: unknown, twin: unknown, rule: ElementRule): void {
    this.#each(value, rule.name, rule, (item, i) => {
      const isElsewhere = item === null && Array.isArray(twin) && isObject(twin[i])
      if (!isElsewhere) this.#single(item, rule)
    })
  }

  /** Of a primitive, `_birthDate`: an id and extensions, in a list at the place of their value. */
  #twin(twin: unknown, value: unknown, rule: ElementRule): void {
    this.#each(twin, `_${rule.name}`, rule, (item, i) => {
      const isElsewhere = item === null && Array.isArray(value) && i < value.length
      if (!isElsewhere) this.#extensionsOf(item)
    })
  }

  /** Each of what repeats; what does not, as the first. */
  #each(
    value: unknown,
    name: string,
    { isRepeated }: ElementRule,
    check: (item: unknown, i: number) => void,
  ): void {
    if (!isRepeated && Array.isArray(value)) this.#report(faults.oneExpected(name))
    else if (!isRepeated) check(value, 0)
    else if (!Array.isArray(value)) this.#report(faults.listExpected(name))
    else if (value.length === 0) this.#report(faults.emptyList)
    else
      value.forEach((item: unknown, i) => {
        this.#path.push(i)
        check(item, i)
        this.#path.pop()
      })
  }

  #single(value: unknown, rule: ElementRule): void {
    if (this.#isFull()) return
    if (value === null) this.#report(faults.nullValue)
    else if (rule.isPrimitive) this.#primitive(value, rule)
    else if (rule.type === 'Resource') this.resource(value, this.#containerOf(rule))
    else if (!isObject(value)) this.#report(faults.objectExpected(rule.type))
    else this.#complex(value, rule)
  }

  #primitive(value: unknown, { type, codes }: ElementRule): void {
    const fault = primitiveFault(type, value)
    if (fault !== null) this.#report(faults.wrongPrimitive(type, fault))
    else if (codes && !codes.codes.has(value as string))
      this.#report(faults.codeNotInSet(codes, value as string))
  }

  /** Resources in a `Bundle` and in `Parameters` stand for themselves. */
  #containerOf(rule: ElementRule): Container | null {
    return rule.name === 'contained' ? this.#container : null
  }

  #complex(value: JsonObject, rule: ElementRule): void {
    const shape = this.#definitions.shapeOf(rule.shape)
    // Where something is required, saying what is better.
    if (shape.required.size === 0 && isEmpty(value)) this.#report(faults.emptyElement)
    this.#members(value, shape, rule.type === 'BackboneElement' ? rule.shape : rule.type)
    if (rule.type === 'Extension') this.#extension(value, shape)
    if (rule.type === 'Reference') this.#reference(value, rule.targets)
    if (rule.codes && !hasCodeOf(value, rule.codes)) this.#report(faults.codeNotInSet(rule.codes, null))
  }

  #extensionsOf(twin: unknown): void {
    if (twin === null) this.#report(faults.nullValue)
    else if (!isObject(twin)) this.#report(faults.objectExpected('Element'))
    else if (isNothing(twin)) this.#report(faults.emptyElement)
    else this.#members(twin, this.#definitions.shapeOf('Element'), 'Element')
  }

  #extension(extension: JsonObject, shape: Shape): void {
    const values = shape.elements
    const hasValue = Object.keys(extension).some(
      (name) => values.get(name.replace(/^_/, ''))?.choice === 'value[x]',
    )
    if (hasValue === (extension.extension !== undefined)) this.#report(faults.valueOrExtensions)
  }

  #reference({ reference, type: declared }: JsonObject, targets: ElementRule['targets']): void {
    const named = namedType(declared)
    const literal = typeof reference === 'string' ? this.#typeOf(reference) : null
    if (literal !== null && named !== null && named !== literal)
      this.#report(faults.typesDisagree(named, literal), 'type')
    else if (literal !== null && targets?.has(literal) === false)
      this.#report(faults.wrongTarget(targets, literal), 'reference')
    else if (named !== null && targets?.has(named) === false)
      this.#report(faults.wrongTarget(targets, named), 'type')
  }

  #typeOf(reference: string): string | null {
    if (reference.startsWith('#')) return this.#typeOfContained(reference.slice(1))
    return literalType(reference) ?? (this.#bundles > 0 ? null : this.#options.typeOf(reference))
  }

  #typeOfContained(id: string): string | null {
    const container = this.#container
    if (id === '') return container.resource.resourceType as string
    const { contained } = container.resource
    container.contained ??= new Map(
      (Array.isArray(contained) ? contained : []).filter(isObject).map((inner) => [inner.id, inner]),
    )
    const found = container.contained.get(id)
    if (!found) this.#report(faults.noSuchContained, 'reference')
    const type = found?.resourceType
    return typeof type === 'string' && resourceTypes.has(type) ? type : null
  }
}

const isPresent = (object: JsonObject, { name, isPrimitive }: ElementRule): boolean =>
  object[name] !== undefined || (isPrimitive && object[`_${name}`] !== undefined)

const isNothing = (object: JsonObject): boolean => {
  for (const _ in object) return false
  return true
}

/** An id alone says nothing (ele-1). */
const isEmpty = (object: JsonObject): boolean => {
  for (const name in object) if (name !== 'id') return false
  return true
}

/** Of a `CodeableConcept` one coding is enough; others may say the same in other words. */
function hasCodeOf({ coding }: JsonObject, { bySystem }: ValueSet): boolean {
  if (!Array.isArray(coding)) return false
  return coding.some(
    (one: unknown) =>
      isObject(one) &&
      typeof one.system === 'string' &&
      bySystem.get(one.system)?.has(one.code as string) === true,
  )
}
