import { expect, test } from 'vitest'
import type { LinkFilter } from '../../../src/fhir/search-filters.ts'
import { searchParametersByName } from '../../../src/fhir/search-parameters.ts'
import { linkStatement } from '../../../src/records/search-links.ts'
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
    const statement = linkStatement(link as unknown as LinkFilter, type, person, () => 'true', {
      patient: 's',
      caller_facility: 'h',
    })
    expect(Object.hasOwn(statement.args ?? {}, 'patient')).toBe(isBound)
    expect(await openDatabase('records').read([statement])).toEqual([[]])
  }
})
