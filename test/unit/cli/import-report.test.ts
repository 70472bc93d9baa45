import { expect, it } from 'vitest'
import { emptyReport, rejectList, summaryTable, withFile } from '../../../src/cli/import-report.ts'

const report = withFile(
  withFile(emptyReport, 'a.json', {
    effects: [
      { type: 'Patient', effect: 'created' },
      { type: 'Observation', effect: 'created' },
      { type: 'Observation', effect: 'unchanged' },
    ],
    rejects: [],
  }),
  'b.json',
  {
    effects: [{ type: 'Observation', effect: 'updated' }],
    rejects: [
      { entry: 3, reason: 'unknown type (Bundle.entry[3].resource)' },
      { entry: null, reason: 'too large' },
    ],
  },
)

it('counts by type and effect over all files', () => {
  expect(report.files).toBe(2)
  expect(summaryTable(report, 'en')).toBe(
    [
      '             created  updated  unchanged',
      'Observation        1        1          1',
      'Patient            1        0          0',
      'total              2        1          1',
    ].join('\n'),
  )
})

it('lists what was not taken with file, place and reason', () => {
  expect(rejectList(report, 'en')).toEqual([
    'b.json entry[3]: unknown type (Bundle.entry[3].resource)',
    'b.json: too large',
  ])
})

it('says it in French too, with no English word among them', () => {
  expect(summaryTable(report, 'fr').split('\n')[0]?.trim().split(/ +/)).toEqual([
    'créés',
    'modifiés',
    'inchangés',
  ])
  expect(rejectList(report, 'fr').map((line) => line.split(' : ')[0])).toEqual(['b.json entrée[3]', 'b.json'])
})

it('leaves the report that a file is added to as it was', () => {
  expect(emptyReport).toEqual({ files: 0, counts: new Map(), rejects: [] })
})
