/** Laboratory tests of the sample data: LOINC codes with SI units as Québec laboratories report them. */

export interface LaboratoryTest {
  readonly loinc: string
  readonly display: string
  readonly text: string
  /** UCUM. */
  readonly unit: string
  /** Reference range of adults; null where there is no bound on that side. */
  readonly low: number | null
  readonly high: number | null
  readonly decimals: number
  /** What a healthy adult has, and how far single results lie from it (a fraction). */
  readonly usual: number
  readonly spread: number
}

const test = (
  loinc: string,
  display: string,
  text: string,
  unit: string,
  range: readonly [number | null, number | null],
  usual: number,
  spread: number,
  decimals: number,
): LaboratoryTest => ({ loinc, display, text, unit, low: range[0], high: range[1], usual, spread, decimals })

export const laboratoryTests = {
  creatinine: test(
    '14682-9',
    'Creatinine [Moles/volume] in Serum or Plasma',
    'Créatinine',
    'umol/L',
    [45, 105],
    74,
    0.06,
    0,
  ),
  // Computed from the creatinine of the same specimen, see laboratory.ts.
  egfr: test(
    '62238-1',
    'Glomerular filtration rate/1.73 sq M.predicted [Volume Rate/Area] in Serum, Plasma or Blood by Creatinine-based formula (CKD-EPI)',
    'Débit de filtration glomérulaire estimé (DFGe)',
    'mL/min/{1.73_m2}',
    [60, null],
    90,
    0,
    0,
  ),
  sodium: test(
    '2951-2',
    'Sodium [Moles/volume] in Serum or Plasma',
    'Sodium',
    'mmol/L',
    [135, 145],
    140,
    0.012,
    0,
  ),
  potassium: test(
    '2823-3',
    'Potassium [Moles/volume] in Serum or Plasma',
    'Potassium',
    'mmol/L',
    [3.5, 5.1],
    4.2,
    0.06,
    1,
  ),
  glucose: test(
    '14749-6',
    'Glucose [Moles/volume] in Serum or Plasma',
    'Glucose',
    'mmol/L',
    [3.9, 11],
    5.4,
    0.1,
    1,
  ),
  hba1c: test(
    '4548-4',
    'Hemoglobin A1c/Hemoglobin.total in Blood',
    'Hémoglobine glyquée (HbA1c)',
    '%',
    [4, 6],
    5.3,
    0.04,
    1,
  ),
  haemoglobin: test(
    '718-7',
    'Hemoglobin [Mass/volume] in Blood',
    'Hémoglobine',
    'g/L',
    [120, 170],
    142,
    0.04,
    0,
  ),
  leucocytes: test(
    '6690-2',
    'Leukocytes [#/volume] in Blood by Automated count',
    'Leucocytes',
    '10*9/L',
    [4, 11],
    6.8,
    0.18,
    1,
  ),
  platelets: test(
    '777-3',
    'Platelets [#/volume] in Blood by Automated count',
    'Plaquettes',
    '10*9/L',
    [150, 400],
    245,
    0.1,
    0,
  ),
  cholesterol: test(
    '14647-2',
    'Cholesterol [Moles/volume] in Serum or Plasma',
    'Cholestérol total',
    'mmol/L',
    [null, 5.2],
    4.6,
    0.07,
    2,
  ),
  hdl: test(
    '14646-4',
    'Cholesterol in HDL [Moles/volume] in Serum or Plasma',
    'Cholestérol HDL',
    'mmol/L',
    [1, null],
    1.4,
    0.08,
    2,
  ),
  ldl: test(
    '22748-8',
    'Cholesterol in LDL [Moles/volume] in Serum or Plasma',
    'Cholestérol LDL',
    'mmol/L',
    [null, 3.5],
    2.6,
    0.09,
    2,
  ),
  triglycerides: test(
    '14927-8',
    'Triglyceride [Moles/volume] in Serum or Plasma',
    'Triglycérides',
    'mmol/L',
    [null, 1.7],
    1.2,
    0.15,
    2,
  ),
  tsh: test(
    '3016-3',
    'Thyrotropin [Units/volume] in Serum or Plasma',
    'TSH',
    'm[IU]/L',
    [0.4, 4.5],
    1.9,
    0.15,
    2,
  ),
  ferritin: test(
    '2276-4',
    'Ferritin [Mass/volume] in Serum or Plasma',
    'Ferritine',
    'ug/L',
    [15, 300],
    85,
    0.2,
    0,
  ),
  inr: test(
    '6301-6',
    'INR in Platelet poor plasma by Coagulation assay',
    'RIN',
    '{INR}',
    [0.9, 1.2],
    1,
    0.1,
    1,
  ),
  crp: test(
    '1988-5',
    'C reactive protein [Mass/volume] in Serum or Plasma',
    'Protéine C réactive',
    'mg/L',
    [null, 5],
    2,
    0.4,
    1,
  ),
  alt: test(
    '1742-6',
    'Alanine aminotransferase [Enzymatic activity/volume] in Serum or Plasma',
    'ALT',
    'U/L',
    [null, 45],
    22,
    0.2,
    0,
  ),
} as const satisfies Record<string, LaboratoryTest>

export type TestName = keyof typeof laboratoryTests

export interface Panel {
  readonly loinc: string
  readonly display: string
  readonly text: string
  /** SNOMED CT type of specimen. */
  readonly specimen: { readonly code: string; readonly display: string; readonly text: string }
  readonly tests: readonly TestName[]
}

const serum = { code: '119364003', display: 'Serum specimen', text: 'Sérum' }
const blood = { code: '122555007', display: 'Venous blood specimen', text: 'Sang veineux' }

/** A panel of one test is reported under the code of that test. */
const single = (name: TestName, specimen: Panel['specimen']): Panel => {
  const { loinc, display, text } = laboratoryTests[name]
  return { loinc, display, text, specimen, tests: [name] }
}

export const panels = {
  renal: {
    loinc: '51990-0',
    display: 'Basic metabolic panel - Blood',
    text: 'Bilan rénal et électrolytes',
    specimen: serum,
    tests: ['creatinine', 'egfr', 'sodium', 'potassium', 'glucose'],
  },
  cbc: {
    loinc: '58410-2',
    display: 'CBC panel - Blood by Automated count',
    text: 'Formule sanguine complète',
    specimen: blood,
    tests: ['haemoglobin', 'leucocytes', 'platelets'],
  },
  lipids: {
    loinc: '24331-1',
    display: 'Lipid 1996 panel - Serum or Plasma',
    text: 'Bilan lipidique',
    specimen: serum,
    tests: ['cholesterol', 'hdl', 'ldl', 'triglycerides'],
  },
  hba1c: single('hba1c', blood),
  tsh: single('tsh', serum),
  ferritin: single('ferritin', serum),
  inr: single('inr', blood),
  crp: single('crp', serum),
  alt: single('alt', serum),
} as const satisfies Record<string, Panel>

export type PanelName = keyof typeof panels
