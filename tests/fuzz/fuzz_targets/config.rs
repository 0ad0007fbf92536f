//! `config.yaml`: accepted, or refused with problems that name their key; a password is not shown.
#![no_main]

use aileron_node::{Environment, Flags, config};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let environment = Environment::new(std::iter::empty());
    match config::load(text, &environment, &Flags::default()) {
        Ok(config) => {
            let hours = config.approval_wall.as_secs() / 3_600;
            assert!((1..=720).contains(&hours));
            assert!(config.egress_roots.iter().all(|path| path.is_absolute()));
            assert!(config.database_url.is_none_or(|url| url.starts_with("postgres")));
            assert!(!config.audit_origin.contains(char::is_whitespace));
            for host in config.private_hosts.iter().chain(&config.github.asset_hosts) {
                assert_eq!(host.to_string().parse().ok().as_ref(), Some(host));
            }
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            assert!(problems.iter().all(|problem| problem.contains(": ")), "{problems:?}");
        }
    }
});
