/**
 * SQL that tries to change, replace or remove what the audit database keeps. Of the entries each aims at index 1; `:leaf`,
 * `:salt` and `:entry` are other bytes than it holds. The public rows are those of `publicRows`.
 */

/** What a log has published: three hashes, three checkpoints, of which only the first may be thinned, two cosignatures. */
export const publicRows: readonly string[] = [
  "insert into log (log, origin, vkey, mldsa44_vkey) values ('qc-test', 'a.example/audit/logs/qc-test', 'k', 'm')",
  "insert into log_retired (log, successor) values ('qc-test', 'qc-next')",
  "insert into tile (log, level, idx, hashes) values ('qc-test', 0, 0, zeroblob(96))",
  `insert into checkpoint (log, size, time, note) values
     ('qc-test', 1, 1000, 'one'), ('qc-test', 2, 2000, 'two'), ('qc-test', 3, 9000000, 'three')`,
  "insert into cosignature (log, size, witness, line) values ('qc-test', 1, 'w', 'x'), ('qc-test', 3, 'w', 'x')",
]

/** Refused, and the whole transaction with them. */
export const bypasses: readonly string[] = [
  'update ledger_leaf set leaf = unhex(:leaf) where idx = 1',
  'update or replace ledger_leaf set leaf = unhex(:leaf) where idx = 1',
  'update or ignore ledger_leaf set leaf = unhex(:leaf) where idx = 1',
  'update ledger_leaf set idx = 7 where idx = 1',
  'update or replace ledger_leaf set idx = 1 where idx = 2',
  "update ledger_leaf set log = 'other' where idx = 1",
  'update ledger_leaf set leaf = other.leaf from (select unhex(:leaf) as leaf) as other where idx = 1',
  'delete from ledger_leaf where idx = 1',
  'delete from ledger_leaf where idx = 2 returning leaf',
  'delete from ledger_leaf',
  "insert into ledger_leaf (log, idx, leaf) values ('qc-test', 1, unhex(:leaf))",
  "insert or replace into ledger_leaf (log, idx, leaf) values ('qc-test', 1, unhex(:leaf))",
  "replace into ledger_leaf (log, idx, leaf) values ('qc-test', 1, unhex(:leaf))",
  "insert or ignore into ledger_leaf (log, idx, leaf) values ('qc-test', 1, unhex(:leaf))",
  `insert into ledger_leaf (log, idx, leaf) values ('qc-test', 1, unhex(:leaf))
     on conflict (log, idx) do update set leaf = excluded.leaf`,
  "insert into ledger_leaf (log, idx, leaf) values ('qc-test', 1, unhex(:leaf)) on conflict do nothing",
  "insert into ledger_leaf (log, idx, leaf) values ('qc-test', 9, unhex(:leaf))",
  "insert into ledger_leaf (log, idx, leaf) values ('qc-test', -1, unhex(:leaf))",

  'update ledger_body set entry = :entry where idx = 1',
  'update or replace ledger_body set salt = unhex(:salt) where idx = 1',
  'update or ignore ledger_body set salt = unhex(:salt) where idx = 1',
  'update ledger_body set salt = other.salt from (select unhex(:salt) as salt) as other where idx = 1',
  'update ledger_body set idx = 9 where idx = 1',
  'update or replace ledger_body set idx = 1 where idx = 2',
  'delete from ledger_body where idx = 1',
  'delete from ledger_body where idx = 1 returning entry',
  'delete from ledger_body',
  "insert into ledger_body (log, idx, salt, entry) values ('qc-test', 1, unhex(:salt), :entry)",
  "insert or replace into ledger_body (log, idx, salt, entry) values ('qc-test', 1, unhex(:salt), :entry)",
  "replace into ledger_body (log, idx, salt, entry) values ('qc-test', 1, unhex(:salt), :entry)",
  `insert into ledger_body (log, idx, salt, entry) values ('qc-test', 1, unhex(:salt), :entry)
     on conflict (log, idx) do update set entry = excluded.entry`,
  "insert or ignore into ledger_body (log, idx, salt, entry) values ('qc-test', 1, unhex(:salt), :entry)",
  "insert into ledger_body (log, idx, salt, entry) values ('qc-test', 9, unhex(:salt), :entry)",

  "update log set vkey = 'other'",
  "update or replace log set origin = 'other'",
  "update log set vkey = other.vkey from (select 'other' as vkey) as other",
  'delete from log',
  "insert into log (log, origin, vkey, mldsa44_vkey) values ('qc-test', 'a.example/audit/logs/qc-test', 'other', 'm')",
  "insert or replace into log (log, origin, vkey, mldsa44_vkey) values ('qc-test', 'other', 'k', 'm')",
  "replace into log (log, origin, vkey, mldsa44_vkey) values ('other', 'a.example/audit/logs/qc-test', 'k', 'm')",
  `insert into log (log, origin, vkey, mldsa44_vkey) values ('qc-test', 'a.example/audit/logs/qc-test', 'other', 'm')
     on conflict (log) do update set vkey = excluded.vkey`,
  `insert into log (log, origin, vkey, mldsa44_vkey) values ('other', 'a.example/audit/logs/qc-test', 'k', 'm')
     on conflict (origin) do update set log = excluded.log`,

  "update log_retired set successor = 'other'",
  "update or replace log_retired set log = 'other'",
  'delete from log_retired',
  "insert into log_retired (log, successor) values ('qc-test', 'other')",
  "replace into log_retired (log, successor) values ('qc-test', 'other')",
  `insert into log_retired (log, successor) values ('qc-test', 'other')
     on conflict (log) do update set successor = excluded.successor`,

  'update tile set hashes = randomblob(96)',
  'update or replace tile set hashes = randomblob(128)',
  'update or ignore tile set hashes = zeroblob(64)',
  'update tile set hashes = other.hashes from (select randomblob(96) as hashes) as other',
  'update tile set idx = 1',
  'update or replace tile set level = 1',
  "update tile set log = 'other'",
  'update tile set hashes = zeroblob(97)',
  'delete from tile',
  "insert into tile (log, level, idx, hashes) values ('qc-test', 0, 0, randomblob(128))",
  "insert into tile (log, level, idx, hashes) values ('qc-test', 0, 0, randomblob(64))",
  "insert or replace into tile (log, level, idx, hashes) values ('qc-test', 0, 0, randomblob(96))",
  "replace into tile (log, level, idx, hashes) values ('qc-test', 0, 0, randomblob(32))",
  `insert into tile (log, level, idx, hashes) values ('qc-test', 0, 0, randomblob(96))
     on conflict (log, level, idx) do update set hashes = excluded.hashes`,

  "update checkpoint set note = 'other' where size = 3",
  "update or replace checkpoint set note = 'other' where size = 3",
  'update checkpoint set time = 2000 where size = 3',
  'update or replace checkpoint set size = 3 where size = 1',
  'delete from checkpoint where size = 3',
  // The newest of its hour, though not of all.
  'delete from checkpoint where size = 2',
  'delete from checkpoint',
  "insert into checkpoint (log, size, time, note) values ('qc-test', 3, 9000000, 'other')",
  "insert or replace into checkpoint (log, size, time, note) values ('qc-test', 3, 9000000, 'other')",
  "replace into checkpoint (log, size, time, note) values ('qc-test', 2, 2000, 'other')",
  `insert into checkpoint (log, size, time, note) values ('qc-test', 3, 9000000, 'other')
     on conflict (log, size) do update set note = excluded.note`,

  "update cosignature set line = 'other'",
  "update or replace cosignature set witness = 'other'",
  'update cosignature set size = 2 where size = 3',
  'delete from cosignature where size = 1',
  'delete from cosignature',
  // No such checkpoint.
  "insert into cosignature (log, size, witness, line) values ('qc-test', 9, 'w', 'x')",
]

