//! From raw text to a checked value, or every problem.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use aileron_contract::{Secret, egress::Authorization, limits, names::HostPort};
use serde_yaml_ng::Value;

use super::{
    Config, Doors, Github, Notifications, QuietHours, Role, doors,
    grammar::{
        absolute, address, database_url, host_name, host_port, hours, https_url, hub_url,
        log_filter, minutes, origin, page_url, secret, time_of_day, timezone,
    },
    section::Section,
};
use crate::environment::{self, Environment};

/// What the command line may say.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    pub config: Option<PathBuf>,
    pub listen: Option<String>,
    /// Empty means all.
    pub roles: Vec<String>,
    pub log: Option<String>,
    /// The process ends when its standard input, a pipe, does.
    pub until_input_ends: bool,
}

/// Merges file, environment and flags. `file` is the text of `config.yaml`, empty without one.
pub fn load(file: &str, environment: &Environment, flags: &Flags) -> Result<Config, Vec<String>> {
    let mut problems = Vec::new();
    let value = match serde_yaml_ng::from_str(file) {
        Ok(value) => value,
        Err(error) => {
            problems.push(format!("config.yaml: {error}"));
            Value::Null
        }
    };
    let mut file = File::read(value, &mut problems);
    overlay(&mut file, environment, flags, &mut problems);
    let roles = roles(flags, &mut problems);
    doors::require(&file.services, &roles, &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    let home = environment.home();
    Ok(Config {
        audit_home: file.audit_home.unwrap_or_else(|| home.clone()),
        home,
        listen: file.listen.unwrap_or(DEFAULT_LISTEN),
        hosts: file.hosts,
        gateway_url: file.gateway_url,
        log: file.log.unwrap_or_else(|| "info".to_owned()),
        database_url: file.database_url,
        audit_origin: file.audit_origin.unwrap_or_else(|| super::AUDIT_ORIGIN.to_owned()),
        approval_wall: file.approval_wall.unwrap_or(limits::APPROVAL_WALL),
        github: file.github,
        egress_roots: file.egress_roots,
        private_hosts: file.private_hosts,
        idle_lock: file.idle_lock,
        roles,
        services: file.services,
        hub_url: hub(file.hub_url, file.hub_enabled),
        notifications: Notifications {
            enabled: file.notifications.unwrap_or(true),
            quiet_hours: file.quiet_hours,
            bus: environment.get(environment::SESSION_BUS).map(str::to_owned),
        },
    })
}

/// The Hub's repository, unless the file turns the Hub off in one of the two published ways.
fn hub(url: Option<String>, enabled: Option<bool>) -> Option<String> {
    let url = url.unwrap_or_else(|| aileron_executor::packages::HUB.to_owned());
    Some(url).filter(|url| enabled.unwrap_or(true) && !url.is_empty())
}

/// Loopback, and a port the system chooses.
const DEFAULT_LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// What the file says; absent keys are none.
struct File {
    listen: Option<SocketAddr>,
    hosts: Vec<String>,
    gateway_url: Option<String>,
    log: Option<String>,
    database_url: Option<String>,
    audit_home: Option<PathBuf>,
    audit_origin: Option<String>,
    approval_wall: Option<Duration>,
    github: Github,
    egress_roots: Vec<PathBuf>,
    private_hosts: Vec<HostPort>,
    idle_lock: Option<Duration>,
    services: Doors,
    /// None is the published one, an empty text none at all.
    hub_url: Option<String>,
    hub_enabled: Option<bool>,
    notifications: Option<bool>,
    quiet_hours: Option<QuietHours>,
}

impl File {
    fn read(value: Value, problems: &mut Vec<String>) -> Self {
        Section::root(value, problems, |root| {
            let listen = root.text("listen", address);
            let hosts = root.list("hosts", host_name);
            let gateway_url = root.text("gateway_url", page_url);
            let log = root.text("log", log_filter);
            let database_url = root.text("database_url", database_url);
            let audit_origin = root.section("audit", |audit| audit.text("origin", origin));
            let approval_wall = root.section("approvals", |it| it.text("expiry_hours", hours));
            let github = root.section("sources", |sources| sources.section("github", github));
            let (egress_roots, private_hosts) = root.section("egress", |egress| {
                (egress.list("roots", absolute), egress.list("private_hosts", host_port))
            });
            let idle_lock = root.section("vault", |vault| vault.text("idle_lock", minutes));
            let services = root.section("services", doors::read);
            let (hub_url, hub_enabled) =
                root.section("hub", |hub| (hub.text("url", hub_url), hub.flag("enabled")));
            let (notifications, quiet_hours) = root.section("notifications", notifications);
            Self {
                listen,
                hosts,
                gateway_url,
                log,
                database_url,
                audit_home: None,
                audit_origin,
                approval_wall,
                github,
                egress_roots,
                private_hosts,
                idle_lock,
                services,
                hub_url,
                hub_enabled,
                notifications,
                quiet_hours,
            }
        })
    }
}

fn github(section: &mut Section<'_>) -> Github {
    Github {
        base_url: section.text("base_url", https_url),
        api_url: section.text("api_url", https_url),
        raw_url: section.text("raw_url", https_url),
        asset_hosts: section.list("asset_hosts", host_port),
        token: section.text("token", secret).map(Authorization::Stored),
    }
}

/// Whether there are any, and when they stay silent.
fn notifications(section: &mut Section<'_>) -> (Option<bool>, Option<QuietHours>) {
    let enabled = section.flag("enabled");
    let quiet_hours = section.section("quiet_hours", |hours| {
        let start = hours.text("start", time_of_day);
        let end = hours.text("end", time_of_day);
        let timezone = hours.text("timezone", timezone);
        Some(QuietHours { start: start?, end: end?, timezone })
    });
    (enabled, quiet_hours)
}

fn overlay(file: &mut File, environment: &Environment, flags: &Flags, problems: &mut Vec<String>) {
    let mut layer =
        |name: &str, raw: Option<&str>, apply: &mut dyn FnMut(&str) -> Result<(), String>| {
            if let Some(raw) = raw
                && let Err(problem) = apply(raw)
            {
                problems.push(format!("{name}: {problem}"));
            }
        };
    let mut listen = |raw: &str| address(raw).map(|value| file.listen = Some(value));
    layer(environment::LISTEN, environment.get(environment::LISTEN), &mut listen);
    layer("--listen", flags.listen.as_deref(), &mut listen);
    let mut log = |raw: &str| log_filter(raw).map(|value| file.log = Some(value));
    layer(environment::LOG, environment.get(environment::LOG), &mut log);
    layer("--log", flags.log.as_deref(), &mut log);
    layer(environment::DATABASE_URL, environment.get(environment::DATABASE_URL), &mut |raw| {
        database_url(raw).map(|value| file.database_url = Some(value))
    });
    layer(environment::AUDIT_DIR, environment.get(environment::AUDIT_DIR), &mut |raw| {
        if raw.is_empty() {
            return Err("a log in memory alone proves nothing: name a folder or unset it".into());
        }
        absolute(raw).map(|value| file.audit_home = Some(value))
    });
    let set = |name: &str| environment.get(name).filter(|token| !token.is_empty());
    if let Some(token) = set("GH_TOKEN").or_else(|| set("GITHUB_TOKEN")) {
        let token = Arc::new(Secret::from(token.to_owned()));
        file.github.token = Some(Authorization::Token(token));
    }
}

fn roles(flags: &Flags, problems: &mut Vec<String>) -> Vec<Role> {
    if flags.roles.is_empty() {
        return Role::ALL.to_vec();
    }
    let mut roles = Vec::new();
    for raw in &flags.roles {
        match raw.parse() {
            Ok(role) => roles.push(role),
            Err(problem) => problems.push(format!("--roles: {problem}")),
        }
    }
    roles.sort_unstable();
    roles.dedup();
    roles
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::new(variables.iter().map(|(k, v)| (OsString::from(k), OsString::from(v))))
    }

    #[test]
    fn every_problem_is_reported_at_once_with_its_key_path() {
        let file = "listen: nowhere\nhub: {url: 'ftp://x', branch: main}\nsurces: {}\n\
                    egress: {roots: [relative, 7]}\n";
        let problems = load(file, &environment(&[("AILERON_LOG", "=[")]), &Flags::default())
            .expect_err("five problems");
        for key in [
            "listen:",
            "hub.url:",
            "hub.branch: unknown",
            "surces: unknown",
            "egress.roots[0]:",
            "egress.roots[1]:",
            "AILERON_LOG:",
        ] {
            assert!(problems.iter().any(|p| p.starts_with(key)), "{key} in {problems:?}");
        }
    }

    #[test]
    fn flags_win_over_the_environment_and_that_over_the_file() {
        let flags = Flags { listen: Some("127.0.0.1:3".into()), ..Flags::default() };
        let environment = environment(&[("AILERON_LISTEN", "127.0.0.1:2")]);
        let file = "listen: 127.0.0.1:1\n";
        assert_eq!(load(file, &environment, &flags).unwrap().listen.port(), 3);
        assert_eq!(load(file, &environment, &Flags::default()).unwrap().listen.port(), 2);
    }

    #[test]
    fn a_token_in_the_file_is_a_reference_and_a_pasted_one_is_not_repeated() {
        let token = |file: &str, variables: &[(&str, &str)]| {
            load(file, &environment(variables), &Flags::default()).map(|it| it.github.token)
        };
        let file = "sources: {github: {token: 'vault:secret/team/github'}}\n";
        let Some(Authorization::Stored(name)) = token(file, &[]).unwrap() else {
            panic!("the secret's name is expected")
        };
        assert_eq!(name.as_str(), "team/github");
        let ours = token(file, &[("GH_TOKEN", "ghp_fromTheVariable")]).unwrap();
        assert!(matches!(ours, Some(Authorization::Token(_))));
        let first = |variables: &[(&str, &str)]| match token("", variables).unwrap() {
            Some(Authorization::Token(token)) => token.expose(|it| it == b"ghp_one"),
            _ => false,
        };
        assert!(first(&[("GH_TOKEN", "ghp_one"), ("GITHUB_TOKEN", "ghp_two")]));
        assert!(first(&[("GH_TOKEN", ""), ("GITHUB_TOKEN", "ghp_one")]), "an empty one is none");
        assert!(!first(&[("GH_TOKEN", "")]));
        for wrong in ["ghp_pasted", "vault:user/github", "vault:secret/../x", "secret/x"] {
            let file = format!("sources: {{github: {{token: '{wrong}'}}}}\n");
            let problems = token(&file, &[]).expect_err("no reference");
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].starts_with("sources.github.token:"), "{problems:?}");
            assert!(!problems[0].contains(wrong), "{problems:?}");
        }
        // Nowhere else is such text anything but text.
        let file = "audit: {origin: 'vault:secret/x'}\n";
        let config = load(file, &environment(&[]), &Flags::default()).unwrap();
        assert_eq!(config.audit_origin, "vault:secret/x");
    }

    #[test]
    fn the_page_is_where_the_file_says_over_tls_or_on_this_machine() {
        let page = |url: &str| {
            let file = format!("gateway_url: '{url}'\n");
            load(&file, &environment(&[]), &Flags::default()).map(|it| it.gateway_url)
        };
        for (url, kept) in [
            ("https://aileron.example", "https://aileron.example"),
            ("https://aileron.example:8443/", "https://aileron.example:8443"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("http://page.localhost:8080", "http://page.localhost:8080"),
            ("https://Aileron.Example:443", "https://aileron.example"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
        ] {
            assert_eq!(page(url).unwrap().as_deref(), Some(kept), "{url}");
        }
        for wrong in [
            "http://aileron.example",
            "http://127.0.0.1.example",
            "https://aileron.example/path",
            "https://user@aileron.example",
            "https://aileron.example?x",
            "https://aileron.example:0",
            "https://*.example",
            "https://$(id).example",
            "https://a{b}.example",
            "https://a;b.example",
            "javascript:alert(1)",
            "http://127.1.example:8080",
            "https://",
            "aileron.example",
            "ftp://aileron.example",
            "",
        ] {
            let problems = page(wrong).expect_err(wrong);
            assert!(problems[0].starts_with("gateway_url:"), "{problems:?}");
        }
    }

    #[test]
    fn a_vault_locks_itself_only_when_told_to() {
        let idle =
            |file: &str| load(file, &environment(&[]), &Flags::default()).map(|it| it.idle_lock);
        assert_eq!(idle("").unwrap(), None);
        assert_eq!(idle("vault: {idle_lock: 15}\n").unwrap(), Some(Duration::from_mins(15)));
        for wrong in ["0", "-1", "soon", "10081"] {
            let file = format!("vault: {{idle_lock: {wrong}}}\n");
            let problems = idle(&file).expect_err(wrong);
            assert!(problems[0].starts_with("vault.idle_lock:"), "{problems:?}");
        }
    }

    #[test]
    fn published_files_open_unchanged() {
        let file = "notifications:\n  quiet_hours: {start: '22:00', end: '07:30', \
                    timezone: UTC}\nhub:\n  url: https://example.com/hub.git\n";
        let config = load(file, &environment(&[]), &Flags::default()).unwrap();
        assert_eq!(config.hub_url.as_deref(), Some("https://example.com/hub.git"));
        assert!(config.notifications.enabled && config.notifications.quiet_hours.is_some());
        let off = load("notifications: {enabled: false}\n", &environment(&[]), &Flags::default());
        assert!(!off.unwrap().notifications.enabled);
        let wrong = load("notifications: {enabled: never}\n", &environment(&[]), &Flags::default());
        assert!(wrong.unwrap_err()[0].starts_with("notifications.enabled:"));
    }

    #[test]
    fn the_hub_is_the_published_one_unless_the_file_says_otherwise() {
        let hub =
            |file: &str| load(file, &environment(&[]), &Flags::default()).map(|it| it.hub_url);
        assert_eq!(hub("").unwrap().as_deref(), Some(aileron_executor::packages::HUB));
        assert_eq!(hub("hub: {url: ''}\n").unwrap(), None);
        assert_eq!(hub("hub: {enabled: false}\n").unwrap(), None);
        let own = "hub: {url: 'https://h.example/o/r', enabled: true}\n";
        assert_eq!(hub(own).unwrap().as_deref(), Some("https://h.example/o/r"));
        for wrong in ["hub: {enabled: perhaps}\n", "hub: {url: 'http://h.example/o/r'}\n"] {
            assert_eq!(hub(wrong).expect_err(wrong).len(), 1);
        }
    }

    #[test]
    fn a_split_names_the_sockets_of_what_runs_elsewhere() {
        let flags = Flags { roles: vec!["executor".into()], ..Flags::default() };
        let problems = load("", &environment(&[]), &flags).expect_err("no sockets");
        assert!(problems.iter().any(|p| p.starts_with("services.vault")), "{problems:?}");
    }
}
