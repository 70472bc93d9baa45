"""NDJSON exports: what must pass, and every way in which a file may be wrong, by code and place."""

import copy
import json
import unittest

from case import VerifierCase, sample


class PassesTest(VerifierCase):
    def test_a_range_of_whole_logs(self):
        out = self.assert_verified(self.world.range())
        self.assertIn('montreal: entries 0 up to 600 of 600, 598 open, 2 redacted; checkpoint of 600; Ed25519 valid\n', out)
        self.assertIn('quebec: entries 0 up to 6 of 6, 5 open, 1 redacted; ', out)
        self.assertIn('gaspe: no entries, 0 open, 0 redacted; no checkpoint; ', out)
        self.assertIn('no --policy was given', out)

    def test_a_part_of_a_log_with_a_redaction_entry_from_outside_it(self):
        export = self.world.part()
        self.assertEqual(export.lines[-1]['entry']['index'], '590')
        self.assertIn('entries 10 up to 560 of 600', self.assert_verified(export))

    def test_every_part_of_a_small_log(self):
        quebec = self.world.quebec
        for first in range(7):
            for end in range(first, 7):
                self.assert_verified(sample.export([quebec], bounds={'quebec': (first, end)}))

    def test_a_checkpoint_that_is_newer_than_the_export(self):
        export = sample.export([self.world.montreal], bounds={'montreal': (0, 591)})
        export.header['logs'][0]['size'] = '591'
        self.assert_verified(export)

    def test_the_chain_of_a_patient_and_that_of_an_organisation(self):
        for kind, key in (('patient', 'pat-0'), ('patient', 'pat-1'), ('patient', 'pat-2'), ('organisation', 'org-0'), ('organisation', 'org-1')):
            self.assert_verified(self.world.chain(kind, key))

    def test_the_chain_of_a_patient_of_whom_there_is_nothing(self):
        self.assert_verified(self.world.chain('patient', 'pat-unknown'))

    def test_some_entries(self):
        self.assert_verified(self.world.none())

    def test_a_policy_whose_witness_cosigned(self):
        policy = self.file(self.world.policy(), 'policy')
        out = self.assert_verified(self.world.range(), '--policy', policy)
        self.assertIn('1 of 1 witnesses valid', out)
        self.assertIn(f'the keys are those of {policy}', out)

    def test_a_known_checkpoint_with_a_proof_and_one_of_the_same_size(self):
        montreal = self.world.montreal
        export = self.world.range()
        export.header['logs'][0]['known'] = {'size': '300', 'proof': [sample.b64url(each) for each in sample.consistency(300, montreal.leaves)]}
        old = self.file(montreal.checkpoint(300), 'old')
        same = self.file(montreal.checkpoint().replace('\n', '\r\n'), 'same')
        self.assert_verified(export, '--known', old, '--known', same)


class MustNotAlarmTest(VerifierCase):
    def test_a_byte_order_mark_other_line_ends_other_encodings_and_blank_lines(self):
        text = self.world.range().data().decode()
        windows = text.replace('\n', '\r\n')
        for data in (
            b'\xef\xbb\xbf' + text.encode(),
            windows.encode(),
            b'\xff\xfe' + windows.encode('utf-16-le'),
            b'\xfe\xff' + text.encode('utf-16-be'),
            text.replace('\n', '\n\n \t\n').encode(),
            b'\n\n' + text.rstrip('\n').encode(),
        ):
            self.assert_verified(data)

    def test_lines_in_another_json_form(self):
        def shuffled(value):
            if isinstance(value, dict):
                return {name: shuffled(value[name]) for name in sorted(value, reverse=True)}
            return value

        def numbers(text):
            return text.replace('"v":1', '"v":1.0').replace('"status":200', '"status":2e2').replace('O\'Neil', '\\u004f\\u0027Neil').replace('GET', 'G\\u0045T')

        for export in (self.world.range(), self.world.part(), self.world.chain(), self.world.none()):
            lines = [export.header, *export.lines]
            for write in (
                lambda value: json.dumps(value, ensure_ascii=True),
                lambda value: json.dumps(shuffled(value), ensure_ascii=False, separators=(' , ', '\t: ')),
                lambda value: numbers(sample.jcs(value)),
                lambda value: sample.jcs(value).replace('/', '\\/'),
            ):
                self.assert_verified('\n'.join(map(write, lines)))

    def test_a_proof_at_the_end_of_a_line(self):
        export = self.world.none()
        for line in export.lines:
            line['proof'] = line.pop('proof')
        lines = [json.dumps(value, separators=(',', ':'), ensure_ascii=False) for value in [export.header, *export.lines]]
        self.assert_verified('\n'.join(lines))

    def test_a_file_without_its_block_lines(self):
        export = self.world.range()
        export.lines = [line for line in export.lines if 'block' not in line]
        self.assert_verified(export)


