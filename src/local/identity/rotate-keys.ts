/** Changing the keys of a running cluster's identity provider, as a real one does now and then. */
import { hranaWriter } from '../../store/hrana.ts'
import type { Cluster } from '../cluster.ts'
import { ClusterFailure } from '../failure.ts'
import { readSecrets, readState, type Secrets, writeSecrets } from '../home.ts'
import { newIdentityKey, publicJwk } from '../keys.ts'
import { seedRegistry } from '../registry.ts'

/** A new key signs from now on; tokens of the old ones hold until `retireKeys`. */
export async function rotateKeys(cluster: Cluster): Promise<void> {
  const key = await newIdentityKey()
  await changeKeys(cluster, (keys) => [key, ...keys])
}

/** Only the newest key stays: tokens of the others are refused. */
export const retireKeys = (cluster: Cluster): Promise<void> => changeKeys(cluster, (keys) => keys.slice(0, 1))

type Keys = Secrets['identity']

async function changeKeys(
  { home, processes, databases }: Cluster,
  change: (keys: Keys) => Keys,
): Promise<void> {
  const secrets = readSecrets(home)
  const state = readState(home)
  if (secrets === null || state === null) throw new ClusterFailure(`No cluster in ${home}.`)
  const identity = change(secrets.identity)
  // Before the provider signs with a key, so that a crash in between leaves none that nobody knows.
  writeSecrets(home, { ...secrets, identity })
  const { url, writeToken: token } = databases.primary
  const keys = identity.map(publicJwk)
  await seedRegistry(hranaWriter({ url, token }), { issuers: state.issuers, audience: state.audience, keys })
  await processes.identity.kill()
  await processes.identity.start()
}
