import { describe, expect, test } from 'vitest'
import { readBundle } from '../../../src/fhir/bundle.ts'
import { resourceTypes } from '../../../src/fhir/types.ts'

const bundle = (entry: unknown, type = 'transaction') => ({ resourceType: 'Bundle', type, entry })
const good = { resource: { resourceType: 'Patient' }, request: { method: 'POST', url: 'Patient' } }

/** Issues of a bundle as a whole, or of its entries. */
function issues(value: unknown): readonly (readonly [code: string, expression: string | undefined])[] {
  const read = readBundle(value)
  const found = read.ok ? read.value.entries.flatMap((entry) => (entry.ok ? [] : entry.error)) : read.error
  for (const { text } of found) {
    expect(text.fr).not.toBe('')
    expect(text.en).not.toBe(text.fr)
  }
  return found.map(({ code, expression }) => [code, expression])
}

describe('a bundle as a whole', () => {
  test.each<[string, unknown, string, string]>([
    ['text', 'x', 'structure', 'Bundle'],
    ['null', null, 'structure', 'Bundle'],
    ['a list', [], 'structure', 'Bundle'],
    ['no resourceType', {}, 'required', 'resourceType'],
    ['an unknown type', { resourceType: 'Bundel' }, 'value', 'resourceType'],
    ['another resource', { resourceType: 'Patient' }, 'value', 'resourceType'],
    ['no bundle type', { resourceType: 'Bundle' }, 'required', 'Bundle.type'],
    ['a document', bundle([], 'document'), 'value', 'Bundle.type'],
    ['entries that are no list', bundle({}), 'structure', 'Bundle.entry'],
  ])('%s', (_, value, code, expression) => {
    expect(issues(value)).toEqual([[code, expression]])
  })

  test('without entries is fine', () => {
    expect(issues({ resourceType: 'Bundle', type: 'batch' })).toEqual([])
  })
})

describe('an entry', () => {
  const put = (url: string, resource: object = { resourceType: 'Patient' }) => ({
    resource,
    request: { method: 'PUT', url },
  })
  const at = 'Bundle.entry[1]'
  test.each<[string, unknown, string, string]>([
    ['null', null, 'structure', at],
    ['without resource', { request: good.request }, 'required', `${at}.resource`],
    ['resource is a list', { ...good, resource: [] }, 'structure', `${at}.resource`],
    ['without resourceType', { ...good, resource: {} }, 'required', `${at}.resource.resourceType`],
    ['unknown type', { ...good, resource: { resourceType: 'Foo' } }, 'value', `${at}.resource.resourceType`],
    [
      'abstract type',
      { ...good, resource: { resourceType: 'DomainResource' } },
      'value',
      `${at}.resource.resourceType`,
    ],
    ['bad id', { ...good, resource: { resourceType: 'Patient', id: 'a b' } }, 'value', `${at}.resource.id`],
    [
      'id is a number',
      { ...good, resource: { resourceType: 'Patient', id: 5 } },
      'value',
      `${at}.resource.id`,
    ],
    [
      'meta is a list',
      { ...good, resource: { resourceType: 'Patient', meta: [] } },
      'structure',
      `${at}.resource.meta`,
    ],
    ['without request', { resource: good.resource }, 'required', `${at}.request`],
    ['without method', { ...good, request: { url: 'Patient' } }, 'required', `${at}.request.method`],
    [
      'another method',
      { ...good, request: { method: 'PATCH', url: 'Patient/1' } },
      'not-supported',
      `${at}.request.method`,
    ],
    ['without url', { ...good, request: { method: 'POST' } }, 'required', `${at}.request.url`],
    [
      'POST to an id',
      { ...good, request: { method: 'POST', url: 'Patient/1' } },
      'value',
      `${at}.request.url`,
    ],
    [
      'POST of another type',
      { ...good, request: { method: 'POST', url: 'Group' } },
      'value',
      `${at}.request.url`,
    ],
    ['PUT without id', put('Patient'), 'value', `${at}.request.url`],
    ['PUT with a condition of no system', put('Patient?identifier=1'), 'value', `${at}.request.url`],
    ['PUT with another condition', put('Patient?name=Roy'), 'not-supported', `${at}.request.url`],
    ['PUT with an empty condition', put('Patient?'), 'required', `${at}.request.url`],
    [
      'PUT of a version that is none',
      { ...good, request: { method: 'PUT', url: 'Patient/1', ifMatch: '1' } },
      'value',
      `${at}.request.ifMatch`,
    ],
    [
      'DELETE of a whole type',
      { request: { method: 'DELETE', url: 'Patient' } },
      'value',
      `${at}.request.url`,
    ],
    ['DELETE of no type', { request: { method: 'DELETE', url: 'Nonsense/1' } }, 'value', `${at}.request.url`],
    [
      'POST if nothing is called so',
      { ...good, request: { ...good.request, ifNoneExist: 'name=Roy' } },
      'not-supported',
      `${at}.request.ifNoneExist`,
    ],
    ['PUT to a bad id', put('Patient/a_b'), 'value', `${at}.request.url`],
    ['PUT of another type', put('Group/1'), 'value', `${at}.request.url`],
    [
      'PUT of another id',
      put('Patient/1', { resourceType: 'Patient', id: '2' }),
      'value',
      `${at}.resource.id`,
    ],
    [
      'ifMatch',
      { ...good, request: { ...good.request, ifMatch: 'W/"1"' } },
      'not-supported',
      `${at}.request.ifMatch`,
    ],
    ['fullUrl is a number', { ...good, fullUrl: 1 }, 'value', `${at}.fullUrl`],
  ])('%s', (_, entry, code, expression) => {
    expect(issues(bundle([good, entry]))).toEqual([[code, expression]])
    expect(issues(bundle([good, entry], 'batch'))).toEqual([[code, expression]])
  })

  test('every wrong entry is told, with all that is wrong with it', () => {
    const wrong = { resource: { resourceType: 'Patient', id: '?', name: null } }
    expect(issues(bundle([wrong, good, null]))).toHaveLength(3)
  })

  test('needs no request in a collection', () => {
    expect(issues(bundle([{ resource: good.resource }], 'collection'))).toEqual([])
  })
})

test('all R4 resource types are known', () => {
  expect(resourceTypes.size).toBe(146)
})
