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
  const token = await target.token()
  let response: Response
  let text: string
  try {
    response = await fetch(`${target.url}${path}`, {
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
    text = await response.text()
  } catch (cause) {
    throw new RegistryFailure(`${target.url} does not answer: ${causeOf(cause)}`, { cause })
  }
  const answer = objectOf(text)
  if (response.ok && answer !== null) return answer
  throw new RegistryFailure(`${target.url} answered ${response.status}: ${reasonOf(answer, text)}`)
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
    asked.set('after', answer.next)
  }
  throw new RegistryFailure(`the list has more than ${rows.length} rows: narrow it.`)
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
