//! The consented form, as labels of a binding. All labels are sealed with the value: editing one
//! makes the value unreadable.
//!
//! | kind | labels |
//! |---|---|
//! | `api_key`, `header` | `header`, `format` |
//! | `query` | `parameter` |
//! | `aws_sigv4` | `signing`: the manifest's service, region and access key id, with slashes between |
//! | `oauth2`, `basic` | none: the kind says it all |

use aileron_contract::credential::{CredentialKind, Form, HeaderTemplate, Signing, TokenTemplate};

/// The labels of a form, in no order.
pub(super) fn labels(form: &Form) -> Vec<(&'static str, String)> {
    let template = |header: &str, format: &str| {
        vec![("header", header.to_owned()), ("format", format.to_owned())]
    };
    match form {
        Form::ApiKey(of_key) => template(of_key.header(), of_key.format()),
        Form::Header(of_token) => template(of_token.header(), of_token.format()),
        Form::Query(parameter) => vec![("parameter", parameter.to_string())],
        Form::AwsSigv4(Signing { service, region, access_key_id }) => {
            let word =
                |word: &Option<_>| word.as_ref().map(ToString::to_string).unwrap_or_default();
            let words = [word(service), word(region), word(access_key_id)];
            vec![("signing", words.join("/"))]
        }
        Form::Oauth2 | Form::Basic => Vec::new(),
    }
}

/// The labels say half of a form, or none that exists.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Damaged;

/// The form a binding's labels say; none on a binding of an older file, made when the form was
/// the manifest's alone.
pub(super) fn read<'l>(
    kind: CredentialKind,
    label: impl Fn(&str) -> Option<&'l String>,
) -> Result<Option<Form>, Damaged> {
    let form = match (kind, label("header"), label("format")) {
        (CredentialKind::ApiKey, Some(header), Some(format)) => {
            HeaderTemplate::new(header, format).ok().map(Form::ApiKey)
        }
        (CredentialKind::ApiKey, None, None) => return Ok(None),
        (CredentialKind::Header, Some(header), Some(format)) => {
            TokenTemplate::new(header, format).ok().map(Form::Header)
        }
        (CredentialKind::ApiKey | CredentialKind::Header, _, _) => None,
        (CredentialKind::Query, _, _) => {
            label("parameter").and_then(|name| name.parse().ok()).map(Form::Query)
        }
        (CredentialKind::AwsSigv4, _, _) => match label("signing") {
            Some(text) => signing(text).map(Form::AwsSigv4),
            None => return Ok(None),
        },
        (CredentialKind::Oauth2, _, _) => Some(Form::Oauth2),
        (CredentialKind::Basic, _, _) => Some(Form::Basic),
    };
    form.map(Some).ok_or(Damaged)
}

fn signing(text: &str) -> Option<Signing> {
    let words = text.split('/').map(|word| match word {
        "" => Ok(None),
        word => word.parse().map(Some),
    });
    let words: Vec<_> = words.collect::<Result<_, _>>().ok()?;
    let [service, region, access_key_id] = <[_; 3]>::try_from(words).ok()?;
    Some(Signing { service, region, access_key_id })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn again(form: &Form) -> Result<Option<Form>, Damaged> {
        let labels: BTreeMap<_, _> = labels(form).into_iter().collect();
        read(form.kind(), |label| labels.get(label))
    }

    fn word() -> impl Strategy<Value = Option<aileron_contract::credential::SigningWord>> {
        proptest::option::of("[!-~&&[^/,=;\"\\\\]]{1,12}".prop_map(|word| word.parse().unwrap()))
    }

    fn any_form() -> impl Strategy<Value = Form> {
        prop_oneof![
            ("[A-Za-z-]{1,9}x", "[ -~]{0,9}\\{key\\}[ -~]{0,9}").prop_map(|(header, format)| {
                Form::ApiKey(HeaderTemplate::new(&header, &format).unwrap())
            }),
            ("[A-Za-z-]{1,9}x", "[ -~]{0,9}\\{token\\}[ -~]{0,9}").prop_map(|(header, format)| {
                Form::Header(TokenTemplate::new(&header, &format).unwrap())
            }),
            "[!-~]{1,20}".prop_map(|parameter| Form::Query(parameter.parse().unwrap())),
            (word(), word(), word()).prop_map(|(service, region, access_key_id)| {
                Form::AwsSigv4(Signing { service, region, access_key_id })
            }),
            Just(Form::Oauth2),
            Just(Form::Basic),
        ]
    }

    proptest! {
        #[test]
        fn every_form_reads_back_from_its_labels(form in any_form()) {
            prop_assert_eq!(again(&form), Ok(Some(form)));
        }
    }

    #[test]
    fn half_a_form_is_damage_and_none_at_all_an_older_file() {
        let said = |kind, labels: &[(&str, &str)]| {
            let owned = |&(label, value): &(&str, &str)| (label.to_owned(), value.to_owned());
            let labels: BTreeMap<_, _> = labels.iter().map(owned).collect();
            read(kind, |label| labels.get(label))
        };
        for kind in [CredentialKind::ApiKey, CredentialKind::AwsSigv4] {
            assert_eq!(said(kind, &[]), Ok(None), "{kind}");
        }
        for (kind, labels) in [
            (CredentialKind::ApiKey, &[("header", "X")][..]),
            (CredentialKind::ApiKey, &[("header", "X"), ("format", "{token}")]),
            (CredentialKind::Header, &[]),
            (CredentialKind::Header, &[("header", "X"), ("format", "{key}")]),
            (CredentialKind::Query, &[]),
            (CredentialKind::Query, &[("parameter", "a b")]),
            (CredentialKind::AwsSigv4, &[("signing", "a/b")]),
            (CredentialKind::AwsSigv4, &[("signing", "a/b/c/d")]),
            (CredentialKind::AwsSigv4, &[("signing", "a b//")]),
        ] {
            assert_eq!(said(kind, labels), Err(Damaged), "{kind} {labels:?}");
        }
    }
}
