/** The bundle that one facility publishes about one patient while it is being written. */
import { limits } from '../../limits.ts'
import { type CodeableConcept, coding, concept, systems } from './codes.ts'
import {
  facilities,
  professionals,
  roleSystem,
  type SampleFacility,
  type SampleProfessional,
} from './directory.ts'
import type { SamplePatient } from './patient.ts'
import { healthInsuranceNumber } from './people.ts'
import { type Draw, draw, namedUuid } from './seeded.ts'

export interface Resource {
  readonly resourceType: string
  readonly id: string
  readonly [element: string]: unknown
}

export interface Reference {
  readonly reference: string
  readonly display?: string
}

export interface TransactionBundle {
  readonly resourceType: 'Bundle'
  readonly type: 'transaction'
  readonly entry: readonly {
    readonly fullUrl: string
    readonly resource: Resource
    readonly request: { readonly method: 'PUT'; readonly url: string }
  }[]
}

/** More would make a transaction of the sample take long enough to be noticed. */
const maxEntries = 200

const titles = new Set(['Dr', 'Dre', 'Me'])

const roleNames: Readonly<Record<string, string>> = {
  physician: 'Médecin',
  resident: 'Médecin résident',
  pharmacist: 'Pharmacien',
  nurse: 'Infirmier',
  dietitian: 'Diététiste',
  'medical-archivist': 'Archiviste médical',
}

const facilityTypes: Readonly<Record<SampleFacility['type'], string>> = {
  hospital: 'Hôpital',
  clinic: 'Clinique médicale',
  pharmacy: 'Pharmacie communautaire',
}

/** Collects the resources of one bundle. Ids come from the seed and a name: publishing again publishes the same. */
export class Scene {
  readonly facility: SampleFacility
  readonly person: SamplePatient
  readonly #seed: string
  readonly #resources = new Map<string, Resource>()

  constructor(seed: string, facility: SampleFacility, person: SamplePatient) {
    this.#seed = seed
    this.facility = facility
    this.person = person
  }

