//! A suite of the size and shape of the published one that was generated from an API's own
//! description: hundreds of actions without a body, inputs with the API's type names, and about
//! half of them with capital letters in their names. Packed and signed at the published addresses.

use std::fmt::Write as _;

use aileron_contract::names::Sha256Hash;
use aileron_node::demo::Servers;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signer as _, SigningKey};
use flate2::{Compression, write::GzEncoder};

/// As many as the published one has.
pub(crate) const ACTIONS: usize = 516;
/// Inputs of those, all together, and those among them with capital letters in their names.
pub(crate) const INPUTS: usize = 2_764;
pub(crate) const CAPITAL: usize = 1_470;

pub(crate) const OWNER: &str = "linnea";
pub(crate) const REPOSITORY: &str = "tracker";
const VERSION: &str = "2.4.0";

const MODULE: &[u8] = include_bytes!("../../../services/connectors/starter/notes.wasm");

const THINGS: [&str; 43] = [
    "agent-activity",
    "agent-session",
    "api-key",
    "attachment",
    "audit-entry",
    "comment",
    "custom-view",
    "customer",
    "customer-need",
    "customer-status",
    "customer-tier",
    "cycle",
    "document",
    "draft",
    "email-intake-address",
    "emoji",
    "entity-external-link",
    "external-user",
    "favorite",
    "git-automation-state",
    "initiative",
    "initiative-relation",
    "initiative-update",
    "integration",
    "integration-template",
    "issue",
    "issue-history",
    "issue-import",
    "issue-label",
    "issue-relation",
    "issue-vcs-branch",
    "notification",
    "notification-subscription",
    "organization",
    "organization-invite",
    "project",
    "project-label",
    "project-milestone",
    "project-relation",
    "project-status",
    "project-update",
    "reaction",
    "roadmap",
];
const DEEDS: [&str; 12] = [
    "list",
    "get",
    "search",
    "create",
    "update",
    "delete",
    "archive",
    "unarchive",
    "reorder",
    "subscribe",
    "batch-create",
    "batch-update",
];
const NAMES: [(&str, &str); 12] = [
    ("id", "teamId"),
    ("after", "createdAt"),
    ("before", "dueDate"),
    ("first", "includeArchived"),
    ("last", "orderBy"),
    ("filter", "assigneeId"),
    ("sort", "labelIds"),
    ("title", "sortOrder"),
    ("description", "descriptionData"),
    ("input", "parentId"),
    ("metadata", "projectMilestoneId"),
    ("priority", "slaBreachesAt"),
];
const TYPES: [&str; 12] = [
    "String",
    "DateTime",
    "TimelessDate",
    "Boolean",
    "Int",
    "IssueFilter",
    "ID",
    "Float",
    "JSON",
    "IssueCreateInput",
    "PaginationOrderBy",
    "StringComparator",
];

