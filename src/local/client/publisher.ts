/** Publishing one bundle over HTTP, as a facility's system does. */
import { setTimeout as wait } from 'node:timers/promises'
import { limits } from '../../limits.ts'
import type { Language, Text } from './language.ts'

export interface Target {
  /** Of the cluster, without a slash at the end. */
  readonly url: string
  /** An access token of the facility's system, good for at least `limits.tokenRenewalMs`. */
  token(): Promise<string>
  /** Of refusals and failures. */
  readonly language: Language
}

export type Effect = 'created' | 'updated' | 'unchanged'

/** Why a bundle, or one entry of a batch, was not taken. */
export interface Reject {
  /** Place in the bundle, from 0; null: the bundle as a whole. */
  readonly entry: number | null
  readonly reason: string
}

export interface Publication {
  /** One for each entry that was taken. */
  readonly effects: readonly { readonly type: string; readonly effect: Effect }[]
  readonly rejects: readonly Reject[]
}

/** Nothing more can be published: the cluster is away, or does not let the caller publish. `message` is one sentence. */
export class PublishFailure extends Error {
  override name = 'PublishFailure'
}

/** Statuses that speak of one bundle; any other one but 200 speaks of the cluster or of the caller. */
const bundleStatuses = new Set([400, 404, 409, 413, 415, 422])

/**
 * Sends a bundle as it is written, since JSON text that is parsed and written again may lose digits of its decimals.
 * Waits as told and sends again while the cluster answers 429 or 503. That is safe: publishing is idempotent.
 *
 * @param bundle JSON text of a Bundle of type transaction, batch or collection
 * @throws PublishFailure when the cluster does not answer, stays overloaded, or refuses the caller
 */
export async function publish(target: Target, bundle: string): Promise<Publication> {
  const sentAt = new Date().toISOString()
  for (let attempt = 1; ; attempt++) {
    const response = await send(target, bundle)
    const body = await response.text()
    if (response.status === 200) return publicationOf(body, sentAt, target.language)
    const reasons = reasonsOf(body, response.status, target.language)
    if (bundleStatuses.has(response.status)) {
      return {
        effects: [],
        rejects: reasons.map((reason) => ({ entry: null, reason })),
      }
    }
    const busy = response.status === 429 || response.status === 503
    if (!busy || attempt === limits.maxPublishAttempts) {
      throw failure(target, refusedAs(target.url, response.status, attempt), reasons.join('; '))
    }
    await wait(retryAfterMs(response.headers.get('retry-after')))
  }
}

async function send(target: Target, bundle: string): Promise<Response> {
  const token = await target.token().catch((cause: unknown) => {
    throw failure(target, noToken, quoted(target, cause), cause)
  })
  try {
    return await fetch(`${target.url}/fhir`, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${token}`,
        'Content-Type': 'application/fhir+json',
        'Accept-Language': target.language,
      },
      body: bundle,
      signal: AbortSignal.timeout(limits.commandDeadlineMs),
    })
  } catch (cause) {
    throw failure(target, noAnswer(target.url), quoted(target, cause), cause)
  }
}

const failure = ({ language }: Target, what: Text, why: string, cause?: unknown): PublishFailure =>
  new PublishFailure(`${what[language]}${language === 'fr' ? ' : ' : ': '}${why}`, { cause })

/** What the system or the identity provider said, in its own words. */
const quoted = ({ language }: Target, cause: unknown): string =>
  language === 'fr' ? `« ${causeOf(cause)} »` : causeOf(cause)

const noToken: Text = {
  fr: 'aucun jeton pour publier',
  en: 'there is no token to publish with',
}

const noAnswer = (url: string): Text => ({
  fr: `${url} ne répond pas`,
  en: `${url} does not answer`,
})

const refusedAs = (url: string, status: number, attempts: number): Text => ({
  fr: `${url} a répondu ${status}${attempts > 1 ? ` après ${attempts} tentatives` : ''}`,
  en: `${url} answered ${status}${attempts > 1 ? ` after ${attempts} attempts` : ''}`,
})

const noReason = (status: number): Text => ({
  fr: `code ${status}, sans motif`,
  en: `status ${status} without a reason`,
})

/** The innermost message of a failed fetch, which names the address and the fault. */
export function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? causeOf(error.cause) : error.message || error.name
}

/** Seconds (RFC 9110 §10.2.3) as milliseconds, within the bound; the cluster's usual wait when absent or a date. */
export function retryAfterMs(header: string | null): number {
  const seconds = header !== null && /^\d+$/.test(header) ? Number(header) : limits.retryAfterSeconds
  return Math.min(seconds, limits.maxRetryAfterSeconds) * 1000
}

interface Outcome {
  readonly issue?: readonly {
    readonly diagnostics?: string
    readonly details?: { readonly text?: string }
    readonly expression?: readonly string[]
    readonly code?: string
  }[]
}

interface ResponseEntry {
  readonly response?: {
    readonly status?: string
    readonly location?: string
    readonly lastModified?: string
    readonly outcome?: Outcome
  }
}

interface ResponseBundle {
  readonly timestamp?: string
  readonly entry?: readonly ResponseEntry[]
}

/**
 * What a transaction-response or batch-response Bundle says.
 *
 * @param sentAt when the publication began by this machine's clock: used where the answer does not tell its own time
 */
export function publicationOf(body: string, sentAt: string, language: Language): Publication {
  const { timestamp = sentAt, entry = [] } = JSON.parse(body) as ResponseBundle
  const effects: { type: string; effect: Effect }[] = []
  const rejects: Reject[] = []
  entry.forEach(({ response = {} }, index) => {
    const status = Number((response.status ?? '').slice(0, 3))
    if (status === 200 || status === 201) {
      effects.push({
        type: typeOf(response.location),
        effect: effectOf(status, response.lastModified, timestamp),
      })
    } else {
      for (const reason of issuesOf(response.outcome, status, language))
        rejects.push({ entry: index, reason })
    }
  })
  return { effects, rejects }
}

/** A version that is not older than the publication was made by it; an older one was there before. */
function effectOf(status: number, lastModified: string | undefined, since: string): Effect {
  if (status === 201) return 'created'
  return lastModified !== undefined && Date.parse(lastModified) >= Date.parse(since) ? 'updated' : 'unchanged'
}

/** `Observation` of `Observation/abc/_history/1`, absolute or not. */
const typeOf = (location = ''): string =>
  /([A-Z][A-Za-z]+)\/[^/]+\/_history\//.exec(location)?.[1] ?? 'unknown'

/** Sentences of an OperationOutcome, each with the place it is about. */
function reasonsOf(body: string, status: number, language: Language): readonly string[] {
  try {
    return issuesOf(JSON.parse(body) as Outcome, status, language)
  } catch {
    return [noReason(status)[language]]
  }
}

function issuesOf(outcome: Outcome | undefined, status: number, language: Language): readonly string[] {
  const reasons = (outcome?.issue ?? []).map(({ diagnostics, details, expression, code }) => {
    const text = details?.text ?? diagnostics ?? code ?? noReason(status)[language]
    return expression?.length ? `${text} (${expression.join(', ')})` : text
  })
  return reasons.length > 0 ? reasons : [noReason(status)[language]]
}
