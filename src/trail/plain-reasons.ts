/** Under which rule something was permitted, or why it was refused: reasons of the log as sentences for patients. Pure. */
import type { CallerKind } from '../access/caller.ts'
import type { Basis, PermitReason } from '../access/policy.ts'
import type { PolicyRefusal } from '../access/refusal.ts'
import type { Refusal } from '../disclosure/refusal.ts'

export interface Plain {
  readonly fr: string
  readonly en: string
}

export type PermittedReason =
  | PermitReason
  | CallerKind
  | 'nothing-found'
  | 'identity-look-up'
  | 'attestation'
  | 'intent'
  | 'settled-committed'

export const permits: Readonly<Record<PermittedReason, Plain>> = {
  'shared-domain': {
    fr: 'Le rôle de cette personne lui ouvre ce genre de renseignements, elle participait à vos soins et aucun de vos refus ne s’y opposait.',
    en: 'This person’s role opens this kind of information, they took part in your care, and no refusal of yours stood against it.',
  },
  'own-facility': {
    fr: 'L’établissement agissait sur ce qu’il verse lui-même à votre dossier.',
    en: 'The facility acted on what it puts into your record itself.',
  },
  'break-glass': {
    fr: 'Une urgence a été déclarée ; elle lève certains obstacles, et chacune est révisée par un responsable.',
    en: 'An emergency was declared; it lifts some obstacles, and an officer reviews every one.',
  },
  'nothing-found': {
    fr: 'La recherche était permise ; rien n’a été trouvé, rien n’a été communiqué.',
    en: 'The search was permitted; nothing was found and nothing was disclosed.',
  },
  'identity-look-up': {
    fr: 'Seule votre identité de base a été montrée, pour savoir si un dossier existe.',
    en: 'Only your basic identity was shown, to find out whether there is a record.',
  },
  attestation: {
    fr: 'La personne a attesté qu’elle participe à vos soins ; vous en avez été avisé.',
    en: 'The person attested that they take part in your care; you were told of it.',
  },
  intent: {
    fr: 'Le changement pouvait commencer ; ce qu’il est devenu est inscrit à part.',
    en: 'The change could begin; what became of it is recorded separately.',
  },
  'settled-committed': {
    fr: 'Le changement a été fait ; cela a été constaté après une interruption.',
    en: 'The change was made; this was found out after an interruption.',
  },
  provider: {
    fr: 'Un intervenant inscrit agissait dans son propre rôle.',
    en: 'A registered provider acted within their own role.',
  },
  'facility-system': {
    fr: 'Le système d’un établissement agissait pour les documents de cet établissement.',
    en: 'The system of a facility acted on the documents of that facility.',
  },
  'access-manager': {
    fr: 'Le gestionnaire des accès de l’établissement agissait dans sa fonction.',
    en: 'The access manager of the facility acted within their duty.',
  },
  'privacy-officer': {
    fr: 'Le responsable de la protection des renseignements agissait dans sa fonction.',
    en: 'The privacy officer acted within their duty.',
  },
  operator: {
    fr: 'L’exploitant du dossier agissait dans sa fonction.',
    en: 'The operator of the record acted within their duty.',
  },
  patient: {
    fr: 'Vous agissiez dans votre propre dossier.',
    en: 'You acted in your own record.',
  },
  guardian: {
    fr: 'Le tuteur inscrit agissait pour une personne de moins de 14 ans.',
    en: 'The registered guardian acted for a person under 14.',
  },
}