  /** A stream of chance of its own for each purpose. */
  draw(purpose: string): Draw {
    return draw(this.#seed, `${this.facility.id}|${this.#personName()}|${purpose}`)
  }

  /** A UUID that belongs to this patient at this facility. */
  uuid(name: string): string {
    return namedUuid(this.#seed, `${this.facility.id}|${this.#personName()}|${name}`)
  }

  /**
   * Adds a resource of the patient under a name that is unique in the bundle.
   * @throws Error on a second resource of that name.
   */
  add(name: string, resourceType: string, elements: Readonly<Record<string, unknown>>): Reference {
    return this.#put(this.uuid(`${resourceType}|${name}`), resourceType, elements)
  }

  /** The patient as this facility has it on file. */
  patient(): Reference {
    const id = this.uuid('Patient')
    return this.#once(id, () => this.#put(id, 'Patient', this.#patientElements()))
  }

  organization(): Reference {
    const { id, uri, name, type } = this.facility
    return this.#shared('Organization', id, () => ({
      identifier: [{ system: 'urn:ietf:rfc:3986', value: uri }],
      active: true,
      type: [concept(systems.organizationType, 'prov', 'Healthcare Provider', facilityTypes[type])],
      name,
    }))
  }

  location(): Reference {
    const { id, name } = this.facility
    return this.#shared('Location', id, () => ({
      status: 'active',
      name,
      mode: 'instance',
      managingOrganization: this.organization(),
    }))
  }

  /** Somebody of that role who works at this facility, with the role they hold there. */
  staff(...roles: readonly string[]): Reference {
    for (const role of roles) {
      const professional = professionals.find((one) =>
        one.roles.some((held) => held.role === role && held.facility === this.facility.id),
      )
      if (professional) return this.#practitioner(professional, role)
    }
    throw new Error(`${this.facility.id} has no ${roles.join(' or ')} in the sample directory`)
  }

  bundle(): TransactionBundle {
    const entry = [...this.#resources.values()].map((resource) => ({
      fullUrl: `urn:uuid:${resource.id}`,
      resource,
      request: { method: 'PUT' as const, url: `${resource.resourceType}/${resource.id}` },
    }))
    if (entry.length > Math.min(maxEntries, limits.maxBundleEntries)) {
      throw new Error(
        `${entry.length} resources about one patient at ${this.facility.id}: more than a sample bundle takes`,
      )
    }
    return { resourceType: 'Bundle', type: 'transaction', entry }
  }

  #personName(): string {
    return `${this.person.family}|${this.person.given.join(' ')}|${this.person.birthDate}`
  }

  #patientElements(): Readonly<Record<string, unknown>> {
    const { person, facility } = this
    const family = person.otherName?.facility === facility.id ? person.otherName.family : person.family
    const numbers = this.draw('file number')
    return {
      meta: { tag: [coding(systems.actReason, 'HTEST', 'test health data')] },
      identifier: [
        ...(person.insured === false
          ? []
          : [
              {
                use: 'official',
                type: concept(systems.identifierType, 'JHN', 'Jurisdictional health number (Canada)'),
                system: systems.nam,
                value: healthInsuranceNumber(person),
              },
            ]),
        {
          use: 'usual',
          type: concept(systems.identifierType, 'MR', 'Medical record number'),
          system: `${facility.uri}/patient`,
          value: String(numbers.int(100_000, 999_999)),
        },
      ],
      active: true,
      name: [{ use: 'official', family, given: person.given }],
      telecom: [{ system: 'phone', value: person.phone, use: 'home' }],
      gender: person.gender,
      birthDate: person.birthDate,
      address: [
        {
          use: 'home',
          line: [person.line],
          city: person.city,
          state: 'QC',
          postalCode: person.postalCode,
          country: 'CA',
        },
      ],
      communication: [{ language: concept('urn:ietf:bcp:47', 'fr-CA', 'French (Canada)'), preferred: true }],
      managingOrganization: this.organization(),
    }
  }

  #practitioner(professional: SampleProfessional, role: string): Reference {
    const [first = '', ...others] = professional.name.split(' ')
    const prefix = titles.has(first) ? first : undefined
    const names = prefix === undefined ? [first, ...others] : others
    const practitioner = this.#shared('Practitioner', professional.id, () => ({
      identifier: [{ system: 'https://dossier.example/professional', value: professional.id }],
      active: true,
      name: [
        {
          use: 'official',
          text: professional.name,
          family: names.at(-1),
          given: names.slice(0, -1),
          ...(prefix === undefined ? {} : { prefix: [prefix] }),
        },
      ],
    }))
    this.#shared('PractitionerRole', `${professional.id}|${role}`, () => ({
      active: true,
      practitioner,
      organization: this.organization(),
      code: [this.#roleConcept(role)],
      location: [this.location()],
    }))
    return { ...practitioner, display: professional.name }
  }

  #roleConcept(role: string): CodeableConcept {
    return concept(roleSystem, role, role, roleNames[role] ?? role)
  }

  /** A resource that is the same in every bundle of the facility. */
  #shared(resourceType: string, name: string, elements: () => Readonly<Record<string, unknown>>): Reference {
    const id = namedUuid(this.#seed, `${this.facility.id}|${resourceType}|${name}`)
    return this.#once(id, () => this.#put(id, resourceType, elements()))
  }

  #once(id: string, make: () => Reference): Reference {
    return this.#resources.has(id) ? { reference: `urn:uuid:${id}` } : make()
  }

  #put(id: string, resourceType: string, elements: Readonly<Record<string, unknown>>): Reference {
    if (this.#resources.has(id)) throw new Error(`${resourceType} ${id} is twice in one sample bundle`)
    this.#resources.set(id, { resourceType, id, ...elements })
    return { reference: `urn:uuid:${id}` }
  }
}

/** @throws Error when the directory has no such facility. */
export function facilityOf(id: string): SampleFacility {
  const facility = facilities.find((one) => one.id === id)
  if (!facility) throw new Error(`${id} is not in the sample directory`)
  return facility
}
