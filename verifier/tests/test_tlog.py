"""Hashing and proofs, against published values and against the definitions of RFC 6962."""

import unittest

from case import sample

import tlog
from tlog import Tree, cover, inclusion_root, is_consistent, leaf_hash, root_of, tile_path

# Certificate Transparency's reference inputs and the roots of their first n.
LEAVES = [bytes.fromhex(each) for each in ('', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f')]
ROOT_STARTS = ['6e340b9c', 'fac54203', 'aeb6bcfe', 'd37ee418', '4e3bbb1f', '76e67dad', 'ddb89be4', '5dc9da79']


class TlogTest(unittest.TestCase):
    def test_the_roots_of_the_reference_leaves_are_the_published_ones(self):
        tree = Tree()
        self.assertEqual(tree.root().hex(), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
        for leaf, start in zip(LEAVES, ROOT_STARTS):
            tree.add(leaf_hash(leaf))
            self.assertEqual(tree.root().hex()[:8], start)
        self.assertTrue(tree.root().hex().endswith('4328'))

    def test_every_path_in_trees_of_up_to_20_leaves_leads_to_the_root_and_from_no_other_place(self):
        leaves = [bytes([number]) for number in range(20)]
        for size in range(1, 21):
            root = sample.tree_hash(leaves[:size])
            for index in range(size):
                path = sample.audit_path(index, leaves[:size])
                leaf = leaf_hash(leaves[index])
                self.assertEqual(inclusion_root(leaf, index, size, path), root)
                self.assertIsNone(inclusion_root(leaf, size, size, path))
                self.assertNotEqual(inclusion_root(leaf, index, size, [*path, root]), root)
                if path:
                    self.assertNotEqual(inclusion_root(leaf, index, size, path[:-1]), root)
                    self.assertNotEqual(inclusion_root(leaf, index ^ 1, size, path), root)

    def test_every_tree_of_up_to_20_leaves_is_consistent_with_its_beginnings_and_with_no_other_tree(self):
        leaves = [bytes([number]) for number in range(20)]
        for size in range(1, 21):
            root = sample.tree_hash(leaves[:size])
            for old in range(1, size + 1):
                old_root = sample.tree_hash(leaves[:old])
                path = sample.consistency(old, leaves[:size])
                self.assertTrue(is_consistent(old, old_root, size, root, path))
                self.assertFalse(is_consistent(old, sample.sha256(old_root), size, root, path))
                self.assertFalse(is_consistent(old, old_root, size, sample.sha256(root), path))
                self.assertFalse(is_consistent(old, old_root, size, root, [*path, root]))
                if path:
                    self.assertFalse(is_consistent(old, old_root, size, root, path[:-1]))

    def test_a_range_with_the_subtrees_around_it_gives_the_root(self):
        leaves = [bytes([number]) for number in range(23)]
        for first in range(24):
            for end in range(first, 24):
                tree = Tree()
                for bounds in ((0, first), (first, end), (end, 23)):
                    if bounds == (first, end):
                        for leaf in leaves[first:end]:
                            tree.add(leaf_hash(leaf))
                        continue
                    hashes = sample.subtrees(*bounds, leaves)
                    levels = cover(*bounds)
                    self.assertEqual(len(hashes), len(levels))
                    for each, level in zip(hashes, levels):
                        tree.add(each, level)
                self.assertEqual(tree.root(), sample.tree_hash(leaves))

    def test_the_block_of_a_tree_is_the_root_of_its_last_256_leaves(self):
        tree = Tree()
        leaves = [number.to_bytes(2, 'big') for number in range(1024)]
        for count, leaf in enumerate(leaves, 1):
            tree.add(leaf_hash(leaf))
            if count % 256 == 0:
                self.assertEqual(tree.block, sample.tree_hash(leaves[count - 256 : count]))
        self.assertEqual(root_of([leaf_hash(leaf) for leaf in leaves]), tree.root())

    def test_tiles_are_named_as_tlog_tiles_names_them(self):
        self.assertEqual(tile_path(0, 1234067), 'tile/0/x001/x234/067')
        self.assertEqual(tile_path('entries', 273, 112), 'tile/entries/273.p/112')
        self.assertEqual(tile_path(1, 0, tlog.TILE_WIDTH), 'tile/1/000')


if __name__ == '__main__':
    unittest.main()
