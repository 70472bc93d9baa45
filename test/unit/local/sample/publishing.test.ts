/** What the record makes of the sample: computed by the planner of publishing, without a database. */
import { describe, expect, it } from 'vitest'
import { readBundle } from '../../../../src/fhir/bundle.ts'
import { validateResource } from '../../../../src/fhir/validate.ts'
import { definitionsOfR4 } from '../../../../src/local/definitions/of-r4.ts'
import { generateSample, sampleSeed } from '../../../../src/local/sample/generator.ts'
import { personIdentifierSystems, sharingRules } from '../../../../src/local/sample/policy.ts'
import { type Plan, planPublication } from '../../../../src/records/plan.ts'
import { planned } from '../../../../src/records/plan-entry.ts'

function plan(facility: string, value: unknown): Plan {
  const bundle = readBundle(value)
  if (!bundle.ok) throw new Error(JSON.stringify(bundle.error))
  const direct = planned(bundle.value)
  if (!direct) throw new Error('names what is stored')
  const made = planPublication(direct, {
    facility,
    identitySystems: [],
    idKey: new Uint8Array(32),
    rules: sharingRules.map((rule, position) => ({ ...rule, position })),
    personSystems: personIdentifierSystems,
    baseUrl: 'http://127.0.0.1/fhir/',
    validate: (resource, options) => validateResource(resource, definitionsOfR4(), options),
  })
  if (!made.ok) throw new Error(JSON.stringify(made.error))
  return made.value
}

const plans = generateSample(sampleSeed).map(({ facility, bundle }) => ({
  facility,
  plan: plan(facility, bundle),
}))
const documents = plans.flatMap((one) => one.plan.documents)

describe('the sample, when it is published', () => {
  it('is taken whole', () => {
    for (const one of plans) expect(one.plan.outcomes.every((outcome) => 'document' in outcome)).toBe(true)
  })

  it('fills every clinical domain and shares it', () => {
    const shared = new Set(documents.filter(({ route }) => route === 'records').map(({ domain }) => domain))
    expect([...shared].sort()).toEqual(
      [
        'allergy',
        'directory',
        'hospital-summary',
        'identity',
        'imaging',
        'immunization',
        'laboratory',
        'medication',
      ].sort(),
    )
  })

  it('keeps restricted documents and unclassified papers at their facility, and nothing else', () => {
    const local = documents.filter(({ route }) => route === 'local')
    expect(new Set(local.map(({ type }) => type))).toEqual(
      new Set(['ServiceRequest', 'Communication', 'DocumentReference', 'Observation']),
    )
    const restricted = documents.filter(({ confidentiality }) => confidentiality === 'R')
    expect(restricted.map(({ type, domain, route }) => [type, domain, route])).toEqual([
      ['Observation', 'laboratory', 'local'],
      ['DocumentReference', 'other', 'local'],
    ])
    expect(local.every(({ domain, confidentiality }) => domain === 'other' || confidentiality === 'R')).toBe(
      true,
    )
  })

  it('dates every clinical document', () => {
    const undated = documents.filter(
      ({ domain, dateLo }) => dateLo === '' && domain !== 'identity' && domain !== 'directory',
    )
    expect(undated.map(({ type }) => type)).toEqual([])
  })
})
