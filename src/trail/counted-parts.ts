/**
 * What a count is made of: of each log the indices of a period, no further than a signed checkpoint covers. Whoever has an
 * export up to that checkpoint counts the same.
 */
import { encodeBase64 } from '../audit/tlog/base64.ts'
import { parseSignedCheckpoint } from '../audit/tlog/checkpoint.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { limits } from '../limits.ts'
import { ok, type Result } from '../result.ts'
import { fixLogs, type LogSource } from './export-logs.ts'
import { exportParts } from './export-parts.ts'
import { prunedBefore, prunedBeforeStatement } from './ledger-sql.ts'
import { quorumOf } from './quorum.ts'

export interface CountedPart {
  readonly log: string
  /** Indices from `first` up to and without `end`. */
  readonly first: number
  readonly end: number
  /** Of the checkpoint; 0, and null, of a log without entries. */
  readonly size: number
  /** Base64. */
  readonly root: string | null
  /** Signed note. */
  readonly checkpoint: string | null
  /** What is older may be gone by the retention policy, and is not counted then; null: nothing is. */
  readonly prunedBefore: string | null
}

/** At or after `from`, before `to`: as the ledger writes times. */
export interface Period {
  readonly from: string
  readonly to: string
}

export async function countedParts(
  source: LogSource & { readonly logPolicy: string | null },
  { from, to }: Period,
): Promise<Result<readonly CountedPart[], Refusal>> {
  const logs = await fixLogs(source, [], null, quorumOf(source.logPolicy))
  if (!logs.ok) return logs
  const parts = await exportParts(source.ledger, logs.value, {
    completeness: 'none',
    chains: null,
    from,
    to,
    until: new Map(),
    known: new Map(),
    own: [],
  })
  const pruned =
    parts.length === 0
      ? []
      : await source.ledger.read(
          parts.map(({ log }) => prunedBeforeStatement(log)),
          limits.exportPageDeadlineMs,
        )
  return ok(
    parts.map(({ log, first, end, covered, header: { checkpoint } }, i) => ({
      log,
      first,
      end,
      size: covered,
      root: checkpoint === null ? null : encodeBase64(parseSignedCheckpoint(checkpoint).checkpoint.root),
      checkpoint,
      prunedBefore: prunedBefore(pruned[i]),
    })),
  )
}
