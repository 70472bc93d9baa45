"""What an AuditEvent must say, by its entry (docs/audit-log.md §4, AuditEvent)."""

import base64
import hashlib
import re
from urllib.parse import quote

from canonical import number_text
from event_facts import get

_DCM = 'http://dicom.nema.org/resources/ontology/DCM'
_REST = 'http://hl7.org/fhir/restful-interaction'
_PARTICIPATION = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType'
_ENTITY = 'http://terminology.hl7.org/CodeSystem/audit-entity-type'
_TYPES = 'http://hl7.org/fhir/resource-types'
_ROLES = 'http://terminology.hl7.org/CodeSystem/object-role'
_REASONS = 'http://terminology.hl7.org/CodeSystem/v3-ActReason'
_BALP = 'https://profiles.ihe.net/ITI/BALP/CodeSystem'
_URI = 'urn:ietf:rfc:3986'

_RESTFUL = ['http://terminology.hl7.org/CodeSystem/audit-event-type', 'rest']
_ALERT = [_DCM, '110113']
_APPLICATION = [_DCM, '110150']
_DESTINATION = [_DCM, '110152']
_SOURCE = [_DCM, '110153']
_CUSTODIAN = ['http://terminology.hl7.org/CodeSystem/provenance-participant-type', 'custodian']
_RECIPIENT = [[_PARTICIPATION, 'IRCP']]
_OAUTH = [f'{_BALP}/UserAgentTypes', 'UserOauthAgent']
_AUTHOR = [[_PARTICIPATION, 'AUT'], _OAUTH]

_NO_CODE = [None, None]
_NO_REFERENCE = [None, None, None, None, None]


class _Kind:
    def __init__(self, type_, subtypes, action, client, server, user, is_query):
        self.type = type_
        self.subtypes = subtypes
        self.action = action
        self.client = client
        self.server = server
        self.user = user
        self.is_query = is_query


def _read(*codes):
    return _Kind(_RESTFUL, [[_REST, code] for code in codes], 'R', _DESTINATION, _SOURCE, _RECIPIENT, False)


def _query(*subtypes, type_=_RESTFUL, action='E'):
    return _Kind(type_, list(subtypes), action, _SOURCE, _DESTINATION, _RECIPIENT, True)


def _write(action, *codes, client=_SOURCE, server=_DESTINATION):
    return _Kind(_RESTFUL, [[_REST, code] for code in codes], action, client, server, _AUTHOR, False)


_DISCLOSURE = [['http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle', 'disclose']]
_OPERATION = _query([_REST, 'operation'])
_KINDS = {
    'read': _read('read'),
    'vread': _read('vread'),
    'history': _read('read', 'history-instance'),
    'search': _query([_REST, 'search-type']),
    'audit-read': _query([_REST, 'search-type'], [_DCM, '110101']),
    'operation': _OPERATION,
    'create': _write('C', 'create'),
    'publish': _write('C', 'create', 'transaction'),
    'update': _write('U', 'update'),
    'policy': _write('U', 'update'),
    'delete': _write('D', 'delete', client=_APPLICATION, server=_CUSTODIAN),
    'export': _Kind([_DCM, '110106'], _DISCLOSURE, 'R', _DESTINATION, _SOURCE, _RECIPIENT, True),
    'authenticate': _query([_DCM, '110122'], type_=[_DCM, '110114']),
    'break-glass': _query([_DCM, '110127'], type_=_ALERT),
    'redaction': _query([_DCM, '110132'], type_=_ALERT, action='D'),
    'succession': _query([_DCM, '110129'], type_=_ALERT, action='U'),
}

_INPUT_REASONS = frozenset(
    'invalid conflict precondition-failed not-found redacted no-such-path method-not-allowed not-acceptable unsupported-media-type '
    'body-too-large body-timeout too-costly'.split()
)
_OFFICERS = ('access-manager', 'privacy-officer', 'operator')

# White space as ECMAScript has it.
_WHITE = r'\t-\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff'
_TOLD = re.compile(f'[^{_WHITE}]')
_CODE = re.compile(f'[^{_WHITE}]+( [^{_WHITE}]+)*')
_NO_WHITE = re.compile(f'[^{_WHITE}]+')
_RESOURCE = re.compile(r'([A-Z][A-Za-z]{1,63})/[A-Za-z0-9.-]{1,64}(?:/_history/[A-Za-z0-9.-]{1,64})?')


def event_id(log, index):
    """Of the event itself; `-authz` follows in that of its decision."""
    if len(log) > 37:
        log = f'{log[:20]}-{hashlib.sha256(log.encode()).hexdigest()[:16]}'
    return f'{log}-{index}'


