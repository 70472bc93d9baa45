/**
 * `GET /access/explain`: why an access was permitted or denied, decided again by the policy from the facts as they were at
 * the entry's policy version and time. Rows of the registry, the register and the relationships are never changed, only
 * ended, so that they can still be asked.
 */
import * as z from 'zod'
import type { Caller } from '../access/caller.ts'
import { receiptText } from '../audit/log-name.ts'
import type { Access } from '../audit/port.ts'
import type { Disclosure, Operation, OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'
import { limits } from '../limits.ts'
import { err, ok, type Result } from '../result.ts'
import type { Statement } from '../store/ports.ts'
import { documentsThen, readDocuments } from './explain-documents.ts'
import { type FactsThen, facilityThen, factsThen, readThen } from './explain-facts.ts'
import { type Describe, judgeAgain } from './explain-judgement.ts'
import { sentenceOf, stepOf } from './explain-words.ts'
import { entryIndex, logName } from './fields.ts'

const param = z.object({})
const query = z
  .strictObject({
    /** `Dossier-Receipt` of the access; or its beginning, `<log>/<index>`. */
    receipt: z.string().regex(receiptText).optional(),
    log: logName.optional(),
    index: entryIndex.optional(),
  })
  .refine(
    ({ receipt, log, index }) => (receipt === undefined) !== (log === undefined || index === undefined),
    {
      path: ['receipt'],
      message: 'name the receipt, or log and index',
    },
  )

type Context = OperationContext<z.infer<typeof param>, z.infer<typeof query>>

/** @param describe every operation there is: which callers it is for decides, too */
export const explainOperation = (
  describe: Describe,
): Operation<z.infer<typeof param>, z.infer<typeof query>> => ({
  name: 'explain',
  method: 'GET',
  path: '/access/explain',
  action: 'audit-read',
  callers: ['privacy-officer'],
  scope: () => ({ type: 'AuditEvent', interaction: 'r' }),
  param,
  query,
  handle: (ctx) => handle(ctx, describe),
})

interface Entry {
  readonly log: string
  readonly index: string
  readonly time: string
  readonly access: Access
}

async function handle(ctx: Context, describe: Describe): Promise<Result<Disclosure, Refusal>> {
  const loaded = await ctx.load(() => ({}))
  if (!loaded.ok) return loaded
  const { caller } = loaded.value
  const [, log = ctx.query.log ?? '', index = ctx.query.index ?? ''] =
    receiptText.exec(ctx.query.receipt ?? '') ?? []
  const entry = await readEntry(ctx, log, index)
  const isOwn =
    caller.kind === 'privacy-officer' &&
    (caller.organisation === null || caller.organisation === entry?.access.who.organisation)
  if (!entry || !isOwn) return err({ reason: 'not-found', what: `${log}/${index}` })
  const explained = await explanationOf(ctx, entry, describe, caller.organisation)
  if (!explained.ok) return explained
  return ok({
    status: 200,
    contentType: 'application/json; charset=utf-8',
    body: JSON.stringify(explained.value),
    disclosed: [{ patient: entry.access.patient, resources: [] }],
    reason: 'privacy-officer',
    note: { entry: `${log}/${index}` },
  })
}

/** What was just appended may still be on its way; an entry that is not there after the wait is not found. */
async function readEntry(
  { ledger, logs, drainedLog }: Context,
  log: string,
  index: string,
): Promise<Entry | null> {
  const read = async () => {
    const [entries = [], registered = []] = await ledger.read(
      [
        { sql: 'select entry from ledger_body where log = ? and idx = ?', args: [log, Number(index)] },
        { sql: 'select 1 from log where log = ?', args: [log] },
      ],
      limits.exportPageDeadlineMs,
    )
    const entry = entries[0] ? (JSON.parse(String(entries[0].entry)) as Entry) : null
    return { entry, isRegistered: registered.length > 0 }
  }
  const { entry, isRegistered } = await read()
  // A successor is asked only once it is known: a name that nobody has would begin a log.
  if (entry !== null || !(isRegistered || logs.includes(log))) return entry
  await drainedLog(log)
  return (await read()).entry
}

/** @param organisation of the officer who asks; null: of the whole record */
async function explanationOf(ctx: Context, entry: Entry, describe: Describe, organisation: string | null) {
  const { access } = entry
  const told = {
    entry: {
      log: entry.log,
      index: entry.index,
      time: entry.time,
      action: access.action,
      operation: access.operation,
      who: access.who,
      purpose: access.purpose,
      patient: access.patient,
      decision: access.decision,
      policyVersion: access.policyVersion,
      staleness: access.staleness,
    },
    step: stepOf(access.decision.reason),
    explanation: sentenceOf(access.decision.reason, ctx.language),
  }
  const [, epoch, version] = /^([0-9a-z]+)\.(\d+)$/.exec(access.policyVersion ?? '') ?? []
  // Before the registry was read, or in another life of the database, there are no facts to decide from.
  if (epoch === undefined) return ok({ ...told, facts: null, decided: null })
  const asked = { access, time: entry.time, version: Number(version) }
  const facility = await ctx.load(() => ({ records: [facilityThen(asked)] }))
  if (!facility.ok) return facility
  const [row] = facility.value.records[0] ?? []
  if (row?.epoch !== epoch) return ok({ ...told, facts: null, decided: null })

  const facilityUri = row.uri === null ? null : String(row.uri)
  const statements = factsThen(asked, facilityUri)
  const loaded = await ctx.load(() => ({
    records: [...statements, documentsThen(asked), knownAt(access.patient, organisation)],
  }))
  if (!loaded.ok) return loaded
  const { records } = loaded.value
  const facts = readThen(records, asked, facilityUri)
  const decided = judgeAgain(access, facts, readDocuments(records[statements.length] ?? []), describe)
  const isKnown = organisation === null || (records.at(-1) ?? []).length > 0 || isRelated(facts)
  return ok({ ...told, facts: tellFacts(isKnown ? facts : { ...facts, subject: null }), decided })
}

/** A row where the organisation knows the person: only then are a person's refusals and records its officers' business. */
const knownAt = (person: string | null, organisation: string | null): Statement => ({
  sql: `
    select 1 as known from source_record as s cross join facility as f on f.id = s.facility and f.valid_to is null
    where s.person = :person and f.organisation = :organisation limit 1`,
  args: { person, organisation },
})

const isRelated = ({ subject }: FactsThen): boolean =>
  subject !== null && (subject.relationships.length > 0 || subject.breakGlass.length > 0)

const tellFacts = ({ caller, subject, settings }: FactsThen) => ({
  caller: caller && (caller.ok ? tellCaller(caller.value) : { refused: caller.error.cause }),
  subject,
  emergencyLifts: [...settings.lifted].sort(),
})

const tellCaller = (caller: Caller) =>
  caller.kind === 'provider' ? { ...caller, domains: [...caller.domains].sort() } : caller
