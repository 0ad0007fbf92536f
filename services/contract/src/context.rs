//! Who asks, with which rights, and until when: one argument of every call that matters.

use std::{collections::BTreeSet, fmt, str::FromStr};

use crate::{Error, Reason, Result, Timestamp, names};

/// Everything a service must know about a call besides its own arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    pub principal: Principal,
    /// Who began the session of an agent's token; none for everybody else.
    pub begun_by: Option<Principal>,
    pub scopes: Scopes,
    /// The agent session the call belongs to, if any.
    pub session: Option<names::SessionId>,
    pub idempotency_key: Option<IdempotencyKey>,
    /// After this the caller no longer waits. Mutations under way still finish.
    pub deadline: Option<Timestamp>,
}

impl Context {
    /// A call the runtime makes on its own behalf, such as a restart's reconciliation.
    pub fn service(name: &'static str) -> Self {
        Self {
            principal: Principal::Service(name.into()),
            begun_by: None,
            scopes: Scopes::all(),
            session: None,
            idempotency_key: None,
            deadline: None,
        }
    }

    /// Refuses unless the caller holds `scope`.
    pub fn require(&self, scope: Scope) -> Result<()> {
        if self.scopes.contains(scope) {
            return Ok(());
        }
        let (reason, advice) = if scope.mintable() {
            (Reason::ScopeMissing, "use a token that was minted with it, or a person session")
        } else {
            (Reason::PersonRequired, "a person has to do this, with the vault passphrase")
        };
        Err(Error::new(reason, format!("this call needs the scope {scope}: {advice}")))
    }
}

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Principal {
    /// A person who proved the vault passphrase; the id names the person session.
    Person(Box<str>),
    /// A program with a minted token, or with the daemon's own (`daemon`).
    Program(Box<str>),
    /// An agent session's token.
    Agent(Box<str>),
    /// A part of this runtime.
    Service(Box<str>),
}

impl Principal {
    /// Did somebody prove the vault passphrase?
    pub fn is_person(&self) -> bool {
        matches!(self, Self::Person(_))
    }

    /// A person, a program with a token that a person minted for it, or the runtime itself: not
    /// who merely reads `daemon.json`, nor an agent.
    pub fn was_let_in(&self) -> bool {
        match self {
            Self::Person(_) | Self::Service(_) => true,
            Self::Program(id) => **id != *Self::DAEMON,
            Self::Agent(_) => false,
        }
    }

    /// The id of the program that carries the daemon's own token.
    pub const DAEMON: &str = "daemon";

    /// The part of the runtime that speaks for whoever is at the web page, not signed in.
    pub const GATEWAY: &str = "gateway";
}

macro_rules! scopes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $mintable:literal, $program:literal;)*) => {
        /// One right. `mintable` rights may be given to a program by a person; the others belong
        /// to person sessions alone.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Scope { $($(#[$doc])* $name,)* }

        impl Scope {
            /// All rights, in the order they are listed.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The published word, such as `actions:run`.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// May a person give this right to a program?
            pub const fn mintable(self) -> bool {
                match self { $(Self::$name => $mintable,)* }
            }

            /// Does the token in `daemon.json` carry it?
            pub const fn of_daemon_token(self) -> bool {
                match self { $(Self::$name => $program,)* }
            }
        }
    };
}

scopes! {
    // name                  text             mintable  in daemon.json
    StatusRead = "status:read", true, true;
    ActionsList = "actions:list", true, true;
    ActionsRun = "actions:run", true, true;
    ApprovalsPoll = "approvals:poll", true, true;
    RunsRead = "runs:read", true, true;
    AuditRead = "audit:read", true, true;
    SessionsRead = "sessions:read", true, true;
    /// Begin and end agent sessions. A session's token has less than the token in `daemon.json`,
    /// so whoever has that one may begin one.
    SessionsRun = "sessions:run", true, true;
    BindingsList = "bindings:list", true, true;
    KeyringList = "keyring:list", true, true;
    PackagesPreview = "packages:preview", true, true;
    /// Enable and disable actions.
    ActionsConfigure = "actions:configure", true, false;
    /// Consent to installing connectors and actions.
    PackagesInstall = "packages:install", true, false;
    KeyringTrust = "keyring:trust", true, false;
    /// Create, rebind and revoke bindings.
    BindingsWrite = "bindings:write", true, false;
    SecretsWrite = "secrets:write", true, false;
    VaultLock = "vault:lock", true, false;
    /// Read an agent's or a person's login in the clear. A program's token has it only when a
    /// person minted it with this very scope; the one in `daemon.json` and agents never have it.
    CredentialsExport = "credentials:export", true, false;
    /// Decide approvals. Never a program's.
    ApprovalsDecide = "approvals:decide", false, false;
    /// Mint, list and revoke tokens; list and end person sessions.
    TokensMint = "tokens:mint", false, false;
    /// Change the vault passphrase, rotate the vault key.
    VaultManage = "vault:manage", false, false;
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl FromStr for Scope {
    type Err = Error;

    fn from_str(raw: &str) -> Result<Self> {
        Self::ALL.iter().copied().find(|scope| scope.text() == raw).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|scope| scope.text()).collect();
            Error::new(
                Reason::InvalidRequest,
                format!("{raw:?} is not a scope; known scopes: {}", known.join(", ")),
            )
        })
    }
}

/// A set of rights.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// Every right there is: a person's, and the runtime's own.
    pub fn all() -> Self {
        Self(Scope::ALL.iter().copied().collect())
    }

    /// What the token in `daemon.json` may do: list, run, poll and read status.
    pub fn of_daemon_token() -> Self {
        Self(Scope::ALL.iter().copied().filter(|scope| scope.of_daemon_token()).collect())
    }

    /// What an agent session's token may do: list and run actions, and poll what becomes of them.
    pub fn of_agent() -> Self {
        [Scope::ActionsList, Scope::ActionsRun, Scope::ApprovalsPoll].into_iter().collect()
    }

    /// Is this right in the set?
    pub fn contains(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// The rights, in the order they are listed.
    pub fn iter(&self) -> impl Iterator<Item = Scope> + '_ {
        self.0.iter().copied()
    }

    /// No right at all?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

/// A caller's own name for a mutation, so that a retry finds the first one's outcome.
/// 1 to 128 visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(Box<str>);

impl IdempotencyKey {
    /// The key as the caller wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for IdempotencyKey {
    type Err = Error;

    fn from_str(raw: &str) -> Result<Self> {
        let fits = (1..=128).contains(&raw.len()) && raw.bytes().all(|c| c.is_ascii_graphic());
        if fits {
            return Ok(Self(raw.into()));
        }
        Err(Error::new(
            Reason::InvalidRequest,
            "an Idempotency-Key is 1 to 128 visible ASCII characters",
        ))
    }
}
