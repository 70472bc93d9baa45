/** What a wrong address is answered with: the right one, over the operations there are. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { operations } from '../../../src/app.ts'
import { addressHelp } from '../../../src/disclosure/address-help.ts'
import { toWire } from '../../../src/disclosure/wire.ts'
import { publicPaths } from '../../../src/public-routes.ts'

const help = addressHelp([...operations.map(({ path }) => path), ...publicPaths])

describe('a wrong address', () => {
  test.each([
    ['/fhir/Observaton', '/fhir/Observation'],
    ['/fhir/observation', '/fhir/Observation'],
    ['/fhir/patient/abc', '/fhir/Patient/abc'],
    ['/fhir/Patient/', '/fhir/Patient'],
    ['/fhir//Patient/abc', '/fhir/Patient/abc'],
    ['/Patient/abc', '/fhir/Patient/abc'],
    ['/patients', '/fhir/Patient'],
    ['/FHIR/Patient', '/fhir/Patient'],
    ['/fihr/Patient', '/fhir/Patient'],
    ['/fhir/Consent/abc/_histroy', '/fhir/Consent/abc/_history'],
    ['/metadata', '/fhir/metadata'],
    ['/fhir/metdata', '/fhir/metadata'],
    ['/access/client', '/access/clients'],
    ['/acces/clients/end', '/access/clients/end'],
    ['/audit/exports', '/audit/export'],
    ['/', '/fhir'],
  ])('%s is answered with %s', (path, meant) => {
    expect(help(path)).toBe(meant)
  })

  test.each([
    '/nowhere',
    '/fhir/Prescription',
    '/fhir/Patient/a/b/c/d',
    '/wp-login.php',
    '/Patient/<script>',
  ])('%s is answered with none', (path) => {
    expect(help(path)).toBeNull()
  })

  test('is never answered with itself, with anything long, or with anything but plain letters', () => {
    const part = fc.oneof(
      fc.constantFrom('fhir', 'Patient', 'Observaton', 'access', 'clients', '_history', 'metadata'),
      fc.string({ maxLength: 90 }),
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        const path = `/${parts.join('/')}`
        const meant = help(path)
        expect(meant).not.toBe(path)
        expect(meant ?? '/').toMatch(/^[\w./$-]{1,200}$/)
      }),
      { numRuns: 1_000 },
    )
  })

  test('is told of in both languages', () => {
    const [issue] = toWire({ reason: 'no-such-path', path: '/x', meant: '/fhir/Patient' }).issues
    expect(issue?.text).toEqual({
      fr: 'Cette adresse n’existe pas. Vouliez-vous dire /fhir/Patient ?',
      en: 'There is nothing at this address. Did you mean /fhir/Patient?',
    })
  })
})
