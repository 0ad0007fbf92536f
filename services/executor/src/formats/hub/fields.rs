//! The fields of an entry. Each is read where it stands, so that a refusal names its line.

use std::{borrow::Cow, collections::HashSet, fmt, hash::Hash, marker::PhantomData};

use aileron_contract::{
    json,
    names::{Authority, Fqn, Scheme},
};
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use url::Url;

/// How one field is spelled.
pub(super) trait Rule {
    type Value;
    /// The longest text, in bytes.
    const MAX: usize;
    /// What a reader expects to find there.
    const WHAT: &'static str;

    /// The same, with what else the rule says.
    fn what() -> Cow<'static, str> {
        Self::WHAT.into()
    }

    fn read(text: &str) -> Option<Self::Value>;
}

/// A text that keeps its rule.
pub(super) struct Scalar<R: Rule>(pub(super) R::Value);

impl<'de, R: Rule> Deserialize<'de> for Scalar<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<R>(PhantomData<R>);

        impl<R: Rule> Visitor<'_> for Reader<R> {
            type Value = Scalar<R>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&R::what())
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                let read = if text.len() <= R::MAX { R::read(text) } else { None };
                read.map(Scalar).ok_or_else(|| {
                    let shown: String = text.chars().take(80).collect();
                    E::custom(format!("{shown:?} is not {}", R::what()))
                })
            }
        }

        deserializer.deserialize_str(Reader(PhantomData))
    }
}

/// At most `MAX` texts of one rule.
pub(super) struct List<R: Rule, const MAX: usize>(pub(super) Vec<R::Value>);

impl<'de, R: Rule, const MAX: usize> Deserialize<'de> for List<R, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<R, const MAX: usize>(PhantomData<R>);

        impl<'de, R: Rule, const MAX: usize> Visitor<'de> for Reader<R, MAX> {
            type Value = List<R, MAX>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list, at most {MAX} long, each item {}", R::what())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut read = Vec::new();
                while let Some(Scalar(item)) = items.next_element::<Scalar<R>>()? {
                    if read.len() == MAX {
                        return Err(A::Error::custom(format!("more than {MAX} items")));
                    }
                    read.push(item);
                }
                Ok(List(read))
            }
        }

        deserializer.deserialize_seq(Reader(PhantomData))
    }
}

/// The same, no item twice.
pub(super) struct Unique<R: Rule, const MAX: usize>(pub(super) Vec<R::Value>);

impl<'de, R: Rule, const MAX: usize> Deserialize<'de> for Unique<R, MAX>
where
    R::Value: Eq + Hash,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let List(items) = List::<R, MAX>::deserialize(deserializer)?;
        let mut seen = HashSet::new();
        if !items.iter().all(|item| seen.insert(item)) {
            return Err(D::Error::custom("an item stands there twice"));
        }
        Ok(Self(items))
    }
}

/// The same, at least one item.
pub(super) struct Filled<R: Rule, const MAX: usize>(pub(super) Vec<R::Value>);

impl<'de, R: Rule, const MAX: usize> Deserialize<'de> for Filled<R, MAX>
where
    R::Value: Eq + Hash,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Unique(items) = Unique::<R, MAX>::deserialize(deserializer)?;
        if items.is_empty() {
            return Err(D::Error::custom("at least one item is needed"));
        }
        Ok(Self(items))
    }
}

/// The longest package name there is.
const NAME: usize = 256;

pub(super) enum ConnectorName {}

impl Rule for ConnectorName {
    type Value = Fqn;
    const MAX: usize = NAME;
    const WHAT: &'static str = "a connector like github://owner/repo";

    fn read(text: &str) -> Option<Fqn> {
        of_github(text).filter(|fqn| fqn.subpath().is_empty())
    }
}

pub(super) enum ActionName {}

impl Rule for ActionName {
    type Value = Fqn;
    const MAX: usize = NAME;
    const WHAT: &'static str = "an action like github://owner/repo/actions/name";

    fn read(text: &str) -> Option<Fqn> {
        of_github(text).filter(|fqn| below(fqn, "actions"))
    }
}

pub(super) enum SuiteName {}

impl Rule for SuiteName {
    type Value = Fqn;
    const MAX: usize = NAME;
    const WHAT: &'static str = "a suite like github://owner/repo/suite or …/suites/name";

    fn read(text: &str) -> Option<Fqn> {
        of_github(text).filter(|fqn| fqn.subpath() == "suite" || below(fqn, "suites"))
    }
}

fn of_github(text: &str) -> Option<Fqn> {
    text.parse().ok().filter(|fqn: &Fqn| fqn.scheme() == Scheme::Github)
}

/// `<folder>/<name>` and nothing further.
fn below(fqn: &Fqn, folder: &str) -> bool {
    fqn.subpath()
        .split_once('/')
        .is_some_and(|(first, name)| first == folder && !name.contains('/'))
}

pub(super) enum Publisher {}

impl Rule for Publisher {
    type Value = String;
    const MAX: usize = 100;
    const WHAT: &'static str = "a GitHub account";

    fn read(text: &str) -> Option<String> {
        let owner = format!("github://{text}").parse::<Authority>().ok()?;
        owner.is_owner().then(|| text.to_owned())
    }
}

pub(super) enum KeyAddress {}

impl Rule for KeyAddress {
    type Value = String;
    const MAX: usize = 1024;
    const WHAT: &'static str = "an https address";

    fn read(text: &str) -> Option<String> {
        let plain = text.starts_with("https://") && text.bytes().all(|c| c.is_ascii_graphic());
        let url: Url = plain.then(|| text.parse().ok())??;
        let sound = url.host_str().is_some()
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none();
        sound.then(|| text.to_owned())
    }
}

pub(super) enum Pattern {}

impl Rule for Pattern {
    type Value = String;
    const MAX: usize = 100;
    const WHAT: &'static str = "a pattern for tags like v*";

    fn read(text: &str) -> Option<String> {
        let sound = !text.is_empty() && text.bytes().all(|c| c.is_ascii_graphic());
        sound.then(|| text.to_owned())
    }
}

/// Up to `MAX` characters.
pub(super) enum Description<const MAX: usize> {}

impl<const MAX: usize> Rule for Description<MAX> {
    type Value = String;
    // Line breaks and indentation of the file count here, and are gone in what was read.
    const MAX: usize = 8 * MAX;
    const WHAT: &'static str = "a description";

    fn what() -> Cow<'static, str> {
        format!("{} (a few plain sentences, 1 to {MAX} characters)", Self::WHAT).into()
    }

    fn read(text: &str) -> Option<String> {
        prose(text, MAX)
    }
}

pub(super) enum Intent {}

impl Rule for Intent {
    type Value = String;
    const MAX: usize = 1024;
    const WHAT: &'static str = "a plain sentence";

    fn read(text: &str) -> Option<String> {
        prose(text, 200)
    }
}

pub(super) enum Category {}

impl Rule for Category {
    type Value = String;
    const MAX: usize = 256;
    const WHAT: &'static str = "a category of a few words";

    fn read(text: &str) -> Option<String> {
        prose(text, 64)
    }
}

/// One line of text. What steers a terminal, turns the direction of text or cannot be seen has no
/// place in it.
fn prose(text: &str, max: usize) -> Option<String> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let sound = (1..=max).contains(&line.chars().count()) && json::is_visible(&line);
    sound.then_some(line)
}
