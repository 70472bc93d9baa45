"""One line of an export (docs/audit-log.md §4).

Two ways lead from a line to what it says. `_PLAIN` matches the bytes of a line as the exporter writes it: its entry is then
in canonical form, and of the form of §1, by the pattern alone. Every other line is parsed and brought to canonical form.
Both give the same answer; the first is several times faster.
"""

import json
import re

from base64_text import base64url, base64url_bytes, base64url_decode, base64url_value
from canonical import NotJson, canonical, decimal, parse
from entry import LEAF_BYTES, LEAF_VERSION, SALT_BYTES, TIME_PATTERN, Line, leaf_of, open_entry
from fault import Fault, cut
from log_check import LOG_NAME

# A path in a tree of 2^64 leaves has 64 hashes.
_MAX_PATH = 64


class Block:
    __slots__ = ('log', 'start', 'end', 'hash')


class Gap:
    """Members of a chain up to number `count`, which is at `last`, that went by the pruning entry `pruned`: (log, index)."""

    __slots__ = ('log', 'count', 'last', 'pruned', 'chain')
    index = None


def read_line(raw):
    """A Line, a Gap or a Block. Fault `format` without a place."""
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
    kind = frozenset(value) - {'proof', 'chain'} if 'redacted' in value else frozenset(value) - {'proof'}
    if kind == {'entry', 'leaf', 'salt'}:
        return _open_line(value)
    if kind == {'index', 'leaf', 'log', 'redacted'}:
        return _redacted_line(value)
    if set(value) == {'index', 'leaf', 'log', 'pruned'}:
        return _pruned_line(value)
    if set(value) - {'chain'} == {'count', 'last', 'log', 'pruned'}:
        return _gap(value)
    if kind == {'block', 'hash', 'log'} and 'proof' not in value:
        return _block(value)
    raise Fault('format', None, f'neither an open nor a redacted or pruned entry nor a block; its members are: {cut(", ".join(sorted(value)))}')


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
    line.chain = value.get('chain')
    line.leaf = base64url_value(value['leaf'], LEAF_BYTES)
    line.proof = _proof(value)
    if not isinstance(line.log, str) or line.index is None or line.redacted is None:
        raise Fault('format', None, 'a redacted line has the name of a log and two indices in strings')
    if 'chain' in value and not isinstance(line.chain, str):
        raise Fault('format', None, 'the chain of a redacted line is its key')
    if line.leaf is None or not line.leaf.startswith(LEAF_VERSION):
        raise Fault('format', None, 'the leaf of a redacted line is not 33 bytes in base64url, the first of them 1')
    return line


def _pruned_line(value):
    line = Line()
    line.log = value['log']
    line.index = decimal(value['index'])
    line.pruned = _entry_name(value['pruned'])
    line.leaf = base64url_value(value['leaf'], LEAF_BYTES)
    if not isinstance(line.log, str) or line.index is None or line.pruned is None:
        raise Fault('format', None, 'a pruned line has the name of a log, an index and log/index of the pruning entry')
    if line.leaf is None or not line.leaf.startswith(LEAF_VERSION):
        raise Fault('format', None, 'the leaf of a pruned line is not 33 bytes in base64url, the first of them 1')
    return line


def _gap(value):
    gap = Gap()
    gap.log = value['log']
    gap.count = decimal(value['count'])
    gap.last = decimal(value['last'])
    gap.pruned = _entry_name(value['pruned'])
    gap.chain = value.get('chain')
    if not isinstance(gap.log, str) or not gap.count or gap.last is None or gap.pruned is None:
        raise Fault('format', None, 'a gap is the name of a log, a count from 1, an index and log/index of the pruning entry')
    if 'chain' in value and not isinstance(gap.chain, str):
        raise Fault('format', None, 'the chain of a gap is its key')
    return gap


def _entry_name(text):
    """(log, index) of `<log>/<index>`, None where it is not of that form."""
    log, _, index = text.partition('/') if isinstance(text, str) else ('', '', '')
    index = decimal(index)
    return None if index is None or not LOG_NAME.fullmatch(log) else (log, index)


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


# The plain form. A string with no other escapes than these is canonical as it stands; so is a short number without a fraction.
_UNESCAPED = r'[^"\\\x00-\x1f]*'
_TEXT = rf'"{_UNESCAPED}(?:\\["\\bfnrt]{_UNESCAPED})*"'
_TEXT_OR_NULL = rf'(?:null|{_TEXT})'
# What is read out of the bytes has no escapes.
_KEY = rf'"{_UNESCAPED}"'
# In ASCII names are ordered by their bytes.
_MEMBER = rf'"[A-Za-z0-9-]+":{_TEXT}'
_MEMBERS = re.compile(rf'"([A-Za-z0-9-]+)":{_TEXT}'.encode())
_NUMBER = r'(?:0|[1-9][0-9]{0,14})'
_INDEX = r'(?:0|[1-9][0-9]{0,18})'


def _object(**members):
    """Names in canonical order, each once."""
    return r'\{' + ','.join(f'"{name}":{pattern}' for name, pattern in sorted(members.items())) + r'\}'


def _chain_place(kind):
    return rf'(?:null|\{{"count":"(?P<{kind}_count>[1-9][0-9]{{0,18}})","previous":(?:null|"(?P<{kind}_previous>{_INDEX})")\}})'


_ACCESS = _object(
    action=rf'(?P<action>{_TEXT})',
    breakGlassReason=_TEXT_OR_NULL,
    clientRequestId=_TEXT_OR_NULL,
    decision=_object(detail=_TEXT_OR_NULL, outcome=_TEXT, reason=_TEXT),
    note=rf'(?:null|\{{(?P<note>{_MEMBER}(?:,{_MEMBER})*)\}})',
    operation=_TEXT,
    part=_NUMBER,
    parts=_NUMBER,
    patient=rf'(?:null|(?P<patient>{_KEY}))',
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
        organisation=rf'(?:null|(?P<organisation>{_KEY}))',
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
    time=rf'"(?P<time>{TIME_PATTERN})"',
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
        action,
        note,
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
    # What a redaction says is read out of it; names of a note that are out of order, or twice, are no canonical form.
    if action == b'"redaction"' or (note is not None and not _is_ascending(_MEMBERS.findall(note))):
        return None
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


def _is_ascending(names):
    return len(names) == 1 or all(name < after for name, after in zip(names, names[1:]))


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
