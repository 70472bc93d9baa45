/** What the facility that follows a patient publishes: visits, problem list, allergies, vaccinations, its own papers. */
import { ageOn, at, daysAfter, daysAgo, referenceDate } from './calendar.ts'
import { coding, concept, loinc, snomed, systems } from './codes.ts'
import { allergies, vaccines } from './events.ts'
import { addTextDocument } from './hospital-stay.ts'
import { problems } from './problems.ts'
import type { Reference, Scene } from './scene.ts'

export function addProblemList(scene: Scene): void {
  for (const name of scene.person.problems) {
    const { code, display, text } = problems[name]
    const chance = scene.draw(`problem ${name}`)
    const lifeDays = (Date.parse(referenceDate) - Date.parse(scene.person.birthDate)) / 86_400_000
    scene.add(`problem ${name}`, 'Condition', {
      clinicalStatus: concept(systems.conditionClinical, 'active', 'Active'),
      verificationStatus: concept(systems.conditionVerification, 'confirmed', 'Confirmed'),
      category: [concept(systems.conditionCategory, 'problem-list-item', 'Problem List Item')],
      code: snomed(code, display, text),
      subject: scene.patient(),
      onsetDateTime: daysAgo(
        chance.int(Math.min(1200, Math.floor(lifeDays / 2)), Math.min(4500, Math.floor(lifeDays - 60))),
      ),
      recordedDate: daysAgo(chance.int(200, Math.min(1100, Math.floor(lifeDays - 60)))),
      recorder: scene.staff('physician'),
    })
  }
}

export function addAllergies(scene: Scene): void {
  for (const name of scene.person.allergies) {
    const allergy = allergies[name]
    scene.add(`allergy ${name}`, 'AllergyIntolerance', {
      clinicalStatus: concept(systems.allergyClinical, 'active', 'Active'),
      verificationStatus: concept(systems.allergyVerification, 'confirmed', 'Confirmed'),
      type: 'allergy',
      category: [allergy.category],
      criticality: allergy.criticality,
      code: snomed(allergy.code, allergy.display, allergy.text),
      patient: scene.patient(),
      recordedDate: daysAgo(scene.draw(`allergy ${name}`).int(400, 2000)),
      recorder: scene.staff('physician', 'pharmacist'),
      reaction: [
        {
          manifestation: [snomed(allergy.reaction.code, allergy.reaction.display, allergy.reaction.text)],
          severity: allergy.criticality === 'high' ? 'severe' : 'mild',
        },
      ],
    })
  }
}

/** A visit a year with blood pressure and weight, the last one within the year. */
export function addVisits(scene: Scene): void {
  for (let year = 0; year < 4; year++) {
    const chance = scene.draw(`visit ${year}`)
    const date = daysAgo(year * 365 + chance.int(20, 300))
    if (date <= scene.person.birthDate) continue
    const minute = chance.int(0, 29)
    const encounter = scene.add(`visit ${year}`, 'Encounter', {
      status: 'finished',
      class: { system: systems.actCode, code: 'AMB', display: 'ambulatory' },
      type: [snomed('185349003', 'Encounter for check up', 'Visite de suivi')],
      subject: scene.patient(),
      participant: [{ individual: scene.staff('physician') }],
      period: { start: at(date, 9, minute), end: at(date, 9, minute + 25) },
      serviceProvider: scene.organization(),
    })
    addVitalSigns(scene, `visit ${year}`, date, encounter)
  }
}

/** Care that goes on: whoever is authorised at the facility may look after the patient (care relationship). */
export function addOpenEncounter(scene: Scene, professional: Reference): void {
  scene.add('follow-up', 'Encounter', {
    status: 'in-progress',
    class: { system: systems.actCode, code: 'AMB', display: 'ambulatory' },
    type: [snomed('390906007', 'Follow-up encounter', 'Suivi')],
    subject: scene.patient(),
    participant: [{ individual: professional }],
    period: { start: at(referenceDate, 8) },
    serviceProvider: scene.organization(),
  })
}

