/** Publishes the sample data as everybody publishes: over HTTP, each facility's system in its own name. */
import { type Publication, publish } from '../client/publisher.ts'
import { healthInsuranceSystem } from './directory.ts'
import { generateSample, type SamplePublication, sampleSeed } from './generator.ts'
import { montRoyal } from './patient.ts'
import { healthInsuranceNumber, patients } from './people.ts'

export interface SampleTarget {
  /** Of the cluster, without a slash at the end. */
  readonly url: string
  /** An access token of `system-<facility>`. */
  token(name: string): Promise<string>
}

export interface SampleProgress {
  readonly bundles: number
  readonly ofBundles: number
}

/**
 * Loading a second time changes nothing, so a load that was interrupted is simply repeated.
 *
 * @param onProgress called after each bundle
 * @throws Error with one sentence, at the first bundle that is not taken whole
 */
export async function loadSampleData(
  cluster: SampleTarget,
  onProgress: (progress: SampleProgress) => void = () => {},
): Promise<void> {
  const sample = generateSample(sampleSeed)
  // Bundles come grouped by facility, and a facility's take seconds: one token each is enough.
  const tokens = new Map<string, Promise<string>>()
  for (const [index, { facility, bundle }] of sample.entries()) {
    const token = tokens.get(facility) ?? cluster.token(`system-${facility}`)
    tokens.set(facility, token)
    const publication = await publish(
      { url: cluster.url, token: () => token, language: 'en' },
      JSON.stringify(bundle),
    )
    check(sample, index, publication)
    onProgress({ bundles: index + 1, ofBundles: sample.length })
  }
  await registerGuardian(cluster)
}

/** Noémie Arsenault is registered as the guardian of Léo, as an operator does it. */
async function registerGuardian(cluster: SampleTarget): Promise<void> {
  const system = await cluster.token(`system-${montRoyal}`)
  const [guardian, patient] = await Promise.all(
    ['Noémie', 'Léo'].map((given) => patientReference(cluster.url, system, given)),
  )
  const response = await fetch(`${cluster.url}/access/guardianships`, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${await cluster.token('lapointe')}`,
      'Content-Type': 'application/json',
    },
    body: JSON.stringify({ guardian, patient }),
  })
  if (!response.ok)
    throw new Error(
      `the guardian of the sample was not registered: ${response.status} ${await response.text()}`,
    )
}

/** `Patient/[id]` of a member of that family, as their hospital published it. */
async function patientReference(url: string, token: string, given: string): Promise<string> {
  const person = patients.find((one) => one.family === 'Arsenault' && one.given[0] === given)
  if (!person) throw new Error(`the sample has no ${given} Arsenault`)
  const query = new URLSearchParams({
    identifier: `${healthInsuranceSystem}|${healthInsuranceNumber(person)}`,
    birthdate: person.birthDate,
  })
  const response = await fetch(`${url}/fhir/Patient?${query}`, {
    headers: { Authorization: `Bearer ${token}` },
  })
  const { entry = [] } = (await response.json()) as { entry?: { resource: { id: string } }[] }
  const [found] = entry
  if (!found) throw new Error(`the sample's ${given} Arsenault was not found once published`)
  return `Patient/${found.resource.id}`
}

function check(sample: readonly SamplePublication[], index: number, { effects, rejects }: Publication): void {
  const { facility, bundle } = sample[index] ?? { facility: '', bundle: { entry: [] } }
  const what = `sample bundle ${index + 1} of ${sample.length} (${facility})`
  const [reject] = rejects
  if (reject) throw new Error(`${what} was not taken: ${reject.reason}`)
  if (effects.length !== bundle.entry.length) {
    throw new Error(`${what} has ${bundle.entry.length} entries, but the answer tells of ${effects.length}`)
  }
}
