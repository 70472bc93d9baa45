/** Laboratory series: one report with its specimen and results per visit and panel, over three years. */
import { ageOn, at, daysAgo } from './calendar.ts'
import { coding, concept, loinc, snomed, systems } from './codes.ts'
import {
  type LaboratoryTest,
  laboratoryTests,
  type Panel,
  type PanelName,
  panels,
  type TestName,
} from './laboratory-tests.ts'
import { type Problem, problems } from './problems.ts'
import type { Reference, Scene } from './scene.ts'

const seriesDays = 3 * 365
const daysPerMonth = 30.4
/** What every adult gets, however healthy: months between two reports. */
const routine: Partial<Record<PanelName, number>> = { renal: 24, cbc: 24 }

/**
 * Reports of all panels that the patient's problems ask for. With `laboratories` > 1 several facilities share the visits
 * in turn; this one makes those whose number modulo `laboratories` is `turn`.
 */
export function addLaboratorySeries(scene: Scene, turn: number, laboratories: number): void {
  for (const [name, months] of Object.entries(schedule(scene)) as [PanelName, number][]) {
    const chance = scene.draw(`series ${name}`)
    const everyDays = months * daysPerMonth
    for (let visit = 0; visit * everyDays < seriesDays; visit++) {
      const date = daysAgo(Math.round(visit * everyDays) + chance.int(2, 12))
      if (visit % laboratories === turn && date > scene.person.birthDate) addReport(scene, name, visit, date)
    }
  }
}

/** The shortest interval that any problem asks for; children are not bled by routine. */
function schedule(scene: Scene): Partial<Record<PanelName, number>> {
  const months: Partial<Record<PanelName, number>> =
    ageOn(scene.person.birthDate, daysAgo(0)) < 18 ? {} : { ...routine }
  for (const problem of problemsOf(scene)) {
    for (const [name, every] of Object.entries(problem.monitored) as [PanelName, number][]) {
      months[name] = Math.min(months[name] ?? Number.POSITIVE_INFINITY, every)
    }
  }
  return months
}

const problemsOf = (scene: Scene): readonly Problem[] => scene.person.problems.map((name) => problems[name])

function addReport(scene: Scene, name: PanelName, visit: number, date: string): void {
  const panel: Panel = panels[name]
  const chance = scene.draw(`report ${name} ${visit}`)
  const minute = chance.int(0, 59)
  const collected = at(date, 7, minute)
  const issued = at(date, 13, minute)
  const accession = `${date.replaceAll('-', '')}-${chance.int(1000, 9999)}`
  const specimen = scene.add(`${name} ${visit}`, 'Specimen', {
    accessionIdentifier: { system: `${scene.facility.uri}/specimen`, value: accession },
    status: 'available',
    type: snomed(panel.specimen.code, panel.specimen.display, panel.specimen.text),
    subject: scene.patient(),
    receivedTime: at(date, 8, minute),
    collection: { collectedDateTime: collected },
  })
  const values = resultsOf(scene, panel, visit, date)
  const results = panel.tests.flatMap((test) => {
    const value = values.get(test)
    return value === undefined
      ? []
      : [
          scene.add(`${test} in ${name} ${visit}`, 'Observation', {
            ...observation(laboratoryTests[test], value),
            subject: scene.patient(),
            effectiveDateTime: collected,
            issued,
            performer: [scene.organization()],
            specimen,
          }),
        ]
  })
  scene.add(`${name} ${visit}`, 'DiagnosticReport', {
    identifier: [{ system: `${scene.facility.uri}/laboratory-report`, value: accession }],
    status: 'final',
    category: [concept(systems.diagnosticService, 'LAB', 'Laboratory')],
    code: loinc(panel.loinc, panel.display, panel.text),
    subject: scene.patient(),
    effectiveDateTime: collected,
    issued,
    performer: [scene.organization()],
    specimen: [specimen],
    result: results,
  })
}

