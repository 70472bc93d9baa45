export { AuditLogObject } from '../../src/worker/audit-log-object.ts'

export default {
  fetch: (): Response => new Response('test entry'),
}
