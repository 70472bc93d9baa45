/** Asking a cluster about its trust registry, and changing it, over HTTP. */
import { limits } from '../../limits.ts'
import { causeOf, type Target } from './publisher.ts'

/** The cluster does not answer, or refuses. `message` is one sentence. */
export class RegistryFailure extends Error {
  override name = 'RegistryFailure'
}

export type Answer = Readonly<Record<string, unknown>>

/**
 * @param path with its query
 * @param body of a change; undefined: a list is asked for
 * @throws RegistryFailure
 */
export async function askRegistry(target: Target, path: string, body?: unknown): Promise<Answer> {
  const { response, text } = await ask(target, path, body)
  const answer = objectOf(text)
  if (response.ok && answer !== null) return answer
  throw refusal(target, response, text)
}

/**
 * A file, whole.
 *
 * @param path with its query
 * @throws RegistryFailure
 */
export async function askText(target: Target, path: string): Promise<string> {
  const { response, text } = await ask(target, path)
  if (response.ok) return text
  throw refusal(target, response, text)
}

const refusal = (target: Target, { status }: Response, text: string): RegistryFailure =>
  new RegistryFailure(`${target.url} answered ${status}: ${reasonOf(objectOf(text), text)}`)

async function ask(
  target: Target,
  path: string,
  body?: unknown,
): Promise<{ readonly response: Response; readonly text: string }> {
  const token = await target.token()
  try {
    const response = await fetch(`${target.url}${path}`, {
      headers: {
        Authorization: `Bearer ${token}`,
        'Accept-Language': target.language,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      // A redirection could take the token elsewhere.
      redirect: 'manual',
      signal: AbortSignal.timeout(limits.commandDeadlineMs),
    })
    return { response, text: await response.text() }
  } catch (cause) {
    throw new RegistryFailure(`${target.url} does not answer: ${causeOf(cause)}`, { cause })
  }
}

/**
 * Every row of a list, page after page.
 *
 * @param member of the answers, which holds the rows
 * @throws RegistryFailure also when the list does not end within `limits.maxRegistryPages`
 */
export async function listRegistry(
  target: Target,
  path: string,
  query: URLSearchParams,
  member: string,
): Promise<readonly Answer[]> {
  const rows: Answer[] = []
  const asked = new URLSearchParams(query)
  for (let page = 0; page < limits.maxRegistryPages; page++) {
    const answer = await askRegistry(target, asked.size === 0 ? path : `${path}?${asked}`)
    rows.push(...((answer[member] ?? []) as Answer[]))
    if (typeof answer.next !== 'string') return rows
    goOn(asked, answer.next)
  }
  throw new RegistryFailure(`the list has more than ${rows.length} rows: narrow it.`)
}

/** Of the address of a next page only its cursor counts: the token goes where it was sent before. */
function goOn(asked: URLSearchParams, next: string): void {
  const cursor = URL.canParse(next) ? new URL(next).searchParams.get('_cursor') : null
  if (cursor === null) asked.set('after', next)
  else asked.set('_cursor', cursor)
}

function objectOf(text: string): Answer | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Answer) : null
  } catch {
    return null
  }
}

/** What problem details (RFC 9457) or an `OperationOutcome` say. */
function reasonOf(answer: Answer | null, text: string): string {
  const issue = (answer?.issue ?? []) as readonly { readonly details?: { readonly text?: string } }[]
  const said = [answer?.title, ...issue.map(({ details }) => details?.text)].filter(
    (part): part is string => typeof part === 'string' && part !== '',
  )
  return said.length > 0 ? said.join(' ') : text.slice(0, 200) || 'without a reason'
}
