/** Who may see what, asked over HTTP on a real cluster: people of the sample, patients who log in, consents as they send them. */
import type { TokenOptions } from '../../src/local/cluster.ts'
import { holders } from '../../src/local/sample/directory.ts'
import { hranaReader, hranaWriter } from '../../src/store/hrana.ts'
import type { Rows, Statement } from '../../src/store/ports.ts'
import { restriction, totalRefusal, withMeans } from '../unit/governance/consents.ts'
import {
  encounter,
  locations,
  marker,
  observation,
  patientResource,
  type Resource,
  type SamplePatient,
  transaction,
  uuid,
} from './bundles.ts'
import { entriesOf, type LedgerEntry, ledgerOf, parseReceipt } from './ledger.ts'
import { startTestCluster, type TestCluster } from './support.ts'

export interface Answer {
  readonly status: number
  readonly text: string
  /** Null for an empty body. */
  readonly body: Readonly<Record<string, unknown>> | null
  /** The code by which a program tells refusals apart; empty without one. */
  readonly tag: string
  /** Of a searchset, by `Type/id`. */
  readonly found: readonly string[]
  readonly receipt: string
  readonly clock: string
  readonly headers: Headers
}

export interface Asked extends TokenOptions {
  /** `Dossier-Clock` of what the caller must have seen. */
  readonly clock?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface Ward {
  get(login: string, path: string, asked?: Asked): Promise<Answer>
  send(
    login: string,
    method: 'POST' | 'PUT' | 'DELETE',
    path: string,
    body: unknown,
    asked?: Asked,
  ): Promise<Answer>
  /** Publishes as the system of a facility. Resolves to `Type/id` of each resource, in order. */
  publish(facility: string, ...resources: readonly Resource[]): Promise<readonly string[]>
  /** Of the last write of this process. */
  clock(): string
  /** Entries of an answer, drained and checked against its receipt. */
  entries(answer: Pick<Answer, 'receipt'>): Promise<readonly LedgerEntry[]>
  /** One write batch at the primary, as nobody does it through the API. Resolves to the write clock. */
  rewrite(...statements: readonly Statement[]): Promise<string>
  rows(sql: string, ...args: readonly (string | number)[]): Promise<Rows>
  readonly test: TestCluster
  end(): Promise<void>
}

const generous = { perSecond: 1_000, burst: 100_000 }

export async function openWard(): Promise<Ward> {
  const test = await startTestCluster({
    rateLimits: JSON.stringify({
      address: generous,
      client: generous,
      professional: generous,
      identity: generous,
    }),
  })
  const { cluster } = test
  const { primary, audit } = cluster.databases
  const tokens = new Map<string, Promise<string>>()
  let clock = ''

  const tokenOf = (login: string, { purpose, scope }: Asked): Promise<string> => {
    const key = JSON.stringify([login, purpose, scope])
    const token =
      tokens.get(key) ??
      cluster.token(login, {
        ...(purpose === undefined ? {} : { purpose }),
        ...(scope === undefined ? {} : { scope }),
      })
    tokens.set(key, token)
    return token
  }
  const request = async (
    login: string,
    method: string,
    path: string,
    body: string | null,
    asked: Asked,
  ): Promise<Answer> => {
    const type = path.startsWith('/fhir') ? 'application/fhir+json' : 'application/json'
    const response = await fetch(`${cluster.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${await tokenOf(login, asked)}`,
        ...(body === null ? {} : { 'content-type': type }),
        ...(asked.clock === undefined ? {} : { 'dossier-clock': asked.clock }),
        ...asked.headers,
      },
      ...(body === null ? {} : { body }),
    })
    return await answerOf(response)
  }

  return {
    test,
    get: (login, path, asked = {}) => request(login, 'GET', path, null, asked),
    send: async (login, method, path, body, asked = {}) => {
      const answer = await request(login, method, path, JSON.stringify(body), asked)
      if (answer.status < 300) clock = answer.clock
      return answer
    },
    publish: async (facility, ...resources) => {
      const body = JSON.stringify(transaction(...resources))
      const answer = await request(`system-${facility}`, 'POST', '/fhir', body, {})
      if (answer.status !== 200) throw new Error(`not published: ${answer.status} ${answer.text}`)
      clock = answer.clock
      return locations(answer.body)
    },
    clock: () => clock,
    entries: async ({ receipt }) => {
      const parsed = parseReceipt(receipt)
      return entriesOf(parsed, (await ledgerOf(audit, [parsed])).get(parsed.log) ?? [])
    },
    rewrite: async (...statements) => {
      const { rows } = await hranaWriter({ url: primary.url, token: primary.writeToken }).write(
        crypto.randomUUID(),
        [...statements, { sql: 'select epoch, n from clock' }],
      )
      const [at] = rows.at(-1) ?? []
      clock = `${at?.epoch}.${at?.n}`
      return clock
    },
    rows: async (sql, ...args) =>
      (await hranaReader({ url: primary.url, token: primary.readToken }).read([{ sql, args }]))[0] ?? [],
    end: () => test.end(),
  }
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json') ?? false
  const body = isJson && text !== '' ? (JSON.parse(text) as Answered) : null
  return {
    status: response.status,
    text,
    body: body as Answer['body'],
    tag: body?.issue?.[0]?.details?.coding?.[0]?.code ?? body?.errors?.[0]?.code ?? '',
    found: (Array.isArray(body?.entry) ? body.entry : []).flatMap(({ resource }) =>
      resource ? [`${resource.resourceType}/${resource.id}`] : [],
    ),
    receipt: response.headers.get('dossier-receipt') ?? '',
    clock: response.headers.get('dossier-clock') ?? '',
    headers: response.headers,
  }
}

