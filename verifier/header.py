"""The first line of an export, and everything that is checked before its entries (docs/audit-log.md §4, and §5 steps 1 to 3)."""

from hashlib import sha256

from base64_text import base64url_value
from canonical import NotJson, decimal, parse
from fault import Fault, cut
from log_check import (
    LOG_NAME,
    check_checkpoint,
    check_known,
    check_known_signature,
    check_knowns_covered,
    name_of_origin,
    stated_keys,
    trusted_keys,
)
from note import Checkpoint, Malformed, Note, check_signatures
from statement import Head, listed
from tlog import cover

FORMAT = 'dossier-export/1'

# Chain exports: the chain, and the filter that names its key. The two have one name.
CHAINS = {'patient-chain': 'patient', 'organisation-chain': 'organisation'}


class Header:
    """`chains` is (kind, keys) in a chain export, else None. `logs` are LogParts in order."""

    def __init__(self, line, number):
        self._place = f'line {number}'
        try:
            value = parse(line.decode())
        except NotJson as error:
            raise Fault('format', 'file', f'the first line cannot be read: {error}') from None
        if not isinstance(value, dict) or value.get('format') != FORMAT:
            raise Fault('format', 'file', f'the first line does not say "format":"{FORMAT}"')
        self._expect(value, 'exportId', str)
        self._expect(value, 'time', str)
        self.completeness = self._expect(value, 'completeness', str)
        filters = self._expect(value, 'filters', dict)
        self.chains = self._chains(value, filters)
        logs = self._expect(value, 'logs', list)
        if not logs:
            raise self._malformed('the header names no log')
        self.logs = [self._log(each) for each in logs]
        message = self._expect(value, 'list', str, type(None))
        self.list = None if message is None else self._note(Note, message, 'the list of logs')
        self._check_contradictions()

    def check_logs(self, policy, knowns):
        for part in self.logs:
            part.check(self, policy, [known for known in knowns if known.checkpoint.origin == part.origin])
        check_knowns_covered(knowns, {part.origin for part in self.logs})

    def check_list(self):
        if self.list is None:
            if self.chains is not None:
                raise Fault('list', 'file', 'a chain export has a signed list of logs: without it logs may have been left out')
            return
        lines = self.list.text.split('\n')
        signer = next((part for part in self.logs if len(lines) > 1 and part.origin == lines[1]), None)
        if signer is None:
            raise Fault('list-signature', 'file', 'the list of logs is not signed by a log that the file covers')
        try:
            check_signatures(self.list, signer.keys.ed25519, [], signer.log)
        except Fault as fault:
            if fault.code == 'unreadable':
                raise
            raise Fault('list-signature', 'file', f'list of logs: {fault.sentence}') from None
        try:
            size, logs = listed(self.list.text)
        except Malformed as error:
            raise Fault('list', 'file', str(error)) from None
        if size < signer.size:
            raise Fault('list', signer.log, f'the list was signed at size {size}, before the {signer.size} entries of the export')
        self._check_listed({each.log: each for each in logs})

    def _check_listed(self, logs):
        for part in self.logs:
            each = logs.get(part.log)
            if each is None:
                raise Fault('list-log', part.log, 'the file covers this log, the signed list does not name it')
            stated = part.stated
            ml_dsa_44 = None if stated.ml_dsa_44 is None else stated.ml_dsa_44.vkey
            if each.vkey != stated.ed25519.vkey or each.ml_dsa_44 != ml_dsa_44:
                raise Fault('list', part.log, 'the keys of this log in the header are not those in the signed list')
        if self.chains is not None:
            covered = {part.log for part in self.logs}
            for log in logs:
                if log not in covered:
                    raise Fault('list-log', log, 'the signed list names this log, the file does not cover it: its entries are left out')

    def _check_contradictions(self):
        names = set()
        origins = set()
        for part in self.logs:
            if part.log in names or part.origin in origins:
                raise Fault('header', part.log, 'this log stands in the header twice')
            names.add(part.log)
            origins.add(part.origin)
            part.check_contradictions(self)

    def _chains(self, value, filters):
        keys = self._texts(value, 'chains')
        if self.completeness not in CHAINS:
            if self.completeness not in ('range', 'none'):
                raise self._malformed(f'completeness is {cut(self.completeness)}')
            if keys:
                raise self._malformed('only a chain export covers chains')
            return None
        kind = CHAINS[self.completeness]
        if self._expect(filters, kind, str) not in keys:
            raise self._malformed(f'the {kind} in the filters is not among the chains of the header')
        if len(set(keys)) < len(keys) or (kind == 'organisation' and len(keys) > 1):
            raise self._malformed('a chain stands in the header twice, or several of an organisation, which has one')
        return (kind, keys)

    def _log(self, value):
        if not isinstance(value, dict):
            raise self._malformed('a log of the header is no object')
        part = LogPart()
        part.log = self._expect(value, 'log', str)
        if not LOG_NAME.fullmatch(part.log):
            raise self._malformed(f'{cut(part.log)} is no name of a log')
        part.origin = self._expect(value, 'origin', str)
        part.vkeys = self._texts(value, 'keys')
        part.size, part.first, part.end = [self._decimal(value, name) for name in ('size', 'first', 'end')]
        part.is_current = self._expect(value, 'current', bool)
        part.before, part.after = [self._hashes(value, name) for name in ('before', 'after')]
        part.checkpoint = self._signed(value, 'checkpoint', Checkpoint, part.log)
        part.heads = [self._note(Head, message, f'a head of {part.log}') for message in self._texts(value, 'heads')]
        known = self._expect(value, 'known', dict, type(None))
        if known is not None:
            part.known = (self._decimal(known, 'size'), self._hashes(known, 'proof'))
        return part

    def _expect(self, value, name, *kinds):
        if name not in value or not isinstance(value[name], kinds):
            raise self._malformed(f'member {name} of the header is missing or of the wrong type')
        return value[name]

    def _texts(self, value, name):
        texts = self._expect(value, name, list)
        if not all(isinstance(text, str) for text in texts):
            raise self._malformed(f'member {name} of the header is not of texts')
        return texts

    def _decimal(self, value, name):
        number = decimal(value.get(name))
        if number is None:
            raise self._malformed(f'member {name} of the header is no decimal number in a string')
        return number

    def _hashes(self, value, name):
        hashes = [base64url_value(each, 32) for each in self._expect(value, name, list)]
        if None in hashes:
            raise self._malformed(f'a hash in {name} of the header is not 32 bytes in base64url')
        return hashes

    def _signed(self, value, name, read, log):
        message = self._expect(value, name, str, type(None))
        return None if message is None else self._note(read, message, f'{name} of {log}')

    def _note(self, read, message, what):
        try:
            return read(message)
        except Malformed as error:
            raise self._malformed(f'{what}: {error}') from None

    def _malformed(self, sentence):
        return Fault('format', self._place, sentence)


