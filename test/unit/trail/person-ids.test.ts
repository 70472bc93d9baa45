/** Under which ids the log speaks of a person whose source records were joined, split, and joined again. */
import { beforeEach, describe, expect, test } from 'vitest'
import { limits } from '../../../src/limits.ts'
import { personIdsStatement } from '../../../src/trail/person-ids.ts'
import { type MemoryDatabase, openDatabase } from '../store/memory-database.ts'

let records: MemoryDatabase
let clock: number

beforeEach(() => {
  records = openDatabase('records')
  clock = 0
})

/** A source record that stands for a person of its own, until it is moved. */
const admit = (id: string, person: string): void => {
  clock += 1
  records.rows('insert into source_record values (?, ?, ?, ?)', id, 'hopital', person, clock)
}

/** In a write of its own, or in the one that made the record. */
const move = (id: string, person: string, isSameWrite = false): void => {
  clock += isSameWrite ? 0 : 1
  records.rows('update source_record set person = ?, clock = ? where id = ?', person, clock, id)
}

const idsOf = async (person: string): Promise<readonly unknown[]> => {
  const [rows = []] = await records.read([personIdsStatement(person)])
  return rows.map((row) => row.person)
}

describe('the ids of a person in the log', () => {
  test('are the own one alone as long as nothing was joined, also when the record knows nobody by it', async () => {
    admit('A', 'a')
    expect([await idsOf('a'), await idsOf('nobody')]).toEqual([['a'], ['nobody']])
  })

  test('are those of all records joined, the one of today first, whichever of them is asked for', async () => {
    for (const [record, person] of [
      ['A', 'm'],
      ['B', 'b'],
      ['C', 'z'],
    ] as const)
      admit(record, person)
    move('B', 'm')
    move('C', 'm')
    for (const asked of ['m', 'b', 'z']) expect(await idsOf(asked)).toEqual(['m', 'b', 'z'])
  })

  test('go through every person a record was joined with on its way', async () => {
    for (const [record, person] of [
      ['A', 'a'],
      ['B', 'b'],
      ['C', 'c'],
    ] as const)
      admit(record, person)
    move('C', 'b')
    move('B', 'a')
    move('C', 'a')
    for (const asked of ['a', 'b', 'c']) expect(await idsOf(asked)).toEqual(['a', 'b', 'c'])
  })

  test('of two persons who were split again are each their own: what was said of both is of the one that kept the id', async () => {
    admit('A', 'a')
    admit('B', 'b')
    move('B', 'a')
    move('B', 'b')
    expect([await idsOf('a'), await idsOf('b')]).toEqual([['a'], ['b']])
  })

  test('of a record that left under a new id are that one and the id it came with', async () => {
    admit('A', 'a')
    admit('B', 'b')
    move('B', 'a')
    move('B', 'e')
    expect([await idsOf('e'), await idsOf('b'), await idsOf('a')]).toEqual([['e', 'b'], ['e', 'b'], ['a']])
  })

  test('leave out one that a stranger had too, also when nobody has it any more', async () => {
    admit('A', 'a')
    admit('S', 's')
    move('S', 'a')
    move('S', 's')
    move('A', 'd')
    // Under `a` the log speaks of both.
    expect([await idsOf('d'), await idsOf('s'), await idsOf('a')]).toEqual([['d'], ['s'], ['a']])
  })

  test('leave out one that no entry can have: it ended in the write that began it', async () => {
    admit('A', 'a')
    admit('B', 'b')
    move('B', 'a', true)
    expect([await idsOf('a'), await idsOf('b')]).toEqual([['a'], ['b']])
  })

  test('are cut off past the limit, so that whoever asks sees that there are more', async () => {
    admit('A', 'a')
    for (let i = 0; i < limits.maxPersonIds + 5; i += 1) {
      admit(`R${i}`, `r${i}`)
      move(`R${i}`, 'a')
    }
    const ids = await idsOf('a')
    expect([ids.length, ids[0]]).toEqual([limits.maxPersonIds + 1, 'a'])
  })

  test('are found by indexes, whatever the size of the record', () => {
    const { sql, args } = personIdsStatement('a')
    const plan = records.rows(`explain query plan ${sql}`, args as never).map(({ detail }) => String(detail))
    const tables = plan.filter((line) => /\b(s|v|other|once|source_record)\b/.test(line))
    expect(tables.length).toBeGreaterThan(5)
    for (const line of tables) expect(line).toMatch(/^SEARCH /)
  })
})