class FormatTest(VerifierCase):
    def test_unreadable_files(self):
        self.assert_fails('unreadable', 'file', '/no/such/file', 'verify', '/no/such/file')
        self.assert_fails('unreadable', 'file', self.folder, 'verify', self.folder)
        self.assert_fault('unreadable', 'file', self.world.range().data().replace('É'.encode(), b'\xc9', 1))
        self.assert_fault('unreadable', 'file', b'\xff\xfe' + self.world.range().data().decode().encode('utf-16-le') + b'x')

    def test_files_of_no_known_format(self):
        for data in (b'', b'\n\n', b'hello\n', b'[1]\n', b'\0' * 100):
            self.assert_fault('format', 'file', data)
        export = self.world.range()
        export.header['format'] = 'dossier-export/0'
        self.assert_fault('format', 'file', export)

    def test_a_header_with_a_member_missing_or_malformed(self):
        for path, value in (
            ('exportId', None),
            ('completeness', 'all'),
            ('filters', []),
            ('logs', []),
            ('logs', [{}]),
            ('list', 'no note'),
            ('logs.0.log', 'Montréal'),
            ('logs.0.size', 600),
            ('logs.0.first', '00'),
            ('logs.0.end', '18446744073709551616'),
            ('logs.0.current', 'true'),
            ('logs.0.keys', [1]),
            ('logs.0.heads', [None]),
            ('chains', 'pat-1'),
            ('chains', ['pat-1']),
            ('logs.0.before', ['x']),
            ('logs.0.after', None),
            ('logs.0.checkpoint', 'x'),
            ('logs.0.known', {'size': '1'}),
        ):
            export = self.world.range()
            *parents, name = path.split('.')
            target = export.header
            for parent in parents:
                target = target[int(parent) if parent.isdigit() else parent]
            target[name] = value
            self.assert_fault('format', 'line 1', export)
            del target[name]
            self.assert_fault('format', 'line 1', export)

    def test_a_line_of_no_kind_is_told_by_its_expected_index_in_a_range_and_else_by_its_number(self):
        for line in ('{', '[]', '{"entry":{},"leaf":"","salt":""}', '{"index":"7","leaf":"AA","log":"montreal","redacted":"9"}', '{"a":1,"a":2}', '{}'):
            export = self.world.range()
            export.lines[7] = line
            self.assert_fault('format', 'montreal/7', export)
            export = self.world.none()
            export.lines[1] = line
            self.assert_fault('format', 'line 3', export)

    def test_a_member_more_or_less_or_twice(self):
        export = self.world.range()
        export.lines[7]['note'] = 'x'
        self.assert_fault('format', 'montreal/7', export)
        export = self.world.range()
        del export.lines[7]['salt']
        self.assert_fault('format', 'montreal/7', export)
        export = self.world.range()
        export.lines[7] = sample.jcs(export.lines[7]).replace('"log":"montreal"', '"log":"montreal","log":"montreal"', 1)
        self.assert_fault('format', 'montreal/7', export)

    def test_a_line_without_proof_where_one_is_due_and_with_one_where_none_is(self):
        export = self.world.none()
        del export.lines[2]['proof']
        self.assert_fault('format', 'line 4', export)
        export = self.world.range()
        export.lines[7]['proof'] = []
        self.assert_fault('format', 'montreal/7', export)

    def test_a_block_in_a_wrong_place_and_in_an_export_that_is_no_range(self):
        export = self.world.range()
        position = next(at for at, line in enumerate(export.lines) if 'block' in line)
        block = export.lines.pop(position)
        self.assert_fault('format', 'montreal/255', self._with(export, position - 1, block))
        self.assert_fault('format', 'montreal/257', self._with(export, position + 1, block))
        self.assert_fault('format', 'line 2', self._with(self.world.none(), 0, block))
        self.assert_fault('format', 'montreal/256', self._with(export, position, {**block, 'proof': []}))
        part = self.world.part()
        self.assert_fault('format', 'montreal/256', self._with(part, part.at(255) + 1, block))

    def _with(self, export, position, line):
        changed = sample.Export(export.header, list(export.lines))
        changed.lines.insert(position, line)
        return changed


