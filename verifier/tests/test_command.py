"""The command as a person runs it, on a machine where something is missing, and with files made to harm it."""

import gzip
import os
import random
import stat
import subprocess
import sys
import unittest

from case import VerifierCase, sample

COMMAND = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, 'dossier_verify.py')


class CommandTest(VerifierCase):
    def run_process(self, *arguments, path=None):
        environment = dict(os.environ, PATH=path) if path is not None else None
        return subprocess.run([sys.executable, COMMAND, *arguments], capture_output=True, encoding='utf-8', env=environment, check=False)

    def test_a_good_file_and_a_bad_one(self):
        run = self.run_process('verify', self.file(self.world.range()))
        self.assertEqual((run.returncode, run.stderr), (0, ''))
        self.assertEqual([line.split(':')[0] for line in run.stdout.splitlines()], ['montreal', 'quebec', 'gaspe', 'verified'])
        export = self.world.range()
        export.lines[7]['entry']['access']['purpose'] = 'X'
        path = self.file(export)
        run = self.run_process('verify', path)
        self.assertEqual((run.returncode, run.stdout), (1, ''))
        self.assertRegex(run.stderr, f'^{path}: leaf: montreal/7: .*\\n$')

    def test_a_file_in_gzip_whole_and_cut_short(self):
        with open(self.file(self.world.range()), 'rb') as plain:
            data = gzip.compress(plain.read())
        path = os.path.join(self.folder, 'export.gz')
        for content, code in ((data, 0), (data[:-9], 1), (data[:20], 1), (data[:-8] + b'\0\0\0\0' + data[-4:], 1)):
            with open(path, 'wb') as file:
                file.write(content)
            run = self.run_process('verify', path)
            self.assertEqual(run.returncode, code, run.stderr)
            self.assertRegex(run.stderr, f'^({path}: unreadable: file: .*\n)?$')

    def test_without_openssl(self):
        run = self.run_process('verify', self.file(self.world.range()), path=self.folder)
        self.assertEqual(run.returncode, 1)
        self.assertRegex(run.stderr, ': unreadable: file: the openssl command is needed to check signatures, and is not installed\n$')

    def test_with_an_openssl_that_cannot(self):
        for script, says in (
            ('echo "LibreSSL 3.3.6"', 'OpenSSL 3.0 or newer is needed .*LibreSSL 3.3.6'),
            ('echo "OpenSSL 1.1.1w  11 Sep 2023"', 'OpenSSL 3.0 or newer is needed'),
            ('if [ "$1" = version ]; then echo "OpenSSL 3.0.19"; else echo "no such option" >&2; exit 1; fi', 'failed instead of checking a signature: no such option'),
            ('if [ "$1" = version ]; then echo "OpenSSL 3.0.19"; fi', 'failed instead of checking a signature'),
        ):
            fake = self.file(f'#!/bin/sh\n{script}\n', 'openssl')
            os.chmod(fake, stat.S_IRWXU)
            run = self.run_process('verify', self.file(self.world.range()), path=self.folder)
            self.assertEqual(run.returncode, 1)
            self.assertRegex(run.stderr, f': unreadable: file: .*{says}')

    def test_what_comes_out_of_a_file_cannot_play_with_the_terminal(self):
        export = self.world.range()
        export.header['completeness'] = 'none\x1b[2J\n\u202e' + 'x' * 5000
        message = self.assert_fault('format', 'line 1', export)
        self.assertIn('none\\u001b[2J\\u000a\\u202e', message)
        self.assertLess(len(message), 500)


