import { describe, expect, test } from 'vitest'
import { FormatError } from '../../../../src/audit/tlog/errors.ts'
import { formatVerifierKey, keyTypes, verifierKey } from '../../../../src/audit/tlog/note.ts'
import { maxDefinitions, parsePolicy } from '../../../../src/audit/tlog/policy.ts'
import { sha256 } from './support.ts'

/** The key of somebody, made of nothing but the name. */
function vkey(name: string, type: number = keyTypes.ed25519Cosignature, publicKeyOf = name): string {
  const bytes = sha256(Buffer.from(publicKeyOf))
  const publicKey =
    type === keyTypes.mlDsa44Cosignature ? new Uint8Array(1312).fill(bytes[0] as number) : bytes
  return formatVerifierKey(verifierKey(sha256, name, type, publicKey))
}
const logKey = vkey('log.example', keyTypes.ed25519)
const witness = (name: string): string => `witness ${name} ${vkey(`${name}.example`)}\n`
const parse = (text: string) => parsePolicy(sha256, text)

const example = `log ${logKey}

${['X1', 'X2', 'X3'].map(witness).join('')}group X-witnesses 2 X1 X2 X3

${['Y1', 'Y2', 'Y3'].map(witness).join('')}group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
`

/** Whether these witnesses are enough. */
const isEnough = (text: string, ...names: string[]): boolean => parse(text).isQuorum(new Set(names))

