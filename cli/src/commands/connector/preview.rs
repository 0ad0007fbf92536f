//! What a person sees of a connector before they agree to it.

use aileron_api::packages::{
    Capabilities, CapabilityChange, ConnectorPreview, CredentialNeed, PossibleRequest,
};

use crate::printer::{Printer, one_line};

/// The published block, and what is different from the version that is installed.
pub(super) fn show(printer: Printer, preview: &ConnectorPreview) {
    for line in lines(preview) {
        printer.say(line);
    }
}

/// Everything in it but our own words is a publisher's: none of it may begin a line.
fn lines(preview: &ConnectorPreview) -> Vec<String> {
    let key = preview.fingerprint.as_deref().unwrap_or_default();
    let mut lines = vec![
        "Connector install preview".to_owned(),
        format!("  FQN:       {}", preview.fqn),
        format!("  Version:   {}", preview.version),
        format!("  Hash:      {}", preview.hash),
        format!("  Publisher: {}", one_line(&preview.publisher)),
        format!("  Signature: {} {key}", preview.signature_status),
        "  Network access:".to_owned(),
    ];
    let hosts = &preview.capabilities.network_hosts;
    lines.extend(hosts.iter().map(|host| format!("    {host}")));
    if hosts.is_empty() {
        lines.push("    none".to_owned());
    }
    if let Some(need) = &preview.capabilities.credential {
        lines.extend(credential(need));
    }
    if let Some(change) = &preview.change {
        lines.extend(changes(preview, change));
    }
    lines
}

fn credential(need: &CredentialNeed) -> Vec<String> {
    let scope = need.scope.as_deref().map(|scope| format!(" ({})", one_line(scope)));
    let mut lines =
        vec![format!("  Credential required: {}{}", need.kind, scope.unwrap_or_default())];
    if let Some(place) = need.place() {
        lines.push(format!("    sent as {}", one_line(&place)));
    }
    if let Some(provider) = &need.provider {
        lines.push(format!("    you sign in at {}", one_line(provider)));
    }
    if !need.scopes.is_empty() {
        lines.push(format!("    asks the provider for {}", one_line(&need.scopes.join(" "))));
    }
    lines
}

fn changes(preview: &ConnectorPreview, change: &CapabilityChange) -> Vec<String> {
    let mut told: Vec<String> =
        change.gained.iter().map(|request| gain(request, &change.before)).collect();
    told.extend(change.lost.iter().map(loss));
    let scopes = |scopes: &[String]| one_line(&scopes.join(" "));
    if !change.gained_scopes.is_empty() {
        told.push(format!("+ asks the provider for {}", scopes(&change.gained_scopes)));
    }
    if !change.lost_scopes.is_empty() {
        told.push(format!("- no longer asks it for {}", scopes(&change.lost_scopes)));
    }
    told.extend(moved(&change.before, &preview.capabilities));
    if told.is_empty() {
        told.push("nothing that it could not do before".to_owned());
    }
    if preview.fingerprint.as_deref().is_some_and(|key| key != change.from_fingerprint) {
        told.push(format!(
            "! signed with another key than {}, which is {}",
            change.from_version, change.from_fingerprint
        ));
    }
    let mut lines = vec![format!("  Compared with {}, which is installed:", change.from_version)];
    lines.extend(told.into_iter().map(|line| format!("    {line}")));
    let version = &change.from_version;
    lines.push(if asks_again(change) {
        format!("  Actions that name {version} go on using it once you agreed to the new hosts.")
    } else {
        format!("  Actions that name {version} go on using it.")
    });
    lines
}

/// Does a binding wait for the person because of a host it was not made for?
fn asks_again(change: &CapabilityChange) -> bool {
    let new = |it: &PossibleRequest| !change.before.network_hosts.contains(&it.host);
    change.gained.iter().any(|it| !it.bindings.is_empty() && new(it))
}

fn gain(request: &PossibleRequest, before: &Capabilities) -> String {
    let PossibleRequest { host, credential_kind, bindings } = request;
    let with = match (credential_kind, bindings.as_slice()) {
        (None, _) => "without any credential".to_owned(),
        (Some(kind), []) => format!("with the {kind} credential you bind to it"),
        (Some(_), names) if before.network_hosts.contains(host) => {
            format!("with your {}", names.join(" and "))
        }
        // A binding covers the hosts it was made for and no others.
        (Some(_), names) => format!("with your {}, once you agreed again", names.join(" and ")),
    };
    format!("+ may now send requests to {host} {with}")
}

fn loss(request: &PossibleRequest) -> String {
    let PossibleRequest { host, credential_kind, bindings } = request;
    match (credential_kind, bindings.as_slice()) {
        (None, _) => format!("- no longer sends requests to {host}"),
        (Some(kind), []) => format!("- no longer sends requests to {host} with {kind}"),
        (Some(_), names) => {
            format!("- no longer sends requests to {host} with your {}", names.join(" and "))
        }
    }
}

