/** The tour of `npm run demo`: asks a cluster and tells the reader what is asked, by whom, and what came back. */
import type { Cluster, TokenOptions } from './cluster.ts'

/** One request of the tour, as the audit log must know it. */
interface Seen {
  readonly what: string
  readonly receipt: string
}

export interface Answer {
  readonly status: number
  readonly body: string
  readonly receipt: string
  readonly clock: string
}

/** Asks the cluster and tells the reader: what is asked, by whom, what came back. */
export class Tour {
  readonly cluster: Cluster
  readonly seen: Seen[] = []
  /** Receipt of the read in an emergency. */
  emergency = ''
  #step = 0

  constructor(cluster: Cluster) {
    this.cluster = cluster
  }

  step(title: string): void {
    this.#step++
    say(`\n${this.#step}. ${title}`)
  }

  /** @param token null: the request carries none */
  async ask(who: string, token: string | null, path: string, init: RequestInit = {}): Promise<Answer> {
    const method = init.method ?? 'GET'
    const headers = new Headers(init.headers)
    headers.set('Accept-Language', 'en')
    if (token !== null) headers.set('Authorization', `Bearer ${token}`)
    const response = await fetch(`${this.cluster.url}${path}`, { ...init, headers })
    const answer = {
      status: response.status,
      body: await response.text(),
      receipt: response.headers.get('dossier-receipt') ?? '',
      clock: response.headers.get('dossier-clock') ?? '',
    }
    say(`   ${who}:  ${method} ${decodeURIComponent(path)}`)
    say(`   → ${answer.status}   receipt ${answer.receipt || '(none)'}`)
    this.seen.push({ what: `${method} ${path} by ${who}`, receipt: answer.receipt })
    return answer
  }

  async askAs(name: string, path: string, init: RequestInit = {}, options?: TokenOptions): Promise<Answer> {
    const as = options?.purpose ?? options?.scope
    const who = as === undefined ? name : `${name} (${as})`
    return this.ask(who, await this.cluster.token(name, options), path, init)
  }

  /** A JSON body. */
  async sendAs(
    name: string,
    method: 'POST' | 'PUT',
    path: string,
    body: unknown,
    options?: TokenOptions,
  ): Promise<Answer> {
    const type = path.startsWith('/fhir') ? 'application/fhir+json' : 'application/json'
    const init = { method, headers: { 'Content-Type': type }, body: JSON.stringify(body) }
    return this.askAs(name, path, init, options)
  }
}

export const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

/** What the tour promises at this point. @throws Error when it does not hold: the demo has failed. */
export function check(claim: string, holds: boolean): void {
  if (!holds) throw new Error(`this should be so, and is not: ${claim}`)
  say(`   ✓ ${claim}`)
}