class HeaderTest(VerifierCase):
    def fault(self, code, place, change, export=None, *options):
        export = copy.deepcopy(export or self.world.range())
        change(export.header['logs'])
        self.assert_fault(code, place, export, *options)

    def test_a_header_that_contradicts_itself(self):
        quebec = self.world.quebec
        for log, change in (
            ('montreal', lambda logs: logs[0].update(first='601')),
            ('montreal', lambda logs: logs[0].update(end='601')),
            ('montreal', lambda logs: logs[0].update(checkpoint=None)),
            ('gaspe', lambda logs: logs[2].update(checkpoint=quebec.checkpoint())),
            ('quebec', lambda logs: logs.append(logs[1])),
            ('montreal', lambda logs: logs[0].update(before=['A' * 43])),
            ('montreal', lambda logs: logs[0].update(first='1')),
            ('quebec', lambda logs: logs[1].update(after=['A' * 43])),
            ('quebec', lambda logs: logs[1].update(origin=logs[1]['origin'] + '-2')),
            ('quebec', lambda logs: logs[1].update(heads=[quebec.head('patient', 'pat-1')])),
        ):
            self.fault('header', log, change)
        self.fault('header', 'gaspe', lambda logs: logs[2].update(heads=[]), self.world.chain())
        self.fault('header', 'montreal', lambda logs: logs[0].update(end='599'), self.world.chain())
        self.fault('header', 'montreal', lambda logs: logs[0].update(after=['A' * 43]), self.world.none())

    def test_keys(self):
        montreal, quebec = self.world.montreal, self.world.quebec
        key = montreal.signer.vkey
        other = sample.Signer(montreal.origin, 'another key').vkey
        for keys in ([], ['x'], [quebec.signer.vkey], [key, key], [key[:-4] + 'AAAA'], [key.replace('+', '+0', 1)], [self.world.witness.vkey]):
            self.fault('key', 'montreal', lambda logs: logs[0].update(keys=keys))
        policy = self.file(self.world.policy(), 'policy')
        self.fault('key', 'montreal', lambda logs: logs[0].update(keys=[other]), None, '--policy', policy)
        stranger = self.file(self.world.policy(logs=[montreal, quebec]), 'policy')
        self.fault('key', 'gaspe', lambda logs: None, None, '--policy', stranger)

    def test_a_checkpoint_of_another_log(self):
        self.fault('origin', 'montreal', lambda logs: logs[0].update(checkpoint=logs[1]['checkpoint']))

    def test_signatures(self):
        montreal = self.world.montreal
        text = montreal.checkpoint_text()
        line = montreal.signer.line(text)
        forged = sample.Signer(montreal.origin, 'another key')
        lie = f'— {montreal.signer.name} {sample.b64(montreal.signer.id + forged.sign(text.encode()))}\n'
        for code, note in (
            ('signature-missing', f'{text}\n{self.world.witness.line(text)}'),
            ('signature-missing', f'{text}\n{forged.line(text)}'),
            ('signature-invalid', f'{montreal.checkpoint_text(599)}\n{line}'),
            ('signature-invalid', f'{text}\n{line[:-6]}{"AAA==" if line[-6:-1] != "AAA==" else "BBB=="}\n'),
            ('signature-invalid', f'{text}\n{lie}'),
            ('signature-invalid', f'{text}\n{line}{lie}'),
            ('signature-duplicate', f'{text}\n{line}{line}'),
        ):
            self.fault(code, 'montreal', lambda logs: logs[0].update(checkpoint=note))

    def test_a_witness_whose_signature_does_not_fit(self):
        policy = self.file(self.world.policy(), 'policy')
        text = self.world.montreal.checkpoint_text()
        late = self.world.witness.line(text, time=1700000001)
        early = self.world.witness.line(text)
        moved = late[:-20] + early[-20:]
        checkpoint = f'{text}\n{self.world.montreal.signer.line(text)}'
        self.fault('signature-invalid', 'montreal', lambda logs: logs[0].update(checkpoint=checkpoint + moved), None, '--policy', policy)
        self.fault('signature-duplicate', 'montreal', lambda logs: logs[0].update(checkpoint=checkpoint + late + early), None, '--policy', policy)
        self.fault('quorum', 'montreal', lambda logs: logs[0].update(checkpoint=checkpoint), None, '--policy', policy)
        # tlog-cosignature: a time is below 2^63.
        for time, code in ((2**63 - 1, None), (2**63, 'signature-invalid')):
            export = self.world.range()
            export.header['logs'][0]['checkpoint'] = checkpoint + self.world.witness.line(text, time)
            if code is None:
                self.assert_verified(export, '--policy', policy)
            else:
                self.assert_fault(code, 'montreal', export, '--policy', policy)

    def test_a_checkpoint_older_than_the_export(self):
        old = self.world.montreal.checkpoint(599)
        self.fault('checkpoint-older', 'montreal', lambda logs: logs[0].update(checkpoint=old))

    def test_known_checkpoints(self):
        montreal = self.world.montreal
        proof = {'size': '300', 'proof': [sample.b64url(each) for each in sample.consistency(300, montreal.leaves)]}
        old = self.file(montreal.checkpoint(300), 'old')
        fork_text = f'{montreal.origin}\n300\n{sample.b64(sample.sha256(b"fork"))}\n'
        forked = self.file(montreal.signer.note(fork_text), 'forked')
        forked_now = self.file(montreal.signer.note(fork_text.replace('\n300\n', '\n600\n')), 'forked now')
        longer = self.file(montreal.signer.note(fork_text.replace('\n300\n', '\n601\n')), 'longer')
        stranger = sample.Log('stranger')
        stranger.append(sample.access())
        elsewhere = self.file(stranger.checkpoint(), 'elsewhere')
        with_proof = lambda logs: logs[0].update(known=proof)  # noqa: E731
        self.fault('known-unproved', 'montreal', lambda logs: None, None, '--known', old)
        self.fault('known-unproved', 'montreal', lambda logs: None, None, '--known', longer)
        self.fault('known-unproved', 'stranger', lambda logs: None, None, '--known', elsewhere)
        self.fault('known-fork', 'montreal', with_proof, None, '--known', forked)
        self.fault('known-fork', 'montreal', lambda logs: None, None, '--known', forked_now)
        self.fault('known-fork', 'montreal', lambda logs: logs[0].update(known={'size': '300', 'proof': proof['proof'][:-1]}), None, '--known', old)

    def test_a_known_checkpoint_that_is_none_or_is_signed_by_another_key(self):
        path = self.file('hello', 'known')
        self.assert_fault('format', 'file', self.world.range(), '--known', path, file=path)
        montreal = self.world.montreal
        path = self.file(sample.Signer(montreal.origin, 'another key').note(montreal.checkpoint_text()), 'known')
        self.assert_fault('signature-missing', 'montreal', self.world.range(), '--known', path, file=path)

    def test_heads(self):
        montreal = self.world.montreal
        chain = self.world.chain()
        [head] = chain.header['logs'][0]['heads']
        signature = head[head.index('\n\n') + 1 :]
        for code, message in (
            ('origin', montreal.head('patient', 'pat-1', origin=self.world.quebec.origin)),
            ('signature-missing', head.replace(signature, '\n' + self.world.quebec.signer.line('x'))),
            ('signature-invalid', head.replace('count ', 'count 1')),
            ('chain-key', montreal.head('patient', 'pat-2')),
            ('chain-key', montreal.head('organisation', 'pat-1')),
            ('chain-key', montreal.head('patient', 'pat-1', size=599)),
        ):
            self.fault(code, 'montreal', lambda logs: logs[0].update(heads=[message]), chain)

    def test_the_list_of_logs(self):
        world = self.world
        montreal, quebec, gaspe = world.logs
        stranger = sample.Log('stranger')
        forged = sample.Signer(montreal.origin, 'another key')
        good = sample.list_of_logs(montreal, world.logs)
        text = good[: good.index('\n\n') + 1]
        other_key = text.replace(quebec.signer.vkey, sample.Signer(quebec.origin, 'another key').vkey)
        with_ml_dsa = text.replace(f'{quebec.signer.vkey} -', f'{quebec.signer.vkey} x')
        sign = montreal.signer.note
        for code, place, message in (
            ('list-signature', 'file', forged.note(text)),
            ('list-signature', 'file', good.replace('active', 'retired')),
            ('list-signature', 'file', sample.list_of_logs(stranger, world.logs, 700)),
            ('list', 'file', sign(text.replace('dossier-logs/v1', 'dossier-logs/v2'))),
            ('list', 'file', sign(text.replace('active', 'lost'))),
            ('list', 'file', sign(text + text[text.index('log ') :])),
            ('list', 'montreal', sample.list_of_logs(montreal, world.logs, 599)),
            ('list', 'quebec', sign(other_key)),
            ('list', 'quebec', sign(with_ml_dsa)),
            ('list-log', 'quebec', sample.list_of_logs(montreal, [montreal, gaspe])),
        ):
            export = world.range()
            export.header['list'] = message
            self.assert_fault(code, place, export)

    def test_a_log_that_a_chain_export_leaves_out(self):
        world = self.world
        with_more = sample.list_of_logs(world.montreal, [*world.logs, sample.Log('sept-iles')])
        for export, is_wrong in ((world.chain(), True), (world.range(), False), (world.none(), False)):
            export.header['list'] = with_more
            if is_wrong:
                self.assert_fault('list-log', 'sept-iles', export)
            else:
                self.assert_verified(export)
        export = world.chain()
        export.header['list'] = None
        self.assert_fault('list', 'file', export)