def has_decision(access):
    """Whether the policy decided on a provider's access to a patient, so that there is a second event."""
    if get(access, 'phase') not in ('access', 'outcome') or get(access, 'who', 'role') in _OFFICERS:
        return False
    facts = [get(access, 'patient'), get(access, 'policyVersion')]
    facts += [get(access, 'who', name) for name in ('practitioner', 'organisation', 'subject', 'client', 'address')]
    if None in [_text(fact) for fact in facts]:
        return False
    outcome = get(access, 'decision', 'outcome')
    return outcome == 'permit' or (outcome == 'deny' and not _is_about_input(access))


def told_event(entry, name, origin):
    """`origin` is the public address of the record, as the event says it."""
    access = get(entry, 'access')
    action = get(access, 'action')
    kind = _KINDS.get(action, _OPERATION) if isinstance(action, str) else _OPERATION
    operation = _text(get(access, 'operation'))
    told = _told_of_both(entry, name, origin, '4')
    told['agent'] = _agents(access, kind, origin)
    told['action'] = kind.action
    told['outcome'] = _outcome(access)
    told['type'] = kind.type
    told['subtype'] = kind.subtypes + [['https://dossier.example/CodeSystem/operation', operation] for _ in _one(operation)]
    told['entity'] = [*_objects(access, kind.is_query, origin), _request(access)]
    return told


def told_decision(entry, name, origin):
    access = get(entry, 'access')
    token = _text(get(access, 'who', 'token'))
    consent = f'{get(access, "patient")}@{get(access, "policyVersion")}'
    authoriser = [[['http://terminology.hl7.org/CodeSystem/extra-security-role-type', 'authserver']], None]
    told = _told_of_both(entry, name, origin, '6')
    told['agent'] = [
        _client(access, _APPLICATION),
        *_user(access, _RECIPIENT, None),
        _organisation(access, origin),
        [authoriser, [], *_record(origin), None, []],
    ]
    told['action'] = 'E'
    told['outcome'] = '0' if get(access, 'decision', 'outcome') == 'permit' else '8'
    told['type'] = _ALERT
    told['subtype'] = [[f'{_BALP}/AuthZsubType', 'AuthZ-Consent']]
    told['entity'] = [
        [[_TYPES, 'Consent'], _NO_CODE, _identifier(f'{origin}/registry/consent', consent, 'Consent'), None, []],
        *[[_OAUTH, _NO_CODE, _identifier(None, _token_uri(token)), None, []] for _ in _one(token)],
    ]
    return told


def _told_of_both(entry, name, origin, source_type):
    access, log = get(entry, 'access'), get(entry, 'log')
    why = [_text(get(access, 'decision', part)) for part in ('reason', 'detail')]
    why = [text for text in why if text is not None]
    patient = _text(get(access, 'patient'))
    purpose, emergency = _text(get(access, 'purpose')), _text(get(access, 'breakGlassReason'))
    return {
        'resourceType': 'AuditEvent',
        'id': name,
        'extension': [f'{log}/{get(entry, "index")}'],
        'recorded': get(entry, 'time'),
        'source': [log, _identifier(_URI, origin, 'Device'), [['http://terminology.hl7.org/CodeSystem/security-source-type', source_type]]],
        'patient': [[[_ENTITY, '1'], [_ROLES, '1'], _identifier(f'{origin}/registry/person', patient, 'Patient'), None, []] for _ in _one(patient)],
        'outcomeDesc': ': '.join(why) if why else None,
        'purposeOfEvent': [_coded(_REASONS, purpose) for _ in _one(purpose)] + [[[[_REASONS, 'BTG']], emergency] for _ in _one(emergency)],
    }


def _outcome(access):
    if get(access, 'phase') == 'intent':
        return None
    outcome = get(access, 'decision', 'outcome')
    if outcome == 'permit':
        return '0'
    if outcome != 'deny':
        return '12'
    return '4' if _is_about_input(access) else '8'


def _is_about_input(access):
    reason = get(access, 'decision', 'reason')
    return isinstance(reason, str) and reason in _INPUT_REASONS


# Agents: type, role, who, altId, name, requestor, location, policy, network, purposeOfUse.


def _agents(access, kind, origin):
    agents = [_client(access, kind.client), [[[kind.server], None], [], *_record(origin), origin, []]]
    has_token = None not in [_text(get(access, 'who', name)) for name in ('token', 'client', 'subject')]
    if has_token and kind.client is not _APPLICATION:
        agents.append(_client(access, _APPLICATION))
    agents += _user(access, kind.user, origin)
    if _text(get(access, 'who', 'organisation')) is not None:
        agents.append(_organisation(access, origin))
    return agents


