"""The proof of one entry: a tlog-proof file whose `extra` opens the leaf (docs/audit-log.md §4; C2SP tlog-proof)."""

from base64_text import base64_decode
from canonical import NotJson, canonical, decimal, parse
from entry import SALT_BYTES, Line, leaf_of, open_entry
from fault import Fault, cut
from log_check import all_lines, check_checkpoint, check_known, check_known_signature, check_knowns_covered, name_of_origin, trusted_keys
from note import Checkpoint, Malformed, note_from_lines
from tlog import inclusion_root, leaf_hash

FORMAT = 'c2sp.org/tlog-proof@v1'


class Proof:
    def __init__(self, path):
        lines = all_lines(path)
        head = lines[1:3]
        if len(head) < 2 or not head[0].startswith('extra ') or not head[1].startswith('index '):
            raise Fault('format', 'file', 'after the first line come "extra" with the opening of the entry, and "index"')
        opening = base64_decode(head[0][6:])
        self.index = decimal(head[1][6:])
        if opening is None or len(opening) <= SALT_BYTES or self.index is None:
            raise Fault('format', 'file', 'extra is base64 of 32 bytes of salt and the entry, index a decimal number')
        self.salt, self.text = opening[:SALT_BYTES], opening[SALT_BYTES:]
        self.path = []
        rest = lines[3:]
        # A hash is the only line that is 44 characters of base64 of 32 bytes; an origin has a slash and a name.
        while rest and len(rest[0]) == 44 and (step := base64_decode(rest[0])) is not None and len(step) == 32:
            self.path.append(step)
            rest.pop(0)
        try:
            self.checkpoint = Checkpoint(note_from_lines(rest))
        except Malformed as error:
            raise Fault('format', 'file', f'after the path comes no checkpoint: {error}') from None


def verify_proof(path, policy, knowns):
    proof = Proof(path)
    checkpoint = proof.checkpoint
    log = name_of_origin(checkpoint.origin)
    if log is None:
        raise Fault('origin', 'file', f'the origin of the checkpoint, {cut(checkpoint.origin)}, does not end in /audit/logs/ and a name')
    if policy is None:
        raise Fault('key', log, 'a tlog-proof has no keys: give those of the log with --policy')
    keys = trusted_keys(None, policy, checkpoint.origin, log)
    signatures = check_checkpoint(checkpoint, checkpoint.origin, keys, policy, log)
    check_knowns_covered(knowns, {checkpoint.origin})
    for known in knowns:
        check_known_signature(known, keys, log)
        check_known(known, checkpoint, keys, log, None)
    line = _read_entry(proof, log)
    root = inclusion_root(leaf_hash(line.leaf), proof.index, checkpoint.size, proof.path)
    if root != checkpoint.root:
        raise Fault('inclusion', f'{log}/{proof.index}', 'the path does not lead from entry and salt to the root of the checkpoint')
    if line.index != proof.index:
        raise Fault('entry', f'{log}/{proof.index}', f'the entry stands at this index, and says it is {line.index}')
    return [f'{log}: entry {proof.index}; checkpoint of {checkpoint.size}; {signatures}']


def _read_entry(proof, log):
    place = f'{log}/{proof.index}'
    try:
        entry = parse(proof.text.decode())
        if not isinstance(entry, dict):
            raise NotJson('it is no object')
        text = canonical(entry).encode()
    except (UnicodeDecodeError, NotJson) as error:
        raise Fault('format', 'file', f'the entry in extra cannot be read: {error}') from None
    line = Line()
    open_entry(line, entry, text)
    line.leaf = leaf_of(proof.salt, text)
    if line.log is not None and line.log != log:
        raise Fault('log', place, f'the entry is of {cut(line.log)}')
    if line.problem is not None:
        raise Fault('entry', place, line.problem)
    return line
