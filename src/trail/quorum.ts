/** Which of several checkpoints to hand out: the newest that enough witnesses cosigned. */
import { sha256 } from '../audit/commitment.ts'
import type { PublishedCheckpoint } from '../audit/public-store.ts'
import { parseNote } from '../audit/tlog/note.ts'
import { parsePolicy } from '../audit/tlog/policy.ts'

/** Whether a signed note has the cosignatures that are asked for. */
export type MeetsQuorum = (note: string) => boolean

/**
 * Cosignatures are told by their keys and not verified: they were when they were stored, and whoever gets the checkpoint
 * verifies them again.
 *
 * @param policy text of a tlog-policy; null: nothing is asked for
 * @throws FormatError
 */
export function quorumOf(policy: string | null): MeetsQuorum {
  if (policy === null) return () => true
  const { witnesses, isQuorum } = parsePolicy(sha256, policy)
  return (note) => {
    const { signatures } = parseNote(note)
    const cosigned = witnesses.filter(({ key }) =>
      signatures.some(({ name, keyId }) => name === key.name && keyId === key.keyId),
    )
    return isQuorum(new Set(cosigned.map(({ name }) => name)))
  }
}

/** @param newestFirst covering what is needed; without one that meets the quorum the newest will do */
export const newestBest = (
  newestFirst: readonly PublishedCheckpoint[],
  meetsQuorum: MeetsQuorum,
): PublishedCheckpoint | null => newestFirst.find(({ note }) => meetsQuorum(note)) ?? newestFirst[0] ?? null