describe('a policy', () => {
  test('of the specification wants two of the one and one of the other', () => {
    const policy = parse(example)
    expect(policy.logs.map(({ key, url }) => [key.name, url])).toEqual([['log.example', null]])
    expect(policy.witnesses.map(({ name }) => name)).toEqual(['X1', 'X2', 'X3', 'Y1', 'Y2', 'Y3'])
    expect(policy.witnesses[0]?.key.name).toBe('X1.example')
    expect(policy.needsQuorum).toBe(true)
    expect(isEnough(example, 'X1', 'X3', 'Y2')).toBe(true)
    expect(isEnough(example, 'X1', 'X2', 'X3', 'Y1', 'Y2', 'Y3')).toBe(true)
    expect(isEnough(example, 'X1', 'Y1', 'Y2', 'Y3')).toBe(false)
    expect(isEnough(example, 'X1', 'X2', 'X3')).toBe(false)
    expect(isEnough(example)).toBe(false)
  })

  test('counts no group as cosigned because somebody goes by its name', () => {
    expect(isEnough(example, 'X-and-Y')).toBe(false)
    expect(isEnough(example, 'X-witnesses', 'Y-witnesses')).toBe(false)
    expect(isEnough(example, 'X1', 'stranger', 'Y1')).toBe(false)
  })

  test('may want one witness, or none', () => {
    const one = `${witness('A')}${witness('B')}quorum A\n`
    expect(isEnough(one, 'A')).toBe(true)
    expect(isEnough(one, 'B')).toBe(false)
    const none = parse('quorum none\n')
    expect(none).toMatchObject({ logs: [], witnesses: [], needsQuorum: false })
    expect(none.isQuorum(new Set())).toBe(true)
    expect(parse(`${witness('A')}quorum none\n`).isQuorum(new Set())).toBe(true)
  })

  test('takes any, all and a number for what they are', () => {
    const of = (threshold: string): string =>
      `${witness('A')}${witness('B')}group G ${threshold} A B\nquorum G\n`
    for (const [threshold, one, both] of [
      ['any', true, true],
      ['1', true, true],
      ['2', false, true],
      ['all', false, true],
    ] as const) {
      expect(isEnough(of(threshold))).toBe(false)
      expect(isEnough(of(threshold), 'A')).toBe(one)
      expect(isEnough(of(threshold), 'A', 'B')).toBe(both)
    }
  })

  test('has comments, empty lines, tabs, URLs, and names in any script', () => {
    const policy = parse(
      `# Größe\n \t \n\t#log nothing\n  log\t${logKey}  https://log.example/ \nwitness any ${vkey('a')}\thttps://a.example/\nwitness журнал ${vkey('b')}\ngroup all all any журнал\nquorum all\nwitness later ${vkey('c')}\n`,
    )
    expect(policy.logs[0]?.url).toBe('https://log.example/')
    expect(policy.witnesses.map(({ name, url }) => [name, url])).toEqual([
      ['any', 'https://a.example/'],
      ['журнал', null],
      ['later', null],
    ])
    expect(policy.isQuorum(new Set(['any', 'журнал']))).toBe(true)
    expect(policy.isQuorum(new Set(['any']))).toBe(false)
  })

  test('compares names as they are written, not as they look', () => {
    expect(() => parse(`${witness('K')}quorum \u212a\n`)).toThrow('not defined before')
    const composed = `witness \u00e9 ${vkey('a')}\nwitness e\u0301 ${vkey('b')}\nquorum none\n`
    expect(parse(composed).witnesses).toHaveLength(2)
  })

  test('takes log keys of every known type', () => {
    const { ed25519, ed25519Cosignature, mlDsa44Cosignature } = keyTypes
    for (const type of [ed25519, ed25519Cosignature, mlDsa44Cosignature])
      expect(parse(`log ${vkey('l', type)}\nquorum none\n`).logs[0]?.key.type).toBe(type)
    const pq = `witness W ${vkey('w', mlDsa44Cosignature)}\nquorum W\n`
    expect(parse(pq).witnesses[0]?.key.type).toBe(6)
  })

  const [A, B] = [witness('A'), witness('B')]
  test.each([
    ['nothing', '', 'end in a newline'],
    ['no quorum', A, 'must have a quorum line'],
    ['a last line cut off', `${A}quorum A`, 'end in a newline'],
    ['two quorums', `${A}quorum A\nquorum A\n`, 'line 3 of the policy: there is a quorum line already'],
    ['a quorum of two', `${A}${B}quorum A B\n`, 'a quorum has one name'],
    ['a quorum of nobody', `${A}quorum\n`, 'a quorum has one name'],
    ['a quorum unknown', `${A}quorum B\n`, 'the quorum "B" is not defined before'],
    [
      'a quorum defined later',
      `quorum A\n${A}`,
      'line 1 of the policy: the quorum "A" is not defined before',
    ],
    ['a comment after the line', `${A}quorum A # all of us\n`, 'a quorum has one name'],
    ['an unknown directive', `${A}quorums A\n`, '"quorums" is not log, witness, group or quorum'],
    ['a directive in capitals', `${A}Quorum A\n`, '"Quorum" is not log'],
    ['a log without a key', 'log\nquorum none\n', 'a log has a key'],
    ['a log with two URLs', `log ${logKey} a b\nquorum none\n`, 'a log has a key'],
    ['a log twice', `log ${logKey}\nlog ${logKey}\nquorum none\n`, 'line 2 of the policy: the public key of'],
    [
      'a log twice by other names',
      `log ${logKey}\nlog ${vkey('other', keyTypes.ed25519, 'log.example')}\nquorum none\n`,
      'the public key of "other" is there already',
    ],
    [
      'a log twice by other types',
      `log ${logKey}\nlog ${vkey('log.example', keyTypes.ed25519Cosignature)}\nquorum none\n`,
      'is there already',
    ],
    [
      'a log of an unknown type',
      `log ${vkey('l', 0xff)}\nquorum none\n`,
      'has the type 255, which does not fit',
    ],
    ['a key with a wrong id', `log ${logKey.replace(/\+.{8}/, '+00000000')}\nquorum none\n`, 'the key id of'],
    ['a witness without a key', 'witness A\nquorum none\n', 'a witness has a name, a key'],
    ['a witness with two URLs', `witness A ${vkey('a')} b c\nquorum A\n`, 'a witness has a name, a key'],
    ['a witness that does not cosign', `witness A ${vkey('a', keyTypes.ed25519)}\nquorum A\n`, 'the type 1'],
    ['a witness twice', `${A}witness B ${vkey('A.example')}\nquorum A\n`, 'is there already'],
    [
      'a witness twice by other names',
      `${A}witness B ${vkey('b', 4, 'A.example')}\nquorum A\n`,
      'is there already',
    ],
    ['a name twice', `${A}witness A ${vkey('b')}\nquorum A\n`, 'the name "A" is defined already'],
    [
      'a group by the name of a witness',
      `${A}${B}group A any B\nquorum A\n`,
      'the name "A" is defined already',
    ],
    [
      'a witness by the name of a group',
      `${A}group B any A\n${B}quorum A\n`,
      'the name "B" is defined already',
    ],
    ['a witness called none', `witness none ${vkey('a')}\nquorum none\n`, 'cannot be defined'],
    ['a group called none', `${A}group none any A\nquorum none\n`, 'cannot be defined'],
    ['a group of none', `${A}group G any none\nquorum G\n`, 'the member "none" is not defined before'],
    ['a group of a later one', `${A}group G any A B\n${B}quorum G\n`, 'line 2 of the policy: the member "B"'],
    ['a group of itself', `${A}group G any A G\nquorum G\n`, 'the member "G" is not defined before'],
    ['a group of nobody', `${A}group G any\nquorum G\n`, 'a group has a name, a threshold and a member'],
    ['a group of one twice', `${A}group G 2 A A\nquorum G\n`, 'the member "A" is in a group already'],
    [
      'one in two groups',
      `${A}${B}group G any A\ngroup H any A B\nquorum H\n`,
      'line 4 of the policy: the member "A"',
    ],
    ['a threshold of zero', `${A}group G 0 A\nquorum G\n`, 'must be from 1 to 1, not 0'],
    ['a threshold too high', `${A}${B}group G 3 A B\nquorum G\n`, 'must be from 1 to 2, not 3'],
    ['a threshold with a zero', `${A}group G 01 A\nquorum G\n`, 'a threshold must be a decimal'],
    ['a threshold with a sign', `${A}group G +1 A\nquorum G\n`, 'a threshold must be a decimal'],
    ['a threshold of a word', `${A}group G most A\nquorum G\n`, 'a threshold must be a decimal'],
    ['Windows lines', `${A}quorum A\r\n`, 'control character 0x0d'],
    ['a NUL', `${A}quorum A\0\n`, 'control character 0x00'],
    ['a DEL', `${A}quorum A\u007f\n`, 'control character 0x7f'],
    ['a foreign space', `${A}quorum\u00a0A\n`, 'is not log, witness, group or quorum'],
    ['half a character', `${A}#\ud800\nquorum A\n`, 'half a surrogate pair'],
  ])('with %s is refused', (_, text, reason) => {
    expect(() => parse(text)).toThrow(FormatError)
    expect(() => parse(text)).toThrow(reason)
  })

  test('has a limit, which comments do not count towards', () => {
    const names = Array.from({ length: maxDefinitions - 1 }, (_, i) => `W${i}`)
    const full = `${names.map(witness).join('')}${'#\n'.repeat(2000)}quorum W0\n`
    expect(parse(full).witnesses).toHaveLength(maxDefinitions - 1)
    expect(() => parse(`${witness('one-more')}${full}`)).toThrow('more than 1024 definitions')
  })

  test('nests groups as deep as the limit lets it', () => {
    const groups = Array.from({ length: 1000 }, (_, i) => `group G${i + 1} all ${i === 0 ? 'A' : `G${i}`}\n`)
    const text = `${A}${groups.join('')}quorum G1000\n`
    expect(isEnough(text, 'A')).toBe(true)
    expect(isEnough(text)).toBe(false)
  })
})
