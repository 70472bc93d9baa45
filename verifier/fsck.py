"""A log from its public files: every tile recomputed from the bundles, up to the signed root (docs/audit-log.md §2 and §5)."""

import re

from canonical import NotJson, parse
from entry import LEAF_BYTES, LEAF_VERSION
from fault import Fault, cut
from log_check import (
    LOG_NAME,
    beyond,
    check_checkpoint,
    check_known_signature,
    check_knowns_covered,
    fork,
    name_of_origin,
    stated_keys,
    trusted_keys,
)
from note import Checkpoint, Malformed, note_from_lines
from source import Missing, open_source
from tlog import TILE_WIDTH, Tree, leaf_hash, root_of, tile_path

_HASH_BYTES = 32
_ENTRY_BYTES = 2 + LEAF_BYTES
_MAX_CHECKPOINT_BYTES = 1 << 20
_MAX_LISTING_BYTES = 1 << 24


def fsck(target, policy, knowns):
    """Returns the lines to print."""
    with open_source(target) as source:
        return _check_logs(source, policy, knowns)


def _check_logs(source, policy, knowns):
    logs = _find_logs(source)
    report = []
    origins = set()
    for each in logs:
        checkpoint = _read_checkpoint(each)
        if checkpoint is None:
            _keys(each, None, policy, each['log'])
            report.append(f'{each["log"]}: no checkpoint: this log has published nothing')
            continue
        log = each['log'] or name_of_origin(checkpoint.origin)
        if log is None:
            raise Fault('origin', 'file', f'the origin of the checkpoint, {cut(checkpoint.origin)}, does not end in /audit/logs/ and a name')
        keys = _keys(each, checkpoint, policy, log)
        signatures = check_checkpoint(checkpoint, each['origin'] or checkpoint.origin, keys, policy, log)
        origins.add(checkpoint.origin)
        own = [known for known in knowns if known.checkpoint.origin == checkpoint.origin]
        _check_known(own, checkpoint, keys, log)
        LogFiles(each['source'], log, checkpoint, own).check()
        report.append(f'{log}: {checkpoint.size} entries, every tile and the root recomputed; {signatures}')
    if not origins:
        raise Fault('unreadable', 'file', 'no log here has a checkpoint')
    check_knowns_covered(knowns, origins)
    return report


