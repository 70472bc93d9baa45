"""Signatures, by the openssl command: pure Ed25519 (RFC 8032) and ML-DSA-44 with an empty context (FIPS 204).

ML-DSA is in OpenSSL from 3.5 on. A signature that cannot be checked is never taken for a valid one.
"""

import os
import re
import subprocess
import tempfile

from fault import Fault

ED25519_KEY_BYTES = 32
ED25519_SIGNATURE_BYTES = 64
ML_DSA_44_KEY_BYTES = 1312
ML_DSA_44_SIGNATURE_BYTES = 2420

# SubjectPublicKeyInfo up to the key itself: SEQUENCE { SEQUENCE { OID }, BIT STRING { 0 unused bits, key } }.
# 1.3.101.112, RFC 8410 §4.
_ED25519_PREFIX = bytes.fromhex('302a 3005 0603 2b6570 0321 00')
# 2.16.840.1.101.3.4.3.17, RFC 9881.
_ML_DSA_44_PREFIX = bytes.fromhex('3082 0532 300b 0609 6086 4801 6503 0403 11 0382 0521 00')

_TIMEOUT_SECONDS = 60
_found = None


def version():
    """(text, major, minor) of the command. Fault `unreadable` where there is none that can check Ed25519."""
    global _found
    if _found is None:
        text = _run(['version']).stdout.decode('utf-8', 'replace').strip()
        number = re.match(r'OpenSSL (\d+)\.(\d+)', text)
        # pkeyutl has -rawin since 3.0; LibreSSL's differs.
        if number is None or int(number.group(1)) < 3:
            raise Fault('unreadable', 'file', f'OpenSSL 3.0 or newer is needed to check signatures; the openssl command here is: {text or "unknown"}')
        _found = (text, int(number.group(1)), int(number.group(2)))
    return _found


def has_ml_dsa():
    return version()[1:] >= (3, 5)


def verify_ed25519(key, message, signature):
    if len(signature) != ED25519_SIGNATURE_BYTES:
        return False
    return _verify(_ED25519_PREFIX + key, message, signature)


def verify_ml_dsa_44(key, message, signature):
    """Only where has_ml_dsa()."""
    if len(signature) != ML_DSA_44_SIGNATURE_BYTES:
        return False
    return _verify(_ML_DSA_44_PREFIX + key, message, signature)


def _verify(public_key, message, signature):
    version()
    with tempfile.TemporaryDirectory(prefix='dossier-verify-') as folder:
        paths = []
        for name, data in (('key.der', public_key), ('message', message), ('signature', signature)):
            paths.append(os.path.join(folder, name))
            with open(paths[-1], 'wb') as file:
                file.write(data)
        key, text, proof = paths
        run = _run(['pkeyutl', '-verify', '-pubin', '-keyform', 'DER', '-inkey', key, '-rawin', '-in', text, '-sigfile', proof])
    said = run.stdout + run.stderr
    if run.returncode == 0 and b'Signature Verified Successfully' in said:
        return True
    if b'Signature Verification Failure' in said:
        return False
    first = said.decode('utf-8', 'replace').strip().split('\n')[0]
    raise Fault('unreadable', 'file', f'the openssl command failed instead of checking a signature: {first}')


def _run(arguments):
    try:
        return subprocess.run(['openssl', *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT_SECONDS, check=False)
    except FileNotFoundError:
        raise Fault('unreadable', 'file', 'the openssl command is needed to check signatures, and is not installed') from None
    except (OSError, subprocess.SubprocessError) as error:
        raise Fault('unreadable', 'file', f'the openssl command cannot be run: {error}') from None
