//! A reader that refuses what two readers could understand differently: duplicate keys, lone
//! surrogates (`serde_json` refuses those already), integers a double cannot hold, deep nesting, and
//! the keys our own reader would give a meaning.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::{Error, Reason, Result, limits};

/// Begins keys by which `serde_json` marks values for itself: read once more, an object with one of
/// them would become the JSON that its value spells.
const PRIVATE: &str = "$serde_json::private::";

/// Reads one JSON document; nothing may follow it.
pub fn strict(text: &[u8]) -> Result<Value> {
    let refused = |error: serde_json::Error| {
        Error::new(Reason::InvalidBody, format!("the JSON cannot be accepted: {error}"))
    };
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = Strict { depth: 0 }.deserialize(&mut reader).map_err(refused)?;
    reader.end().map_err(refused)?;
    Ok(value)
}

/// Reads one JSON object.
pub fn object(text: &[u8]) -> Result<Map<String, Value>> {
    match strict(text)? {
        Value::Object(map) => Ok(map),
        _ => Err(Error::new(Reason::InvalidBody, "a JSON object is expected")),
    }
}

#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: serde::de::Error>(self) -> std::result::Result<Self, E> {
        if self.depth >= limits::JSON_DEPTH {
            return Err(E::custom(format!("nested deeper than {} levels", limits::JSON_DEPTH)));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> std::result::Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> std::result::Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> std::result::Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> std::result::Result<Value, E> {
        if value.unsigned_abs() > limits::JSON_INTEGER {
            return Err(too_large());
        }
        Ok(value.into())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> std::result::Result<Value, E> {
        if value > limits::JSON_INTEGER {
            return Err(too_large());
        }
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> std::result::Result<Value, E> {
        // Integers too long for 64 bits arrive here as well: they are past the same bound.
        if value.fract() == 0.0 && value.abs() > JSON_INTEGER {
            return Err(too_large());
        }
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, value: &str) -> std::result::Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> std::result::Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> std::result::Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> std::result::Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if key.starts_with(PRIVATE) {
                return Err(A::Error::custom(format!("the key {key:?} is not for callers")));
            }
            if map.contains_key(&key) {
                return Err(A::Error::custom(format!("the key {key:?} appears twice")));
            }
            let value = entries.next_value_seed(inner)?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

/// The bound as a double, which holds it exactly.
#[expect(clippy::cast_precision_loss, reason = "a power of two is exact")]
const JSON_INTEGER: f64 = limits::JSON_INTEGER as f64;

fn too_large<E: serde::de::Error>() -> E {
    E::custom("an integer beyond 2^53: send it as a string")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        let deep = format!("{}1{}", "[".repeat(80), "]".repeat(80));
        for text in [
            r#"{"a":1,"a":2}"#,
            r#"{"a":{"b":1,"b":1}}"#,
            r#""\ud800""#,
            "9007199254740993",
            "-9007199254740993",
            "123456789012345678901234567890",
            "{} {}",
            &deep,
        ] {
            assert!(strict(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn an_object_is_not_taken_for_other_json_when_it_is_read_again() {
        for text in [
            r#"{"a":{"$serde_json::private::RawValue":"{\"b\":1,\"b\":2}"}}"#,
            r#"[{"\u0024serde_json::private::RawValue":"9007199254740993"}]"#,
            r#"{"$serde_json::private::Number":"1"}"#,
        ] {
            assert!(strict(text.as_bytes()).is_err(), "{text}");
        }
        let text = r#"{"$serde_json":{"private::RawValue":"1"}}"#;
        assert_eq!(strict(text.as_bytes()).unwrap().to_string(), text);
    }

    #[test]
    fn ordinary_json_passes_unchanged() {
        let text = r#"{"b":[1,2.5,null,true],"a":"x"}"#;
        assert_eq!(strict(text.as_bytes()).unwrap().to_string(), text);
    }
}
