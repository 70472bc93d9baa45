"""What is checked of one log before any of its entries: its keys, the checkpoint's signatures, the witnesses, and the
checkpoints kept from earlier (docs/audit-log.md §5, order step 2)."""

import re

import openssl
from fault import Fault, cut
from note import ED25519, KIND_NAMES, ML_DSA_44, Checkpoint, Key, Malformed, check_signatures, note_from_lines
from text_file import TextFile
from tlog import is_consistent

LOG_NAME = re.compile(r'[a-z0-9][a-z0-9-]{0,62}')
_ORIGIN = re.compile(r'[^\s+\x00-\x1f]+/audit/logs/([a-z0-9][a-z0-9-]{0,62})')


class LogKeys:
    """The keys that count for one log. `ml_dsa_44` is None where there is none, or the policy does not name it."""

    def __init__(self, ed25519, ml_dsa_44):
        self.ed25519 = ed25519
        self.ml_dsa_44 = ml_dsa_44

    def others(self):
        return [] if self.ml_dsa_44 is None else [self.ml_dsa_44]


class KnownCheckpoint:
    """A file of --known."""

    def __init__(self, path):
        self.path = path
        try:
            self.checkpoint = Checkpoint(note_from_lines(all_lines(path)))
        except Malformed as error:
            raise Fault('format', 'file', f'not a checkpoint: {error}', path) from None
        except Fault as fault:
            fault.file = path
            raise


def name_of_origin(origin):
    """The log's name, the last part of its origin; None where the origin is not of the form of §2."""
    match = _ORIGIN.fullmatch(origin)
    return match.group(1) if match else None


def stated_keys(vkeys, origin, log):
    """The keys that a file or a listing names for a log: an Ed25519 key and at most one ML-DSA-44 key."""
    found = {}
    for vkey in vkeys:
        try:
            key = Key(vkey)
        except Malformed as error:
            raise Fault('key', log, str(error)) from None
        if key.name != origin:
            raise Fault('key', log, f'the key is named {cut(key.name)}, the log {cut(origin)}')
        if key.kind not in (ED25519, ML_DSA_44) or key.kind in found:
            raise Fault('key', log, 'a log has one Ed25519 key and at most one ML-DSA-44 key')
        found[key.kind] = key
    if ED25519 not in found:
        raise Fault('key', log, 'no Ed25519 key is named')
    return LogKeys(found[ED25519], found.get(ML_DSA_44))


def trusted_keys(stated, policy, origin, log):
    """Of the stated keys those that the policy trusts. `stated` None: those of the policy."""
    trusted = policy.keys_of(origin)
    if not trusted[ED25519]:
        raise Fault('key', log, f'the policy names no Ed25519 key for {cut(origin)}')
    if stated is None:
        if len(trusted[ED25519]) > 1 or len(trusted[ML_DSA_44]) > 1:
            raise Fault('key', log, f'the policy names several keys of one type for {cut(origin)}')
        return LogKeys(trusted[ED25519][0], (trusted[ML_DSA_44] or [None])[0])
    for key in (stated.ed25519, *stated.others()):
        # A policy may name only the Ed25519 key: then the other one counts for nothing.
        if trusted[key.kind] and all(key.vkey != other.vkey for other in trusted[key.kind]):
            raise Fault('key', log, f'the {KIND_NAMES[key.kind]} key {key.name}+{key.id.hex()} is not the one the policy trusts')
    return LogKeys(stated.ed25519, stated.ml_dsa_44 if trusted[ML_DSA_44] else None)


def check_checkpoint(checkpoint, origin, keys, policy, log):
    """Origin, signatures and quorum. Returns a few words on the signatures."""
    if checkpoint.origin != origin:
        raise Fault('origin', log, f'the checkpoint is of {cut(checkpoint.origin)}, the log is {cut(origin)}')
    witnesses = [] if policy is None else list(policy.witnesses.values())
    outcome = check_signatures(checkpoint.note, keys.ed25519, [*keys.others(), *witnesses], log, checkpoint)
    cosigners = [key for key in witnesses if outcome.get(key)]
    if policy is not None and not policy.has_quorum(cosigners):
        raise Fault('quorum', log, f'the witnesses that validly cosigned ({len(cosigners)}) are not the quorum of the policy')
    return _signature_words(keys, outcome, witnesses)


def check_known(known, checkpoint, keys, log, proof_from):
    """`proof_from` is (size, consistency proof) or None."""
    if known.checkpoint.size == checkpoint.size:
        if known.checkpoint.root != checkpoint.root:
            raise fork(known, log)
    elif known.checkpoint.size > checkpoint.size:
        raise beyond(known, checkpoint, log)
    elif proof_from is None or proof_from[0] != known.checkpoint.size:
        raise Fault('known-unproved', log, f'the file has no consistency proof from size {known.checkpoint.size}, that of {known.path}')
    elif not is_consistent(known.checkpoint.size, known.checkpoint.root, checkpoint.size, checkpoint.root, proof_from[1]):
        raise fork(known, log)


def check_known_signature(known, keys, log):
    try:
        check_signatures(known.checkpoint.note, keys.ed25519, keys.others(), log, known.checkpoint)
    except Fault as fault:
        fault.file = known.path
        raise


def fork(known, log):
    return Fault('known-fork', log, f'the tree of {known.checkpoint.size} entries that {known.path} signs is no beginning of this one: there are two histories')


def beyond(known, checkpoint, log):
    return Fault('known-unproved', log, f'{known.path} knows {known.checkpoint.size} entries, this checkpoint only {checkpoint.size}')


def check_knowns_covered(knowns, origins):
    for known in knowns:
        if known.checkpoint.origin not in origins:
            log = name_of_origin(known.checkpoint.origin) or 'file'
            raise Fault('known-unproved', log, f'{known.path} is of {cut(known.checkpoint.origin)}, of which there is nothing here')


def _signature_words(keys, outcome, witnesses):
    words = ['Ed25519 valid']
    if keys.ml_dsa_44 is not None:
        if keys.ml_dsa_44 not in outcome:
            words.append('ML-DSA-44 absent')
        else:
            words.append('ML-DSA-44 valid' if outcome[keys.ml_dsa_44] else 'ML-DSA-44 not checked')
    if witnesses:
        words.append(f'{sum(1 for key in witnesses if outcome.get(key))} of {len(witnesses)} witnesses valid')
    unchecked = sum(1 for valid in outcome.values() if valid is None)
    if unchecked:
        skipped = sum(1 for key in witnesses if key in outcome and outcome[key] is None)
        if skipped:
            words.append(f'{skipped} witness signatures not checked')
        words.append(f'ML-DSA-44 needs OpenSSL 3.5, here is {openssl.version()[0].split(" (")[0]}')
    return ', '.join(words)


def all_lines(path, most=1000):
    """Of a small file."""
    lines = []
    with TextFile(path) as file:
        for line in file:
            lines.append(line.decode())
            if len(lines) > most:
                raise Fault('format', 'file', f'it has more than {most} lines')
    return lines
