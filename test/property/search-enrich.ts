/**
 * What Synthea leaves out: elements that search parameters of its types are about. Each gets them by a number of its own,
 * so that the world is the same in every run and every parameter has something to find.
 */
type Json = Readonly<Record<string, unknown>>

const ucum = 'http://unitsofmeasure.org'
const snomed = 'http://snomed.info/sct'
const concept = (system: string, code: string, text?: string): Json => ({
  coding: [{ system, code }],
  ...(text ? { text } : {}),
})
const confidentiality = (code: string): Json => ({
  system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality',
  code,
})

interface Published {
  readonly resourceType: string
  readonly meta?: { readonly tag?: readonly unknown[] }
  readonly [member: string]: unknown
}

/** `every(n, 3, 1)`: one in three, those that leave 1. */
const every = (n: number, of: number, rest = 0): boolean => n % of === rest
const some = (isSo: boolean, members: Json): Json => (isSo ? members : {})
const day = (n: number): string => `20${String(10 + (n % 10))}-0${1 + (n % 9)}-1${n % 10}`

/** @param n a number of the resource */
export function enriched(resource: Published, n: number): Published {
  const meta = {
    ...resource.meta,
    ...some(every(n, 5), {
      tag: [...(resource.meta?.tag ?? []), { system: 'urn:tags', code: 'reviewed' }],
    }),
    ...some(every(n, 4), { profile: ['urn:profile:one', ...(every(n, 8) ? ['urn:profile:two|2.0'] : [])] }),
    ...some(every(n, 11, 3), { security: [confidentiality('R')] }),
    ...some(every(n, 23, 5), { security: [confidentiality('V')] }),
  }
  const identifier = { identifier: [{ system: 'urn:accession', value: `${resource.resourceType}-${n}` }] }
  const hasOwn = resource.identifier !== undefined
  return {
    ...resource,
    ...some(every(n, 7) && !hasOwn, identifier),
    ...(byType[resource.resourceType]?.(n, resource) ?? {}),
    ...some(every(n, 19, 7), inError(resource)),
    meta,
  }
}

/** A resource of its own, to which orders refer. */
export const medication = {
  resourceType: 'Medication',
  id: '5e1f6a52-0f1c-4b3e-9d0a-000000000001',
  meta: { tag: [{ system: 'urn:tags', code: 'orders' }] },
  status: 'active',
  code: concept('http://www.nlm.nih.gov/research/umls/rxnorm', '309362'),
  form: concept(snomed, '385055001'),
}

/** Entered in error: what must never be found. */
function inError({ resourceType }: Published): Json {
  if (resourceType === 'Condition' || resourceType === 'AllergyIntolerance') {
    const system =
      resourceType === 'Condition'
        ? 'http://terminology.hl7.org/CodeSystem/condition-ver-status'
        : 'http://terminology.hl7.org/CodeSystem/allergyintolerance-verification'
    return { clinicalStatus: undefined, verificationStatus: concept(system, 'entered-in-error') }
  }
  const withStatus = ['Observation', 'DiagnosticReport', 'MedicationRequest', 'Immunization', 'Procedure']
  return withStatus.includes(resourceType) ? { status: 'entered-in-error' } : {}
}

