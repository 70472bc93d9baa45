/** One request per operation of the monthly review that a healthy log answers, in an order in which all are. */

export interface ReviewExamples {
  readonly url: string
  /** Of the officer of the whole record; `write`: may change things. */
  readonly officer: { readonly read: string; readonly write: string }
  /** `Patient/id`. */
  readonly patient: string
}

/** By name of the operation. */
export function reviewExamples({
  url,
  officer,
  patient,
}: ReviewExamples): Readonly<Record<string, () => Request>> {
  const get = (path: string) => () =>
    new Request(`${url}${path}`, { headers: { Authorization: `Bearer ${officer.read}` } })
  const post = (path: string, body: unknown) => () =>
    new Request(`${url}${path}`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${officer.write}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    })
  const professional = 'etienne-tremblay'
  const finding = { month: '2026-10', rule: 'volume', professional }
  return {
    'professional-person': post('/access/professionals/person', { professional, patient }),
    'change-review-rule': post('/audit/review/rules', {
      rule: 'watch-list',
      enabled: true,
      thresholds: { minAccesses: 2 },
    }),
    'watched-add': post('/audit/review/watched', {
      patient,
      reason: 'Ministre en exercice',
      ends: new Date(Date.now() + 24 * 60 * 60_000).toISOString(),
    }),
    'watched-list': get('/audit/review/watched'),
    'audit-review': get(`/audit/review?month=${new Date().toISOString().slice(0, 7)}`),
    'review-finding-decide': post('/audit/review/findings', { ...finding, decision: 'justified' }),
    'watched-end': post('/audit/review/watched/end', { patient }),
    'professional-person-end': post('/access/professionals/person/end', { professional }),
  }
}