function addVitalSigns(scene: Scene, name: string, date: string, encounter: Reference): void {
  const chance = scene.draw(`vital signs ${name}`)
  const years = ageOn(scene.person.birthDate, date)
  const hypertensive = scene.person.problems.includes('hypertension')
  const common = {
    status: 'final',
    category: [concept(systems.observationCategory, 'vital-signs', 'Vital Signs')],
    subject: scene.patient(),
    encounter,
    effectiveDateTime: at(date, 9, 35),
    performer: [scene.staff('nurse', 'physician')],
  }
  const quantity = (value: number, unit: string) => ({ value, unit, system: systems.ucum, code: unit })
  const component = (code: string, display: string, value: number) => ({
    code: loinc(code, display),
    valueQuantity: quantity(value, 'mm[Hg]'),
  })
  if (years >= 3) {
    const systolic = chance.int(104, 128) + (hypertensive ? 18 : 0) - (years < 12 ? 14 : 0)
    scene.add(`blood pressure ${name}`, 'Observation', {
      ...common,
      code: loinc('85354-9', 'Blood pressure panel with all children optional', 'Tension artérielle'),
      component: [
        component('8480-6', 'Systolic blood pressure', systolic),
        component('8462-4', 'Diastolic blood pressure', Math.round(systolic * 0.62)),
      ],
    })
  }
  const weight = years < 18 ? 3.4 + years * 3.1 : scene.draw('weight').number(56, 92)
  scene.add(`weight ${name}`, 'Observation', {
    ...common,
    code: loinc('29463-7', 'Body weight', 'Poids'),
    valueQuantity: quantity(Number((weight + chance.number(-1, 1)).toFixed(1)), 'kg'),
  })
}

/** Influenza each autumn and what else is due at the patient's age. */
export function addVaccinations(scene: Scene, performer: Reference): void {
  const { birthDate } = scene.person
  const today = ageOn(birthDate, referenceDate)
  const dose = (name: keyof typeof vaccines, date: string): void => {
    if (date >= referenceDate) return
    const { cvx, display, text } = vaccines[name]
    const chance = scene.draw(`vaccine ${name} ${date}`)
    scene.add(`${name} ${date}`, 'Immunization', {
      status: 'completed',
      vaccineCode: concept(systems.cvx, cvx, display, text),
      patient: scene.patient(),
      occurrenceDateTime: at(date, 13, chance.int(0, 59)),
      primarySource: true,
      lotNumber: `${chance.pick(['A', 'B', 'F', 'K'])}${chance.int(10_000, 99_999)}`,
      route: concept(systems.routeOfAdministration, 'IM', 'Injection, intramuscular'),
      performer: [{ actor: performer }],
    })
  }
  for (let year = 0; year < 3; year++) {
    const date = daysAgo(year * 365 + scene.draw(`influenza ${year}`).int(6, 24))
    if (date > daysAfter(birthDate, 183)) dose('influenza', date)
  }
  if (today < 18) {
    for (const age of [61, 122, 365]) dose('infantCombined', daysAfter(birthDate, age))
    for (const age of [366, 548]) dose('mmr', daysAfter(birthDate, age))
  } else {
    dose('tetanus', daysAgo(scene.draw('tetanus').int(300, 3200)))
  }
  if (today >= 50) dose('zoster', daysAgo(scene.draw('zoster').int(200, 1500)))
  if (today >= 65) dose('pneumococcal', daysAgo(scene.draw('pneumococcal').int(200, 1500)))
}

/** Papers of the facility's own that no clinical domain claims: they are not shared. */
export function addOwnPapers(scene: Scene): void {
  const date = daysAgo(scene.draw('papers').int(15, 120))
  scene.add('referral', 'ServiceRequest', {
    status: 'active',
    intent: 'order',
    code: { text: 'Consultation en nutrition clinique' },
    subject: scene.patient(),
    authoredOn: at(date, 9, 50),
    requester: scene.staff('physician'),
  })
  scene.add('telephone call', 'Communication', {
    status: 'completed',
    subject: scene.patient(),
    sent: at(date, 15, 5),
    sender: scene.staff('nurse', 'physician'),
    payload: [{ contentString: 'Patient rappelé : rendez-vous de suivi confirmé.' }],
  })
}

/** A consultation that its author marked restricted: it stays at the facility. */
export function addPsychiatryNote(scene: Scene): void {
  const date = at(daysAgo(88), 14)
  addTextDocument(scene, 'psychiatry', {
    type: loinc('11488-4', 'Consult note', 'Consultation en psychiatrie'),
    title: 'Consultation en psychiatrie',
    text: 'Épisode dépressif en rémission partielle. Poursuivre la sertraline, psychothérapie aux deux semaines.\n',
    date,
    author: scene.staff('physician'),
    meta: { security: [coding(systems.confidentiality, 'R', 'restricted')] },
  })
}
