/**
 * The one map from refusals to the wire. It says little: a caller learns what to change in the request, never why the
 * policy said no. The audit entry has the tagged reason.
 */
import type { PolicyRefusal, TokenRefusal } from '../access/refusal.ts'
import { type Issue, operationOutcome } from '../fhir/outcome.ts'
import { limits } from '../limits.ts'
import type { Refusal } from './refusal.ts'
import { isFhir } from './representation.ts'

export interface Wire {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly issues: readonly Issue[]
}

/** What there may be too much of. */
const counted = {
  patients: { fr: 'patients', en: 'patients' },
  persons: {
    fr: 'personnes ou plus de ce nom ou de cette date',
    en: 'people or more of this name or birth date',
  },
  linked: { fr: 'ressources au bout de la chaîne', en: 'resources at the end of the chain' },
  logs: { fr: 'journaux', en: 'logs' },
  entries: { fr: 'entrées', en: 'entries' },
} as const

const retry = { 'Retry-After': String(limits.retryAfterSeconds) }

/** Exhaustive over `Refusal`: a new reason does not compile until it has its place here. */
export function toWire(refusal: Refusal): Wire {
  switch (refusal.reason) {
    case 'unauthenticated':
      return wire(401, 'login', 'Un jeton d’accès valide est requis.', 'A valid access token is required.', {
        // RFC 6750 §3 and RFC 9449 §7.1: both schemes are served; which one a token needs, the token itself says.
        'WWW-Authenticate': `Bearer error="${bearerError(refusal.cause)}", DPoP`,
      })
    case 'forbidden':
      return forbidden(refusal.cause)
    case 'not-found':
      if (refusal.issues) return { status: 404, headers: {}, issues: refusal.issues }
      return wire(404, 'not-found', 'Introuvable.', 'Not found.')
    case 'no-such-path':
      return noSuchPath(refusal.meant)
    case 'method-not-allowed':
      return wire(
        405,
        'not-supported',
        `Méthode non offerte ici ; offertes : ${refusal.allow}.`,
        `This method is not offered here; offered: ${refusal.allow}.`,
        { Allow: refusal.allow },
      )
    case 'invalid':
      return { status: 400, headers: {}, issues: refusal.issues }
    case 'conflict':
      return { status: 409, headers: {}, issues: refusal.issues }
    case 'precondition-failed':
      if (refusal.issues) return { status: 412, headers: {}, issues: refusal.issues }
      return wire(
        412,
        'conflict',
        'Il y a une version plus récente que celle nommée par If-Match.',
        'There is another version than the one If-Match names.',
      )
    case 'unsupported-media-type': {
      const accepted = refusal.accepted.join(', ')
      return wire(
        415,
        'not-supported',
        `Type de contenu accepté : ${accepted}.`,
        `Accepted content type: ${accepted}.`,
      )
    }
    case 'not-acceptable':
      return wire(
        406,
        'not-supported',
        `Seul ${refusal.offered} est offert.`,
        `Only ${refusal.offered} is offered.`,
      )
    case 'body-too-large':
      return wire(
        413,
        'too-long',
        `Le corps dépasse ${refusal.maxBytes} octets.`,
        `The body is larger than ${refusal.maxBytes} bytes.`,
      )
    case 'body-timeout':
      return wire(408, 'timeout', 'Le corps n’est pas arrivé à temps.', 'The body did not arrive in time.')
    case 'overload':
      return wire(
        503,
        'throttled',
        'Trop d’envois sont en cours.',
        'Too many uploads are under way. Try again shortly.',
        retry,
      )
    case 'too-costly':
      return wire(
        422,
        'too-costly',
        `${refusal.got} ${counted[refusal.of].fr} dans une requête, ${refusal.max} au plus.`,
        `${refusal.got} ${counted[refusal.of].en} in one request, ${refusal.max} at most.`,
      )
    case 'replayed':
      return wire(401, 'login', 'Ce jeton a déjà servi.', 'This proof was used before.')
    case 'store-unavailable':
      if (refusal.issues) return { status: 503, headers: retry, issues: refusal.issues }
      return wire(
        503,
        'transient',
        'Le dossier ne répond pas.',
        'The record does not answer. Try again shortly.',
        retry,
      )
    case 'log-unavailable':
    case 'log-overload':
    case 'counted':
      return wire(
        503,
        'transient',
        'Le journal ne répond pas.',
        'The audit log does not answer. Try again shortly.',
        retry,
      )
    case 'internal':
      return wire(500, 'exception', 'Erreur interne.', 'Internal error.')
  }
}

/** What the caller can do something about has words and a tag of its own; the rest is one and the same answer. */
export const forbiddenTexts: Readonly<
  Partial<Record<PolicyRefusal['cause'], { readonly fr: string; readonly en: string }>>
