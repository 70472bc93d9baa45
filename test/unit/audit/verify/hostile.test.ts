/** Whatever the bytes are, the answer is a report; and what is verified says what it said before. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalText, readEntryFrame, scanEntryFrame } from '../../../../src/audit/verify/entry-frame.ts'
import { fsck } from '../../../../src/audit/verify/fsck.ts'
import { portableCrypto } from '../../../../src/audit/verify/portable-crypto.ts'
import { isAmbiguous, parseJson } from '../../../../src/audit/verify/strict-json.ts'
import {
  chainExport,
  csv,
  csvRows,
  ndjson,
  policyText,
  publishedSite,
  rangeExport,
  sampleLog,
  tlogProof,
} from './sample-files.ts'
import { bytesOf } from './sample-keys.ts'
import { verifyText } from './support.ts'

const montreal = sampleLog('montreal', 60, true)
const quebec = sampleLog('quebec', 10)
const parts = [{ log: montreal }, { log: quebec }]
const policy = policyText([montreal, quebec], 2)
const range = ndjson(await rangeExport(parts))
const chain = ndjson(await chainExport('patient', 'p3', parts))
const rows = csv(csvRows(await rangeExport(parts)))
const proof = await tlogProof(montreal, 17)
const site = publishedSite([montreal, quebec])

/** A few bytes of a file replaced, removed, put in or moved. */
const mutations = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    remove: fc.nat({ max: 40 }),
    put: fc.oneof(
      fc.uint8Array({ maxLength: 8 }),
      fc
        .constantFrom(
          '{',
          '}',
          '[',
          ']',
          '"',
          '\\',
          '\n',
          '\r\n',
          '0',
          '-1',
          '1e999',
          'null',
          ',',
          ':',
          '— ',
          '\n\n',
          '\u2028',
          '{"a":',
        )
        .map(bytesOf),
    ),
  }),
  { minLength: 1, maxLength: 4 },
)

function mutate(
  text: string | Uint8Array,
  changes: readonly { readonly at: number; readonly remove: number; readonly put: Uint8Array }[],
): Uint8Array {
  let bytes = typeof text === 'string' ? bytesOf(text) : text
  for (const { at, remove, put } of changes) {
    const from = Math.floor(at * bytes.length)
    bytes = new Uint8Array([...bytes.subarray(0, from), ...put, ...bytes.subarray(from + remove)])
  }
  return bytes
}

const isMembers = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

const isReport = (report: unknown): void => {
  expect(report).toHaveProperty('ok', expect.any(Boolean))
  if ((report as { ok: boolean }).ok) return
  expect(report).toHaveProperty('place', expect.stringMatching(/./))
  expect(report).toHaveProperty('sentence', expect.stringMatching(/\.$/))
}

describe('any change of', () => {
  test.each<[string, string, string | undefined]>([
    ['a range export', range, undefined],
    ['a chain export', chain, undefined],
    ['a CSV export', rows, range],
    ['a proof of one entry', proof, undefined],
  ])('%s ends in a report', async (_, file, beside) => {
    await fc.assert(
      fc.asyncProperty(mutations, async (changes) => {
        const changed = mutate(file, changes)
        isReport(await verifyText(changed, beside === undefined ? { policy } : { policy, proof: beside }))
      }),
      { numRuns: 60 },
    )
  })

  test('the header, member by member, ends in a report', async () => {
    const [first = '', ...lines] = range.split('\n')
    const header = JSON.parse(first) as { logs: Record<string, unknown>[] } & Record<string, unknown>
    const values = fc.oneof(
      fc.constantFrom(
        null,
        0,
        -1,
        '',
        '0',
        '1',
        '18446744073709551615',
        '18446744073709551616',
        true,
        [],
        {},
        [null],
        [''],
      ),
      fc.json().map((text) => JSON.parse(text) as unknown),
    )
    const names = fc.constantFrom(...Object.keys(header), ...Object.keys(header.logs[0] ?? {}))
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(names, values), { minLength: 1, maxLength: 3 }), async (changes) => {
        const copy = structuredClone(header)
        for (const [name, value] of changes) {
          if (name in copy) copy[name] = value
          else if (isMembers(copy.logs?.[0])) copy.logs[0][name] = value
        }
        isReport(await verifyText([JSON.stringify(copy), ...lines].join('\n')))
      }),
      { numRuns: 100 },
    )
  })

  test('published files ends in a report', async () => {
    const paths = fc.constantFrom(...site.keys())
    await fc.assert(
      fc.asyncProperty(paths, mutations, async (path, changes) => {
        const changed = mutate(site.get(path) as Uint8Array, changes)
        const report = await fsck(portableCrypto, {
          fetchFile: async (asked) => (asked === path ? changed : (site.get(asked) ?? null)),
          listing: { path: 'logs.json', folderOf: (log) => log },
        })
        isReport(report)
        // A member of the list that is not looked at, or a character between tokens, may be another.
        if (report.ok && !path.endsWith('logs.json') && !path.endsWith('checkpoint'))
          expect(changed).toEqual(site.get(path))
      }),
      { numRuns: 60 },
    )
  })
})

