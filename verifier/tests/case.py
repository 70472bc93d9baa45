"""What the tests of the verifier share: the sample logs, and running the command."""

import contextlib
import functools
import io
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

import dossier_verify  # noqa: E402
import openssl  # noqa: E402

import sample  # noqa: E402


# The same signatures are checked in hundreds of tests, each by a process.
openssl._verify = functools.lru_cache(maxsize=None)(openssl._verify)


class World:
    """Two logs with entries and one without. Of `montreal`, 19 and 300 are redacted, by 500 and 590."""

    def __init__(self):
        self.witness = sample.Signer('witness.example/w1', 'witness 1', kind=4)
        self.montreal = self._log('montreal')
        for number in range(600):
            if number == 500:
                self.montreal.redact(19, patient='pat-1')
            elif number == 590:
                self.montreal.redact(300)
            else:
                self.montreal.append(self._access(number))
        self.quebec = self._log('quebec')
        for number in range(5):
            self.quebec.append(self._access(number))
        self.quebec.redact(2)
        self.gaspe = self._log('gaspe')
        self.logs = [self.montreal, self.quebec, self.gaspe]

    def _log(self, name):
        log = sample.Log(name)
        log.witnesses = [self.witness]
        return log

    @staticmethod
    def _access(number):
        patient = None if number % 7 == 3 else f'pat-{number % 3}'
        staleness = {'degraded': number % 2 == 0, 'seconds': number} if number % 5 == 0 else None
        what = sample.access(patient, None if number % 11 == 5 else f'org-{number % 2}', staleness=staleness)
        if number % 10 == 1:
            what['note'] = {'export': f'e-{number}', 'reason': 'says "yes"\n=1+1 <é \U0001f600>'}
        if number % 10 == 2:
            what['query']['text'] = '-name=O\'Neil;=x,\t+y'
            what['decision']['detail'] = '@a "quoted" field'
        return what

    def range(self, **options):
        return sample.export(self.logs, **options)

    def part(self):
        """A part of one log, whose redactions are outside of it."""
        return sample.export([self.montreal], bounds={'montreal': (10, 560)})

    def chain(self, kind='patient', key='pat-1'):
        return sample.export(self.logs, f'{kind}-chain', filters={kind: key})

    def none(self):
        return sample.export(self.logs, 'none', chosen={'montreal': [3, 19, 44, 501], 'quebec': [0, 2], 'gaspe': []})

    def policy(self, quorum='w1', logs=None):
        lines = [f'log {log.signer.vkey}' for log in logs or self.logs]
        return '\n'.join([*lines, f'witness w1 {self.witness.vkey} https://witness.example', f'quorum {quorum}', '']).encode()


_world = None


def world():
    global _world
    if _world is None:
        _world = World()
    return _world


class VerifierCase(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.world = world()
        self._folder = tempfile.TemporaryDirectory(dir=sample.SCRATCH.name)
        self.folder = self._folder.name
        self.addCleanup(self._folder.cleanup)

    def file(self, content, name='export.ndjson'):
        path = os.path.join(self.folder, name)
        data = content.data() if isinstance(content, sample.Export) else content
        with open(path, 'wb') as file:
            file.write(data if isinstance(data, bytes) else data.encode())
        return path

    def run_command(self, *arguments):
        """(exit code, standard output, standard error)."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = dossier_verify.main(list(arguments))
        return code, out.getvalue(), err.getvalue()

    def assert_verified(self, content, *options):
        return self.assert_passes('verify', self.file(content), *options)

    def assert_passes(self, *arguments):
        code, out, err = self.run_command(*arguments)
        self.assertEqual((code, err), (0, ''))
        self.assertTrue(out.splitlines()[-1].startswith('verified'), out)
        return out

    def assert_fault(self, code, place, content, *options, file=None):
        path = self.file(content)
        return self.assert_fails(code, place, file or path, 'verify', path, *options)

    def assert_fails(self, code, place, file, *arguments):
        status, out, err = self.run_command(*arguments)
        self.assertEqual((status, out), (1, ''), err)
        self.assertEqual(len(err.splitlines()), 1, err)
        self.assertEqual(err[: len(f'{file}: {code}: {place}: ')], f'{file}: {code}: {place}: ', err)
        return err
