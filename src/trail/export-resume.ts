/**
 * Going on with an export that broke off: what it was fixed to when it began, sealed for whoever asked. The entry after which
 * it goes on is named by them: the last one that they keep.
 */
import type { OperationContext } from '../disclosure/operation.ts'
import { limits } from '../limits.ts'
import { sealedTexts } from '../records/cursor.ts'
import type { Reader } from '../store/ports.ts'
import type { Completeness, ExportFormat } from './export-format.ts'
import type { Chains } from './export-logs.ts'
import type { PlannedPart } from './export-parts.ts'
import { treeOf } from './export-tree.ts'
import type { EntryFilter } from './ledger-sql.ts'

/** One log of it. */
export interface FixedPart {
  readonly log: string
  readonly first: number
  readonly end: number
  /** When it began. */
  readonly size: number
  /** What its checkpoint covers. */
  readonly covered: number
  /** Of each chain that has entries there: its place among the keys, how many, and the last one. */
  readonly heads: readonly (readonly [key: number, count: number, last: string])[]
}

export interface FixedExport {
  readonly exportId: string
  /** ISO 8601, UTC. */
  readonly time: string
  readonly format: ExportFormat
  readonly completeness: Completeness
  /** Filters as its header and its entry have them. */
  readonly told: Readonly<Record<string, string>>
  readonly filter: EntryFilter
  /** Every id of the patient asked for, that of today first; none where no patient was. */
  readonly persons: readonly string[]
  readonly logs: readonly FixedPart[]
}

export const fixedLog = ({
  log,
  first,
  end,
  covered,
  chains,
  header,
}: PlannedPart & { readonly header: { readonly size: string } }): FixedPart => ({
  log,
  first,
  end,
  size: Number(header.size),
  covered,
  heads: chains.flatMap(({ count, last }, i) => (last === null ? [] : [[i, count, last] as const])),
})

type Context = Pick<OperationContext<unknown, unknown>, 'keys' | 'presented'>

/** Null: an export of so many chains that it cannot be gone on with. */
export async function sealExport(ctx: Context, fixed: FixedExport): Promise<string | null> {
  const sealed = await sealedTexts(ctx.keys.cursorKey).seal(JSON.stringify(fixed), bindingOf(ctx))
  return sealed.length <= limits.maxExportCursorLength ? sealed : null
}

/** Null: forged, damaged, or somebody else's. */
export async function unsealExport(ctx: Context, cursor: string): Promise<FixedExport | null> {
  const text = await sealedTexts(ctx.keys.cursorKey).open(cursor, bindingOf(ctx))
  return text === null ? null : (JSON.parse(text) as FixedExport)
}

/** The form of what is sealed is in it: a later one does not read this. */
const bindingOf = ({ presented: { issuer, subject, clientId } }: Context): string =>
  JSON.stringify(['audit-export/1', issuer, subject, clientId])

/**
 * What is still to be told.
 *
 * @param place `<log>/<index>`
 * @returns null where the export has no such log
 */
export function resumedParts(
  ledger: Reader,
  fixed: FixedExport,
  place: string,
): readonly PlannedPart[] | null {
  const [of = '', index = ''] = place.split('/')
  const at = fixed.logs.findIndex(({ log }) => log === of)
  if (at === -1) return null
  return fixed.logs
    .slice(at)
    .map((part, i) => ({ ...plannedPart(ledger, fixed, part), after: i === 0 ? Number(index) : null }))
}

function plannedPart(ledger: Reader, fixed: FixedExport, part: FixedPart): PlannedPart {
  const { log, first, end, covered, heads } = part
  const { kind, keys } = chainsOf(fixed)
  return {
    log,
    first,
    end,
    covered,
    coverage: new Map(fixed.logs.map((each) => [each.log, each.covered])),
    after: null,
    tree: covered === 0 ? null : treeOf(ledger, log, covered),
    chains: keys.map((key, i) => {
      const [, count = 0, last = null] = heads.find(([of]) => of === i) ?? []
      return { kind, key, isOnly: keys.length === 1, count, last }
    }),
  }
}

function chainsOf({ completeness, filter, persons }: FixedExport): Chains {
  switch (completeness) {
    case 'patient-chain':
      return { kind: 'patient', keys: persons }
    case 'organisation-chain':
      return { kind: 'organisation', keys: [filter.organisation as string] }
    case 'range':
    case 'none':
      return { kind: 'patient', keys: [] }
  }
}
