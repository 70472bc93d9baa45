/** What is written about the monthly review: its rules, its watch list, who is whom, and what was decided. */
import type { AnyOperation } from '../disclosure/operation.ts'
import { endOwnPerson, registerOwnPerson } from './professional-person.ts'
import { decideFinding } from './review-findings.ts'
import { changeReviewRule } from './review-rules.ts'
import { listWatched, unwatchRecord, watchRecord } from './watch-list.ts'

export const reviewOperations: readonly AnyOperation[] = [
  decideFinding,
  changeReviewRule,
  listWatched,
  watchRecord,
  unwatchRecord,
  registerOwnPerson,
  endOwnPerson,
]
