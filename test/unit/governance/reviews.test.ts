import { beforeEach, describe, expect, test } from 'vitest'
import { attest } from '../../../src/governance/attest.ts'
import { breakGlass } from '../../../src/governance/break-glass.ts'
import { createConsentOperation } from '../../../src/governance/consent-write.ts'
import { listNotices } from '../../../src/governance/notices.ts'
import { decideReview, listReviews } from '../../../src/governance/reviews.ts'
import { limits } from '../../../src/limits.ts'
import { totalRefusal, withMeans } from './consents.ts'
import {
  callers,
  clinic,
  type Desk,
  disclosed,
  expressions,
  noon,
  openDesk,
  provider,
  statusOf,
} from './support.ts'

interface Review {
  readonly id: string
  readonly kind: string
  readonly window: unknown
  readonly decision: unknown
}
interface Reviews {
  readonly reviews: readonly Review[]
  readonly next: string | null
}
interface Notices {
  readonly notices: readonly { readonly id: string; readonly text: string }[]
  readonly next: string | null
}

const body = { patient: 'Patient/a-hopital', reason: 'Inconsciente, aucun proche' }
let desk: Desk
beforeEach(() => {
  desk = openDesk()
})
const declare = async (over: Parameters<typeof provider>[0] = {}, now = noon): Promise<string> =>
  disclosed<{ id: string }>(await desk.ask(breakGlass, provider({ purpose: 'BTG', ...over }), { body, now }))
    .id
const list = (query: Record<string, string> = {}, caller: Parameters<Desk['ask']>[1] = callers.officer) =>
  desk.ask(listReviews, caller, { query })
const decide = (id: string, fields: unknown, caller: Parameters<Desk['ask']>[1] = callers.officer) =>
  desk.ask(decideReview, caller, { param: { id }, body: fields })
const unjustified = { decision: 'unjustified', note: 'Aucune urgence au dossier' }
const cursorOf = (next: string | null): string => new URL(next ?? '').searchParams.get('_cursor') ?? ''

describe('the review queue', () => {
  test('says who opened whose record, where, when and why', async () => {
    const id = await declare()
    const result = await list()
    expect(disclosed<Reviews>(result)).toEqual({
      reviews: [
        {
          id,
          kind: 'break-glass',
          at: '2026-11-22T17:00:00.000Z',
          reason: body.reason,
          patient: 'Patient/a-hopital',
          professional: { id: 'dr-roy', name: 'Dre Roy' },
          facility: { id: 'hopital', name: 'Hôpital' },
          window: { starts: '2026-11-22T17:00:00.000Z', ends: '2026-11-23T05:00:00.000Z' },
          decision: null,
        },
      ],
      next: null,
    })
    expect(result.ok && result.value.disclosed).toEqual([{ patient: 'person-a', resources: [] }])
  })

  test('tells the time of an attestation, too, and of items that have none', async () => {
    await desk.ask(attest, callers.provider, { body, now: noon })
    desk.records.db.exec(
      `insert into review_item values ('m', 'break-glass', '', '', '', '', '2026-01-01', '', 0)`,
    )
    const { reviews } = disclosed<Reviews>(await list())
    expect(reviews.map(({ kind, window }) => [kind, window])).toEqual([
      ['attestation', { starts: '2026-11-22T17:00:00.000Z', ends: '2026-11-29T17:00:00.000Z' }],
      ['break-glass', null],
    ])
    expect(reviews[1]).toMatchObject({ patient: null, professional: { name: null } })
  })

  test('of an organisation holds what its own professionals did', async () => {
    const here = await declare()
    const there = await declare({ facility: clinic })
    const ids = async (caller: Parameters<Desk['ask']>[1]) =>
      disclosed<Reviews>(await list({}, caller))
        .reviews.map(({ id }) => id)
        .sort()
    expect(await ids(callers.ownOfficer)).toEqual([here])
    expect(await ids(callers.otherOfficer)).toEqual([there])
    expect(await ids(callers.officer)).toEqual([here, there].sort())
  })

  test('is paged without missing or repeating one', async () => {
    const insert = desk.records.db.prepare(`
      insert into review_item values (?, 'break-glass', 'a-hopital', 'dr-roy', 'hopital', 'ciusss', ?, '', 0)`)
    const total = limits.defaultPageRows + 7
    for (let i = 0; i < total; i++) insert.run(`i${i}`, `2026-11-${String(10 + (i % 3))}`)
    const first = disclosed<Reviews>(await list())
    expect(first.reviews).toHaveLength(limits.defaultPageRows)
    const _cursor = cursorOf(first.next)
    const second = disclosed<Reviews>(await list({ _cursor }))
    expect(second.next).toBeNull()
    expect(new Set([...first.reviews, ...second.reviews].map(({ id }) => id)).size).toBe(total)
    expect(expressions(await list({ _cursor, status: 'decided' }))).toEqual(['_cursor'])
    expect(expressions(await list({ _cursor }, callers.ownOfficer))).toEqual(['_cursor'])
    expect(expressions(await list({ _cursor: 'forged' }))).toEqual(['_cursor'])
  })
})

