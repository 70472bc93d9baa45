import type { DatabaseSync } from 'node:sqlite'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Rows } from '../../../src/store/ports.ts'
import {
  digestOf,
  ledgerSchema,
  objectOf,
  schemaDifferences,
  schemaStatement,
} from '../../../src/trail/ledger-schema.ts'
import { openLedger } from '../audit/support.ts'

let database: DatabaseSync
const rows = () => database.prepare(schemaStatement.sql).all() as Rows

beforeEach(() => {
  database = openLedger()
})

test('the expected schema is what the migrations make, to the letter', () => {
  const made = Object.fromEntries(rows().map((row) => [objectOf(row), digestOf(row)]))
  expect(ledgerSchema).toEqual(made)
  expect(schemaDifferences(rows())).toEqual([])
})

describe('the schema differs when', () => {
  test.each(Object.keys(ledgerSchema).filter((object) => !object.startsWith('table ')))(
    '%s is dropped',
    (object) => {
      database.exec(`drop ${object}`)
      expect(schemaDifferences(rows())).toEqual([{ kind: 'schema-missing', object }])
    },
  )

  test('a trigger of the same name does less', () => {
    database.exec('drop trigger tile_kept')
    database.exec(
      "create trigger tile_kept before delete on tile when old.idx > 99 begin select raise(abort, 'x'); end",
    )
    expect(schemaDifferences(rows())).toEqual([{ kind: 'schema-changed', object: 'trigger tile_kept' }])
  })

  test('a table loses what its columns promise', () => {
    for (const { name } of database
      .prepare("select name from sqlite_schema where type = 'trigger' and tbl_name = 'tile'")
      .all())
      database.exec(`drop trigger ${name}`)
    database.exec('drop table tile')
    database.exec('create table tile (log, level, idx, hashes)')
    expect(schemaDifferences(rows())).toEqual(
      expect.arrayContaining([
        { kind: 'schema-changed', object: 'table tile' },
        { kind: 'schema-missing', object: 'trigger tile_kept' },
      ]),
    )
  })

  test.each(['ledger_body', 'LEDGER_BODY'])('a trigger is added to %s', (table) => {
    database.exec(`create trigger extra before insert on ${table} begin select raise(ignore); end`)
    expect(schemaDifferences(rows())).toEqual([{ kind: 'schema-unexpected', object: 'trigger extra' }])
  })

  test('a table is hidden behind a view of its name', () => {
    database.exec('alter table log_retired rename to hidden')
    database.exec('create view log_retired as select * from hidden')
    expect(schemaDifferences(rows())).toContainEqual({ kind: 'schema-missing', object: 'table log_retired' })
  })

  test('but not when somebody else has a table of their own there', () => {
    database.exec('create table __drizzle_migrations (id integer primary key, hash text)')
    expect(schemaDifferences(rows())).toEqual([])
  })
})
