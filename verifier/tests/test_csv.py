"""CSV exports beside the NDJSON export of the same entries."""

import unittest

from case import VerifierCase, sample


class CsvTest(VerifierCase):
    def setUp(self):
        super().setUp()
        self.export = sample.export([self.world.montreal], bounds={'montreal': (10, 60)})
        self.rows = sample.csv_rows(self.export.lines)
        # What these entries have that a spreadsheet would take for a formula.
        for row in self.rows:
            for at, field in enumerate(row):
                if field == "-name=O'Neil;=x,\t+y":
                    row[at] = "'-name=O'Neil;'=x,\t'+y"
                if field.startswith('@a'):
                    row[at] = "'" + field
        self.proof = self.file(self.export, 'proof.ndjson')

    def verify(self, data):
        self.assert_passes('verify', self.file(data, 'export.csv'), '--proof', self.proof)

    def fault(self, code, place, rows):
        data = rows if isinstance(rows, bytes) else sample.csv_data(rows)
        self.assert_fault(code, place, data, '--proof', self.proof)

    def column(self, name):
        return sample.CSV_NAMES.index(name)

    def test_the_rows_of_the_entries_in_any_encoding_with_any_line_ends_and_quotes(self):
        data = sample.csv_data(self.rows)
        text = data.decode()
        for each in (
            data,
            sample.csv_data(self.rows, '\n'),
            sample.csv_data(self.rows, always_quote=True),
            b'\xef\xbb\xbf' + data,
            b'\xff\xfe' + text.encode('utf-16-le'),
            b'\xfe\xff' + text.encode('utf-16-be'),
            sample.csv_data(self.rows, '\n\n'),
            data.rstrip(b'\r\n'),
        ):
            self.verify(each)

    def test_line_ends_inside_a_field_may_become_others_too(self):
        montreal = sample.Log('montreal')
        montreal.append(sample.access(breakGlassReason='one\ntwo\n\n-three\r\nfour'))
        export = sample.export([montreal])
        self.proof = self.file(export, 'proof.ndjson')
        rows = sample.csv_rows(export.lines)
        rows[1][self.column('break_glass_reason')] = "one\ntwo\n\n'-three\r\nfour"
        data = sample.csv_data(rows)
        self.assertIn(b'two\n\n', data)
        self.verify(data)
        self.verify(data.replace(b'\r\n', b'\n'))
        self.verify(data.replace(b'\r\n', b'\n').replace(b'\n', b'\r\n'))
        self.fault('csv-cell', 'row 2 column break_glass_reason', data.replace(b'two\n\n', b'two\n'))

    def test_every_place_where_a_formula_may_begin_has_its_apostrophe(self):
        from csv_file import _FORMULA

        for text, safe in (
            ('=1', "'=1"),
            ('a=1', 'a=1'),
            ('a;=1;-2', "a;'=1;'-2"),
            ('\t=1', "'\t'=1"),
            ('a\n@b', "a\n'@b"),
            ('a\r\n+b', "a\r\n'+b"),
            (';;=', ";;'="),
            ("'=1", "'=1"),
            ('', ''),
        ):
            self.assertEqual(_FORMULA.sub("'", text), safe)

    def test_columns(self):
        for names in (sample.CSV_NAMES[:-1], [*sample.CSV_NAMES, 'more'], [sample.CSV_NAMES[1], sample.CSV_NAMES[0], *sample.CSV_NAMES[2:]], ['x']):
            self.fault('csv-columns', 'row 1', [names, *self.rows[1:]])

    def test_a_field_that_is_not_what_its_entry_says(self):
        for name in sample.CSV_NAMES:
            rows = [list(row) for row in self.rows]
            rows[4][self.column(name)] += 'x'
            self.fault('csv-cell', f'row 5 column {name}', rows)

    def test_a_formula_without_its_apostrophe(self):
        at = next(at for at, row in enumerate(self.rows) if row[self.column('detail')].startswith("'@"))
        self.rows[at][self.column('detail')] = self.rows[at][self.column('detail')][1:]
        self.fault('csv-cell', f'row {at + 1} column detail', self.rows)

    def test_a_record_with_a_field_more_or_less(self):
        self.fault('csv-cell', 'row 5 column leaf', [*self.rows[:4], self.rows[4][:-1], *self.rows[5:]])
        self.fault('csv-cell', 'row 5 column leaf', [*self.rows[:4], [*self.rows[4], 'x'], *self.rows[5:]])

    def test_rows_that_are_missing(self):
        self.fault('csv-row-missing', 'montreal/13', self.rows[:4] + self.rows[5:])
        self.fault('csv-row-missing', 'montreal/10', self.rows[:1] + self.rows[2:])
        # The last open entry is the redaction entry, with its own proof.
        self.assertEqual(self.export.lines[-1]['entry']['index'], '500')
        self.fault('csv-row-missing', 'montreal/500', self.rows[:-1])

    def test_rows_that_are_too_many(self):
        self.fault('csv-row-extra', f'row {len(self.rows) + 1}', [*self.rows, self.rows[-1]])
        self.fault('csv-row-extra', 'row 6', [*self.rows[:5], self.rows[4], *self.rows[5:]])
        stranger = ['x'] * len(sample.CSV_NAMES)
        self.fault('csv-row-extra', 'row 6', [*self.rows[:5], stranger, *self.rows[5:]])

    def test_blank_lines_count_as_rows_but_are_passed_over(self):
        data = sample.csv_data(self.rows).replace(b'\r\n', b'\r\n\r\n', 2)
        self.verify(data)
        self.fault('csv-cell', 'row 5 column outcome', data.replace(b',permit,', b',deny,', 2).replace(b',deny,', b',permit,', 1))

    def test_what_is_wrong_with_the_proof_comes_first_and_under_its_name(self):
        self.export.lines[7]['entry']['access']['purpose'] = 'X'
        self.proof = self.file(self.export, 'proof.ndjson')
        self.assert_fault('leaf', 'montreal/17', sample.csv_data(self.rows[:-1]), '--proof', self.proof, file=self.proof)

    def test_a_csv_file_without_proof_and_a_proof_without_a_csv_file(self):
        self.assert_fault('format', 'file', sample.csv_data(self.rows))
        self.assert_fault('format', 'file', self.export, '--proof', self.proof)

    def test_a_quote_that_never_ends(self):
        data = sample.csv_data(self.rows)
        self.fault('format', 'row 2', data.replace(b'\r\nmontreal', b'\r\n"montreal', 1))


if __name__ == '__main__':
    unittest.main()
