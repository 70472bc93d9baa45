"""Whose keys are trusted, and which witnesses must have cosigned (C2SP tlog-policy)."""

import re

from fault import Fault
from note import ED25519, ED25519_COSIGNATURE, KIND_NAMES, ML_DSA_44, Key, Malformed
from text_file import TextFile

_CONTROL = re.compile(r'[\x00-\x08\x0a-\x1f\x7f]')
# The specification asks for 32 of each.
_MAX_DEFINITIONS = 1024


class Policy:
    """`logs`: trusted keys. `witnesses`: name → key. The quorum is a name of `groups` or `witnesses`, or none."""

    def __init__(self, path):
        self.logs = []
        self.witnesses = {}
        self._groups = {}
        self._members = set()
        self._quorum = None
        try:
            with TextFile(path) as lines:
                self._read_all(lines)
        except Fault as fault:
            fault.file = path
            raise

    def keys_of(self, origin):
        """{kind: keys} trusted for the log of that origin."""
        keys = {ED25519: [], ML_DSA_44: []}
        for key in self.logs:
            if key.name == origin:
                keys[key.kind].append(key)
        return keys

    def has_quorum(self, cosigners):
        """Whether the keys that validly cosigned are enough."""
        if self._quorum == 'none':
            return True
        signed = {name: key in cosigners for name, key in self.witnesses.items()}
        # A group names only what stands above it.
        for name, (threshold, members) in self._groups.items():
            signed[name] = sum(signed[member] for member in members) >= threshold
        return signed[self._quorum]

    def _read_all(self, lines):
        try:
            for line in lines:
                self._read(line.decode())
        except Malformed as error:
            raise Fault('format', f'line {lines.number}', f'not a policy: {error}') from None
        if self._quorum is None:
            raise Fault('format', 'file', 'not a policy: it has no quorum line')
        if self._quorum is None:
            raise Fault('format', 'file', 'not a policy: it has no quorum line')

    def _read(self, line):
        line = line.strip(' \t')
        if not line or line.startswith('#'):
            return
        if _CONTROL.search(line):
            raise Malformed('a control character')
        word, *rest = re.split(r'[ \t]+', line)
        read = {'log': self._log, 'witness': self._witness, 'group': self._group, 'quorum': self._set_quorum}.get(word)
        if read is None:
            raise Malformed(f'{word} is none of log, witness, group, quorum')
        if len(self.logs) + len(self.witnesses) + len(self._groups) >= _MAX_DEFINITIONS:
            raise Malformed(f'more than {_MAX_DEFINITIONS} definitions')
        read(rest)

    def _log(self, words):
        if len(words) not in (1, 2):
            raise Malformed('log <vkey> [<url>]')
        self.logs.append(self._new_key(words[0], (ED25519, ML_DSA_44)))

    def _witness(self, words):
        if len(words) not in (2, 3):
            raise Malformed('witness <name> <vkey> [<url>]')
        key = self._new_key(words[1], (ED25519_COSIGNATURE, ML_DSA_44))
        self.witnesses[self._new_name(words[0])] = key

    def _group(self, words):
        if len(words) < 3:
            raise Malformed('group <name> all|any|<k> <member>…')
        name, threshold, *members = words
        for member in members:
            if member in self._members or not self._is_defined(member):
                raise Malformed(f'{member} is not defined above, or is already in a group')
            self._members.add(member)
        count = {'all': len(members), 'any': 1}.get(threshold)
        if count is None:
            count = int(threshold) if re.fullmatch(r'[1-9][0-9]{0,5}', threshold) else 0
        if not 1 <= count <= len(members):
            raise Malformed(f'{threshold} of {len(members)} members')
        self._groups[self._new_name(name)] = (count, members)

    def _set_quorum(self, words):
        if self._quorum is not None or len(words) != 1:
            raise Malformed('a policy has one quorum line, with one name')
        if words[0] != 'none' and not self._is_defined(words[0]):
            raise Malformed(f'{words[0]} is not defined above')
        self._quorum = words[0]

    def _new_name(self, name):
        if name == 'none' or self._is_defined(name):
            raise Malformed(f'{name} is already defined')
        return name

    def _is_defined(self, name):
        return name in self.witnesses or name in self._groups

    def _new_key(self, vkey, kinds):
        key = Key(vkey)
        if key.kind not in kinds:
            raise Malformed(f'a key of type {KIND_NAMES[key.kind]} cannot stand here')
        # Of logs and of witnesses: a log that cosigns its own checkpoints is no witness.
        if any(other.public == key.public for other in (*self.logs, *self.witnesses.values())):
            raise Malformed('two lines have one public key')
        return key
