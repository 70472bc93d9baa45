"""One entry and one line of an export (docs/audit-log.md §1 and §4).

Two ways lead from a line to what it says. `_PLAIN` matches the bytes of a line as the exporter writes it: it is then in
canonical form, and of the form of §1, by the pattern alone. Every other line is parsed and brought to canonical form.
Both give the same answer; the first is several times faster.
"""

import hmac
import json
import re

from base64_text import base64url, base64url_bytes, base64url_decode, base64url_value
from canonical import NotJson, canonical, decimal, parse
from fault import Fault, cut
from log_check import LOG_NAME

LEAF_BYTES = 33
SALT_BYTES = 32
LEAF_VERSION = b'\1'
# A path in a tree of 2^64 leaves has 64 hashes.
_MAX_PATH = 64

_TIME_PATTERN = r'[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z'
_TIME = re.compile(_TIME_PATTERN)
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
    """A line that holds an index: open, or redacted (`redacted` is then the index of the redaction entry)."""

    log = index = leaf = proof = redacted = None
    is_open = False
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


class Block:
    __slots__ = ('log', 'start', 'end', 'hash')


def read_line(raw):
    """A Line or a Block. Fault `format` without a place."""
    plain = _PLAIN.match(raw)
    if plain is not None:
        line = _plain_line(plain)
        if line is not None:
            return line
    try:
        value = parse(raw.decode())
    except NotJson as error:
        raise Fault('format', None, f'not a line of an export: {error}') from None
    if not isinstance(value, dict):
        raise Fault('format', None, 'not a line of an export: no JSON object')
    kind = frozenset(value) - {'proof'}
    if kind == {'entry', 'leaf', 'salt'}:
        return _open_line(value)
    if kind == {'index', 'leaf', 'log', 'redacted'}:
        return _redacted_line(value)
    if kind == {'block', 'hash', 'log'} and 'proof' not in value:
        return _block(value)
    raise Fault('format', None, f'neither an open nor a redacted entry nor a block; its members are: {cut(", ".join(sorted(value)))}')


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
        line.redaction = _redaction(entry['access'], line.log, line.index)


def _open_line(value):
    line = Line()
    entry = value['entry']
    salt = base64url_value(value['salt'], SALT_BYTES)
    line.leaf = base64url_value(value['leaf'], LEAF_BYTES)
    line.proof = _proof(value)
    if not isinstance(entry, dict) or salt is None or line.leaf is None:
        raise Fault('format', None, 'an open line is an entry (an object), a leaf of 33 and a salt of 32 bytes in base64url')
    try:
        text = canonical(entry).encode()
    except NotJson as error:
        raise Fault('format', None, f'the entry has no canonical form: {error}') from None
    line.opens = leaf_of(salt, text) == line.leaf
    open_entry(line, entry, text)
    return line


def _redacted_line(value):
    line = Line()
    line.log = value['log']
    line.index = decimal(value['index'])
    line.redacted = decimal(value['redacted'])
    line.leaf = base64url_value(value['leaf'], LEAF_BYTES)
    line.proof = _proof(value)
    if not isinstance(line.log, str) or line.index is None or line.redacted is None:
        raise Fault('format', None, 'a redacted line has the name of a log and two indices in strings')
    if line.leaf is None or not line.leaf.startswith(LEAF_VERSION):
        raise Fault('format', None, 'the leaf of a redacted line is not 33 bytes in base64url, the first of them 1')
    return line


def _block(value):
    block = Block()
    bounds = value['block']
    block.log = value['log']
    block.hash = base64url_value(value['hash'], 32)
    if not isinstance(bounds, list) or len(bounds) != 2 or not isinstance(block.log, str) or block.hash is None:
        raise Fault('format', None, 'a block is two indices, the name of a log and a hash')
    block.start, block.end = [decimal(bound) for bound in bounds]
    if block.start is None or block.end != block.start + 256 or block.start % 256:
        raise Fault('format', None, 'a block is 256 indices, the first of them a multiple of 256')
    return block


def _proof(value):
    if 'proof' not in value:
        return None
    proof = value['proof']
    hashes = [base64url_value(each, 32) for each in proof] if isinstance(proof, list) and len(proof) <= _MAX_PATH else [None]
    if None in hashes:
        raise Fault('format', None, f'a proof is a list of at most {_MAX_PATH} hashes of 32 bytes in base64url')
    return hashes


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
    return _possible_place(count, previous, index)


def _possible_place(count, previous, index):
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
    return _possible_place(count, previous, index) or False


# The plain form. A string without escapes is canonical as it stands; so is a short number without a fraction.
_TEXT = r'"[^"\\\x00-\x1f]*"'
_TEXT_OR_NULL = rf'(?:null|{_TEXT})'
_NUMBER = r'(?:0|[1-9][0-9]{0,14})'
_INDEX = r'(?:0|[1-9][0-9]{0,18})'


