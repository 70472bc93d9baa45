"""Lines of a text file in UTF-8 or UTF-16, gzip or not, one at a time, in bounded memory (docs/audit-log.md §5)."""

import io
import zlib

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
            self._file = open(path, 'rb')
            if self._file.peek(2)[:2] == b'\x1f\x8b':
                self._file = io.BufferedReader(_Gunzip(self._file))
            start = self._file.peek(4)[:4]
        except (OSError, EOFError, zlib.error) as error:
            raise unreadable(error) from None
        self._next = self._next_utf8
        if start.startswith(b'\xef\xbb\xbf'):
            self._file.read(3)
        elif start.startswith((b'\xff\xfe', b'\xfe\xff')):
            encoding = 'utf-16-le' if start.startswith(b'\xff\xfe') else 'utf-16-be'
            self._file.read(2)
            self._file = io.TextIOWrapper(self._file, encoding, newline='\n')
            self._next = self._next_utf16
        self._readline = self._file.readline

    def next(self):
        """The next line that is not blank, None at the end. A Fault without place when it is too long."""
        try:
            while True:
                line = self._next()
                if line is None or line.strip(_WHITE) or self.keep_blank:
                    return line
        except UnicodeError:
            raise Fault('unreadable', 'file', f'line {self.number} is neither UTF-8 nor UTF-16 with a byte order mark') from None
        except (OSError, EOFError, zlib.error) as error:
            raise unreadable(error) from None

    def __iter__(self):
        return iter(self.next, None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def _next_utf8(self):
        line = self._readline(MAX_LINE_BYTES + 2)
        if not line:
            return None
        self.number += 1
        if not line.isascii():
            line.decode()
        if len(line) < MAX_LINE_BYTES:
            return line.rstrip(b'\r\n')
        return _ended(line)

    def _next_utf16(self):
        # Counted before it is read: what cannot be decoded is in this line.
        self.number += 1
        line = self._readline(MAX_LINE_BYTES + 2)
        return _ended(line.encode()) if line else None


class _Gunzip(io.RawIOBase):
    """What one member of gzip holds (RFC 1952); bytes after its end are none of it."""

    def __init__(self, file):
        super().__init__()
        self._file = file
        self._inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)

    def readable(self):
        return True

    def readinto(self, buffer):
        while True:
            data = self._inflate.unconsumed_tail or (b'' if self._inflate.eof else self._file.read1(len(buffer)))
            if self._inflate.eof:
                if self._inflate.unused_data or self._file.read(1):
                    raise zlib.error('there are bytes after the end of what is compressed')
                return 0
            if not data:
                raise EOFError('what is compressed is cut short')
            out = self._inflate.decompress(data, len(buffer))
            if out:
                buffer[: len(out)] = out
                return len(out)

    def close(self):
        self._file.close()
        super().close()


def _ended(line):
    line = line.rstrip(b'\r\n')
    if len(line) > MAX_LINE_BYTES:
        raise Fault('format', None, f'a line is longer than {MAX_LINE_BYTES} bytes')
    return line


def unreadable(error):
    why = getattr(error, 'strerror', None) or error
    return Fault('unreadable', 'file', f'cannot be read: {why}')
