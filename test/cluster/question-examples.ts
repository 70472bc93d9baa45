/**
 * One request per operation about questions and the incident register that a healthy log answers with 200 or 201. Each is made
 * from what was there before: it may be sent once.
 */
import { register } from '../unit/governance/incidents.ts'

export const questionText = 'Pourquoi mon dossier a-t-il été consulté ce jour-là ?'

export interface QuestionExamples {
  readonly url: string
  readonly tokens: { readonly officer: string; readonly patient: string }
  /** `<log>/<index>` of an access about the patient. */
  readonly entry: string
  /** Id of a question of the patient that nobody has taken up. */
  readonly question: string
  /** Id of an incident in its first version. */
  readonly incident: string
}

/** By name of the operation. */
export function questionExamples(of: QuestionExamples): Readonly<Record<string, () => Request>> {
  const { tokens, entry } = of
  const get = (path: string, token: string) => () =>
    new Request(`${of.url}${path}`, { headers: { Authorization: `Bearer ${token}` } })
  const post = (path: string, token: string, body: unknown) => () =>
    new Request(`${of.url}${path}`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    })
  const [question, incident] = [`/audit/questions/${of.question}`, `/audit/incidents/${of.incident}`]
  return {
    'question-ask': post('/audit/questions', tokens.patient, { kind: 'access', entry, text: questionText }),
    questions: get('/audit/questions', tokens.officer),
    'question-read': get(question, tokens.patient),
    'question-act': post(question, tokens.officer, { state: 'in-review' }),
    'incident-open': post('/audit/incidents', tokens.officer, {
      ...register,
      from: { question: of.question },
    }),
    'incident-revise': post(incident, tokens.officer, { ...register, version: 1, status: 'open' }),
    incidents: get('/audit/incidents', tokens.officer),
    'incident-read': get(incident, tokens.officer),
  }
}
