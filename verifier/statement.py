"""What a log signs beside its checkpoints: the head of a chain, and the list of logs (docs/audit-log.md §3)."""

import re

from canonical import decimal
from log_check import LOG_NAME
from note import Malformed, Note

_KEY_HASH = re.compile(r'[0-9a-f]{64}')


class Head:
    """`last` is None when `count` is 0."""

    def __init__(self, message):
        self.note = Note(message)
        lines = self.note.text[:-1].split('\n')
        if len(lines) != 7 or lines[0] != 'dossier-head/v1':
            raise Malformed('a head of a chain is seven lines, the first dossier-head/v1')
        self.origin = lines[1]
        self.size = decimal(_after('size', lines[2]))
        self.kind = _after('chain', lines[3])
        self.key = _after('key', lines[4])
        self.count = decimal(_after('count', lines[5]))
        last = _after('last', lines[6])
        self.last = None if last == '-' else decimal(last)
        if self.size is None or self.count is None or self.kind not in ('patient', 'organisation'):
            raise Malformed('size and count of a head are decimal numbers, its chain is patient or organisation')
        if not _KEY_HASH.fullmatch(self.key or ''):
            raise Malformed('the key of a head is a SHA-256 in hexadecimal')
        if (self.count == 0) != (last == '-') or (last != '-' and self.last is None):
            raise Malformed('last of a head is an index, or - where count is 0')


class ListedLog:
    def __init__(self, line):
        words = line.split(' ')
        if len(words) != 6 or words[0] != 'log':
            raise Malformed(f'not a line of a list of logs: {line[:80]}')
        _, self.log, self.vkey, ml_dsa_44, predecessor, state = words
        self.ml_dsa_44 = None if ml_dsa_44 == '-' else ml_dsa_44
        if not LOG_NAME.fullmatch(self.log) or state not in ('active', 'retired'):
            raise Malformed(f'not a line of a list of logs: {line[:80]}')
        if predecessor != '-' and not LOG_NAME.fullmatch(predecessor):
            raise Malformed(f'not the name of a predecessor: {predecessor[:80]}')


def listed(text):
    """(size of the signing log, ListedLogs) of the text of a list."""
    lines = text[:-1].split('\n')
    if len(lines) < 3 or lines[0] != 'dossier-logs/v1':
        raise Malformed('a list of logs begins with the line dossier-logs/v1')
    size = decimal(_after('size', lines[2]))
    if size is None:
        raise Malformed('the size of a list of logs is a decimal number')
    logs = [ListedLog(line) for line in lines[3:]]
    names = [each.log for each in logs]
    if names != sorted(set(names)):
        raise Malformed('a list of logs has each log once, sorted by name')
    return size, logs


def _after(word, line):
    return line[len(word) + 1 :] if line.startswith(word + ' ') else None
