/** Pages of rows by time and id, newest first, with the record's sealed cursors. */
import * as z from 'zod'
import type { OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { limits } from '../limits.ts'
import { createCursors } from '../records/cursor.ts'
import { ok, type Result } from '../result.ts'
import type { Row, Rows } from '../store/ports.ts'
import { invalid } from './refusals.ts'

export const pageInput = z.strictObject({ _cursor: z.string().max(limits.maxQueryBytes).optional() })

type Context = Pick<
  OperationContext<unknown, { readonly _cursor?: string | undefined }>,
  'keys' | 'presented' | 'query' | 'url'
>

/** Arguments of the statement: rows before (`at`, `id`), one more than a page. @param whose what the list is of */
export async function openPage(
  ctx: Context,
  whose: string,
): Promise<Result<{ readonly at: string; readonly id: string; readonly count: number }, Refusal>> {
  const { _cursor } = ctx.query
  const count = limits.defaultPageRows + 1
  // Later than any time.
  if (_cursor === undefined) return ok({ at: '~', id: '', count })
  const after = await createCursors(ctx.keys.cursorKey).open(_cursor, bindingOf(ctx, whose))
  if (!after)
    return invalid(
      '_cursor',
      'Ce curseur n’est pas de cette liste : reprenez à la première page.',
      'This cursor is not of this list: start again from its first page.',
    )
  return ok({ at: String(after.keys[0] ?? ''), id: after.id, count })
}

/** `next`: address of the next page, null on the last. */
export async function nextPage(
  ctx: Context,
  whose: string,
  found: Rows,
): Promise<{ readonly rows: readonly Row[]; readonly next: string | null }> {
  const rows = found.slice(0, limits.defaultPageRows)
  const last = rows.at(-1)
  if (found.length <= rows.length || !last) return { rows, next: null }
  const position = { keys: [String(last.at)], id: String(last.id) }
  const url = new URL(ctx.url)
  url.searchParams.set(
    '_cursor',
    await createCursors(ctx.keys.cursorKey).seal(position, bindingOf(ctx, whose)),
  )
  return { rows, next: url.href }
}

function bindingOf({ presented, url }: Context, whose: string): string {
  const question = new URLSearchParams(url.search)
  question.delete('_cursor')
  question.sort()
  const { issuer, subject, clientId } = presented
  return JSON.stringify([issuer, subject, clientId, url.pathname, question.toString(), whose])
}
