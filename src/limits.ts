/**
 * Every bound of the system, with its unit in the name and its reason beside it. A queue, list, loop, body, wait or
 * retry without an entry here is a defect.
 */
export const limits = {
  // --- what a client may send -------------------------------------------------------------------------------------
  /** One request body. sqld refuses a value past 5,000,000 bytes, so a bundle travels in several; 16 MiB is four. */
  maxBodyBytes: 16 * 1024 * 1024,
  /** Bodies one isolate receives at once: the rest of its requests are readers. */
  maxConcurrentBodies: 32,
  /** Their bytes together: a Worker's memory is 128 MB, and a body is held twice while it is parsed. */
  maxBodyBytesUnderWay: 48 * 1024 * 1024,
  /** Waiting for the next bytes of a body. */
  bodyIdleMs: 5_000,
  /** Receiving a whole body: 16 MiB at 5 Mbit/s. */
  bodyDeadlineMs: 30_000,
  /** Entries of one bundle: bounds the work one request may cause. */
  maxBundleEntries: 5_000,
  /** One resource as stored text: four of them fit a sqld value. */
  maxResourceBytes: 1024 * 1024,
  /** Nesting of JSON; FHIR needs about 20, a recursive descent must not be driven into the stack. */
  maxJsonDepth: 64,
  /** Issues of one answer: a bundle whose every entry is wrong is understood from fewer. */
  maxIssues: 1_000,
  /** Rounds that tell members of a reference cycle apart; members alike that far out count as one, or as a conflict. */
  maxCycleRounds: 16,
  /** Identifiers and family names of one `Patient` kept for joining and look-up; real ones have a handful. */
  maxPersonIdentifiers: 50,
  maxPersonFamilies: 5,
  /** Source records joined to one person automatically: every read of the person looks at each; real ones have a handful. */
  maxJoinedSourceRecords: 200,
  /**
   * Ids of one person in the log: one for each source record that stood alone for a while; real persons have a handful. The
   * heads of 64 chains in 16 logs are 400 KiB of an export's first line, of which verifiers read 1 MiB.
   */
  maxPersonIds: 64,
  /** Look-alikes of one source record written down for review: a placeholder for unknown numbers is shared by thousands. */
  maxLinkReviews: 50,
  /** One bound list of documents in a write batch: sqld refuses a value past 5,000,000 bytes. */
  maxWriteValueBytes: 4_500_000,
  /** Interrupted publications settled in one round; the rest wait for the next. */
  maxSettledWrites: 100,
  /** Changed source records copied to a local database in one round; one write changes at most 100. */
  maxCopiedSourceRecords: 1_000,
  /** A bearer token. IUA tokens are 1–2 KiB; header lines are capped by proxies at 8–16 KiB. */
  maxTokenBytes: 8 * 1024,
  /** One claim, as a JSON text: an audit entry cuts longer ones, in which two callers could look like one. */
  maxClaimBytes: 512,
  /** The claim `scope`: thirty SMART scopes with a query each. */
  maxScopeBytes: 3 * 1024,
  /** Characters of a key id; thumbprints have 43, the longest in use about 100. */
  maxKeyIdLength: 256,
  /** Parameters of one search, and repetitions of one of them: a clinician's client sends a handful. */
  maxSearchParameters: 30,
  /** Comma-separated values of one search parameter: they are bound as one JSON list. */
  maxSearchAlternatives: 100,
  /** A query string as received; longer ones are cut in the audit entry and hashed. */
  maxQueryBytes: 8 * 1024,

  // --- who may see what -------------------------------------------------------------------------------------------
  /** Rules of one refusal or restriction (each actor with each thing): a person names a few; a request reads them all. */
  maxConsentRules: 100,
  /** Rules in force against one person's record: every access to it reads and applies them. */
  maxPersonRules: 500,
  /** Refusals and restrictions of one person, cancelled ones included: a list of them is one answer. */
  maxPersonConsents: 200,
  /** Versions of one: its history is one answer. */
  maxConsentVersions: 200,
  /** Why somebody attests, breaks the glass or decides a review, in characters: words, not a key pressed once … */
  minReasonLength: 10,
  /** … and no document of its own: with accents it fits one text of an audit entry. */
  maxReasonLength: 250,
  /** A registered care team or episode: longer ones are registered again, by somebody who still knows. */
  maxCareDays: 366,
  /** An enrolment with a family physician. */
  maxEnrolmentDays: 5 * 366,

  // --- what a client may get --------------------------------------------------------------------------------------
  /** `_count` when the client names none. */
  defaultPageRows: 50,
  /** Largest `_count`: 500 references fill one audit entry. */
  maxPageRows: 500,
  /**
   * Bytes of one page of stored JSON; the page is cut short with `next`. Worker memory is 128 MB for many requests, and
   * sqld sends no answer past 10 MB, in which text may take twice its length (each quote is escaped).
   */
  maxPageBytes: 4 * 1024 * 1024,
  /** Characters of a cursor: a nonce, an instant, an id and a tag have about 120. */
  maxCursorLength: 400,

  /** Days from its publication after which a published encounter stands for no relationship, whatever its period says. */
  maxEncounterDays: 366,
  /** Relationships of a caller's facility with one person that a decision looks at: one that holds is enough. */
  maxRelationshipFacts: 100,

  // --- the audit log ----------------------------------------------------------------------------------------------
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
  /** One step of a succession: closing waits twice for the audit database (`exportDrainWaitMs`). */
  successionDeadlineMs: 20_000,
  /** Successions of one log in a row: one a year is many; past it a circle is likelier. */
  maxSuccessions: 64,
  /** Entries salvaged in one append: one more names them, and its note holds no more (`maxEntryNotes`). */
  maxSalvagedEntries: 250,
  /** A one-time key that is never to be used again: the year 9999, the last that times of entries can tell. */
  foreverMs: 253_402_300_799_000,
  /** Heads of chains in one attestation: those of one file, of as many ids as a person may have. */
  maxAttestedChains: 64,
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
  /** How long every checkpoint stays in the audit database, before only the newest of each hour does: whoever compares has seen it. */
  checkpointMemoryMs: 24 * 60 * 60_000,
  /** Checkpoints that one pruning takes away: more than 16 logs that publish each second make in an hour; 200 MB of rows. */
  maxPrunedCheckpoints: 60_000,
  /** Period of pruning write keys and checkpoints. */
  pruneEveryMs: 60 * 60_000,
  /** How long a write key is kept: longer than any region's local database may be away and still be settled. */
  writeKeyMemoryMs: 30 * 24 * 60 * 60_000,
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
  /** Stack frames of a defect on the console. */
  maxLoggedFrames: 8,
  /**
   * Characters of the cursor of an export, which travels in a header and in a query. Two logs and one id take 700; 16 logs and
   * 30 ids fit. One of more cannot be gone on with.
   */
  maxExportCursorLength: 6_000,
  /**
   * Heap of a self-hosted Worker. V8 collects what is old when its heap is full, and workerd by itself sets no limit: over an
   * export of a million entries memory then grows by 75 MiB that nobody uses, with one of 128 or 192 MiB by 39 or 34. Four bundles of
   * 14 MB at once were taken with 192.
   */
  workerHeapMiB: 192,
  /** Rows of one page of a streamed export: 1,000 rows keep a Worker's memory flat (5,000 did not). */
  exportPageRows: 1_000,
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
  /** Logs of one export: what its header, and the entry about it, can name. */
  maxExportLogs: 16,
  /** One page of a streamed export: sparse filters make the ledger look at many entries. */
  exportPageDeadlineMs: 10_000,
  /**
   * Entries looked at for one page of an AuditEvent search whose further filters no index answers: a page of sparse ones is
   * short or empty, with `next`. 500 entries of usual length are 1 MB.
   */
  trailScannedRows: 500,
  /**
   * Entries of one page of a count: 350 bytes each, and never past the 10 MB that sqld sends, however long the names in
   * them are.
   */
  accountingPageRows: 2_000,
  /** Entries of which one statement makes the groups of a report: 100 ms of sqld's time, a few hundred rows. */
  reportWindowEntries: 20_000,
  /**
   * Lines of one count (professional, role and facility), 1 KB each. A large organisation has 20,000 professionals; past it
   * the count ends with an error, and a shorter period is to be asked for.
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
  /** Patients a streamed export remembers having logged (about 16 MB); past it some are logged again. */
  maxExportPatients: 200_000,
  /**
   * Bundles of 256 entries of one log that a round of the schedule scrubs: about 200 entries a second, 1.2 MB of reads and
   * 50 ms of work, so that a million entries are gone through in an hour and a half, unnoticed by whoever else reads.
   */
  scrubBundles: 4,
  /** Findings of one log that are told one by one; by then nobody waits for the next. */
  maxScrubFindings: 256,
  /** One read of the scrub: a bundle with its tiles. Nobody waits for it. */
  scrubDeadlineMs: 10_000,
  /**
   * Entries proved at once. Each may stand alone in its tile of 8 KiB, and that in one of the level above: 2 MiB of
   * tiles, which travel in base64, of the 10 MB that sqld sends.
   */
  exportProofRows: 128,
  /** Redacted members between two entries of a chain that are found in one answer (about 60 bytes each). */
  maxChainGap: 10_000,
  /** Redaction entries that an export still has to tell: 8 bytes each; an operator redacts a handful a year. */
  maxPendingRedactions: 100_000,
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
  /** An export waits this long for the cosignatures of its checkpoint: witnesses have it by then, and answer in milliseconds … */
  witnessWaitMs: 2_000,
  /** … and looks this often. */
  witnessPollMs: 50,
  /** Checkpoints looked at for one that enough witnesses cosigned: a quarter of a minute's. */
  maxCheckpointsTried: 16,
  /** Checkpoints a requester can name for consistency proofs, and sizes to stop at: one for each log and a few older. */
  maxExportPositions: 64,
  /** Logs in the public list: each row is 2 KiB of keys. Logs that were succeeded stay in it. */
  maxListedLogs: 256,
  /** `Cache-Control` of the newest checkpoint and the list of logs: no longer than a log takes to publish anew. */
  publicCacheSeconds: 1,
  /** `Cache-Control` of tiles, which never change: a year (C2SP tlog-tiles). */
  tileCacheSeconds: 31_536_000,
  /** `Prefer: wait` of a proof that no checkpoint covers yet: logs publish each second. */
  maxProofWaitSeconds: 5,
  /** `Retry-After` of one: the same. */
  proofRetrySeconds: 1,

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

  /** Characters of one line, or one CSV field, that a verifier reads: 16 of the largest entries. */
  maxVerifiedLineLength: 1024 * 1024,
  /** A file that a verifier holds as a whole: a proof of one entry, a policy, a checkpoint, a list of logs. */
  maxVerifiedTextLength: 4 * 1024 * 1024,
  /** Tiles and bundles that fsck asks for ahead, of 8 KiB each: enough to hide a round trip of a few milliseconds. */
  maxFetchedTiles: 16,

  // --- other people's clocks and networks -------------------------------------------------------------------------
  /** A read at the nearest replica or the local database: a healthy one answers in milliseconds. */
  readDeadlineMs: 2_000,
  /** A read sent to the primary because the replica is behind. */
  primaryReadDeadlineMs: 2_000,
  /** A write batch at a primary: a full bundle takes 2–3 s on two busy cores. */
  writeDeadlineMs: 15_000,
  /** Attempts of one idempotent write batch (the first included). */
  maxWriteAttempts: 3,
  /** Waiting for the sequencer's receipt. */
  appendDeadlineMs: 5_000,
  /** One batch of draining to the audit database. */
  drainDeadlineMs: 10_000,
  /** Export: waiting until the ledger holds what was in the log when the export began. */
  exportDrainWaitMs: 5_000,
  /** After a failed primary read, how long an isolate serves marked pages without asking again. */
  primaryRetryAfterMs: 5_000,
  /** Requests one isolate works on at once: sqld admits 128 and answers 429 past it. */
  maxConcurrentRequests: 96,
  /**
   * Requests of one address, known callers or not: a hospital of 2,000 workstations behind one address. Failed
   * authentications count, before anything is verified.
   */
  addressRate: { perSecond: 600, burst: 6_000 },
  /** Requests of one client: the system of a hospital, for all of its professionals, and its publications. */
  clientRate: { perSecond: 600, burst: 6_000 },
  /**
   * Requests of one professional: opening a chart takes up to 30 at once, so 20 charts in a row, and then one chart
   * every two seconds.
   */
  professionalRate: { perSecond: 20, burst: 600 },
  /**
   * Requests of one professional whose answer tells that a person exists: the list of a clinic's day at once, then one
   * a second. Whoever tries identifiers and birth dates one after the other gets no further.
   */
  identityRate: { perSecond: 1, burst: 60 },
  /** The same of one client: that many professionals look somebody up at once. */
  identityClientFactor: 10,
  /**
   * Keys of each kind that an isolate counts, the least recently used forgotten first. More than any burst above: who
   * would be forgotten to begin anew sends more requests for it, each under another key, than he wins.
   */
  maxRateKeys: 10_000,
  /** Characters of such a key; a longer one (claims and headers may be) counts as its digest. 10 MB for all kinds. */
  maxRateKeyLength: 128,
  /** Configured rates: one request in 17 minutes, longer than any caller waits … */
  minRatePerSecond: 0.001,
  /** … to one each microsecond, in which intervals are counted. */
  maxRatePerSecond: 1_000_000,
  /** Configured bursts: with the slowest rate still an exact number of microseconds. */
  maxRateBurst: 1_000_000,
  /** What `Retry-After` says after an overload or an unavailable log. */
  retryAfterSeconds: 2,

  // --- freshness --------------------------------------------------------------------------------------------------
  /** A replica whose heartbeat is younger is fresh. */
  freshMs: 10_000,
  /** The heartbeat is not written more often than this. */
  heartbeatEveryMs: 5_000,
  /** A heartbeat further in the future than this is a wrong clock: stale, and an alarm. */
  maxClockSkewMs: 2_000,
  /** Staleness past which a page is marked degraded and listed for review (default, per node). */
  degradedAfterMs: 15 * 60_000,

  // --- tokens -----------------------------------------------------------------------------------------------------
  /** Longest life of an access token we accept, whatever its issuer says. */
  maxTokenLifetimeSeconds: 3_600,
  /** Disagreement of clocks between issuer and us. */
  clockToleranceSeconds: 5,
  /** A DPoP proof: one key, one address; an RSA key of 4,096 bits and its signature are 1.5 KiB. */
  maxProofBytes: 8 * 1024,
  /** Age of a DPoP proof, or how far ahead its client's clock may be: tablets and workstations are not kept by NTP alone. */
  maxProofSkewSeconds: 60,
  /** SMART scopes of one token that count: each may add a condition to the page's statement. */
  maxScopes: 64,
  /** A used proof or `jti` is remembered this much longer: receiving a body and loading come between check and log. */
  oneTimeMemoryMs: 2 * 60_000,
  /** Tokens whose verified signature an isolate remembers (about 1 KiB each). */
  maxRememberedTokens: 10_000,
  /** Issuers that are trusted at once: an isolate reads all of them in one statement, the first ones by row. */
  maxRememberedIssuers: 100,
  /** Callers (token holder, client, facility, role, purpose) of whom an isolate remembers place and sight (about 1 KiB each). */
  maxRememberedStandings: 10_000,
  /** Period of the refresh of key sets. */
  jwksRefreshEveryMs: 10_000,
  /** One fetch of a key set. */
  jwksDeadlineMs: 3_000,
  /** Key sets fetched at once: Workers wait for six answers; so a round in which no issuer answers ends in a minute. */
  maxJwksFetches: 6,
  /** A key set is 1–3 KiB; certificates are not wanted. */
  maxJwksBytes: 64 * 1024,
  /** Keys of one issuer: the current ones and those of a rotation under way. */
  maxIssuerKeys: 20,
  /** Unknown issuers and key ids, however many, make an isolate read the issuers again at most this often. */
  issuerReloadEveryMs: 2_000,

  // --- commands that call a cluster -------------------------------------------------------------------------------
  /** Sending one bundle, until a cluster that is overloaded or restarting takes it (the first attempt included). */
  maxPublishAttempts: 8,
  /** Longest `Retry-After` that a command waits for; the cluster's own is 2 s. */
  maxRetryAfterSeconds: 30,
  /** One answer to a command: a write at the primary may take three attempts of `writeDeadlineMs`. */
  commandDeadlineMs: 60_000,
  /** Answers to one export, in a row, that break off before they bring an entry: then it is left. And the pause before the next. */
  exportAttempts: 5,
  exportRetryMs: 1_000,
  /** A token is renewed when it would end within this: a request must not outlive its token on the way. */
  tokenRenewalMs: 60_000,

  // --- administration of the trust registry -----------------------------------------------------------------------
  /** One change: an issuer with its key set is the largest, with `maxJwksBytes` of keys and as much around them. */
  maxRegistryBodyBytes: 128 * 1024,
  /** A name of a person, place or client, as people read it. */
  maxRegistryNameLength: 200,
  /** A URI, subject, audience or token id: what one text of an audit entry holds (`maxEntryTextBytes`). */
  maxRegistryUriLength: 512,
  /** Rows of one list: a manager goes through them by eye; more come with `next`. */
  registryPageRows: 200,
  /** Pages a command follows: a facility of 20,000 roles. */
  maxRegistryPages: 100,
  /** Rows of one policy table in one answer: roles × types of facility × purposes × domains of a full regulation. */
  maxPolicyRows: 10_000,
  /** Identifier systems of one facility, and authentication classes of one issuer: real ones have a handful. */
  maxRegistryListLength: 20,
  /** `attestation-hours`: a month; who cares for a patient for longer is known by an encounter. */
  maxAttestationHours: 31 * 24,
  /** `break-glass-hours`: an emergency that lasts longer than three days is care, and has a relationship. */
  maxBreakGlassHours: 72,

  // --- questions, corrections, incidents --------------------------------------------------------------------------
  /** A question, a follow-up, an answer, in characters: two pages. What needs more is a letter, and names its file. */
  maxQuestionLength: 4_000,
  /** Open questions of one person: officers answer each, and whoever sends hundreds is answered by nobody. */
  maxOpenQuestions: 30,
  /** Events of one question, its history being one answer. */
  maxQuestionEvents: 100,
  /** `question-days`: 30 days from receipt is the longest of the Québec access laws (P-39.1, s. 32, s. 98: 20). */
  maxQuestionDays: 30,
  /** One field of the incident register, in characters: the regulation asks for brief descriptions. */
  maxIncidentTextLength: 4_000,
  /** Versions of one incident: its history is one answer. */
  maxIncidentVersions: 100,
  /** Incidents of one file: at 50 a year, forty years of them; a longer register goes by period. */
  maxIncidentExportRows: 2_000,
  /** Persons concerned by one incident: more than live in Québec. */
  maxIncidentPersons: 10_000_000,

  // --- the local cluster ------------------------------------------------------------------------------------------
  /** Load is generated on it with a few tokens, all from one address; look-ups of persons keep `identityRate`. */
  localProfessionalRate: { perSecond: 100, burst: 30_000 },
  /** For one client and for the address of this machine. */
  localClientRate: { perSecond: 5_000, burst: 100_000 },
  /** A child process answering its first question; sqld rebuilds a long log when it opens. */
  childReadyMs: 30_000,
  /** Between two questions whether a child answers yet. */
  childProbeEveryMs: 25,
  /** A child's orderly end; then it is killed. sqld closes its log in well under a second. */
  childStopMs: 5_000,
  /** Restarts of one child within `childRestartWindowMs`; a child that dies faster has a lasting fault. */
  maxChildRestarts: 20,
  childRestartWindowMs: 60_000,
  /** A child that died the second time is started again after this, doubled with each further death … */
  minChildRestartPauseMs: 25,
  /** … up to this. */
  maxChildRestartPauseMs: 1_000,
  /** A child's log past this is set aside at the next start, one generation. */
  maxChildLogBytes: 16 * 1024 * 1024,
  /** Random ports tried before giving up on finding a free one. */
  maxPortAttempts: 200,
  /** Waiting for a remembered port that a dying child still holds; then another one is taken. */
  portReleaseMs: 1_000,
  /** Tokens of the local databases, renewed at each start of the cluster. */
  databaseTokenDays: 90,
  /** Access tokens of the local identity provider. */
  providerTokenSeconds: 600,
  /** Access tokens of facility systems: SMART backend services recommends at most 300. */
  systemTokenSeconds: 300,
  /** One step of the login at the identity provider. */
  identityDeadlineMs: 10_000,
  /** Steps of one login (redirects and the form); the real flow takes six. */
  maxLoginSteps: 12,
  /** The login form: one short name. */
  maxLoginFormBytes: 1_024,
  /** A bundle of other sources is left alone this long: a build takes seconds, and a start that chose it copies it at once. */
  bundleKeptMs: 10 * 60_000,
} as const