describe('a decision', () => {
  test('moves the item to the decided ones, with who and why', async () => {
    const id = await declare()
    const result = await decide(id, { decision: 'justified' })
    expect(statusOf(result)).toBe(200)
    expect(result.ok && result.value.disclosed).toEqual([{ patient: 'person-a', resources: [] }])
    expect(disclosed<Reviews>(await list()).reviews).toEqual([])
    expect(disclosed<Reviews>(await list({ status: 'decided' })).reviews).toEqual([
      expect.objectContaining({
        id,
        decision: { decision: 'justified', note: '', by: 'po', at: expect.stringMatching(/^2026-11-22T17:/) },
      }),
    ])
  })

  test('is made once, also by two officers at the same time', async () => {
    const id = await declare()
    const results = await Promise.all([
      decide(id, unjustified),
      decide(id, { decision: 'justified' }, callers.ownOfficer),
    ])
    expect(results.map(statusOf).sort()).toEqual([200, 'conflict'])
    const begun = desk.intents.length
    expect(statusOf(await decide(id, { decision: 'justified' }))).toBe('conflict')
    // By then nothing is begun that cannot be done.
    expect(desk.intents).toHaveLength(begun)
    expect(desk.records.rows('select item from review_decision')).toHaveLength(1)
  })

  test('that an access was not justified ends what is left of it', async () => {
    const emergency = await declare()
    const attested = disclosed<{ relationship: string }>(
      await desk.ask(attest, callers.provider, { body, now: noon }),
    )
    const open = () => [
      desk.records.rows('select id from break_glass where valid_to is null').length,
      desk.records.rows('select source from relationship where valid_to is null').length,
    ]
    await decide(emergency, { decision: 'referred', note: unjustified.note }, callers.ownOfficer)
    expect(open()).toEqual([1, 1])
    await decide(attested.relationship.slice('attestation/'.length), unjustified)
    expect(open()).toEqual([1, 0])
    await decide(await declare(), unjustified)
    expect(open()).toEqual([0, 0])
  })

  test('ends every window of that professional about that person but a justified one', async () => {
    const [first, second, justified] = [await declare(), await declare(), await declare()]
    const others = [await declare({ professional: 'dr-cote' }), await declare({ facility: clinic })]
    await decide(justified, { decision: 'justified' })
    await decide(first, unjustified)
    const open = desk.records.rows('select id from break_glass where valid_to is null').map(({ id }) => id)
    expect(open.sort()).toEqual([justified, ...others].sort())
    // What was ended with it is still to be looked at.
    expect(statusOf(await decide(second, unjustified))).toBe(200)
  })

  test('is never made by the professional concerned', async () => {
    const id = await declare({ professional: 'po' })
    expect(statusOf(await decide(id, unjustified))).toBe('four-eyes')
    expect(statusOf(await decide(id, unjustified, callers.ownOfficer))).toBe(200)
  })

  test('about an item of another organisation is as if it were not there', async () => {
    const id = await declare()
    expect(statusOf(await decide(id, unjustified, callers.otherOfficer))).toBe('not-found')
    expect(statusOf(await decide('nothing', unjustified, callers.otherOfficer))).toBe('not-found')
  })

  test.each([
    [{ decision: 'unjustified' }, 'note'],
    [{ decision: 'referred', note: 'short' }, 'note'],
    [{ decision: 'maybe', note: unjustified.note }, 'decision'],
    [{ decision: 'justified', note: '', extra: 1 }, 'extra'],
  ])('of %j is refused', async (fields, where) => {
    expect(expressions(await decide(await declare(), fields))).toEqual([where])
  })
})

