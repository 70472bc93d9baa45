/**
 * The sample directory: who and what the local cluster knows before anything is published. Data only; `registry.ts`
 * writes it into *records*, the identity provider lets these people log in. Everybody here is fictitious.
 */
import { systems } from './codes.ts'

/** A part of the country with a local database and an audit log of its own. */
export interface SampleRegion {
  readonly name: string
  readonly log: string
}

export interface SampleOrganisation {
  readonly id: string
  readonly name: string
}

export interface SampleFacility {
  readonly id: string
  readonly uri: string
  readonly name: string
  readonly organisation: string
  readonly type: 'hospital' | 'clinic' | 'pharmacy'
  readonly region: string
}

export interface SampleProfessional {
  /** What the person types at the identity provider, and the `sub` of their tokens. */
  readonly login: string
  /** Id of the professional in the registry: not the login, since one person may have logins at several issuers. */
  readonly id: string
  readonly name: string
  /** The first is the one a token carries when the caller names none. */
  readonly roles: readonly [SampleRole, ...SampleRole[]]
  /** The registration has ended: the identity provider still knows the person, the record no longer does. */
  readonly ended?: true
}

export interface SampleRole {
  readonly role: string
  /** '': of no facility, but of `organisation`, or of the whole record without one. */
  readonly facility: string
  readonly organisation?: string
}

/** Somebody of the sample data who logs in: no professional, and told apart by number and birth date. */
export interface SampleHolder {
  readonly login: string
  readonly name: string
  /** The first is the one a token carries when the caller names none. A guardian is a patient, too. */
  readonly roles: readonly ['patient'] | readonly ['guardian', 'patient']
  /** Health-insurance number. */
  readonly number: string
  /** `YYYY-MM-DD`. */
  readonly birthDate: string
}

export interface SampleClient {
  readonly clientId: string
  readonly name: string
  /** Set for a facility system; null for an app that carries a professional's token. */
  readonly facility: string | null
}

/** `aud` of every token for this record: a name, not an address, so that the record may move. */
export const audience = 'https://dossier.example/fhir'

/** Code system of `subject_role` codings and of `professional_role.role`. */
export const roleSystem = 'https://dossier.example/CodeSystem/role'

/** Code system of `purpose_of_use` codings. */
export const purposeSystem = 'http://terminology.hl7.org/CodeSystem/v3-ActReason'

/** The Québec health-insurance number: identifies patients in tokens and joins the records of two facilities. */
export const healthInsuranceSystem = systems.nam

/** Authentication context class of the local provider's patients: their identity was verified. */
export const verifiedIdentity = 'urn:dossier:loa:3'

/** Anybody could have typed that name: no patient's record is opened to it. */
export const claimedIdentity = 'urn:dossier:loa:1'

/** The serving region first. */
export const regions = [
  { name: 'montreal', log: 'montreal' },
  { name: 'quebec', log: 'quebec' },
] as const satisfies readonly SampleRegion[]

export const organisations: readonly SampleOrganisation[] = [
  { id: 'ciusss-mont-royal', name: 'CIUSSS du Mont-Royal' },
  { id: 'pharmacies-laurier', name: 'Pharmacies Laurier inc.' },
  { id: 'chu-cap-diamant', name: 'CHU du Cap-Diamant' },
  { id: 'gmf-saint-roch', name: 'Groupe de médecine de famille Saint-Roch' },
]

const facilityUri = (id: string): string => `https://dossier.example/facility/${id}`

export const facilities: readonly SampleFacility[] = [
  {
    id: 'hopital-mont-royal',
    uri: facilityUri('hopital-mont-royal'),
    name: 'Hôpital du Mont-Royal',
    organisation: 'ciusss-mont-royal',
    type: 'hospital',
    region: 'montreal',
  },
  {
    id: 'pharmacie-laurier',
    uri: facilityUri('pharmacie-laurier'),
    name: 'Pharmacie Laurier — Métro Mont-Royal',
    organisation: 'pharmacies-laurier',
    type: 'pharmacy',
    region: 'montreal',
  },
  {
    id: 'hopital-cap-diamant',
    uri: facilityUri('hopital-cap-diamant'),
    name: 'Hôpital du Cap-Diamant — Québec',
    organisation: 'chu-cap-diamant',
    type: 'hospital',
    region: 'quebec',
  },
  {
    id: 'clinique-saint-roch',
    uri: facilityUri('clinique-saint-roch'),
    name: 'Clinique médicale Saint-Roch (Basse-Ville de Québec)',
    organisation: 'gmf-saint-roch',
    type: 'clinic',
    region: 'quebec',
  },
]

