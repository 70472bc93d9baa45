/** What happens to the sample's patients once: examinations, hospital stays, allergies, vaccinations. */
import type { DrugName } from './medications.ts'
import type { ProblemName } from './problems.ts'

export interface Examination {
  readonly loinc: string
  readonly display: string
  readonly text: string
  /** DICOM modality. */
  readonly modality: 'CT' | 'MR' | 'DX' | 'US' | 'MG'
  readonly modalityDisplay: string
  /** SNOMED CT body structure. */
  readonly bodySite: { readonly code: string; readonly display: string }
  readonly series: number
  readonly instances: number
}

const chest = { code: '816094009', display: 'Chest' }
const head = { code: '69536005', display: 'Head structure' }

export const examinations = {
  chestXray: {
    loinc: '36643-5',
    display: 'Chest X-ray 2 views',
    text: 'Radiographie pulmonaire, 2 incidences',
    modality: 'DX',
    modalityDisplay: 'Digital Radiography',
    bodySite: chest,
    series: 2,
    instances: 2,
  },
  chestCt: {
    loinc: '24627-2',
    display: 'Chest CT',
    text: 'Tomodensitométrie du thorax',
    modality: 'CT',
    modalityDisplay: 'Computed Tomography',
    bodySite: chest,
    series: 3,
    instances: 420,
  },
  headCt: {
    loinc: '24725-4',
    display: 'Head CT',
    text: 'Tomodensitométrie de la tête',
    modality: 'CT',
    modalityDisplay: 'Computed Tomography',
    bodySite: head,
    series: 2,
    instances: 180,
  },
  brainMri: {
    loinc: '24590-2',
    display: 'Brain MRI',
    text: 'Imagerie par résonance magnétique cérébrale',
    modality: 'MR',
    modalityDisplay: 'Magnetic Resonance',
    bodySite: head,
    series: 6,
    instances: 540,
  },
  echocardiogram: {
    loinc: '42148-7',
    display: 'Heart US',
    text: 'Échocardiographie',
    modality: 'US',
    modalityDisplay: 'Ultrasound',
    bodySite: { code: '80891009', display: 'Heart' },
    series: 1,
    instances: 64,
  },
  abdomenUltrasound: {
    loinc: '24558-9',
    display: 'Abdomen US',
    text: 'Échographie abdominale',
    modality: 'US',
    modalityDisplay: 'Ultrasound',
    bodySite: { code: '818981001', display: 'Abdomen' },
    series: 1,
    instances: 38,
  },
  mammogram: {
    loinc: '24606-6',
    display: 'Breast Mammogram screening',
    text: 'Mammographie de dépistage',
    modality: 'MG',
    modalityDisplay: 'Mammography',
    bodySite: { code: '76752008', display: 'Breast' },
    series: 4,
    instances: 4,
  },
} as const satisfies Record<string, Examination>

export interface Stay {
  /** SNOMED CT: why the patient was admitted. */
  readonly reason: { readonly code: string; readonly display: string; readonly text: string }
  readonly procedure: { readonly code: string; readonly display: string; readonly text: string } | null
  readonly nights: number
  readonly course: string
  readonly plan: string
  readonly dischargeDrugs: readonly DrugName[]
}

