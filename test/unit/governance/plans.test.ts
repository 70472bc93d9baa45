/** The record grows for years: no statement may look at all of it. */
import { expect, test } from 'vitest'
import { attest } from '../../../src/governance/attest.ts'
import { breakGlass } from '../../../src/governance/break-glass.ts'
import {
  consentHistoryOperation,
  readConsentOperation,
  searchConsentOperation,
} from '../../../src/governance/consent-read.ts'
import { createConsentOperation, updateConsentOperation } from '../../../src/governance/consent-write.ts'
import {
  endGuardianship,
  listGuardianships,
  registerGuardianship,
} from '../../../src/governance/guardianship.ts'
import { listIncidents, readIncident } from '../../../src/governance/incident-read.ts'
import { openIncident, reviseIncident } from '../../../src/governance/incident-write.ts'
import { listNotices } from '../../../src/governance/notices.ts'
import { actOnQuestion } from '../../../src/governance/question-act.ts'
import { askQuestion } from '../../../src/governance/question-ask.ts'
import { listQuestions, readQuestion } from '../../../src/governance/question-read.ts'
import { endRelationship, registerRelationship } from '../../../src/governance/relationships.ts'
import { decideReview, listReviews } from '../../../src/governance/reviews.ts'
import { restriction } from './consents.ts'
import { register } from './incidents.ts'
import { callers, disclosed, noon, openDesk, provider } from './support.ts'

/**
 * One row, a bound list, what a statement made of its own page; names of professionals, once for a page; and the review
 * queue, the questions and the incident register of the whole record from the newest on, until a page is full.
 */
const small =
  /^SCAN (clock|CONSTANT ROW|page|asked|p|professional|i USING INDEX (review_item_at|incident_at)|q USING INDEX question_at|\w+ VIRTUAL TABLE)\b/

test('every statement finds its rows by index', async () => {
  const desk = openDesk()
  const patient = 'Patient/a-hopital'
  const ward = { guardian: patient, patient: 'Patient/child-hopital' }
  const words = { patient, reason: 'Suivi en clinique externe' }
  desk.records.db.exec(
    `update person_key set birth_date = '2020-01-01' where source_record = 'child-hopital'`,
  )
  const consent = disclosed<{ id: string }>(
    await desk.ask(createConsentOperation, callers.patient, { body: restriction }),
  )
  const param = { id: consent.id }
  const window = disclosed<{ id: string }>(
    await desk.ask(breakGlass, provider({ purpose: 'BTG' }), { body: words }),
  )
  const careTeam = {
    kind: 'care-team',
    patient,
    professional: 'inf-cote',
    facility: 'hopital',
    ends: '2027-01-01T00:00:00Z',
  }
  const { relationship } = disclosed(
    await desk.ask(registerRelationship, callers.manager, { body: careTeam, now: noon }),
  )
  const text = 'Pourquoi mon dossier a-t-il été ouvert ?'
  const question = disclosed<{ id: string }>(
    await desk.ask(askQuestion, callers.patient, {
      body: { kind: 'access', entry: desk.access('person-a'), text },
    }),
  )
  const incident = disclosed<{ id: string }>(
    await desk.ask(openIncident, callers.officer, { body: { ...register, from: { question: question.id } } }),
  )
  const answers = [
    await desk.ask(askQuestion, callers.officer, {
      body: { kind: 'access', entry: desk.access('person-a'), text },
    }),
    await desk.ask(askQuestion, callers.patient, {
      body: { kind: 'correction', document: 'Observation/o', text },
    }),
    await desk.ask(listQuestions, callers.patient, {}),
    await desk.ask(listQuestions, callers.officer, {}),
    await desk.ask(listQuestions, callers.ownOfficer, {}),
    await desk.ask(readQuestion, callers.officer, { param: { id: question.id } }),
    await desk.ask(actOnQuestion, callers.officer, {
      param: { id: question.id },
      body: { state: 'referred', to: 'gmf', reason: 'Accès fait à la clinique' },
    }),
    await desk.ask(openIncident, callers.officer, { body: { ...register, from: { review: window.id } } }),
    await desk.ask(reviseIncident, callers.officer, {
      param: { id: incident.id },
      body: { ...register, version: 1, status: 'open' },
    }),
    await desk.ask(listIncidents, callers.officer, {}),
    await desk.ask(listIncidents, callers.ownOfficer, {}),
    await desk.ask(readIncident, callers.officer, { param: { id: incident.id } }),
    await desk.ask(updateConsentOperation, callers.patient, {
      param,
      body: { ...restriction, id: consent.id },
      ifMatch: 'W/"1"',
    }),
    await desk.ask(readConsentOperation, callers.patient, { param }),
    await desk.ask(consentHistoryOperation, callers.patient, { param }),
    await desk.ask(searchConsentOperation, callers.patient, { query: { patient } }),
    await desk.ask(attest, callers.provider, { body: words }),
    await desk.ask(endRelationship, callers.manager, { body: { relationship } }),
    await desk.ask(registerGuardianship, callers.officer, { body: ward }),
    await desk.ask(listGuardianships, callers.officer, { query: { patient: ward.patient } }),
    await desk.ask(endGuardianship, callers.officer, { body: ward }),
    await desk.ask(listNotices, callers.patient, {}),
    await desk.ask(listReviews, callers.ownOfficer, {}),
    await desk.ask(decideReview, callers.officer, {
      param: { id: window.id },
      body: { decision: 'unjustified', note: 'Aucune urgence au dossier' },
    }),
  ]
  expect(answers.filter(({ ok }) => !ok)).toEqual([])
  const scans = [...desk.records.seen].flatMap((sql) =>
    desk.records
      .rows(`explain query plan ${sql}`)
      .map(({ detail }) => String(detail))
      .filter((detail) => detail.startsWith('SCAN') && !small.test(detail))
      .map((detail) => `${detail}: ${sql}`),
  )
  expect(scans).toEqual([])
})
