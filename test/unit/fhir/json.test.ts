import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Decimal, parseJson } from '../../../src/fhir/json.ts'
import { limits } from '../../../src/limits.ts'

const issue = (text: string) => {
  const parsed = parseJson(text)
  if (parsed.ok) throw new Error('was accepted')
  return parsed.error
}
const value = (text: string): unknown => {
  const parsed = parseJson(text)
  if (!parsed.ok) throw new Error(parsed.error.text.en)
  return parsed.value
}

describe('reading JSON', () => {
  test('agrees with JSON.parse on every value', () => {
    fc.assert(
      fc.property(fc.json({ noUnicodeString: false }), (text) => {
        const parsed = parseJson(text)
        // What cannot be stored, or would not be what it says, is refused; nothing else is.
        if (!parsed.ok) return !/malformed|deep/.test(parsed.error.text.en)
        expect(JSON.parse(JSON.stringify(parsed.value))).toEqual(JSON.parse(text))
        return true
      }),
    )
  })

  test('refuses exactly what JSON.parse refuses', () => {
    fc.assert(
      fc.property(
        fc.json(),
        fc.nat(),
        fc.constantFrom('', ',', '}', ']', '"', ':', '\\', '1', '-', ' ', '\n'),
        (text, at, noise) => {
          const cut = at % (text.length + 1)
          const damaged = text.slice(0, cut) + noise + text.slice(cut + 1)
          let parses = true
          try {
            JSON.parse(damaged)
          } catch {
            parses = false
          }
          const parsed = parseJson(damaged)
          // A doubled member may be found before the text turns out to be no JSON: refused either way.
          if (parses) expect(parsed.ok || !parsed.error.text.en.includes('malformed')).toBe(true)
          else expect(parsed.ok).toBe(false)
        },
      ),
    )
  })

  test.each(['1.10', '0.9730000000000001', '1e400', '-0', '100.00', '1E2', '12345678901234567890'])(
    'the decimal %s comes back as written',
    (source) => {
      expect(JSON.stringify(value(`{"value":[${source}]}`))).toBe(`{"value":[${source}]}`)
    },
  )

  test('any decimal comes back as written', () => {
    const digits = fc.stringMatching(/^[0-9]{1,18}$/)
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.bigInt({ min: 0n, max: 10n ** 20n }),
        fc.option(digits),
        (negative, whole, fraction) => {
          const source = `${negative ? '-' : ''}${whole}${fraction === null ? '' : `.${fraction}`}`
          expect(JSON.stringify(value(source))).toBe(source)
        },
      ),
    )
  })

  test('numbers that a double says exactly stay numbers', () => {
    expect(value('{"a":5,"b":1.5,"c":1.0}')).toEqual({ a: 5, b: 1.5, c: new Decimal('1.0') })
  })

  test('malformed text is told with its line and column', () => {
    expect(issue('{\n  "a": tru\n}').text.en).toContain('line 2, column 8')
    expect(issue('{"a":1,}').text.fr).toContain('ligne 1, colonne 8')
    expect(issue('').code).toBe('structure')
  })

  test('a member named twice is told with its place, however the name is escaped', () => {
    expect(issue('{"entry":[{"a":1},{"b":1,"\\u0062":2}]}')).toMatchObject({
      code: 'structure',
      expression: 'entry[1].b',
    })
  })

  test('nesting is bounded', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
    expect(parseJson(nested(limits.maxJsonDepth)).ok).toBe(true)
    expect(issue(nested(limits.maxJsonDepth + 1)).code).toBe('too-costly')
    expect(issue('['.repeat(1_000_000)).code).toBe('too-costly')
  })

  test.each(['{"__proto__":{"a":1}}', '["\\ud800"]', '["\\u0000"]'])('%s is refused', (text) => {
    expect(issue(text).code).toBe('structure')
  })
})
