import { expect, test } from 'vitest'
import type { Caller } from '../../../src/access/caller.ts'
import type { LinkFilter } from '../../../src/fhir/search-filters.ts'
import { searchParametersByName } from '../../../src/fhir/search-parameters.ts'
import { linkedFilter, linkStatement } from '../../../src/records/search-links.ts'
import { openDatabase } from '../store/memory-database.ts'

test('a chain to resources about nobody does not bind the person whom the search is about', async () => {
  const author = searchParametersByName('RequestGroup').get('author')
  if (!author) throw new Error('RequestGroup has no author')
  const link = { kind: 'chain', parameter: author, types: ['Practitioner'], filter: new Map() }
  const person = '(select person from source_record where id = :patient)'
  for (const [type, isBound] of [
    ['Practitioner', false],
    ['Patient', true],
  ] as const) {
    const statement = linkStatement(
      link as unknown as LinkFilter,
      type,
      person,
      () => 'true',
      {
        patient: 's',
        caller_facility: 'h',
      },
      null,
    )
    expect(Object.hasOwn(statement.args ?? {}, 'patient')).toBe(isBound)
    expect(await openDatabase('records').read([statement])).toEqual([[]])
  }
})

test('a chain of a token whose scopes ask about codings is too much where their text does not fit', () => {
  const author = searchParametersByName('RequestGroup').get('author')
  if (!author) throw new Error('RequestGroup has no author')
  const link: LinkFilter = { kind: 'chain', parameter: author, types: ['Patient'], filter: new Map() }
  const row = { type: 'Patient', id: 'a', version: 1, person: 'p', body: null }
  const grants = [{ isContextOnly: false, parameters: [{ name: 'status', tokens: [] }] }]
  const caller = { kind: 'facility-system', facility: { id: 'h' } } as unknown as Caller
  const judged = (of: unknown) =>
    linkedFilter(link, 'RequestGroup', { shared: [row], local: [] }, caller, () => ({ grants: of }) as never)
  expect(judged(grants)).toEqual({ tooMany: 0 })
  expect(judged(null)).toHaveProperty('filter')
})

test('what refers by canonical URLs alone refers to nothing here', async () => {
  const composedOf = searchParametersByName('ResearchDefinition').get('composed-of')
  if (!composedOf) throw new Error('ResearchDefinition has no composed-of')
  const link: LinkFilter = {
    kind: 'has',
    parameter: composedOf,
    types: ['ResearchDefinition'],
    filter: new Map(),
  }
  const statement = linkStatement(link, 'ResearchDefinition', null, () => 'true', {}, null)
  expect(await openDatabase('records').read([statement])).toEqual([[]])
})
