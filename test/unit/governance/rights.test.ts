/** Who may ask for what: every operation of the registry, every kind of caller. */
import { describe, expect, it } from 'vitest'
import type { CallerKind } from '../../../src/access/caller.ts'
import { registryOperations } from '../../../src/governance/registry.ts'
import { callers, everything, openOffice } from './registry-support.ts'

/** Operation → kinds of caller, as issue and manual name them. */
const expected: Readonly<Record<string, readonly CallerKind[]>> = {
  'GET /access/issuers': ['operator'],
  'POST /access/issuers': ['operator'],
  'POST /access/issuers/end': ['operator'],
  'GET /access/clients': ['operator'],
  'POST /access/clients': ['operator'],
  'POST /access/clients/end': ['operator'],
  'GET /access/organisations': ['operator', 'access-manager', 'privacy-officer'],
  'POST /access/organisations': ['operator'],
  'POST /access/organisations/end': ['operator'],
  'GET /access/facilities': ['operator', 'access-manager', 'privacy-officer'],
  'POST /access/facilities': ['operator'],
  'POST /access/facilities/end': ['operator'],
  'GET /access/professionals': ['operator', 'access-manager'],
  'POST /access/professionals': ['operator', 'access-manager'],
  'POST /access/professionals/end': ['operator'],
  'GET /access/roles': ['operator', 'access-manager'],
  'POST /access/roles': ['operator', 'access-manager'],
  'POST /access/roles/end': ['operator', 'access-manager'],
  'POST /access/roles/certify': ['operator', 'access-manager'],
  'GET /access/role-requests': ['operator', 'access-manager'],
  'POST /access/role-requests/:id': ['operator', 'access-manager'],
  'POST /access/revocations': ['operator'],
  'GET /access/policy': ['operator'],
  'POST /access/policy/settings': ['operator'],
  'POST /access/policy/role-domains': ['operator'],
  'POST /access/policy/role-domains/end': ['operator'],
}

const id = '3d5e1f6a-7f7b-4c0e-9a53-0d1b6a1b2c3d'

describe('rights in the registry', () => {
  it('the table below is about every operation', () => {
    expect(registryOperations.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(
      Object.keys(expected).sort(),
    )
  })

  it('names are told apart, changes are audited as policy, lists as operations', () => {
    expect(new Set(registryOperations.map(({ name }) => name)).size).toBe(registryOperations.length)
    for (const { method, action, bodyTypes } of registryOperations) {
      expect(action).toBe(method === 'GET' ? 'operation' : 'policy')
      expect(bodyTypes).toEqual(method === 'GET' ? undefined : ['application/json'])
    }
  })

  it('a token whose scopes only read changes nothing', () => {
    for (const { method, scope } of registryOperations)
      expect(scope({})).toEqual({ type: '*', interaction: method === 'GET' ? 's' : 'u' })
  })

  const cells = registryOperations.flatMap(({ method, path }) =>
    Object.values(callers).map((caller) => ({ method, path, caller, kind: caller.kind })),
  )
  it.each(cells)('$method $path by $kind', async ({ method, path, caller, kind }) => {
    const { ask, registry, intents } = openOffice()
    const before = everything(registry)
    const result = await ask(caller, path.replace(':id', id), method === 'GET' ? undefined : {})
    if (!expected[`${method} ${path}`]?.includes(kind)) {
      expect(result).toEqual({
        ok: false,
        error: { reason: 'forbidden', cause: 'operation-not-for-caller' },
      })
    } else if (method === 'GET') {
      expect(result).toMatchObject({ ok: true, value: { status: 200, reason: kind } })
    } else {
      // Permitted so far: an empty change is told what it lacks, the request of that id that there is none.
      expect(result).toMatchObject({
        ok: false,
        error: { reason: path.endsWith(':id') ? 'not-found' : 'invalid' },
      })
    }
    expect(everything(registry)).toEqual(before)
    expect(intents).toEqual([])
  })
})
