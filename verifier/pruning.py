"""What a retention policy let go (docs/audit-log.md §4): pruning entries, and the lines that name them.

One entry may have pruned millions: of all that went by it, only the first and the last are kept.
"""

import re

from canonical import decimal
from entry import TIME_PATTERN
from fault import Fault
from log_check import LOG_NAME

_TIME = re.compile(TIME_PATTERN)
_NUMBERED = re.compile(r'(.+)-([2-9]|[1-9][0-9]{1,5})')


class Pruning:
    """Of `log`, bodies of entries below the index `to` and older than `before` may go."""

    __slots__ = ('log', 'to', 'before')

    def __init__(self, log, to, before):
        self.log = log
        self.to = to
        self.before = before


def pruning_of(line):
    """The Pruning that an open line is, None when it is none."""
    if not line.is_redaction:
        return None
    access = line.entry()['access']
    decision, note = access.get('decision'), access.get('note')
    if access.get('phase') != 'intent':
        return None
    if not isinstance(decision, dict) or decision.get('outcome') != 'permit' or not isinstance(note, dict):
        return None
    log, to, before = note.get('prunes-log'), decimal(note.get('prunes-to')), note.get('prunes-before')
    if not isinstance(log, str) or not LOG_NAME.fullmatch(log) or to is None:
        return None
    if not isinstance(before, str) or not _TIME.fullmatch(before):
        return None
    is_own = log == line.log and to <= line.index
    return Pruning(log, to, before) if is_own or _is_later(log, line.log) else None


def _is_later(log, later):
    """Whether the second name is that of a successor of the first: `a-2` of `a`, `a-3` of `a-2`."""
    numbered = _NUMBERED.fullmatch(later)
    if numbered is None:
        return False
    if numbered.group(1) == log:
        return True
    before = _NUMBERED.fullmatch(log)
    return before is not None and before.group(1) == numbered.group(1) and int(before.group(2)) < int(numbered.group(2))


class _Pruned:
    """What one entry is said to have pruned in one log; `time` is that of the newest open entry before the last."""

    __slots__ = ('first', 'last', 'time')


class Prunings:
    """Of a whole file: an entry may prune a log before its own."""

    def __init__(self):
        # (log, index) of a pruning entry → Pruning
        self._entries = {}
        # log → {(log, index) of the entry named: _Pruned}
        self._pruned = {}

    def note_entry(self, line, pruning):
        self._entries[line.log, line.index] = pruning

    def note_pruned(self, log, index, by, time):
        of_log = self._pruned.setdefault(log, {})
        pruned = of_log.get(by)
        if pruned is None:
            pruned = of_log[by] = _Pruned()
            pruned.first = index
        pruned.last = index
        pruned.time = time

    def check(self):
        """Faults `pruning-*`: log by log in the order of the file, the lowest index first."""
        for log, of_log in self._pruned.items():
            found = [problem for by, pruned in of_log.items() for problem in self._problems(log, by, pruned)]
            if found:
                index, code, sentence = min(found)
                raise Fault(code, f'{log}/{index}', sentence)

    def _problems(self, log, by, pruned):
        name = f'{by[0]}/{by[1]}'
        pruning = self._entries.get(by)
        if pruning is None:
            yield pruned.first, 'pruning-missing', f'pruned, but {name} that it names is not in the file or is no pruning entry'
        elif pruning.log != log:
            yield pruned.last, 'pruning-other', f'pruned, but {name} that it names prunes the log {pruning.log}'
        elif pruned.last >= pruning.to:
            yield pruned.last, 'pruning-other', f'pruned, but {name} that it names goes only up to the entries below {pruning.to}'
        elif pruned.time >= pruning.before:
            yield pruned.last, 'pruning-other', f'pruned, but {name} that it names is of entries before {pruning.before}, and one before this one is of {pruned.time}'
