/** What a patient reads of an access: every reason and action in both languages, nothing of anybody else's, no markup. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { callerKinds } from '../../../src/access/caller.ts'
import type { Access, Action } from '../../../src/audit/port.ts'
import { auditEventsOf } from '../../../src/trail/audit-event.ts'
import { patientEvent } from '../../../src/trail/patient-event.ts'
import { placeNamesOf } from '../../../src/trail/place-names.ts'
import { bases, denials, others, permits, reasonWords, unnamed } from '../../../src/trail/plain-reasons.ts'
import { actions, kinds, otherKind, purposes, roles, statedAs } from '../../../src/trail/plain-terms.ts'
import { kindsOf, type Language, narrativeOf, plainWords } from '../../../src/trail/plain-words.ts'
import { told } from './told.ts'

const places = { facility: 'Hôpital du Mont-Royal', organisation: 'CIUSSS du Mont-Royal' }
const languages: readonly Language[] = ['fr', 'en']
const textOf = (access: Partial<Access>, language: Language): string =>
  plainWords(told(access), places, language, false)
    .map(([label, text]) => `${label}: ${text}`)
    .join('\n')

/** Members of a union of string literals in a source file, by the text before and after it. */
function causesIn(file: string, start: string, end: string): string[] {
  const source = readFileSync(file, 'utf8')
  const from = source.indexOf(start)
  const part = source.slice(from, source.indexOf(end, from)).replace(/\/\*\*.*?\*\//gs, '')
  return [...part.matchAll(/\| '([a-z-]+)'/g)].map(([, cause = '']) => cause)
}

describe('an access in plain words', () => {
  test('tell a guardian first that they speak to the person represented', () => {
    for (const language of ['fr', 'en'] as const) {
      const [[label = '', text = ''] = [], ...rest] = plainWords(told({}), places, language, true)
      expect([label, text].join(': ')).toMatch(/Dossier: .*« vous »|Record: .*"you"/)
      expect(rest).toEqual(plainWords(told({}), places, language, false))
    }
  })

  test('in French', () => {
    expect(plainWords(told({}), places, 'fr', false)).toEqual([
      ['Qui', 'Étienne Tremblay (médecin)'],
      ['Où', 'Hôpital du Mont-Royal, CIUSSS du Mont-Royal'],
      ['Quand', expect.stringMatching(/^22 novembre 2026 à 04\s?h\s?06\s?min\s?00\s?s HNE$/)],
      ['Quoi', 'lecture d’un document'],
      ['Renseignements', 'résultats et observations (laboratoire et autres)'],
      ['Pourquoi', 'pour vos soins ; en raison de ceci : une visite ou un séjour à l’établissement'],
      ['Règle', expect.stringContaining('elle participait à vos soins')],
    ])
  })

  test('in English', () => {
    expect(plainWords(told({}), places, 'en', false)).toEqual([
      ['Who', 'Étienne Tremblay (physician)'],
      ['Where', 'Hôpital du Mont-Royal, CIUSSS du Mont-Royal'],
      ['When', expect.stringMatching(/^November 22, 2026 at 4:06:00\s?a\.?m\.? EST$/i)],
      ['What', 'reading of a document'],
      ['Information', 'results and observations (laboratory and others)'],
      ['Why', 'for your care; on the ground of a visit or a stay at the facility'],
      ['Rule', expect.stringContaining('they took part in your care')],
    ])
  })

  test('a refusal says that it was refused, and why', () => {
    const refused = { decision: { outcome: 'deny', reason: 'refused', detail: 'x' }, resources: [] } as const
    expect(textOf(refused, 'fr')).toMatch(/: refusé[\s\S]*vous avez refusé/)
    expect(textOf(refused, 'en')).toMatch(/: refused[\s\S]*you have refused/)
  })

  test('an emergency comes with the reason that was given for it', () => {
    const emergency = {
      purpose: 'BTG',
      breakGlassReason: 'inconscient',
      decision: { outcome: 'permit', reason: 'break-glass', detail: null },
      note: { basis: 'break-glass' },
    } as const
    expect(textOf(emergency, 'fr')).toMatch(/urgence déclarée : « inconscient »/)
    expect(textOf(emergency, 'en')).toMatch(/emergency declared: "inconscient"/)
  })

  test('where nothing was found, the kind is what was asked for', () => {
    const search = { resources: [], query: { ...told({}).access.query, path: '/fhir/MedicationRequest' } }
    expect(kindsOf({ ...told({}).access, ...search }, 'fr')).toEqual(['médicaments'])
    expect(textOf({ resources: [], query: { ...search.query, path: '/access/me' } }, 'fr')).toContain(
      'aucun renseignement de santé',
    )
  })

  test('a change that only began is told as begun', () => {
    expect(textOf({ phase: 'intent', action: 'publish' }, 'en')).toContain(': begun')
  })
})

describe('every reason has words of its own', () => {
  const causes = causesIn('src/access/refusal.ts', "readonly reason: 'forbidden'", '\n}')

  test('the causes of the policy', () => {
    expect(causes.length).toBeGreaterThan(20)
    for (const reason of causes)
      expect(reasonWords({ outcome: 'deny', reason })).toBe(denials[reason as keyof typeof denials])
    expect(new Set(Object.values(denials).map(({ fr }) => fr)).size).toBe(causes.length)
  })

  test('what permits, callers of every kind included', () => {
    const reasons = [
      ...causesIn('src/access/policy.ts', 'export type PermitReason', '\ntype Deny').concat('shared-domain'),
      ...callerKinds,
      'nothing-found',
      'identity-look-up',
      'attestation',
      'intent',
      'settled-committed',
    ]
    for (const reason of reasons)
      expect(reasonWords({ outcome: 'permit', reason }), reason).toBe(permits[reason as keyof typeof permits])
  })

  test('what was sent, and failures', () => {
    for (const outcome of ['deny', 'error'] as const)
      for (const [reason, words] of Object.entries(others))
        expect(reasonWords({ outcome, reason })).toBe(words)
  })

  test('one that nobody knows is told by its outcome, never by its code', () => {
    for (const outcome of ['permit', 'deny', 'error'] as const)
      for (const reason of ['zz-new', '__proto__', 'toString'])
        for (const language of languages) {
          expect(reasonWords({ outcome, reason })).toBe(unnamed[outcome])
          expect(textOf({ decision: { outcome, reason, detail: null } }, language)).not.toContain(reason)
        }
  })

  test('every action with every outcome makes a text without a hole', () => {
    for (const action of Object.keys(actions) as Action[])
      for (const outcome of ['permit', 'deny', 'error'] as const)
        for (const phase of ['access', 'intent', 'outcome', 'chunk'] as const)
          for (const language of languages) {
            const text = textOf({ action, phase, decision: { outcome, reason: 'x', detail: null } }, language)
            expect(text).not.toMatch(/undefined|null|\[object/)
            expect(text.split('\n')).toHaveLength(7)
          }
  })
})

describe('each language keeps to itself', () => {
  const words = [
    permits,
    denials,
    others,
    unnamed,
    bases,
    actions,
    roles,
    purposes,
    Object.fromEntries(kinds),
    { otherKind, statedAs },
  ].flatMap((table) => Object.values(table))
  const english =
    /\b(the|of|was|were|and|you|your|for|with|by|access to|is|this|nothing|record|access was)\b/i
  const french =
    /\b(le|la|les|des|du|une|et|vous|votre|vos|pour|avec|par|est|cette|rien|dossier|a été)\b|[éèêàùçœ«»’]/i

  test('no English word in the French texts, no French one in the English', () => {
    expect(words.filter(({ fr }) => english.test(fr))).toEqual([])
    // An apostrophe of English is the straight or the typographic one.
    expect(words.filter(({ en }) => french.test(en.replaceAll('’', "'")))).toEqual([])
  })

  test('and the frame around them', () => {
    const blank = told({})
    const bare = {
      ...blank.access,
      who: { ...blank.access.who, name: null, role: null, facility: null },
      breakGlassReason: 'x',
    }
    for (const phase of ['access', 'intent'] as const)
      for (const outcome of ['permit', 'deny', 'error'] as const) {
        const access = { ...bare, phase, decision: { outcome, reason: 'x', detail: null } }
        const frame = (language: Language) =>
          plainWords({ ...blank, access }, { facility: null, organisation: null }, language, false)
            .flat()
            .join('\n')
        expect(frame('fr')).not.toMatch(english)
        expect(frame('en').replaceAll('’', "'").replace(' EST', '')).not.toMatch(french)
      }
  })
})

describe('the AuditEvent of a patient', () => {
  const entry = told({ breakGlassReason: '<script>alert("x")</script> & \u0001' })
  const [event] = auditEventsOf(entry, 'https://record.example')
  const reduced = event && patientEvent(event, entry, places, 'fr', 'https://record.example', false)

  test('leaves out address, token, issuer, subject, client, request and which documents', () => {
    const text = JSON.stringify(reduced)
    for (const secret of [
      '192.0.2.7',
      'secret-jti',
      'issuer.example',
      '"tremblay"',
      'emr',
      'o1',
      'secret-query',
      'c2VjcmV0',
    ])
      expect(text).not.toContain(secret)
    expect(JSON.stringify(event)).toContain('secret-jti')
  })

  test('has what R4 demands of it, and names its entry', () => {
    expect(reduced).toMatchObject({
      resourceType: 'AuditEvent',
      id: 'montreal-7',
      extension: [{ valueString: 'montreal/7' }],
      text: { status: 'generated' },
      agent: [{ requestor: true, altId: 'etienne-tremblay', location: { display: places.facility } }, {}],
      source: { site: 'montreal' },
    })
  })

  test('has a narrative in which no text is markup', () => {
    expect(reduced?.text.div).toContain('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; ')
    expect(narrativeOf([['a', '\u0000\ufffe<']], 'en')).toBe(
      '<div xmlns="http://www.w3.org/1999/xhtml" lang="en" xml:lang="en"><dl><dt>a</dt><dd>&lt;</dd></dl></div>',
    )
  })
})

describe('names of places', () => {
  const rows = (names: readonly (readonly [string, number])[]) =>
    names.map(([name, from]) => ({ id: 'hopital-mont-royal', name, valid_from: from, valid_to: null }))
  const named = (policyVersion: string | null) =>
    placeNamesOf(told({ policyVersion }).access, [
      rows([
        ['Old', 1],
        ['New', 20],
      ]),
      [],
      [{ epoch: 'ab' }],
    ]).facility

  test('are those of the time of the entry', () => {
    expect(named('ab.12')).toBe('Old')
    expect(named('ab.20')).toBe('New')
  })

  test('or the newest, where the entry does not say when', () => {
    expect(named(null)).toBe('New')
    expect(named('cd.12')).toBe('New')
  })
})
