"""Keys, notes, cosignatures and policies, against vectors that other programs made."""

import base64
import os
import unittest
from unittest import mock

from case import VerifierCase, sample

import openssl
from note import Checkpoint, Key, Malformed, Note, check_signatures

HERE = os.path.dirname(os.path.abspath(__file__))

# From C2SP signed-note.
EXAMPLE_KEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'

# Made by another program and accepted by Go's sumdb/note and transparency-dev/formats; seeds 32 × 0x01 and 32 × 0x02.
LOG_KEY = 'audit.example/eu1+eac35a01+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c'
WITNESS_KEY = 'witness.example/w1+df1c0a35+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU'
CHECKPOINT = """audit.example/eu1
8
XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=

— audit.example/eu1 6sNaAdXrMRw2dFKeQmaNaZ1fCCx+RoMiIQfT7Pns/TgdDp1hs9oTKNH9hb7C9eB9oVwwOvzMeDIiEXng3uWtZ/9uGg0=
— witness.example/w1 3xwKNQAAAABlU/EA94TpzU+MqcVQY8pZjfOwO+KiZ1Zvg3ZRDBgF18UJ7ynZrxF+jeZW5avqwRzf1brbn357ZZlGwfNxa86mzgWeCw==
"""


def read(name):
    with open(os.path.join(HERE, name), encoding='utf-8') as file:
        return file.read()


class VectorsTest(VerifierCase):
    def test_the_verifier_key_of_the_specification(self):
        key = Key(EXAMPLE_KEY)
        self.assertEqual((key.name, key.kind, key.id.hex()), ('example.com/foo', 1, '530d903a'))

    def test_a_checkpoint_with_a_cosignature_made_elsewhere(self):
        log, witness = Key(LOG_KEY), Key(WITNESS_KEY)
        checkpoint = Checkpoint(CHECKPOINT)
        self.assertEqual((checkpoint.origin, checkpoint.size, checkpoint.root.hex()[-4:]), ('audit.example/eu1', 8, '4328'))
        self.assertEqual(check_signatures(checkpoint.note, log, [witness], 'eu1', checkpoint), {log: True, witness: True})

    def test_every_changed_byte_of_its_signatures_is_noticed(self):
        for signed in CHECKPOINT.strip().split('\n')[4:]:
            start, _, payload = signed.rpartition(' ')
            data = base64.b64decode(payload)
            for at in range(4, len(data), 7):
                changed = data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]
                checkpoint = Checkpoint(CHECKPOINT.replace(signed, f'{start} {sample.b64(changed)}'))
                with self.assertRaisesRegex(Exception, 'signature-invalid'):
                    check_signatures(checkpoint.note, Key(LOG_KEY), [Key(WITNESS_KEY)], 'eu1', checkpoint)

    def test_an_ml_dsa_44_cosignature_of_the_log(self):
        """Made with openssl 3.5, from the seed 32 × 0x03; accepted by noble-post-quantum."""
        log, other = Key(LOG_KEY), Key(read('ml-dsa-44.vkey').strip())
        note = read('ml-dsa-44.checkpoint')
        checkpoint = Checkpoint(note)
        outcome = check_signatures(checkpoint.note, log, [other], 'eu1', checkpoint)
        self.assertEqual(outcome, {log: True, other: True if openssl.has_ml_dsa() else None})

    @unittest.skipUnless(openssl.has_ml_dsa(), 'ML-DSA-44 needs OpenSSL 3.5')
    def test_an_ml_dsa_44_cosignature_that_does_not_fit(self):
        other = Key(read('ml-dsa-44.vkey').strip())
        note = read('ml-dsa-44.checkpoint')
        for changed in (note.replace('\n8\n', '\n9\n'), note[:-1000] + ('B' if note[-1000] == 'A' else 'A') + note[-999:]):
            checkpoint = Checkpoint(changed)
            with self.assertRaisesRegex(Exception, 'signature-invalid'):
                check_signatures(checkpoint.note, other, [], 'eu1', checkpoint)

    def test_notes_and_keys_that_are_malformed(self):
        for message in (
            '',
            'text\n',
            CHECKPOINT[:-1],
            CHECKPOINT.replace('\n\n', '\n'),
            CHECKPOINT.replace('— audit', '- audit'),
            CHECKPOINT.replace('eu1 6s', 'eu1  6s'),
            CHECKPOINT.replace('8\n', '8\r\n', 1),
            CHECKPOINT.replace('uWtZ/9uGg0=', 'uWtZ/9uGg1='),
            CHECKPOINT + '— audit.example/eu1 AAAA\n',
            CHECKPOINT + '— audit.example/eu1 AAAAAAAA\n' * 100,
        ):
            with self.assertRaises(Malformed, msg=message):
                Note(message)
        for message in (CHECKPOINT.replace('\n8\n', '\n08\n'), CHECKPOINT.replace('\n8\n', '\n0\n'), CHECKPOINT.replace('\n8\n', '\n8\nmore\n')):
            with self.assertRaises(Malformed):
                Checkpoint(message)
        for vkey in ('', 'a+b', LOG_KEY + 'A', LOG_KEY.replace('AYqI', 'AoqI'), LOG_KEY.replace('eu1', 'eu2'), LOG_KEY.replace('+eac', '+EAC'), ' ' + LOG_KEY):
            with self.assertRaises(Malformed):
                Key(vkey)


