/** Something the person at the keyboard can put right: one sentence, shown on stderr without a stack. */
export class ClusterFailure extends Error {
  override name = 'ClusterFailure'
}

/** What an unknown thrown value says, in one line. */
export const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ').trim()
