"""A CSV export against the NDJSON export of the same entries: field by field (docs/audit-log.md §4, CSV)."""

import csv
import re

from base64_text import base64url
from canonical import canonical, number_text
from companion import Companion
from fault import Fault, cut
from text_file import MAX_LINE_BYTES, TextFile


def _of(*path):
    def value(entry):
        for name in path:
            if not isinstance(entry, dict):
                return None
            entry = entry.get(name)
        return entry

    return value


def _joined(entry):
    resources = entry['access'].get('resources')
    return ' '.join(map(_text, resources)) if isinstance(resources, list) else resources


def _note(entry):
    note = entry['access'].get('note')
    return None if note is None else canonical(note)


# The columns but the last one, `leaf`: name and function of the entry.
_COLUMNS = [
    ('log', _of('log')),
    ('index', _of('index')),
    ('time', _of('time')),
    ('request_id', _of('access', 'requestId')),
    ('part', _of('access', 'part')),
    ('parts', _of('access', 'parts')),
    ('phase', _of('access', 'phase')),
    ('action', _of('access', 'action')),
    ('operation', _of('access', 'operation')),
    ('outcome', _of('access', 'decision', 'outcome')),
    ('reason', _of('access', 'decision', 'reason')),
    ('detail', _of('access', 'decision', 'detail')),
    ('status', _of('access', 'status')),
    ('patient', _of('access', 'patient')),
    ('practitioner', _of('access', 'who', 'practitioner')),
    ('name', _of('access', 'who', 'name')),
    ('role', _of('access', 'who', 'role')),
    ('facility', _of('access', 'who', 'facility')),
    ('organisation', _of('access', 'who', 'organisation')),
    ('issuer', _of('access', 'who', 'issuer')),
    ('subject', _of('access', 'who', 'subject')),
    ('client', _of('access', 'who', 'client')),
    ('token', _of('access', 'who', 'token')),
    ('address', _of('access', 'who', 'address')),
    ('purpose', _of('access', 'purpose')),
    ('break_glass_reason', _of('access', 'breakGlassReason')),
    ('resources', _joined),
    ('method', _of('access', 'query', 'method')),
    ('query', _of('access', 'query', 'text')),
    ('query_sha256', _of('access', 'query', 'sha256')),
    ('client_request_id', _of('access', 'clientRequestId')),
    ('policy_version', _of('access', 'policyVersion')),
    ('stale_seconds', _of('access', 'staleness', 'seconds')),
    ('degraded', _of('access', 'staleness', 'degraded')),
    ('note', _note),
]
NAMES = [name for name, _ in _COLUMNS] + ['leaf']
_LEAF = len(NAMES) - 1

# A spreadsheet takes what begins like this for a formula: the apostrophe before it makes it text.
_FORMULA = re.compile(r'(?:(?<=[;\t\r\n])|\A)(?=[=+\-@\t\r])')
_FORMULA_BEGINS = '=+-@\t\r'
_LINE_END = re.compile(r'\r\n?')

# A quote in a record may hold it open to the end of a hostile file.
_MAX_RECORD = 2 * MAX_LINE_BYTES
csv.field_size_limit(_MAX_RECORD)


def fields_of(entry, leaf):
    """The record of an entry, before quoting."""
    fields = [_without_formula(_text(value(entry))) for _, value in _COLUMNS]
    return [*fields, base64url(leaf).decode()]


def _without_formula(text):
    # Few texts have anything of what a formula needs, and looking is faster than replacing nothing.
    if text and (text[0] in _FORMULA_BEGINS or ';' in text or '\t' in text or '\r' in text or '\n' in text):
        return _FORMULA.sub("'", text)
    return text


def _with_line_feeds(text):
    return _LINE_END.sub('\n', text) if '\r' in text else text