export const denials: Readonly<Record<PolicyRefusal['cause'], Plain>> = {
  'client-unknown': {
    fr: 'L’accès a été refusé : cette application n’est pas inscrite.',
    en: 'Access was refused: this application is not registered.',
  },
  'professional-unknown': {
    fr: 'L’accès a été refusé : cette personne n’est pas inscrite, ou ne l’est plus.',
    en: 'Access was refused: this person is not registered, or no longer is.',
  },
  'facility-unknown': {
    fr: 'L’accès a été refusé : cet établissement n’est pas inscrit.',
    en: 'Access was refused: this facility is not registered.',
  },
  'role-missing': {
    fr: 'L’accès a été refusé : aucun rôle n’était indiqué.',
    en: 'Access was refused: no role was stated.',
  },
  'role-not-held': {
    fr: 'L’accès a été refusé : la personne n’a pas ce rôle dans cet établissement.',
    en: 'Access was refused: the person does not hold this role at this facility.',
  },
  'purpose-not-permitted': {
    fr: 'L’accès a été refusé : le but indiqué ne le permet pas.',
    en: 'Access was refused: the stated purpose does not permit it.',
  },
  'operation-not-for-caller': {
    fr: 'L’accès a été refusé : cette action n’est pas ouverte à ce genre de personne.',
    en: 'Access was refused: this action is not open to this kind of person.',
  },
  'domain-not-permitted': {
    fr: 'L’accès a été refusé : le rôle n’ouvre pas ce genre de renseignements.',
    en: 'Access was refused: the role does not open this kind of information.',
  },
  'not-own-facility': {
    fr: 'L’accès a été refusé : le document n’est pas partagé hors de l’établissement qui l’a fait.',
    en: 'Access was refused: the document is not shared outside the facility that made it.',
  },
  'scope-insufficient': {
    fr: 'L’accès a été refusé : l’application n’y était pas autorisée.',
    en: 'Access was refused: the application was not authorised for it.',
  },
  'issuer-not-for-organisation': {
    fr: 'L’accès a été refusé : l’identité a été confirmée par qui ne répond pas de cette organisation.',
    en: 'Access was refused: the identity was vouched for by somebody who does not answer for this organisation.',
  },
  'relationship-required': {
    fr: 'L’accès a été refusé : la personne ne participait pas à vos soins.',
    en: 'Access was refused: the person did not take part in your care.',
  },
  refused: {
    fr: 'L’accès a été refusé : vous avez refusé que vos renseignements soient communiqués.',
    en: 'Access was refused: you have refused the sharing of your information.',
  },
  'refused-before': {
    fr: 'L’accès a été refusé : vous avez refusé la communication de ce qui précède une date.',
    en: 'Access was refused: you have refused the sharing of what is older than a date.',
  },
  restricted: {
    fr: 'L’accès a été refusé : une de vos restrictions s’y opposait.',
    en: 'Access was refused: one of your restrictions stood against it.',
  },
  confidentiality: {
    fr: 'L’accès a été refusé : le document est plus confidentiel que ce que ce rôle peut lire.',
    en: 'Access was refused: the document is more confidential than this role may read.',
  },
  'person-unknown': {
    fr: 'L’accès a été refusé : l’identité de la personne n’a pu être établie.',
    en: 'Access was refused: who the person is could not be established.',
  },
  age: {
    fr: 'L’accès a été refusé en raison de l’âge : avant 14 ans agit le tuteur, ensuite la personne seule.',
    en: 'Access was refused because of age: under 14 the guardian acts, from then on the person alone.',
  },
  'guardianship-missing': {
    fr: 'L’accès a été refusé : aucune tutelle n’est inscrite.',
    en: 'Access was refused: no guardianship is registered.',
  },
  'not-own-organisation': {
    fr: 'L’accès a été refusé : cela relève d’une autre organisation.',
    en: 'Access was refused: this belongs to another organisation.',
  },
  'four-eyes': {
    fr: 'L’accès a été refusé : quelqu’un d’autre doit le faire.',
    en: 'Access was refused: somebody else must do it.',
  },
  'break-glass-not-permitted': {
    fr: 'L’accès a été refusé : une urgence ne lève pas cet obstacle.',
    en: 'Access was refused: an emergency does not lift this obstacle.',
  },
}

type OtherReason = Exclude<Refusal['reason'], 'forbidden'> | 'redacted' | 'settled-not-committed'