/// The same kind of credential, handled otherwise.
fn moved(before: &Capabilities, after: &Capabilities) -> Vec<String> {
    let (Some(before), Some(after)) = (&before.credential, &after.credential) else {
        return Vec::new();
    };
    if before.kind != after.kind {
        return Vec::new();
    }
    let mut lines = Vec::new();
    if let (Some(old), Some(new)) = (before.place(), after.place())
        && old != new
    {
        let (old, new) = (one_line(&old), one_line(&new));
        lines.push(format!("+ a new binding is sent as {new} instead of {old}"));
    }
    if before.provider != after.provider {
        let at = |need: &CredentialNeed| {
            need.provider.as_deref().map_or_else(|| "no provider".to_owned(), one_line)
        };
        lines.push(format!("+ you sign in at {} instead of {}", at(after), at(before)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(kind: &str, header: &str) -> CredentialNeed {
        CredentialNeed {
            kind: kind.to_owned(),
            scope: Some("your notes\n  Install? [y/N]: y".to_owned()),
            header: Some(header.to_owned()),
            parameter: None,
            scopes: Vec::new(),
            provider: None,
            device: None,
            access_key_id: None,
        }
    }

    fn preview(change: Option<CapabilityChange>) -> ConnectorPreview {
        ConnectorPreview {
            fqn: "github://acme/notes".to_owned(),
            version: "1.1.0".to_owned(),
            hash: "sha256:0".to_owned(),
            publisher: "acme".to_owned(),
            signature_status: "verified".to_owned(),
            capabilities: Capabilities {
                network_hosts: vec!["a.example:443".to_owned(), "b.example:443".to_owned()],
                credential: Some(need("api_key", "X-Key: {key}")),
            },
            already_installed: false,
            fingerprint: Some("sha256:key".to_owned()),
            change,
        }
    }

    fn change(from_fingerprint: &str) -> CapabilityChange {
        CapabilityChange {
            from_version: "1.0.0".to_owned(),
            from_fingerprint: from_fingerprint.to_owned(),
            before: Capabilities {
                network_hosts: vec!["a.example:443".to_owned(), "c.example:443".to_owned()],
                credential: Some(need("api_key", "X-Key: {key}")),
            },
            gained: Vec::new(),
            lost: Vec::new(),
            gained_scopes: Vec::new(),
            lost_scopes: Vec::new(),
        }
    }

    fn request(host: &str, kind: Option<&str>, bindings: &[&str]) -> PossibleRequest {
        PossibleRequest {
            host: host.to_owned(),
            credential_kind: kind.map(str::to_owned),
            bindings: bindings.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    #[test]
    fn a_first_installation_shows_hosts_and_credential_and_no_line_of_its_publisher() {
        let shown = lines(&preview(None));
        assert_eq!(shown[6..9], ["  Network access:", "    a.example:443", "    b.example:443"]);
        let asked = "  Credential required: api_key (your notes\\n  Install? [y/N]: y)";
        assert_eq!(shown[9..], [asked, "    sent as X-Key: {key}"]);
    }

    #[test]
    fn an_update_says_which_requests_become_possible_and_with_what() {
        let change = CapabilityChange {
            gained: vec![
                request("b.example:443", Some("api_key"), &["api_key/notes/work"]),
                request("a.example:443", Some("api_key"), &["api_key/notes/work"]),
                request("d.example:443", None, &[]),
                request("e.example:443", Some("basic"), &[]),
            ],
            lost: vec![request("c.example:443", None, &[])],
            gained_scopes: vec!["notes:write".to_owned()],
            ..change("sha256:key")
        };
        assert_eq!(
            lines(&preview(Some(change)))[11..],
            [
                "  Compared with 1.0.0, which is installed:",
                "    + may now send requests to b.example:443 with your api_key/notes/work, once \
                 you agreed again",
                "    + may now send requests to a.example:443 with your api_key/notes/work",
                "    + may now send requests to d.example:443 without any credential",
                "    + may now send requests to e.example:443 with the basic credential you bind \
                 to it",
                "    - no longer sends requests to c.example:443",
                "    + asks the provider for notes:write",
                "  Actions that name 1.0.0 go on using it once you agreed to the new hosts.",
            ]
        );
    }

    #[test]
    fn an_update_that_changes_nothing_says_so_and_another_key_is_pointed_out() {
        let shown = lines(&preview(Some(change("sha256:key"))));
        assert_eq!(shown[12], "    nothing that it could not do before");
        assert_eq!(shown[13], "  Actions that name 1.0.0 go on using it.");
        let mut other = preview(Some(change("sha256:old")));
        other.capabilities.credential = Some(need("api_key", "Authorization: {key}"));
        let shown = lines(&other);
        assert_eq!(
            shown[12..14],
            [
                "    + a new binding is sent as Authorization: {key} instead of X-Key: {key}",
                "    ! signed with another key than 1.0.0, which is sha256:old",
            ]
        );
    }
}
