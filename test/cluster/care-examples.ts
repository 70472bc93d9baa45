/**
 * One request per operation about who cares for whom, the register of refusals, `explain` and `me`, that a healthy log
 * answers with 200 or 201. Each is made from what was there before: it may be sent once.
 */
import { onBehalf, refusalOf } from './care.ts'

export interface CareExamples {
  readonly url: string
  readonly tokens: {
    /** Of one who cares for `patient`. */
    readonly provider: string
    /** The same, in an emergency. */
    readonly emergency: string
    /** Access manager of the facility. */
    readonly manager: string
    readonly operator: string
    readonly officer: string
    /** Of one who is `self`. */
    readonly patient: string
  }
  readonly facility: string
  /** `Patient/id`. */
  readonly patient: string
  readonly self: string
  /** Under 14, of `self`. */
  readonly child: string
  /** Id of a relationship in force that the manager registered. */
  readonly relationship: string
  /** Of an open item. */
  readonly review: string
  /** Of a consent of `self`, as recorded. */
  readonly consent: Readonly<Record<string, unknown>>
  /** Receipt of a read. */
  readonly receipt: string
}

/** By name of the operation. */
export function careExamples(of: CareExamples): Readonly<Record<string, () => Request>> {
  const { tokens, patient, self, child, facility } = of
  const get = (path: string, token: string) => () =>
    new Request(`${of.url}${path}`, { headers: { Authorization: `Bearer ${token}` } })
  const send = (method: 'POST' | 'PUT', path: string, token: string, body: unknown) => () =>
    new Request(`${of.url}${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    })
  const post = (path: string, token: string, body: unknown) => send('POST', path, token, body)
  const reason = 'Vu à la clinique sans rendez-vous'
  const consent = `/fhir/Consent/${of.consent.id}`
  return {
    attest: post('/access/attestations', tokens.provider, { patient, reason }),
    'break-glass': post('/access/break-glass', tokens.emergency, { patient, reason }),
    'relationship-register': post('/access/relationships', tokens.manager, {
      kind: 'care-team',
      patient,
      professional: 'helene-cote',
      facility,
      ends: new Date(Date.now() + 24 * 60 * 60_000).toISOString(),
    }),
    'relationship-end': post('/access/relationships/end', tokens.manager, { relationship: of.relationship }),
    'guardianship-register': post('/access/guardianships', tokens.operator, {
      guardian: self,
      patient: child,
    }),
    'guardianship-list': get(
      `/access/guardianships?${new URLSearchParams({ patient: child })}`,
      tokens.operator,
    ),
    'guardianship-end': post('/access/guardianships/end', tokens.operator, {
      guardian: self,
      patient: child,
    }),
    notices: get('/access/notices', tokens.patient),
    reviews: get('/access/reviews', tokens.officer),
    'review-decide': post(`/access/reviews/${of.review}`, tokens.officer, { decision: 'justified' }),
    'consent-create': post('/fhir/Consent', tokens.officer, onBehalf(refusalOf(child))),
    'consent-search': get(`/fhir/Consent?${new URLSearchParams({ patient: self })}`, tokens.patient),
    'consent-read': get(consent, tokens.patient),
    'consent-history': get(`${consent}/_history`, tokens.patient),
    'consent-update': send('PUT', consent, tokens.patient, { ...of.consent, status: 'inactive' }),
    explain: get(`/access/explain?${new URLSearchParams({ receipt: of.receipt })}`, tokens.officer),
    me: get('/access/me', tokens.patient),
  }
}
