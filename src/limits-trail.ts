/** The bounds of what people do with the log: exports, searches, reviews, counts, retention. A part of `limits.ts`. */
export const trailLimits = {
  // --- exports -------------------------------------------------------------------------------------------------------
  /** Logs of one export: what its header, and the entry about it, can name. */
  maxExportLogs: 16,
  /** Checkpoints a requester can name for consistency proofs, and sizes to stop at: one for each log and a few older. */
  maxExportPositions: 64,
  /** Rows of one page of a streamed export: 1,000 rows keep a Worker's memory flat (5,000 did not). */
  exportPageRows: 1_000,
  /** One page of a streamed export: sparse filters make the ledger look at many entries. */
  exportPageDeadlineMs: 10_000,
  /**
   * Entries proved at once. Each may stand alone in its tile of 8 KiB, and that in one of the level above: 2 MiB of
   * tiles, which travel in base64, of the 10 MB that sqld sends.
   */
  exportProofRows: 128,
  /** Patients a streamed export remembers having logged (about 16 MB); past it some are logged again. */
  maxExportPatients: 200_000,
  /**
   * Characters of the cursor of an export, which travels in a header and in a query. Two logs and one id take 700; 16 logs and
   * 30 ids fit. One of more cannot be gone on with.
   */
  maxExportCursorLength: 6_000,
  /** Redacted members between two entries of a chain that are found in one answer (about 60 bytes each). */
  maxChainGap: 10_000,
  /** Redaction entries that an export still has to tell: 8 bytes each; an operator redacts a handful a year. */
  maxPendingRedactions: 100_000,
  /** An export waits this long for the cosignatures of its checkpoint: witnesses have it by then, and answer in milliseconds … */
  witnessWaitMs: 2_000,
  /** … and looks this often. */
  witnessPollMs: 50,
  /** Checkpoints looked at for one that enough witnesses cosigned: a quarter of a minute's. */
  maxCheckpointsTried: 16,

  // --- searches, and proofs of one entry -----------------------------------------------------------------------------
  /**
   * Entries looked at for one page of an AuditEvent search whose further filters no index answers: a page of sparse ones is
   * short or empty, with `next`. 500 entries of usual length are 1 MB.
   */
  trailScannedRows: 500,
  /** `Prefer: wait` of a proof that no checkpoint covers yet: logs publish each second. */
  maxProofWaitSeconds: 5,
  /** `Retry-After` of one: the same. */
  proofRetrySeconds: 1,

  // --- the monthly review --------------------------------------------------------------------------------------------
  /** Professionals counted at once by the review: a count walks each one's index entries of the month. */
  reviewProfessionalsPage: 200,
  /** Accesses the review reads at once, of several professionals or of one (about 300 bytes each; sqld sends 10 MB). */
  reviewPageEntries: 5_000,
  /** Accesses of one professional in a month that are looked at (15 MB); a busy one has 300. More is told as left out. */
  maxReviewEntries: 50_000,
  /** Professionals of one review whose volumes are kept (about 300 bytes each, with evidence); more is told as left out. */
  maxReviewProfessionals: 100_000,
  /** Patients asked about at once: each has a handful of source records with names and addresses. */
  reviewPatientsPerList: 200,
  /** Rows of one list of facts; more is told as left out. */
  maxReviewFacts: 20_000,
  /** Findings told one by one: an officer reads tens. The rest are counted, and thresholds are to be raised. */
  maxReviewFindings: 5_000,
  /** Entries named by one finding; the rest are counted. */
  maxFindingEntries: 20,
  /** Previous decisions told with one finding, the newest: a year's. */
  maxFindingDecisions: 12,
  /** A threshold of the review: past it a rule would find nobody. */
  maxReviewThreshold: 100_000,
  /** Family names or types of facility of one rule. */
  maxReviewList: 200,
  /** Within which an emergency is followed up: the longest wait that is still care of the same event. */
  maxFollowUpDays: 90,
  /** Records on the watch list: one list is one answer, and names each person in the log. */
  maxWatchedRecords: 100,
  /** A record is watched for so long at most; whoever still knows why says so again. */
  maxWatchDays: 366,

  // --- accounting and the yearly report ------------------------------------------------------------------------------
  /**
   * Entries of one page of a count: 350 bytes each, and never past the 10 MB that sqld sends, however long the names in
   * them are.
   */
  accountingPageRows: 2_000,
  /** Entries of which one statement makes the groups of a report: 100 ms of sqld's time, a few hundred rows. */
  reportWindowEntries: 20_000,
  /**
   * Lines of one count (professional, role and facility), 1 KB each. A large organisation has 20,000 professionals; past it
   * an accounting ends with an error, and a shorter period is to be asked for; a report tells what is further in one line.
   */
  maxCountedGroups: 30_000,
  /**
   * Pairs of a line and a patient that a count tells apart: 16 MB. Past it the numbers of distinct patients are not told;
   * those of accesses are.
   */
  maxCountedPairs: 1_500_000,
  /** Persons of whom a count remembers whether an organisation knows them (about 6 MB). */
  maxRememberedPersons: 50_000,
  /** Patients of one professional in the lines about each, 1 KB each; a laboratory's physician has thousands. */
  maxCountedPatients: 20_000,
  /** Characters of one piece of a file of counts, passed by at most one line. */
  countChunkLength: 64 * 1024,

  // --- the scrub -----------------------------------------------------------------------------------------------------
  /**
   * Bundles of 256 entries of one log that a round of the schedule scrubs: about 200 entries a second, 1.2 MB of reads and
   * 50 ms of work, so that a million entries are gone through in an hour and a half, unnoticed by whoever else reads.
   */
  scrubBundles: 4,
  /** Findings of one log that are told one by one; by then nobody waits for the next. */
  maxScrubFindings: 256,
  /** One read of the scrub: a bundle with its tiles. Nobody waits for it. */
  scrubDeadlineMs: 10_000,

  // --- retention -----------------------------------------------------------------------------------------------------
  /** Bodies that go in one transaction: a few hundred milliseconds of the audit database, while logs drain into it. */
  pruneBatchEntries: 2_000,
  /** Transactions of one request, or of one round of the schedule; what is left goes in the next. */
  pruneBatches: 20,
  /** What is due goes a month at a time, unasked: an entry for each pruning stays for good. */
  pruneDueAfterMs: 30 * 86_400_000,
  /** Whether something is due is looked at daily. */
  pruneDueEveryMs: 86_400_000,
  /** Nobody prunes what reviews and questions of a year still need, whatever the policy says … */
  minAuditRetentionDays: 365,
  /** … and no policy is longer than a life. */
  maxAuditRetentionDays: 36_500,
  /** Legal holds in force at once: their ids go with every transaction that prunes. */
  maxAuditHolds: 500,

  // --- the verifiers -------------------------------------------------------------------------------------------------
  /** Characters of one line, or one CSV field, that a verifier reads: 16 of the largest entries. */
  maxVerifiedLineLength: 1024 * 1024,
  /** A file that a verifier holds as a whole: a proof of one entry, a policy, a checkpoint, a list of logs. */
  maxVerifiedTextLength: 4 * 1024 * 1024,
  /** Tiles and bundles that fsck asks for ahead, of 8 KiB each: enough to hide a round trip of a few milliseconds. */
  maxFetchedTiles: 16,
} as const
