/** Health problems of the sample's patients: what is monitored, what is taken, and where the results drift. */
import type { PanelName, TestName } from './laboratory-tests.ts'
import type { DrugName } from './medications.ts'

export interface Problem {
  /** SNOMED CT. */
  readonly code: string
  readonly display: string
  readonly text: string
  readonly drugs: readonly DrugName[]
  /** Months between two reports of a panel. */
  readonly monitored: Partial<Record<PanelName, number>>
  /** Results move from the first to the second value over the years of the series. */
  readonly results: Partial<Record<TestName, readonly [from: number, to: number]>>
}

export const problems = {
  diabetes: {
    code: '44054006',
    display: 'Diabetes mellitus type 2',
    text: 'Diabète de type 2',
    drugs: ['metformin', 'empagliflozin'],
    monitored: { hba1c: 4, renal: 8, lipids: 12 },
    results: { hba1c: [8.6, 7.1], glucose: [11.2, 8.1] },
  },
  hypertension: {
    code: '38341003',
    display: 'Hypertensive disorder, systemic arterial',
    text: 'Hypertension artérielle',
    drugs: ['amlodipine', 'hydrochlorothiazide'],
    monitored: { renal: 12 },
    results: { potassium: [4.2, 3.7] },
  },
  kidneyDisease: {
    code: '709044004',
    display: 'Chronic kidney disease',
    text: 'Maladie rénale chronique',
    drugs: ['candesartan'],
    monitored: { renal: 4, cbc: 8 },
    results: { creatinine: [112, 178], potassium: [4.5, 5.3], haemoglobin: [124, 109] },
  },
  atrialFibrillation: {
    code: '49436004',
    display: 'Atrial fibrillation',
    text: 'Fibrillation auriculaire',
    drugs: ['warfarin', 'metoprolol'],
    monitored: { inr: 2, cbc: 12 },
    results: { inr: [2.2, 2.7] },
  },
  heartFailure: {
    code: '84114007',
    display: 'Heart failure',
    text: 'Insuffisance cardiaque',
    drugs: ['furosemide', 'spironolactone', 'ramipril'],
    monitored: { renal: 5 },
    results: { potassium: [4.4, 5.2], sodium: [138, 133], creatinine: [98, 124] },
  },
  coronaryDisease: {
    code: '53741008',
    display: 'Coronary arteriosclerosis',
    text: 'Maladie coronarienne',
    drugs: ['clopidogrel', 'asa', 'atorvastatin'],
    monitored: { lipids: 8, renal: 12 },
    results: { ldl: [3.9, 1.7], cholesterol: [6.1, 3.6] },
  },
  hyperlipidemia: {
    code: '55822004',
    display: 'Hyperlipidemia',
    text: 'Hyperlipidémie',
    drugs: ['rosuvastatin'],
    monitored: { lipids: 10, alt: 16 },
    results: { ldl: [4.4, 2.3], cholesterol: [6.7, 4.3], triglycerides: [2.6, 1.8] },
  },
  hypothyroidism: {
    code: '40930008',
    display: 'Hypothyroidism',
    text: 'Hypothyroïdie',
    drugs: ['levothyroxine'],
    monitored: { tsh: 6 },
    results: { tsh: [9.4, 2.1] },
  },
  anaemia: {
    code: '271737000',
    display: 'Anemia',
    text: 'Anémie',
    drugs: [],
    monitored: { cbc: 5, ferritin: 10 },
    results: { haemoglobin: [96, 121], ferritin: [6, 28] },
  },
  asthma: {
    code: '195967001',
    display: 'Asthma',
    text: 'Asthme',
    drugs: ['salbutamol'],
    monitored: {},
    results: {},
  },
  copd: {
    code: '13645005',
    display: 'Chronic obstructive pulmonary disease',
    text: 'Maladie pulmonaire obstructive chronique',
    drugs: ['salbutamol'],
    monitored: { cbc: 10, crp: 14 },
    results: { crp: [6, 14], leucocytes: [8.5, 10.5] },
  },
  osteoarthritis: {
    code: '239872002',
    display: 'Osteoarthritis of hip',
    text: 'Arthrose de la hanche',
    drugs: ['acetaminophen'],
    monitored: {},
    results: {},
  },
  depression: {
    code: '35489007',
    display: 'Depressive disorder',
    text: 'Trouble dépressif',
    drugs: ['sertraline'],
    monitored: { tsh: 20 },
    results: {},
  },
  epilepsy: {
    code: '84757009',
    display: 'Epilepsy',
    text: 'Épilepsie',
    drugs: ['carbamazepine'],
    monitored: { cbc: 8, alt: 8 },
    results: { sodium: [139, 134], alt: [28, 41] },
  },
} as const satisfies Record<string, Problem>

export type ProblemName = keyof typeof problems
