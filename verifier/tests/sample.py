"""A small audit log and its exports, made from docs/audit-log.md and RFC 6962 in the plainest way there is.

Nothing here is taken from the verifier: a mistake would be in both.
"""

import base64
import copy
import functools
import hashlib
import hmac
import json
import os
import subprocess
import tempfile

PREFIX = 'record.example/audit/logs'
SCRATCH = tempfile.TemporaryDirectory(prefix='dossier-verifier-tests-')


# Encodings


def jcs(value):
    """For the values of the samples: ASCII names, whole numbers."""
    return json.dumps(value, sort_keys=True, separators=(',', ':'), ensure_ascii=False)


def b64(data):
    return base64.b64encode(data).decode()


def b64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip('=')


def sha256(data):
    return hashlib.sha256(data).digest()


# Signatures


def scratch(data):
    handle, path = tempfile.mkstemp(dir=SCRATCH.name)
    with os.fdopen(handle, 'wb') as file:
        file.write(data)
    return path


def openssl(*arguments):
    return subprocess.run(['openssl', *arguments], capture_output=True, check=True).stdout


class Signer:
    """An Ed25519 key: a log's (type 1), or a witness's (type 4)."""

    def __init__(self, name, seed, kind=1):
        self.name = name
        self.kind = kind
        self._private = scratch(bytes.fromhex('302e020100300506032b657004220420') + sha256(seed.encode()))
        self.public = openssl('pkey', '-inform', 'DER', '-in', self._private, '-pubout', '-outform', 'DER')[-32:]
        material = bytes([kind]) + self.public
        self.id = sha256(name.encode() + b'\n' + material)[:4]
        self.vkey = f'{name}+{self.id.hex()}+{b64(material)}'

    @functools.lru_cache(maxsize=None)
    def sign(self, message):
        return openssl('pkeyutl', '-sign', '-keyform', 'DER', '-inkey', self._private, '-rawin', '-in', scratch(message))

    def line(self, text, time=1700000000):
        if self.kind == 1:
            return self._line(self.sign(text.encode()))
        signature = self.sign(f'cosignature/v1\ntime {time}\n{text}'.encode())
        return self._line(time.to_bytes(8, 'big') + signature)

    def _line(self, payload):
        return f'— {self.name} {b64(self.id + payload)}\n'

    def note(self, text, *cosigners):
        return f'{text}\n{self.line(text)}' + ''.join(each.line(text) for each in cosigners)


# The tree, by the definitions of RFC 6962 §2.1


def split(count):
    power = 1
    while power * 2 < count:
        power *= 2
    return power


def tree_hash(leaves):
    return _tree_hash(tuple(leaves))


@functools.lru_cache(maxsize=1 << 14)
def _tree_hash(leaves):
    if not leaves:
        return sha256(b'')
    if len(leaves) == 1:
        return sha256(b'\0' + leaves[0])
    k = split(len(leaves))
    return sha256(b'\1' + _tree_hash(leaves[:k]) + _tree_hash(leaves[k:]))


def audit_path(index, leaves):
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return [*audit_path(index, leaves[:k]), tree_hash(leaves[k:])]
    return [*audit_path(index - k, leaves[k:]), tree_hash(leaves[:k])]


def consistency(old, leaves, whole=True):
    if old == len(leaves):
        return [] if whole else [tree_hash(leaves)]
    k = split(len(leaves))
    if old <= k:
        return [*consistency(old, leaves[:k], whole), tree_hash(leaves[k:])]
    return [*consistency(old - k, leaves[k:], False), tree_hash(leaves[:k])]


def subtrees(start, end, leaves):
    """Hashes of the fewest aligned subtrees that cover [start, end)."""
    hashes = []
    while start < end:
        width = 1
        while start % (width * 2) == 0 and start + width * 2 <= end:
            width *= 2
        hashes.append(tree_hash(leaves[start : start + width]))
        start += width
    return hashes


# The log


