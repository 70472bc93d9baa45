/** Bindings of the Worker: the text variables of `config.ts` and two Durable Object classes. */
import type { Environment } from '../config.ts'
import type { AuditLogObject } from './audit-log-object.ts'
import type { ScheduleObject } from './schedule-object.ts'

export interface WorkerEnvironment extends Environment {
  readonly AUDIT_LOG: DurableObjectNamespace<AuditLogObject>
  readonly SCHEDULE: DurableObjectNamespace<ScheduleObject>
}