test('a verified range holds the leaves it held before, whatever was done to its form', async () => {
  const leavesOf = (text: string): string[] =>
    [...text.matchAll(/"leaf"\s*:\s*"([^"]+)"/g)].map((match) => match[1] ?? '')
  await fc.assert(
    fc.asyncProperty(mutations, async (changes) => {
      const changed = mutate(range, changes)
      const report = await verifyText(changed)
      if (report.ok) expect(leavesOf(Buffer.from(changed).toString())).toEqual(leavesOf(range))
    }),
    { numRuns: 100 },
  )
})

describe('JSON nested without end', () => {
  test.each(['[', '{"a":'])('%s', async (open) => {
    const [first = '', second = ''] = range.split('\n')
    const deep = open.repeat(100_000)
    isReport(await verifyText(`${first}\n${second.replace('"status":200', `"status":${deep}`)}\n`))
    isReport(await verifyText(`${first.replace('"filters":{', `"filters":{"x":${deep}`)}\n`))
    const closed = `{"entry":{"access":${'['.repeat(50_000)}${']'.repeat(50_000)}},"leaf":"","salt":""}`
    isReport(await verifyText(`${first}\n${closed}\n`))
  })
})

describe('an entry that is scanned', () => {
  const scan = (text: string) => {
    const bytes = bytesOf(text)
    return scanEntryFrame(text, new Uint8Array([...bytes, 0]), bytes.length)
  }

  test('says the same as one that is parsed', () => {
    for (const { text } of montreal.entries) {
      const parsed = readEntryFrame(JSON.parse(text) as object)
      expect(scan(text)).toEqual(parsed.ok && parsed.value)
    }
  })

  test('is canonical, whatever was done to it', () => {
    fc.assert(
      fc.property(fc.nat({ max: 60 }), mutations, (index, changes) => {
        const original = montreal.entry(index).text
        const changed = Buffer.from(mutate(original, changes)).toString()
        const frame = scan(changed)
        if (frame === null) return
        const value = JSON.parse(changed) as object
        expect(canonicalText(value)).toBe(changed)
        expect(readEntryFrame(value)).toEqual({ ok: true, value: frame })
      }),
      { numRuns: 3_000 },
    )
  })

  test('is not taken for canonical with other escapes, names in another order or twice, or spaces', () => {
    const { text } = montreal.entry(5)
    expect(scan(text)).not.toBeNull()
    for (const [from, to] of [
      ['"status":200', '"status":2e2'],
      ['"status":200', '"status":-0'],
      ['"status":200', '"status":0200'],
      ['"status":200', '"status":200,"status":200'],
      ['"status":200', '"status": 200'],
      ['"part":1,"parts":1', '"parts":1,"part":1'],
      ['search-type', 'search\\u002dtype'],
      ['search-type', 'search\\/type'],
      ['search-type', 'search\ttype'],
      ['"v":1}', '"v":1} '],
      ['"log":"montreal"', '"log":"montreal\u0000"'],
    ] as const) {
      expect(text).toContain(from)
      expect(scan(text.replace(from, to))).toBeNull()
    }
  })
})

test('half a surrogate pair and a number past the doubles are found', () => {
  expect(isAmbiguous('{"a":[1,-0.5,1e308,"1e999","\\ud83d\\ude00"]}')).toBe(false)
  for (const value of ['1e309', '-1e999', '"\\ud800"', '"\\ude00\\ud83d"', '{"\\ud800":1}'])
    expect(isAmbiguous(`[${value}]`)).toBe(true)
})

test('what is read is what is not ambiguous, whichever of the two ways it is judged', () => {
  const member = fc.tuple(
    fc.constantFrom('"a"', '"b"', '"\\u0061"', '"__proto__"', '":"', '"\ud83d"'),
    fc.constantFrom(':', ' :', '\t: '),
    fc.oneof(fc.json(), fc.constantFrom('1e309', '-0.0', '{"a":{"a":[]}}', '"\\"a\\":"')),
  )
  fc.assert(
    fc.property(fc.array(member, { maxLength: 4 }), (members) => {
      const text = `[{${members.map((parts) => parts.join('')).join(',')}}]`
      expect(parseJson(text)).toEqual(isAmbiguous(text) ? undefined : JSON.parse(text))
    }),
    { numRuns: 1_000 },
  )
})

test('a name that an object has twice is found at any depth, and no other', () => {
  expect(isAmbiguous('{"a":{"b":[{"c":1,"\\u0063":2}]}}')).toBe(true)
  expect(isAmbiguous('{"a":"a","b":["a","a",{"a":"b:"}],"c":{"a":"\\":\\""}}')).toBe(false)
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(isAmbiguous(text)).toBe(false)
    }),
  )
})