export const professionals: readonly SampleProfessional[] = [
  {
    login: 'tremblay',
    id: 'etienne-tremblay',
    name: 'Dr Étienne Tremblay',
    roles: [{ role: 'physician', facility: 'hopital-mont-royal' }],
  },
  {
    login: 'gagnon',
    id: 'genevieve-gagnon',
    name: 'Dre Geneviève Gagnon',
    roles: [{ role: 'physician', facility: 'hopital-cap-diamant' }],
  },
  {
    login: 'gauthier',
    id: 'noel-gauthier',
    name: 'Dr Noël Gauthier',
    roles: [
      { role: 'physician', facility: 'clinique-saint-roch' },
      { role: 'physician', facility: 'hopital-mont-royal' },
    ],
  },
  {
    login: 'morin',
    id: 'raphael-morin',
    name: 'Dr Raphaël Morin',
    roles: [{ role: 'resident', facility: 'hopital-cap-diamant' }],
  },
  {
    login: 'roy',
    id: 'francois-roy',
    name: 'François Roy',
    roles: [{ role: 'pharmacist', facility: 'pharmacie-laurier' }],
  },
  {
    login: 'pelletier',
    id: 'joelle-pelletier',
    name: 'Joëlle Pelletier',
    roles: [{ role: 'pharmacist', facility: 'hopital-cap-diamant' }],
  },
  {
    login: 'cote',
    id: 'helene-cote',
    name: 'Hélène Côté',
    roles: [{ role: 'nurse', facility: 'hopital-mont-royal' }],
  },
  {
    login: 'belanger',
    id: 'emilie-belanger',
    name: 'Émilie Bélanger',
    roles: [{ role: 'nurse', facility: 'clinique-saint-roch' }],
  },
  {
    login: 'lavoie',
    id: 'zoe-lavoie',
    name: 'Zoé Lavoie',
    roles: [{ role: 'dietitian', facility: 'hopital-mont-royal' }],
  },
  {
    login: 'fortin',
    id: 'gerard-fortin',
    name: 'Gérard Fortin',
    roles: [{ role: 'medical-archivist', facility: 'hopital-cap-diamant' }],
  },
  // Two managers, so that one can confirm what the other asks for.
  {
    login: 'gendron',
    id: 'lise-gendron',
    name: 'Lise Gendron',
    roles: [{ role: 'access-manager', facility: 'hopital-mont-royal' }],
  },
  {
    login: 'poirier',
    id: 'marc-andre-poirier',
    name: 'Marc-André Poirier',
    roles: [{ role: 'access-manager', facility: 'hopital-mont-royal' }],
  },
  {
    login: 'simard',
    id: 'chantal-simard',
    name: 'Chantal Simard',
    roles: [{ role: 'access-manager', facility: 'hopital-cap-diamant' }],
  },
  {
    login: 'cloutier',
    id: 'yves-cloutier',
    name: 'Yves Cloutier',
    roles: [{ role: 'access-manager', facility: 'clinique-saint-roch' }],
  },
  {
    login: 'dufour',
    id: 'sophie-dufour',
    name: 'Sophie Dufour',
    roles: [{ role: 'access-manager', facility: 'pharmacie-laurier' }],
  },
  {
    login: 'bouchard',
    id: 'melanie-bouchard',
    name: 'Me Mélanie Bouchard',
    roles: [{ role: 'privacy-officer', facility: '' }],
  },
  {
    login: 'girard',
    id: 'olivier-girard',
    name: 'Me Olivier Girard',
    roles: [{ role: 'privacy-officer', facility: '', organisation: 'ciusss-mont-royal' }],
  },
  {
    login: 'lapointe',
    id: 'karine-lapointe',
    name: 'Karine Lapointe',
    roles: [{ role: 'operator', facility: '' }],
  },
  {
    login: 'levesque',
    id: 'andre-levesque',
    name: 'Dr André Lévesque',
    roles: [{ role: 'physician', facility: 'clinique-saint-roch' }],
    ended: true,
  },
]

export const holders: readonly SampleHolder[] = [
  {
    login: 'belisle',
    name: 'Ginette Bélisle',
    roles: ['patient'],
    number: 'BELG58531499',
    birthDate: '1958-03-14',
  },
  {
    login: 'theriault',
    name: 'Réjean Thériault',
    roles: ['patient'],
    number: 'THER49072299',
    birthDate: '1949-07-22',
  },
  {
    login: 'hebert',
    name: 'Jean-François Hébert',
    roles: ['patient'],
    number: 'HEBJ63040999',
    birthDate: '1963-04-09',
  },
  // Mother of Léo Arsenault, born in 2022.
  {
    login: 'arsenault',
    name: 'Noémie Arsenault',
    roles: ['guardian', 'patient'],
    number: 'ARSN96512799',
    birthDate: '1996-01-27',
  },
]

export const clients: readonly SampleClient[] = [
  ...facilities.map(({ id, name }) => ({
    clientId: `system-${id}`,
    name: `Système — ${name}`,
    facility: id,
  })),
  { clientId: 'dossier-cli', name: 'Dossier — ligne de commande', facility: null },
  { clientId: 'dossier-console', name: 'Dossier — console', facility: null },
]
