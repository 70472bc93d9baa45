/** Consents as clients send them. */
export const ip = 'https://dossier.example'

const coding = (system: string, code: string) => ({ coding: [{ system, code }] })

export const totalRefusal = {
  resourceType: 'Consent',
  status: 'active',
  scope: coding('http://terminology.hl7.org/CodeSystem/consentscope', 'patient-privacy'),
  category: [coding('http://loinc.org', '59284-0')],
  patient: { reference: 'Patient/a-hopital' },
  dateTime: '2026-11-20',
  policyRule: coding('http://terminology.hl7.org/CodeSystem/v3-ActCode', 'OPTOUT'),
  provision: { type: 'deny' },
}

export const person = (kind: string, value: string) => ({
  role: coding('http://terminology.hl7.org/CodeSystem/v3-ParticipationType', 'IRCP'),
  reference: { identifier: { system: `${ip}/${kind}`, value } },
})

export const restriction = {
  ...totalRefusal,
  provision: {
    type: 'permit',
    provision: [
      {
        type: 'deny',
        actor: [person('professional', 'dr-roy'), { role: coding(`${ip}/CodeSystem/role`, 'nurse') }],
        code: ['medication', 'laboratory'].map((name) => coding(`${ip}/CodeSystem/domain`, name)),
      },
      { type: 'deny', data: [{ meaning: 'instance', reference: { reference: 'Observation/x1' } }] },
    ],
  },
}

export const withMeans = (valueCode: string) => ({
  extension: [{ url: `${ip}/StructureDefinition/consent-means`, valueCode }],
})
