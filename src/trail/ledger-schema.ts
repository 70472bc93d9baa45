/**
 * The audit database as its migrations make it: every table, index and trigger, by the SHA-256 of its SQL. Who can write
 * there can also drop a trigger, change what it protects and make it again; here it is noticed that it was gone, or is not
 * the same. A test makes this list from `drizzle/audit/` and says so when it differs.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import type { Row, Rows, Statement } from '../store/ports.ts'

/** `<type> <name>` → SHA-256 of the SQL, hexadecimal. */
export const ledgerSchema: Readonly<Record<string, string>> = {
  'index ledger_body_action': '1d3e52c0c2f8e1cc5d3db77aca532896c30b61629d9395f946b88d75c33d4bd5',
  'index ledger_body_break_glass': '5a8b35b47149c3afa52dcb5ebc024d4c358cf8028ddc87eacc266cec6587ff87',
  'index ledger_body_facility': '30c6dc78718abf51d8d11f7e613fc6613249b91e79a39a71e3963247670ead70',
  'index ledger_body_organisation': '19b8f0fe6a87e2499e172112f357a09f7f5fe0a4ae954297cdfdbe8f83d51d4d',
  'index ledger_body_patient': '29b05c6611bd2e1398644caa35bc2e79f24287dd45629480288c82cdef97d980',
  'index ledger_body_practitioner': '1e054ab25a409e6d094574cb0052ef891d5dfbe966629f80b1e089888366a565',
  'index ledger_body_prunes': 'd83c16d60831d8e4bb24541a9619a1061a6a77b842f8140efa9833a680f14f7e',
  'index ledger_body_reason': '39e6f699979d62362a5e9fc8b1e72e3e677979513c32e35800b6514f5bf9058f',
  'index ledger_body_redacts': '6687cab8eb5086ff8b1bc855056125e0b45414c52d39878ac8d753b8e01f7fb8',
  'index ledger_body_refused': '1498d74f4a512f08b785e8cd5f1e6c1adff53942ade3d0d7c35c5484c140e876',
  'index ledger_body_request': 'ec7acd547421da8070a767a054d284e7732c53e77f42f04c61305dbbcb665a7a',
  'index ledger_body_time': '85ed7cd1e0d5c1f22c26b2b0109fe6dd74a0ed60a6ac68e178b942ebba4fdae9',
  'table checkpoint': 'b11e7b918007cc5be1587e1cd65a5b1e70ef0176de3833c8f294ad673818bcac',
  'table cosignature': '907bed75348c17730361c4c78410c2466bfc3e9337fd047006a5a6b1db51b09b',
  'table ledger_body': 'ff2343d03ff8f8bed5707dab58a039dbb5574fcf300291a34fb7fbbf0474abb5',
  'table ledger_leaf': '0693363d5d7b3c2a472e05cba114e94bf66d162dabb0750670e4fb8be85fbdff',
  'table log': '61d0b88225390bcd868b4260bd1028ae5aebcd9b5ee55cfd8c515d1c7e44f6bc',
  'table log_retired': '1f0c96b8382d54b2bedfb37cd92666dd142d154d22b593ddd66b5ecb72509b09',
  'table tile': '96ee4274978d2ece355832a29e03db6637b8e0d2d972adef88d9427a33d8b6d8',
  'trigger checkpoint_frozen': '62a24eb8a3ec1a50032473ef09ef02a70658809434619bb18a91ce86b8fd4399',
  'trigger checkpoint_kept': '0f10afb464c4cd545845d89c06a2a5e7893ed5a0b47a072f44b0ea906aa21d2c',
  'trigger checkpoint_same': '7e5241813a55b2598ae824ca4098c7383405fc51e979c41a66803127eadead36',
  'trigger cosignature_frozen': '5cc8c9533c5015f0c0f18e0a03fbe899b0271a951686c0974da20551855485b3',
  'trigger cosignature_kept': '4c2d2a2c6e22466f5cf4891a034417742baa1a58e42841ac3708d2df268d6b29',
  'trigger cosignature_same': 'cc89b79a25a1047db27f05ff5adaaff71e089d350c6145f09bde40306a04a9bb',
  'trigger ledger_body_frozen': '95e2aaee10a3eb369398e8d779d79b7ea7cbb9683db83e26fa69001373979c4a',
  'trigger ledger_body_kept': 'a97850c46b41a8b92dca87a5d1797a736ae85fec7d90262adca374dc3fe8044f',
  'trigger ledger_body_redacted': '5dc88e6bfce300fbc59750b8b3e8212a9f969d019bb30c922d52ee930b53d512',
  'trigger ledger_body_same': 'eac5e8496b2f6838c39a966d3552eeaa71e7a50cc05b904124b1b6e8de42b466',
  'trigger ledger_leaf_dense': '3c15d77bda38716db0e2713ce433c19936a5a057c0fe7ea711995feb37e53443',
  'trigger ledger_leaf_frozen': '374c76e76ce1928adc7f6aed1c1556f59e711a072cb7e83555aa9943c4f1c271',
  'trigger ledger_leaf_kept': '284fe812339c29965632da5f58c5077c2d5e22455852b3994f920089e1610a95',
  'trigger ledger_leaf_same': '9078b61432d94d592f352c89e889fc74b0b217ca75d789edbddef5f962729f6f',
  'trigger log_frozen': '6bd7aa0751abd1072359be46f556adee107d5396edba43c0b52bd957f433a4f2',
  'trigger log_kept': '275b3af897e68537debff08f24716e368bd5f32781b2eb7e6c2eedbb398bd652',
  'trigger log_retired_frozen': '37d47edc2505e24acd67b16f2c6eb90b4d7016e6be3cf03b28c95220bbb356a6',
  'trigger log_retired_kept': '1c0214ddaccf94078d3fce1a8bee65ce605efbdfcabf8c8ae378decc1f1e62d2',
  'trigger log_retired_same': '9fdc575943db3f18da1d2e0feeef2f77c3486de6e9f3533f628fc7666d7767df',
  'trigger log_same': '4569c3059e21625636009a7a8bafc8ca3cf96a4bf236281ed2d7d5eba68b2bc8',
  'trigger tile_frozen': '0af4e769a5dfcc481670e9aff080b4f9e7b9fb21583fa669d6ebb3332f5e4b86',
  'trigger tile_kept': 'ab7d8b635f23979162611951f5c30b40d588f61210d175ccc5f6c899c40000f4',
  'trigger tile_same': 'd84cea5042e7c1653815db1e3609c8c2b4059f2de55ae1864b8d714933753b64',
}