/// One generated action.
#[derive(Debug)]
pub(crate) struct Generated {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// So many actions for a connector; the first of them calls an operation the connector has.
pub(crate) fn actions(count: usize, connector: &str, version: &str, hash: &str) -> Vec<Generated> {
    let mut inputs = 0_usize;
    let each = |at: usize| INPUTS / ACTIONS + usize::from(at % ACTIONS < INPUTS % ACTIONS);
    (0..count)
        .map(|at| {
            let name = name(at);
            let first = inputs;
            inputs += each(at);
            let text = action(&name, (connector, version, hash), at == 0, first..inputs);
            Generated { name, text }
        })
        .collect()
}

fn name(at: usize) -> String {
    let (thing, deed) = (THINGS[at / DEEDS.len() % THINGS.len()], DEEDS[at % DEEDS.len()]);
    match at / (THINGS.len() * DEEDS.len()) {
        0 => format!("{thing}-{deed}"),
        more => format!("{thing}-{deed}-{more}"),
    }
}

fn action(
    name: &str,
    (connector, version, hash): (&str, &str, &str),
    real: bool,
    inputs: std::ops::Range<usize>,
) -> String {
    let op = if real { "list".to_owned() } else { name.replace('-', "_") };
    let mut text = format!(
        "+++\nname = \"{name}\"\nversion = \"{version}\"\n\
         source = \"{connector}/actions/{name}@{version}\"\n\n\
         [[requires.connectors]]\nname = \"{connector}\"\nversion = \"{version}\"\n\
         hash = \"{hash}\"\ncapabilities = [\"{op}\"]\n\n\
         [match]\nintent = \"{}\"\n\n",
        name.replace('-', " ")
    );
    let mut used = String::new();
    for (place, number) in inputs.enumerate() {
        let names = NAMES[(place + number / NAMES.len()) % NAMES.len()];
        let capital = number * CAPITAL % INPUTS < CAPITAL;
        let input = if capital { names.1 } else { names.0 };
        // Twice the same name in one action is none.
        let input = format!("{input}{}", if place < 6 { String::new() } else { place.to_string() });
        let kind = TYPES[number % TYPES.len()];
        writeln!(
            text,
            "[[inputs]]\nname = \"{input}\"\ntype = \"{kind}\"\nrequired = false\n\
             description = \"The {input} of the {name}.\"\n"
        )
        .unwrap();
        writeln!(used, "{input} = \"${{args.{input}}}\"").unwrap();
    }
    let used = if real { String::new() } else { used };
    writeln!(
        text,
        "[[execute]]\nid = \"run\"\nconnector = \"{connector}\"\nop = \"{op}\"\n\
         idempotent = {real}\n\n[execute.inputs]\n{used}{}+++",
        if real { "base = \"BASE\"\n" } else { "" }
    )
    .unwrap();
    text
}

/// Publishes a release of a connector and so many actions, with their suite; returns the suite's
/// source.
pub(crate) fn publish(servers: &Servers, count: usize) -> String {
    let signer = SigningKey::from_bytes(&[42; 32]);
    let connector = format!("github://{OWNER}/{REPOSITORY}");
    let manifest = format!(
        "[connector]\nname = \"{connector}\"\nversion = \"{VERSION}\"\n\n\
         [capabilities.network]\nhosts = [\"{}\"]\n\n[capabilities.credential]\n\
         kind = \"api_key\"\nscope = \"your tickets\"\n",
        servers.notes_host
    );
    let message = [MODULE, manifest.as_bytes()].concat();
    let hash = Sha256Hash::of(&[&message]).to_string();
    let release = |tag: &str, archive: Vec<u8>| {
        let base = format!("/{OWNER}/{REPOSITORY}/releases/download");
        servers.publish(format!("{base}/{tag}/aileron.tar.gz"), archive);
    };
    let signature = signer.sign(&message).to_bytes();
    release(
        &format!("v{VERSION}"),
        tarball(&[
            ("connector.wasm", MODULE),
            ("manifest.toml", manifest.as_bytes()),
            ("signature.sig", &signature),
        ]),
    );
    let mut suite = "name = \"tracker\"\ndescription = \"Everything\"\nactions = [\n".to_owned();
    for Generated { name, text } in actions(count, &connector, VERSION, &hash) {
        let text = text.replace("BASE", &format!("https://{}", servers.notes_host));
        let signature = signer.sign(text.as_bytes()).to_bytes();
        let files = [("action.md", text.as_bytes()), ("signature.sig", &signature[..])];
        release(&format!("actions%2F{name}%2Fv{VERSION}"), tarball(&files));
        writeln!(suite, "  \"actions/{name}\",").unwrap();
    }
    suite.push_str("]\n");
    let raw = format!("/raw/{OWNER}/{REPOSITORY}");
    servers.publish(format!("{raw}/v{VERSION}/suite.toml"), suite);
    let key = STANDARD.encode(signer.verifying_key().as_bytes());
    servers.publish(format!("{raw}/HEAD/keys/publisher.pub"), key);
    format!("{connector}/suite.toml@v{VERSION}")
}

fn tarball(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, *bytes).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}
