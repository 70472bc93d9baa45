import { expect, test } from 'vitest'
import { csvColumns, csvFields } from '../../../src/audit/csv-columns.ts'
import { base } from './access.ts'

const fieldsOf = (more: Partial<typeof base>): Record<string, string | undefined> => {
  const access = { ...base, patient: null, resources: [], part: 1, parts: 1, ...more }
  const fields = csvFields({ access, index: '7', log: 'montreal', time: '2026-11-22T09:06:00.123Z' }, 'AQ')
  return Object.fromEntries(csvColumns.map((column, i) => [column, fields[i]]))
}

test('every column has a field, the leaf last', () => {
  const fields = fieldsOf({})
  expect(Object.values(fields).every((field) => field !== undefined)).toBe(true)
  expect(csvColumns.at(-1)).toBe('leaf')
  expect(fields).toMatchObject({ log: 'montreal', index: '7', status: '200', stale_seconds: '', leaf: 'AQ' })
})

test.each([
  ['=1+1', "'=1+1"],
  ['a;=1', "a;'=1"],
  ['a\n@x', "a\n'@x"],
  ['\t=1', "'\t'=1"],
  ['\r\t-1', "'\r'\t'-1"],
])('no spreadsheet takes %j for a formula, wherever it begins a field', (text, field) => {
  expect(fieldsOf({ breakGlassReason: text }).break_glass_reason).toBe(field)
})

test('the note is canonical whatever its names are', () => {
  expect(fieldsOf({ note: { '10': 'b', '9': 'c', a: '"' } }).note).toBe('{"10":"b","9":"c","a":"\\""}')
})
