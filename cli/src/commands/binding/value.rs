//! A credential that the person has at hand: typed, from a file or from standard input, never
//! from an argument or an inherited variable.

use aileron_api::{Sensitive, bindings::BindingSource, packages::Connector};

use super::consent;
use crate::{
    arguments::ValueArguments,
    failure::{Failure, Result},
    terminal,
};

/// `kept` is the access key id that a binding has already: it stays unless another one is named.
pub(super) fn source(
    connector: &Connector,
    arguments: &ValueArguments,
    kept: Option<&str>,
) -> Result<BindingSource> {
    let kind = consent::kind(connector);
    let signing = kind == "aws_sigv4";
    let ValueArguments { value_file, access_key_id, session_token_file, region } = arguments;
    let declared = connector.capabilities.credential.as_ref();
    let known = access_key_id.as_deref().or(kept);
    if signing && known.is_none() && declared.is_none_or(|it| it.access_key_id.is_none()) {
        return Err(Failure::plain(
            "a signing key comes with an access key id: say --access-key-id ID",
        ));
    }
    if !signing && (access_key_id.is_some() || session_token_file.is_some() || region.is_some()) {
        return Err(Failure::plain(format!(
            "{} asks for a credential of kind {kind}: --access-key-id, --session-token-file and \
             --region go with signing keys",
            connector.fqn
        )));
    }
    let value = match value_file {
        Some(path) => terminal::from_file(path)?,
        None if terminal::present() => terminal::hidden(question(kind))?,
        None => terminal::piped()?,
    };
    let value = match session_token_file {
        Some(path) => with_session(&value, &terminal::from_file(path)?),
        None => value,
    };
    Ok(BindingSource { kind: kind.to_owned(), value: Some(value) })
}

fn question(kind: &str) -> &'static str {
    match kind {
        "aws_sigv4" => "Secret access key: ",
        "basic" => "Credential, as user:password: ",
        _ => "Credential: ",
    }
}

fn with_session(key: &Sensitive, token: &Sensitive) -> Sensitive {
    let both = serde_json::json!({
        "secret_access_key": key.expose(), "session_token": token.expose(),
    });
    Sensitive::new(both.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signing_key_is_replaced_under_the_id_that_the_binding_has() {
        let connector: Connector = serde_json::from_value(serde_json::json!({
            "fqn": "github://acme/files", "version": "1.0.0", "hash": "sha256:00",
            "capabilities": { "credential": { "kind": "aws_sigv4" } },
        }))
        .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.txt");
        std::fs::write(&path, "key").unwrap();
        let arguments = ValueArguments { value_file: Some(path), ..ValueArguments::default() };
        assert!(source(&connector, &arguments, None).is_err());
        let kept = source(&connector, &arguments, Some("AKIAEXAMPLE")).unwrap();
        assert_eq!(kept.kind, "aws_sigv4");
    }
}
