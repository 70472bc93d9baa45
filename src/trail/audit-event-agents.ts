/** Who took part in an access, as agents of an AuditEvent: the client, this record, the user and his organisation. */
import type { Access } from '../audit/port.ts'
import type { EventKind } from './audit-event-actions.ts'
import { codeable, identified, told } from './audit-event-elements.ts'
import {
  type AuditEventAgent,
  type Coding,
  type Reference,
  reasonSystem,
  roleSystem,
  terms,
  uriSystem,
} from './audit-event-types.ts'

/** This record: the same as source of the event and as agent (BALP, val-audit-source). */
export const recordOf = (origin: string): Reference => ({
  type: 'Device',
  identifier: { system: uriSystem, value: origin },
})

/** Of the event itself. */
export function agentsOf(access: Access, kind: EventKind, origin: string): AuditEventAgent[] {
  const organisation = told(access.who.organisation)
  const client = clientOf(access, kind.client)
  const isApplication = kind.client === terms.application
  return [
    client,
    {
      type: { coding: [kind.server] },
      who: recordOf(origin),
      requestor: false,
      network: { address: origin, type: '5' },
    },
    ...(hasToken(access) && !isApplication ? [clientOf(access, terms.application)] : []),
    ...userOf(access, kind.user === 'author' ? [terms.author, terms.oauthUser] : [terms.recipient], origin),
    ...(organisation === null ? [] : [organisationOf(organisation, origin)]),
  ]
}

/** Of the decision to let the user, or not: BALP forbids some of what the event itself says of him. */
export function decisionAgentsOf(access: Access, origin: string): AuditEventAgent[] {
  return [
    clientOf(access, terms.application),
    ...userOf(access, [terms.recipient], origin).map(({ altId: _a, location: _l, ...user }) => user),
    organisationOf(access.who.organisation ?? '', origin),
    { type: { coding: [terms.authoriser] }, who: recordOf(origin), requestor: false },
  ]
}

/** A token was presented, so that it is known who asked and by what. */
export const hasToken = ({ who }: Access): boolean =>
  [who.token, who.client, who.subject].every((value) => told(value) !== null)

/** RFC 6755's namespace for a `jti`, as BALP wants it. */
export const tokenUri = (jti: string): string => `urn:ietf:params:oauth:jti:${encodeURIComponent(jti)}`

function clientOf({ who }: Access, type: Coding): AuditEventAgent {
  const client = told(who.client)
  const address = told(who.address)
  return {
    type: { coding: [type] },
    ...(client === null ? {} : { who: { identifier: { value: client } } }),
    requestor: false,
    ...(address === null ? {} : { network: { address, type: isIpAddress(address) ? '2' : '1' } }),
  }
}

function userOf({ who, purpose }: Access, types: readonly Coding[], origin: string): AuditEventAgent[] {
  const subject = told(who.subject)
  if (subject === null) return []
  const [name, practitioner, facility, token, role] = [
    told(who.name),
    told(who.practitioner),
    told(who.facility),
    told(who.token),
    told(who.role),
  ]
  const reason = told(purpose)
  return [
    {
      type: { coding: types },
      ...(role === null ? {} : { role: [codeable(roleSystem, role)] }),
      who: { ...identified(who.issuer, subject), ...(name === null ? {} : { display: name }) },
      ...(practitioner === null ? {} : { altId: practitioner }),
      ...(name === null ? {} : { name }),
      requestor: true,
      ...(facility === null
        ? {}
        : { location: identified(`${origin}/registry/facility`, facility, 'Location') }),
      ...(token === null ? {} : { policy: [tokenUri(token)] }),
      ...(reason === null ? {} : { purposeOfUse: [codeable(reasonSystem, reason)] }),
    },
  ]
}

const organisationOf = (organisation: string, origin: string): AuditEventAgent => ({
  type: { coding: [terms.provider] },
  who: identified(`${origin}/registry/organisation`, organisation, 'Organization'),
  requestor: false,
})

const isIpAddress = (address: string): boolean =>
  /^(?:\d{1,3}(?:\.\d{1,3}){3}|[\da-f:.]*:[\da-f:.]*)$/i.test(address)
