/**
 * Keeps the key sets of the trust registry current. A token never says where keys are: the registry's row does, and only
 * this scheduled step fetches them. A changed set ends the row and begins a new one, so that it reaches every replica
 * and every isolate's next batch like any other fact.
 */
import canonicalize from 'canonicalize'
import { boundedBody } from '../bounded-body.ts'
import { limits } from '../limits.ts'
import type { Row, Writer } from '../store/ports.ts'

/** Members of a public key; anything else in a fetched set is dropped, private members above all. */
const publicMembers = ['kty', 'kid', 'alg', 'use', 'crv', 'x', 'y', 'n', 'e'] as const

/**
 * Resolves to the issuers whose keys changed. An issuer that does not answer, or not with keys, keeps those it has.
 *
 * @throws AggregateError when an issuer's row could not be read or replaced; the others have been refreshed.
 */
export async function refreshIssuers(primary: Writer): Promise<readonly string[]> {
  const [issuers = []] = await primary.read([
    {
      sql: `select row, issuer, jwks, jwks_url from issuer
        where valid_to is null and jwks_url is not null order by row limit ${limits.maxRememberedIssuers}`,
    },
  ])
  const changed: string[] = []
  const failures: unknown[] = []
  // Side by side: issuers that hang cost a round their deadline once, not once each. Every lane takes the next one.
  const waiting = issuers.values()
  const lane = async (): Promise<void> => {
    for (const row of waiting) {
      try {
        if (await refreshIssuer(primary, row)) changed.push(String(row.issuer))
      } catch (error) {
        failures.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: limits.maxJwksFetches }, lane))
  if (failures.length > 0) throw new AggregateError(failures, 'the keys of some issuers were not refreshed')
  return changed
}

/** Whether the keys changed. */
async function refreshIssuer(primary: Writer, { row, jwks, jwks_url }: Row): Promise<boolean> {
  const fetched = await fetchKeys(String(jwks_url)).catch(() => null)
  if (fetched === null || fetched === publicKeys(JSON.parse(String(jwks)))) return false
  await primary.write(crypto.randomUUID(), [
    {
      sql: 'update issuer set valid_to = (select n from clock) where row = ? and valid_to is null',
      args: [row as number],
    },
    {
      // No row when somebody else has ended this one since it was read.
      sql: `insert into issuer (issuer, audience, algorithms, jwks, jwks_url, role_system, organisation, requires_dpop,
          one_time, patient_system, patient_acr, valid_from)
        select issuer, audience, algorithms, :jwks, jwks_url, role_system, organisation, requires_dpop,
          one_time, patient_system, patient_acr, valid_to from issuer
        where row = :row and valid_to = (select n from clock)`,
      args: { jwks: fetched, row: row as number },
    },
  ])
  return true
}

async function fetchKeys(url: string): Promise<string | null> {
  const response = await fetch(url, {
    signal: AbortSignal.timeout(limits.jwksDeadlineMs),
    redirect: 'manual',
  })
  if (response.status !== 200) {
    await response.body?.cancel()
    return null
  }
  const body = await boundedBody(response, limits.maxJwksBytes)
  return (
    body && publicKeys(JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(body)))
  )
}

/**
 * Canonical text of a key set with at least one key, in the order of key ids: a provider may list the same keys in
 * another order each time. Null for anything else.
 */
export function publicKeys(set: unknown): string | null {
  const keys = (set as { keys?: unknown } | null)?.keys
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > limits.maxIssuerKeys) return null
  const cleaned = keys.map(publicPart).map((key) => ({ order: `${key.kid}\0${canonicalize(key)}`, key }))
  cleaned.sort((a, b) => (a.order < b.order ? -1 : 1))
  return canonicalize({ keys: cleaned.map(({ key }) => key) }) ?? null
}

function publicPart(key: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const members = Object.fromEntries(
    publicMembers.filter((name) => typeof key[name] === 'string').map((name) => [name, key[name]]),
  )
  // A key that is not for verifying must not become one by losing what says so (RFC 7517 §4.3).
  const { key_ops } = key
  return Array.isArray(key_ops) ? { ...members, key_ops: key_ops.map(String).sort() } : members
}
