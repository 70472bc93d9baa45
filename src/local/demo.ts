/**
 * `npm run demo`: a tour of what Dossier does, on a throw-away cluster of real parts. It ends with 0 only if every step
 * did what it says.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCluster } from './cluster.ts'
import {
  attestCare,
  breakTheGlass,
  denyForFiveReasons,
  explainAccesses,
  refuseAndRestrict,
} from './demo-access.ts'
import { findEverything, prepareWitness, proveOne, tamper, verifyOffline, witnessLogs } from './demo-log.ts'
import { type Answer, check, say, Tour } from './demo-tour.ts'
import { messageOf } from './failure.ts'
import { generateSample, sampleSeed } from './sample/generator.ts'
import type { Resource, TransactionBundle } from './sample/scene.ts'
import type { Witness } from './witness/start.ts'

const publisher = 'hopital-mont-royal'
const creatinine = 'http://loinc.org|14682-9'
/** Of Huguette Bélanger or whoever has it: the patient who logs in as `belisle`. */
const patientNumber = 'BELG58531499'

/** What was published, as the server names it. */
export interface Published {
  /** Of every entry of the bundle, in order. */
  readonly versions: readonly string[]
  /** Of the last write of the tour: what the next reader must have seen. */
  clock: string
  readonly patient: string
  /** A result: shared. */
  readonly observation: string
  /** A prescription: shared, but not for every role. */
  readonly prescription: string
  /** A telephone note: the sharing policy keeps it at the facility. */
  readonly communication: string
}

async function publishOnce(tour: Tour, bundle: TransactionBundle): Promise<Published> {
  tour.step(
    `${publisher} publishes what it knows of a patient: one bundle of ${bundle.entry.length} resources.`,
  )
  const answer = await publish(tour, bundle)
  const versions = versionsOf(answer.body)
  check(
    'every resource is taken, each as its first version',
    versions.length === bundle.entry.length && versions.every((version) => version.endsWith('/_history/1')),
  )
  check('the answer carries a receipt of the log of Montréal', answer.receipt.startsWith('montreal/'))
  const named = (is: (resource: Resource) => boolean): string =>
    (versions[bundle.entry.findIndex(({ resource }) => is(resource))] ?? '').replace(/\/_history\/1$/, '')
  const ofType = (type: string) => named(({ resourceType }) => resourceType === type)
  return {
    versions,
    clock: answer.clock,
    patient: ofType('Patient'),
    observation: named(isLaboratoryResult),
    prescription: ofType('MedicationRequest'),
    communication: ofType('Communication'),
  }
}

const isLaboratoryResult = (resource: Resource): boolean =>
  resource.resourceType === 'Observation' && JSON.stringify(resource.category).includes('"laboratory"')

/** `Type/id/_history/version` of each entry of a published bundle, in order. */
function versionsOf(transactionResponse: string): readonly string[] {
  const { entry = [] } = JSON.parse(transactionResponse) as {
    entry?: readonly { readonly response: { readonly location?: string } }[]
  }
  return entry.map(({ response }) => response.location ?? '')
}

const publish = (tour: Tour, bundle: TransactionBundle): Promise<Answer> =>
  tour.askAs(`system-${publisher}`, '/fhir', {
    method: 'POST',
    headers: { 'Content-Type': 'application/fhir+json' },
    body: JSON.stringify(bundle),
  })

async function readElsewhere(tour: Tour, published: Published): Promise<void> {
  tour.step('Now she reads the creatinine series, from the replica nearest to her.')
  const query = new URLSearchParams({ patient: published.patient, code: creatinine, _count: '5' })
  // The write clock of the publication: a replica that has not seen it yet must not answer.
  const answer = await tour.askAs('gagnon', `/fhir/Observation?${query}`, {
    headers: { 'Dossier-Clock': published.clock },
  })
  const { entry = [] } = JSON.parse(answer.body) as {
    entry?: { resource: { effectiveDateTime: string; valueQuantity: { value: number; unit: string } } }[]
  }
  for (const { resource } of entry) {
    const { value, unit } = resource.valueQuantity
    say(`     ${resource.effectiveDateTime.slice(0, 10)}  ${value} ${unit}`)
  }
  check('five results, newest first', answer.status === 200 && entry.length === 5 && isNewestFirst(entry))
  check('the answer carries a receipt of her own region’s log', answer.receipt.startsWith('quebec/'))
  check(`and the write clock it was read at (${answer.clock})`, answer.clock !== '')
}

const isNewestFirst = (entry: readonly { resource: { effectiveDateTime: string } }[]): boolean =>
  entry.every(
    ({ resource }, i) =>
      i === 0 || resource.effectiveDateTime <= (entry[i - 1]?.resource.effectiveDateTime ?? ''),
  )

