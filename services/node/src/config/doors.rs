//! The section `services`: a role is a socket on this host, or an address on another.

use std::path::PathBuf;

use super::{Door, Doors, Role, Tls, grammar, section::Section};

pub(super) fn read(section: &mut Section<'_>) -> Doors {
    Doors {
        token_file: section.text("token_file", grammar::absolute),
        tls: tls(section),
        executor: door(section, "executor"),
        vault: door(section, "vault"),
        audit: door(section, "audit"),
        launcher: door(section, "launcher"),
    }
}

/// A role elsewhere must be reachable, one that is reached must be guarded. What has a problem
/// already gets no second one.
pub(super) fn require(doors: &Doors, roles: &[Role], problems: &mut Vec<String>) {
    let mut missing = Vec::new();
    for role in [Role::Executor, Role::Vault, Role::Audit, Role::Launcher] {
        let here = roles.contains(&role);
        match doors.of(role) {
            // A split may do without agent sessions.
            None if role == Role::Launcher => {}
            None if !here => missing.push(format!(
                "services.{role}: the path of its socket, or {{address: HOST:PORT}}, is needed, \
                 since {role} runs elsewhere"
            )),
            Some(Door::Tls { listen: None, .. }) if here => missing.push(format!(
                "services.{role}.listen: an address like 10.0.0.1:7401 is needed, since {role} \
                 runs here"
            )),
            Some(Door::Tls { address: None, .. }) if !here => missing.push(format!(
                "services.{role}.address: HOST:PORT is needed, since {role} runs elsewhere"
            )),
            _ => {}
        }
    }
    let named = [&doors.executor, &doors.vault, &doors.audit, &doors.launcher];
    if named.iter().any(|door| door.is_some()) && doors.token_file.is_none() {
        missing.push("services.token_file: needed to guard the doors".to_owned());
    }
    let between_hosts = |door: &&Option<Door>| matches!(door, Some(Door::Tls { .. }));
    if named.iter().any(between_hosts) && doors.tls.is_none() {
        missing.push(
            "services.tls: authority, certificate and key are needed between hosts".to_owned(),
        );
    }
    missing.retain(|problem| {
        let key = problem.split_once(':').map_or(problem.as_str(), |(key, _)| key);
        !problems.iter().any(|known| known.starts_with(key))
    });
    problems.append(&mut missing);
}

fn door(section: &mut Section<'_>, role: &str) -> Option<Door> {
    if !section.is_mapping(role) {
        return section.text(role, grammar::absolute).map(Door::Socket);
    }
    Some(section.section(role, |door| Door::Tls {
        listen: door.text("listen", grammar::address),
        address: door.text("address", grammar::host_port),
    }))
}

fn tls(section: &mut Section<'_>) -> Option<Tls> {
    if !section.has("tls") {
        return None;
    }
    section.section("tls", |tls| {
        let [authority, certificate, key]: [Option<PathBuf>; 3] =
            ["authority", "certificate", "key"].map(|file| tls.required(file, grammar::absolute));
        Some(Tls { authority: authority?, certificate: certificate?, key: key? })
    })
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::{
        config::{Config, Flags, load},
        environment::Environment,
    };

    fn config(file: &str, roles: &[&str]) -> Result<Config, Vec<String>> {
        let roles = roles.iter().map(|role| (*role).to_owned()).collect();
        let environment = Environment::new(std::iter::empty());
        load(file, &environment, &Flags { roles, ..Flags::default() })
    }

    const EVERYWHERE: &str = "services:\n  token_file: /t\n  tls: {authority: /a, certificate: \
        /c, key: /k}\n  audit: /run/audit.sock\n  vault: {listen: '10.0.0.1:7401', address: \
        'vault.internal:7401'}\n  executor: {listen: '10.0.0.2:7402', address: \
        'executor.internal:7402'}\n";

    #[test]
    fn one_file_serves_every_process() {
        for role in Role::ALL {
            let config = config(EVERYWHERE, &[role.text()]).unwrap();
            assert_eq!(
                config.services.of(Role::Audit),
                Some(&Door::Socket("/run/audit.sock".into()))
            );
            let listen: SocketAddr = "10.0.0.1:7401".parse().unwrap();
            let address = "vault.internal:7401".parse().unwrap();
            let vault = Door::Tls { listen: Some(listen), address: Some(address) };
            assert_eq!(config.services.of(Role::Vault), Some(&vault));
        }
    }

    #[test]
    fn every_problem_of_a_split_is_named_once_with_its_key() {
        let file = "services:\n  tls: {certificate: relative, keys: /k}\n  vault: {address: \
                    'x:1'}\n  executor: {listen: '10.0.0.2:7402'}\n  audit: {adress: 'a:1'}\n";
        let problems = config(file, &["vault"]).expect_err("all of it is wrong");
        for key in [
            "services.tls.authority:",
            "services.tls.certificate:",
            "services.tls.key:",
            "services.tls.keys: unknown",
            "services.vault.listen:",
            "services.executor.address:",
            "services.audit.adress: unknown",
            "services.audit.address:",
            "services.token_file:",
        ] {
            let found = problems.iter().filter(|problem| problem.starts_with(key)).count();
            assert_eq!(found, 1, "{key} in {problems:#?}");
        }
        assert_eq!(problems.len(), 9, "{problems:#?}");
    }

    #[test]
    fn a_door_between_hosts_needs_tls() {
        let file = "services: {token_file: /t, audit: {listen: '10.0.0.1:7401'}}\n";
        let problems = config(file, &[]).expect_err("no certificate");
        assert!(
            problems.iter().any(|problem| problem.starts_with("services.tls:")),
            "{problems:?}"
        );
    }
}
