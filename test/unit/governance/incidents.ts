/** An incident as an officer enters it, and what closing it takes. */

export const register = {
  information: 'Résultats de laboratoire de 2024',
  circumstances: 'Un dossier a été consulté sans relation de soins.',
  occurred: { from: '2026-11-02', to: '2026-11-03' },
  aware: { from: '2026-11-20' },
  persons: { count: 1, approximate: false },
} as const

export const concluded = {
  ...register,
  risk: { serious: false, elements: 'Consultation par un professionnel tenu au secret, rien n’est sorti.' },
  measures: 'Rappel des règles au professionnel concerné.',
} as const

export const serious = {
  ...concluded,
  risk: { serious: true, elements: 'Renseignements sensibles, copiés par un tiers.' },
  notices: { minister: '2026-11-20', commission: '2026-11-21', persons: '2026-11-21' },
} as const
