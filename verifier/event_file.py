"""AuditEvents against the NDJSON export of the same entries: element by element (docs/audit-log.md §4, AuditEvent)."""

from canonical import NotJson, canonical, parse
from companion import Companion
from event_facts import ENTRY_URL, facts_of, get, is_same
from event_told import event_id, has_decision, told_decision, told_event
from fault import Fault, cut
from text_file import TextFile

_LONG = 200


class EventLines(Companion):
    def __init__(self, path):
        super().__init__()
        self._file = TextFile(path)
        # Public address of the record, as the first event says it: all of them say the same.
        self._origin = None

    def _end(self):
        if self._next() is not None:
            raise Fault('event-extra', self._place(), 'the entries of the proof file have no more events')

    def _close(self):
        self._file.__exit__()

    def _compare(self, line):
        entry = line.entry()
        place = f'{line.log}/{line.index}'
        name = event_id(line.log, line.index)
        self._compare_event(place, name, False, lambda origin: told_event(entry, name, origin))
        if has_decision(get(entry, 'access')):
            name = f'{name}-authz'
            self._compare_event(place, name, True, lambda origin: told_decision(entry, name, origin))

    def _compare_event(self, place, name, is_decision, tell):
        raw = self._next()
        if raw is None:
            raise _missing(place, is_decision)
        event = _parsed(raw)
        if event is None:
            raise Fault('format', self._place(), 'not JSON of one reading, or no object')
        if not _is_of(event, place, name, is_decision):
            number = self._place()
            after = self._next()
            if after is not None and _is_of(_parsed(after), place, name, is_decision):
                raise Fault('event-extra', number, f'no entry of the proof file has this event; the next one is of {place}')
            raise _missing(place, is_decision)
        if self._origin is None:
            origin = get(event, 'source', 'observer', 'identifier', 'value')
            self._origin = origin if isinstance(origin, str) else ''
        told = tell(self._origin)
        for element, is_ in facts_of(event).items():
            if not is_same(element, told[element], is_):
                due, is_ = canonical(told[element]), canonical(is_)
                raise Fault('event-element', f'{self._place()} element {element}', f'the event has {cut(is_, _LONG)}, the entry {place} gives {cut(due, _LONG)}')

    def _place(self):
        return f'line {self._file.number}'

    def _next(self):
        try:
            return self._file.next()
        except Fault as fault:
            fault.place = fault.place or self._place()
            raise


def is_event(raw):
    """Whether a line is a resource of FHIR."""
    event = _parsed(raw)
    return event is not None and 'resourceType' in event


def _parsed(raw):
    """An object; None: the line is none, or not JSON of one reading."""
    try:
        value = parse(raw.decode())
    except NotJson:
        return None
    return value if isinstance(value, dict) else None


def _is_of(event, place, name, is_decision):
    """Whether an event is meant to be this one: it has its id, or names the entry and is of the same kind."""
    if get(event, 'id') == name:
        return True
    extensions, subtypes = get(event, 'extension'), get(event, 'subtype')
    names = isinstance(extensions, list) and any(get(item, 'url') == ENTRY_URL and get(item, 'valueString') == place for item in extensions)
    decides = isinstance(subtypes, list) and any(get(item, 'code') == 'AuthZ-Consent' for item in subtypes)
    return names and decides == is_decision


def _missing(place, is_decision):
    which = 'the event of its decision' if is_decision else 'its event'
    return Fault('event-missing', place, f'the proof file has this entry, {which} is not in the file')