WHO = {
    'address': '192.0.2.7',
    'client': 'portal',
    'facility': 'f-1',
    'issuer': 'https://idp.example',
    'name': 'Dre Élise Côté',
    'organisation': 'org-1',
    'practitioner': 'p-1',
    'role': 'physician',
    'subject': 'cote',
    'token': 'jti-1',
}


def access(patient='pat-1', organisation='org-1', **changes):
    value = {
        'action': 'read',
        'breakGlassReason': None,
        'clientRequestId': None,
        'decision': {'detail': None, 'outcome': 'permit', 'reason': 'care-relationship'},
        'note': None,
        'operation': 'read',
        'part': 1,
        'parts': 1,
        'patient': patient,
        'phase': 'access',
        'policyVersion': '1.17',
        'purpose': 'TREAT',
        'query': {'method': 'GET', 'path': '/fhir/Observation/1', 'sha256': sha256(b'').hex(), 'text': ''},
        'requestId': '0b7d7a54-1111-4222-8333-444455556666',
        'resources': ['Observation/1/_history/1', 'Observation/2/_history/1'],
        'staleness': None,
        'status': 200,
        'who': {**WHO, 'organisation': organisation},
    }
    value.update(changes)
    return value


class Log:
    def __init__(self, name):
        self.name = name
        self.origin = f'{PREFIX}/{name}'
        self.signer = Signer(self.origin, f'log {name}')
        self.witnesses = []
        self.entries = []
        self.salts = []
        self.leaves = []
        self.redacted = {}
        self._chains = {'organisation': {}, 'patient': {}}

    def append(self, what):
        index = len(self.entries)
        keys = {'organisation': what['who']['organisation'], 'patient': what['patient']}
        chains = {kind: self._chain_place(kind, key, index) for kind, key in keys.items()}
        time = f'2026-11-22T09:{index // 60 % 60:02d}:{index % 60:02d}.123Z'
        return self.put({'access': what, 'chains': chains, 'index': str(index), 'log': self.name, 'time': time, 'v': 1})

    def put(self, entry):
        """An entry as it is, right or wrong."""
        salt = sha256(f'{self.name} {len(self.entries)}'.encode())
        self.entries.append(entry)
        self.salts.append(salt)
        self.leaves.append(b'\1' + hmac.new(salt, jcs(entry).encode(), 'sha256').digest())
        return len(self.entries) - 1

    def redact(self, index, patient=None, organisation='org-office', note=None):
        """Appends the redaction entry; the body of `index` goes."""
        chains = self.entries[index]['chains']
        places = {f'redacts-{kind}': self.repeated(chains[kind]) for kind in ('organisation', 'patient')}
        what = access(patient, organisation, action='redaction', phase='intent', note=note or {'redacts': str(index), **places})
        self.redacted[index] = self.append(what)
        return self.redacted[index]

    @staticmethod
    def repeated(place):
        return '-' if place is None else f'{place["count"]}@{place["previous"] or "-"}'

    def _chain_place(self, kind, key, index):
        if key is None:
            return None
        chain = self._chains[kind].setdefault(key, [])
        place = {'count': str(len(chain) + 1), 'previous': str(chain[-1]) if chain else None}
        chain.append(index)
        return place

    def chain(self, kind, key):
        return self._chains[kind].get(key, [])

    @property
    def size(self):
        return len(self.leaves)

    def checkpoint_text(self, size=None):
        leaves = self.leaves if size is None else self.leaves[:size]
        return f'{self.origin}\n{len(leaves)}\n{b64(tree_hash(leaves))}\n'

    def checkpoint(self, size=None):
        return self.signer.note(self.checkpoint_text(size), *self.witnesses)

    def head(self, kind, key, **changes):
        chain = self.chain(kind, key)
        values = {
            'origin': self.origin,
            'size': self.size,
            'chain': kind,
            'key': sha256(key.encode()).hex(),
            'count': len(chain),
            'last': chain[-1] if chain else '-',
            **changes,
        }
        origin = values.pop('origin')
        return self.signer.note(f'dossier-head/v1\n{origin}\n' + ''.join(f'{name} {value}\n' for name, value in values.items()))

    def line(self, index, with_proof=False):
        leaf = b64url(self.leaves[index])
        if index in self.redacted:
            line = {'index': str(index), 'leaf': leaf, 'log': self.name, 'redacted': str(self.redacted[index])}
        else:
            line = {'entry': self.entries[index], 'leaf': leaf, 'salt': b64url(self.salts[index])}
        if with_proof:
            line['proof'] = [b64url(each) for each in audit_path(index, self.leaves)]
        return copy.deepcopy(line)

    def block(self, start):
        return {'block': [str(start), str(start + 256)], 'hash': b64url(tree_hash(self.leaves[start : start + 256])), 'log': self.name}


