"""Signed notes, verifier keys and checkpoints (C2SP signed-note, tlog-checkpoint, tlog-cosignature)."""

import re
from hashlib import sha256

import openssl
from base64_text import base64_decode
from canonical import decimal
from fault import Fault

ED25519 = 0x01
ED25519_COSIGNATURE = 0x04
ML_DSA_44 = 0x06

KIND_NAMES = {ED25519: 'Ed25519', ED25519_COSIGNATURE: 'Ed25519 witness', ML_DSA_44: 'ML-DSA-44'}
_KEY_BYTES = {
    ED25519: openssl.ED25519_KEY_BYTES,
    ED25519_COSIGNATURE: openssl.ED25519_KEY_BYTES,
    ML_DSA_44: openssl.ML_DSA_44_KEY_BYTES,
}
# Go's parser has the same bound; the specification asks for at least 16.
_MAX_SIGNATURES = 100
_MAX_TIMESTAMP = (1 << 63) - 1

_KEY_NAME = re.compile(r'[^\s+\x00-\x1f]+')
_SIGNATURE_LINE = re.compile(r'— ([^\s+\x00-\x1f]+) ([A-Za-z0-9+/]+=*)')
_CONTROL = re.compile(r'[\x00-\x09\x0b-\x1f]')


class Malformed(ValueError):
    """Not a key, note or checkpoint; says why."""


class Key:
    """A verifier key: whose it is (`name`), for which signatures (`kind`), and the public key."""

    def __init__(self, vkey):
        parts = vkey.split('+', 2)
        if len(parts) != 3 or not _KEY_NAME.fullmatch(parts[0]):
            raise Malformed('a verifier key is <name>+<8 hexadecimal digits>+<base64>')
        material = base64_decode(parts[2])
        if not material or _KEY_BYTES.get(material[0]) != len(material) - 1:
            raise Malformed('the verifier key is of an unknown type or has another length than its type')
        self.vkey = vkey
        self.name = parts[0]
        self.kind = material[0]
        self.public = material[1:]
        self.id = sha256(self.name.encode() + b'\n' + material).digest()[:4]
        if parts[1] != self.id.hex():
            raise Malformed(f'the verifier key says {parts[1]} of itself, its hash is {self.id.hex()}')


class Note:
    """Text (which ends in a newline) and signature lines: (key name, key id, signature)."""

    def __init__(self, message):
        if _CONTROL.search(message) or not message.endswith('\n'):
            raise Malformed('a signed note has no control characters and ends in a newline')
        text, blank, rest = message.rpartition('\n\n')
        if not blank or not text or not rest:
            raise Malformed('a signed note is a text, a blank line and signature lines')
        lines = rest[:-1].split('\n')
        if len(lines) > _MAX_SIGNATURES:
            raise Malformed(f'a note has more than {_MAX_SIGNATURES} signatures')
        self.text = text + '\n'
        self.signatures = [_signature(line) for line in lines]


class Checkpoint:
    def __init__(self, message):
        self.note = Note(message)
        lines = self.note.text[:-1].split('\n')
        if len(lines) != 3 or not lines[0]:
            raise Malformed('a checkpoint of this log is three lines: origin, size, root')
        self.origin = lines[0]
        self.size = decimal(lines[1])
        if not self.size:
            raise Malformed('the size of a checkpoint is a decimal number above 0')
        self.root = base64_decode(lines[2])
        if self.root is None or len(self.root) != 32:
            raise Malformed('the root of a checkpoint is 32 bytes in base64')


def note_from_lines(lines):
    """The message of a note of which a program may have changed line ends and blank lines.

    Nothing a log signs has blank lines inside its text.
    """
    lines = [line for line in lines if line.strip(' \t\r')]
    end = next((at for at, line in enumerate(lines) if line.startswith('— ')), len(lines))
    return '\n'.join([*lines[:end], '', *lines[end:], ''])


def check_signatures(note, required, others, log, checkpoint=None):
    """Checks every line of a known key. Returns {key: True (valid) or None (cannot be checked here)}, absent keys left out.

    `required` must be there. ML-DSA-44 signs the checkpoint's size and root, not its text. Faults at the place `log`, in
    the order missing, invalid, duplicate.
    """
    known = {(key.name, key.id): key for key in (required, *others)}
    signed = [(known[name, id], signature) for name, id, signature in note.signatures if (name, id) in known]
    if not any(key is required for key, _ in signed):
        raise Fault('signature-missing', log, f'no signature by the {KIND_NAMES[required.kind]} key {required.name}+{required.id.hex()}')
    outcome = {}
    for key, signature in signed:
        valid = _is_valid(key, note.text, checkpoint, signature)
        if valid is False:
            raise Fault(
                'signature-invalid',
                log,
                f'the {KIND_NAMES[key.kind]} signature by {key.name}+{key.id.hex()} does not fit the text: '
                'the text was changed after it was signed, or another key signed it',
            )
        outcome[key] = valid
    if len(signed) > len(outcome):
        raise Fault('signature-duplicate', log, 'two signature lines are of one key')
    return outcome


def _signature(line):
    match = _SIGNATURE_LINE.fullmatch(line)
    payload = base64_decode(match.group(2)) if match else None
    if payload is None or len(payload) < 5:
        raise Malformed('a signature line is an em dash, a key name and base64 of more than four bytes')
    return match.group(1), payload[:4], payload[4:]


def _is_valid(key, text, checkpoint, signature):
    if key.kind == ED25519:
        return openssl.verify_ed25519(key.public, text.encode(), signature)
    timestamp, signature = int.from_bytes(signature[:8], 'big'), signature[8:]
    if timestamp > _MAX_TIMESTAMP:
        return False
    if key.kind == ED25519_COSIGNATURE:
        return openssl.verify_ed25519(key.public, f'cosignature/v1\ntime {timestamp}\n{text}'.encode(), signature)
    message = cosigned_message(key.name, timestamp, checkpoint)
    if message is None or len(signature) != openssl.ML_DSA_44_SIGNATURE_BYTES:
        return False
    return openssl.verify_ml_dsa_44(key.public, message, signature) if openssl.has_ml_dsa() else None


def cosigned_message(name, timestamp, checkpoint):
    """What an ML-DSA-44 key signs of a whole checkpoint: `cosigned_message` of tlog-cosignature, from leaf 0 on."""
    cosigner, origin = name.encode(), checkpoint.origin.encode()
    if len(cosigner) > 255 or len(origin) > 255:
        return None
    return b''.join(
        [
            b'subtree/v1\n\0',
            bytes([len(cosigner)]),
            cosigner,
            timestamp.to_bytes(8, 'big'),
            bytes([len(origin)]),
            origin,
            (0).to_bytes(8, 'big'),
            checkpoint.size.to_bytes(8, 'big'),
            checkpoint.root,
        ]
    )
