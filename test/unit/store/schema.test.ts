import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

/** Statements of a migration, without comments and what follows from layout. */
const statements = (name: 'records' | 'local'): readonly string[] =>
  readFileSync(`drizzle/${name}/0000_init.sql`, 'utf8')
    .split('--> statement-breakpoint')
    .map((statement) =>
      statement
        .replaceAll(/^--.*$/gm, '')
        .replaceAll(/\s+/g, ' ')
        .trim(),
    )

/** Both databases hold documents, their history, their lookups, and write keys under a clock: one text for both. */
const shared =
  /\b(document|document_version|document_\w+|lookup|lookup_id|clock|write_key|write_key_at|refused)\b/
const defining = (name: 'records' | 'local'): readonly string[] =>
  statements(name).filter((statement) => {
    const [, named = ''] = statement.match(/^(?:create (?:unique )?\w+|insert into) (\w+)/) ?? []
    return shared.test(named)
  })

describe('the schemas of records and of a local database', () => {
  test('define documents, lookups, write keys and the clock in the same words', () => {
    expect(defining('local')).toEqual(defining('records'))
    expect(defining('records').length).toBe(15)
  })
})