def list_of_logs(signer, logs, size=None):
    """`signer` is a Log."""
    lines = [f'log {log.name} {log.signer.vkey} - - active\n' for log in sorted(logs, key=lambda log: log.name)]
    text = f'dossier-logs/v1\n{signer.origin}\nsize {signer.size if size is None else size}\n' + ''.join(lines)
    return signer.signer.note(text)


class Export:
    """A header and lines (values) to be changed by a test, then written."""

    def __init__(self, header, lines):
        self.header = header
        self.lines = lines

    def data(self):
        return b''.join(text.encode() + b'\n' for text in self.texts())

    def texts(self):
        return [jcs(value) if isinstance(value, dict) else value for value in [self.header, *self.lines]]

    def at(self, index, log=None):
        """Position among the lines of the one that holds an index."""
        for position, line in enumerate(self.lines):
            stated = line.get('entry', line)
            if stated.get('index') == str(index) and log in (None, stated['log']):
                return position
        raise AssertionError(f'no line of {index}')


def export(logs, completeness='range', bounds=None, filters=None, chosen=None, list_signer=None, others=()):
    """`others`: keys of chains beside the one in `filters`. `bounds` and `chosen`: by name of a log, the part searched, and for `none` the indices found."""
    lines = []
    stated = []
    kind = completeness[: -len('-chain')] if completeness.endswith('-chain') else None
    keys = [] if kind is None else [filters[kind], *others]
    for log in logs:
        first, end = (bounds or {}).get(log.name, (0, log.size))
        is_range = completeness == 'range'
        stated.append(
            {
                'log': log.name,
                'origin': log.origin,
                'keys': [log.signer.vkey],
                'size': str(log.size),
                'first': str(first),
                'end': str(end),
                'current': True,
                'checkpoint': log.checkpoint() if log.size else None,
                'before': [b64url(each) for each in subtrees(0, first, log.leaves)] if is_range else [],
                'after': [b64url(each) for each in subtrees(end, log.size, log.leaves)] if is_range else [],
                'heads': [log.head(kind, each) for each in keys],
                'known': None,
            }
        )
        if is_range:
            lines += _range_lines(log, first, end)
        else:
            indices = [index for key in keys for index in log.chain(kind, key)] if kind else chosen[log.name]
            lines += [log.line(index, True) for index in with_redactions(log, indices)]
            if others:
                _name_chains(lines, log, {index: key for key in keys for index in log.chain(kind, key)})
    signer = list_signer or logs[0]
    header = {
        'format': 'dossier-export/1',
        'exportId': 'e-1',
        'time': '2026-11-22T12:00:00.000Z',
        'completeness': completeness,
        'filters': filters or {},
        'chains': keys,
        'logs': stated,
        'list': list_of_logs(signer, logs),
    }
    return Export(header, lines)


def _name_chains(lines, log, keys):
    for line in lines:
        if 'redacted' in line and line['log'] == log.name:
            line['chain'] = keys[int(line['index'])]


def with_redactions(log, indices):
    return sorted({*indices, *(log.redacted[index] for index in indices if index in log.redacted)})


