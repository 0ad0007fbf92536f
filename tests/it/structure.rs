//! The arrows between the rooms, and what every package shares.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
};

use aileron_contract::audit::EventKind;

const SERVICES: [&str; 6] = [
    "aileron-store",
    "aileron-vault",
    "aileron-executor",
    "aileron-wasmhost",
    "aileron-audit",
    "aileron-launcher",
];

const OURS: [&str; 15] = [
    "aileron-api",
    "aileron-audit",
    "aileron-cli",
    "aileron-contract",
    "aileron-executor",
    "aileron-gateway",
    "aileron-launcher",
    "aileron-mcp",
    "aileron-node",
    "aileron-proto",
    "aileron-receipt",
    "aileron-store",
    "aileron-vault",
    "aileron-wasmhost",
    "aileron-wire",
];

#[test]
fn a_service_does_not_know_how_it_is_reached() {
    for service in SERVICES {
        never(service, &["tonic", "prost", "axum", "aileron-proto", "aileron-wire"]);
    }
}

#[test]
fn services_call_each_other_through_handles_only() {
    for service in SERVICES {
        let mut others: Vec<_> = SERVICES.into_iter().filter(|it| *it != service).collect();
        others.retain(|other| match service {
            // What persists uses the store; the executor runs its guests itself.
            "aileron-executor" => !["aileron-store", "aileron-wasmhost"].contains(other),
            "aileron-vault" | "aileron-audit" | "aileron-launcher" => *other != "aileron-store",
            _ => true,
        });
        never(service, &others);
    }
}

#[test]
fn the_gateway_knows_services_through_the_contract_only() {
    let mut forbidden = SERVICES.to_vec();
    forbidden.extend(["aileron-wire", "aileron-node", "wasmtime", "sqlx"]);
    never("aileron-gateway", &forbidden);
}

#[test]
fn the_thin_client_knows_the_api_and_receipts_only() {
    let tree = tree("aileron-cli", &["--no-default-features"]);
    let ours: BTreeSet<_> = OURS.into_iter().filter(|it| tree.contains(*it)).collect();
    assert_eq!(ours, BTreeSet::from(["aileron-api", "aileron-cli", "aileron-receipt"]));
}

#[test]
fn the_tools_program_knows_the_api_only() {
    let tree = tree("aileron-mcp", &[]);
    let ours: BTreeSet<_> = OURS.into_iter().filter(|it| tree.contains(*it)).collect();
    assert_eq!(ours, BTreeSet::from(["aileron-api", "aileron-mcp"]));
}

#[test]
fn the_foundations_depend_on_none_of_ours() {
    for foundation in ["aileron-contract", "aileron-receipt", "aileron-proto", "aileron-api"] {
        let others: Vec<_> = OURS.into_iter().filter(|it| *it != foundation).collect();
        never(foundation, &others);
    }
    never("aileron-contract", &["tokio", "tonic", "axum", "sqlx"]);
}

#[test]
fn the_wire_knows_contracts_and_protocol_only() {
    let mut forbidden = SERVICES.to_vec();
    forbidden.extend(["aileron-gateway", "aileron-node"]);
    never("aileron-wire", &forbidden);
}

#[test]
fn only_the_vault_encrypts() {
    let without_vault = [
        "aileron-api",
        "aileron-audit",
        "aileron-executor",
        "aileron-gateway",
        "aileron-launcher",
        "aileron-receipt",
        "aileron-store",
        "aileron-wasmhost",
        "aileron-wire",
    ];
    for package in without_vault {
        never(package, &["aes-gcm", "argon2"]);
    }
}

