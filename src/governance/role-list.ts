/** `GET /access/roles`: the roles of one facility, or the offices of the record, those certified longest ago first. */
import * as z from 'zod'
import { forbidden } from '../access/refusal.ts'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { limits } from '../limits.ts'
import { ok, type Result } from '../result.ts'
import type { Row } from '../store/ports.ts'
import { boolean } from '../store/rows.ts'
import { registryId } from './fields.ts'
import { listShape } from './operation-shape.ts'
import { listed, pageOf } from './registry-change.ts'

const listQuery = z.strictObject({
  /** Absent: a manager's own; to operators the roles that hold at no facility. */
  facility: registryId.optional(),
  /** Only those not certified in the year before this day. */
  due: z.iso.date().optional(),
  /** `next` of the page before. */
  after: z
    .string()
    .regex(/^[0-9TZ:.-]{0,24},(0|[1-9]\d{0,14})$/)
    .optional(),
})
export const listRoles: Operation<object, z.infer<typeof listQuery>> = {
  ...listShape,
  name: 'list-roles',
  path: '/access/roles',
  callers: ['operator', 'access-manager'],
  query: listQuery,
  handle: list,
}

async function list(
  ctx: OperationContext<object, z.infer<typeof listQuery>>,
): Promise<Result<Disclosure, Refusal>> {
  const { due, after = ',0' } = ctx.query
  const [certifiedAt = '', row] = after.split(',')
  let facility = ''
  const loaded = await ctx.load((asker) => {
    facility = ctx.query.facility ?? asker.facility ?? ''
    return {
      records: [
        {
          // One pass over the professionals: a name for each id, also of one whose registration has ended.
          sql: `
            with named as materialized (
              select id, name, max(row), max(valid_to is null) as is_registered from professional group by id)
            select r.row, r.professional, n.name, n.is_registered, r.role, r.facility, r.organisation, r.granted_by,
              r.certified_at
            from professional_role as r left join named as n on n.id = r.professional
            where r.facility = :facility and r.valid_to is null and r.certified_at < :before
              and (r.certified_at, r.row) > (:certified_at, :row)
            order by r.certified_at, r.row limit :limit`,
          args: {
            facility,
            before: due === undefined ? '~' : yearBefore(due),
            certified_at: certifiedAt,
            row: Number(row),
            limit: limits.registryPageRows + 1,
          },
        },
      ],
    }
  })
  if (!loaded.ok) return loaded
  const { caller, records } = loaded.value
  if (caller.kind === 'access-manager' && facility !== caller.facility.id)
    return forbidden('not-own-organisation')
  const { items, next } = pageOf(
    records[0] ?? [],
    limits.registryPageRows,
    shownRole,
    (last) => `${last.certified_at},${last.row}`,
  )
  return ok(listed(caller, { roles: items, next }, { facility, ...(due === undefined ? {} : { due }) }))
}

/** A day a year before, as text that sorts among certifications: those of that very day are not older than a year. */
const yearBefore = (day: string): string =>
  `${String(Number(day.slice(0, 4)) - 1).padStart(4, '0')}${day.slice(4)}`

const shownRole = (row: Row) => ({
  professional: row.professional,
  name: row.name,
  registered: boolean(row.is_registered),
  role: row.role,
  facility: row.facility || null,
  organisation: row.organisation || null,
  grantedBy: row.granted_by || null,
  certifiedAt: row.certified_at || null,
})