def _range_lines(log, first, end):
    lines = []
    for index in range(first, end):
        lines.append(log.line(index))
        if (index + 1) % 256 == 0 and index - 255 >= first:
            lines.append(log.block(index - 255))
    inside = range(first, end)
    extra = [index for index in with_redactions(log, inside) if index >= end]
    return lines + [log.line(index, True) for index in extra]


def tlog_proof(log, index):
    """The lines of a file."""
    opening = log.salts[index] + jcs(log.entries[index]).encode()
    path = ''.join(b64(each) + '\n' for each in audit_path(index, log.leaves))
    return f'c2sp.org/tlog-proof@v1\nextra {b64(opening)}\nindex {index}\n{path}\n{log.checkpoint()}'


# Files of a log


def tile_file(level, number, width):
    groups = []
    while True:
        groups.insert(0, f'{number % 1000:03d}')
        number //= 1000
        if not number:
            break
    name = '/'.join([*('x' + group for group in groups[:-1]), groups[-1]])
    return f'tile/{level}/{name}' + ('' if width == 256 else f'.p/{width}')


def log_files(log):
    """Path → content, as a server has them at its newest checkpoint."""
    files = {'checkpoint': log.checkpoint().encode()}
    level, hashes = 0, [sha256(b'\0' + leaf) for leaf in log.leaves]
    while hashes:
        for start in range(0, len(hashes), 256):
            tile = hashes[start : start + 256]
            files[tile_file(level, start // 256, len(tile))] = b''.join(tile)
            if level == 0:
                bundle = b''.join(b'\0\x21' + leaf for leaf in log.leaves[start : start + 256])
                files[tile_file('entries', start // 256, len(tile))] = bundle
        span = 256 ** (level + 1)
        hashes = [tree_hash(log.leaves[at : at + span]) for at in range(0, log.size - span + 1, span)]
        level += 1
    return files


def listing(logs):
    return {
        'logs': [
            {
                'log': log.name,
                'origin': log.origin,
                'url': f'https://{log.origin}',
                'vkey': log.signer.vkey,
                'mldsa44Vkey': None,
                'predecessor': None,
                'successor': None,
            }
            for log in logs
        ]
    }


def write_folder(folder, files):
    for path, data in files.items():
        full = os.path.join(folder, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, 'wb') as file:
            file.write(data)


# CSV


CSV_NAMES = (
    'log,index,time,request_id,part,parts,phase,action,operation,outcome,reason,detail,status,patient,practitioner,name,role,'
    'facility,organisation,issuer,subject,client,token,address,purpose,break_glass_reason,resources,method,query,query_sha256,'
    'client_request_id,policy_version,stale_seconds,degraded,note,leaf'
).split(',')


def csv_fields(line):
    entry = line['entry']
    what = entry['access']
    who, decision, query, stale = what['who'], what['decision'], what['query'], what['staleness'] or {}
    fields = [
        *(entry['log'], entry['index'], entry['time'], what['requestId'], what['part'], what['parts'], what['phase']),
        *(what['action'], what['operation'], decision['outcome'], decision['reason'], decision['detail'], what['status']),
        *(what['patient'], who['practitioner'], who['name'], who['role'], who['facility'], who['organisation'], who['issuer']),
        *(who['subject'], who['client'], who['token'], who['address'], what['purpose'], what['breakGlassReason']),
        *(' '.join(what['resources']), query['method'], query['text'], query['sha256'], what['clientRequestId']),
        *(what['policyVersion'], stale.get('seconds'), stale.get('degraded'), what['note'] and jcs(what['note']), line['leaf']),
    ]
    words = {None: '', True: 'true', False: 'false'}
    return [words[field] if field is None or isinstance(field, bool) else str(field) for field in fields]


def csv_rows(lines):
    return [CSV_NAMES, *(csv_fields(line) for line in lines if 'entry' in line)]


def csv_data(rows, end='\r\n', always_quote=False):
    def quoted(field):
        return '"' + field.replace('"', '""') + '"' if always_quote or set(field) & set(';",\r\n') else field

    return ''.join(','.join(map(quoted, row)) + end for row in rows).encode()