/** A list of an answer's body; empty when it has none. */
export const listOf = <T>({ body }: Answer, member: string): readonly T[] =>
  (body?.[member] as readonly T[] | undefined) ?? []

interface Answered {
  readonly issue?: readonly {
    readonly details?: { readonly coding?: readonly { readonly code: string }[] }
  }[]
  readonly errors?: readonly { readonly code?: string }[]
  readonly entry?: readonly { readonly resource?: { readonly resourceType: string; readonly id: string } }[]
}

/** Somebody of the sample who logs in, as a facility publishes them. */
export function holder(login: string): SamplePatient {
  const position = holders.findIndex((one) => one.login === login)
  const found = holders[position]
  if (!found) throw new Error(`nobody logs in as ${login}`)
  const { number, birthDate } = found
  return { uuid: uuid((900 + position) * 10_000), nam: number, family: `${marker} ${login}`, birthDate }
}

export const medication = (patient: SamplePatient, n: number): Resource => ({
  resourceType: 'MedicationRequest',
  id: uuid(Number(patient.uuid.slice(-12)) + 5_000 + n),
  status: 'active',
  intent: 'order',
  medicationCodeableConcept: { text: marker },
  subject: { reference: `urn:uuid:${patient.uuid}` },
  authoredOn: '2024-06-01',
})

export interface Admitted {
  readonly person: SamplePatient
  /** `Patient/id`. */
  readonly patient: string
  readonly laboratory: string
  readonly prescription: string
  /** Labelled restricted: stays at the facility. */
  readonly unshared: string
}

/** Published and cared for at a facility: a result of 2024-01-01, a prescription of 2024-06-01, an unshared result. */
export async function admit(ward: Ward, facility: string, person: SamplePatient): Promise<Admitted> {
  const [patient = '', , laboratory = '', prescription = '', unshared = ''] = await ward.publish(
    facility,
    patientResource(person),
    encounter(person, { n: 1 }),
    observation(person, { n: 1, date: '2024-01-01' }),
    medication(person, 1),
    observation(person, { n: 2, date: '2024-01-02', confidentiality: 'R' }),
  )
  return { person, patient, laboratory, prescription, unshared }
}

export const results = (patient: string): string => `/fhir/Observation?${new URLSearchParams({ patient })}`

/** A refusal of everything. */
export const refusalOf = (patient: string) => ({ ...totalRefusal, patient: { reference: patient } })

/** A refusal of what is dated on a day or before. */
export const refusalBefore = (patient: string, day: string) => ({
  ...refusalOf(patient),
  provision: { type: 'deny', dataPeriod: { end: day } },
})

/** @param exception members of `provision.provision[0]` beside its type */
export const restrictionOf = (patient: string, exception: Readonly<Record<string, unknown>>) => ({
  ...restriction,
  patient: { reference: patient },
  provision: { type: 'permit', provision: [{ type: 'deny', ...exception }] },
})

/** What a privacy officer must say. */
export const onBehalf = <T extends object>(consent: T) => ({ ...consent, ...withMeans('telephone') })