/** Values of one panel; a test that cannot be told for this patient is left out. */
function resultsOf(scene: Scene, panel: Panel, visit: number, date: string): ReadonlyMap<TestName, number> {
  const chance = scene.draw(`results ${panel.loinc} ${visit}`)
  const values = new Map<TestName, number>()
  for (const name of panel.tests) {
    if (name === 'egfr') continue
    const test = laboratoryTests[name]
    const level = levelOf(scene, name, date) * (1 + chance.number(-test.spread, test.spread))
    values.set(name, rounded(level, test.decimals))
  }
  const creatinine = values.get('creatinine')
  const years = ageOn(scene.person.birthDate, date)
  if (creatinine !== undefined && panel.tests.includes('egfr') && years >= 18) {
    values.set('egfr', estimatedFiltration(creatinine, years, scene.person.gender))
  }
  return values
}

/** Where the result of a test lies on a day: drifting as the last problem that touches it says, else usual. */
function levelOf(scene: Scene, name: TestName, date: string): number {
  const drift = problemsOf(scene).findLast((problem) => problem.results[name] !== undefined)?.results[name]
  if (!drift) return laboratoryTests[name].usual
  const passed = Math.max(0, 1 - (Date.parse(daysAgo(0)) - Date.parse(date)) / (seriesDays * 86_400_000))
  return drift[0] + (drift[1] - drift[0]) * passed
}

/** CKD-EPI 2021 creatinine equation (Inker et al., N Engl J Med 2021;385:1737), creatinine in µmol/L. */
function estimatedFiltration(creatinine: number, years: number, gender: 'female' | 'male'): number {
  const [kappa, alpha, factor] = gender === 'female' ? [0.7, -0.241, 1.012] : [0.9, -0.302, 1]
  const ratio = creatinine / 88.4 / kappa
  return Math.round(142 * Math.min(ratio, 1) ** alpha * Math.max(ratio, 1) ** -1.2 * 0.9938 ** years * factor)
}

const rounded = (value: number, decimals: number): number => Number(value.toFixed(decimals))

const flags = {
  L: coding(systems.observationInterpretation, 'L', 'Low'),
  H: coding(systems.observationInterpretation, 'H', 'High'),
  N: coding(systems.observationInterpretation, 'N', 'Normal'),
}

function observation(test: LaboratoryTest, value: number): Readonly<Record<string, unknown>> {
  const { low, high, unit } = test
  const flag = low !== null && value < low ? 'L' : high !== null && value > high ? 'H' : 'N'
  const quantity = (amount: number) => ({ value: amount, unit, system: systems.ucum, code: unit })
  return {
    status: 'final',
    category: [concept(systems.observationCategory, 'laboratory', 'Laboratory')],
    code: loinc(test.loinc, test.display, test.text),
    valueQuantity: quantity(value),
    interpretation: [{ coding: [flags[flag]] }],
    referenceRange: [
      { ...(low === null ? {} : { low: quantity(low) }), ...(high === null ? {} : { high: quantity(high) }) },
    ],
  }
}

/** A restricted result of the sample: what its laboratory marked so stays at the facility. */
export function addHivTest(scene: Scene): Reference {
  const date = daysAgo(74)
  return scene.add('hiv test', 'Observation', {
    meta: { security: [coding(systems.confidentiality, 'R', 'restricted')] },
    status: 'final',
    category: [concept(systems.observationCategory, 'laboratory', 'Laboratory')],
    code: loinc(
      '56888-1',
      'HIV 1+2 Ab+HIV1 p24 Ag [Presence] in Serum or Plasma by Immunoassay',
      'Dépistage du VIH (anticorps et antigène p24)',
    ),
    subject: scene.patient(),
    effectiveDateTime: at(date, 9),
    issued: at(date, 16),
    performer: [scene.organization()],
    valueCodeableConcept: snomed('260385009', 'Negative', 'Négatif'),
  })
}