class LinesTest(VerifierCase):
    def changed(self, export, position, change):
        line = export.lines[position]
        change(line)
        return export

    def test_an_entry_a_salt_or_a_leaf_that_was_changed(self):
        other = self.world.montreal.line(8)
        for change in (
            lambda line: line['entry']['access'].update(purpose='HRESCH'),
            lambda line: line['entry'].update(index='8'),
            lambda line: line['entry'].update(log='quebec'),
            lambda line: line['entry']['access']['who'].update(name='Dr Nobody'),
            lambda line: line.update(salt=other['salt']),
            lambda line: line.update(leaf=other['leaf']),
            lambda line: line.update(leaf='B' + line['leaf'][1:]),
        ):
            self.assert_fault('leaf', 'montreal/7', self.changed(self.world.range(), 7, change))

    def test_a_changed_entry_of_an_export_with_proofs_is_told_by_the_index_it_claims(self):
        export = self.world.none()
        self.assert_fault('leaf', 'montreal/44', self.changed(export, export.at(44), lambda line: line['entry']['access'].update(purpose='X')))
        export = self.world.none()
        self.assert_fault('leaf', 'line 4', self.changed(export, export.at(44), lambda line: line['entry'].update(index='x')))

    def test_the_first_line_of_a_later_log_has_its_place_too(self):
        export = self.world.range()
        self.changed(export, export.at(0, 'quebec'), lambda line: line['entry']['access'].update(purpose='X'))
        self.assert_fault('leaf', 'quebec/0', export)

    def test_lines_of_another_log(self):
        export = self.world.range()
        export.lines.insert(7, self.world.quebec.line(1))
        self.assert_fault('log', 'quebec/1', export)
        export = self.world.range()
        export.lines.append(self.world.montreal.line(7))
        self.assert_fault('log', 'montreal/7', export)
        stranger = sample.Log('stranger')
        stranger.append(sample.access())
        export = self.world.range()
        export.lines.append(stranger.line(0))
        self.assert_fault('log', 'stranger/0', export)
        export = self.world.none()
        export.lines.insert(1, self.world.quebec.line(1, True))
        self.assert_fault('log', 'montreal/19', export)

    def test_an_index_that_is_missing_doubled_or_moved(self):
        def without(position):
            export = self.world.range()
            del export.lines[position]
            return export

        self.assert_fault('index-missing', 'montreal/7', without(7))
        self.assert_fault('index-missing', 'montreal/0', without(0))
        self.assert_fault('index-missing', 'montreal/255', without(255))
        export = self.world.range()
        export.lines.insert(7, export.lines[7])
        self.assert_fault('index-duplicate', 'montreal/7', export)
        export = self.world.range()
        export.lines[7], export.lines[8] = export.lines[8], export.lines[7]
        self.assert_fault('index-order', 'montreal/7', export)
        export = self.world.range()
        export.lines.insert(7, export.lines[3])
        self.assert_fault('index-order', 'montreal/3', export)
        export = self.world.none()
        export.lines.insert(1, export.lines[0])
        self.assert_fault('index-duplicate', 'montreal/3', export)
        export = self.world.none()
        export.lines[0], export.lines[1] = export.lines[1], export.lines[0]
        self.assert_fault('index-order', 'montreal/3', export)

    def test_an_index_outside_of_the_range_or_of_the_log(self):
        montreal = self.world.montreal
        export = self.world.part()
        export.lines.append(montreal.line(595, True))
        self.assert_fault('index-outside', 'montreal/595', export)
        export = self.world.part()
        export.lines.insert(0, montreal.line(3))
        self.assert_fault('index-outside', 'montreal/3', export)
        export = sample.export([montreal], 'none', chosen={'montreal': [3, 595]})
        export.header['logs'][0].update(size='595', end='595')
        self.assert_fault('index-outside', 'montreal/595', export)
        export = self.world.range()
        export.lines.append({'index': '0', 'leaf': export.lines[0]['leaf'], 'log': 'gaspe', 'redacted': '1'})
        self.assert_fault('index-outside', 'gaspe/0', export)

    def test_a_file_cut_short(self):
        export = self.world.range()
        del export.lines[-1]
        self.assert_fault('truncated', 'quebec/5', export)
        del export.lines[export.at(7, 'montreal') :]
        self.assert_fault('truncated', 'montreal/7', export)
        export = self.world.range()
        del export.lines[export.at(599, 'montreal')]
        self.assert_fault('truncated', 'montreal/599', export)

    def test_a_wrong_leaf_of_a_redacted_line_is_found_by_its_block_and_without_one_by_the_root(self):
        export = self.world.range()
        export.lines[19]['leaf'] = export.lines[18]['leaf']
        self.assert_fault('block', 'montreal/0-255', export)
        del export.lines[256]
        self.assert_fault('root', 'montreal', export)

    def test_wrong_subtrees_before_and_after_a_part(self):
        for name in ('before', 'after'):
            export = self.world.part()
            hashes = export.header['logs'][0][name]
            hashes[0], hashes[1] = hashes[1], hashes[0]
            self.assert_fault('root', 'montreal', export)

    def test_paths_that_are_too_short_too_long_or_wrong(self):
        for change in (
            lambda line: line['proof'].pop(),
            lambda line: line['proof'].append('A' * 43),
            lambda line: line['proof'].__setitem__(0, 'A' * 43),
            lambda line: line.update(proof=[]),
        ):
            export = self.world.none()
            self.assert_fault('inclusion', 'montreal/44', self.changed(export, export.at(44), change))
        export = self.world.part()
        self.assert_fault('inclusion', 'montreal/590', self.changed(export, -1, lambda line: line['proof'].pop()))