/** Everything but what SQLite makes by itself for a key. */
export const schemaStatement: Statement = {
  sql: 'select type, name, tbl_name, sql from sqlite_schema where sql is not null order by type, name',
}

export interface SchemaDifference {
  readonly kind: 'schema-missing' | 'schema-changed' | 'schema-unexpected'
  /** `<type> <name>` */
  readonly object: string
}

/** @param rows of `schemaStatement` */
export function schemaDifferences(rows: Rows): SchemaDifference[] {
  const found = new Map(rows.map((row) => [objectOf(row), row]))
  const differences: SchemaDifference[] = []
  for (const [object, digest] of Object.entries(ledgerSchema)) {
    const row = found.get(object)
    if (!row) differences.push({ kind: 'schema-missing', object })
    else if (digestOf(row) !== digest) differences.push({ kind: 'schema-changed', object })
  }
  // Tables of others (the list of migrations) are none of ours; a trigger or an index on one of ours is. SQLite keeps the
  // name of a trigger's table as it was written.
  for (const [object, { tbl_name: table }] of found)
    if (!(object in ledgerSchema) && `table ${String(table).toLowerCase()}` in ledgerSchema)
      differences.push({ kind: 'schema-unexpected', object })
  return differences
}

export const objectOf = ({ type, name }: Row): string => `${type} ${name}`

export const digestOf = ({ sql }: Row): string => bytesToHex(sha256(utf8ToBytes(String(sql))))