#[test]
fn nothing_but_egress_opens_connections_and_the_exporter_of_traces() {
    let silent = SERVICES.into_iter().filter(|it| *it != "aileron-vault");
    for package in silent.chain(["aileron-gateway", "aileron-contract", "aileron-wire"]) {
        never(package, &["reqwest", "hyper-rustls", "opentelemetry-proto"]);
    }
    // The process's own telemetry, to the one address its operator configured.
    let node = root().join("services/node/src");
    let clients: Vec<_> = sources()
        .into_iter()
        .filter(|path| path.starts_with(&node))
        .filter(|path| std::fs::read_to_string(path).unwrap().contains("reqwest"))
        .collect();
    assert_eq!(clients, [node.join("telemetry/client.rs")]);
}

#[test]
fn every_package_inherits_the_house_rules() {
    for manifest in manifests() {
        let text = std::fs::read_to_string(&manifest).unwrap();
        let value: toml::Table = text.parse().unwrap();
        let name = value["package"]["name"].as_str().unwrap();
        let inherits = |table: &str, key: &str| {
            value[table].get(key).is_some_and(|it| it.get("workspace").is_some())
        };
        assert!(inherits("package", "publish"), "{name} could be published");
        assert!(inherits("package", "edition"), "{name} has an edition of its own");
        if name != "aileron-proto" {
            let lints = value.get("lints").and_then(|it| it.get("workspace"));
            assert_eq!(lints.and_then(toml::Value::as_bool), Some(true), "{name} has no lints");
        }
        for table in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(dependencies) = value.get(table).and_then(toml::Value::as_table) else {
                continue;
            };
            for (dependency, entry) in dependencies {
                let shared = entry.get("workspace").and_then(toml::Value::as_bool);
                assert_eq!(shared, Some(true), "{name}: {dependency} has a version of its own");
            }
        }
    }
}

#[test]
fn no_file_grows_beyond_what_a_reader_can_hold() {
    let long: Vec<_> = sources()
        .into_iter()
        .filter_map(|path| {
            let lines = std::fs::read_to_string(&path).unwrap().lines().count();
            (lines > 600).then(|| format!("{} ({lines} lines)", path.display()))
        })
        .collect();
    assert!(long.is_empty(), "split where a reader would: {long:#?}");
}

#[test]
fn whatever_is_told_to_the_log_has_words_for_people() {
    let words = std::fs::read_to_string(root().join("gateway/api/src/audit/words.rs")).unwrap();
    let words = words.replace("(\n        ", "(").replace(",\n", ", ");
    let mut wordless: BTreeSet<_> = EventKind::ALL.iter().map(|kind| kind.text()).collect();
    wordless.retain(|kind| !words.contains(&format!("(\"{kind}\", ")));
    assert!(wordless.is_empty(), "say in audit/words.rs what happened: {wordless:?}");
    let services = sources().into_iter().filter(|it| it.starts_with(root().join("services")));
    for path in services.filter(|path| !path.iter().any(|part| part == "tests")) {
        let text = std::fs::read_to_string(&path).unwrap();
        for told in text.split(".with(").skip(1).map(str::trim_start) {
            let Some(key) = told.strip_prefix('"').and_then(|told| told.split('"').next()) else {
                continue;
            };
            let known = words.contains(&format!("(\"{key}\", "));
            assert!(
                known || !key.starts_with("aileron."),
                "{key} in {} has no label",
                path.display()
            );
        }
    }
}

/// Fails when `package` depends on one of `forbidden`, at any depth, tests aside.
fn never(package: &str, forbidden: &[&str]) {
    let tree = tree(package, &[]);
    for name in forbidden {
        assert!(!tree.contains(*name), "{package} must not depend on {name}");
    }
}

fn tree(package: &str, further: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .current_dir(root())
        .args(["tree", "--locked", "--offline", "-e", "normal", "--prefix", "none", "-f", "{p}"])
        .args(["-p", package])
        .args(further)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn manifests() -> Vec<PathBuf> {
    let text = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let value: toml::Table = text.parse().unwrap();
    let members = value["workspace"]["members"].as_array().unwrap();
    members.iter().map(|it| root().join(it.as_str().unwrap()).join("Cargo.toml")).collect()
}

fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && name != "target" {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found
}
