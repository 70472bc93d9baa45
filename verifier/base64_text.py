"""base64 (RFC 4648 §4, padded) and base64url (§5, not padded). Only the canonical text of some bytes is read back."""

import binascii

_TO_URL = bytes.maketrans(b'+/', b'-_')
_FROM_URL = bytes.maketrans(b'-_', b'+/')


def base64_decode(text):
    """None when the text is not the canonical base64 of any bytes."""
    try:
        data = text.encode('ascii')
        decoded = binascii.a2b_base64(data)
    except (UnicodeEncodeError, binascii.Error):
        return None
    return decoded if binascii.b2a_base64(decoded, newline=False) == data else None


def base64url(data):
    """As ASCII bytes."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b'=')


def base64url_decode(text):
    """Of ASCII bytes; None when they are not canonical base64url."""
    try:
        decoded = base64url_bytes(text)
    except binascii.Error:
        return None
    return decoded if base64url(decoded) == text else None


def base64url_bytes(text):
    """Of bytes that are known to be canonical base64url."""
    return binascii.a2b_base64(text.translate(_FROM_URL) + b'=' * (-len(text) % 4))


def base64url_value(value, length):
    """The `length` bytes that a JSON value holds in base64url; None when it does not."""
    if not isinstance(value, str) or not value.isascii():
        return None
    decoded = base64url_decode(value.encode())
    return decoded if decoded is not None and len(decoded) == length else None