> = {
  'relationship-required': {
    fr: 'Aucune relation de soins avec ce patient n’est connue : attestez-la, ou déclarez une urgence.',
    en: 'No care relationship with this patient is known: attest it, or declare an emergency.',
  },
  refused: {
    fr: 'Le patient a refusé que ses renseignements soient communiqués.',
    en: 'The patient has refused the sharing of their information.',
  },
  'scope-insufficient': {
    fr: 'La portée du jeton ne suffit pas.',
    en: 'The scope of the token does not suffice.',
  },
  'four-eyes': {
    fr: 'Une autre personne doit en décider.',
    en: 'Somebody else must decide this.',
  },
  'break-glass-not-permitted': {
    fr: 'Le jeton n’énonce pas d’urgence (BTG ou ETREAT), ou aucune urgence n’ouvre ceci.',
    en: 'The token states no emergency (BTG or ETREAT), or no emergency opens this.',
  },
  age: {
    fr: 'Avant 14 ans un tuteur agit ; à partir de 14 ans, la personne seule.',
    en: 'Under 14 a guardian acts; from 14 on, the person alone.',
  },
  'guardianship-missing': {
    fr: 'Aucune tutelle de cette personne n’est inscrite.',
    en: 'No guardianship of this person is registered.',
  },
  'person-unknown': {
    fr: 'Le dossier ne connaît pas cette personne sous ce numéro et cette date de naissance, ou ce n’est pas vous.',
    en: 'The record does not know this person by this number and birth date, or it is not you.',
  },
  'not-own-organisation': {
    fr: 'Ceci relève d’une autre organisation.',
    en: 'This is for another organisation.',
  },
}

const noSuchPath = (meant: string | undefined): Wire =>
  wire(
    404,
    'not-supported',
    `Cette adresse n’existe pas.${meant === undefined ? '' : ` Vouliez-vous dire ${meant} ?`}`,
    `There is nothing at this address.${meant === undefined ? '' : ` Did you mean ${meant}?`}`,
  )

function forbidden(cause: PolicyRefusal['cause']): Wire {
  const text = forbiddenTexts[cause]
  if (!text) return wire(403, 'forbidden', 'Accès non autorisé.', 'This access is not permitted.')
  return {
    status: 403,
    // RFC 6750 §3.1: a token with more scope would do.
    headers:
      cause === 'scope-insufficient' ? { 'WWW-Authenticate': 'Bearer error="insufficient_scope"' } : {},
    issues: [{ code: 'forbidden', text, tag: cause }],
  }
}
/** RFC 6750 §3.1; RFC 9470 §3: log in again, more strongly. */
const bearerError = (cause: TokenRefusal['cause']): string =>
  cause === 'assurance-too-low' ? 'insufficient_user_authentication' : 'invalid_token'

const wire = (
  status: number,
  code: string,
  fr: string,
  en: string,
  headers: Readonly<Record<string, string>> = {},
): Wire => ({ status, headers, issues: [{ code, text: { fr, en } }] })

/** The body of a refusal: `OperationOutcome` on `/fhir`, RFC 9457 problem details elsewhere. */
export function refusalBody(
  { status, issues }: Wire,
  path: string,
  language: 'fr' | 'en',
): { readonly contentType: string; readonly body: string } {
  if (isFhir(path))
    return {
      contentType: 'application/fhir+json; charset=utf-8',
      body: JSON.stringify(operationOutcome(issues, language)),
    }
  return {
    contentType: 'application/problem+json; charset=utf-8',
    body: JSON.stringify({
      status,
      title: issues.map(({ text }) => text[language]).join(' '),
      errors: issues.map(({ code, expression, text, tag }) => ({
        code: tag ?? code,
        pointer: expression,
        detail: text[language],
      })),
    }),
  }
}

/** What the audit entry says of a refusal. */
export function auditReason(refusal: Refusal): { readonly reason: string; readonly detail: string | null } {
  switch (refusal.reason) {
    case 'unauthenticated':
    case 'forbidden':
      return { reason: refusal.cause, detail: null }
    case 'invalid':
    case 'conflict':
      return {
        reason: refusal.reason,
        detail: refusal.issues
          .slice(0, 5)
          .map(({ code, expression, tag = code }) => (expression ? `${tag} ${expression}` : tag))
          .join('; '),
      }
    case 'not-found':
      return { reason: refusal.cause ?? 'not-found', detail: refusal.what }
    case 'precondition-failed':
      return { reason: refusal.reason, detail: refusal.what }
    case 'too-costly':
      return { reason: 'too-costly', detail: `${refusal.got} ${refusal.of}` }
    case 'store-unavailable':
    case 'log-unavailable':
    case 'overload':
    case 'internal':
      return { reason: refusal.reason, detail: refusal.detail }
    case 'no-such-path':
    case 'method-not-allowed':
    case 'unsupported-media-type':
    case 'not-acceptable':
    case 'body-too-large':
    case 'body-timeout':
    case 'replayed':
    case 'log-overload':
    case 'counted':
      return { reason: refusal.reason, detail: null }
  }
}
