"""What an AuditEvent says, whatever shape its JSON has (docs/audit-log.md §4, AuditEvent)."""

ENTRY_URL = 'https://dossier.example/StructureDefinition/audit-log-entry'


def get(value, *path):
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def facts_of(event):
    """Element and what it says, in the order in which they are compared."""
    entities = get(event, 'entity')
    return {
        'resourceType': get(event, 'resourceType'),
        'id': get(event, 'id'),
        'extension': _each(_chosen(get(event, 'extension'), lambda item: get(item, 'url') == ENTRY_URL), lambda item: get(item, 'valueString')),
        'recorded': get(event, 'recorded'),
        'source': [get(event, 'source', 'site'), _reference(get(event, 'source', 'observer')), _each(get(event, 'source', 'type'), _coding)],
        'patient': _each(_chosen(entities, _is_person), _entity),
        'agent': _each(get(event, 'agent'), _agent),
        'action': get(event, 'action'),
        'outcome': get(event, 'outcome'),
        'outcomeDesc': get(event, 'outcomeDesc'),
        'type': _coding(get(event, 'type')),
        'subtype': _each(get(event, 'subtype'), _coding),
        'purposeOfEvent': _each(get(event, 'purposeOfEvent'), _concept),
        'entity': _each(_chosen(entities, lambda item: not _is_person(item)), _entity),
    }


def _each(value, tell):
    """An absent list is an empty one; what is no list tells itself."""
    if isinstance(value, list):
        return [tell(item) for item in value]
    return [] if value is None else value


def _chosen(value, choose):
    return [item for item in value if choose(item)] if isinstance(value, list) else value


def _is_person(entity):
    return get(entity, 'type', 'code') == '1'


def _coding(value):
    return [get(value, 'system'), get(value, 'code')]


def _concept(value):
    return [_each(get(value, 'coding'), _coding), get(value, 'text')]


def _reference(value):
    return [get(value, 'reference'), get(value, 'type'), get(value, 'identifier', 'system'), get(value, 'identifier', 'value'), get(value, 'display')]


def _agent(value):
    return [
        _concept(get(value, 'type')),
        _each(get(value, 'role'), _concept),
        _reference(get(value, 'who')),
        get(value, 'altId'),
        get(value, 'name'),
        get(value, 'requestor'),
        _reference(get(value, 'location')),
        _each(get(value, 'policy'), lambda item: item),
        get(value, 'network', 'address'),
        _each(get(value, 'purposeOfUse'), _concept),
    ]


def _entity(value):
    return [
        _coding(get(value, 'type')),
        _coding(get(value, 'role')),
        _reference(get(value, 'what')),
        get(value, 'query'),
        _each(get(value, 'detail'), lambda detail: [get(detail, 'type'), get(detail, 'valueString')]),
    ]
