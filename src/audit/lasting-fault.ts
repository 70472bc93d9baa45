import { StoreError } from '../store/ports.ts'

/** What no repetition mends: somebody must look. */
export class LastingFault extends Error {
  override name = 'LastingFault'
}

/** Also what a database refuses, where it answers at all. */
export const isLasting = (error: unknown): error is Error =>
  error instanceof LastingFault || (error instanceof StoreError && error.code !== 'unavailable')
