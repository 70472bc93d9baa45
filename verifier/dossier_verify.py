#!/usr/bin/env python3
"""Verifies exports of an audit log of Dossier, and whole logs from their public files: README.md beside this file."""

import argparse
import os
import sys

from csv_file import CsvRows
from event_file import EventLines, is_event
from export_file import verify_export
from fault import Fault, printable
from fsck import fsck
from log_check import KnownCheckpoint
from policy import Policy
from proof_file import FORMAT as PROOF_FORMAT
from proof_file import verify_proof
from text_file import TextFile

if sys.version_info < (3, 9):
    sys.exit('Python 3.9 or newer is needed')


def main(arguments):
    options = _options(arguments)
    target = options.target
    try:
        report = _run(options)
    except Fault as fault:
        return _failed(fault, target)
    except MemoryError:
        return _failed(Fault('unreadable', 'file', 'it needs more memory than there is'), target)
    except Exception as error:  # A fault of this program: a file must not pass because of it, nor show a traceback.
        return _failed(Fault('unreadable', 'file', f'the verifier failed: {type(error).__name__}: {error}'), target)
    for line in report:
        print(printable(line))
    return 0


def _run(options):
    policy = None if options.policy is None else Policy(options.policy)
    knowns = [KnownCheckpoint(path) for path in options.known]
    if options.command == 'fsck':
        report = fsck(options.target, policy, knowns)
        source = 'the list of logs'
    else:
        report = _verify(options, policy, knowns)
        source = 'the file'
    if policy is None:
        trust = f'the keys are those in {source} (no --policy was given): compare them with keys you have from elsewhere'
    else:
        trust = f'the keys are those of {options.policy}'
    return [*report, f'verified: {options.target}; {trust}']


def _verify(options, policy, knowns):
    start = _first_line(options.target)
    # Of a log without entries there are no events.
    if is_event(start) or (not start and options.proof is not None):
        if options.proof is None:
            raise Fault('format', 'file', 'AuditEvents are verified with --proof and the NDJSON export of the same entries')
        return _verify_beside(EventLines(options.target), options.proof, policy, knowns)
    if not start:
        raise Fault('format', 'file', 'the file is empty')
    if start.startswith(b'{') or start == PROOF_FORMAT.encode():
        if options.proof is not None:
            raise Fault('format', 'file', '--proof goes with an export in CSV or as AuditEvents, and this is none')
        verify = verify_export if start.startswith(b'{') else verify_proof
        return verify(options.target, policy, knowns)
    if options.proof is None:
        raise Fault('format', 'file', 'neither an NDJSON export nor a tlog-proof; a CSV export is verified with --proof and the NDJSON export of the same entries')
    return _verify_beside(CsvRows(options.target), options.proof, policy, knowns)


def _verify_beside(companion, proof, policy, knowns):
    """A file that tells of the entries of `proof`."""
    with companion:
        try:
            return verify_export(proof, policy, knowns, companion)
        except Fault as fault:
            # Unless it is about the companion, or another file, it is about the proof.
            if fault.file is None and not companion.has(fault):
                fault.file = proof
            raise


def _first_line(path):
    """Without white space around it; empty where there is none."""
    with TextFile(path) as lines:
        line = lines.next()
    return b'' if line is None else line.strip()


def _failed(fault, target):
    print(fault.line(target), file=sys.stderr)
    return 1


def _options(arguments):
    parser = argparse.ArgumentParser(prog='dossier_verify.py', description='Verifies exports of an audit log, and whole logs from their public files.')
    commands = parser.add_subparsers(dest='command', required=True)
    verify = commands.add_parser('verify', help='an NDJSON export, an export in CSV or as AuditEvents (with --proof) or a tlog-proof')
    verify.add_argument('target', metavar='FILE')
    verify.add_argument('--proof', metavar='FILE', help='the NDJSON export of the entries of an export in CSV or as AuditEvents')
    check = commands.add_parser('fsck', help='all files of a log, or of all logs of a server')
    check.add_argument('target', metavar='URL|FOLDER')
    for command in (verify, check):
        command.add_argument('--policy', metavar='FILE', help='trusted keys, witnesses and quorum (C2SP tlog-policy)')
        command.add_argument('--known', metavar='FILE', action='append', default=[], help='a checkpoint kept from earlier or had from a witness')
    return parser.parse_args(arguments)


if __name__ == '__main__':
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding='utf-8', errors='backslashreplace')
    try:
        code = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    sys.exit(code)
