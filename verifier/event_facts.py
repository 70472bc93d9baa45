"""What an AuditEvent says, whatever shape its JSON has (docs/audit-log.md §4, AuditEvent)."""

ENTRY_URL = 'https://dossier.example/StructureDefinition/audit-log-entry'


def get(value, *path):
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def members(value):
    """A function from name to value; None of what is not there, or where it is no object."""
    return value.get if isinstance(value, dict) else _nothing


def facts_of(event):
    """Element and what it says, in the order in which they are compared."""
    member = members(event)
    source = members(member('source'))
    entities = member('entity')
    return {
        'resourceType': member('resourceType'),
        'id': member('id'),
        'extension': _each(_chosen(member('extension'), _names_entry), lambda item: get(item, 'valueString')),
        'recorded': member('recorded'),
        'source': [source('site'), _reference(source('observer')), _each(source('type'), _coding)],
        'patient': _each(_chosen(entities, _is_person), _entity),
        'agent': _each(member('agent'), _agent),
        'action': member('action'),
        'outcome': member('outcome'),
        'outcomeDesc': member('outcomeDesc'),
        'type': _coding(member('type')),
        'subtype': _each(member('subtype'), _coding),
        'purposeOfEvent': _each(member('purposeOfEvent'), _concept),
        'entity': _each(_chosen(entities, lambda item: not _is_person(item)), _entity),
    }


def is_same(element, told, found):
    """Whether an element says what is told. To Python a 1 is a true: of an agent, whether it asked is such a fact."""
    return told == found and (element != 'agent' or all(type(agent[_REQUESTOR]) is bool for agent in found))


def _nothing(_):
    return None


def _each(value, tell):
    """An absent list is an empty one; what is no list tells itself."""
    if isinstance(value, list):
        return [tell(item) for item in value]
    return [] if value is None else value


def _chosen(value, choose):
    return [item for item in value if choose(item)] if isinstance(value, list) else value


def _names_entry(extension):
    return get(extension, 'url') == ENTRY_URL


def _is_person(entity):
    return get(entity, 'type', 'code') == '1'


def _coding(value):
    member = members(value)
    return [member('system'), member('code')]


def _concept(value):
    member = members(value)
    return [_each(member('coding'), _coding), member('text')]


def _reference(value):
    if value is None:
        return [None, None, None, None, None]
    member = members(value)
    identifier = members(member('identifier'))
    return [member('reference'), member('type'), identifier('system'), identifier('value'), member('display')]


# Place of `requestor` among the facts of an agent.
_REQUESTOR = 5


def _agent(value):
    member = members(value)
    return [
        _concept(member('type')),
        _each(member('role'), _concept),
        _reference(member('who')),
        member('altId'),
        member('name'),
        member('requestor'),
        _reference(member('location')),
        _each(member('policy'), lambda item: item),
        get(member('network'), 'address'),
        _each(member('purposeOfUse'), _concept),
    ]


def _entity(value):
    member = members(value)
    return [
        _coding(member('type')),
        _coding(member('role')),
        _reference(member('what')),
        member('query'),
        _each(member('detail'), _detail),
    ]


def _detail(value):
    member = members(value)
    return [member('type'), member('valueString')]