class CsvRows(Companion):
    def __init__(self, path):
        super().__init__()
        self._records = _Records(path)
        self._row = 1
        self._attempt(self._begin)

    def _begin(self):
        names = self._records.next()
        if names is None:
            raise Fault('csv-columns', 'row 1', 'the file is empty')
        if names != NAMES:
            raise Fault('csv-columns', 'row 1', _columns_words(names))

    def _end(self):
        if self._next() is not None:
            raise Fault('csv-row-extra', f'row {self._row}', 'the proof file has no entry for this row')

    def _close(self):
        self._records.close()

    def _compare(self, line):
        expected = [_with_line_feeds(field) for field in fields_of(line.entry(), line.leaf)]
        row = self._next()
        if row == expected:
            return
        if row is None:
            raise _missing(line)
        if not _is_of(row, expected):
            number = self._row
            after = self._next()
            if after is not None and _is_of(after, expected):
                raise Fault('csv-row-extra', f'row {number}', f'no entry stands here in the proof file; the next one is {line.log}/{line.index}')
            raise _missing(line)
        for at, name in enumerate(NAMES):
            if at >= len(row) or row[at] != expected[at]:
                says = 'is missing' if at >= len(row) else f'says "{cut(row[at])}"'
                raise Fault('csv-cell', f'row {self._row} column {name}', f'the field {says}, the entry {line.log}/{line.index} says "{cut(expected[at])}"')
        raise Fault('csv-cell', f'row {self._row} column {NAMES[-1]}', f'{len(row)} fields, {len(NAMES)} are due')

    def _next(self):
        record = self._records.next()
        self._row = self._records.row
        return record


class _Records:
    """Records of a CSV file (RFC 4180); their fields may have line ends. `row` is the number of the last one, from 1, as a
    spreadsheet counts."""

    def __init__(self, path):
        self._file = TextFile(path)
        self.row = 0
        self._lines = 0

    def close(self):
        self._file.__exit__()

    def next(self):
        """The fields, line ends in them as LF; None at the end."""
        try:
            return self._read()
        except Fault as fault:
            fault.place = fault.place or f'row {self.row + 1}'
            raise

    def _read(self):
        text = self._file.next()
        if text is None:
            return None
        # Blank lines before it are rows to a spreadsheet.
        self.row += self._file.number - self._lines
        pieces = [text]
        quotes = text.count(b'"')
        size = len(text)
        while quotes % 2:
            self._file.keep_blank = True
            text = self._file.next()
            self._file.keep_blank = False
            if text is None:
                raise Fault('format', f'row {self.row}', 'a quoted field does not end')
            pieces.append(text)
            quotes += text.count(b'"')
            size += len(text)
            if size > _MAX_RECORD:
                raise Fault('format', f'row {self.row}', f'a record is longer than {_MAX_RECORD} bytes')
        self._lines = self._file.number
        return _fields(b'\n'.join(pieces).decode(), self.row)


def _fields(record, row):
    # One record, even where quotes stand in odd places: line ends outside quotes separate nothing here.
    try:
        rows = list(csv.reader([record]))
    except csv.Error as error:
        raise Fault('format', f'row {row}', f'not a record of a CSV file: {error}') from None
    return [_with_line_feeds(field) for row in rows for field in row]


def _is_of(row, expected):
    """Whether a row is meant for an entry: it has its leaf, or its log and index."""
    return row[:2] == expected[:2] or (len(row) > _LEAF and row[_LEAF] == expected[_LEAF])


def _missing(line):
    return Fault('csv-row-missing', f'{line.log}/{line.index}', 'the proof file has this entry, the CSV file has no row for it')


def _columns_words(names):
    for at, name in enumerate(NAMES):
        if at >= len(names) or names[at] != name:
            says = 'nothing' if at >= len(names) else f'"{cut(names[at])}"'
            return f'column {at + 1} should be "{name}", and is {says}'
    return f'{len(names)} columns, {len(NAMES)} are due'


def _text(value):
    if value is None:
        return ''
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return 'true' if value else 'false'
    if isinstance(value, (int, float)):
        return number_text(value)
    return canonical(value)