const byType: Readonly<Record<string, (n: number, resource: Published) => Json>> = {
  Observation: (n, { effectiveDateTime, code, category }) => ({
    ...some(every(n, 8, 1), {
      code: {
        ...(code as Json),
        coding: [...(code as { coding: Json[] }).coding, { code: `local-${n % 3}` }],
      },
    }),
    ...some(every(n, 8, 3), { category: [...(category as Json[]), concept('urn:category', 'bedside')] }),
    ...some(every(n, 10, 4), {
      effectiveDateTime: undefined,
      effectivePeriod: every(n, 20, 4) ? { start: effectiveDateTime } : { start: day(n), end: day(n + 1) },
    }),
    ...some(every(n, 10, 7), {
      effectiveDateTime: String(effectiveDateTime).slice(0, every(n, 20, 7) ? 7 : 4),
    }),
    ...some(every(n, 6, 2), { method: concept(snomed, every(n, 12, 2) ? '129300006' : '46973005') }),
    ...some(every(n, 9, 4), {
      performer: [{ display: 'somebody' }],
      partOf: [{ reference: 'Procedure/elsewhere' }],
    }),
    ...some(every(n, 13), { device: { reference: 'https://elsewhere.example/fhir/Device/d1' } }),
  }),
  Condition: (n) => ({
    ...some(every(n, 2), { severity: concept(snomed, every(n, 4) ? '24484000' : '255604002') }),
    ...some(every(n, 3), {
      bodySite: [concept(snomed, '344001')],
      category: [concept('urn:category', 'problem')],
    }),
    ...some(every(n, 5, 1), {
      onsetDateTime: undefined,
      onsetAge: { value: 20.5 + (n % 30), unit: 'years', system: ucum, code: 'a' },
    }),
    ...some(every(n, 5, 2), { onsetDateTime: undefined, onsetString: 'Dès l’Été dernier' }),
    ...some(every(n, 6, 1), { evidence: [{ code: [concept(snomed, '386661006')] }] }),
  }),
  MedicationRequest: (n) => ({
    ...some(every(n, 2), { category: [concept('urn:category', every(n, 4) ? 'outpatient' : 'inpatient')] }),
    ...some(every(n, 3), { priority: every(n, 6) ? 'routine' : 'urgent' }),
    ...some(every(n, 4), {
      dosageInstruction: [{ timing: { event: [day(n), `${day(n + 2)}T08:00:00-05:00`] } }],
    }),
    ...some(every(n, 5), { performerType: concept(snomed, '158965000') }),
    ...some(every(n, 3, 1), {
      medicationCodeableConcept: undefined,
      medicationReference: { reference: `urn:uuid:${medication.id}` },
    }),
  }),
  Encounter: (n) => ({
    ...some(every(n, 2), { length: { value: 15 + (n % 4) / 2, unit: 'min', system: ucum, code: 'min' } }),
    ...some(every(n, 5), {
      hospitalization: { specialArrangement: [concept('urn:arrangement', 'wheel')] },
    }),
  }),
  AllergyIntolerance: (n) => ({
    ...some(every(n, 2), {
      lastOccurrence: day(n),
      reaction: [
        {
          substance: concept(snomed, '256262001'),
          manifestation: [concept(snomed, '39579001'), concept(snomed, '271807003')],
          onset: day(n + 1),
          severity: every(n, 4) ? 'severe' : 'mild',
          exposureRoute: concept(snomed, '34206005'),
        },
      ],
    }),
  }),
  Immunization: (n) => ({
    ...some(every(n, 2), { lotNumber: `Lot-É${n % 7}`, reasonCode: [concept(snomed, '429060002')] }),
    ...some(every(n, 3), {
      protocolApplied: [
        { series: 'Série A', doseNumberPositiveInt: 1, targetDisease: [concept(snomed, '6142004')] },
      ],
    }),
    ...some(every(n, 5), { reaction: [{ date: day(n) }], manufacturer: { display: 'a firm' } }),
  }),
  Goal: (n) => ({
    ...some(every(n, 2), { startDate: day(n), category: [concept('urn:category', 'dietary')] }),
    ...some(every(n, 3), { target: [{ dueDate: day(n + 5) }] }),
  }),
  Procedure: (n) => ({
    ...some(every(n, 2), { category: concept(snomed, every(n, 4) ? '387713003' : '103693007') }),
    ...some(every(n, 3), { reasonCode: [concept(snomed, '386661006')], instantiatesUri: ['urn:protocol:1'] }),
    ...some(every(n, 5), { partOf: [{ reference: 'Procedure/elsewhere' }] }),
  }),
  DiagnosticReport: (n) => ({
    ...some(every(n, 3), { conclusionCode: [concept(snomed, every(n, 6) ? '110396000' : '17621005')] }),
    ...some(every(n, 4), { resultsInterpreter: [{ display: 'somebody' }] }),
  }),
  CarePlan: (n) => ({
    ...some(every(n, 3), { instantiatesUri: ['urn:protocol:1', 'urn:protocol:2'] }),
    ...some(every(n, 2), {
      activity: [
        {
          detail: {
            status: 'in-progress',
            code: concept(snomed, '409002'),
            scheduledPeriod: { start: day(n), end: day(n + 3) },
          },
        },
      ],
    }),
  }),
  Patient: (n, { telecom, address }) => ({
    active: every(n, 2),
    telecom: [...(telecom as Json[]), { system: 'email', value: `p${n}@example.org`, use: 'home' }],
    ...some(every(n, 3), { address: (address as Json[]).map((one) => ({ ...one, use: 'home' })) }),
  }),
  Organization: (n) => some(every(n, 3), { alias: [`Clinique de l’Érable ${n % 5}`] }),
}