class HostileTest(VerifierCase):
    def memory_limited(self, path, *options):
        """In a process that may use 200 MB."""
        script = (
            'import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_AS, (200 << 20, 200 << 20)); '
            f'sys.path.insert(0, {os.path.dirname(COMMAND)!r}); sys.argv = [{COMMAND!r}, "verify", {path!r}, *{list(options)!r}]; '
            f'runpy.run_path({COMMAND!r}, run_name="__main__")'
        )
        return subprocess.run([sys.executable, '-c', script], capture_output=True, encoding='utf-8', check=False, timeout=300)

    def test_a_file_of_one_endless_line(self):
        for start in (b'', b'\xff\xfe', self.world.range().data().split(b'\n')[0] + b'\n'):
            path = os.path.join(self.folder, 'huge')
            with open(path, 'wb') as file:
                file.write(start)
                file.truncate(4 << 30)
            run = self.memory_limited(path)
            self.assertEqual(run.returncode, 1)
            self.assertRegex(run.stderr, r': format: (file|montreal/0): a line is longer than 1048576 bytes\n$')

    def test_a_csv_record_that_never_ends(self):
        path = os.path.join(self.folder, 'huge.csv')
        with open(path, 'wb') as file:
            file.write(','.join(sample.CSV_NAMES).encode() + b'\n"')
            for _ in range(64):
                file.write(b'x"",\n' * (1 << 16))
        run = self.memory_limited(path, '--proof', self.file(self.world.range()))
        self.assertRegex(run.stderr, ': format: row 2: a record is longer')

    def test_deep_nesting_many_digits_and_many_names(self):
        deep = '[' * 300000
        for text in (deep, '{"entry":' + deep, '{"entry":' + '9' * 900000 + '}', '{"a":' * 100000, '{' + ','.join(f'"{n}":0' for n in range(90000)) + '}'):
            export = self.world.range()
            export.lines[7] = text
            self.assert_fault('format', 'montreal/7', export)
            self.assert_fault('format', 'file', text)

    def test_an_entry_of_a_megabyte_that_is_almost_right(self):
        line = sample.jcs(self.world.montreal.line(7))
        inside = ',"Observation/1/_history/1"' * 38000
        export = self.world.range()
        export.lines[7] = line.replace('"Observation/1/_history/1"', '"Observation/1/_history/1"' + inside, 1).replace('"v":1', '"v":2')
        self.assert_fault('leaf', 'montreal/7', export)

    def test_whatever_happens_to_a_file_it_is_told_in_one_line_and_never_by_a_failure_of_the_verifier(self):
        numbers = random.Random(7)
        quebec = self.world.quebec
        files = [
            sample.export([quebec], bounds={'quebec': (1, 4)}).data(),
            sample.export([quebec], 'patient-chain', filters={'patient': 'pat-1'}).data(),
            sample.tlog_proof(quebec, 1).encode(),
        ]
        policy = self.file(self.world.policy('none'), 'policy')
        known = self.file(quebec.checkpoint(), 'known')
        alarms = 0
        for _ in range(600):
            data = bytearray(numbers.choice(files))
            for _ in range(numbers.choice([1, 1, 2, 8])):
                at = numbers.randrange(len(data))
                data[at : at + numbers.choice([0, 1, 40])] = numbers.choice(
                    [b'', bytes([numbers.randrange(256)]), b'\n', b'null', b'0', b'"', b'[]', b'-1', b'1e5', bytes(data[at : at + 60])]
                )
            path = self.file(bytes(data))
            options = numbers.choice([[], ['--policy', policy], ['--known', known]])
            code, out, err = self.run_command('verify', path, *options)
            alarms += code
            self.assertEqual(len(err.splitlines()), code, data)
            self.assertNotIn('the verifier failed', err, data)
        self.assertGreater(alarms, 500)

    def test_whatever_happens_to_a_csv_file_it_is_told_in_one_line_and_never_by_a_failure_of_the_verifier(self):
        numbers = random.Random(8)
        export = sample.export([self.world.quebec])
        proof = self.file(export, 'proof.ndjson')
        whole = sample.csv_data(sample.csv_rows(export.lines))
        for _ in range(200):
            data = bytearray(whole)
            at = numbers.randrange(len(data))
            data[at : at + numbers.choice([0, 1, 40])] = numbers.choice([b'', b'"', b',', b'\r', b'\n', b'\xff', b'\0', b'"\r\n"'])
            code, out, err = self.run_command('verify', self.file(bytes(data), 'export.csv'), '--proof', proof)
            self.assertEqual(len(err.splitlines()), code, data)
            self.assertNotIn('the verifier failed', err, data)


if __name__ == '__main__':
    unittest.main()
