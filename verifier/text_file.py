"""Lines of a text file in UTF-8 or UTF-16, one at a time, in bounded memory (docs/audit-log.md §5)."""

import io

from fault import Fault

# The longest entry is 64 KiB; with every character escaped (\u00e9), a proof and a note beside it, it stays below this.
MAX_LINE_BYTES = 1 << 20

_WHITE = b' \t\r\n'


class TextFile:
    """Lines without their end, in UTF-8; `number` is that of the last line given, from 1.

    Blank ones are passed over unless `keep_blank`.
    """

    def __init__(self, path):
        self.number = 0
        self.keep_blank = False
        try:
            binary = open(path, 'rb')
            start = binary.peek(4)[:4]
            if start.startswith((b'\xff\xfe', b'\xfe\xff')):
                binary.read(2)
                encoding = 'utf-16-le' if start.startswith(b'\xff\xfe') else 'utf-16-be'
                self._readline = io.TextIOWrapper(binary, encoding, newline='\n').readline
                self._next = self._next_utf16
            else:
                if start.startswith(b'\xef\xbb\xbf'):
                    binary.read(3)
                self._readline = binary.readline
                self._next = self._next_utf8
        except OSError as error:
            raise unreadable(error) from None

    def next(self):
        """The next line that is not blank, None at the end. A Fault without place when it is too long."""
        try:
            while True:
                line = self._next()
                if line is None:
                    return None
                if self.keep_blank or line.strip(_WHITE):
                    return line
        except UnicodeError:
            raise Fault('unreadable', 'file', f'line {self.number} is neither UTF-8 nor UTF-16 with a byte order mark') from None
        except OSError as error:
            raise unreadable(error) from None

    def __iter__(self):
        return iter(self.next, None)

    def _next_utf8(self):
        line = self._readline(MAX_LINE_BYTES + 2)
        if not line:
            return None
        self.number += 1
        if not line.isascii():
            line.decode()
        return _ended(line)

    def _next_utf16(self):
        # Counted before it is read: what cannot be decoded is in this line.
        self.number += 1
        line = self._readline(MAX_LINE_BYTES + 2)
        return _ended(line.encode()) if line else None


def _ended(line):
    line = line.rstrip(b'\r\n')
    if len(line) > MAX_LINE_BYTES:
        raise Fault('format', None, f'a line is longer than {MAX_LINE_BYTES} bytes')
    return line


def unreadable(error):
    return Fault('unreadable', 'file', f'cannot be read: {error.strerror or error}')