class UncheckedTest(VerifierCase):
    """What cannot be checked counts for nothing."""

    def setUp(self):
        super().setUp()
        # As with an openssl older than 3.5, whatever is installed.
        patch = mock.patch.object(openssl, 'has_ml_dsa', return_value=False)
        patch.start()
        self.addCleanup(patch.stop)
        self.log = sample.Log('montreal')
        self.log.append(sample.access())
        self.ml_dsa = self.vkey(self.log.origin)
        self.witness = self.vkey('witness.example/pq')

    def vkey(self, name):
        material = b'\6' + b'\5' * 1312
        return f'{name}+{sample.sha256(name.encode() + bytes([10]) + material)[:4].hex()}+{sample.b64(material)}'

    def line(self, vkey, length=2420):
        name, id, _ = vkey.split('+', 2)
        return f'— {name} {sample.b64(bytes.fromhex(id) + bytes(8) + b"s" * length)}\n'

    def export(self, *lines):
        export = sample.export([self.log])
        stated = export.header['logs'][0]
        stated['keys'].append(self.ml_dsa)
        stated['checkpoint'] += ''.join(lines)
        export.header['list'] = self.log.signer.note(
            f'dossier-logs/v1\n{self.log.origin}\nsize 1\nlog montreal {self.log.signer.vkey} {self.ml_dsa} - active\n'
        )
        return export

    def test_it_is_said(self):
        out = self.assert_verified(self.export(self.line(self.ml_dsa)))
        self.assertIn('ML-DSA-44 not checked, ML-DSA-44 needs OpenSSL 3.5, here is OpenSSL', out)
        self.assertIn('ML-DSA-44 absent', self.assert_verified(self.export()))

    def test_it_is_refused_where_it_cannot_be_a_signature(self):
        self.assert_fault('signature-invalid', 'montreal', self.export(self.line(self.ml_dsa, 2419)))

    def test_it_is_not_counted_toward_a_quorum(self):
        lines = f'log {self.log.signer.vkey}\nwitness pq {self.witness}\nquorum '
        export = self.export(self.line(self.witness))
        self.assert_fault('quorum', 'montreal', export, '--policy', self.file(lines + 'pq\n', 'policy'))
        out = self.assert_verified(export, '--policy', self.file(lines + 'none\n', 'policy'))
        self.assertIn('0 of 1 witnesses valid, 1 witness signatures not checked', out)


class PolicyTest(VerifierCase):
    def setUp(self):
        super().setUp()
        self.small = sample.export([self.world.quebec])

    def test_groups(self):
        others = [sample.Signer(f'witness.example/w{number}', f'witness {number}', kind=4) for number in (2, 3)]
        names = ''.join(f'witness w{number} {signer.vkey}\n' for number, signer in enumerate([self.world.witness, *others], 1))
        start = self.world.policy('none').decode().split('witness')[0] + '# comment\n\n' + names
        for rest, holds in (
            ('quorum none', True),
            ('quorum w1', True),
            ('quorum w2', False),
            ('group a any w1 w2 w3\nquorum a', True),
            ('group a all w1 w2\nquorum a', False),
            ('group a 1 w1\ngroup b all a\n \tquorum\t b ', True),
            ('group a 2 w1 w2 w3\nquorum a', False),
            ('group a any w2 w3\ngroup b any a w1\nquorum b', True),
        ):
            policy = self.file(start + rest + '\n', 'policy')
            if holds:
                self.assert_verified(self.small, '--policy', policy)
            else:
                self.assert_fault('quorum', 'quebec', self.small, '--policy', policy)

    def test_policies_that_are_none(self):
        text = self.world.policy().decode()
        key = self.world.witness.vkey
        for policy, place in (
            ('', 'file'),
            ('hello\n', 'line 1'),
            (text + 'quorum w1\n', 'line 6'),
            (text.replace('quorum w1\n', ''), 'file'),
            (text.replace('quorum w1', 'quorum w2'), 'line 5'),
            (text + f'witness w2 {key}\n', 'line 6'),
            (text + 'group a any w1\ngroup b any w1\n', 'line 7'),
            (text + 'group a 2 w1\n', 'line 6'),
            (text + 'group w1 any w1\n', 'line 6'),
            (text + f'log {key}\n', 'line 6'),
            (text + 'log x\n', 'line 6'),
        ):
            path = self.file(policy, 'policy')
            self.assert_fault('format', place, self.small, '--policy', path, file=path)
        self.assert_fault('unreadable', 'file', self.small, '--policy', '/no/such/file', file='/no/such/file')


if __name__ == '__main__':
    unittest.main()