class LogFiles:
    """Bundles and tiles of one log, left to right. Held at a time: one tile of each level."""

    def __init__(self, source, log, checkpoint, knowns):
        self.source = source
        self.log = log
        self.size = checkpoint.size
        self.root = checkpoint.root
        self.knowns = sorted(knowns, key=lambda known: known.checkpoint.size)
        # Told only when the tiles are found to be those that the log signed: else they say nothing about its history.
        self.fork = None
        self.tree = Tree()
        # Level → hashes of the tile being filled, recomputed from below.
        self.levels = []

    def check(self):
        for number in range((self.size + TILE_WIDTH - 1) // TILE_WIDTH):
            hashes = self._leaves(number, min(TILE_WIDTH, self.size - number * TILE_WIDTH))
            self._check_knowns(hashes)
            for each in hashes:
                self.tree.add(each)
            if len(hashes) == TILE_WIDTH:
                self._carry(1, self.tree.block, number)
        for level, hashes in enumerate(self.levels, 1):
            if hashes:
                self._compare(level, self.size // TILE_WIDTH ** (level + 1), hashes)
        if self.tree.root() != self.root:
            raise Fault('root', self.log, 'tiles and bundles agree with one another, and do not give the root that the log signed')
        if self.fork is not None:
            raise self.fork

    def _carry(self, level, subtree, number):
        """Takes the recomputed root of a full tile into the tile above it."""
        if len(self.levels) < level:
            self.levels.append([])
        hashes = self.levels[level - 1]
        hashes.append(subtree)
        if len(hashes) == TILE_WIDTH:
            above = number // TILE_WIDTH
            self._compare(level, above, hashes)
            self.levels[level - 1] = []
            self._carry(level + 1, root_of(hashes), above)

    def _compare(self, level, number, hashes):
        served = self._tile(level, number, len(hashes))
        for at, (there, computed) in enumerate(zip(served, hashes)):
            if there != computed:
                below = number * TILE_WIDTH + at
                raise Fault(
                    'tile-hash',
                    self._path(tile_path(level, number, len(hashes))),
                    f'hash {at} of this tile is not the one of {tile_path(level - 1, below)}, on which the bundles agree',
                )

    def _leaves(self, number, width):
        """Leaf hashes of a bundle, after comparing them with the tile."""
        leaves = self._bundle(number, width)
        computed = [leaf_hash(leaf) for leaf in leaves]
        served = self._tile(0, number, width)
        for at, leaf in enumerate(leaves):
            index = number * TILE_WIDTH + at
            if served[at] != computed[at]:
                raise self._differing(number, index, served, computed)
            if not leaf.startswith(LEAF_VERSION):
                raise Fault('bundle-leaf', f'{self.log}/{index}', f'the leaf begins with byte {leaf[0]}, not with 1')
        return computed

    def _differing(self, number, index, served, computed):
        """Bundle and tile disagree: what stands above tells which of the two was changed."""
        place = f'{self.log}/{index}'
        if self._agrees_above(number, served):
            return Fault('bundle-leaf', place, f'the entry in {tile_path("entries", number, len(served))} is not the one in the tree')
        if self._agrees_above(number, computed):
            path = self._path(tile_path(0, number, len(served)))
            return Fault('tile-hash', path, f'the hash of the leaf {place} is not the one of the entry in the bundle, which the tree above has')
        return Fault('bundle-leaf', place, 'bundle and tile disagree on this leaf, and the tree above with both')

    def _agrees_above(self, number, hashes):
        if len(hashes) < TILE_WIDTH:
            tree = self.tree.copy()
            for each in hashes:
                tree.add(each)
            return tree.root() == self.root
        above, at = divmod(number, TILE_WIDTH)
        try:
            upper = self._tile(1, above, min(TILE_WIDTH, self.size // TILE_WIDTH - above * TILE_WIDTH))
        except Fault:
            return False
        return upper[at] == root_of(hashes)

    def _bundle(self, number, width):
        path = tile_path('entries', number, width)
        data = self._read(path, width * (2 + 0xFFFF))
        leaves = []
        at = 0
        while at + 2 <= len(data) and len(leaves) < width:
            length = int.from_bytes(data[at : at + 2], 'big')
            if length != LEAF_BYTES and self._has_width(data, width):
                raise Fault('bundle-leaf', f'{self.log}/{number * TILE_WIDTH + len(leaves)}', f'the entry in {path} has {length} bytes, not {LEAF_BYTES}')
            leaves.append(data[at + 2 : at + 2 + length])
            at += 2 + length
        if len(data) != width * _ENTRY_BYTES or any(len(leaf) != LEAF_BYTES for leaf in leaves):
            raise Fault('tile', self._path(path), f'{len(data)} bytes; {width} entries of {LEAF_BYTES} bytes have {width * _ENTRY_BYTES}')
        return leaves

    def _has_width(self, data, width):
        """Whether a bundle has as many entries as its name says, by its length or by the lengths in it."""
        if len(data) == width * _ENTRY_BYTES:
            return True
        at = 0
        for _ in range(width):
            at += 2 + int.from_bytes(data[at : at + 2], 'big')
        return at == len(data)

    def _tile(self, level, number, width):
        path = tile_path(level, number, width)
        data = self._read(path, TILE_WIDTH * _HASH_BYTES)
        if len(data) != width * _HASH_BYTES:
            raise Fault('tile', self._path(path), f'{len(data)} bytes; {width} hashes have {width * _HASH_BYTES}')
        return [data[at : at + _HASH_BYTES] for at in range(0, len(data), _HASH_BYTES)]

    def _read(self, path, limit):
        try:
            return self.source.read(path, limit)
        except Missing:
            raise Fault('tile', self._path(path), 'it is missing') from None

    def _path(self, path):
        return f'{self.log}/{path}'

    def _check_knowns(self, hashes):
        """Known checkpoints whose size lies within the leaves at hand; the rest of the tree is behind."""
        while self.knowns and self.knowns[0].checkpoint.size <= self.tree.size + len(hashes):
            known = self.knowns.pop(0)
            tree = self.tree.copy()
            for each in hashes[: known.checkpoint.size - tree.size]:
                tree.add(each)
            if tree.root() != known.checkpoint.root:
                self.fork = self.fork or fork(known, self.log)


def _find_logs(source):
    """Each as {log, origin, vkeys, source}; log, origin and vkeys are None where there is no listing."""
    listing = source.listing(_MAX_LISTING_BYTES)
    if listing is None:
        return [{'log': None, 'origin': None, 'vkeys': None, 'source': source}]
    return [_listed_log(source, value) for value in _listing(listing)]


def _listing(data):
    try:
        value = parse(_text(data, 'the list of logs'))
    except NotJson as error:
        raise Fault('format', 'file', f'the list of logs cannot be read: {error}') from None
    logs = value.get('logs') if isinstance(value, dict) else None
    if not isinstance(logs, list) or not logs:
        raise Fault('format', 'file', 'the list of logs has no member "logs" with at least one log')
    names = [each.get('log') if isinstance(each, dict) else None for each in logs]
    for name in names:
        if not isinstance(name, str) or not LOG_NAME.fullmatch(name) or names.count(name) > 1:
            raise Fault('format', 'file', 'the list of logs has a log without a valid name, or one twice')
    return logs


def _listed_log(source, value):
    log, origin, vkey, ml_dsa_44 = [value.get(name) for name in ('log', 'origin', 'vkey', 'mldsa44Vkey')]
    if not isinstance(origin, str) or not isinstance(vkey, str) or not isinstance(ml_dsa_44, (str, type(None))) or 'mldsa44Vkey' not in value:
        raise Fault('format', 'file', f'the list of logs lacks origin, vkey or mldsa44Vkey of {log}')
    if name_of_origin(origin) != log:
        raise Fault('header', log, f'the origin {cut(origin)} does not end in /audit/logs/{log}')
    vkeys = [vkey] if ml_dsa_44 is None else [vkey, ml_dsa_44]
    return {'log': log, 'origin': origin, 'vkeys': vkeys, 'source': source.of_log(log)}


def _read_checkpoint(each):
    """None where a listed log has none."""
    try:
        data = each['source'].read('checkpoint', _MAX_CHECKPOINT_BYTES)
    except Missing:
        if each['log'] is None:
            raise Fault('unreadable', 'file', 'neither a checkpoint nor a list of logs is here') from None
        if _has_entries(each['source']):
            raise Fault('unreadable', 'file', f'the log {each["log"]} has entries and no checkpoint') from None
        return None
    what = f'the checkpoint of {each["log"] or "this log"}'
    try:
        return Checkpoint(note_from_lines(re.split(r'\r?\n', _text(data, what))))
    except Malformed as error:
        raise Fault('format', 'file', f'{what} is malformed: {error}') from None


def _text(data, what):
    try:
        return data.decode('utf-8-sig')
    except UnicodeDecodeError as error:
        raise Fault('unreadable', 'file', f'{what} is not UTF-8: {error}') from None


def _has_entries(source):
    """Whether there is a bundle, though no checkpoint says so. A log that serves a partial bundle serves it at every width."""
    for width in (TILE_WIDTH, 1):
        try:
            source.read(tile_path('entries', 0, width), 1)
            return True
        except Missing:
            pass
    return False


def _keys(each, checkpoint, policy, log):
    if each['vkeys'] is None:
        if policy is None:
            raise Fault('key', log, 'nothing here names the keys of this log: give them with --policy')
        return trusted_keys(None, policy, checkpoint.origin, log)
    stated = stated_keys(each['vkeys'], each['origin'], log)
    return stated if policy is None else trusted_keys(stated, policy, each['origin'], log)


def _check_known(knowns, checkpoint, keys, log):
    for known in knowns:
        check_known_signature(known, keys, log)
        if known.checkpoint.size > checkpoint.size:
            raise beyond(known, checkpoint, log)
        if known.checkpoint.size == checkpoint.size and known.checkpoint.root != checkpoint.root:
            raise fork(known, log)