def _record(origin):
    """From `who` to `policy`, of the record itself."""
    return [_identifier(_URI, origin, 'Device'), None, None, False, _NO_REFERENCE, []]


def _client(access, type_):
    client, address = _text(get(access, 'who', 'client')), _text(get(access, 'who', 'address'))
    who = _NO_REFERENCE if client is None else _identifier(None, client)
    return [[[type_], None], [], who, None, None, False, _NO_REFERENCE, [], address, []]


def _user(access, types, origin):
    """`origin` None: of a decision, which tells neither registry id nor facility."""

    def member(name):
        return _text(get(access, 'who', name))

    if member('subject') is None:
        return []
    issuer = get(access, 'who', 'issuer')
    role, facility, token, purpose = member('role'), member('facility'), member('token'), _text(get(access, 'purpose'))
    return [
        [
            [types, None],
            [_coded('https://dossier.example/CodeSystem/role', role) for _ in _one(role)],
            _identifier(issuer if isinstance(issuer, str) and _NO_WHITE.fullmatch(issuer) else None, member('subject'), None, member('name')),
            None if origin is None else member('practitioner'),
            member('name'),
            True,
            _NO_REFERENCE if origin is None or facility is None else _identifier(f'{origin}/registry/facility', facility, 'Location'),
            [_token_uri(token) for _ in _one(token)],
            None,
            [_coded(_REASONS, purpose) for _ in _one(purpose)],
        ]
    ]


def _organisation(access, origin):
    type_ = [[['http://terminology.hl7.org/CodeSystem/v3-RoleClass', 'PROV']], None]
    who = _identifier(f'{origin}/registry/organisation', _text(get(access, 'who', 'organisation')), 'Organization')
    return [type_, [], who, None, None, False, _NO_REFERENCE, [], None, []]


def _token_uri(token):
    # What encodeURIComponent of ECMAScript leaves as it is.
    return f'urn:ietf:params:oauth:jti:{quote(token, safe="!~*" + chr(39) + "()-._")}'


# Entities: type, role, what, query, detail.


def _objects(access, is_query, origin):
    resources = get(access, 'resources')
    texts = [item for item in resources if _text(item) is not None] if isinstance(resources, list) else []
    if not is_query and len(texts) == 1 and len(resources) == 1:
        return [[[_ENTITY, '2'], [_ROLES, '4'], _resource(texts[0]), None, []]]
    if is_query:
        objects = _queries(access)
    else:
        path = f'{origin}{_string(get(access, "query", "path"))}'
        objects = [[[_ENTITY, '2'], [_ROLES, '4'], _identifier(_URI, path), None, []]]
    return objects + [[[_TYPES, _type_of(text) or 'Resource'], [_ROLES, '4'], _resource(text), None, []] for text in texts]


def _queries(access):
    method, text = _string(get(access, 'query', 'method')), _string(get(access, 'query', 'text'))
    if not text:
        return []
    return [[[_ENTITY, '2'], [_ROLES, '24'], _NO_REFERENCE, base64.b64encode(f'{method} {text}'.encode()).decode(), []]]


def _request(access):
    own = _text(get(access, 'requestId'))
    part, parts, note = get(access, 'part'), get(access, 'parts'), get(access, 'note')
    details = [['request-id', own]]
    if _is_number(part) and _is_number(parts) and parts > 1:
        details.append(['part', f'{number_text(part)}/{number_text(parts)}'])
    if isinstance(note, dict):
        details += [[name, note[name]] for name in sorted(note, key=lambda name: name.encode('utf-16-be'))]
    details = [[name, value] for name, value in details if _text(name) is not None and _text(value) is not None]
    client = _text(get(access, 'clientRequestId'))
    return [[f'{_BALP}/BasicAuditEntityType', 'XrequestId'], _NO_CODE, _identifier(None, own if client is None else client), None, details]


def _type_of(text):
    match = _RESOURCE.fullmatch(text)
    return None if match is None else match.group(1)


def _resource(text):
    type_ = _type_of(text)
    return _identifier(None, text) if type_ is None else [text, type_, None, None, None]


def _identifier(system, value, type_=None, display=None):
    return [None, type_, system, value, display]


def _coded(system, code):
    return [[[system, code]], None] if _CODE.fullmatch(code) else [[], code]


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _text(value):
    """A text in which there is something to read; None: none."""
    return value if isinstance(value, str) and _TOLD.search(value) else None


def _string(value):
    return value if isinstance(value, str) else ''


def _one(value):
    return [] if value is None else [value]
