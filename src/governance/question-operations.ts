/** Questions about accesses, requests for correction, and the incident register: `/audit/questions`, `/audit/incidents`. */
import type { AnyOperation } from '../disclosure/operation.ts'
import { listIncidents, readIncident } from './incident-read.ts'
import { openIncident, reviseIncident } from './incident-write.ts'
import { actOnQuestion } from './question-act.ts'
import { askQuestion } from './question-ask.ts'
import { listQuestions, readQuestion } from './question-read.ts'

export const questionOperations: readonly AnyOperation[] = [
  askQuestion,
  listQuestions,
  readQuestion,
  actOnQuestion,
  openIncident,
  reviseIncident,
  listIncidents,
  readIncident,
]
