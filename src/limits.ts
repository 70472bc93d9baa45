import { logLimits } from './limits-log.ts'
import { searchLimits } from './limits-search.ts'
import { trailLimits } from './limits-trail.ts'

/**
 * Every bound of the system, with its unit in the name and its reason beside it. A queue, list, loop, body, wait or
 * retry without an entry here is a defect. Those of the audit log, of searches and of the trail stand in files of their own.
 */
export const limits = {
  // --- what a client may send ----------------------------------------------------------------------------------------
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
  /** Operations of one JSON Patch: each copies the lists and objects on its path; forms and devices send a handful. */
  maxPatchOperations: 1_000,
  /** Members of the lists and objects that those copies have, together: 1,000 changes of a list of 5,000. */
  maxPatchCopies: 5_000_000,
  /** One resource as stored text: four of them fit a sqld value. */
  maxResourceBytes: 1024 * 1024,
  /** Nesting of JSON; FHIR needs about 20, a recursive descent must not be driven into the stack. */
  maxJsonDepth: 64,
  /** Issues of one answer: a bundle whose every entry is wrong is understood from fewer. */
  maxIssues: 1_000,
  /** Issues of one resource: what else is wrong with it shows when these are put right. */
  maxEntryIssues: 100,
  /** Codes of a value set that an issue names: what fits a few lines. Longer lists are looked up in R4. */
  maxCodesNamed: 16,
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
  /** Characters of a mistyped name that the nearest right one is looked for: the longest known ones have 50. */
  maxHintLength: 64,
  /** Characters of a wrong path that the right one is looked for: a type, an id and a version have 150. */
  maxHelpedPathLength: 200,
  /** A query string as received; longer ones are cut in the audit entry and hashed. */
  maxQueryBytes: 8 * 1024,

  // --- who may see what ----------------------------------------------------------------------------------------------
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

  // --- what a client may get -----------------------------------------------------------------------------------------
  /** `_count` when the client names none. */
  defaultPageRows: 50,
  /** Largest `_count`: 500 references fill one audit entry. */
  maxPageRows: 500,
  /**
   * Bytes of one page of stored JSON; the page is cut short with `next`. Worker memory is 128 MB for many requests, and
   * sqld sends no answer past 10 MB, in which text may take twice its length (each quote is escaped).
   */
  maxPageBytes: 4 * 1024 * 1024,
  /**
   * Characters of an answer on `/fhir` past which it is compressed where the client takes that: 64 KiB are 50 ms on a line of
   * 10 Mbit/s, and compress to a tenth; a page of twenty rows is sooner sent than compressed on a core that others wait for.
   */
  minCompressedLength: 64 * 1024,
  /** Characters of a cursor: a nonce, three sort keys, an id and a tag, in base64url. */
  maxCursorLength: 3_000,
  /** Days from its publication after which a published encounter stands for no relationship, whatever its period says. */
  maxEncounterDays: 366,
  /** Relationships of a caller's facility with one person that a decision looks at: one that holds is enough. */
  maxRelationshipFacts: 100,

  // --- other people's clocks and networks ----------------------------------------------------------------------------
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
   * Streamed answers (exports, counts, reviews) under way in one isolate: each holds a page of 4 MiB at most, usually of 1.5,
   * and what is made of one, for as long as its client waits; a Worker has 128 MB.
   */
  maxStreams: 12,
  /** Of one login: an export, the count beside it, and one that its client has forgotten. */
  maxCallerStreams: 3,
  /** A streamed answer of which nobody reads anything for so long is ended, and its place is free. */
  streamIdleMs: 5 * 60_000,
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

  // --- freshness -----------------------------------------------------------------------------------------------------
  /** A replica whose heartbeat is younger is fresh. */
  freshMs: 10_000,
  /** The heartbeat is not written more often than this. */
  heartbeatEveryMs: 5_000,
  /** A heartbeat further in the future than this is a wrong clock: stale, and an alarm. */
  maxClockSkewMs: 2_000,
  /** Staleness past which a page is marked degraded and listed for review (default, per node). */
  degradedAfterMs: 15 * 60_000,

  // --- tokens --------------------------------------------------------------------------------------------------------
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

  // --- browsers ------------------------------------------------------------------------------------------------------
  /** Origins of one client, and characters of one: the entry of a change has room for so many, whole. */
  maxClientOrigins: 5,
  maxOriginLength: 100,
  /** Clients with origins of their own, all read at once: the apps of a market, not those of every ward. */
  maxBrowserClients: 500,
  /** Origins are read again after this: what an operator changed holds within the fresh bound. */
  originsReadEveryMs: 10_000,
  /** The authorization server is asked again what it offers after this; keys and endpoints change with days' notice … */
  discoveryFreshMs: 5 * 60_000,
  /** … and after this when it did not answer. */
  discoveryRetryMs: 5_000,
  /** One such question. */
  discoveryDeadlineMs: 3_000,
  /** Its answer: providers write 2–8 KiB. */
  maxDiscoveryBytes: 64 * 1024,
  /** Scopes, grants and the like in it; the longest lists, those of scopes, have a few dozen. */
  maxDiscoveryListLength: 500,
  /** Public documents an isolate remembers, by address and language; a record has one address. */
  maxRememberedDocuments: 16,
  /** How long others may keep them: what an operator changes is seen within minutes. */
  publicDocumentSeconds: 300,
  /** How long a browser remembers a preflight; what is registered no more can still be asked for, and not read. */
  preflightMaxAgeSeconds: 600,

  // --- commands that call a cluster ----------------------------------------------------------------------------------
  /** Sending one bundle, until a cluster that is overloaded or restarting takes it (the first attempt included). */
  maxPublishAttempts: 8,
  /** Longest `Retry-After` that a command waits for; the cluster's own is 2 s. */
  maxRetryAfterSeconds: 30,
  /** One answer to a command: a write at the primary may take three attempts of `writeDeadlineMs`. */
  commandDeadlineMs: 60_000,
  /** Between two pieces of an answer that takes long: pages of a sparse filter come minutes apart at worst. */
  answerIdleMs: 300_000,
  /** Answers to one export, in a row, that break off before they bring an entry: then it is left. And the pause before the next. */
  exportAttempts: 5,
  exportRetryMs: 1_000,
  /** A token is renewed when it would end within this: a request must not outlive its token on the way. */
  tokenRenewalMs: 60_000,

  // --- administration of the trust registry --------------------------------------------------------------------------
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

  // --- questions, corrections, incidents -----------------------------------------------------------------------------
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

  // --- a Worker ------------------------------------------------------------------------------------------------------
  /** Stack frames of a defect on the console. */
  maxLoggedFrames: 8,
  /**
   * Heap of a self-hosted Worker. V8 collects what is old when its heap is full, and workerd by itself sets no limit: over an
   * export of a million entries memory then grows by 75 MiB that nobody uses, with one of 128 or 192 MiB by 39 or 34. Four bundles of
   * 14 MB at once were taken with 192.
   */
  workerHeapMiB: 192,

  // --- the local cluster ---------------------------------------------------------------------------------------------
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

  ...logLimits,
  ...searchLimits,
  ...trailLimits,
} as const
