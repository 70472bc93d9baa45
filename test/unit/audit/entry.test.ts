import canonicalize from 'canonicalize'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { buildEntries, countedAccess, type EntrySubject } from '../../../src/audit/entry.ts'
import type { Access, EntryDraft } from '../../../src/audit/port.ts'
import { limits } from '../../../src/limits.ts'
import { base } from './access.ts'

function build(disclosed: readonly EntrySubject[], more: Partial<Access> = {}): EntryDraft[] {
  const built = buildEntries({ ...base, ...more }, disclosed, 'organisation-1')
  if (!built.ok) throw new Error(built.error.detail)
  return built.value
}

const accesses = (drafts: readonly EntryDraft[]): Access[] =>
  drafts.map(({ access }) => JSON.parse(access) as Access)
const references = (count: number, prefix = 'r'): string[] =>
  Array.from({ length: count }, (_, i) => `Observation/${prefix}${i}/_history/1`)

describe('the entries of an access', () => {
  test('that disclosed nothing are one, about no patient', () => {
    const drafts = build([])
    expect(accesses(drafts)).toMatchObject([{ patient: null, resources: [], part: 1, parts: 1 }])
    expect(drafts[0]).toMatchObject({ patient: null, organisation: 'organisation-1' })
  })

  test('are one per patient, and references about none join the only patient', () => {
    const drafts = build([
      { patient: 'p1', resources: ['Observation/a/_history/1'] },
      { patient: null, resources: ['Practitioner/x/_history/1'] },
      { patient: 'p1', resources: ['Observation/b/_history/1'] },
    ])
    expect(accesses(drafts)).toMatchObject([
      {
        patient: 'p1',
        resources: ['Observation/a/_history/1', 'Observation/b/_history/1', 'Practitioner/x/_history/1'],
      },
    ])
  })

  test('about several patients keep references about none apart, first', () => {
    const drafts = build([
      { patient: 'p1', resources: references(1) },
      { patient: 'p2', resources: [] },
      { patient: null, resources: ['Practitioner/x/_history/1'] },
    ])
    expect(accesses(drafts).map(({ patient, part, parts }) => [patient, part, parts])).toEqual([
      [null, 1, 3],
      ['p1', 2, 3],
      ['p2', 3, 3],
    ])
  })

  test('are continued past the references one may have', () => {
    const drafts = accesses(build([{ patient: 'p1', resources: references(1_001) }]))
    expect(drafts.map(({ resources }) => resources.length)).toEqual([500, 500, 1])
    expect(
      new Set(drafts.map(({ patient, requestId, parts }) => `${patient} ${requestId} ${parts}`)).size,
    ).toBe(1)
  })

  test('are refused past the patients one access may disclose, but not in a chunk of an export', () => {
    const many = Array.from({ length: 101 }, (_, i) => ({ patient: `p${i}`, resources: [] }))
    expect(buildEntries(base, many, null)).toMatchObject({ ok: false, error: { reason: 'too-costly' } })
    expect(build(many, { phase: 'chunk' })).toHaveLength(101)
    expect(buildEntries(base, [{ patient: 'p', resources: references(256 * 500 + 1) }], null).ok).toBe(false)
  })

  test('are canonical JSON', () => {
    const subjects = [
      { patient: 'p1', resources: [...references(3), 'é\u0000"\u2028'] },
      { patient: 'p2', resources: references(501) },
    ]
    const note = { z: '1', a: 'é\u0000"', '10': 'x', '9': 'y', é: 'z' }
    const staleness = { seconds: 12, degraded: true }
    const drafts = build(subjects, { note, staleness })
    expect(drafts).toHaveLength(3)
    for (const { access } of drafts) expect(access).toBe(canonicalize(JSON.parse(access)))
  })

  test('always fit, name every reference once and in order, and never two patients, whatever a client sends', () => {
    const wild = fc.string({ unit: 'binary', maxLength: 3_000 }).map((text) => text.repeat(3))
    const subject = fc.record({
      patient: fc.constantFrom('p1', 'p2', 'p3', null),
      resources: fc.integer({ min: 0, max: 900 }),
    })
    fc.assert(
      fc.property(wild, wild, fc.array(subject, { maxLength: 4 }), (text, other, subjects) => {
        const disclosed = subjects.map(({ patient, resources }, i) => ({
          patient,
          resources: references(resources, `${i}-`.padEnd(60, 'x')),
        }))
        const drafts = build(disclosed, {
          clientRequestId: text,
          query: { ...base.query, path: other, text },
          who: { ...base.who, issuer: text, subject: other, client: text, name: other, token: text },
          breakGlassReason: other,
          decision: { ...base.decision, detail: text },
          note: Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`${i}${text}`, other])),
        })
        for (const { access } of drafts) {
          expect(access.isWellFormed()).toBe(true)
          expect(Buffer.byteLength(access)).toBeLessThanOrEqual(limits.maxEntryBytes - limits.entryFrameBytes)
        }
        const of = (patient: string | null, told: readonly EntrySubject[]): string[] =>
          told.flatMap((subject) => (subject.patient === patient ? subject.resources : []))
        const told = accesses(drafts)
        const patients = new Set(disclosed.flatMap(({ patient }) => patient ?? []))
        const joined = patients.size === 1 ? of(null, disclosed) : []
        for (const patient of patients)
          expect(of(patient, told)).toEqual([...of(patient, disclosed), ...joined])
        expect(of(null, told)).toEqual(patients.size === 1 ? [] : of(null, disclosed))
        for (const [i, { patient, part, parts }] of accesses(drafts).entries())
          expect([drafts[i]?.patient, part, parts]).toEqual([patient, i + 1, drafts.length])
      }),
      { numRuns: 40 },
    )
  })

  test('keep what is short as it is, and cut what is long with a mark', () => {
    const query = { ...base.query, text: `/fhir/Patient?name=${'é'.repeat(5_000)}` }
    const [access] = accesses(build([], { query, clientRequestId: 'ok\ud800' }))
    expect(access?.clientRequestId).toBe('ok\ufffd')
    expect(access?.query.text.startsWith('/fhir/Patient?name=éé')).toBe(true)
    expect(access?.query.text.endsWith('…')).toBe(true)
    expect(Buffer.byteLength(access?.query.text ?? '')).toBeGreaterThan(limits.maxEntryQueryBytes - 8)
    expect(access?.query.path).toBe(base.query.path)
  })
})

describe('a counted entry', () => {
  test('attributes nothing to anybody and holds its counts', () => {
    const built = buildEntries(countedAccess('counted-failures', 'r1', { count: '7' }), [], null)
    if (!built.ok) throw new Error(built.error.detail)
    const [access] = accesses(built.value)
    expect(new Set(Object.values(access?.who ?? {}))).toEqual(new Set([null]))
    expect(access).toMatchObject({
      requestId: 'r1',
      clientRequestId: null,
      operation: 'counted-failures',
      query: { method: '', path: '', text: '' },
      decision: { outcome: 'error', reason: 'counted' },
      purpose: null,
      note: { count: '7' },
    })
  })
})
