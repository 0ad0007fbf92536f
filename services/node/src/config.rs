//! Configuration: defaults, then `config.yaml`, then `AILERON_*`, then flags. Checked once; all
//! problems are reported together with their key paths; unknown keys are refused.

mod doors;
mod grammar;
mod load;
mod section;

use std::{fmt, net::SocketAddr, path::PathBuf, str::FromStr, time::Duration};

use aileron_contract::{egress::Authorization, names::HostPort};

pub use load::{Flags, load};

/// What a new log is called unless the configuration names it.
pub const AUDIT_ORIGIN: &str = "aileron.local/audit";

/// Everything the daemon needs to know before it starts.
#[derive(Debug)]
pub struct Config {
    pub home: PathBuf,
    /// The folder that holds `audit/`.
    pub audit_home: PathBuf,
    pub listen: SocketAddr,
    /// Names, besides loopback, that requests may give as `Host`.
    pub hosts: Vec<String>,
    /// Where people find the web page, when it is not at the listener.
    pub gateway_url: Option<String>,
    pub log: String,
    pub database_url: Option<String>,
    /// The log's name in its checkpoints.
    pub audit_origin: String,
    pub approval_wall: Duration,
    pub github: Github,
    pub egress_roots: Vec<PathBuf>,
    pub private_hosts: Vec<HostPort>,
    /// Lock a vault that nobody uses; off without.
    pub idle_lock: Option<Duration>,
    pub roles: Vec<Role>,
    pub services: Doors,
    /// The Hub's repository; none turns the Hub off.
    pub hub_url: Option<String>,
    pub notifications: Notifications,
}

/// What the person at the desktop is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notifications {
    pub enabled: bool,
    pub quiet_hours: Option<QuietHours>,
    /// The address of the desktop's session bus, where the environment names one.
    pub bus: Option<String>,
}

/// Where packages come from.
#[derive(Debug)]
pub struct Github {
    pub base_url: Option<String>,
    pub api_url: Option<String>,
    pub raw_url: Option<String>,
    pub asset_hosts: Vec<HostPort>,
    /// `GH_TOKEN`, else `GITHUB_TOKEN`, else what the file refers to; sent to the API only.
    pub token: Option<Authorization>,
}

/// One part of the runtime that can be a process of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Gateway,
    Executor,
    /// Vault, access and egress.
    Vault,
    Audit,
    /// Agent sessions.
    Launcher,
}

impl Role {
    /// All roles, in the order in which one process would list them.
    pub const ALL: [Self; 5] =
        [Self::Gateway, Self::Executor, Self::Vault, Self::Audit, Self::Launcher];

    /// The word in `--roles` and in the configuration.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Executor => "executor",
            Self::Vault => "vault",
            Self::Audit => "audit",
            Self::Launcher => "launcher",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(raw: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|role| role.text() == raw).ok_or_else(|| {
            format!("{raw:?} is not a role: use gateway, executor, vault, audit, launcher")
        })
    }
}

/// Where the roles of a split deployment meet.
#[derive(Debug, Default)]
pub struct Doors {
    pub token_file: Option<PathBuf>,
    /// Needed for doors between hosts.
    pub tls: Option<Tls>,
    pub executor: Option<Door>,
    pub vault: Option<Door>,
    pub audit: Option<Door>,
    /// Without it, and without the role here, there are no agent sessions.
    pub launcher: Option<Door>,
}

impl Doors {
    /// The gateway has none here: it is what the world talks to.
    pub fn of(&self, role: Role) -> Option<&Door> {
        match role {
            Role::Gateway => None,
            Role::Executor => self.executor.as_ref(),
            Role::Vault => self.vault.as_ref(),
            Role::Audit => self.audit.as_ref(),
            Role::Launcher => self.launcher.as_ref(),
        }
    }
}

/// How a role is reached.
#[derive(Debug, PartialEq, Eq)]
pub enum Door {
    /// On this host.
    Socket(PathBuf),
    /// Between hosts, with mutual TLS: where the role listens when it runs here, and where it is
    /// dialled when it runs elsewhere.
    Tls { listen: Option<SocketAddr>, address: Option<HostPort> },
}

/// PEM files: the private authority, and the certificate of this process with its key. The
/// certificate names the roles that run here, as DNS names.
#[derive(Debug)]
pub struct Tls {
    pub authority: PathBuf,
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// When desktop notifications stay silent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuietHours {
    pub start: jiff::civil::Time,
    pub end: jiff::civil::Time,
    /// IANA name; the machine's zone without.
    pub timezone: Option<String>,
}
