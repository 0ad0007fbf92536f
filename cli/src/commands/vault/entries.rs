//! Storing an agent's login, and deleting what is listed.

use aileron_api::{
    Sensitive,
    custody::{AgentCredentials, Purpose},
    vault::VaultMetadata,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    arguments::VaultPutArguments,
    connection::{Connection, Person},
    failure::{Failure, Result},
    terminal,
};

/// A longer login would be refused by the runtime.
const LOGIN_MAX: u64 = 64 * 1024;

pub(super) async fn put(arguments: &VaultPutArguments, connection: &Connection<'_>) -> Result<()> {
    let path = &arguments.path;
    let Place::Agent { name, purpose } = Place::of(path) else {
        return Err(Failure::plain(format!(
            "{path} is not an agent's login (agents/NAME/PURPOSE): a secret is stored with \
             aileron secret set, a connector's credential with aileron binding setup"
        )));
    };
    let value = match &arguments.from_file {
        Some(file) => Sensitive::new(STANDARD.encode(terminal::verbatim(file, LOGIN_MAX)?)),
        None if terminal::present() => encoded(&terminal::hidden(&format!("Value of {path}: "))?),
        None => encoded(&terminal::piped()?),
    };
    let kind = arguments.kind.as_deref().or_else(|| usual(purpose)).map(str::to_owned);
    let metadata = kind.map(|kind| VaultMetadata { kind: Some(kind), ..VaultMetadata::default() });
    let purpose = Purpose { purpose: Some(purpose.to_owned()) };
    let body = AgentCredentials { value, metadata };
    let person = connection.person_of_vault().await?;
    let stored = person.client.put_agent_credentials(name, &purpose, &body).await;
    person.leave().await;
    stored?;
    connection.printer.tick(format!("{path} is stored"));
    Ok(())
}

pub(super) async fn delete(path: &str, yes: bool, connection: &Connection<'_>) -> Result<()> {
    let path = unlabelled(path);
    let place = Place::of(path);
    if matches!(place, Place::Other) {
        return Err(Failure::plain(format!(
            "{path} is not a path to delete here; those are agents/<name>/<purpose>, \
             user/<service>, secret/<name> and <kind>/<service>/<identity>. What a control plane \
             keeps in the vault, it manages itself"
        )));
    }
    let question = format!("Delete {path}? It cannot be brought back.");
    if !yes && !terminal::confirm(connection.printer, &question)? {
        return Err(Failure::Declined);
    }
    let person = connection.person_of_vault().await?;
    let deleted = remove(&place, path, &person).await;
    person.leave().await;
    let remains = deleted?;
    connection.printer.tick(format!("{path} is deleted"));
    if let Some(remains) = remains {
        connection.printer.cross(remains);
    }
    Ok(())
}

/// Returns what is left to do elsewhere, if something is.
async fn remove(place: &Place<'_>, path: &str, person: &Person) -> Result<Option<String>> {
    let client = &person.client;
    match place {
        Place::Agent { name, purpose } => {
            let purpose = Purpose { purpose: Some((*purpose).to_owned()) };
            client.delete_agent_credentials(name, &purpose).await?;
        }
        Place::User(service) => drop(client.delete_user_credentials(service).await?),
        Place::Secret(name) => drop(client.delete_secret(name).await?),
        Place::Binding => return Ok(client.revoke_binding(path).await?.value.message),
        Place::Other => {}
    }
    Ok(None)
}

/// What kind a login of this purpose is stored as, as published.
fn usual(purpose: &str) -> Option<&'static str> {
    match purpose {
        "oauth" => Some("oauth_refresh_token"),
        "apikey" => Some("api_key"),
        _ => None,
    }
}

/// Which namespace a listed path belongs to; the runtime checks its grammar.
#[derive(Debug, PartialEq, Eq)]
enum Place<'p> {
    Agent { name: &'p str, purpose: &'p str },
    User(&'p str),
    Secret(&'p str),
    Binding,
    Other,
}

impl<'p> Place<'p> {
    /// In the published order: an agent's path also has the shape of a binding.
    fn of(path: &'p str) -> Self {
        if let Some(name) = path.strip_prefix("secret/") {
            return Self::Secret(name);
        }
        let parts: Vec<_> = path.split('/').collect();
        match parts.as_slice() {
            _ if parts.iter().any(|part| part.is_empty()) => Self::Other,
            ["agents", name, purpose] => Self::Agent { name, purpose },
            ["user", service] => Self::User(service),
            ["agents" | "user" | "connected-accounts" | "llm-config", ..] => Self::Other,
            [_, _, _] => Self::Binding,
            _ => Self::Other,
        }
    }
}

/// The path of a line as listed, which begins with its scope.
fn unlabelled(line: &str) -> &str {
    match line.split_once(": ") {
        Some(("agent" | "user" | "secret" | "binding", path)) => path,
        _ => line,
    }
}

fn encoded(value: &Sensitive) -> Sensitive {
    Sensitive::new(STANDARD.encode(value.expose()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_stored_as_the_kind_its_purpose_says() {
        assert_eq!(usual("oauth"), Some("oauth_refresh_token"));
        assert_eq!(usual("apikey"), Some("api_key"));
        assert_eq!(usual("cookies"), None);
    }

    #[test]
    fn a_listed_path_goes_to_its_own_namespace() {
        for (path, place) in [
            ("agents/claude/oauth", Place::Agent { name: "claude", purpose: "oauth" }),
            ("user/github", Place::User("github")),
            ("secret/team/key", Place::Secret("team/key")),
            ("api_key/linear/work", Place::Binding),
            ("agents/claude", Place::Other),
            ("agents//oauth", Place::Other),
            ("user/a/b", Place::Other),
            ("llm-config/a/b", Place::Other),
            ("connected-accounts/a/b", Place::Other),
            ("x", Place::Other),
            ("", Place::Other),
        ] {
            assert_eq!(Place::of(path), place, "{path}");
        }
    }

    #[test]
    fn a_listed_line_is_taken_for_its_path() {
        for (line, path) in [
            ("binding: api_key/starter/home", "api_key/starter/home"),
            ("agent: agents/claude/oauth", "agents/claude/oauth"),
            ("user: user/github", "user/github"),
            ("secret: secret/a: b", "secret/a: b"),
            ("secret/a: b", "secret/a: b"),
            ("user/github", "user/github"),
            ("llm-config: llm-config/x", "llm-config: llm-config/x"),
        ] {
            assert_eq!(unlabelled(line), path, "{line}");
        }
    }
}