class EntriesTest(VerifierCase):
    """Entries that the log itself committed to, and should not have."""

    def log_of(self, *changes):
        log = sample.Log('small')
        for number in range(4):
            log.append(sample.access())
        for change in changes:
            entry = copy.deepcopy(log.entries[3])
            entry.update(index=str(log.size), chains={'organisation': {'count': str(log.size + 1), 'previous': str(log.size - 1)},
                                                      'patient': {'count': str(log.size + 1), 'previous': str(log.size - 1)}})
            change(entry)
            log.put(entry)
        return log

    def test_entries_that_are_not_of_the_form(self):
        for change in (
            lambda entry: entry.pop('v'),
            lambda entry: entry.update(v=2),
            lambda entry: entry.update(v=True),
            lambda entry: entry.update(more=1),
            lambda entry: entry.update(time='2026-11-22 09:06:00.123Z'),
            lambda entry: entry.update(time='2026-13-22T09:06:00.123Z'),
            lambda entry: entry.update(access=[]),
            lambda entry: entry['access'].update(patient=1),
            lambda entry: entry['access'].update(patient=None),
            lambda entry: entry['access']['who'].update(organisation=None),
            lambda entry: entry['access'].pop('who'),
            lambda entry: entry['chains'].update(patient=None),
            lambda entry: entry['chains'].pop('patient'),
            lambda entry: entry['chains']['patient'].update(count='0'),
            lambda entry: entry['chains']['patient'].update(count=5),
            lambda entry: entry['chains']['patient'].update(count='1'),
            lambda entry: entry['chains']['patient'].update(previous=None),
            lambda entry: entry['chains']['patient'].update(previous='4'),
            lambda entry: entry['chains']['patient'].update(previous='03'),
        ):
            log = self.log_of(change)
            self.assert_fault('entry', 'small/4', sample.export([log]))
            self.assert_fault('entry', 'small/4', sample.export([log], 'none', chosen={'small': [4]}))

    def test_an_entry_without_a_log_or_an_index(self):
        for change in (lambda entry: entry.pop('log'), lambda entry: entry.update(index='04'), lambda entry: entry.update(index=4)):
            log = self.log_of(change)
            self.assert_fault('entry', 'small/4', sample.export([log]))

    def test_a_time_that_goes_back(self):
        log = self.log_of(lambda entry: entry.update(time='2026-11-22T09:00:02.123Z'))
        self.assert_fault('time', 'small/4', sample.export([log]))

    def test_an_entry_whose_committed_text_was_not_canonical(self):
        log = self.log_of(lambda entry: None)
        text = sample.jcs(log.entries[4]).replace('"v":1', '"v":1.0')
        log.leaves[4] = b'\1' + sample.hmac.new(log.salts[4], text.encode(), 'sha256').digest()
        export = sample.export([log])
        export.lines[4] = sample.jcs(export.lines[4]).replace('"v":1', '"v":1.0')
        self.assert_fault('leaf', 'small/4', export)

    def test_a_note_whose_committed_text_was_not_canonical(self):
        due = '"note":{"a":"1","b":"2"}'
        for note, code in (
            (due, None),
            ('"note":{"b":"2","a":"1"}', 'leaf'),
            ('"note":{"a":"1", "b":"2"}', 'leaf'),
            ('"note":{"a":"1","b":"\\u0032"}', 'leaf'),
            ('"note":{"a":"1","a":"2"}', 'format'),
        ):
            log = self.log_of(lambda entry: entry['access'].update(note={'a': '1', 'b': '2'}))
            text = sample.jcs(log.entries[4]).replace(due, note)
            log.leaves[4] = b'\1' + sample.hmac.new(log.salts[4], text.encode(), 'sha256').digest()
            export = sample.export([log])
            export.lines[4] = sample.jcs(export.lines[4]).replace(due, note)
            if code is None:
                self.assert_verified(export)
            else:
                self.assert_fault(code, 'small/4', export)

    def test_a_redaction_without_a_note_redacts_nothing(self):
        log = self.log_of(lambda entry: entry['access'].update(action='redaction', phase='intent', note=None))
        self.assert_verified(sample.export([log]))


