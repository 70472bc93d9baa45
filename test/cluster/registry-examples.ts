/** One request per operation of the trust registry that a healthy log answers with 200, in an order in which all are. */
import { audience } from '../../src/local/sample/directory.ts'

export interface RegistryExamples {
  readonly url: string
  readonly operator: string
  /** Of hopital-mont-royal. */
  readonly manager: string
  /** Another one of there, who decides `request`. */
  readonly secondManager: string
  /** Id of an open role request of `manager`. */
  readonly request: string
}

const issuer = 'https://example-issuer.example'
const client = { issuer, clientId: 'example-app' }
const organisation = { id: 'example-organisation' }
const facility = { id: 'example-facility' }
const professional = 'example-nurse'
const role = { professional, role: 'nurse' }
const cell = { role: 'midwife', facilityType: 'clinic', purpose: 'TREAT', domain: 'imaging' }

/** By name of the operation. */
export function registryExamples(of: RegistryExamples): Readonly<Record<string, () => Request>> {
  const get = (path: string, token: string) => () =>
    new Request(`${of.url}${path}`, { headers: { Authorization: `Bearer ${token}` } })
  const post = (path: string, token: string, body: unknown) => () =>
    new Request(`${of.url}${path}`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    })
  const { operator, manager } = of
  return {
    'list-issuers': get('/access/issuers', operator),
    'list-clients': get('/access/clients', operator),
    'list-organisations': get('/access/organisations', operator),
    'list-facilities': get('/access/facilities', operator),
    'list-professionals': get('/access/professionals', manager),
    'list-roles': get('/access/roles', manager),
    'list-role-requests': get('/access/role-requests', manager),
    'show-policy': get('/access/policy', operator),
    'register-issuer': post('/access/issuers', operator, {
      issuer,
      audience,
      algorithms: ['ES256'],
      // Nothing answers there: the issuer has no keys.
      jwksUrl: 'http://127.0.0.1:1/jwks',
    }),
    'register-client': post('/access/clients', operator, { ...client, name: 'Example' }),
    'register-organisation': post('/access/organisations', operator, { ...organisation, name: 'Example' }),
    'register-facility': post('/access/facilities', operator, {
      ...facility,
      uri: 'https://dossier.example/facility/example',
      name: 'Example',
      organisation: organisation.id,
      type: 'clinic',
      region: 'montreal',
      log: 'montreal',
    }),
    'register-professional': post('/access/professionals', manager, {
      issuer,
      subject: 'example',
      name: 'Example',
      id: professional,
    }),
    'grant-role': post('/access/roles', manager, role),
    'certify-role': post('/access/roles/certify', manager, role),
    'end-role': post('/access/roles/end', manager, role),
    'decide-role-request': post(`/access/role-requests/${of.request}`, of.secondManager, {
      decision: 'rejected',
    }),
    revoke: post('/access/revocations', operator, { token: { issuer, jti: 'example' } }),
    'change-policy-setting': post('/access/policy/settings', operator, {
      name: 'attestation-hours',
      value: 100,
    }),
    'open-role-domain': post('/access/policy/role-domains', operator, cell),
    'close-role-domain': post('/access/policy/role-domains/end', operator, cell),
    'end-professional': post('/access/professionals/end', operator, { professional }),
    'end-facility': post('/access/facilities/end', operator, facility),
    'end-organisation': post('/access/organisations/end', operator, organisation),
    'end-client': post('/access/clients/end', operator, client),
    'end-issuer': post('/access/issuers/end', operator, { issuer }),
  }
}