class LogPart:
    """What the header says of one log. `[first, end)` is the part searched; `keys` is there after `check`."""

    log = origin = vkeys = stated = keys = None
    size = first = end = 0
    is_current = False
    before = after = ()
    checkpoint = known = None
    # Of a chain export one for each key, in the order of the header.
    heads = ()
    signatures = 'nothing is signed'

    def check_contradictions(self, header):
        if not self.first <= self.end <= self.size:
            raise self._contradiction(f'first ≤ end ≤ size does not hold: {self.first}, {self.end}, {self.size}')
        if (self.checkpoint is None) != (self.size == 0):
            raise self._contradiction('a log has a checkpoint exactly when it has entries')
        if name_of_origin(self.origin) != self.log:
            raise self._contradiction(f'the origin {cut(self.origin)} does not end in /audit/logs/{self.log}')
        if header.chains is None:
            if self.heads:
                raise self._contradiction('only a chain export has the head of a chain')
        elif len(self.heads) != len(header.chains[1]):
            raise self._contradiction('a chain export has for every log a signed head of each chain')
        elif (self.first, self.end) != (0, self.size):
            raise self._contradiction('a chain export searches the whole log')

    def check(self, header, policy, knowns):
        self.stated = stated_keys(self.vkeys, self.origin, self.log)
        self.keys = self.stated if policy is None else trusted_keys(self.stated, policy, self.origin, self.log)
        if self.checkpoint is not None:
            self.signatures = check_checkpoint(self.checkpoint, self.origin, self.keys, policy, self.log)
            if self.checkpoint.size < self.size:
                raise Fault('checkpoint-older', self.log, f'the checkpoint has {self.checkpoint.size} entries, the export {self.size}')
        self._check_subtrees(header.completeness)
        if header.chains is not None:
            kind, keys = header.chains
            for key, head in zip(keys, self.heads):
                self._check_head(kind, key, head)
        for known in knowns:
            check_known_signature(known, self.keys, self.log)
            if self.checkpoint is None:
                raise Fault('known-unproved', self.log, f'{known.path} knows {known.checkpoint.size} entries, here the log has none')
            check_known(known, self.checkpoint, self.keys, self.log, self.known)

    def _check_subtrees(self, completeness):
        is_range = completeness == 'range' and self.checkpoint is not None
        before = len(cover(0, self.first)) if is_range else 0
        after = len(cover(self.end, self.checkpoint.size)) if is_range else 0
        if (len(self.before), len(self.after)) != (before, after):
            raise self._contradiction(f'before and after have {len(self.before)} and {len(self.after)} hashes, {before} and {after} are due')

    def _check_head(self, kind, key, head):
        if head.origin != self.origin:
            raise Fault('origin', self.log, f'the head of the chain is of {cut(head.origin)}, the log is {cut(self.origin)}')
        check_signatures(head.note, self.keys.ed25519, [], self.log)
        if head.kind != kind or head.key != sha256(key.encode()).hexdigest():
            raise Fault('chain-key', self.log, f'the head is not that of the chain of this {kind}')
        if head.size != self.size:
            raise Fault('chain-key', self.log, f'the head is as of size {head.size}, the export as of {self.size}')

    def _contradiction(self, sentence):
        return Fault('header', self.log, sentence)
