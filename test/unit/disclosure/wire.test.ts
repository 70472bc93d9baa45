import { describe, expect, test } from 'vitest'
import type { TokenRefusal } from '../../../src/access/refusal.ts'
import { auditReason, toWire } from '../../../src/disclosure/wire.ts'

const refused = (cause: TokenRefusal['cause']) => ({ reason: 'unauthenticated', cause }) as const

describe('a failed authentication', () => {
  test.each([
    'missing',
    'jws-padding',
    'token-revoked',
    'dpop-required',
    'proof-replayed',
    'token-used',
  ] as const)('for %s says on the wire what every other says, and why in the log', (cause) => {
    expect(toWire(refused(cause))).toEqual(toWire(refused('expired')))
    expect(auditReason(refused(cause))).toEqual({ reason: cause, detail: null })
  })

  test('for a login that was too weak asks for a stronger one in its challenge alone (RFC 9470 §3)', () => {
    const { headers, ...rest } = toWire(refused('assurance-too-low'))
    const { headers: _, ...generic } = toWire(refused('expired'))
    expect(rest).toEqual(generic)
    expect(headers).toEqual({
      'WWW-Authenticate': 'Bearer error="insufficient_user_authentication", DPoP',
    })
  })
})
