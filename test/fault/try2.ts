import { runSchedule } from './run.ts'

for (let i = 0; i < 400; i++) await runSchedule('fresh', [], i)
