/** Reasons of decisions in words, and the step of the policy at which they are found. */
import type { CallerKind } from '../access/caller.ts'
import type { PermitReason } from '../access/policy.ts'
import type { PolicyRefusal } from '../access/refusal.ts'

/** In the order in which the policy asks (P-9.0001, s. 20, and what the token was narrowed to). */
export type Step =
  | 'authentication'
  | 'authorisation'
  | 'sharing'
  | 'relationship'
  | 'refusal'
  | 'restriction'
  | 'confidentiality'
  | 'scope'
  | 'input'

interface Words {
  readonly step: Step
  readonly fr: string
  readonly en: string
}

/** Why something was permitted: what the policy found, or by what office. */
export type PermittedReason =
  | PermitReason
  | 'nothing-found'
  | 'identity-look-up'
  | 'attestation'
  | 'intent'
  | 'settled-committed'
  | 'retention-policy'
  | CallerKind

const permits: Readonly<Record<PermittedReason, Words>> = {
  'shared-domain': {
    step: 'scope',
    fr: 'Permis : le rôle ouvre ce domaine partagé, une relation de soins existait et rien ne s’y opposait.',
    en: 'Permitted: the role opens this shared domain, a care relationship was held, and nothing stood against it.',
  },
  'own-facility': {
    step: 'scope',
    fr: 'Permis : document du propre établissement, et rien ne s’y opposait.',
    en: 'Permitted: a document of the caller’s own facility, and nothing stood against it.',
  },
  'break-glass': {
    step: 'scope',
    fr: 'Permis en urgence déclarée (bris de glace), qui levait ce qui s’y opposait.',
    en: 'Permitted in a declared emergency (break-glass), which lifted what stood against it.',
  },
  'nothing-found': {
    step: 'scope',
    fr: 'Permis : rien n’a été trouvé, rien n’a été communiqué.',
    en: 'Permitted: nothing was found, nothing was disclosed.',
  },
  'identity-look-up': {
    step: 'relationship',
    fr: 'Permis : l’identité minimale seulement, pour attester une relation ou déclarer une urgence.',
    en: 'Permitted: minimal demographics only, to attest a relationship or declare an emergency.',
  },
  attestation: {
    step: 'relationship',
    fr: 'Permis : une relation de soins a été attestée ; la personne en est informée.',
    en: 'Permitted: a care relationship was attested; the person is told.',
  },
  'retention-policy': {
    step: 'authorisation',
    fr: 'Permis : la politique de conservation, dont le délai est écoulé, fait partir ce que disaient ces entrées.',
    en: 'Permitted: the retention policy, whose time is over, lets go what these entries said.',
  },
  intent: {
    step: 'scope',
    fr: 'Permis : l’écriture pouvait commencer ; son issue est inscrite à part.',
    en: 'Permitted: the write could begin; its outcome is recorded apart.',
  },
  'settled-committed': {
    step: 'scope',
    fr: 'Permis : l’écriture a été faite ; son issue a été constatée plus tard.',
    en: 'Permitted: the write was made; its outcome was found out later.',
  },
  provider: {
    step: 'authorisation',
    fr: 'Permis : l’intervenant a demandé qui le dossier voit en lui.',
    en: 'Permitted: the provider asked whom the record takes them to be.',
  },
  'facility-system': {
    step: 'authorisation',
    fr: 'Permis : le système de l’établissement agissait dans son propre dossier.',
    en: 'Permitted: the facility’s system acted in its own record.',
  },
  'access-manager': {
    step: 'authorisation',
    fr: 'Permis : c’est l’office du gestionnaire des accès de l’établissement.',
    en: 'Permitted: it is the office of the facility’s access manager.',
  },
  'privacy-officer': {
    step: 'authorisation',
    fr: 'Permis : c’est l’office du responsable de la protection des renseignements.',
    en: 'Permitted: it is the office of the privacy officer.',
  },
  operator: {
    step: 'authorisation',
    fr: 'Permis : c’est l’office de l’exploitant du dossier.',
    en: 'Permitted: it is the office of the operator of the record.',
  },
  patient: {
    step: 'authorisation',
    fr: 'Permis : la personne agissait dans son propre dossier.',
    en: 'Permitted: the person acted in their own record.',
  },
  guardian: {
    step: 'authorisation',
    fr: 'Permis : un tuteur inscrit agissait pour une personne de moins de 14 ans.',
    en: 'Permitted: a registered guardian acted for a person under 14.',
  },
}

