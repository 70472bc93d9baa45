"""Whole logs from their public files, in a folder and from a server."""

import functools
import http.server
import json
import os
import shutil
import threading
import unittest

from case import VerifierCase, sample


class FsckCase(VerifierCase):
    def setUp(self):
        super().setUp()
        self.log = self.world.montreal
        self.files = dict(_files(self.log))
        self.policy = self.file(self.world.policy(), 'policy')
        self.target = os.path.join(self.folder, 'log')

    def fault(self, code, place, *options):
        shutil.rmtree(self.target, ignore_errors=True)
        sample.write_folder(self.target, self.files)
        return self.assert_fails(code, place, self.target, 'fsck', self.target, '--policy', self.policy, *options)

    def flip(self, path, at):
        data = bytearray(self.files[path])
        data[at] ^= 1
        self.files[path] = bytes(data)


class FolderTest(FsckCase):
    def test_a_log_whose_files_are_right(self):
        sample.write_folder(self.target, self.files)
        known = self.file(self.log.checkpoint(300), 'known')
        first = self.file(self.log.checkpoint(256), 'first')
        out = self.assert_passes('fsck', self.target, '--policy', self.policy, '--known', known, '--known', first)
        self.assertIn('montreal: 600 entries, every tile and the root recomputed; Ed25519 valid, 1 of 1 witnesses valid\n', out)

    def test_logs_of_every_size_around_a_tile(self):
        log = sample.Log('montreal')
        policy = self.file(self.world.policy('none'), 'policy')
        for number in range(514):
            log.append(sample.access())
            if number in (0, 1, 254, 255, 256, 510, 511, 512):
                target = os.path.join(self.folder, str(number))
                sample.write_folder(target, sample.log_files(log))
                self.assert_passes('fsck', target, '--policy', policy)

    def test_a_log_of_three_levels(self):
        log = LargeLog('montreal', 65536 + 300)
        files = log.files()
        self.assertIn('tile/2/000.p/1', files)
        sample.write_folder(self.target, files)
        policy = self.file(self.world.policy('none'), 'policy')
        self.assert_passes('fsck', self.target, '--policy', policy)
        self.files = files
        self.policy = policy
        self.flip('tile/2/000.p/1', 0)
        self.fault('tile-hash', 'montreal/tile/2/000.p/1')

    def test_without_a_policy_nothing_names_the_keys_of_a_single_log(self):
        sample.write_folder(self.target, self.files)
        self.assert_fails('key', 'montreal', self.target, 'fsck', self.target)

    def test_checkpoints_that_are_wrong(self):
        text = self.log.checkpoint_text()
        for code, place, checkpoint in (
            ('format', 'file', 'hello\n'),
            ('signature-invalid', 'montreal', self.log.checkpoint().replace('\n600\n', '\n599\n')),
            ('signature-missing', 'montreal', f'{text}\n{self.world.witness.line(text)}'),
            ('quorum', 'montreal', self.log.signer.note(text)),
            ('key', 'elsewhere', self.log.checkpoint().replace('/montreal\n', '/elsewhere\n')),
        ):
            self.files['checkpoint'] = checkpoint.encode()
            self.fault(code, place)

    def test_a_signed_root_that_the_files_do_not_give(self):
        root = sample.b64(sample.sha256(b'other'))
        text = f'{self.log.origin}\n600\n{root}\n'
        self.files['checkpoint'] = self.log.signer.note(text, self.world.witness).encode()
        self.fault('root', 'montreal')

    def test_known_checkpoints_of_another_history_or_of_the_future(self):
        def known(size, root):
            return self.file(self.log.signer.note(f'{self.log.origin}\n{size}\n{sample.b64(root)}\n'), 'known')

        other = sample.sha256(b'other')
        for size, code in ((300, 'known-fork'), (256, 'known-fork'), (600, 'known-fork'), (601, 'known-unproved')):
            self.fault(code, 'montreal', '--known', known(size, other))
        self.fault('known-unproved', 'quebec', '--known', self.file(self.world.quebec.checkpoint(), 'known'))

    def test_files_that_are_missing_or_of_another_length(self):
        for path in ('tile/0/001', 'tile/entries/001', 'tile/0/002.p/88', 'tile/entries/002.p/88', 'tile/1/000.p/2'):
            data = self.files.pop(path)
            self.fault('tile', f'montreal/{path}')
            for wrong in (b'', data[:-1], data + b'\0', data[: len(data) // 2], data * 2):
                self.files[path] = wrong
                self.fault('tile', f'montreal/{path}')
            self.files[path] = data

    def test_a_leaf_changed_in_a_bundle(self):
        for path, at, index in (('tile/entries/001', 35 * 44 + 10, 300), ('tile/entries/002.p/88', 35 * 3 + 2, 515)):
            self.flip(path, at)
            self.assertIn('is not the one in the tree', self.fault('bundle-leaf', f'montreal/{index}'))
            self.flip(path, at)

    def test_a_hash_changed_in_a_tile(self):
        for path, at in (('tile/0/001', 32 * 44 + 10), ('tile/0/002.p/88', 32 * 3 + 2), ('tile/1/000.p/2', 32)):
            self.flip(path, at)
            self.fault('tile-hash', f'montreal/{path}')
            self.flip(path, at)

    def test_the_hash_of_one_leaf_is_told_with_the_index_of_the_leaf(self):
        self.flip('tile/0/001', 32 * 44)
        sample.write_folder(self.target, self.files)
        _, _, err = self.run_command('fsck', self.target, '--policy', self.policy)
        self.assertIn('montreal/300', err)

    def test_bundle_tile_and_what_is_above_all_differ(self):
        self.flip('tile/0/001', 32 * 44)
        self.flip('tile/1/000.p/2', 32)
        self.fault('bundle-leaf', 'montreal/300')

    def test_a_leaf_changed_in_bundle_and_tile_alike(self):
        leaves = list(self.log.leaves)
        leaves[300] = leaves[301]
        self.files['tile/entries/001'] = b''.join(b'\0\x21' + leaf for leaf in leaves[256:512])
        self.files['tile/0/001'] = b''.join(sample.sha256(b'\0' + leaf) for leaf in leaves[256:512])
        self.fault('tile-hash', 'montreal/tile/1/000.p/2')

    def test_leaves_of_another_length_or_version(self):
        log = sample.Log('montreal')
        for _ in range(4):
            log.append(sample.access())
        self.policy = self.file(self.world.policy('none'), 'policy')
        log.leaves[2] = b'\2' + log.leaves[2][1:]
        self.files = sample.log_files(log)
        self.fault('bundle-leaf', 'montreal/2')
        data = bytearray(self.files['tile/entries/000.p/4'])
        data[35 * 1 + 1] = 32
        self.files['tile/entries/000.p/4'] = bytes(data)
        self.fault('bundle-leaf', 'montreal/1')
        self.files['tile/entries/000.p/4'] = bytes(data[: 35 + 34] + data[70:])
        self.fault('bundle-leaf', 'montreal/1')

    def test_a_folder_of_several_logs_with_the_keys_of_its_list(self):
        files = {'logs.json': json.dumps(sample.listing(self.world.logs)).encode()}
        for log in (self.world.montreal, self.world.quebec):
            files.update({f'{log.name}/{path}': data for path, data in _files(log).items()})
        sample.write_folder(self.target, files)
        for options in ([], ['--policy', self.policy]):
            out = self.assert_passes('fsck', self.target, *options)
            self.assertIn('quebec: 6 entries', out)
            self.assertIn('gaspe: no checkpoint', out)
        bad = sample.listing(self.world.logs)
        bad['logs'][1]['vkey'] = self.world.montreal.signer.vkey
        sample.write_folder(self.target, {'logs.json': json.dumps(bad).encode()})
        self.assert_fails('key', 'quebec', self.target, 'fsck', self.target)
        for listing in ('{}', '{"logs":[]}', '{"logs":[1]}', '[' * 10000, '{"logs":[{"log":"../x"}]}'):
            sample.write_folder(self.target, {'logs.json': listing.encode()})
            self.assert_fails('format', 'file', self.target, 'fsck', self.target)

    def test_folders_in_which_there_is_nothing(self):
        self.assert_fails('unreadable', 'file', self.folder, 'fsck', self.folder)
        self.assert_fails('unreadable', 'file', '/no/such/folder', 'fsck', '/no/such/folder')


class ServerTest(FsckCase):
    def setUp(self):
        super().setUp()
        files = {'audit/logs/index': json.dumps(sample.listing(self.world.logs)).encode()}
        for log in (self.world.montreal, self.world.quebec):
            files.update({f'audit/logs/{log.name}/{path}': data for path, data in _files(log).items()})
        sample.write_folder(self.target, files)
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(_Handler, directory=self.target))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.url = f'http://127.0.0.1:{server.server_port}'

    def test_all_logs_of_a_server(self):
        for url in (self.url, self.url + '/'):
            out = self.assert_passes('fsck', url)
            self.assertIn('montreal: 600 entries', out)
            self.assertIn('quebec: 6 entries', out)
            self.assertIn('those in the list of logs', out)

    def test_one_log_of_a_server(self):
        url = f'{self.url}/audit/logs/montreal'
        self.assert_passes('fsck', url, '--policy', self.policy)
        self.assert_fails('key', 'montreal', url, 'fsck', url)

    def test_a_tile_that_the_server_does_not_have(self):
        os.remove(os.path.join(self.target, 'audit/logs/montreal/tile/0/001'))
        self.assert_fails('tile', 'montreal/tile/0/001', self.url, 'fsck', self.url)

    def test_addresses_where_no_log_is(self):
        for url in (self.url + '/elsewhere', 'http://127.0.0.1:1', 'http://', 'https://127.0.0.1:x'):
            self.assert_fails('unreadable', 'file', url, 'fsck', url)


class _Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_GET(self):
        if self.path == '/audit/logs':
            self.path = '/audit/logs/index'
        super().do_GET()

    def log_message(self, *_):
        pass


class LargeLog(sample.Log):
    """Many leaves without entries behind them."""

    def __init__(self, name, size):
        super().__init__(name)
        self.leaves = [b'\1' + sample.sha256(number.to_bytes(4, 'big')) for number in range(size)]

    def files(self):
        return sample.log_files(self)


@functools.lru_cache(maxsize=None)
def _files(log):
    return sample.log_files(log)


if __name__ == '__main__':
    unittest.main()
