import { describe, expect, test } from 'vitest'
import { noticeText } from '../../../src/governance/notice-text.ts'
import {
  afterFollowUp,
  askShape,
  dueAfter,
  eventName,
  isOverdue,
  isOwnAccess,
  mayFollow,
  mayWithdraw,
  officerStep,
  states,
} from '../../../src/governance/question-terms.ts'
import { recourse } from '../../../src/governance/question-text.ts'
import { limits } from '../../../src/limits.ts'

const text = 'Je ne connais pas cette personne.'

describe('the life of a question', () => {
  test('goes the ways of this table and no other', () => {
    const ways = states.map((from) => [from, states.filter((to) => mayFollow(from, to))])
    expect(ways).toEqual([
      ['received', ['in-review', 'referred', 'answered']],
      ['in-review', ['referred', 'answered']],
      ['referred', ['in-review', 'referred', 'answered']],
      ['answered', ['closed']],
      ['closed', []],
      ['withdrawn', []],
    ])
  })

  test('is taken back while an answer is owed, and goes on after a follow-up', () => {
    expect(states.map((state) => [state, mayWithdraw(state), afterFollowUp(state)])).toEqual([
      ['received', true, 'received'],
      ['in-review', true, 'in-review'],
      ['referred', true, 'referred'],
      ['answered', false, 'received'],
      ['closed', false, null],
      ['withdrawn', false, null],
    ])
  })

  test('is late when its time is over and nobody has answered', () => {
    const at = Date.parse('2026-11-01T12:00:00.000Z')
    const due = dueAfter(at, 30)
    expect(due).toBe('2026-12-01T12:00:00.000Z')
    const late = Date.parse(due) + 1
    expect(states.map((state) => isOverdue(state, due, late))).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ])
    expect(isOverdue('received', due, late - 1)).toBe(false)
  })

  test('has events that are named after who did what', () => {
    expect([
      eventName(1, 'received', 'patient'),
      eventName(2, 'in-review', 'privacy-officer'),
      eventName(3, 'in-review', 'patient'),
      eventName(4, 'received', 'guardian'),
      eventName(5, 'withdrawn', 'patient'),
    ]).toEqual(['asked', 'in-review', 'follow-up', 'follow-up', 'withdrawn'])
  })
})

describe('an officer', () => {
  const officer = { professional: 'po', issuer: 'i', subject: 's' }

  test.each([
    ['by registry id', { professional: 'po', issuer: 'other', subject: 'other' }, true],
    ['by login, where the registry confirmed nobody', { professional: '', issuer: 'i', subject: 's' }, true],
    ['not by a subject of another issuer', { professional: '', issuer: 'j', subject: 's' }, false],
    ['not where the entry names nobody', { professional: '', issuer: '', subject: '' }, false],
    ['not as another', { professional: 'dr-roy', issuer: 'i', subject: 'roy' }, false],
  ] as const)('is known to have made the access %s', (_how, accessor, isOwn) => {
    expect(isOwnAccess(accessor, officer)).toBe(isOwn)
  })

  test('gives a reason for what is not accepted, and for nothing else', () => {
    const answer = { state: 'answered', answer: text }
    const reason = 'Le laboratoire confirme le résultat.'
    const isTaken = (step: object) => officerStep.safeParse({ ...answer, ...step }).success
    expect([
      isTaken({}),
      isTaken({ outcome: 'accepted' }),
      isTaken({ outcome: 'refused', reason }),
      isTaken({ outcome: 'partly-accepted', reason }),
    ]).toEqual([true, true, true, true])
    expect([
      isTaken({ outcome: 'refused' }),
      isTaken({ outcome: 'partly-accepted' }),
      isTaken({ outcome: 'accepted', reason }),
      isTaken({ outcome: 'maybe' }),
    ]).toEqual([false, false, false, false])
  })
})

describe('the words of a question', () => {
  const isTaken = (words: string, over: object = {}) =>
    askShape.safeParse({ kind: 'access', entry: 'montreal/4', text: words, ...over }).success

  test('are paragraphs of any script and any markup, within bounds', () => {
    expect([
      isTaken(text),
      isTaken('Première ligne.\r\n\tDeuxième ligne.'),
      isTaken('<script>alert("é")</script> 漢字'),
      isTaken('x'.repeat(limits.maxQuestionLength)),
    ]).toEqual([true, true, true, true])
    expect([
      isTaken('x'.repeat(limits.maxQuestionLength + 1)),
      isTaken('court'),
      isTaken(' '.repeat(40)),
      isTaken(`${text}\u0000`),
      isTaken(`${text}\u001b[2J.`),
      isTaken(`${text}\ud800.`),
    ]).toEqual([false, false, false, false, false, false])
  })

  test.each(['montreal', 'montreal/', 'montreal/01', 'Montreal/1', 'montreal/1/2', 'montreal/-1', '../1'])(
    'about %j name no entry',
    (entry) => {
      expect(isTaken(text, { entry })).toBe(false)
    },
  )

  test.each(['Observation', 'Observation/', 'observation/1', 'Observation/a/b', 'Observation/a b'])(
    'about %j name no document',
    (document) => {
      expect(askShape.safeParse({ kind: 'correction', document, text }).success).toBe(false)
    },
  )
})

describe('what a person is told of an answer', () => {
  const at = '2026-11-22T17:00:00.000Z'
  const of = (about: 'access' | 'correction', outcome: '' | 'accepted' | 'partly-accepted' | 'refused') =>
    (['fr', 'en'] as const).map((language) =>
      noticeText({ kind: 'question', question: 'q', about, outcome, name: 'Me Girard' }, at, language),
    )

  test('says who answered, when, and what came of it', () => {
    expect(of('access', '')).toEqual([
      'Le 22 novembre 2026 à 12 h 00, Me Girard a répondu à votre question sur un accès à votre dossier.',
      'On November 22, 2026 at 12:00, Me Girard answered your question about an access to your record.',
    ])
    expect(of('correction', 'accepted')).toEqual([
      'Le 22 novembre 2026 à 12 h 00, Me Girard a répondu à votre demande de correction : acceptée.',
      'On November 22, 2026 at 12:00, Me Girard answered your request for correction: accepted.',
    ])
  })

  test('says to whom one turns when not all was done', () => {
    for (const outcome of ['refused', 'partly-accepted'] as const)
      for (const told of of('correction', outcome)) expect(told).toMatch(/Commission d’accès à l’information/)
    expect(of('correction', 'refused')[0]).toContain('refusée.')
    expect(of('correction', 'partly-accepted')[1]).toContain('accepted in part.')
    expect([recourse('accepted', 'fr'), recourse('', 'en')]).toEqual([null, null])
  })
})
