"""A file beside the proof file that tells of the same entries: rows of a CSV, AuditEvents."""

from fault import Fault


class Companion:
    """Takes the open entries of the proof file, one by one. What is wrong with the file beside it is told only when the proof
    file itself has been found right.

    Whoever inherits says how an entry is compared (`_compare`), what is wrong if more comes after the last (`_end`), and what
    is to be closed (`_close`); each raises `Fault`.
    """

    def __init__(self):
        self._fault = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._close()

    def take(self, line):
        self._attempt(lambda: self._compare(line))

    def finish(self):
        self._attempt(self._end)
        if self._fault is not None:
            raise self._fault

    def has(self, fault):
        """Whether a fault is of this file."""
        return fault is self._fault

    def _attempt(self, step):
        if self._fault is not None:
            return
        try:
            step()
        except Fault as fault:
            self._fault = fault
