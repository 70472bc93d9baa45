/**
 * What a log signs as the list of logs comes from the audit database, where others can write: a line that is none, or that
 * begins a line of its own, must not get the log's signature, and once listed a log is listed for good.
 */
import { sha256 } from './commitment.ts'
import type { ListedLog } from './port.ts'
import { FormatError } from './tlog/errors.ts'
import { keyTypes, parseVerifierKey } from './tlog/note.ts'

const namePattern = /^[a-z0-9][a-z0-9-]{0,62}$/

/** Whether name, keys and predecessor are such as a log has; the record may have had another address before. */
export const isListable = ({ log, vkey, mldsa44Vkey, predecessor }: ListedLog): boolean =>
  namePattern.test(log) &&
  (predecessor === null || namePattern.test(predecessor)) &&
  isKeyOf(log, vkey, keyTypes.ed25519) &&
  (mldsa44Vkey === null || isKeyOf(log, mldsa44Vkey, keyTypes.mlDsa44Cosignature))

/** A key has the name of the log's origin. */
function isKeyOf(log: string, vkey: string, type: number): boolean {
  try {
    const key = parseVerifierKey(sha256, vkey)
    return key.name.endsWith(`/audit/logs/${log}`) && key.type === type
  } catch (error) {
    if (error instanceof FormatError) return false
    throw error
  }
}