const denials: Readonly<Record<PolicyRefusal['cause'], Words>> = {
  'client-unknown': {
    step: 'authorisation',
    fr: 'Refusé : le registre ne connaît pas cette application.',
    en: 'Denied: the registry does not know this client.',
  },
  'professional-unknown': {
    step: 'authorisation',
    fr: 'Refusé : le registre ne connaît pas, ou plus, cette personne.',
    en: 'Denied: the registry does not know this person, or no longer.',
  },
  'facility-unknown': {
    step: 'authorisation',
    fr: 'Refusé : le registre ne connaît pas cet établissement.',
    en: 'Denied: the registry does not know this facility.',
  },
  'role-missing': {
    step: 'authorisation',
    fr: 'Refusé : le jeton ne dit pas lequel des rôles est exercé.',
    en: 'Denied: the token does not say which of the roles is exercised.',
  },
  'role-not-held': {
    step: 'authorisation',
    fr: 'Refusé : ce rôle n’est pas détenu à cet établissement.',
    en: 'Denied: this role is not held at this facility.',
  },
  'purpose-not-permitted': {
    step: 'authorisation',
    fr: 'Refusé : le rôle n’ouvre rien pour cette finalité.',
    en: 'Denied: the role opens nothing for this purpose.',
  },
  'operation-not-for-caller': {
    step: 'authorisation',
    fr: 'Refusé : cette opération n’est pas pour ce genre de demandeur.',
    en: 'Denied: this operation is not for this kind of caller.',
  },
  'issuer-not-for-organisation': {
    step: 'authorisation',
    fr: 'Refusé : l’émetteur du jeton ne répond que d’une autre organisation.',
    en: 'Denied: the issuer of the token vouches for another organisation only.',
  },
  'domain-not-permitted': {
    step: 'authorisation',
    fr: 'Refusé : le rôle n’ouvre pas ce domaine clinique ici.',
    en: 'Denied: the role does not open this clinical domain here.',
  },
  'not-own-facility': {
    step: 'sharing',
    fr: 'Refusé : document non partagé d’un autre établissement.',
    en: 'Denied: an unshared document of another facility.',
  },
  'relationship-required': {
    step: 'relationship',
    fr: 'Refusé : aucune relation de soins avec cette personne n’était connue.',
    en: 'Denied: no care relationship with this person was known.',
  },
  refused: {
    step: 'refusal',
    fr: 'Refusé : la personne a refusé tout partage.',
    en: 'Denied: the person has refused all sharing.',
  },
  'refused-before': {
    step: 'refusal',
    fr: 'Refusé : la personne a refusé le partage de ce qui précède une date.',
    en: 'Denied: the person has refused the sharing of what is older than a date.',
  },
  restricted: {
    step: 'restriction',
    fr: 'Refusé : la personne l’a restreint pour ce demandeur.',
    en: 'Denied: the person has restricted it for this caller.',
  },
  confidentiality: {
    step: 'confidentiality',
    fr: 'Refusé : le document est plus confidentiel que le rôle ne peut lire.',
    en: 'Denied: the document is more confidential than the role may read.',
  },
  'scope-insufficient': {
    step: 'scope',
    fr: 'Refusé : la portée du jeton ne le permettait pas.',
    en: 'Denied: the scope of the token did not allow it.',
  },
  'person-unknown': {
    step: 'authorisation',
    fr: 'Refusé : aucune personne du dossier, ou aucune qui regarde ce demandeur, ne répond à ce numéro.',
    en: 'Denied: no person of the record, or none who is this caller’s business, answers to that number.',
  },
  age: {
    step: 'authorisation',
    fr: 'Refusé : un tuteur agit pour qui a moins de 14 ans ; dès 14 ans, la personne agit seule.',
    en: 'Denied: a guardian acts for whoever is under 14; from 14 on the person acts alone.',
  },
  'guardianship-missing': {
    step: 'authorisation',
    fr: 'Refusé : aucune tutelle de cette personne n’était inscrite.',
    en: 'Denied: no guardianship of that person was registered.',
  },
  'not-own-organisation': {
    step: 'authorisation',
    fr: 'Refusé : l’affaire d’une autre organisation ou d’un autre établissement.',
    en: 'Denied: the business of another organisation or facility.',
  },
  'four-eyes': {
    step: 'authorisation',
    fr: 'Refusé : une autre personne doit le faire.',
    en: 'Denied: somebody else must do it.',
  },
  'break-glass-not-permitted': {
    step: 'relationship',
    fr: 'Refusé : aucune urgence n’ouvre cela, ou le jeton n’en énonce aucune.',
    en: 'Denied: no emergency opens this, or the token states none.',
  },
}

const notFound: Words = {
  step: 'input',
  fr: 'Introuvable : le dossier partagé n’avait pas ce document.',
  en: 'Not found: the shared record had no such document.',
}

const other: Words = {
  step: 'input',
  fr: 'La raison inscrite parle d’elle-même ; la politique d’accès n’a pas eu à décider.',
  en: 'The recorded reason speaks for itself; the access policy had nothing to decide.',
}

/** Whether the policy denies for this reason; of others it had nothing to decide. */
export const isDenial = (reason: string): reason is PolicyRefusal['cause'] => Object.hasOwn(denials, reason)

function wordsOf(reason: string): Words {
  if (isDenial(reason)) return denials[reason]
  if (reason === 'not-found') return notFound
  return Object.hasOwn(permits, reason) ? permits[reason as PermittedReason] : other
}

export const stepOf = (reason: string): Step => wordsOf(reason).step

export const sentenceOf = (reason: string, language: 'fr' | 'en'): string => wordsOf(reason)[language]
