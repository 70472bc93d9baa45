"""What a verifier keeps of the lines of one log while it reads an export."""

from chains import Chain
from tlog import Tree, cover


class Part:
    """The part of one log, as far as it has been read. `keys`: of its chains, in a chain export."""

    def __init__(self, stated, is_range, keys=()):
        self.stated = stated
        self.log = stated.log
        self.is_range = is_range
        # `range`: the index that must come next.
        self.expected = stated.first
        self.previous = None
        self.time = ''
        self.open = 0
        self.redacted = 0
        self.pruned = 0
        self.tree = Tree()
        # The block of 256 that has just been completed: (start, end).
        self.block = None
        # Index of a redaction entry → [(redacted index, its place in the chain of the export: (count, previous))].
        self.pending = {}
        # Indices that redaction entries name.
        self.redacts = set()
        # What is wrong about redactions, told when the part ends: the one of the lowest index.
        self.problem = None
        self.chains = {key: Chain(head) for key, head in zip(keys, stated.heads)}
        if is_range and stated.checkpoint is not None:
            for subtree, level in zip(stated.before, cover(0, stated.first)):
                self.tree.add(subtree, level)

    def has_all_indices(self):
        return not self.is_range or self.expected == self.stated.end

    def is_complete(self):
        if self.pending or not self.has_all_indices():
            return False
        return all(chain.count == chain.head.count for chain in self.chains.values())

    def place(self, index):
        return f'{self.log}/{index}'

    def tell_later(self, index, fault):
        if self.problem is None or index < self.problem[0]:
            self.problem = (index, fault)
