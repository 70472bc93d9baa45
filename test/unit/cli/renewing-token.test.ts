import { expect, it } from 'vitest'
import { renewingToken } from '../../../src/cli/renewing-token.ts'
import { limits } from '../../../src/limits.ts'

const jwt = (exp: number): string =>
  ['{"alg":"ES256"}', JSON.stringify({ exp }), 'x']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.')

it('keeps a token until shortly before it ends, then obtains another', async () => {
  let nowMs = 0
  let obtained = 0
  const token = renewingToken(
    async () => {
      obtained++
      return jwt(nowMs / 1000 + 600)
    },
    () => nowMs,
  )
  const first = await token()
  nowMs = 600_000 - limits.tokenRenewalMs
  expect(await token()).toBe(first)
  expect(obtained).toBe(1)
  nowMs += 1
  expect(await token()).not.toBe(first)
  expect(obtained).toBe(2)
})

it('keeps a token that does not say when it ends', async () => {
  let obtained = 0
  const token = renewingToken(async () => `opaque ${++obtained}`)
  expect([await token(), await token()]).toEqual(['opaque 1', 'opaque 1'])
})
