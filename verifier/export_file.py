"""An NDJSON export: its lines against what its header promises (docs/audit-log.md §4, and §5 step 4).

One line is held at a time. What grows with the file is only the redactions that are still to be explained, and the indices
that redaction entries name.
"""

from chains import Chains, check_heads, misplaced
from fault import Fault, cut
from header import Header
from line import Block, Gap, read_line
from part import Part
from pruning import Prunings, pruning_of
from text_file import TextFile
from tlog import TILE_WIDTH, cover, inclusion_root, leaf_hash


def verify_export(path, policy, knowns, rows=None):
    """Returns the lines to print. `rows` is the CSV export to compare, or None."""
    with TextFile(path) as lines:
        first = lines.next()
        if first is None:
            raise Fault('format', 'file', 'the file is empty')
        header = Header(first, lines.number)
        header.check_logs(policy, knowns)
        header.check_list()
        walk = Walk(lines, header, rows)
        walk.run()
    if rows is not None:
        rows.finish()
    return walk.report


class Walk:
    def __init__(self, lines, header, rows):
        self.lines = lines
        self.header = header
        self.rows = rows
        self.is_range = header.completeness == 'range'
        self.chains = Chains(header)
        self.position = 0
        self.part = Part(header.logs[0], self.is_range, self.chains.keys)
        self.report = []
        self.prunings = Prunings()

    def run(self):
        while True:
            try:
                raw = self.lines.next()
                if raw is None:
                    break
                line = read_line(raw)
            except Fault as fault:
                fault.place = fault.place or self._expected_place() or self._line_place()
                raise
            if type(line) is Block:
                self._take_block(line)
            elif type(line) is Gap:
                self._take_gap(line)
            else:
                self._take(line)
        while self.part is not None:
            self._end_part()
        self.prunings.check()

    def _take(self, line):
        if not self.is_range and line.proof is None:
            raise Fault('format', self._line_place(), 'a line of this export has its own proof, this one has none')
        if line.redacted is not None:
            self._check_chain_named(line)
        if not line.opens:
            raise Fault('leaf', self._place_of(line), 'entry and salt do not give the leaf: one of the three was changed')
        if line.log is None or line.index is None:
            raise Fault('entry', self._place_of(line), line.problem)
        if line.log != self.part.log:
            self._change_part(line.log, line.index)
        part = self.part
        pruning = pruning_of(line)
        if self.is_range:
            self._check_index_of_range(part, line, pruning)
        else:
            self._check_index(part, line, pruning)
        if line.problem is not None:
            raise Fault('entry', part.place(line.index), line.problem)
        if line.is_open:
            if line.time < part.time:
                raise Fault('time', part.place(line.index), f'the time {line.time} is earlier than {part.time}, that of the entry before')
            part.time = line.time
        chain = None if self.chains.kind is None else self.chains.of(part, line, pruning is not None)
        if line.proof is not None:
            self._check_inclusion(part, line)
        if pruning is not None:
            self.prunings.note_entry(line, pruning)
        self._accept(part, line, chain)

    def _accept(self, part, line, chain):
        index = line.index
        part.previous = index
        if self.is_range and line.proof is None:
            part.tree.add(leaf_hash(line.leaf))
            part.expected = index + 1
            start = part.expected - TILE_WIDTH
            part.block = (start, part.expected) if not part.expected % TILE_WIDTH and start >= part.stated.first else None
        if line.redacted is not None:
            part.redacted += 1
            place = None if chain is None else (chain.count + 1, chain.last)
            part.pending.setdefault(line.redacted, []).append((index, place))
        elif line.pruned is not None:
            part.pruned += 1
            self.prunings.note_pruned(part.log, index, line.pruned, part.time)
        else:
            part.open += 1
            if line.redaction is not None:
                self._note_redaction(part, line)
            if part.pending and index in part.pending:
                self._explain(part, line)
            if self.rows is not None:
                self.rows.take(line)
        if chain is not None:
            chain.add(index)

    def _change_part(self, log, index):
        """A line of a later log of the header begins the part of that log."""
        logs = self.header.logs
        position = next((at for at, stated in enumerate(logs) if stated.log == log), None)
        if position is None:
            raise Fault('log', f'{cut(log)}/{index}', 'the header does not name this log')
        if position < self.position:
            raise Fault('log', f'{log}/{index}', f'an entry of {log} stands in the part of {self.part.log}')
        if not self.part.is_complete() and self._peek().log == self.part.log:
            raise Fault('log', f'{log}/{index}', f'an entry of {log} stands in the part of {self.part.log}')
        while self.position < position:
            self._end_part()

    def _check_index_of_range(self, part, line, pruning):
        index, stated = line.index, part.stated
        if pruning is not None and line.proof is not None and index < stated.first == part.expected:
            self._check_ascending(part, index)
            return
        if index == part.expected < stated.end:
            if line.proof is not None:
                raise Fault('format', part.place(index), 'the entries of the range have no proof of their own')
            return
        if not part.has_all_indices():
            after = self._peek()
            if after.log == line.log and after.index is not None and after.index < index:
                raise Fault('index-order', part.place(after.index), f'this index stands after {index}')
            if index > part.expected:
                raise Fault('index-missing', part.place(part.expected), f'this index is neither open nor redacted nor pruned; after it comes {index}')
        if index < stated.first:
            raise self._outside(part, index)
        self._check_ascending(part, index)
        if line.proof is None or (index not in part.pending and pruning is None):
            raise self._outside(part, index)

    def _check_index(self, part, line, pruning):
        self._check_ascending(part, line.index)
        # A redaction or pruning entry may be younger than the export, not than the checkpoint.
        if line.index >= part.stated.size and line.index not in part.pending and pruning is None:
            raise Fault('index-outside', part.place(line.index), f'the log had {part.stated.size} entries when the export began')

    def _check_ascending(self, part, index):
        if part.previous is not None and index <= part.previous:
            if index == part.previous:
                raise Fault('index-duplicate', part.place(index), 'this index comes twice')
            raise Fault('index-order', part.place(index), f'this index stands after {part.previous}')

    def _outside(self, part, index):
        stated = part.stated
        return Fault(
            'index-outside',
            part.place(index),
            f'not of the range from {stated.first} up to {stated.end}, and, with a proof, neither a redaction entry that a line of it names nor a pruning entry',
        )

    def _check_chain_named(self, line):
        if not self.chains.is_named_as_due(line):
            place = self._expected_place() or self._line_place()
            raise Fault('format', place, 'a redacted line, or a gap, says of which chain it is where the export is of several, and only there')

    def _take_gap(self, gap):
        """The members that went count, as if they stood here."""
        if self.chains.kind is None:
            raise Fault('format', self._expected_place() or self._line_place(), 'only an export of a chain has gaps of it')
        self._check_chain_named(gap)
        if gap.log != self.part.log:
            self._change_part(gap.log, gap.last)
        part = self.part
        self._check_ascending(part, gap.last)
        part.pruned += self.chains.pass_gap(part, gap)
        part.previous = gap.last
        self.prunings.note_pruned(part.log, gap.last, gap.pruned, part.time)

    def _check_inclusion(self, part, line):
        checkpoint = part.stated.checkpoint
        root = None if checkpoint is None else inclusion_root(leaf_hash(line.leaf), line.index, checkpoint.size, line.proof)
        if root is None:
            raise Fault('inclusion', part.place(line.index), 'the path is too short or too long for a tree of this size')
        if root != checkpoint.root:
            raise Fault('inclusion', part.place(line.index), 'the path does not lead from the leaf to the root of the checkpoint')

    def _note_redaction(self, part, line):
        redacted = line.redaction.index
        if redacted in part.redacts:
            part.tell_later(line.index, Fault('redaction-duplicate', part.place(line.index), f'another redaction entry before it also redacts {redacted}'))
        part.redacts.add(redacted)

    def _explain(self, part, line):
        """The entry that lines before it named as their redaction."""
        for index, place in part.pending.pop(line.index):
            fault = self._explanation_problem(part, line, index, place)
            if fault is not None:
                part.tell_later(index, fault)

    def _explanation_problem(self, part, line, index, place):
        redaction = line.redaction
        if redaction is None:
            return Fault('redaction-missing', part.place(index), f'redacted, but the entry at {line.index} that it names is no redaction entry')
        if redaction.index != index:
            return Fault('redaction-other', part.place(index), f'the redaction entry at {line.index} that it names redacts {redaction.index}')
        if self.chains.kind is None:
            return None
        repeated = redaction.places[self.chains.kind]
        if repeated is None:
            return Fault('chain-key', part.place(index), 'the redacted entry was in no such chain, as its redaction entry says')
        count, previous = place
        return misplaced(part, index, repeated, count, previous)

    def _take_block(self, block):
        part = self.part
        if block.log != part.log:
            raise Fault('log', self._line_place(), f'a block of {cut(block.log)} stands in the part of {part.log}')
        bounds = (block.start, block.end)
        if self.is_range and bounds == part.block:
            part.block = None
            if block.hash != part.tree.block:
                raise Fault('block', f'{part.log}/{block.start}-{block.end - 1}', 'the leaves of this block do not give its hash')
            return
        if self.is_range and block.start <= part.expected < block.end <= part.stated.end:
            after = self._peek()
            if after.log != part.log or after.index != part.expected:
                raise Fault('index-missing', part.place(part.expected), 'this index is neither open nor redacted; after it comes the end of its block')
        raise Fault('format', self._expected_place() or self._line_place(), 'a block stands here that does not end here')

    def _end_part(self):
        part = self.part
        stated = part.stated
        if not part.has_all_indices():
            raise Fault('truncated', part.place(part.expected), f'the lines of {part.log} end here; they should go on to {stated.end - 1}')
        if self.is_range and stated.checkpoint is not None:
            for subtree, level in zip(stated.after, cover(stated.end, stated.checkpoint.size)):
                part.tree.add(subtree, level)
            if part.tree.root() != stated.checkpoint.root:
                raise Fault('root', part.log, 'the leaves do not give the root that the log signed: a leaf, or a hash of before or after, was changed')
        check_heads(part)
        for index in (index for lines in part.pending.values() for index, _ in lines):
            part.tell_later(index, Fault('redaction-missing', part.place(index), 'redacted, but the redaction entry that it names is not in the file'))
        if part.problem is not None:
            raise part.problem[1]
        self.report.append(self._words(part))
        self.position += 1
        logs = self.header.logs
        self.part = Part(logs[self.position], self.is_range, self.chains.keys) if self.position < len(logs) else None

    def _words(self, part):
        stated = part.stated
        searched = 'no entries' if stated.size == 0 else f'entries {stated.first} up to {stated.end} of {stated.size}'
        current = '' if stated.is_current else ' (the log may have had more: it says "current":false)'
        size = 'no checkpoint' if stated.checkpoint is None else f'checkpoint of {stated.checkpoint.size}'
        pruned = f', {part.pruned} pruned' if part.pruned else ''
        return f'{part.log}: {searched}{current}, {part.open} open, {part.redacted} redacted{pruned}; {size}; {stated.signatures}'

    def _expected_place(self):
        """In a range export: where a line without proof stands, whatever it claims."""
        if not self.is_range or self.part is None:
            return None
        if not self.part.has_all_indices():
            return self.part.place(self.part.expected)
        if self.part.pending:
            return None
        for stated in self.header.logs[self.position + 1 :]:
            if stated.first < stated.end:
                return f'{stated.log}/{stated.first}'
        return None

    def _line_place(self):
        return f'line {self.lines.number}'

    def _place_of(self, line):
        place = self._expected_place() if line.proof is None else None
        if place is None and line.log is not None and line.index is not None:
            place = f'{cut(line.log)}/{line.index}'
        return place or self._line_place()

    def _peek(self):
        """Log and index of the line after: None where it has none. Nothing is read after it."""
        try:
            raw = self.lines.next()
            line = None if raw is None else read_line(raw)
        except Fault:
            line = None
        return _NOTHING if line is None or type(line) is Block else line


class _Nothing:
    log = None
    index = None


_NOTHING = _Nothing()
