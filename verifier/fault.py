"""The one thing a verifier has to say when something is wrong: a code, a place and a sentence."""

import re

_UNPRINTABLE = re.compile(r'[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]')


class Fault(Exception):
    """The first thing that is wrong (docs/audit-log.md §5).

    `place` is None while the reader that found it does not know where it stands in the log; whoever does fills it in.
    `file` is None for the file under test, else the name of another file (a policy, a known checkpoint, the proof).
    """

    def __init__(self, code, place, sentence, file=None):
        super().__init__(code, place, sentence)
        self.code = code
        self.place = place
        self.sentence = sentence
        self.file = file

    def line(self, file):
        return printable(f'{self.file or file}: {self.code}: {self.place or "file"}: {self.sentence}')


def printable(text):
    """One line that a terminal shows as it is: what came out of a file cannot move the cursor or turn the text round."""
    return _UNPRINTABLE.sub(lambda found: f'\\u{ord(found.group()):04x}', text)


def cut(text, length=80):
    """A piece of a hostile file, for a sentence."""
    return text if len(text) <= length else f'{text[:length]}…'
