/** What is offered instead of a mistyped name: the nearest one, and nothing of what should not be repeated. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nearest, repeatable, unknownParameter } from '../../../src/fhir/nearest.ts'
import { resourceTypes } from '../../../src/fhir/types.ts'
import { limits } from '../../../src/limits.ts'

describe('the nearest name', () => {
  test.each([
    ['Observaton', 'Observation'],
    ['observation', 'Observation'],
    ['Obsevration', 'Observation'],
    ['PATIENT', 'Patient'],
    ['Patients', 'Patient'],
    ['Alergyintolerance', 'AllergyIntolerance'],
    ['DiagnosticReprot', 'DiagnosticReport'],
  ])('of the type %s is %s', (given, meant) => {
    expect(nearest(given, resourceTypes)).toBe(meant)
  })

  test.each(['', 'x', 'Zzzzzzzz', 'a'.repeat(limits.maxHintLength + 1), 'Prescription'])(
    'is none for %j',
    (given) => {
      expect(nearest(given, resourceTypes)).toBeNull()
    },
  )

  test('of a name with one letter changed, left out, put in or swapped is that name, where no other is as near', () => {
    const names = ['identifier', 'birthdate', 'category', 'subject', 'encounter']
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.nat(),
        fc.constantFrom('change', 'leave out', 'put in', 'swap'),
        (name, seed, kind) => {
          const at = seed % (name.length - 1)
          const [left, here, next, right] = [name.slice(0, at), name[at], name[at + 1], name.slice(at + 2)]
          const mistyped = {
            change: `${left}q${next}${right}`,
            'leave out': `${left}${next}${right}`,
            'put in': `${left}q${here}${next}${right}`,
            swap: `${left}${next}${here}${right}`,
          }[kind]
          expect(nearest(mistyped, names)).toBe(name)
        },
      ),
    )
  })

  test('is always one of the known ones, whatever is asked for', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 100 }), fc.array(fc.string({ maxLength: 20 })), (given, known) => {
        const found = nearest(given, known)
        expect(found === null || known.includes(found)).toBe(true)
      }),
    )
  })
})

describe('an unknown search parameter', () => {
  test('is named together with the one that may be meant, in both languages', () => {
    const { text, expression, code } = unknownParameter('Observation', 'catgory', ['category', 'code'])
    expect(code).toBe('not-supported')
    expect(expression).toBe('catgory')
    expect(text.fr).toBe(
      'Paramètre de recherche inconnu pour Observation : « catgory ». Vouliez-vous dire « category » ?',
    )
    expect(text.en).toBe('Unknown search parameter for Observation: "catgory". Did you mean "category"?')
  })

  test.each(['<script>', 'a b', 'é', 'x'.repeat(limits.maxHintLength + 1), '"', 'a\nb'])(
    'is not repeated when it is %j',
    (given) => {
      expect(repeatable(given)).toBeNull()
      expect(JSON.stringify(unknownParameter('Observation', given, ['code']))).not.toContain(
        JSON.stringify(given).slice(1, -1),
      )
    },
  )
})
