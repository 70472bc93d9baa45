/** What the cursor of a search or a history is bound to, and what is said of one that is bound to something else. */
import type { OperationContext } from '../disclosure/operation.ts'
import type { Refusal } from '../disclosure/refusal.ts'

/** Caller and question, without the cursor itself. */
export function bindingOf(
  { presented, url }: Pick<OperationContext<unknown, unknown>, 'presented' | 'url'>,
  asked: URLSearchParams,
): string {
  const question = new URLSearchParams(asked)
  question.delete('_cursor')
  question.sort()
  const { issuer, subject, clientId, role, facilityUri, purpose, scopes, patient } = presented
  const bearer = [issuer, subject, clientId, role, facilityUri, purpose, scopes, patient]
  return JSON.stringify([...bearer, searchPath(url), question.toString()])
}

/** Of a search by POST, too, that of the same search by GET: `next` is followed by GET. */
export const searchPath = ({ pathname }: URL): string => pathname.replace(/\/_search$/, '')

export const badCursor: Refusal = {
  reason: 'invalid',
  issues: [
    {
      code: 'value',
      expression: '_cursor',
      text: {
        fr: 'Ce curseur n’est pas de cette recherche : reprenez à la première page.',
        en: 'This cursor is not of this search: start again from its first page.',
      },
    },
  ],
}