const badRequest: Plain = {
  fr: 'La demande était mal formée ; elle n’a rien donné.',
  en: 'The request was not well formed; nothing came of it.',
}
const away: Plain = {
  fr: 'Le dossier ne pouvait pas répondre à ce moment ; rien n’a été communiqué.',
  en: 'The record could not answer at that moment; nothing was disclosed.',
}

/** Refusals for what was sent, and failures. */
export const others: Readonly<Record<OtherReason, Plain>> = {
  invalid: badRequest,
  'unsupported-media-type': badRequest,
  'body-too-large': badRequest,
  'body-timeout': badRequest,
  'no-such-path': badRequest,
  'method-not-allowed': badRequest,
  'not-acceptable': badRequest,
  'not-found': {
    fr: 'Ce qui était demandé n’existe pas, ou ne revient pas à qui l’a demandé.',
    en: 'What was asked for does not exist, or is not for whoever asked.',
  },
  redacted: {
    fr: 'Ce qui était demandé a été caviardé.',
    en: 'What was asked for was redacted.',
  },
  conflict: {
    fr: 'Le changement contredisait ce qui est inscrit ; rien n’a été changé.',
    en: 'The change contradicted what is recorded; nothing was changed.',
  },
  'precondition-failed': {
    fr: 'Le document avait changé entre-temps ; rien n’a été changé.',
    en: 'The document had changed in the meantime; nothing was changed.',
  },
  'too-costly': {
    fr: 'La demande portait sur trop de renseignements à la fois ; rien n’a été communiqué.',
    en: 'The request was about too much at once; nothing was disclosed.',
  },
  overload: away,
  'store-unavailable': away,
  'log-unavailable': away,
  'log-overload': away,
  internal: away,
  counted: {
    fr: 'Plusieurs demandes refusées ont été comptées ensemble.',
    en: 'Several refused requests were counted together.',
  },
  unauthenticated: {
    fr: 'L’accès a été refusé : l’identité de qui demandait n’a pas été prouvée.',
    en: 'Access was refused: the identity of whoever asked was not proved.',
  },
  replayed: {
    fr: 'L’accès a été refusé : la preuve d’identité avait déjà servi.',
    en: 'Access was refused: the proof of identity had been used before.',
  },
  'settled-not-committed': {
    fr: 'Le changement n’a pas été fait : il a été interrompu.',
    en: 'The change was not made: it was interrupted.',
  },
}

/** Of a reason that came after these words, or of a token, of which there are many. */
export const unnamed: Readonly<Record<'permit' | 'deny' | 'error', Plain>> = {
  permit: {
    fr: 'Cela était permis par les règles du dossier.',
    en: 'The rules of the record permitted it.',
  },
  deny: others.unauthenticated,
  error: {
    fr: 'La demande n’a pas abouti ; rien n’a été communiqué.',
    en: 'The request did not succeed; nothing was disclosed.',
  },
}

/** Why a provider may look at a person at all. */
export const bases: Readonly<Record<Basis, Plain>> = {
  encounter: { fr: 'une visite ou un séjour à l’établissement', en: 'a visit or a stay at the facility' },
  episode: { fr: 'un épisode de soins en cours', en: 'an ongoing episode of care' },
  'care-team': { fr: 'l’équipe qui vous soigne', en: 'the team that cares for you' },
  enrolment: {
    fr: 'votre inscription auprès d’un médecin de famille',
    en: 'your enrolment with a family physician',
  },
  attestation: { fr: 'une attestation de l’intervenant', en: 'an attestation by the provider' },
  'break-glass': { fr: 'une urgence déclarée', en: 'a declared emergency' },
}

export function reasonWords({
  outcome,
  reason,
}: {
  readonly outcome: 'permit' | 'deny' | 'error'
  readonly reason: string
}): Plain {
  const table: Readonly<Record<string, Plain>> = outcome === 'permit' ? permits : { ...others, ...denials }
  return (Object.hasOwn(table, reason) ? table[reason] : undefined) ?? unnamed[outcome]
}
