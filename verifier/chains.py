"""The chains that an export covers: which of them a line is in, and whether it is the next of it (docs/audit-log.md §5)."""

from fault import Fault, cut


class Chain:
    """One chain in the part of one log, as far as it has been read, and its signed head."""

    __slots__ = ('head', 'count', 'last')

    def __init__(self, head):
        self.head = head
        # Entries so far, and the index of the last one.
        self.count = 0
        self.last = None

    def is_as_signed(self):
        return (self.count, self.last) == (self.head.count, self.head.last)

    def add(self, index):
        self.count += 1
        self.last = index


class Chains:
    """Those of the header: `kind` is None, and there are no `keys`, where the export is of no chain."""

    def __init__(self, header):
        self.kind, self.keys = header.chains or (None, ())

    def is_named_as_due(self, line):
        """Whether a redacted line, or a gap, says of which chain it is: where there are several, and only there."""
        return (line.chain is not None) == (len(self.keys) > 1)

    def of(self, part, line, is_pruning):
        """The chain of which it is the next entry; None where it is there only because it redacts or prunes."""
        index = line.index
        if not line.is_open:
            return self._named(part, index, line.chain)
        key, place = line.membership(self.kind)
        # An entry from after the export began is there for what it redacts or prunes.
        chain = None if key is None or index >= part.stated.size else part.chains.get(key)
        if chain is None:
            if index in part.pending or is_pruning:
                return None
            raise Fault('chain-key', part.place(index), f'the entry is not of the chain of this {self.kind}')
        fault = misplaced(part, index, place, chain.count + 1, chain.last)
        if fault is not None:
            raise fault
        return chain

    def pass_gap(self, part, gap):
        """Goes on after the members that went; returns how many they are."""
        chain = self._named(part, gap.last, gap.chain)
        if gap.count <= chain.count or (chain.last is not None and gap.last <= chain.last):
            raise Fault('chain-order', part.place(gap.last), f'said to have gone as number {gap.count} of the chain; the file had number {chain.count} before')
        members = gap.count - chain.count
        chain.count = gap.count
        chain.last = gap.last
        return members

    def _named(self, part, index, key):
        """That of a line which says whose it is by the key alone, where there are several."""
        chain = part.chains.get(self.keys[0] if key is None else key)
        if chain is None:
            raise Fault('chain-key', part.place(index), f'said to be of {cut(key)}, whose chain the file does not cover')
        return chain


def check_heads(part):
    """Where the lines of a log end: each chain is as long as the log signed."""
    for chain in part.chains.values():
        if not chain.is_as_signed():
            raise Fault('chain-head', part.log, f'the log signed a chain of {_words(chain.head)}, here it has {_words(chain)}')


def misplaced(part, index, place, count, previous):
    """The Fault of an entry whose place in the chain is not the next one, None when it is."""
    if (place.count, place.previous) == (count, previous):
        return None
    says = f'the entry says it is number {place.count} of the chain, after {_after(place.previous)}; here it is number {count}, after {_after(previous)}'
    if place.count < count or _order(place.previous) < _order(previous):
        return Fault('chain-order', part.place(index), f'{says}, which is further on')
    return Fault('chain-gap', part.place(index), f'{says}: some are missing')


def _after(previous):
    return 'none' if previous is None else str(previous)


def _order(previous):
    return -1 if previous is None else previous


def _words(chain):
    return f'{chain.count} entries' + ('' if chain.last is None else f', the last at {chain.last}')
