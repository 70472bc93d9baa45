"""What an entry is (docs/audit-log.md §1), and what of it concerns a verifier."""

import hmac
import re

from canonical import decimal, parse
from log_check import LOG_NAME

LEAF_BYTES = 33
SALT_BYTES = 32
LEAF_VERSION = b'\1'

TIME_PATTERN = r'[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z'
_TIME = re.compile(TIME_PATTERN)
_CHAIN_PLACE = re.compile(r'([0-9]+)@([0-9]+|-)')


class Place:
    """A place in a chain: the `count`th entry, after the one at `previous` (None for the first)."""

    __slots__ = ('count', 'previous')

    def __init__(self, count, previous):
        self.count = count
        self.previous = previous


class Redaction:
    """What a redaction entry says: the index it redacts, and the places that entry had (None: in no such chain)."""

    __slots__ = ('index', 'places')

    def __init__(self, index, organisation, patient):
        self.index = index
        self.places = {'organisation': organisation, 'patient': patient}


class Line:
    """A line that holds an index: open, or redacted (`redacted` is then the index of the redaction entry), or pruned (`pruned`
    is then log and index of the pruning entry)."""

    log = index = leaf = proof = redacted = pruned = None
    # Of a redacted line: the key of the chain it is in, where it says so.
    chain = None
    is_open = False
    # Whether its action is `redaction`.
    is_redaction = False
    # Whether entry and salt give the leaf; True where there is no entry.
    opens = True
    # What is wrong with the form of the entry, told after what is wrong with its leaf and index.
    problem = None
    # Of an open line: the canonical text, and what it says.
    text = time = keys = places = redaction = None
    _plain = None

    def entry(self):
        """The entry parsed again, for CSV."""
        return parse(self.text.decode())

    def membership(self, kind):
        """(key, Place) in the chain `kind`; None and None where it is in no such chain."""
        if self._plain is not None:
            key, count, previous = self._plain.group(kind, f'{kind}_count', f'{kind}_previous')
            if key is None:
                return None, None
            return key[1:-1].decode(), Place(int(count), None if previous is None else int(previous))
        return self.keys[kind], self.places[kind]


def leaf_of(salt, text):
    """The public leaf of an entry in canonical form."""
    return LEAF_VERSION + hmac.digest(salt, text, 'sha256')


def open_entry(line, entry, text):
    """Fills a line with what a parsed entry says."""
    line.text = text
    line.is_open = True
    line.log = entry['log'] if isinstance(entry.get('log'), str) else None
    line.index = decimal(entry.get('index'))
    line.problem = _form_problem(line, entry)
    if line.problem is None:
        line.is_redaction = entry['access'].get('action') == 'redaction'
        line.redaction = _redaction(entry['access'], line.log, line.index)


def _form_problem(line, entry):
    """What is wrong with the form of an entry (§1), None when nothing is; fills time, keys and places."""
    if set(entry) != {'access', 'chains', 'index', 'log', 'time', 'v'}:
        return 'the members of an entry are access, chains, index, log, time and v'
    if isinstance(entry['v'], bool) or entry['v'] != 1:
        return 'v is not 1'
    if line.log is None or not LOG_NAME.fullmatch(line.log) or line.index is None:
        return 'log is no name of a log, or index no decimal number'
    line.time = entry['time']
    if not isinstance(line.time, str) or not _TIME.fullmatch(line.time):
        return 'time is not of the form 2026-11-22T09:06:00.123Z'
    access, chains = entry['access'], entry['chains']
    if not isinstance(access, dict) or not isinstance(access.get('who'), dict):
        return 'access or access.who is no object'
    if not isinstance(chains, dict) or set(chains) != {'organisation', 'patient'}:
        return 'chains is not of organisation and patient'
    line.keys = {'organisation': access['who'].get('organisation'), 'patient': access.get('patient')}
    line.places = {}
    for kind, key in line.keys.items():
        if key is not None and not isinstance(key, str):
            return f'the {kind} is neither a text nor null'
        if (key is None) != (chains[kind] is None):
            return f'the place in the chain of the {kind} is null and the {kind} is not, or the reverse'
        line.places[kind] = _place(chains[kind], line.index)
        if key is not None and line.places[kind] is None:
            return f'the place in the chain of the {kind} is not a count and a lower index'
    return None


def _place(value, index):
    if not isinstance(value, dict) or set(value) != {'count', 'previous'}:
        return None
    count = decimal(value['count'])
    previous = None if value['previous'] is None else decimal(value['previous'])
    if not count or (previous is None) != (value['previous'] is None):
        return None
    return possible_place(count, previous, index)


def possible_place(count, previous, index):
    if (count == 1) != (previous is None) or (previous is not None and previous >= index):
        return None
    return Place(count, previous)


def _redaction(access, log, index):
    """The Redaction that an entry is, None when it is none in this log (§4)."""
    decision, note = access.get('decision'), access.get('note')
    if access.get('action') != 'redaction' or access.get('phase') != 'intent':
        return None
    if not isinstance(decision, dict) or decision.get('outcome') != 'permit' or not isinstance(note, dict):
        return None
    # An entry that a successor took over names the log that it was made for.
    if note.get('redacts-log', log) != log:
        return None
    redacts = decimal(note.get('redacts'))
    if redacts is None or redacts >= index:
        return None
    places = [_repeated_place(note.get(f'redacts-{kind}'), redacts) for kind in ('organisation', 'patient')]
    return None if False in places else Redaction(redacts, *places)


def _repeated_place(text, index):
    """`<count>@<previous>`, `<count>@-` or `-`. False when it is none of these."""
    if text == '-':
        return None
    match = _CHAIN_PLACE.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return False
    count = decimal(match.group(1))
    previous = None if match.group(2) == '-' else decimal(match.group(2))
    if not count or (previous is None and match.group(2) != '-'):
        return False
    return possible_place(count, previous, index) or False