class RedactionsTest(VerifierCase):
    def test_a_redacted_line_whose_redaction_is_not_there_is_none_or_is_another(self):
        for named, code in (('501', 'redaction-missing'), ('590', 'redaction-other'), ('700', 'redaction-missing'), ('3', 'redaction-missing')):
            export = self.world.range()
            export.lines[export.at(19)]['redacted'] = named
            self.assert_fault(code, 'montreal/19', export)
        export = self.world.part()
        del export.lines[-1]
        self.assert_fault('redaction-missing', 'montreal/300', export)
        export = self.world.none()
        del export.lines[export.at(500)]
        self.assert_fault('redaction-missing', 'montreal/19', export)

    def test_an_open_entry_hidden_behind_a_redaction_of_another(self):
        export = self.world.range()
        position = export.at(44)
        export.lines[position] = {'index': '44', 'leaf': export.lines[position]['leaf'], 'log': 'montreal', 'redacted': '500'}
        self.assert_fault('redaction-other', 'montreal/44', export)

    def log_with(self, redact):
        log = sample.Log('small')
        for number in range(6):
            log.append(sample.access(f'pat-{number % 2}'))
        redact(log)
        return log

    def test_two_redaction_entries_of_one_index(self):
        def twice(log):
            log.redact(2)
            log.redacted[2] = log.append(copy.deepcopy(log.entries[6]['access'])) - 1

        self.assert_fault('redaction-duplicate', 'small/7', sample.export([self.log_with(twice)]))

    def test_the_lowest_index_is_told_first(self):
        def more(log):
            log.redact(2)
            log.redact(3)

        export = sample.export([self.log_with(more)])
        export.lines[export.at(2)]['redacted'], export.lines[export.at(3)]['redacted'] = '7', '6'
        self.assert_fault('redaction-other', 'small/2', export)

    def test_entries_that_only_look_like_redactions(self):
        places = {'redacts-organisation': '3@1', 'redacts-patient': '2@0'}
        for note in (
            {'redacts': '2', 'redacts-organisation': '3@1'},
            {'redacts': '9', **places},
            {'redacts': '02', **places},
            {'redacts': '2', **places, 'redacts-patient': '2@2'},
            {'redacts': '2', **places, 'redacts-patient': '1@0'},
            {'redacts': '2', **places, 'redacts-patient': 'x'},
            {'redacts': '2', **places, 'redacts-log': 'other'},
        ):
            log = self.log_with(lambda log: log.redact(2, note=note))
            self.assert_fault('redaction-missing', 'small/2', sample.export([log]))
        for more in ({}, {'redacts-log': 'small'}):
            log = self.log_with(lambda log: log.redact(2, note={'redacts': '2', **places, **more}))
            self.assert_verified(sample.export([log]))
        for change in ({'phase': 'outcome'}, {'action': 'read'}, {'decision': {'detail': None, 'outcome': 'deny', 'reason': 'x'}}):
            def redact(log):
                what = sample.access(None, 'org-office', **{'action': 'redaction', 'phase': 'intent', 'note': {'redacts': '2', **places}, **change})
                log.redacted[2] = log.append(what)

            self.assert_fault('redaction-missing', 'small/2', sample.export([self.log_with(redact)]))


