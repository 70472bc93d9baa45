"""Proofs of one entry: tlog-proof files."""

import unittest

from case import VerifierCase, sample


class ProofTest(VerifierCase):
    def setUp(self):
        super().setUp()
        self.text = sample.tlog_proof(self.world.montreal, 44)
        self.policy = self.file(self.world.policy(), 'policy')

    def fault(self, code, place, text, *options):
        self.assert_fault(code, place, text, '--policy', self.policy, *options)

    def test_proofs_pass_in_any_encoding_and_with_any_line_ends(self):
        windows = self.text.replace('\n', '\r\n')
        for data in (self.text, windows, '\ufeff' + self.text, b'\xff\xfe' + windows.encode('utf-16-le'), self.text.replace('\n', '\n\n'), self.text[:-1]):
            out = self.assert_verified(data, '--policy', self.policy)
            self.assertIn('montreal: entry 44; checkpoint of 600; Ed25519 valid, 1 of 1 witnesses valid\n', out)

    def test_the_only_entry_of_a_log_has_an_empty_path(self):
        log = sample.Log('single')
        log.append(sample.access())
        policy = self.file(self.world.policy('none', [log]), 'policy')
        self.assert_verified(sample.tlog_proof(log, 0), '--policy', policy)

    def test_without_a_policy_there_are_no_keys(self):
        self.assert_fault('key', 'montreal', self.text)

    def test_a_policy_without_this_log(self):
        policy = self.file(self.world.policy(logs=[self.world.quebec]), 'policy')
        self.assert_fault('key', 'montreal', self.text, '--policy', policy)

    def test_a_witness_that_did_not_sign(self):
        self.fault('quorum', 'montreal', self.text[: self.text.rindex('— witness')])

    def test_changed_proofs(self):
        lines = self.text.split('\n')
        other = sample.tlog_proof(self.world.montreal, 45).split('\n')
        hash_line = 4
        self.fault('inclusion', 'montreal/44', '\n'.join([*lines[:hash_line], *lines[hash_line + 1 :]]))
        self.fault('inclusion', 'montreal/44', '\n'.join([*lines[:hash_line], other[5], *lines[hash_line + 1 :]]))
        self.fault('inclusion', 'montreal/44', '\n'.join([lines[0], other[1], *lines[2:]]))
        self.fault('inclusion', 'montreal/45', self.text.replace('index 44', 'index 45'))
        self.fault('signature-invalid', 'montreal', self.text.replace('\n600\n', '\n601\n'))

    def test_files_that_are_no_proofs(self):
        for text in (
            self.text.replace('extra', 'other'),
            self.text.replace('index 44', 'index 044'),
            self.text.replace('extra ', 'extra !'),
            self.text[: self.text.index('\nindex')],
            self.text[: self.text.index('\n— ')],
            'c2sp.org/tlog-proof@v1\n',
            'c2sp.org/tlog-proof@v1\nextra AAAA\nindex 0\n',
        ):
            self.fault('format', 'file', text)

    def test_an_entry_of_another_log_or_index_than_it_was_logged_at(self):
        montreal = self.world.montreal
        log = sample.Log('montreal')
        log.append(sample.access())
        log.put(self.world.quebec.entries[1])
        log.put(montreal.entries[7])
        self.policy = self.file(self.world.policy('none'), 'policy')
        self.fault('log', 'montreal/1', sample.tlog_proof(log, 1))
        self.fault('entry', 'montreal/2', sample.tlog_proof(log, 2))

    def test_known_checkpoints(self):
        same = self.file(self.world.montreal.checkpoint(), 'same')
        old = self.file(self.world.montreal.checkpoint(300), 'old')
        self.assert_verified(self.text, '--policy', self.policy, '--known', same)
        self.fault('known-unproved', 'montreal', self.text, '--known', old)


if __name__ == '__main__':
    unittest.main()
