/** Who searches: people and systems who see different parts of the record, and the registry that says so. */
import type { Caller, Scope } from './caller.ts'
import type { FacilityId, Professional, World } from './world.ts'

const clinical = ['medication', 'laboratory', 'imaging', 'immunization', 'allergy', 'hospital-summary']
const everywhere = { facilityType: '*', purpose: 'TREAT' }
const cells = (role: string, domains: readonly string[]) =>
  domains.map((domain) => ({ ...everywhere, role, domain }))

export const registry: World = {
  types: [],
  matrix: [
    ...cells('physician', [...clinical, 'other']),
    ...cells('nurse', ['laboratory', 'immunization', 'hospital-summary']),
    ...cells('pharmacist', ['medication']),
  ],
  clearances: [{ ...everywhere, role: 'physician', own: 'V', elsewhere: 'N' }],
  held: [
    { professional: 'tremblay', role: 'physician', facility: 'hospital' },
    { professional: 'gagnon', role: 'nurse', facility: 'hospital' },
    { professional: 'roy', role: 'pharmacist', facility: 'pharmacy' },
    { professional: 'roy', role: 'physician', facility: 'clinic' },
  ],
  lifted: [],
  sources: [],
  relationships: [],
  rules: [],
  emergencies: [],
  documents: [],
}

const provider = (
  professional: Professional,
  role: string,
  facility: FacilityId,
  scopes: readonly Scope[] | null = null,
): Caller => ({ kind: 'provider', professional, facility, role, purpose: 'TREAT', scopes, context: null })

export const system = (facility: FacilityId): Caller => ({
  ...provider('tremblay', '', facility),
  kind: 'system',
  role: null,
  purpose: null,
})

const narrow = (type: string, parameter: Scope['parameter'] = null): Scope => ({
  context: 'user',
  type,
  interactions: 'rs',
  parameter,
})

export const callers: Readonly<Record<string, Caller>> = {
  physician: provider('tremblay', 'physician', 'hospital'),
  nurse: provider('gagnon', 'nurse', 'hospital'),
  pharmacist: provider('roy', 'pharmacist', 'pharmacy'),
  elsewhere: provider('roy', 'physician', 'clinic'),
  narrowed: provider('tremblay', 'physician', 'hospital', [
    narrow('Observation', { name: 'category', token: 'laboratory' }),
    ...['Patient', 'Encounter', 'DiagnosticReport', 'Condition', 'Organization'].map((type) => narrow(type)),
  ]),
  'hospital system': system('hospital'),
  'clinic system': system('clinic'),
}
