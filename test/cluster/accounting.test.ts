/** The accounting of an organisation and the yearly report, over accesses that really happened. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encounter, observation, patientResource, samplePatient } from './bundles.ts'
import { type Answer, listOf, openWard, results, type Ward } from './care.ts'

interface Line {
  readonly section: string
  readonly organisation: string | null
  readonly professional: string | null
  readonly patient: string | null
  readonly accesses: number
  readonly patients: number | null
  readonly denies: number
}

interface Exported {
  readonly entry?: {
    readonly log: string
    readonly index: string
    readonly access: {
      readonly phase: string
      readonly part: number
      readonly action: string
      readonly operation: string
      readonly patient: string | null
      readonly purpose: string | null
      readonly who: Readonly<Record<string, string | null>>
      readonly decision: { readonly outcome: string }
    }
  }
}

/** As Québec counts it. */
const year = new Date(Date.now() - 5 * 60 * 60_000).getUTCFullYear()
const period = `from=${year}-01-01T00:00:00Z&to=${year + 2}-01-01T00:00:00Z`

const exportedLines = (text: string): readonly Exported[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Exported)

describe('what privacy officers count', () => {
  let ward: Ward
  let person: string
  const of = (answer: Answer, section: string) =>
    listOf<Line>(answer, 'lines').filter((line) => line.section === section)

  beforeAll(async () => {
    ward = await openWard()
    const known = samplePatient(1)
    const [patient = ''] = await ward.publish(
      'hopital-mont-royal',
      patientResource(known),
      observation(known, { n: 1, date: '2024-01-01' }),
      encounter(known, { n: 1 }),
    )
    await ward.publish('hopital-cap-diamant', patientResource(known), encounter(known, { n: 2 }))
    const elsewhere = samplePatient(2)
    const [stranger = ''] = await ward.publish(
      'hopital-cap-diamant',
      patientResource(elsewhere),
      encounter(elsewhere, { n: 1 }),
    )
    const asked = { clock: ward.clock() }
    const answers = [
      await ward.get('tremblay', results(patient), asked),
      await ward.get('tremblay', results(patient), asked),
      await ward.get('tremblay', results(stranger), asked),
      await ward.get('gagnon', results(patient), asked),
      await ward.get('gagnon', results(stranger), asked),
    ]
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 403, 200, 200])
    const [row] = await ward.rows(
      'select person from source_record where id = ?',
      patient.slice('Patient/'.length),
    )
    person = String(row?.person)
  })

  afterAll(() => ward?.end())

  test('are the accesses of their professionals, and those of others to their patients', async () => {
    const answer = await ward.get('girard', `/audit/accounting?${period}`)
    expect(answer.status).toBe(200)
    expect(
      of(answer, 'opened').filter(({ professional }) => professional === 'etienne-tremblay'),
    ).toMatchObject([{ organisation: 'ciusss-mont-royal', accesses: 3, patients: 1, denies: 1 }])
    // Of the two patients that the other opened, the one whom this organisation knows.
    expect(of(answer, 'opened-by-others')).toMatchObject([
      { organisation: 'chu-cap-diamant', accesses: 1, patients: 1, patient: null },
    ])
    expect(answer.text).not.toContain(person)
    expect(
      (await ward.get('girard', `/audit/accounting?${period}&organisation=chu-cap-diamant`)).status,
    ).toBe(403)
  })

  test('stand in the log of each patient whom they name', async () => {
    const path = `/audit/accounting?${period}&organisation=ciusss-mont-royal&detail=patients`
    const answer = await ward.get('bouchard', path)
    expect(of(answer, 'opened-by-others-patient')).toMatchObject([{ patient: person, accesses: 1 }])
    const trail = exportedLines((await ward.get('bouchard', `/audit/export?patient=${person}`)).text)
    const named = trail.filter(({ entry }) => entry?.access.operation === 'accounting')
    expect(named.map(({ entry }) => [entry?.access.phase, entry?.access.patient])).toEqual([
      ['chunk', person],
    ])
  })

  test('of a year can be counted again from an export up to the same sizes', async () => {
    const report = await ward.get('bouchard', `/audit/report?year=${year}`)
    const logs = listOf<{ readonly log: string; readonly end: number }>(report, 'logs')
    const until = logs.map(({ log, end }) => `until=${log}:${end}`).join('&')
    const entries = exportedLines((await ward.get('bouchard', `/audit/export?${until}`)).text)
    const count = (matches: (access: NonNullable<Exported['entry']>['access']) => boolean) =>
      entries.filter(
        ({ entry }) =>
          entry !== undefined &&
          entry.access.part === 1 &&
          ['access', 'outcome'].includes(entry.access.phase) &&
          matches(entry.access),
      ).length
    const lines = listOf<{
      section: string
      organisation: string | null
      action: string | null
      count: number
    }>(report, 'lines')
    const told = (section: string, organisation: string | null, action: string | null) =>
      lines
        .filter(
          (line) => line.section === section && line.organisation === organisation && line.action === action,
        )
        .reduce((sum, line) => sum + line.count, 0)
    const careAt = (organisation: string) =>
      count(
        ({ who, purpose, action, decision }) =>
          who.organisation === organisation &&
          purpose === 'TREAT' &&
          action === 'search' &&
          decision.outcome === 'permit',
      )
    expect(careAt('ciusss-mont-royal')).toBe(2)
    expect(told('care', 'ciusss-mont-royal', null)).toBe(careAt('ciusss-mont-royal'))
    expect(told('care', 'chu-cap-diamant', null)).toBe(careAt('chu-cap-diamant'))
    expect(told('other', null, 'export')).toBe(
      count(({ who, action, decision }) => {
        return who.organisation === null && action === 'export' && decision.outcome === 'permit'
      }),
    )
    expect(told('exports', null, null)).toBe(told('other', null, 'export'))
    expect(report.text).not.toContain(person)
    const table = await ward.get('bouchard', `/audit/report?year=${year}&format=csv`)
    expect(table.headers.get('content-type')).toContain('text/csv')
    expect(table.text).toContain('\r\ncare,ciusss-mont-royal,,,,,,2,')
  })
})