describe('notices', () => {
  const notices = (
    asked: { query?: Record<string, string>; language?: 'fr' | 'en' } = {},
    caller: Parameters<Desk['ask']>[1] = callers.patient,
  ) => desk.ask(listNotices, caller, asked)

  test('say who, where, when and why, in French and in English, in the time of Québec', async () => {
    await declare()
    const french = await notices()
    const [fr] = disclosed<Notices>(french).notices
    expect(fr?.text).toMatch(
      /^Le 22 novembre 2026 à 12 h 00, Dre Roy \(Établissement hopital\) a ouvert votre dossier en urgence, jusqu’au 23 novembre 2026 à 00 h 00\. Raison donnée : « Inconsciente, aucun proche »$/,
    )
    const [en] = disclosed<Notices>(await notices({ language: 'en' })).notices
    expect(en?.text).toMatch(
      /^On November 22, 2026 at 12:00, Dre Roy \(Établissement hopital\) opened your record in an emergency, until November 23, 2026 at 00:00\. Reason given: “Inconsciente, aucun proche”$/,
    )
    expect(french.ok && french.value.headers).toEqual({ 'Content-Language': 'fr' })
    expect(french.ok && french.value.disclosed).toEqual([{ patient: 'person-a', resources: [] }])
  })

  test('come newest first, of every source record of the person and of nobody else', async () => {
    await declare({}, noon)
    await desk.ask(attest, callers.provider, {
      body: { ...body, patient: 'Patient/a-clinique' },
      now: noon + 60_000,
    })
    await desk.ask(createConsentOperation, callers.officer, {
      body: { ...totalRefusal, ...withMeans('telephone') },
      now: noon + 120_000,
    })
    const told = disclosed<Notices>(await notices({ language: 'en' })).notices.map(({ text }) => text)
    expect(told).toEqual([
      expect.stringContaining('Responsable recorded a refusal or a restriction, at your request.'),
      expect.stringContaining('Dre Roy (Établissement hopital) stated to be caring for you'),
      expect.stringContaining('opened your record in an emergency'),
    ])
    expect(disclosed<Notices>(await notices({}, callers.stranger)).notices).toEqual([])
    expect(disclosed<Notices>(await notices({}, callers.guardian)).notices).toEqual([])
  })

  test('of a ward are for the guardian', async () => {
    const child = { ...totalRefusal, patient: { reference: 'Patient/child-hopital' } }
    await desk.ask(createConsentOperation, callers.guardian, { body: child })
    expect(disclosed<Notices>(await notices({}, callers.guardian)).notices.map(({ text }) => text)).toEqual([
      expect.stringContaining(
        'Alice a inscrit un refus ou une restriction, en votre nom, à titre de tuteur.',
      ),
    ])
  })

  test('are paged without missing or repeating one', async () => {
    const insert = desk.records.db.prepare(`
      insert into notice values (?, ?, 'consent', ?, '{"change":"changed","capacity":"privacy-officer"}', 0)`)
    const total = limits.defaultPageRows + 3
    for (let i = 0; i < total; i++)
      insert.run(`n${i}`, i % 2 ? 'a-hopital' : 'a-clinique', `2026-11-${10 + (i % 3)}T00:00:00.000Z`)
    const first = disclosed<Notices>(await notices())
    expect(first.notices).toHaveLength(limits.defaultPageRows)
    const second = disclosed<Notices>(await notices({ query: { _cursor: cursorOf(first.next) } }))
    expect(second.next).toBeNull()
    expect(new Set([...first.notices, ...second.notices].map(({ id }) => id)).size).toBe(total)
  })
})
