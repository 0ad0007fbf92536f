//! Every bound of the house, with its reason. Past a bound: refuse (requests, responses, output,
//! memory, stack), truncate with a mark (standard error, guest logs) or shed (queues).

use std::time::Duration;

macro_rules! limits {
    ($($(#[doc = $doc:literal])+ $name:ident: $type:ty = $value:expr, $unit:literal, $as:expr;)*) => {
        $($(#[doc = $doc])+ pub const $name: $type = $value;)*

        /// All bounds, as `GET /v1/limits` lists them.
        pub const ALL: &[Limit] = &[$(Limit {
            name: stringify!($name),
            value: $as($name),
            unit: $unit,
            reason: concat!($($doc),+),
        },)*];
    };
}

/// One bound, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub name: &'static str,
    pub value: u64,
    pub unit: &'static str,
    pub reason: &'static str,
}

const fn number(value: u64) -> u64 {
    value
}

const fn size(value: usize) -> u64 {
    value as u64
}

const fn count(value: u32) -> u64 {
    value as u64
}

const fn seconds(value: Duration) -> u64 {
    value.as_secs()
}

const fn milliseconds(value: Duration) -> u64 {
    value.as_secs().saturating_mul(1_000).saturating_add(value.subsec_millis() as u64)
}

const MIB: u64 = 1024 * 1024;

limits! {
    // guests
    /// A connector's memory unless its manifest asks for more: enough for the published ones.
    GUEST_MEMORY: u64 = 64 * MIB, "bytes", number;
    /// The most a manifest may ask for: sixteen such guests still fit a laptop.
    GUEST_MEMORY_MAX: u64 = 1024 * MIB, "bytes", number;
    /// A call's wall time unless the manifest asks for more.
    GUEST_WALL: Duration = Duration::from_secs(30), "seconds", seconds;
    /// The most a manifest may ask for.
    GUEST_WALL_MAX: Duration = Duration::from_mins(5), "seconds", seconds;
    /// Native stack of a guest: recursion ends there rather than in our process.
    GUEST_STACK: usize = 1024 * 1024, "bytes", size;
    /// Guests running at once; further calls wait their turn inside their own wall time.
    GUEST_CONCURRENCY: u32 = 64, "calls", count;
    /// Upstream body a guest may read, after decompression.
    GUEST_RESPONSE: u64 = 8 * MIB, "bytes", number;
    /// A guest's request envelope, headers and body together.
    GUEST_REQUEST: usize = 8 * 1024 * 1024, "bytes", size;
    /// Requests one call may send: a loop in a guest ends there.
    GUEST_REQUESTS: u32 = 1_000, "requests", count;
    /// A guest's answer on standard output.
    GUEST_STDOUT: usize = 4 * 1024 * 1024, "bytes", size;
    /// A guest's standard error; what follows is dropped with a mark.
    GUEST_STDERR: usize = 64 * 1024, "bytes", size;
    /// Log lines of one call; further ones are counted, not kept.
    GUEST_LOG_LINES: u32 = 1_000, "lines", count;
    /// One log line; the rest is cut with a mark.
    GUEST_LOG_LINE: usize = 8 * 1024, "bytes", size;
    /// What a guest's functions may take in one table: a published Go connector needs a tenth.
    GUEST_TABLE: usize = 262_144, "elements", size;
    /// Tables of one module: compilers emit one, hand-written modules sometimes another.
    GUEST_TABLES: u32 = 4, "tables", count;
    /// Bytes one call of the system interface may copy on a guest's behalf.
    GUEST_HOSTCALL: usize = 32 * 1024 * 1024, "bytes", size;
    /// Random bytes one call may ask for.
    GUEST_RANDOM: u64 = 4 * MIB, "bytes", number;
    /// A failure message a guest writes; the rest is cut with a mark, because it reaches the log.
    GUEST_MESSAGE: usize = 4 * 1024, "bytes", size;
    /// Compiled modules kept in memory.
    MODULE_CACHE: usize = 64, "modules", size;
    /// Machine code kept in memory; the module used longest ago goes first.
    MODULE_CACHE_BYTES: usize = 512 * 1024 * 1024, "bytes", size;
    /// Compiled modules kept on disk.
    MODULE_FILES: usize = 256, "files", size;
    /// Modules compiled at once. One already uses every processor; the second is there so that a
    /// monster does not hold up everybody.
    MODULE_COMPILERS: usize = 2, "compilations", size;
    /// How long a caller waits for a module to be compiled; the work goes on for the next one.
    MODULE_COMPILE_WALL: Duration = Duration::from_mins(2), "seconds", seconds;

    // packages
    /// A package as downloaded.
    PACKAGE_COMPRESSED: u64 = 64 * MIB, "bytes", number;
    /// A package's entries together, unpacked: a bomb ends there.
    PACKAGE_UNPACKED: u64 = 128 * MIB, "bytes", number;
    /// Entries of a package, folders included.
    PACKAGE_ENTRIES: u32 = 16, "entries", count;
    /// A manifest.
    MANIFEST: usize = 256 * 1024, "bytes", size;
    /// Hosts of a manifest: a person reads them all before agreeing.
    MANIFEST_HOSTS: usize = 64, "hosts", size;
    /// What a manifest asks a provider for: read in the same place.
    MANIFEST_SCOPES: usize = 128, "scopes", size;
    /// One such scope.
    MANIFEST_SCOPE: usize = 256, "bytes", size;
    /// Any other text of a manifest that a person reads: prose, addresses, a client's id.
    MANIFEST_TEXT: usize = 1024, "bytes", size;
    /// What is said about a file that was refused; the rest is cut with a mark.
    PROBLEM_TEXT: usize = 2 * 1024, "bytes", size;
    /// An action file, with its body.
    ACTION_FILE: usize = 4 * 1024 * 1024, "bytes", size;
    /// One line of an action file, as published.
    ACTION_LINE: usize = 1024 * 1024, "bytes", size;
    /// A suite, as published.
    SUITE: u64 = 64 * 1024, "bytes", number;
    /// The keyring: more than any person trusts.
    KEYRING_FILE: u64 = MIB, "bytes", number;
    /// A publisher's key file, as published.
    KEY_FILE: u64 = 64 * 1024, "bytes", number;
    /// Fetching keys, suites and listings, as published.
    FETCH_SMALL_WALL: Duration = Duration::from_secs(15), "seconds", seconds;
    /// Fetching a package.
    FETCH_PACKAGE_WALL: Duration = Duration::from_mins(2), "seconds", seconds;
    /// Packages installed by one call: a suite comes in as many as it needs.
    INSTALL_BATCH: usize = 64, "packages", size;
    /// Packages of one call fetched at once: a source is no load test.
    INSTALL_FETCHES: usize = 8, "packages", size;
    /// Fetches and compilations whose progress is told; what is beyond goes on unseen.
    PACKAGE_STEPS: usize = 256, "steps", size;
    /// Archives that were shown and may be installed next, together; the oldest go first.
    PREVIEWED_BYTES: usize = 64 * 1024 * 1024, "bytes", size;
    /// How long such an archive is what would be installed; later it is fetched again.
    PREVIEWED_WALL: Duration = Duration::from_mins(10), "seconds", seconds;
    /// Signed actions kept for times without their source, together; the oldest go first.
    KEPT_ACTIONS: u64 = 64 * MIB, "bytes", number;
    /// One page of a repository's releases, with the notes publishers write.
    RELEASE_PAGE: u64 = 16 * MIB, "bytes", number;
    /// Pages read, of a hundred releases each: the source itself lists no more.
    RELEASE_PAGES: u32 = 100, "pages", count;
    /// Pages asked for at once, of all repositories together.
    RELEASE_FETCHES: usize = 8, "pages", size;
    /// Listing one repository's releases, every page of it.
    RELEASES_WALL: Duration = Duration::from_mins(2), "seconds", seconds;
    /// How old a listing may be to say which versions there are in the place of one that is not.
    RELEASES_TOLD_WALL: Duration = Duration::from_mins(1), "seconds", seconds;
    /// A release's tag, and the tag a source gives to one state of its listing.
    TAG: usize = 300, "bytes", size;
    /// One listing kept on disk, of as many releases as are read.
    RELEASE_LISTING: u64 = 4 * MIB, "bytes", number;
    /// Listings kept on disk; the oldest go first.
    RELEASE_LISTINGS: usize = 256, "files", size;
    /// A package from a person's own disk, its files together.
    LOCAL_PACKAGE: usize = 32 * 1024 * 1024, "bytes", size;
    /// The body that brings one, in base64.
    LOCAL_BODY: usize = 44 * 1024 * 1024, "bytes", size;
    /// Packages from a person's own disk that lie ready at once; the oldest go first.
    LOCAL_PACKAGES: usize = 16, "packages", size;
    /// And what they may hold together, unpacked.
    LOCAL_SHELF: usize = 128 * 1024 * 1024, "bytes", size;
    /// How long one lies ready to be installed.
    LOCAL_WALL: Duration = Duration::from_mins(15), "seconds", seconds;
    /// Redirects followed, as published.
    REDIRECTS: u32 = 10, "redirects", count;
    /// Installed connectors kept in memory; one larger is kept alone.
    CONNECTOR_CACHE: usize = 256 * 1024 * 1024, "bytes", size;
    /// Installed action files read at start.
    ACTIONS: usize = 4_096, "files", size;
    /// `action-state.json`: a switch for each of them.
    ACTION_SWITCHES: u64 = 4 * MIB, "bytes", number;
    /// Actions whose records are looked up side by side.
    RECORD_LOOKUPS: usize = 32, "records", size;
    /// Records remembered: all actions with as many connectors. Past it all are asked for again.
    RECORDS: usize = 8_192, "records", size;
    /// `actions.lock`: as many actions, with names of ordinary length.
    LOCK_FILE: u64 = 8 * MIB, "bytes", number;
    /// What is shown of the difference between a file and what was accepted; more is read in the
    /// file itself.
    DIFFERENCE: usize = 256 * 1024, "bytes", size;
    /// All differences of one list together; the rest is asked for one by one.
    DIFFERENCES: usize = 16 * 1024 * 1024, "bytes", size;

    // the Hub
    /// The Hub's repository as one archive: thousands of entries are a tenth of it.
    HUB_ARCHIVE: u64 = 16 * MIB, "bytes", number;
    /// That archive, unpacked: a bomb ends there.
    HUB_UNPACKED: u64 = 64 * MIB, "bytes", number;
    /// Files and folders of that archive, whatever they are.
    HUB_FILES: u32 = 20_000, "files", count;
    /// One entry: a suite of thousands of actions.
    HUB_ENTRY: usize = 256 * 1024, "bytes", size;
    /// All entries together: they are kept in memory, and answered at once.
    HUB_TEXT: usize = 16 * 1024 * 1024, "bytes", size;
    /// The kept copy: all entries as JSON text.
    HUB_COPY: u64 = 48 * MIB, "bytes", number;
    /// Actions of one suite of the Hub: as many as may be installed.
    HUB_MEMBERS: usize = 4_096, "actions", size;
    /// Files of the Hub that cannot be read and are told one by one; the rest is counted.
    HUB_PROBLEMS: usize = 256, "files", size;
    /// Keys confirmed at once for something of the Hub: more publishers than one action can need.
    HUB_KEYS: usize = 64, "keys", size;
    /// A search in the Hub.
    HUB_QUERY: usize = 256, "bytes", size;
    /// Fetching the Hub, as published.
    HUB_WALL: Duration = Duration::from_secs(30), "seconds", seconds;
    /// How long a copy of the Hub answers before the Hub is asked again.
    HUB_FRESH: Duration = Duration::from_hours(24), "seconds", seconds;
    /// A Hub that did not answer is left alone this long, unless a person asks for it.
    HUB_PAUSE: Duration = Duration::from_mins(5), "seconds", seconds;

    // runs
    /// Runs under way at once; further ones are refused with `busy`.
    RUN_CONCURRENCY: u32 = 256, "runs", count;
    /// Writes of runs waiting at once; further callers wait in line.
    LEDGER_QUEUE: usize = 1_024, "writes", size;
    /// How long an approval waits for a person.
    APPROVAL_WALL: Duration = Duration::from_hours(24), "seconds", seconds;
    /// Approvals waiting at once, of all callers: what a list and a stream still carry.
    APPROVALS_PENDING: u32 = 2_000, "approvals", count;
    /// Of those, kept for the person and for sessions that a person began: no program keeps their
    /// calls from waiting.
    APPROVALS_RESERVED: u32 = 500, "approvals", count;
    /// Approvals of one program's token, and of all sessions it began, waiting at once: beginning
    /// more sessions does not make more room.
    APPROVALS_PENDING_ORIGIN: u32 = 1_000, "approvals", count;
    /// Approvals of one session, or of one caller without a session, waiting at once: an agent
    /// cannot bury the person, nor keep others from asking.
    APPROVALS_PENDING_CALLER: u32 = 100, "approvals", count;
    /// What the approvals of one caller hold together, as text.
    APPROVALS_TEXT_CALLER: u64 = 8 * MIB, "bytes", number;
    /// Those of one program's token, and of all sessions it began.
    APPROVALS_TEXT_ORIGIN: u64 = 16 * MIB, "bytes", number;
    /// What is kept of all that text for the person, and for sessions that a person began.
    APPROVALS_TEXT_RESERVED: u64 = 8 * MIB, "bytes", number;
    /// And those of all callers.
    APPROVALS_TEXT: u64 = 32 * MIB, "bytes", number;
    /// Changes of approvals that a watcher may fall behind, or come back after.
    APPROVAL_EVENTS: usize = 1_024, "events", size;
    /// And what they hold together.
    APPROVAL_EVENTS_TEXT: usize = 16 * 1024 * 1024, "bytes", size;
    /// Standing grants that may be used: a person still knows what they are for.
    GRANTS_LIVE: u32 = 256, "grants", count;
    /// Grants on a list, those that are over included.
    GRANTS_LISTED: u32 = 1_000, "grants", count;
    /// Uses of one grant.
    GRANT_USES: u32 = 1_000, "uses", count;
    /// How long a grant can last at most.
    GRANT_WALL: Duration = Duration::from_hours(30 * 24), "seconds", seconds;
    /// What a grant covers, as text: a person looks over all of it.
    GRANT_TEXT: usize = 256 * 1024, "bytes", size;
    /// A preview's call, as published.
    PREVIEW_WALL: Duration = Duration::from_secs(5), "seconds", seconds;
    /// What a preview shows: more is read at the service itself.
    PREVIEW_TEXT: usize = 256 * 1024, "bytes", size;
    /// Previews asked for by one session, or one caller without a session, within a minute: each
    /// is a request at a service before a person agreed to any.
    PREVIEWS_CALLER: u32 = 30, "previews a minute", count;
    /// Previews of one action within a minute, whoever asks.
    PREVIEWS_ACTION: u32 = 60, "previews a minute", count;
    /// A call's arguments, as JSON.
    ARGUMENTS: usize = 1024 * 1024, "bytes", size;
    /// Nesting of arguments: deeper JSON is an attack, not a request.
    JSON_DEPTH: usize = 64, "levels", size;
    /// The largest integer, either sign, every JSON reader agrees on (RFC 8259, section 6): 2^53.
    JSON_INTEGER: u64 = 1 << 53, "integer", number;
    /// Retries of an idempotent step, as published.
    RETRIES: u32 = 3, "retries", count;
    /// Runs listed at once.
    RUN_PAGE: u32 = 1_000, "runs", count;
    /// How long a run that ended is listed; the log keeps it for good.
    RUN_KEPT: Duration = Duration::from_hours(2_160), "seconds", seconds;

    // vault
    /// A vault file.
    VAULT_FILE: u64 = 64 * MIB, "bytes", number;
    /// Ways to open one vault file: a planted file must not make a try cost more than a few.
    VAULT_MEMBERS: usize = 16, "members", size;
    /// Hosts one consent may name: more than a person reads.
    CONSENT_HOSTS: usize = 256, "hosts", size;
    /// One secret.
    SECRET: usize = 64 * 1024, "bytes", size;
    /// What may be listed about a login, together.
    LOGIN_LABELS: usize = 4 * 1024, "bytes", size;
    /// A vault exported to a file: thousands of credentials, and it still fits into memory.
    VAULT_EXPORT: usize = 16 * 1024 * 1024, "bytes", size;
    /// A passphrase; longer ones are a mistake, and hashing them is work for us.
    PASSPHRASE: usize = 1_024, "bytes", size;
    /// The shortest new passphrase: whoever has a copy of the file tries them all, and eight
    /// characters are what tires a patient one. One chosen earlier still opens its vault.
    PASSPHRASE_MIN: usize = 8, "characters", size;
    /// Memory a vault file may ask the key derivation for, in KiB: a planted file must not.
    KDF_MEMORY_MAX: u32 = 1024 * 1024, "KiB", count;
    /// Passes over that memory a vault file may ask for.
    KDF_PASSES_MAX: u32 = 64, "passes", count;
    /// Lanes of the key derivation a vault file may ask for.
    KDF_LANES_MAX: u32 = 64, "lanes", count;
    /// Wrong passphrases of one line of callers that are checked at once; from then on one is
    /// checked in each pace, and nobody who waits is refused.
    UNLOCK_ATTEMPTS: u32 = 5, "attempts", count;
    /// The pace of the person, and of who has the token in `daemon.json`: whoever reads that file
    /// reads the vault's beside it, and guesses faster without asking. 7,200 guesses an hour.
    UNLOCK_PACE: Duration = Duration::from_millis(500), "milliseconds", milliseconds;
    /// The pace of everybody else: each minted token has a line of its own, and so have those who
    /// sign in at the web page. 360 guesses an hour in each.
    UNLOCK_PACE_OTHERS: Duration = Duration::from_secs(10), "milliseconds", milliseconds;
    /// Passphrases waiting in the line of `daemon.json`'s token, and in a person's: the last of
    /// them has its turn after a minute.
    UNLOCK_QUEUE: usize = 120, "attempts", size;
    /// And in each other line.
    UNLOCK_QUEUE_OTHERS: usize = 8, "attempts", size;
    /// Refusals of one kind to one caller that are in the log one by one within a window; further
    /// ones are counted, and the log has their number when it is over.
    REFUSALS_TOLD: u32 = 20, "events", count;
    /// How long such a window is.
    REFUSALS_WALL: Duration = Duration::from_mins(10), "seconds", seconds;
    /// Callers whose refusals are told apart; those of further ones are counted together.
    REFUSALS_CALLERS: usize = 512, "callers", size;
    /// How long a person session lasts.
    PERSON_SESSION_WALL: Duration = Duration::from_mins(15), "seconds", seconds;
    /// Person sessions open at once.
    PERSON_SESSIONS: usize = 16, "sessions", size;
    /// The longest a minted token may live.
    TOKEN_WALL: Duration = Duration::from_hours(8784), "seconds", seconds;
    /// Minted tokens kept.
    TOKENS: usize = 256, "tokens", size;
    /// Agent sessions that run at once, each with a token of its own.
    AGENT_SESSIONS: usize = 256, "sessions", size;
    /// Of those, kept for sessions that a person begins: no program keeps a person from launching.
    AGENT_SESSIONS_RESERVED: usize = 64, "sessions", size;
    /// Those that one program's token began.
    AGENT_SESSIONS_ORIGIN: usize = 128, "sessions", size;
    /// Records of agent sessions kept; the oldest that ended make room.
    SESSIONS_KEPT: u32 = 10_000, "sessions", count;
    /// The published file of session records, read once: at a few hundred bytes each, more than
    /// are kept.
    SESSIONS_FILE: u64 = 16 * MIB, "bytes", number;
    /// The folder an agent session works in.
    WORKING_DIR: usize = 4_096, "bytes", size;
    /// A bearer token offered to the vault: its own are shorter.
    TOKEN_BEARER: usize = 256, "bytes", size;

    // setups at a provider
    /// Setups waiting for a person at once.
    OAUTH_SETUPS: usize = 64, "setups", size;
    /// How long one waits, as published.
    OAUTH_SETUP_WALL: Duration = Duration::from_mins(10), "seconds", seconds;
    /// How long a device's setup waits at most, whatever its provider allows: whoever asks about it
    /// does so in a person session, which has to outlast it.
    OAUTH_DEVICE_WALL: Duration = Duration::from_mins(10), "seconds", seconds;
    /// One answer of a provider: tokens are far shorter.
    OAUTH_ANSWER: u64 = 64 * 1024, "bytes", number;
    /// Asking a provider, from the call to the last byte.
    OAUTH_WALL: Duration = Duration::from_secs(10), "seconds", seconds;
    /// A token is refreshed this long before it expires, as published.
    OAUTH_EARLY: Duration = Duration::from_mins(1), "seconds", seconds;
    /// How long a request waits for a refresh while the present token still lives.
    OAUTH_PATIENCE: Duration = Duration::from_secs(2), "seconds", seconds;
    /// A provider that failed is left alone this long.
    OAUTH_PAUSE: Duration = Duration::from_secs(2), "seconds", seconds;
    /// An authorization code, a state or a cookie on its way back.
    OAUTH_CODE: usize = 8 * 1024, "bytes", size;

    // log
    /// One line of the log: entry bundles carry 16-bit lengths (C2SP tlog-tiles).
    AUDIT_LINE: usize = 65_535, "bytes", size;
    /// Records returned by one query, as published.
    AUDIT_PAGE: u32 = 1_000, "records", count;
    /// Appends waiting for the writer; further ones wait in line at the caller.
    AUDIT_QUEUE: usize = 4_096, "appends", size;
    /// Records a watcher may fall behind.
    AUDIT_WATCH_BUFFER: usize = 1_024, "records", size;
    /// Batches written and not yet published as tiles; past this the writer waits for them.
    AUDIT_PUBLISH_QUEUE: usize = 64, "batches", size;
    /// How long a reader waits for tiles that are being written.
    AUDIT_PUBLISH_WALL: Duration = Duration::from_secs(5), "seconds", seconds;
    /// The file of the log's key: a key's text is far shorter.
    AUDIT_KEY_FILE: u64 = 4 * 1024, "bytes", number;
    /// The log's checkpoint file: a signed note is far shorter.
    AUDIT_CHECKPOINT_FILE: u64 = 64 * 1024, "bytes", number;

    // database
    /// Connections of one pool: `SQLite` has one writer, the others read beside it.
    DATABASE_CONNECTIONS: u32 = 8, "connections", count;
    /// Waiting for a connection, or for another process's write, before the database counts as
    /// not available.
    DATABASE_WALL: Duration = Duration::from_secs(15), "seconds", seconds;
    /// Waiting for the holder of a role that is going away, such as a process just killed.
    ROLE_WALL: Duration = Duration::from_secs(3), "seconds", seconds;

    // egress
    /// A URL to request, or to be redirected to: it fits every server's request line.
    EGRESS_URL: usize = 32 * 1024, "bytes", size;
    /// A guest's headers together: more than servers take.
    EGRESS_HEADERS: usize = 64 * 1024, "bytes", size;
    /// A credential as it stands in a header: more than servers take.
    EGRESS_CREDENTIAL: usize = 8 * 1024, "bytes", size;
    /// An upstream's status line and headers.
    EGRESS_RESPONSE_HEAD: usize = 64 * 1024, "bytes", size;
    /// Requests under way at once, their bodies included; further ones wait inside their time.
    EGRESS_CONCURRENCY: usize = 512, "requests", size;
    /// Addresses of one name that are tried.
    EGRESS_ADDRESSES: usize = 8, "addresses", size;
    /// Idle connections kept.
    EGRESS_IDLE: usize = 64, "connections", size;
    /// How long an idle connection is kept.
    EGRESS_IDLE_WALL: Duration = Duration::from_mins(1), "seconds", seconds;

    // doors
    /// A REST request body.
    REQUEST_BODY: usize = 2 * 1024 * 1024, "bytes", size;
    /// The body that brings an exported vault, in base64.
    IMPORT_BODY: usize = 24 * 1024 * 1024, "bytes", size;
    /// Reading a request's body.
    REQUEST_BODY_WALL: Duration = Duration::from_secs(30), "seconds", seconds;
    /// A bearer token at the public door: room for tokens this house did not make.
    REQUEST_BEARER: usize = 4_096, "bytes", size;
    /// Open connections of the public listener.
    CONNECTIONS: u32 = 512, "connections", count;
    /// REST requests under way at once; further ones are refused with `busy`.
    REQUESTS: usize = 1_024, "requests", size;
    /// Watches of the log open at once, by programs.
    WATCHES: usize = 64, "streams", size;
    /// Watches of the approvals open at once, by programs.
    APPROVAL_WATCHES: usize = 256, "streams", size;
    /// Of either, by agents together: no agent keeps a program from watching.
    WATCHES_AGENTS: usize = 64, "streams", size;
    /// Of either, kept for persons: no program keeps a person from seeing what waits.
    WATCHES_PERSONS: usize = 32, "streams", size;
    /// How long a watch of the log lasts: its watcher comes back and shows its token again.
    WATCH_WALL: Duration = Duration::from_mins(15), "seconds", seconds;
    /// One MCP message, as published for a line.
    MCP_MESSAGE: usize = 1024 * 1024, "bytes", size;
    /// MCP sessions open at once; further ones are refused with `busy`.
    MCP_SESSIONS: usize = 256, "sessions", size;
    /// MCP sessions of one token: the next one ends its oldest.
    MCP_SESSIONS_EACH: usize = 16, "sessions", size;
    /// An MCP session nobody uses ends after this.
    MCP_IDLE: Duration = Duration::from_mins(30), "seconds", seconds;
    /// MCP calls of one client under way at once; further ones are refused.
    MCP_CALLS: usize = 64, "calls", size;
    /// MCP tools of one page: hosts bound the length of a message.
    MCP_PAGE: usize = 512 * 1024, "bytes", size;
    /// A text for a model, who reads all of it; the rest is cut with a mark.
    MCP_TEXT: usize = 512 * 1024, "bytes", size;
    /// A larger result comes as text alone, rather than twice.
    MCP_STRUCTURED: usize = 256 * 1024, "bytes", size;
    /// What a tool says of itself, which is read with every request to the model.
    MCP_DESCRIPTION: usize = 16 * 1024, "bytes", size;
    /// The same for what an argument means.
    MCP_ARGUMENT: usize = 2 * 1024, "bytes", size;
    /// A refusal, as the diagnosis quotes it.
    MCP_QUOTED: usize = 2 * 1024, "bytes", size;
    /// Questions of one MCP client that are open at once; what waits beyond them is told in the
    /// result alone.
    MCP_QUESTIONS: usize = 8, "questions", size;
    /// How long a client may leave one open.
    MCP_QUESTION_WALL: Duration = Duration::from_mins(10), "seconds", seconds;
    /// The message of one.
    MCP_QUESTION: usize = 4 * 1024, "bytes", size;
    /// Fields of a form of the web page: the largest action has fewer inputs.
    PAGE_FIELDS: usize = 256, "fields", size;
    /// Approvals on one page: a person decides one at a time, and the page stays small.
    PAGE_CARDS: usize = 8, "cards", size;
    /// One-time codes that sign a browser in, remembered at once.
    PAGE_CODES: usize = 64, "codes", size;
    /// How long such a code is good: a browser starts sooner.
    PAGE_CODE_WALL: Duration = Duration::from_secs(30), "seconds", seconds;
    /// One gRPC message; larger bodies are streamed (tonic's own default).
    MESSAGE: usize = 4 * 1024 * 1024, "bytes", size;
    /// One answer between services: an action's output and what surrounds it.
    ANSWER: usize = 64 * 1024 * 1024, "bytes", size;
    /// A request body on its way to egress, in pieces; callers have tighter bounds of their own.
    EGRESS_BODY: u64 = 64 * MIB, "bytes", number;
    /// One piece of a streamed body.
    BODY_PIECE: usize = 256 * 1024, "bytes", size;
    /// Calls under way on one connection between services; further ones wait in line.
    SERVICE_CALLS: u32 = 2_048, "calls", count;
    /// Headers between services: an error's sentence, percent-encoded, and its details, in base64.
    SERVICE_HEADERS: u32 = 256 * 1024, "bytes", count;
    /// What one stream between services may have on its way: bodies flow without waiting for each
    /// piece.
    SERVICE_STREAM_WINDOW: u32 = 1024 * 1024, "bytes", count;
    /// And all streams of one connection together.
    SERVICE_CONNECTION_WINDOW: u32 = 8 * 1024 * 1024, "bytes", count;
    /// Connecting to another service of this runtime: it is near, or it is not there.
    SERVICE_CONNECT_WALL: Duration = Duration::from_secs(2), "seconds", seconds;
    /// A silent connection between services is checked this often, and given up after as long.
    SERVICE_KEEPALIVE: Duration = Duration::from_secs(10), "seconds", seconds;
    /// Waiting past a call's deadline for the service's own answer to arrive.
    DEADLINE_GRACE: Duration = Duration::from_secs(1), "seconds", seconds;
    /// An error's sentence between services; the rest is cut with a mark.
    ERROR_TEXT: usize = 16 * 1024, "bytes", size;
    /// An error's details between services; larger ones are left out with a mark.
    ERROR_DETAILS: usize = 64 * 1024, "bytes", size;
    /// Waiting for requests under way at shutdown.
    DRAIN_WALL: Duration = Duration::from_secs(10), "seconds", seconds;
    /// Connecting to an upstream.
    CONNECT_WALL: Duration = Duration::from_secs(10), "seconds", seconds;
    /// `daemon.log`; what a full one held is kept as `daemon.log.1`, once.
    LOG_FILE: u64 = 16 * MIB, "bytes", number;
    /// Spans that wait to be exported; further ones are dropped and counted.
    TRACE_QUEUE: usize = 2_048, "spans", size;
    /// Spans exported together.
    TRACE_BATCH: usize = 512, "spans", size;
    /// How long the first span of a batch waits for others.
    TRACE_DELAY: Duration = Duration::from_secs(1), "seconds", seconds;
    /// One text in an exported span; the rest is cut.
    TRACE_TEXT: usize = 256, "bytes", size;
    /// Other spans that an exported span points to.
    TRACE_LINKS: usize = 8, "links", size;
    /// The headers of a collector, as its variable has them.
    TRACE_HEADERS: usize = 16 * 1024, "bytes", size;
    /// How long a collector may take to answer, unless its variable says otherwise.
    TRACE_WALL: Duration = Duration::from_secs(10), "seconds", seconds;
    /// The most that variable may say.
    TRACE_WALL_MAX: Duration = Duration::from_mins(1), "seconds", seconds;
    /// What is read of a collector's answer: how many spans it refused stands at its start.
    TRACE_ANSWER: usize = 64 * 1024, "bytes", size;
    /// The file of one day; a full one takes no more spans.
    TRACE_FILE: u64 = 256 * MIB, "bytes", number;
    /// Files of days kept; the oldest makes room for that of a new day.
    TRACE_DAYS: usize = 7, "files", size;
    /// Exporting the last spans at shutdown.
    TRACE_FLUSH_WALL: Duration = Duration::from_secs(5), "seconds", seconds;
    /// `config.yaml`.
    CONFIG_FILE: u64 = MIB, "bytes", number;
    /// One PEM file that `config.yaml` names: a chain of certificates is far shorter.
    TLS_FILE: u64 = 256 * 1024, "bytes", number;
}
