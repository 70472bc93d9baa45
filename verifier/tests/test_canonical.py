"""Canonical JSON, against the values that RFC 8785 prints, and the two ways of reading a line against each other."""

import json
import random
import struct
import unittest

from case import VerifierCase, sample

from canonical import NotJson, canonical, decimal, number_text, parse
from fault import Fault
from line import _PLAIN, read_line


class CanonicalTest(unittest.TestCase):
    def test_the_example_of_rfc_8785_3_2_2(self):
        text = (
            '{ "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],'
            ' "string": "\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/", "literals": [null, true, false] }'
        )
        expected = (
            '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
            '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
        )
        self.assertEqual(canonical(parse(text)), expected)

    def test_names_are_ordered_by_utf_16_code_units_as_in_rfc_8785_3_2_3(self):
        value = parse('{"\\u20ac":"Euro Sign","\\r":"Carriage Return","\\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",'
                      '"\\ud83d\\ude00":"Emoji: Grinning Face","\\u0080":"Control","\\u00f6":"Latin Small Letter O With Diaeresis"}')
        expected = ['Carriage Return', 'One', 'Control', 'Latin Small Letter O With Diaeresis', 'Euro Sign', 'Emoji: Grinning Face', 'Hebrew Letter Dalet With Dagesh']
        self.assertEqual(list(json.loads(canonical(value)).values()), expected)

    def test_the_numbers_of_rfc_8785_appendix_b(self):
        for bits, text in (
            ('0000000000000000', '0'),
            ('8000000000000000', '0'),
            ('0000000000000001', '5e-324'),
            ('7fefffffffffffff', '1.7976931348623157e+308'),
            ('4340000000000000', '9007199254740992'),
            ('4430000000000000', '295147905179352830000'),
            ('44b52d02c7e14af5', '9.999999999999997e+22'),
            ('44b52d02c7e14af6', '1e+23'),
            ('444b1ae4d6e2ef4e', '999999999999999700000'),
            ('444b1ae4d6e2ef50', '1e+21'),
            ('3eb0c6f7a0b5ed8c', '9.999999999999997e-7'),
            ('3eb0c6f7a0b5ed8d', '0.000001'),
            ('41b3de4355555555', '333333333.3333333'),
            ('becbf647612f3696', '-0.0000033333333333333333'),
            ('43143ff3c1cb0959', '1424953923781206.2'),
        ):
            self.assertEqual(number_text(struct.unpack('>d', bytes.fromhex(bits))[0]), text)

    def test_whole_numbers_past_2_53_are_doubles(self):
        self.assertEqual(canonical(parse('[12345678901234567890, 9007199254740993, -0, 1e2]')), '[12345678901234567000,9007199254740992,0,100]')

    def test_what_two_readers_may_see_differently_is_refused(self):
        for text in ('{"a":1,"a":2}', '["\\ud800"]', '[NaN]', '[Infinity]', '[1e999]', '[' + '9' * 500 + ']', '[' * 100000, '{"a":1}}', '', '["\t"]'):
            with self.assertRaises(NotJson, msg=text[:20]):
                parse(text)

    def test_indices_are_canonical_decimals_below_2_64(self):
        self.assertEqual(decimal('18446744073709551615'), 2**64 - 1)
        for text in ('18446744073709551616', '00', '01', '-1', '+1', '1.0', ' 1', '', '１', 1, None, '9' * 100):
            self.assertIsNone(decimal(text))


class TwoWaysTest(VerifierCase):
    def test_the_fast_way_and_the_slow_way_read_the_same_of_a_line(self):
        def told(raw):
            line = read_line(raw)
            places = []
            for kind in ('organisation', 'patient'):
                key, place = line.membership(kind)
                places.append((key, place and (place.count, place.previous)))
            return line.opens, line.problem, line.log, line.index, line.time, places, line.text, line.proof, line.leaf

        plain = 0
        for index in range(0, 600):
            line = self.world.montreal.line(index, with_proof=index % 2 == 0)
            if 'entry' in line:
                raw = sample.jcs(line).encode()
                plain += _PLAIN.match(raw) is not None
                self.assertEqual(told(raw), told(b' ' + raw))
        # A fast way that nothing takes would make this test say nothing.
        self.assertGreater(plain, 400)

    def test_whatever_bytes_change_the_fast_way_never_says_other_than_the_slow_way(self):
        numbers = random.Random(20261122)
        raw = sample.jcs(self.world.montreal.line(4)).encode()
        self.assertIsNotNone(_PLAIN.match(raw))
        for _ in range(3000):
            at = numbers.randrange(len(raw))
            changed = raw[:at] + numbers.choice([b'', b'"', b'0', b'A', b'\\', b'\x1f', b'{', b'nul', raw[at : at + 20]]) + raw[at + numbers.choice([0, 1, 1, 20]) :]
            # Lines come decoded once: what is no UTF-8 never gets here.
            changed = changed.decode('utf-8', 'replace').encode()
            self.assertEqual(self._verdict(changed), self._verdict(b' ' + changed), changed)

    def _verdict(self, raw):
        try:
            line = read_line(raw)
        except Fault as fault:
            return fault.code
        return line.opens, line.problem, line.index, line.log, line.text


if __name__ == '__main__':
    unittest.main()
