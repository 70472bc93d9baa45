/** Prescriptions of a hospital or clinic and dispenses of a pharmacy. */
import { at, daysAfter, daysAgo } from './calendar.ts'
import { type CodeableConcept, coding, snomed, systems } from './codes.ts'
import { type Drug, type DrugName, drugs } from './medications.ts'
import { problems } from './problems.ts'
import type { Reference, Scene } from './scene.ts'

/** Names of what the patient takes for their problems, each once. */
export function regularDrugs(scene: Scene): readonly DrugName[] {
  return [...new Set(scene.person.problems.flatMap((name): readonly DrugName[] => problems[name].drugs))]
}

const product = (drug: Drug): CodeableConcept => ({
  coding: [
    coding(systems.din, drug.din, `${drug.name} ${drug.strength}`),
    coding(systems.atc, drug.atc, drug.atcName),
  ],
  text: `${drug.name} ${drug.strength}`,
})

const dosage = (drug: Drug): Readonly<Record<string, unknown>> => ({
  text: drug.dosage,
  timing: { repeat: { frequency: drug.timesPerDay, period: 1, periodUnit: 'd' } },
  route: snomed(drug.route.code, drug.route.display),
  doseAndRate: [{ doseQuantity: { value: drug.unitsPerDose, unit: drug.unit } }],
})

const days = (value: number) => ({ value, unit: 'd', system: systems.ucum, code: 'd' })

const quantity = (drug: Drug) => ({
  value: drug.timesPerDay * drug.unitsPerDose * drug.daysSupply,
  unit: drug.unit,
})

/** A standing prescription for each regular drug, written within the year. */
export function addPrescriptions(scene: Scene): void {
  for (const name of regularDrugs(scene)) {
    const date = daysAgo(scene.draw(`prescription ${name}`).int(30, 330))
    addPrescription(scene, name, date, 'active')
  }
}

export function addPrescription(
  scene: Scene,
  name: DrugName,
  date: string,
  status: 'active' | 'completed',
): Reference {
  const drug: Drug = drugs[name]
  return scene.add(`${name} ${date}`, 'MedicationRequest', {
    status,
    intent: 'order',
    medicationCodeableConcept: product(drug),
    subject: scene.patient(),
    authoredOn: at(date, 11, 20),
    requester: scene.staff('physician'),
    dosageInstruction: [dosage(drug)],
    dispenseRequest: {
      validityPeriod: { start: date, end: daysAfter(date, 365) },
      numberOfRepeatsAllowed: Math.max(0, Math.round(365 / drug.daysSupply) - 1),
      quantity: quantity(drug),
      expectedSupplyDuration: days(drug.daysSupply),
    },
  })
}

/** A year of dispenses of each regular drug, the last one still lasting. */
export function addDispenses(scene: Scene): void {
  for (const name of regularDrugs(scene)) {
    const drug: Drug = drugs[name]
    const firstAgo = scene.draw(`dispenses ${name}`).int(1, Math.max(1, drug.daysSupply - 10))
    for (let ago = firstAgo; ago < 365; ago += drug.daysSupply) addDispense(scene, name, daysAgo(ago))
  }
}

function addDispense(scene: Scene, name: DrugName, date: string): void {
  const drug: Drug = drugs[name]
  scene.add(`${name} ${date}`, 'MedicationDispense', {
    identifier: [
      {
        system: `${scene.facility.uri}/dispense`,
        value: `${date.replaceAll('-', '')}-${scene.draw(`dispense ${name} ${date}`).int(10_000, 99_999)}`,
      },
    ],
    status: 'completed',
    medicationCodeableConcept: product(drug),
    subject: scene.patient(),
    performer: [{ actor: scene.staff('pharmacist') }],
    location: scene.location(),
    quantity: quantity(drug),
    daysSupply: days(drug.daysSupply),
    whenPrepared: at(date, 15),
    whenHandedOver: at(date, 17),
    dosageInstruction: [dosage(drug)],
  })
}
