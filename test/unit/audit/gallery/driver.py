"""Answers each line on standard input, {"command", "target", "proof", "policy", "known"}, with one line: the report of the
verifier, {"ok": true} or {"ok": false, "code", "place", "sentence", "file"}. One process for thousands of files."""

import functools
import json
import os
import sys
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), *[os.pardir] * 4, 'verifier'))
sys.dont_write_bytecode = True

import dossier_verify  # noqa: E402
import openssl  # noqa: E402
from fault import Fault, printable  # noqa: E402

# Most files of a gallery bear the same signatures, and each is checked by a process.
openssl._verify = functools.lru_cache(maxsize=None)(openssl._verify)


def answer(question):
    arguments = [question['command'], question['target']]
    for name in ('proof', 'policy'):
        if question.get(name) is not None:
            arguments += [f'--{name}', question[name]]
    for path in question.get('known', []):
        arguments += ['--known', path]
    try:
        dossier_verify._run(dossier_verify._options(arguments))
        return {'ok': True}
    except Fault as fault:
        return {'ok': False, 'code': fault.code, 'place': printable(fault.place or 'file'), 'sentence': printable(fault.sentence), 'file': fault.file}
    except Exception:  # The command would refuse the file because of it; a test must not take that for a finding.
        return {'ok': False, 'code': 'crash', 'place': 'file', 'sentence': traceback.format_exc(), 'file': None}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
