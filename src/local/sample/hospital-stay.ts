/** A hospital stay: encounter, diagnosis, procedure, discharge prescriptions, discharge summary. */
import { at, daysAfter, daysAgo } from './calendar.ts'
import { concept, loinc, snomed, systems } from './codes.ts'
import { type History, type Stay, stays } from './events.ts'
import { addPrescription } from './medication.ts'
import { drugs } from './medications.ts'
import type { Reference, Scene } from './scene.ts'

/** What the parts of a stay refer to. */
interface Admission {
  readonly name: string
  readonly stay: Stay
  readonly admitted: string
  readonly discharged: string
  readonly dischargeDate: string
  readonly encounter: Reference
  readonly condition: Reference
  readonly procedure: Reference | null
  readonly prescriptions: readonly Reference[]
}

export function addHospitalStay(scene: Scene, happened: History['stays'][number]): void {
  const stay: Stay = stays[happened.stay]
  const name = `${happened.stay} ${happened.daysAgo}`
  const date = daysAgo(happened.daysAgo)
  const dischargeDate = daysAfter(date, stay.nights)
  const admitted = at(date, 14, 10)
  const discharged = at(dischargeDate, 11)
  const condition = scene.add(name, 'Condition', {
    clinicalStatus: concept(systems.conditionClinical, 'active', 'Active'),
    verificationStatus: concept(systems.conditionVerification, 'confirmed', 'Confirmed'),
    category: [concept(systems.conditionCategory, 'encounter-diagnosis', 'Encounter Diagnosis')],
    code: snomed(stay.reason.code, stay.reason.display, stay.reason.text),
    subject: scene.patient(),
    onsetDateTime: date,
    recordedDate: admitted,
    recorder: scene.staff('physician'),
  })
  const encounter = scene.add(name, 'Encounter', {
    identifier: [
      { system: `${scene.facility.uri}/stay`, value: `${scene.draw(name).int(1_000_000, 9_999_999)}` },
    ],
    status: 'finished',
    class: { system: systems.actCode, code: 'IMP', display: 'inpatient encounter' },
    subject: scene.patient(),
    participant: [{ individual: scene.staff('physician') }],
    period: { start: admitted, end: discharged },
    reasonCode: [snomed(stay.reason.code, stay.reason.display, stay.reason.text)],
    diagnosis: [{ condition, use: concept(systems.diagnosisRole, 'DD', 'Discharge diagnosis'), rank: 1 }],
    hospitalization: { dischargeDisposition: concept(systems.dischargeDisposition, 'home', 'Home') },
    location: [{ location: scene.location(), status: 'completed' }],
    serviceProvider: scene.organization(),
  })
  const procedure = stay.procedure && addProcedure(scene, name, stay.procedure, daysAfter(date, 1), encounter)
  const prescriptions = stay.dischargeDrugs.map((drug) =>
    addPrescription(
      scene,
      drug,
      dischargeDate,
      drugs[drug].daysSupply > happened.daysAgo ? 'active' : 'completed',
    ),
  )
  addDischargeSummary(scene, {
    name,
    stay,
    admitted,
    discharged,
    dischargeDate,
    encounter,
    condition,
    procedure,
    prescriptions,
  })
}

function addProcedure(
  scene: Scene,
  name: string,
  done: NonNullable<Stay['procedure']>,
  date: string,
  encounter: Reference,
): Reference {
  return scene.add(name, 'Procedure', {
    status: 'completed',
    code: snomed(done.code, done.display, done.text),
    subject: scene.patient(),
    encounter,
    performedPeriod: { start: at(date, 8), end: at(date, 10) },
    performer: [{ actor: scene.staff('physician') }],
    location: scene.location(),
  })
}

const dischargeSummary = loinc('18842-5', 'Discharge summary', 'Sommaire d’hospitalisation')

/** The summary twice, as a hospital's systems do: structured, and as the text that was signed. */
function addDischargeSummary(scene: Scene, admission: Admission): void {
  const { name, stay, admitted, discharged, dischargeDate, encounter } = admission
  const author = scene.staff('resident', 'physician')
  const signed = at(dischargeDate, 16)
  scene.add(name, 'Composition', {
    status: 'final',
    type: dischargeSummary,
    subject: scene.patient(),
    encounter,
    date: signed,
    author: [author],
    title: `Sommaire d’hospitalisation — ${stay.reason.text}`,
    confidentiality: 'N',
    attester: [{ mode: 'legal', time: signed, party: scene.staff('physician') }],
    custodian: scene.organization(),
    section: sectionsOf(admission),
  })
  const text = [
    `SOMMAIRE D’HOSPITALISATION — ${scene.facility.name}`,
    `Admission : ${admitted.slice(0, 10)}    Congé : ${dischargeDate}`,
    `Diagnostic principal : ${stay.reason.text}`,
    ...(stay.procedure ? [`Intervention : ${stay.procedure.text}`] : []),
    '',
    stay.course,
    '',
    `Plan : ${stay.plan}`,
    '',
  ].join('\n')
  addTextDocument(scene, name, {
    type: dischargeSummary,
    title: `Sommaire d’hospitalisation — ${stay.reason.text}`,
    text,
    date: signed,
    author,
    context: { encounter: [encounter], period: { start: admitted, end: discharged } },
  })
}

function sectionsOf({ stay, condition, procedure, prescriptions }: Admission): readonly unknown[] {
  const section = (
    code: string,
    display: string,
    title: string,
    text: string,
    entry: readonly Reference[],
  ) => ({
    title,
    code: loinc(code, display),
    text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml"><p>${text}</p></div>` },
    ...(entry.length === 0 ? {} : { entry }),
  })
  const medication = stay.dischargeDrugs
    .map((drug) => `${drugs[drug].name} ${drugs[drug].strength}`)
    .join(', ')
  return [
    section('11450-4', 'Problem list - Reported', 'Diagnostic', stay.reason.text, [condition]),
    section('8648-8', 'Hospital course Narrative', 'Évolution', stay.course, []),
    ...(stay.procedure && procedure
      ? [
          section('47519-4', 'History of Procedures Document', 'Intervention', stay.procedure.text, [
            procedure,
          ]),
        ]
      : []),
    ...(prescriptions.length === 0
      ? []
      : [
          section(
            '10160-0',
            'History of Medication use Narrative',
            'Médicaments au congé',
            medication,
            prescriptions,
          ),
        ]),
    section('18776-5', 'Plan of care note', 'Plan', stay.plan, []),
  ]
}

/** A document whose content is the text itself. */
export function addTextDocument(
  scene: Scene,
  name: string,
  document: {
    readonly type: unknown
    readonly title: string
    readonly text: string
    readonly date: string
    readonly author: Reference
    readonly context?: unknown
    readonly meta?: unknown
  },
): Reference {
  const { type, title, text, date, author, context, meta } = document
  return scene.add(name, 'DocumentReference', {
    ...(meta === undefined ? {} : { meta }),
    status: 'current',
    docStatus: 'final',
    type,
    subject: scene.patient(),
    date,
    author: [author],
    custodian: scene.organization(),
    description: title,
    content: [
      {
        attachment: {
          contentType: 'text/plain; charset=utf-8',
          language: 'fr-CA',
          data: Buffer.from(text).toString('base64'),
          title,
          creation: date,
        },
      },
    ],
    ...(context === undefined ? {} : { context }),
  })
}