class ChainsTest(VerifierCase):
    def test_an_entry_left_out_of_a_chain(self):
        export = self.world.chain()
        positions = [at for at, line in enumerate(export.lines) if 'entry' in line]
        following = export.lines[positions[4]]['entry']['index']
        del export.lines[positions[3]]
        self.assert_fault('chain-gap', f'montreal/{following}', export)

    def test_the_last_entry_left_out_of_a_chain(self):
        export = self.world.chain()
        last = self.world.montreal.chain('patient', 'pat-1')[-1]
        del export.lines[export.at(last, 'montreal')]
        self.assert_fault('chain-head', 'montreal', export)

    def test_a_head_that_names_another_last_entry(self):
        export = self.world.chain()
        chain = self.world.montreal.chain('patient', 'pat-1')
        export.header['logs'][0]['heads'][0] = self.world.montreal.head('patient', 'pat-1', last=chain[-2])
        self.assert_fault('chain-head', 'montreal', export)

    def test_a_chain_said_to_be_empty(self):
        export = self.world.chain()
        export.lines = [line for line in export.lines if line.get('entry', line)['log'] != 'montreal']
        self.assert_fault('chain-head', 'montreal', export)

    def test_an_entry_of_another_patient(self):
        export = self.world.chain('patient', 'pat-1')
        export.lines.insert(0, self.world.montreal.line(0, True))
        self.assert_fault('chain-key', 'montreal/0', export)

    def test_a_chain_whose_places_go_back(self):
        log = sample.Log('small')
        for _ in range(4):
            log.append(sample.access())
        entry = copy.deepcopy(log.entries[3])
        entry.update(index='4')
        entry['chains']['patient'] = {'count': '3', 'previous': '3'}
        log.put(entry)
        log._chains['patient']['pat-1'].append(4)
        self.assert_fault('chain-order', 'small/4', sample.export([log], 'patient-chain', filters={'patient': 'pat-1'}))

    def test_a_redacted_entry_left_out_of_a_chain(self):
        export = self.world.chain()
        del export.lines[export.at(19)]
        following = next(index for index in self.world.montreal.chain('patient', 'pat-1') if index > 19)
        self.assert_fault('chain-gap', f'montreal/{following}', export)

    def test_a_redacted_entry_of_another_chain_put_into_one(self):
        # It is no entry of pat-2; the head would have to lie too.
        world = self.world
        export = world.chain('patient', 'pat-2')
        chain = world.montreal.chain('patient', 'pat-2')
        self.assertNotIn(19, chain)
        export.lines.insert(next(at for at, line in enumerate(export.lines) if int(line['entry']['index']) > 19), world.montreal.line(19, True))
        following = next(index for index in chain if index > 19)
        self.assert_fault('chain-order', f'montreal/{following}', export)

    def test_a_redaction_entry_that_tells_another_place_than_the_redacted_one_has(self):
        for patient, code in (('3@0', 'chain-gap'), ('1@-', 'chain-order'), ('-', 'chain-key')):
            log = sample.Log('small')
            for _ in range(5):
                log.append(sample.access())
            log.redact(1, note={'redacts': '1', 'redacts-organisation': '2@0', 'redacts-patient': patient})
            self.assert_fault(code, 'small/1', sample.export([log], 'patient-chain', filters={'patient': 'pat-1'}))

    def test_a_redacted_line_of_the_only_chain_names_none(self):
        export = self.world.chain()
        export.lines[export.at(19)]['chain'] = 'pat-1'
        self.assert_fault('format', f'line {export.at(19) + 2}', export)


