//! What `aileron binding list` and `inspect` print.

use aileron_api::{
    bindings::{Binding, BindingFilter},
    vault::VaultState,
};

use crate::{connection::Connection, failure::Result, table};

pub(super) async fn list(
    connection: &Connection<'_>,
    filter: &BindingFilter,
    json: bool,
) -> Result<()> {
    let answer = connection.client.bindings(filter).await?;
    if json {
        connection.printer.data(answer.raw);
        return Ok(());
    }
    let unverified = answer.value.items.iter().any(|binding| !binding.verified);
    let rows = answer.value.items.into_iter().map(|binding| {
        let used = moment(binding.last_used_at.as_deref());
        let refreshed = match (&binding.last_refreshed_at, binding.refresh_token_present) {
            (Some(at), _) => table::time(at),
            (None, Some(true)) => "when due".to_owned(),
            (None, _) => String::new(),
        };
        let status = status_of(&binding);
        let status = if binding.default { format!("{status}, default") } else { status };
        let scope = binding.scope.unwrap_or_default();
        [binding.name, binding.connector_fqn, status, used, refreshed, scope]
    });
    let nothing = "nothing is bound: aileron binding setup CONNECTOR";
    let headings = ["BINDING", "CONNECTOR", "STATUS", "LAST USED", "REFRESHED", "SCOPE"];
    table::print(connection.printer, nothing, headings, rows);
    if unverified {
        doubt(connection).await?;
    }
    Ok(())
}

pub(super) async fn inspect(connection: &Connection<'_>, binding: Binding) -> Result<()> {
    let installed = connection.client.connectors().await?.value.items;
    let users: Vec<_> = installed
        .into_iter()
        .filter(|connector| connector.fqn == binding.connector_fqn)
        .map(|connector| format!("{}@{}", connector.fqn, connector.version))
        .collect();
    let users = if users.is_empty() {
        format!("{} (not installed)", binding.connector_fqn)
    } else {
        users.join(" ")
    };
    let status = status_of(&binding);
    let unverified = !binding.verified;
    let chosen = if binding.default { "used where several fit" } else { "" };
    let refreshes = match binding.refresh_token_present {
        Some(true) => "by itself",
        Some(false) => "no: sign in again when it ends",
        None => "",
    };
    let once = |time: Option<String>| time.as_deref().map(table::time).unwrap_or_default();
    table::facts(
        connection.printer,
        &[
            ("binding", binding.name),
            ("kind", binding.kind),
            ("used by", users),
            ("status", status),
            ("default", chosen.to_owned()),
            ("hosts", binding.hosts.unwrap_or_default().join(" ")),
            ("scope", binding.scope.unwrap_or_default()),
            ("granted scopes", binding.granted_scopes.join(" ")),
            ("missing scopes", binding.missing_scopes.join(" ")),
            ("account", binding.account.unwrap_or_default()),
            ("access key id", binding.access_key_id.unwrap_or_default()),
            ("region", binding.region.unwrap_or_default()),
            ("created", table::time(&binding.created_at)),
            ("last used", moment(binding.last_used_at.as_deref())),
            ("refreshed", once(binding.last_refreshed_at)),
            ("refreshes", refreshes.to_owned()),
            ("refreshing since", once(binding.refreshing_since)),
        ],
    );
    if unverified {
        doubt(connection).await?;
    }
    Ok(())
}

/// Whoever can write the file can write what is listed of it; only the keys tell. A file of the
/// published format has nothing that they could tell by.
async fn doubt(connection: &Connection<'_>) -> Result<()> {
    let open = connection.client.vault_status().await?.value.state == VaultState::Unlocked;
    connection.printer.say(if open {
        "not verified: this is what the vault's file says, whose older format does not seal it; \
         the next change makes it the newer one"
    } else {
        "not verified: this is what the vault's file says; while the vault is unlocked, its keys \
         tell whether somebody changed it"
    });
    Ok(())
}

fn moment(at: Option<&str>) -> String {
    at.map_or_else(|| "never".to_owned(), table::time)
}

fn status_of(binding: &Binding) -> String {
    let status = binding.status.map(|status| status.to_string()).unwrap_or_default();
    match (&binding.stale_reason, &binding.refreshing_since) {
        (Some(reason), _) => format!("{status} ({reason})"),
        (None, Some(_)) => format!("{status} (refreshing)"),
        (None, None) => status,
    }
}
