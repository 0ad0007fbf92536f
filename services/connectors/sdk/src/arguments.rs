//! Arguments, read so that a refusal names the argument that does not fit.

use std::fmt;

use serde::{
    Deserialize, Serialize,
    de::{
        DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer as _,
        MapAccess, Visitor, value::StringDeserializer,
    },
    forward_to_deserialize_any,
};
use serde_json::{Map, Value, map};

use crate::{Error, Result};

/// The arguments of an operation that takes none, or the output of one that gives none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct NoArguments {}

/// Reads the arguments of a call, or says as `bad_input` which of them does not fit.
pub(crate) fn read<A: DeserializeOwned>(arguments: Map<String, Value>) -> Result<A> {
    A::deserialize(Arguments(arguments)).map_err(|Misfit(message)| Error::bad_input(message))
}

struct Arguments(Map<String, Value>);

/// Why arguments do not fit, in words for whoever made the call.
#[derive(Debug)]
struct Misfit(String);

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misfit {}

impl serde::de::Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(format!("the arguments do not fit: {message}"))
    }

    fn missing_field(name: &'static str) -> Self {
        Self(format!("the argument {name:?} is missing"))
    }

    fn unknown_field(name: &str, expected: &'static [&'static str]) -> Self {
        let known = expected.join(", ");
        Self(format!("there is no argument {name:?}; the operation takes: {known}"))
    }
}

impl<'de> Deserializer<'de> for Arguments {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_map(Entries { entries: self.0.into_iter(), under_way: None })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Entries {
    entries: map::IntoIter,
    /// The argument whose value is read next.
    under_way: Option<(String, Value)>,
}

impl<'de> MapAccess<'de> for Entries {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Misfit> {
        let Some((name, value)) = self.entries.next() else { return Ok(None) };
        let key: StringDeserializer<Misfit> = name.clone().into_deserializer();
        self.under_way = Some((name, value));
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let (name, value) =
            self.under_way.take().ok_or_else(|| Misfit::custom("a value without its name"))?;
        seed.deserialize(value)
            .map_err(|error| Misfit(format!("the argument {name:?} does not fit: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Search {
        text: String,
        limit: Option<u32>,
        #[serde(default)]
        tags: Vec<String>,
    }

    #[derive(Debug, Deserialize)]
    struct Wrapped {
        #[expect(dead_code, reason = "only read")]
        base: String,
        #[serde(flatten)]
        _search: Search,
    }

    fn search(arguments: Value) -> Result<Search> {
        read(arguments.as_object().cloned().unwrap_or_default())
    }

    fn refused(arguments: Value) -> String {
        let error = search(arguments).expect_err("these arguments do not fit");
        assert_eq!(error.class(), "bad_input");
        error.message().to_owned()
    }

    #[test]
    fn arguments_that_fit_are_read_and_the_optional_ones_may_be_missing() {
        let expected = Search { text: "x".to_owned(), limit: Some(3), tags: vec!["a".to_owned()] };
        assert_eq!(search(json!({"text": "x", "limit": 3, "tags": ["a"]})), Ok(expected));
        let expected = Search { text: "x".to_owned(), limit: None, tags: Vec::new() };
        assert_eq!(search(json!({"text": "x", "limit": null})), Ok(expected));
        assert_eq!(read(Map::new()), Ok(NoArguments {}));
    }

    #[test]
    fn a_refusal_names_the_argument() {
        assert_eq!(refused(json!({})), "the argument \"text\" is missing");
        assert_eq!(
            refused(json!({"text": "x", "limit": "many"})),
            "the argument \"limit\" does not fit: invalid type: string \"many\", expected u32"
        );
        assert_eq!(
            refused(json!({"text": "x", "tags": ["a", 1]})),
            "the argument \"tags\" does not fit: invalid type: integer `1`, expected a string"
        );
        assert_eq!(
            refused(json!({"text": "x", "txet": 1})),
            "there is no argument \"txet\"; the operation takes: text, limit, tags"
        );
    }

    #[test]
    fn a_missing_argument_of_a_part_is_named_as_well() {
        let arguments = json!({"base": "x"}).as_object().cloned().unwrap_or_default();
        let error = read::<Wrapped>(arguments).expect_err("there is no text");
        assert_eq!(error.message(), "the argument \"text\" is missing");
    }
}
