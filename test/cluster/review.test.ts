/** The monthly review on a real cluster: quiet about ordinary use of the sample, and not about what is planted. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadSampleData } from '../../src/local/sample/load.ts'
import { hranaReader } from '../../src/store/hrana.ts'
import { type Answer, listOf, openWard, results, type Ward } from './care.ts'
import { replicated } from './support.ts'

interface Finding {
  readonly id: string
  readonly rule: string
  readonly professional: { readonly id: string }
  readonly patient: { readonly person: string; readonly reference: string } | null
  readonly entries: readonly string[]
  readonly decisions: readonly { readonly decision: string; readonly by: string }[]
}

const dayMs = 24 * 60 * 60_000

/** Those who care, and where. */
const providers = [
  ['tremblay', 'hopital-mont-royal'],
  ['cote', 'hopital-mont-royal'],
  ['gagnon', 'hopital-cap-diamant'],
  ['morin', 'hopital-cap-diamant'],
  ['roy', 'pharmacie-laurier'],
  ['belanger', 'clinique-saint-roch'],
] as const

describe('the monthly review', () => {
  let ward: Ward
  const month = new Intl.DateTimeFormat('en-CA', { timeZone: 'America/Toronto' })
    .format(Date.now())
    .slice(0, 7)
  /** Server ids of patients with a care relationship at a facility. */
  const caredFor = async (facility: string, count: number): Promise<readonly string[]> =>
    (
      await ward.rows(
        `select distinct source_record as id from relationship
         where facility = ? and starts <= ? and ends > ? and valid_to is null order by id limit ?`,
        facility,
        Date.now(),
        Date.now() + 60_000,
        count,
      )
    ).map(({ id }) => String(id))
  const review = async (login = 'bouchard', query = ''): Promise<Answer> => {
    const answer = await ward.get(login, `/audit/review?month=${month}${query}`, { clock: ward.clock() })
    expect([answer.status, answer.text]).toEqual([200, expect.stringContaining('"summary"')])
    return answer
  }
  /** In the ledger, where the review looks. */
  const drained = (answer: Answer) => ward.entries(answer)

  beforeAll(async () => {
    ward = await openWard()
    await loadSampleData(ward.test.cluster)
    await replicated(ward.test.cluster)
  })
  afterAll(() => ward?.end())

  test('is quiet about ordinary use of the sample', async () => {
    let permitted = 0
    for (const [login, facility] of providers)
      for (const id of await caredFor(facility, 4)) {
        const answers = [
          await ward.get(login, `/fhir/Patient/${id}`),
          await ward.get(login, results(`Patient/${id}`)),
        ]
        for (const answer of answers) {
          if (answer.status === 200) permitted++
          await drained(answer)
        }
      }
    expect(permitted).toBeGreaterThan(30)
    const { body } = await review()
    expect(body?.findings).toEqual([])
    expect(body?.summary).toMatchObject({ findings: 0, muted: 0, notYetDue: 0, isFactsCut: false })
    expect(body).toMatchObject({ summary: { accesses: expect.toSatisfy((n: number) => n >= permitted) } })
  })

  test('finds what is planted, takes a decision, and tells it the next time', async () => {
    const [own = '', other = ''] = await caredFor('hopital-mont-royal', 2)
    const registered = await ward.send(
      'bouchard',
      'POST',
      '/access/professionals/person',
      { professional: 'etienne-tremblay', patient: `Patient/${own}` },
      { scope: 'user/*.cruds' },
    )
    expect([registered.status, registered.text]).toEqual([200, expect.any(String)])
    const watched = await ward.send(
      'bouchard',
      'POST',
      '/audit/review/watched',
      {
        patient: `Patient/${other}`,
        reason: 'Ministre en exercice',
        starts: new Date(Date.now() - dayMs).toISOString(),
        ends: new Date(Date.now() + dayMs).toISOString(),
      },
      { scope: 'user/*.cruds' },
    )
    expect([watched.status, watched.text]).toEqual([201, expect.any(String)])
    const read = await ward.get('tremblay', `/fhir/Patient/${own}`, { clock: ward.clock() })
    await drained(read)

    const first = await review()
    const findings = listOf<Finding>(first, 'findings')
    const rules = new Map(findings.map((one) => [`${one.rule} ${one.professional.id}`, one]))
    const found = rules.get('own-record etienne-tremblay') as Finding
    // Others have looked at the same two patients: of a colleague, and of one who is watched by now.
    expect(new Set(findings.map(({ rule }) => rule))).toEqual(
      new Set(['own-record', 'colleague', 'watch-list']),
    )
    expect(findings.filter(({ rule }) => rule === 'own-record')).toEqual([found])
    expect(new Set(findings.map(({ patient }) => patient?.person)).size).toBe(2)
    expect(found.patient?.reference).toMatch(/^Patient\//)
    expect(found.entries).toContain(read.receipt.split(':')[0])

    // The log names whom the review named.
    const named = await ward.get('bouchard', '/access/reviews', { clock: ward.clock() })
    await drained(named)
    const [{ n } = {}] = await ledgerRows(ward, found.patient?.person ?? '')
    expect(Number(n)).toBe(1)

    const decided = await ward.send(
      'bouchard',
      'POST',
      '/audit/review/findings',
      {
        month,
        rule: found.rule,
        professional: found.professional.id,
        person: found.patient?.person,
        decision: 'unjustified',
        note: 'Consultation de son propre dossier',
      },
      { scope: 'user/*.cruds' },
    )
    expect([decided.status, decided.body?.id]).toEqual([200, found.id])
    const again = listOf<Finding>(await review('bouchard', '&rule=own-record'), 'findings')
    expect(again).toMatchObject([{ id: found.id, decisions: [{ decision: 'unjustified' }] }])
  })
})

/** Chunks of reviews that name a person. */
const ledgerRows = async (ward: Ward, person: string) => {
  const { url, readToken: token } = ward.test.cluster.databases.audit
  const [rows = []] = await hranaReader({ url, token }).read([
    {
      sql: `select count(*) as n from ledger_body where patient = ? and action = 'audit-read'
        and entry ->> '$.access.operation' = 'audit-review' and entry ->> '$.access.phase' = 'chunk'`,
      args: [person],
    },
  ])
  return rows
}