def _object(**members):
    """Names in canonical order, each once."""
    return r'\{' + ','.join(f'"{name}":{pattern}' for name, pattern in sorted(members.items())) + r'\}'


def _chain_place(kind):
    return rf'(?:null|\{{"count":"(?P<{kind}_count>[1-9][0-9]{{0,18}})","previous":(?:null|"(?P<{kind}_previous>{_INDEX})")\}})'


_ACCESS = _object(
    action=_TEXT,
    breakGlassReason=_TEXT_OR_NULL,
    clientRequestId=_TEXT_OR_NULL,
    decision=_object(detail=_TEXT_OR_NULL, outcome=_TEXT, reason=_TEXT),
    # An entry with a note may be a redaction, and is parsed.
    note='null',
    operation=_TEXT,
    part=_NUMBER,
    parts=_NUMBER,
    patient=rf'(?:null|(?P<patient>{_TEXT}))',
    phase=_TEXT,
    policyVersion=_TEXT_OR_NULL,
    purpose=_TEXT_OR_NULL,
    query=_object(method=_TEXT, path=_TEXT, sha256=_TEXT, text=_TEXT),
    requestId=_TEXT,
    resources=rf'\[(?:{_TEXT}(?:,{_TEXT})*)?\]',
    staleness=rf'(?:null|{_object(degraded="(?:true|false)", seconds=_NUMBER)})',
    status=_NUMBER,
    who=_object(
        address=_TEXT_OR_NULL,
        client=_TEXT_OR_NULL,
        facility=_TEXT_OR_NULL,
        issuer=_TEXT_OR_NULL,
        name=_TEXT_OR_NULL,
        organisation=rf'(?:null|(?P<organisation>{_TEXT}))',
        practitioner=_TEXT_OR_NULL,
        role=_TEXT_OR_NULL,
        subject=_TEXT_OR_NULL,
        token=_TEXT_OR_NULL,
    ),
)
_ENTRY = _object(
    access=_ACCESS,
    chains=_object(organisation=_chain_place('organisation'), patient=_chain_place('patient')),
    index=rf'"(?P<index>{_INDEX})"',
    log=rf'"(?P<log>{LOG_NAME.pattern})"',
    time=rf'"(?P<time>{_TIME_PATTERN})"',
    v='1',
)
_PROOF = r',"proof":\[(?P<{}>[A-Za-z0-9_",-]*)\]'
# 43 characters of base64url hold 258 bits, 256 of them in use: the last two are 0 in canonical form.
_PLAIN = re.compile(
    (
        rf'\{{"entry":(?P<entry>{_ENTRY}),"leaf":"(?P<leaf>[A-Za-z0-9_-]{{44}})"(?:{_PROOF.format("proof")})?'
        rf',"salt":"(?P<salt>[A-Za-z0-9_-]{{42}}[AEIMQUYcgkosw048])"(?:{_PROOF.format("late_proof")})?\}}\Z'
    ).encode()
)


def _plain_line(match):
    """The Line of a match; None where something else than the bytes needs a closer look."""
    (
        text,
        patient,
        organisation,
        organisation_count,
        organisation_previous,
        patient_count,
        patient_previous,
        index,
        log,
        time,
        leaf,
        proof,
        salt,
        late_proof,
    ) = match.groups()
    line = Line()
    computed = leaf_of(base64url_bytes(salt), text)
    if base64url(computed) == leaf:
        line.leaf = computed
    else:
        line.leaf = base64url_decode(leaf)
        line.opens = False
        if line.leaf is None:
            return None
    if proof is not None or late_proof is not None:
        if proof is not None and late_proof is not None:
            return None
        line.proof = _plain_proof(proof if late_proof is None else late_proof)
        if line.proof is None:
            return None
    number = int(index)
    # What is wrong with a place is told in words by the slower way.
    if not _is_plain_place(organisation, organisation_count, organisation_previous, number):
        return None
    if not _is_plain_place(patient, patient_count, patient_previous, number):
        return None
    line.is_open = True
    line.text = text
    line.log = log.decode()
    line.index = number
    line.time = time.decode()
    line._plain = match
    return line


def _is_plain_place(key, count, previous, index):
    if key is None or count is None:
        return key is count
    return count == b'1' if previous is None else count != b'1' and int(previous) < index


def _plain_proof(text):
    try:
        hashes = json.loads(b'[' + text + b']')
    except ValueError:
        return None
    decoded = [base64url_value(each, 32) for each in hashes] if len(hashes) <= _MAX_PATH else [None]
    return None if None in decoded else decoded
