/**
 * `POST /audit/redaction/{log}/{index}`: what an entry says goes for good, that it was there stays. One officer of the
 * whole record decides; the redaction entry, with reason and legal basis, is as immutable as any.
 *
 * The entry is durable before the body goes, so that each step may be repeated: whoever asks again, or the schedule,
 * finishes what was begun.
 */
import * as z from 'zod'
import { forbidden } from '../access/refusal.ts'
import type { Who } from '../audit/port.ts'
import {
  type LedgerPlace,
  ledgerPlace,
  placeStatement,
  redactionKey,
  redactionNote,
} from '../audit/redactions.ts'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { isOfLine } from '../log-line.ts'
import { err, ok, type Result } from '../result.ts'
import { answer } from './answer.ts'
import { jsonBody, readChange } from './body.ts'
import { entryIndex, grounds, logName, noInput } from './fields.ts'
import { officerOfRecord } from './keeper.ts'

const param = z.strictObject({ log: logName, index: entryIndex })

type Context = OperationContext<z.infer<typeof param>, z.infer<typeof noInput>>

export const redact: Operation<z.infer<typeof param>, z.infer<typeof noInput>> = {
  name: 'redact',
  method: 'POST',
  path: '/audit/redaction/:log/:index',
  action: 'redaction',
  callers: ['privacy-officer'],
  scope: () => ({ type: 'AuditEvent', interaction: 'd' }),
  log: ({ log }) => log,
  param,
  query: noInput,
  bodyTypes: jsonBody,
  bodies: [grounds],
  handle,
}

async function handle(ctx: Context): Promise<Result<Disclosure, Refusal>> {
  const loaded = await ctx.load(() => ({}))
  if (!loaded.ok) return loaded
  const officer = officerOfRecord(loaded.value.caller)
  if (!officer.ok) return officer
  const fields = await readChange(ctx, grounds)
  if (!fields.ok) return fields

  const { log } = ctx.param
  const index = Number(ctx.param.index)
  // A log is asked only where the ledger knows it: a name that nobody has would begin one.
  if (!ctx.logs.some((served) => isOfLine(served, log)) || !(await readPlace(ctx, log, index)).isLogKnown)
    return err({ reason: 'not-found', what: `entry ${log}/${index}` })
  // Also a redaction entry whose receipt was lost on its way is in the ledger now.
  const drained = await ctx.drainedLog(log)
  if (!drained.ok) return drained
  const place = await readPlace(ctx, log, index)
  if (place.redaction !== null) return await carryOut(ctx, false)
  const { issuer, subject } = ctx.presented
  const entry = decide(
    place,
    index,
    { practitioner: officer.value.professional, issuer, subject },
    `${log}/${index}`,
  )
  if (!entry.ok) return entry

  const note = { ...redactionNote(log, index, entry.value), ...fields.value }
  const intended = await ctx.intend(note, redactionKey(log, index))
  if (!intended.ok) return intended
  const held = await ctx.drainedLog(log)
  return held.ok ? await carryOut(ctx, true) : held
}

async function readPlace({ ledger }: Context, log: string, index: number): Promise<LedgerPlace> {
  const [rows] = await ledger.read([placeStatement(log, index)])
  return ledgerPlace(rows?.[0])
}

/** The text of the entry that may go. */
function decide(
  { body, published, isRetired }: LedgerPlace,
  index: number,
  officer: Actor,
  what: string,
): Result<string, Refusal> {
  if (body === null) return err({ reason: 'not-found', what: `entry ${what}` })
  if (isRetired)
    return conflict(
      'log-retired',
      'Ce journal est clos : il ne prend plus d’entrée, donc plus de caviardage.',
      'This log is retired: it takes no further entry, and so no redaction.',
    )
  if (kept.includes(body.action))
    return conflict(
      'not-redactable',
      'Les entrées de caviardage et de succession restent.',
      'Entries of redactions and successions stay.',
    )
  // Who did it must not be the one who takes it out of sight.
  if (isOwn(body, officer)) return forbidden('four-eyes')
  // Until then nobody outside could tell that it was there.
  if (index >= published)
    return conflict(
      'not-published',
      'Aucun point de contrôle publié ne couvre encore cette entrée : réessayez dans un instant.',
      'No published checkpoint covers this entry yet: try again shortly.',
    )
  if (!body.opensLeaf)
    return conflict(
      'not-authentic',
      'Ce corps n’ouvre pas sa feuille : il a été altéré, et reste comme preuve.',
      'This body does not open its leaf: it was tampered with, and stays as evidence.',
    )
  return ok(body.entry)
}

/** Whom an entry names. */
type Actor = Pick<Who, 'practitioner' | 'issuer' | 'subject'>

/** Where the registry confirmed nobody, as of a refused access, the entry says only what the token did. */
function isOwn(
  { practitioner, entry }: { practitioner: string | null; entry: string },
  officer: Actor,
): boolean {
  const { who } = (JSON.parse(entry) as { readonly access: { readonly who: Actor } }).access
  const isSameLogin = who.subject !== null && who.issuer === officer.issuer && who.subject === officer.subject
  return practitioner === officer.practitioner || isSameLogin
}

/** Without the first nobody could tell a redaction from a theft; the second is what a log's beginning rests on. */
const kept: readonly string[] = ['redaction', 'succession']

const conflict = (tag: string, fr: string, en: string): Result<never, Refusal> =>
  err({ reason: 'conflict', issues: [{ code: 'conflict', tag, text: { fr, en } }] })

async function carryOut(ctx: Context, isNew: boolean): Promise<Result<Disclosure, Refusal>> {
  const { log, index } = ctx.param
  const redaction = await ctx.redactions.remove(log, Number(index))
  if (redaction === null)
    return err({
      reason: 'store-unavailable',
      detail: `the ledger has no redaction entry of ${log}/${index}`,
    })
  const told = { log, index, redaction: String(redaction) }
  return ok({
    ...answer(200, { changed: isNew, ...told }, [], 'privacy-officer'),
    note: { redacted: `${log}/${index}`, redaction: told.redaction },
  })
}
