"""JSON read strictly, and written in the one form of RFC 8785 (JCS)."""

import json
import re
from decimal import Decimal
from json.encoder import encode_basestring

_MAX_EXACT = 2**53
_MAX_DIGITS = 400  # Beyond this no double is finite.
_DECIMAL = re.compile(r'0|[1-9][0-9]{0,19}')


class NotJson(ValueError):
    """Not JSON, or JSON of which two readers may see different things."""


def parse(text):
    """The value of a JSON text. Names that occur twice, lone surrogates and numbers that are no doubles are refused."""
    try:
        value = _decoder.decode(text)
        if '\\u' in text:
            json.dumps(value, ensure_ascii=False).encode()
        return value
    except NotJson:
        raise
    except RecursionError:
        raise NotJson('it is nested too deeply') from None
    except UnicodeEncodeError:
        raise NotJson('it has half of a surrogate pair') from None
    except json.JSONDecodeError as error:
        raise NotJson(f'it is not JSON: {error.msg}, at character {error.pos + 1}') from None
    except ValueError as error:
        raise NotJson(f'it is not JSON: {error}') from None


def canonical(value):
    """The JCS text of a parsed value."""
    try:
        return _write(value)
    except RecursionError:
        raise NotJson('it is nested too deeply') from None


def number_text(number):
    """A number as ECMAScript writes it (RFC 8785 §3.2.2.3)."""
    if isinstance(number, int):
        return str(number)
    if number == 0:
        return '0'
    # Python's repr has the same shortest digits; only the layout differs.
    _, digits, exponent = Decimal(repr(abs(number))).as_tuple()
    digits = ''.join(map(str, digits))
    point = len(digits) + exponent
    digits = digits.rstrip('0')
    sign = '-' if number < 0 else ''
    if len(digits) <= point <= 21:
        return f'{sign}{digits}{"0" * (point - len(digits))}'
    if 0 < point <= 21:
        return f'{sign}{digits[:point]}.{digits[point:]}'
    if -6 < point <= 0:
        return f'{sign}0.{"0" * -point}{digits}'
    fraction = f'.{digits[1:]}' if len(digits) > 1 else ''
    return f'{sign}{digits[0]}{fraction}e{"+" if point > 0 else "-"}{abs(point - 1)}'


def decimal(text):
    """An index, count or size: a canonical decimal below 2^64. None when it is none."""
    if not isinstance(text, str) or not _DECIMAL.fullmatch(text):
        return None
    number = int(text)
    return number if number < 1 << 64 else None


def _write(value):
    if value is None:
        return 'null'
    if isinstance(value, bool):
        return 'true' if value else 'false'
    if isinstance(value, str):
        # Escapes just what RFC 8785 §3.2.2.2 escapes, and as it does.
        return encode_basestring(value)
    if isinstance(value, list):
        return f'[{",".join([_write(item) for item in value])}]'
    if isinstance(value, dict):
        # Names are ordered by their UTF-16 code units, not by code points (§3.2.3).
        names = sorted(value, key=lambda name: name.encode('utf-16-be'))
        return '{' + ','.join([f'{_write(name)}:{_write(value[name])}' for name in names]) + '}'
    return number_text(value)


def _members(pairs):
    value = dict(pairs)
    if len(value) != len(pairs):
        raise NotJson('it names a member twice')
    return value


def _double(text):
    number = float(text) if len(text) <= _MAX_DIGITS else float('inf')
    if number in (float('inf'), float('-inf')):
        raise NotJson('it has a number that is too large')
    return number


def _integer(text):
    number = int(text) if len(text) <= 17 else _double(text)
    return number if abs(number) <= _MAX_EXACT else float(number)


def _constant(text):
    raise NotJson(f'{text} is not JSON')


_decoder = json.JSONDecoder(object_pairs_hook=_members, parse_float=_double, parse_int=_integer, parse_constant=_constant)
