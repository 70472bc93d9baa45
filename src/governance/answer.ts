/** What the operations of `/access` about persons answer. */
import type { Disclosure } from '../disclosure/operation.ts'

/** An id that nobody can guess. */
export const newId = (): string => crypto.randomUUID().replaceAll('-', '')

/** An answer of `/access`. @param persons whom it is about */
export const answer = (
  status: number,
  body: unknown,
  persons: readonly string[],
  reason: string,
  clock: string | null = null,
): Disclosure => ({
  status,
  contentType: 'application/json; charset=utf-8',
  headers: clock === null ? {} : { 'Dossier-Clock': clock },
  body: JSON.stringify(body),
  disclosed: [...new Set(persons)].map((patient) => ({ patient, resources: [] })),
  reason,
})
