"""The Merkle tree of RFC 6962 §2.1 with SHA-256, its proofs (RFC 9162 §2.1.3 and §2.1.4), and tiles (C2SP tlog-tiles)."""

from hashlib import sha256

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT


def leaf_hash(leaf):
    return sha256(b'\0' + leaf).digest()


def node_hash(left, right):
    return sha256(b'\1' + left + right).digest()


class Tree:
    """Hashes from left to right; keeps only the roots of the complete subtrees so far, the largest first.

    There is one for each bit of `size` that is set, as in a binary counter.
    """

    def __init__(self):
        self.size = 0
        self.hashes = []
        # Root of the last complete aligned subtree of 256 leaves.
        self.block = None

    def add(self, subtree, level=0):
        """Adds the hash of an aligned subtree of 2^level leaves; the size so far is a multiple of that."""
        hashes = self.hashes
        carry = self.size >> level
        self.size += 1 << level
        while carry & 1:
            subtree = sha256(b'\1' + hashes.pop() + subtree).digest()
            carry >>= 1
            level += 1
            if level == TILE_HEIGHT:
                self.block = subtree
        hashes.append(subtree)

    def root(self):
        if not self.hashes:
            return sha256(b'').digest()
        root = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            root = node_hash(left, root)
        return root

    def copy(self):
        twin = Tree()
        twin.size = self.size
        twin.hashes = list(self.hashes)
        return twin


def root_of(hashes):
    """The tree hash over some hashes, taken as those of leaves."""
    tree = Tree()
    for each in hashes:
        tree.add(each)
    return tree.root()


def cover(start, end):
    """Levels of the fewest complete aligned subtrees that cover [start, end), left to right."""
    levels = []
    while start < end:
        level = (end - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        levels.append(level)
        start += 1 << level
    return levels


def inclusion_root(leaf, index, size, path):
    """The root that a path leads to from the hash of the leaf at `index`; None where the path has another length than
    the one path there is (RFC 9162 §2.1.3.2)."""
    if index >= size:
        return None
    node, last, root = index, size - 1, leaf
    for step in path:
        if last == 0:
            return None
        if node & 1 or node == last:
            root = node_hash(step, root)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            root = node_hash(root, step)
        node >>= 1
        last >>= 1
    return root if last == 0 else None


def is_consistent(old_size, old_root, size, root, path):
    """Whether a path shows that the tree of `size` continues that of `old_size` (RFC 9162 §2.1.4.2); 0 < old_size."""
    if old_size == size:
        return not path and old_root == root
    if not 0 < old_size < size or not path:
        return False
    if old_size & (old_size - 1) == 0:
        path = [old_root, *path]
    node, last = old_size - 1, size - 1
    while node & 1:
        node >>= 1
        last >>= 1
    old = new = path[0]
    for step in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old = node_hash(step, old)
            new = node_hash(step, new)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            new = node_hash(new, step)
        node >>= 1
        last >>= 1
    return last == 0 and old == old_root and new == root


def tile_path(level, number, width=TILE_WIDTH):
    """`level` is a number, or `entries` for a bundle."""
    groups = []
    rest = number
    while True:
        groups.append(f'{rest % 1000:03d}')
        rest //= 1000
        if not rest:
            break
    path = '/'.join([f'x{group}' for group in reversed(groups[1:])] + [groups[0]])
    return f'tile/{level}/{path}' + (f'.p/{width}' if width < TILE_WIDTH else '')