/** Taken without an error, and without effect: what is there stays. */
export const passedOver: readonly string[] = [
  "insert or replace into tile (log, level, idx, hashes) values ('qc-test', 0, 0, zeroblob(64))",
  "replace into tile (log, level, idx, hashes) values ('qc-test', 0, 0, zeroblob(96))",
  `insert into tile (log, level, idx, hashes) values ('qc-test', 0, 0, zeroblob(32))
     on conflict (log, level, idx) do update set hashes = excluded.hashes`,
  "insert into log_retired (log, successor) values ('qc-test', 'qc-next')",
  "replace into checkpoint (log, size, time, note) values ('qc-test', 3, 9000000, 'three')",
  "insert into cosignature (log, size, witness, line) values ('qc-test', 3, 'w', 'other')",
  "insert or replace into cosignature (log, size, witness, line) values ('qc-test', 3, 'w', 'other')",
  "replace into cosignature (log, size, witness, line) values ('qc-test', 3, 'w', 'other')",
  `insert into cosignature (log, size, witness, line) values ('qc-test', 3, 'w', 'other')
     on conflict (log, size, witness) do update set line = excluded.line`,
]

/** All that the tables of `publicRows` hold: one row, one text. */
export const publicContent = `
  select json_array(
    (select json_group_array(json_array(log, origin, vkey, mldsa44_vkey, predecessor)) from log),
    (select json_group_array(json_array(log, successor)) from log_retired),
    (select json_group_array(json_array(log, level, idx, hex(hashes))) from tile),
    (select json_group_array(json_array(log, size, time, note)) from checkpoint),
    (select json_group_array(json_array(log, size, witness, line)) from cosignature)) as content`
