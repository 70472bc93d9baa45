/** Imaging examinations: the study (references only, no pixels) and the radiologist's report. */
import { at, daysAgo } from './calendar.ts'
import { coding, concept, loinc, systems } from './codes.ts'
import { type Examination, examinations, type History } from './events.ts'
import type { Scene } from './scene.ts'

export function addExamination(scene: Scene, done: History['examinations'][number]): void {
  const examination: Examination = examinations[done.examination]
  const name = `${done.examination} ${done.daysAgo}`
  const date = daysAgo(done.daysAgo)
  const chance = scene.draw(name)
  const started = at(date, 10, chance.int(0, 59))
  const accession = `R${date.slice(2, 4)}${chance.int(100_000, 999_999)}`
  const code = loinc(examination.loinc, examination.display, examination.text)
  const study = scene.add(name, 'ImagingStudy', {
    identifier: [
      { system: 'urn:dicom:uid', value: `urn:oid:${dicomUid(scene, name)}` },
      {
        type: concept(systems.identifierType, 'ACSN', 'Accession ID'),
        system: `${scene.facility.uri}/accession`,
        value: accession,
      },
    ],
    status: 'available',
    modality: [coding(systems.dicom, examination.modality, examination.modalityDisplay)],
    subject: scene.patient(),
    started,
    referrer: scene.staff('physician'),
    numberOfSeries: examination.series,
    numberOfInstances: examination.instances,
    procedureCode: [code],
    location: scene.location(),
    series: Array.from({ length: examination.series }, (_, index) => ({
      uid: dicomUid(scene, `${name} series ${index + 1}`),
      number: index + 1,
      modality: coding(systems.dicom, examination.modality, examination.modalityDisplay),
      numberOfInstances: instancesOf(examination, index),
      bodySite: coding(systems.snomed, examination.bodySite.code, examination.bodySite.display),
      started,
    })),
  })
  scene.add(name, 'DiagnosticReport', {
    identifier: [
      {
        type: concept(systems.identifierType, 'ACSN', 'Accession ID'),
        system: `${scene.facility.uri}/accession`,
        value: accession,
      },
    ],
    status: 'final',
    category: [concept(systems.diagnosticService, 'RAD', 'Radiology')],
    code,
    subject: scene.patient(),
    effectiveDateTime: started,
    issued: at(date, 16, 30),
    performer: [scene.organization()],
    resultsInterpreter: [scene.staff('physician')],
    imagingStudy: [study],
    conclusion: done.conclusion,
  })
}

/** A UID made of a UUID, under the arc 2.25 (ITU-T X.667, DICOM PS3.5 B.2). */
const dicomUid = (scene: Scene, name: string): string =>
  `2.25.${BigInt(`0x${scene.uuid(name).replaceAll('-', '')}`)}`

/** The images of a study spread evenly over its series, the rest in the first. */
function instancesOf(examination: Examination, index: number): number {
  const each = Math.floor(examination.instances / examination.series)
  return index === 0 ? examination.instances - each * (examination.series - 1) : each
}
