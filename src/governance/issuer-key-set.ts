/** The keys an operator registers for an issuer: public, fit for its algorithms, told apart by name and thumbprint. */
import { calculateJwkThumbprint, type JWK } from 'jose'
import * as z from 'zod'
import { verificationKey } from '../access/issuer-keys.ts'
import type { Issue } from '../fhir/outcome.ts'
import { identifier, told } from './fields.ts'

/** Members of a private or a shared key (RFC 7518 §6): whoever sends one has shown it. */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/** JWK (RFC 7517). */
export const publicKey = z
  .looseObject({ kty: z.string().max(16), kid: identifier })
  .refine(
    (jwk) => !privateMembers.some((member) => member in jwk),
    told(
      'contient une clé privée : elle est compromise, remplacez-la',
      'holds a private key: it is compromised, replace it',
    ),
  )

/** Of each key, whether one of the algorithms can be verified with it: a key that never counts was a mistake. */
export async function unfitKeys(
  keys: readonly z.infer<typeof publicKey>[],
  algorithms: readonly string[],
): Promise<readonly Issue[]> {
  const fit = await Promise.all(
    keys.map(async (jwk) => {
      const usable = await Promise.all(algorithms.map((alg) => verificationKey(jwk as JWK, alg)))
      return usable.some((found) => found.ok)
    }),
  )
  const unfit = keys.flatMap((_, index) =>
    fit[index]
      ? []
      : issueAt(
          `jwks.keys[${index}]`,
          'aucun des algorithmes ne se vérifie avec cette clé',
          'none of the algorithms can be verified with this key',
        ),
  )
  const repeated = keys.flatMap(({ kid, kty, crv }, index) =>
    keys.findIndex((other) => other.kid === kid && other.kty === kty && other.crv === crv) === index
      ? []
      : issueAt(`jwks.keys[${index}].kid`, 'deux clés de ce nom', 'two keys of this name'),
  )
  return [...unfit, ...repeated]
}

const issueAt = (expression: string, fr: string, en: string): readonly Issue[] => [
  { code: 'value', expression, text: { fr: `${expression} : ${fr}.`, en: `${expression}: ${en}.` } },
]

/**
 * RFC 7638, SHA-256, of the key itself as the gate computes it, however the key set writes it; of a key that is fit for
 * none of `algorithms`, as written. Null of what is no key: it verifies nothing.
 */
export async function thumbprintOf(jwk: JWK, algorithms: readonly string[]): Promise<string | null> {
  for (const alg of algorithms) {
    const fit = await verificationKey(jwk, alg)
    if (fit.ok) return fit.value.thumbprint
  }
  try {
    return await calculateJwkThumbprint(jwk)
  } catch {
    return null
  }
}
