/**
 * Keeps the key sets of the trust registry current. A token never says where keys are: the registry's row does, and only
 * this scheduled step fetches them. A changed set ends the row and begins a new one, so that it reaches every replica
 * and every isolate's next batch like any other fact.
 */
import canonicalize from 'canonicalize'
import { limits } from '../limits.ts'
import type { Writer } from '../store/ports.ts'

/** Members of a public key; anything else in a fetched set is dropped, private members above all. */
const publicMembers = ['kty', 'kid', 'alg', 'use', 'crv', 'x', 'y', 'n', 'e'] as const

/** Resolves to the issuers whose keys changed. An issuer that does not answer, or not with keys, keeps those it has. */
export async function refreshIssuers(primary: Writer): Promise<readonly string[]> {
  const [issuers = []] = await primary.read([
    { sql: 'select row, issuer, jwks, jwks_url from issuer where valid_to is null and jwks_url is not null' },
  ])
  const changed: string[] = []
  for (const { row, issuer, jwks, jwks_url } of issuers.slice(0, limits.maxRememberedIssuers)) {
    const fetched = await fetchKeys(String(jwks_url)).catch(() => null)
    if (fetched === null || fetched === publicKeys(JSON.parse(String(jwks)))) continue
    await primary.write(crypto.randomUUID(), [
      {
        sql: 'update issuer set valid_to = (select n from clock) where row = ? and valid_to is null',
        args: [row as number],
      },
      {
        // No row when somebody else has ended this one since it was read.
        sql: `insert into issuer (issuer, audience, algorithms, jwks, jwks_url, valid_from)
          select issuer, audience, algorithms, :jwks, jwks_url, valid_to from issuer
          where row = :row and valid_to = (select n from clock)`,
        args: { jwks: fetched, row: row as number },
      },
    ])
    changed.push(String(issuer))
  }
  return changed
}

async function fetchKeys(url: string): Promise<string | null> {
  const response = await fetch(url, {
    signal: AbortSignal.timeout(limits.jwksDeadlineMs),
    redirect: 'manual',
  })
  if (response.status !== 200) return null
  const text = await response.text()
  return text.length > limits.maxJwksBytes ? null : publicKeys(JSON.parse(text))
}

/** Canonical text of a key set with at least one key; null for anything else. */
function publicKeys(set: unknown): string | null {
  const keys = (set as { keys?: unknown } | null)?.keys
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > limits.maxIssuerKeys) return null
  const cleaned = keys.map((key: Record<string, unknown>) =>
    Object.fromEntries(
      publicMembers.filter((name) => typeof key[name] === 'string').map((name) => [name, key[name]]),
    ),
  )
  return canonicalize({ keys: cleaned }) ?? null
}