class UnionTest(VerifierCase):
    """Chains of one person under two ids: pat-1, of whom 19 is redacted, and pat-2."""

    def union(self, *others):
        return sample.export(self.world.logs, 'patient-chain', filters={'patient': 'pat-1'}, others=others or ('pat-2',))

    def test_each_is_complete_in_every_log(self):
        self.assert_verified(self.union())
        self.assert_verified(self.union('pat-2', 'pat-unknown'))

    def test_an_entry_of_either_left_out(self):
        for key in ('pat-1', 'pat-2'):
            chain = self.world.montreal.chain('patient', key)
            for left_out, code, place in ((chain[3], 'chain-gap', f'montreal/{chain[4]}'), (chain[-1], 'chain-head', 'montreal')):
                export = self.union()
                del export.lines[export.at(left_out, 'montreal')]
                self.assert_fault(code, place, export)

    def test_heads_that_are_not_those_of_the_keys(self):
        for code, change in (
            ('chain-key', lambda header: header['logs'][0]['heads'].reverse()),
            ('chain-key', lambda header: header['chains'].reverse()),
            ('header', lambda header: header['logs'][0]['heads'].pop()),
            ('header', lambda header: header['chains'].append('pat-3')),
        ):
            export = self.union()
            change(export.header)
            self.assert_fault(code, 'montreal', export)

    def test_keys_that_are_not_those_asked_for(self):
        for chains in (['pat-2', 'pat-3'], ['pat-1', 'pat-1'], [], ['pat-1', 2]):
            export = self.union()
            export.header['chains'] = chains
            self.assert_fault('format', 'line 1', export)
        export = self.union()
        export.header.update(completeness='organisation-chain', filters={'organisation': 'pat-1'})
        self.assert_fault('format', 'line 1', export)

    def test_an_entry_of_somebody_else(self):
        export = self.union()
        stranger = self.world.montreal.chain('patient', 'pat-0')[0]
        after = next(at for at, line in enumerate(export.lines) if int(line.get('entry', line)['index']) > stranger)
        export.lines.insert(after, self.world.montreal.line(stranger, True))
        self.assert_fault('chain-key', f'montreal/{stranger}', export)

    def test_a_redacted_line_of_another_chain_than_its_own(self):
        following = next(index for index in self.world.montreal.chain('patient', 'pat-2') if index > 19)
        for chain, code, place in (('pat-2', 'chain-order', f'montreal/{following}'), ('pat-9', 'chain-key', 'montreal/19')):
            export = self.union()
            export.lines[export.at(19)]['chain'] = chain
            self.assert_fault(code, place, export)

    def test_a_redacted_line_that_does_not_name_its_chain(self):
        for change in (lambda line: line.pop('chain'), lambda line: line.update(chain=None)):
            export = self.union()
            change(export.lines[export.at(19)])
            self.assert_fault('format', f'line {export.at(19) + 2}', export)


if __name__ == '__main__':
    unittest.main()
