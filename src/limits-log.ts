/** The bounds of the audit log itself: what it takes, keeps, signs and shows. A part of `limits.ts`. */
export const logLimits = {
  // --- entries -------------------------------------------------------------------------------------------------------
  /** References in one entry; more go into continuations. */
  maxEntryReferences: 500,
  /** One entry as canonical text: tlog-tiles entries are bounded by uint16, rows of a Durable Object by 2 MB. */
  maxEntryBytes: 64 * 1024,
  /** What the sequencer puts around the app's part of an entry: index, time, log name, two chain places (at most 330). */
  entryFrameBytes: 512,
  /** One claim, name, path or reference in an entry; longer ones are cut. */
  maxEntryTextBytes: 512,
  /** Members of an entry's `note`: the counts of one minute's failures by reason, and what is told beside them. */
  maxEntryNotes: 272,
  /** All of them together, as JSON; with every other text of an entry at its longest, two thirds of `maxEntryBytes`. */
  maxEntryNoteBytes: 28 * 1024,
  /** Patients one access may disclose; more is `too-costly` (streamed exports excepted). */
  maxAccessPatients: 100,
  /** Entries of one append call (one chunk of a streamed export, or a bundle about 100 patients with continuations). */
  maxAppendEntries: 256,
  /** The query text kept in an entry; the rest is represented by its SHA-256. */
  maxEntryQueryBytes: 2_048,

  // --- the sequencer -------------------------------------------------------------------------------------------------
  /** How long the sequencer remembers (request id, phase, part): longer than any client retry. */
  appendMemoryMs: 10 * 60_000,
  /** Entries waiting for one commit; past it an append is refused, so that a stalled disk cannot fill memory. */
  maxPendingAppends: 4_096,
  /**
   * Bytes of appends without an answer, the running commit's included. Room for one append of the largest size
   * (`maxAppendEntries` of `maxEntryBytes`); a commit holds each entry twice, in a Worker's memory of 128 MB.
   */
  maxPendingAppendBytes: 16 * 1024 * 1024,
  /** Entries held in the log's own storage while the audit database is away (about 3 GB); past it appends are refused. */
  maxUndrainedEntries: 5_000_000,
  /** Entries sent to the audit database in one batch. */
  maxDrainEntries: 256,
  /** The same in UTF-8 bytes: a batch travels as one JSON text, twice as long at most; sqld takes 5,000,000 bytes. */
  maxDrainBytes: 2 * 1024 * 1024,
  /** Batches that are not full start at most this often: each costs the audit database a transaction with an fsync. */
  drainEveryMs: 50,
  /** After a failed batch the audit database is left alone this long, doubled with each further failure … */
  minDrainBackoffMs: 250,
  /** … up to this. */
  maxDrainBackoffMs: 30_000,
  /** How soon a log looks again at what is not drained or counted yet, should no request come. */
  logAlarmMs: 5_000,
  /** A commit to the log's own storage that takes longer ends the object: a fresh one reads what is stored. */
  commitDeadlineMs: 10_000,
  /** Open intents told in one answer. */
  maxOpenIntents: 256,
  /** An intent without an outcome is settled from the primary after this long. */
  settleAfterMs: 60_000,
  /** Period of the schedule: well inside `settleAfterMs` and the fresh bound. */
  scheduleEveryMs: 5_000,

  // --- checkpoints, anchors, witnesses -------------------------------------------------------------------------------
  /** Checkpoints of a log that grows are this far apart: what an outsider learns of its growth (DESIGN §6). */
  publishEveryMs: 1_000,
  /** Leaves that one checkpoint adds: 256 tiles of 8 KiB, twice as long as hexadecimal in one bound text of sqld. */
  maxPublishEntries: 65_536,
  /** Asking somebody else how far a log had come, before it signs anything after a start. */
  anchorDeadlineMs: 3_000,
  /** A failed question is asked again after this. */
  anchorRetryMs: 500,
  /** So long after a start everybody is asked until he answers; then the log goes on without those who cannot be asked. */
  anchorPatienceMs: 15_000,
  /** How often the newest checkpoint goes into *records*, whose replicas remember it for the log. */
  anchorEveryMs: 30_000,
  /** One exchange with a witness; it persists before it answers. */
  witnessDeadlineMs: 5_000,
  /** Attempts to bring one checkpoint to one witness: it says which size it knows, and is sent the proof from there. */
  maxWitnessAttempts: 3,
  /** A witness that failed is left alone this long, doubled with each further failure … */
  minWitnessBackoffMs: 1_000,
  /** … up to this. */
  maxWitnessBackoffMs: 60_000,
  /** How long every checkpoint stays in the audit database, before only the newest of each hour does: whoever compares has seen it. */
  checkpointMemoryMs: 24 * 60 * 60_000,
  /** Checkpoints that one pruning takes away: more than 16 logs that publish each second make in an hour; 200 MB of rows. */
  maxPrunedCheckpoints: 60_000,
  /** Period of pruning write keys and checkpoints. */
  pruneEveryMs: 60 * 60_000,
  /** How long a write key is kept: longer than any region's local database may be away and still be settled. */
  writeKeyMemoryMs: 30 * 24 * 60 * 60_000,
  /** Heads of chains in one attestation: those of one file, of as many ids as a person may have. */
  maxAttestedChains: 64,

  // --- successions ---------------------------------------------------------------------------------------------------
  /** One step of a succession: closing waits twice for the audit database (`exportDrainWaitMs`). */
  successionDeadlineMs: 20_000,
  /** Successions of one log in a row: one a year is many; past it a circle is likelier. */
  maxSuccessions: 64,
  /** Entries salvaged in one append: one more names them, and its note holds no more (`maxEntryNotes`). */
  maxSalvagedEntries: 250,
  /** A one-time key that is never to be used again: the year 9999, the last that times of entries can tell. */
  foreverMs: 253_402_300_799_000,

  // --- failed authentications ----------------------------------------------------------------------------------------
  /** Failed authentications appended singly per address and minute; the rest are counted in one entry. */
  maxSingleFailuresPerMinute: 20,
  /** Addresses counted at once for failed authentications; past it all others share one counter. */
  maxFailureAddresses: 10_000,
  /** Failed authentications waiting to be appended singly; past it they are counted. */
  maxPendingFailures: 256,
  /** The same in bytes: about 4 KiB each. */
  maxPendingFailureBytes: 1024 * 1024,
  /** Of those, how many one commit takes, so that a flood never fills the commits of reads. */
  maxFailuresPerCommit: 32,
  /** Characters of the reason and the address that failures are counted by; longer ones count as their beginning. */
  maxFailureNameLength: 64,
  /** Distinct reasons told in one counted entry; the rest is one. A token can be refused for about 180. */
  maxFailureReasons: 256,

  // --- public files --------------------------------------------------------------------------------------------------
  /** Logs in the public list: each row is 2 KiB of keys. Logs that were succeeded stay in it. */
  maxListedLogs: 256,
  /** `Cache-Control` of the newest checkpoint and the list of logs: no longer than a log takes to publish anew. */
  publicCacheSeconds: 1,
  /** `Cache-Control` of tiles, which never change: a year (C2SP tlog-tiles). */
  tileCacheSeconds: 31_536_000,

  // --- a witness, and whoever asks one -------------------------------------------------------------------------------
  /** One request to a witness: 63 proof lines (3 KiB) and a checkpoint with a dozen ML-DSA-44 signatures (3.3 KB each). */
  maxWitnessRequestBytes: 64 * 1024,
  /** One answer of a witness: a handful of signature lines, or a size. */
  maxWitnessAnswerBytes: 64 * 1024,
  /** Characters of a witness's error told to the operator. */
  maxWitnessDetailLength: 200,
  /** How far a witness's clock may be ahead of the log's: a cosignature from further on would outlive its truth. */
  maxWitnessSkewSeconds: 300,
  /** Logs one witness watches: a province's record has one per region. */
  maxWitnessLogs: 1_000,
  /** Contradicting checkpoints kept of one log, the first ones: one is proof enough. */
  maxWitnessContradictions: 16,
  /** Receiving one request at a witness: 64 KiB over a poor line. */
  witnessRequestMs: 10_000,
  /** An idle connection to a witness: logs publish each second, and should not connect each time. */
  witnessKeepAliveMs: 30_000,
  /** Connections to a witness at once; a log needs one. */
  maxWitnessConnections: 256,
  /** Reading the list of logs that a witness is to take on trust. */
  logListDeadlineMs: 10_000,
  /** That list: two keys (44 and 1,752 characters) and some names for each log. */
  maxLogListBytes: 4 * 1024 * 1024,
} as const
