/** The part of the tour about who may see what: relationship, denials, refusal, restriction, emergency, review. */
import type { Published } from './demo.ts'
import { type Answer, check, say, type Tour } from './demo-tour.ts'

/** The patient of the tour, at the identity provider. */
const patient = 'belisle'
const nam = 'https://fhir.infoway-inforoute.ca/NamingSystem/ca-qc-patient-healthcare-id'
const results = ({ patient }: Published, count = '5'): string =>
  `/fhir/Observation?${new URLSearchParams({ patient, category: 'laboratory', _count: count })}`

/** The code by which a program tells refusals apart. */
function tagOf({ body }: Answer): string {
  const { issue, errors } = JSON.parse(body) as {
    issue?: { details?: { coding?: { code: string }[] } }[]
    errors?: { code: string }[]
  }
  return issue?.[0]?.details?.coding?.[0]?.code ?? errors?.[0]?.code ?? ''
}

const entriesOf = ({ body }: Answer): readonly { readonly resource: Record<string, unknown> }[] =>
  (JSON.parse(body) as { entry?: { resource: Record<string, unknown> }[] }).entry ?? []

export async function attestCare(tour: Tour, published: Published): Promise<void> {
  tour.step(
    'A physician in Québec does not care for this patient: she may know that the person exists, no more.',
  )
  const number = `${nam}|BELG58531499`
  const found = await tour.askAs(
    'gagnon',
    `/fhir/Patient?${new URLSearchParams({ identifier: number, birthdate: '1958-03-14' })}`,
  )
  const [identity] = entriesOf(found)
  check(
    'by number and birth date she finds the name, and nothing else',
    JSON.stringify(identity?.resource.meta).includes('SUBSETTED') && identity?.resource.address === undefined,
  )
  const denied = await tour.askAs('gagnon', results(published))
  check('the record is closed to her: no care relationship', tagOf(denied) === 'relationship-required')
  const attested = await tour.sendAs('gagnon', 'POST', '/access/attestations', {
    patient: published.patient,
    reason: 'Consultation de néphrologie demandée par son médecin de famille',
  })
  check('she attests that she cares for the patient; the patient will be told', attested.status === 201)
  published.clock = attested.clock
}

/** Asks as each of these people, and checks by what the log will say why not. */
export async function denyForFiveReasons(tour: Tour, published: Published): Promise<void> {
  tour.step('Five ways to be denied; the answer says little, the audit log says exactly why.')
  const otherPhysician = await tour.askAs(
    'gauthier',
    results(published),
    {},
    { scope: 'facility=clinique-saint-roch' },
  )
  check('1. no care relationship', otherPhysician.status === 403)
  const dietitian = await tour.askAs('lavoie', `/fhir/${published.prescription}`)
  check('2. a clinical domain that the role does not open', dietitian.status === 404)
  const elsewhere = await tour.askAs('gagnon', `/fhir/${published.communication}`)
  check('3. an unshared document of another facility', elsewhere.status === 404)
  const marketing = await tour.askAs('tremblay', results(published), {}, { purpose: 'RECORDMGT' })
  check('4. a purpose of use for which the role opens nothing', marketing.status === 403)
  const narrowed = await tour.askAs(
    'tremblay',
    results(published),
    {},
    { scope: 'user/AllergyIntolerance.rs' },
  )
  check('5. a token that was narrowed to something else', tagOf(narrowed) === 'scope-insufficient')
}

const consent = ({ patient }: Published, provision: unknown) => ({
  resourceType: 'Consent',
  status: 'active',
  scope: {
    coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }],
  },
  category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
  patient: { reference: patient },
  dateTime: new Date().toISOString().slice(0, 10),
  policyRule: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTOUT' }] },
  provision,
})

