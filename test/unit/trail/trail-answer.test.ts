/** Where a page of AuditEvents ends: by count, by patients, by what was looked at; nothing is passed over. */
import { describe, expect, test } from 'vitest'
import { limits } from '../../../src/limits.ts'
import type { Row } from '../../../src/store/ports.ts'
import { type Asked, trailPage } from '../../../src/trail/trail-answer.ts'
import { told } from './told.ts'

const asked: Asked = { terms: [], organisation: null, withDecisions: true, origin: 'https://record.example' }

/** Newest first; each has an event and its decision. */
const rowsOf = (patients: readonly (string | null)[], found = patients.length): Row[] =>
  patients.map((patient, i) => {
    const entry = { ...told({ patient }), index: String(1_000 - i) }
    return { log: entry.log, idx: 1_000 - i, time: entry.time, entry: JSON.stringify(entry), found }
  })

const idsOf = ({ hits }: ReturnType<typeof trailPage>) =>
  hits.flatMap(({ events }) => events.map(({ id }) => id))

describe('a page of AuditEvents', () => {
  test('never parts the events of an entry, and has at least one entry', () => {
    const rows = rowsOf(['a', 'a', 'a'])
    expect(idsOf(trailPage(rows, asked, 3, 4))).toEqual(['montreal-1000', 'montreal-1000-authz'])
    expect(trailPage(rows, asked, 3, 4).after?.index).toBe(1_000)
    expect(idsOf(trailPage(rows, asked, 1, 4))).toHaveLength(2)
    expect(trailPage(rows, asked, 6, 6)).toMatchObject({ hits: [{}, {}, {}], after: null })
  })

  test('names at most as many patients as one access may', () => {
    const rows = rowsOf(Array.from({ length: limits.maxAccessPatients + 5 }, (_, i) => `p${i}`))
    const page = trailPage(rows, asked, 500, 500)
    expect(page.hits).toHaveLength(limits.maxAccessPatients)
    expect(page.after?.index).toBe(1_001 - limits.maxAccessPatients)
    // Entries about nobody, or about those who are named already, still fit.
    const more = rowsOf([...Array.from({ length: limits.maxAccessPatients }, (_, i) => `p${i}`), 'p0', null])
    expect(trailPage(more, asked, 500, 500)).toMatchObject({ after: null })
  })

  test('may be empty where what was looked at is not what was asked for, and goes on from there', () => {
    const none = { ...asked, organisation: 'another' }
    expect(trailPage(rowsOf(['a', 'b', 'c']), none, 10, 2)).toMatchObject({ hits: [], after: { index: 999 } })
    expect(trailPage(rowsOf(['a', 'b']), none, 10, 2)).toEqual({ hits: [], after: null })
  })

  test('goes on where the statement was cut by bytes', () => {
    expect(trailPage(rowsOf(['a', 'b'], 7), asked, 50, 50).after?.index).toBe(999)
  })

  test('tells a patient of each entry once', () => {
    const page = trailPage(rowsOf(['a', 'a']), { ...asked, withDecisions: false }, 50, 50)
    expect(idsOf(page)).toEqual(['montreal-1000', 'montreal-999'])
  })
})