export const stays = {
  pneumonia: {
    reason: { code: '233604007', display: 'Pneumonia', text: 'Pneumonie' },
    procedure: null,
    nights: 4,
    course:
      'Fièvre, toux et foyer du lobe inférieur droit. Évolution favorable sous antibiotique; sevrage de l’oxygène au jour 3.',
    plan: 'Terminer l’antibiotique. Radiographie de contrôle dans 6 semaines.',
    dischargeDrugs: ['clarithromycin'],
  },
  heartFailure: {
    reason: { code: '84114007', display: 'Heart failure', text: 'Décompensation cardiaque' },
    procedure: null,
    nights: 6,
    course: 'Dyspnée progressive et œdèmes depuis dix jours. Diurèse intraveineuse, perte de 5 kg.',
    plan: 'Poids quotidien. Créatinine et potassium dans une semaine.',
    dischargeDrugs: ['furosemide', 'spironolactone'],
  },
  hipReplacement: {
    reason: { code: '239872002', display: 'Osteoarthritis of hip', text: 'Arthrose de la hanche' },
    procedure: {
      code: '52734007',
      display: 'Total replacement of hip',
      text: 'Arthroplastie totale de la hanche droite',
    },
    nights: 3,
    course: 'Intervention élective sans complication. Marche avec aide technique au jour 1.',
    plan: 'Physiothérapie à domicile. Anticoagulation pendant 35 jours.',
    dischargeDrugs: ['apixaban', 'acetaminophen'],
  },
  appendectomy: {
    reason: { code: '74400008', display: 'Appendicitis', text: 'Appendicite aiguë' },
    procedure: { code: '80146002', display: 'Appendectomy', text: 'Appendicectomie par laparoscopie' },
    nights: 1,
    course: 'Appendice enflammé non perforé. Suites simples.',
    plan: 'Pas d’activité physique pendant 2 semaines.',
    dischargeDrugs: ['acetaminophen'],
  },
  coronaryIntervention: {
    reason: { code: '22298006', display: 'Myocardial infarction', text: 'Infarctus du myocarde' },
    procedure: {
      code: '415070008',
      display: 'Percutaneous coronary intervention',
      text: 'Intervention coronarienne percutanée, interventriculaire antérieure',
    },
    nights: 4,
    course: 'Douleur rétrosternale depuis trois heures. Une endoprothèse posée, fraction d’éjection 50 %.',
    plan: 'Double antiplaquettaire pendant 12 mois. Réadaptation cardiaque.',
    dischargeDrugs: ['clopidogrel', 'asa', 'atorvastatin'],
  },
  urinaryInfection: {
    reason: {
      code: '68566005',
      display: 'Urinary tract infectious disease',
      text: 'Infection urinaire fébrile',
    },
    procedure: null,
    nights: 2,
    course: 'Fièvre et confusion en voyage. Culture positive à E. coli, sensible.',
    plan: 'Antibiotique 7 jours. Contrôle du RIN dans 3 jours.',
    dischargeDrugs: ['trimethoprimSulfa'],
  },
  birth: {
    reason: { code: '3950001', display: 'Birth', text: 'Naissance à terme' },
    procedure: null,
    nights: 2,
    course: 'Accouchement vaginal, Apgar 9-9-10, poids de naissance 3 420 g.',
    plan: 'Suivi à une semaine.',
    dischargeDrugs: [],
  },
} as const satisfies Record<string, Stay>

export interface Allergy {
  readonly code: string
  readonly display: string
  readonly text: string
  readonly category: 'medication' | 'food' | 'environment'
  readonly criticality: 'low' | 'high'
  readonly reaction: { readonly code: string; readonly display: string; readonly text: string }
}

const anaphylaxis = { code: '39579001', display: 'Anaphylaxis', text: 'Anaphylaxie' }
const rash = { code: '271807003', display: 'Eruption of skin', text: 'Éruption cutanée' }
const urticaria = { code: '126485001', display: 'Urticaria', text: 'Urticaire' }

export const allergies = {
  penicillin: {
    code: '91936005',
    display: 'Allergy to penicillin',
    text: 'Allergie à la pénicilline',
    category: 'medication',
    criticality: 'high',
    reaction: anaphylaxis,
  },
  peanut: {
    code: '91935009',
    display: 'Allergy to peanut',
    text: 'Allergie aux arachides',
    category: 'food',
    criticality: 'high',
    reaction: anaphylaxis,
  },
  shellfish: {
    code: '300913006',
    display: 'Allergy to shellfish',
    text: 'Allergie aux crustacés',
    category: 'food',
    criticality: 'low',
    reaction: urticaria,
  },
  grassPollen: {
    code: '418689008',
    display: 'Allergy to grass pollen',
    text: 'Allergie au pollen de graminées',
    category: 'environment',
    criticality: 'low',
    reaction: rash,
  },
} as const satisfies Record<string, Allergy>

export interface Vaccine {
  readonly cvx: string
  readonly display: string
  readonly text: string
}

export const vaccines = {
  influenza: {
    cvx: '140',
    display: 'Influenza, seasonal, injectable, preservative free',
    text: 'Grippe saisonnière, injectable',
  },
  zoster: { cvx: '187', display: 'zoster recombinant', text: 'Zona, recombinant' },
  pneumococcal: {
    cvx: '133',
    display: 'Pneumococcal conjugate PCV 13',
    text: 'Pneumocoque conjugué 13-valent',
  },
  tetanus: { cvx: '113', display: 'Td (adult) preservative free', text: 'Diphtérie et tétanos, adulte' },
  mmr: { cvx: '03', display: 'MMR', text: 'Rougeole, rubéole et oreillons' },
  infantCombined: { cvx: '146', display: 'DTaP-IPV-Hib-HepB', text: 'Vaccin combiné du nourrisson' },
} as const satisfies Record<string, Vaccine>

/** One patient's dated events; days count back from the reference date. */
export interface History {
  readonly problems: readonly ProblemName[]
  readonly allergies: readonly (keyof typeof allergies)[]
  readonly examinations: readonly {
    readonly facility: string
    readonly examination: keyof typeof examinations
    readonly daysAgo: number
    readonly conclusion: string
  }[]
  readonly stays: readonly {
    readonly facility: string
    readonly stay: keyof typeof stays
    readonly daysAgo: number
  }[]
}