async function keepLocal(tour: Tour, { communication }: Published): Promise<void> {
  tour.step('A telephone note stays at the hospital that published it: the sharing policy does not share it.')
  const elsewhere = await tour.askAs('gagnon', `/fhir/${communication}`)
  check('for the physician in Québec it does not exist', elsewhere.status === 404)
  const own = await tour.askAs('tremblay', `/fhir/${communication}`)
  check('a physician of that hospital reads it', own.status === 200 && own.body.includes('Communication'))
}

async function limitRoles(tour: Tour, { patient, observation, prescription }: Published): Promise<void> {
  tour.step('A dietitian of the same hospital may read laboratory results, but no medication.')
  const result = await tour.askAs('lavoie', `/fhir/${observation}`)
  check('the result is read', result.status === 200)
  const medication = await tour.askAs('lavoie', `/fhir/${prescription}`)
  check('the prescription is not found', medication.status === 404)
  const list = await tour.askAs('lavoie', `/fhir/MedicationRequest?patient=${patient}`)
  check('and her search discloses none', list.status !== 200 || !list.body.includes('"resource":'))
  const physician = await tour.askAs('tremblay', `/fhir/${prescription}`)
  check('a physician reads the same prescription', physician.status === 200)
}

async function refuseStrangers(tour: Tour, { observation }: Published): Promise<void> {
  tour.step('Nobody reads without a token, or with one that the identity provider did not sign.')
  const without = await tour.ask('nobody', null, `/fhir/${observation}`)
  check('without a token: refused', without.status === 401)
  const [header = '', claims = '', signature = ''] = (await tour.cluster.token('roy')).split('.')
  const altered = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>
  const forged = Buffer.from(JSON.stringify({ ...altered, sub: 'tremblay' })).toString('base64url')
  const impostor = await tour.ask(
    'somebody as tremblay',
    `${header}.${forged}.${signature}`,
    `/fhir/${observation}`,
  )
  check('with altered claims: refused', impostor.status === 401)
  check('in the same words, which tell nothing', impostor.body === without.body)
}

async function publishAgain(tour: Tour, bundle: TransactionBundle, { versions }: Published): Promise<void> {
  tour.step('The hospital publishes the same bundle again, as its system does after a lost connection.')
  const again = versionsOf((await publish(tour, bundle)).body)
  check('every resource keeps its id and its version: nothing is doubled', again.join() === versions.join())
}

async function killTheLog(tour: Tour, { observation }: Published): Promise<void> {
  tour.step('The process that keeps the audit logs is killed (SIGKILL) and comes back.')
  const before = await tour.askAs('cote', `/fhir/${observation}`)
  await tour.cluster.processes.worker.crash()
  await tour.cluster.processes.worker.start()
  const after = await tour.askAs('cote', `/fhir/${observation}`)
  check('it answers again', after.status === 200)
  const indexOf = ({ receipt }: Answer): number => Number(/\/(\d+)/.exec(receipt)?.[1])
  check('the log goes on where it was', indexOf(after) > indexOf(before))
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'dossier-demo-'))
  say('Starting a throw-away cluster: five databases, an identity provider, the Worker.')
  const witnessHome = join(folder, 'witness')
  const { port, policy } = await prepareWitness(witnessHome)
  const cluster = await startCluster({ home: join(folder, 'home'), port: 0, logPolicy: policy })
  let witness: Witness | null = null
  try {
    const first = generateSample(sampleSeed).find(
      ({ facility, bundle }) => facility === publisher && JSON.stringify(bundle).includes(patientNumber),
    )
    if (!first) throw new Error(`the sample has nothing of ${patientNumber} at ${publisher}`)
    const tour = new Tour(cluster)
    const published = await publishOnce(tour, first.bundle)
    await attestCare(tour, published)
    await readElsewhere(tour, published)
    await keepLocal(tour, published)
    await limitRoles(tour, published)
    await refuseStrangers(tour, published)
    await denyForFiveReasons(tour, published)
    await refuseAndRestrict(tour, published)
    await breakTheGlass(tour, published)
    await explainAccesses(tour)
    await publishAgain(tour, first.bundle, published)
    await killTheLog(tour, published)
    witness = await witnessLogs(tour, witnessHome, port)
    const file = await findEverything(tour, folder)
    const trusted = await verifyOffline(tour, file, policy)
    await proveOne(tour, trusted)
    await tamper(tour, file)
    say('\nEverything above happened as it says.')
  } finally {
    await witness?.stop()
    await cluster.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

try {
  await main()
} catch (error) {
  process.stderr.write(`\nThe demo failed: ${messageOf(error)}\n`)
  process.exitCode = 1
}