export async function refuseAndRestrict(tour: Tour, published: Published): Promise<void> {
  tour.step('The patient refuses that anything be shared, and later changes their mind.')
  const refusal = await tour.sendAs(patient, 'POST', '/fhir/Consent', consent(published, { type: 'deny' }))
  check('the refusal is in the register', refusal.status === 201)
  const since = { headers: { 'Dossier-Clock': refusal.clock } }
  const refused = await tour.askAs('tremblay', results(published), since)
  check('the physician learns that the patient refused, nothing else', tagOf(refused) === 'refused')
  const emergency = await tour.sendAs(
    'tremblay',
    'POST',
    '/access/break-glass',
    { patient: published.patient, reason: 'Patient inconscient à l’urgence, allergies inconnues' },
    { purpose: 'BTG' },
  )
  check('no emergency opens a total refusal (a switch of the policy)', tagOf(emergency) === 'refused')
  const recorded = JSON.parse(refusal.body) as { id: string }
  const cancelled = await tour.sendAs(patient, 'PUT', `/fhir/Consent/${recorded.id}`, {
    ...recorded,
    status: 'inactive',
  })
  const again = await tour.askAs('tremblay', results(published), {
    headers: { 'Dossier-Clock': cancelled.clock },
  })
  check('cancelled, the record is complete again: collection went on', entriesOf(again).length === 5)

  tour.step('The patient restricts one physician from laboratory results.')
  const restriction = await tour.sendAs(
    patient,
    'POST',
    '/fhir/Consent',
    consent(published, {
      type: 'permit',
      provision: [
        {
          type: 'deny',
          actor: [
            {
              role: {
                coding: [
                  { system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'IRCP' },
                ],
              },
              reference: {
                identifier: { system: 'https://dossier.example/professional', value: 'etienne-tremblay' },
              },
            },
          ],
          code: [{ coding: [{ system: 'https://dossier.example/CodeSystem/domain', code: 'laboratory' }] }],
        },
      ],
    }),
  )
  check('the restriction is in the register', restriction.status === 201)
  const clock = { headers: { 'Dossier-Clock': restriction.clock } }
  const without = await tour.askAs('tremblay', results(published), clock)
  check('he finds none, as if there were none', without.status === 200 && entriesOf(without).length === 0)
  const nurse = await tour.askAs('cote', results(published), clock)
  check('a nurse of the same hospital still does', entriesOf(nurse).length === 5)
  published.clock = restriction.clock
}

export async function breakTheGlass(tour: Tour, published: Published): Promise<void> {
  tour.step('An emergency: he breaks the glass, with a reason in words.')
  const reason = 'Arythmie maligne, potassium et créatinine requis immédiatement'
  const opened = await tour.sendAs(
    'tremblay',
    'POST',
    '/access/break-glass',
    { patient: published.patient, reason },
    { purpose: 'BTG' },
  )
  check('a window is open, for this patient and a few hours', opened.status === 201)
  const clock = { headers: { 'Dossier-Clock': opened.clock } }
  const read = await tour.askAs('tremblay', results(published), clock, { purpose: 'BTG' })
  check('the results are there', entriesOf(read).length === 5)
  const ordinary = await tour.askAs('tremblay', results(published), clock)
  check('but not for a token that states no emergency', entriesOf(ordinary).length === 0)

  tour.step('The patient is told; the privacy officer reviews.')
  const notices = await tour.askAs(patient, '/access/notices', clock)
  check('the patient reads who, when and why', notices.status === 200 && notices.body.includes('potassium'))
  const queue = await tour.askAs('bouchard', '/access/reviews', clock)
  const { reviews } = JSON.parse(queue.body) as { reviews: { id: string; kind: string; reason: string }[] }
  for (const { kind, reason } of reviews) say(`     ${kind}: ${reason}`)
  const item = reviews.find(({ kind }) => kind === 'break-glass')
  check('attestation and break-glass wait for review', reviews.length === 2 && item !== undefined)
  const decided = await tour.sendAs('bouchard', 'POST', `/access/reviews/${item?.id}`, {
    decision: 'justified',
    note: 'Appel du chef de l’urgence, dossier conforme',
  })
  check('she finds it justified', decided.status < 300)
  tour.emergency = read.receipt
}

/** A later question: why was that permitted? Decided again, from the facts as they were. */
export async function explainAccesses(tour: Tour): Promise<void> {
  tour.step(
    'Later she asks why the emergency was let through: the policy decides again, from the facts as they were.',
  )
  const path = `/access/explain?${new URLSearchParams({ receipt: tour.emergency })}`
  const { status, body } = await tour.askAs('bouchard', path)
  const { explanation, decided } = JSON.parse(body) as {
    explanation: string
    decided: { agrees: boolean; documents: { outcome: string; reason: string }[] }
  }
  say(`     ${explanation}`)
  check(
    'each document was permitted by break-glass, then as now',
    status === 200 &&
      decided.agrees &&
      decided.documents.length === 5 &&
      decided.documents.every(({ reason }) => reason === 'break-glass'),
  )
}
