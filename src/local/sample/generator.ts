/**
 * The sample data: what four facilities publish about some twenty people. Pure and seeded: the same seed gives the same
 * bundles with the same ids, so that publishing them a second time changes nothing.
 */
import { facilities } from './directory.ts'
import {
  addAllergies,
  addOpenEncounter,
  addOwnPapers,
  addProblemList,
  addPsychiatryNote,
  addVaccinations,
  addVisits,
} from './follow-up.ts'
import { addHospitalStay } from './hospital-stay.ts'
import { addExamination } from './imaging.ts'
import { addHivTest, addLaboratorySeries } from './laboratory.ts'
import { addDispenses, addPrescriptions } from './medication.ts'
import type { SamplePatient } from './patient.ts'
import { patients } from './people.ts'
import { facilityOf, Scene, type TransactionBundle } from './scene.ts'

/** Seed of the local cluster's sample data. */
export const sampleSeed = 'dossier'

export interface SamplePublication {
  readonly facility: string
  readonly bundle: TransactionBundle
}

/** One bundle per patient and facility that knows them, grouped by facility in the order of the directory. */
export function generateSample(seed: string): readonly SamplePublication[] {
  return facilities.flatMap(({ id }) =>
    patients
      .filter((patient) => patient.facilities.includes(id))
      .map((patient) => ({ facility: id, bundle: write(seed, id, patient) })),
  )
}

function write(seed: string, facility: string, person: SamplePatient): TransactionBundle {
  const scene = new Scene(seed, facilityOf(facility), person)
  scene.patient()
  addOpenEncounter(scene, scene.staff('physician', 'pharmacist'))
  if (scene.facility.type === 'pharmacy') {
    writePharmacy(scene)
  } else {
    writeCare(scene)
  }
  return scene.bundle()
}

function writePharmacy(scene: Scene): void {
  addDispenses(scene)
  addAllergies(scene)
  // Pharmacists vaccinate those whom nobody else follows.
  if (scene.person.facilities.length === 1) addVaccinations(scene, scene.staff('pharmacist'))
}

function writeCare(scene: Scene): void {
  const { facility, person } = scene
  if (follows(scene)) {
    addProblemList(scene)
    addAllergies(scene)
    addVisits(scene)
    addVaccinations(scene, scene.staff('nurse', 'physician'))
    addPrescriptions(scene)
    addOwnPapers(scene)
  }
  const laboratories = laboratoriesOf(person)
  const turn = laboratories.indexOf(facility.id)
  if (turn !== -1) addLaboratorySeries(scene, turn, laboratories.length)
  for (const done of person.examinations) if (done.facility === facility.id) addExamination(scene, done)
  for (const stay of person.stays) if (stay.facility === facility.id) addHospitalStay(scene, stay)
  if (person.restricted?.facility === facility.id) {
    if (person.restricted.document === 'psychiatry') addPsychiatryNote(scene)
    else addHivTest(scene)
  }
}

/** The clinic follows its patients; without one, the first hospital that knows them does. */
function follows(scene: Scene): boolean {
  const care = scene.person.facilities.filter((id) => facilityOf(id).type !== 'pharmacy')
  return scene.facility.id === (care.find((id) => facilityOf(id).type === 'clinic') ?? care[0])
}

/** Hospitals have laboratories; a clinic sends its specimens out unless no hospital knows the patient. */
function laboratoriesOf(person: SamplePatient): readonly string[] {
  const of = (type: string): readonly string[] =>
    person.facilities.filter((id) => facilityOf(id).type === type)
  const hospitals = of('hospital')
  return hospitals.length > 0 ? hospitals : of('clinic')
}
