import { describe, expect, test } from 'vitest'
import { parsePrefer } from '../../../src/fhir/prefer.ts'

const none = { answer: null, handling: null }

describe('Prefer', () => {
  test.each([
    [null, none],
    ['', none],
    ['return=minimal', { ...none, answer: 'minimal' }],
    ['return=representation', { ...none, answer: 'representation' }],
    ['return=OperationOutcome', { ...none, answer: 'OperationOutcome' }],
    ['handling=strict', { ...none, handling: 'strict' }],
    ['handling=lenient, return=minimal', { answer: 'minimal', handling: 'lenient' }],
    ['Return="minimal" ; note="a, b", HANDLING = lenient', { answer: 'minimal', handling: 'lenient' }],
    ['respond-async, wait=5, return=minimal', { ...none, answer: 'minimal' }],
  ])('%j is understood', (header, expected) => {
    expect(parsePrefer(header)).toEqual(expected)
  })

  test('what is given twice counts as given first', () => {
    expect(parsePrefer('return=minimal, return=representation')).toEqual({ ...none, answer: 'minimal' })
    expect(parsePrefer('return=nothing, return=minimal')).toEqual(none)
  })

  test.each(['return', 'return=', 'return=Minimal', 'handling=loose', ',;="', 'x-return=minimal'])(
    '%j prefers nothing that is known',
    (header) => {
      expect(parsePrefer(header)).toEqual(none)
    },
  )

  test('a preference named in the parameter of another is none', () => {
    expect(parsePrefer('wait=5; return=minimal')).toEqual(none)
    expect(parsePrefer('foo="x, return=minimal"')).toEqual(none)
  })
})
