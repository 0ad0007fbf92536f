//! The arguments of a call exactly as the client wrote them.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

/// The arguments of a `tools/call` before anything read them into values. Read into a map, a key
/// that appears twice would silently be one, and a large integer another; the runtime refuses
/// both, so it gets the text. A transport reads this from the message and adds it to the request's
/// extensions; the server refuses a call without it.
#[derive(Clone, Debug)]
pub struct Written(Arc<RawValue>);

impl Written {
    /// Reads a message. `None` for one that is no call of a tool. A member that appears twice
    /// where it counts is refused: two readers could pick different ones.
    pub fn read(message: &[u8]) -> Result<Option<Self>, serde_json::Error> {
        let read: Message<'_> = serde_json::from_slice(object(message)?)?;
        if read.method.as_deref() != Some("tools/call") {
            return Ok(None);
        }
        let params: Params<'_> = match read.params {
            Some(params) => serde_json::from_slice(object(params.get().as_bytes())?)?,
            None => Params::default(),
        };
        let arguments = match params.arguments {
            Some(arguments) if arguments.get() != "null" => arguments.to_owned(),
            _ => RawValue::from_string("{}".to_owned())?,
        };
        Ok(Some(Self(arguments.into())))
    }

    pub(super) fn arguments(&self) -> &RawValue {
        &self.0
    }
}

/// A list would be read member by member, too.
fn object(text: &[u8]) -> Result<&[u8], serde_json::Error> {
    match text.trim_ascii_start().first() {
        Some(b'{') => Ok(text),
        _ => Err(serde::de::Error::custom("a JSON object is expected")),
    }
}

#[derive(Deserialize)]
struct Message<'m> {
    #[serde(default)]
    method: Option<String>,
    #[serde(default, borrow)]
    params: Option<&'m RawValue>,
    /// Read so that they are refused when they appear twice.
    #[serde(default, rename = "id", borrow)]
    _id: Option<&'m RawValue>,
    #[serde(default, rename = "jsonrpc", borrow)]
    _version: Option<&'m RawValue>,
}

#[derive(Default, Deserialize)]
struct Params<'m> {
    #[serde(default, borrow)]
    arguments: Option<&'m RawValue>,
    #[serde(default, rename = "name", borrow)]
    _name: Option<&'m RawValue>,
    #[serde(default, rename = "_meta", borrow)]
    _meta: Option<&'m RawValue>,
}

#[cfg(test)]
mod tests {
    use super::Written;

    fn read(message: &str) -> Option<String> {
        let written = Written::read(message.as_bytes()).unwrap();
        written.map(|written| written.arguments().get().to_owned())
    }

    #[test]
    fn arguments_stay_as_they_were_written() {
        let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call",
            "params":{"name":"x","arguments":{"a": 1.0, "a":9007199254740993}}}"#;
        assert_eq!(read(call).unwrap(), r#"{"a": 1.0, "a":9007199254740993}"#);
        let call = |params| format!(r#"{{"id":1,"method":"tools/call"{params}}}"#);
        for params in ["", r#","params":{"name":"x"}"#, r#","params":{"arguments":null}"#] {
            assert_eq!(read(&call(params)).unwrap(), "{}", "{params}");
        }
        assert!(read(r#"{"id":1,"method":"tools/list","params":{}}"#).is_none());
        assert!(read(r#"{"id":1,"result":{}}"#).is_none());
    }

    #[test]
    fn a_call_that_names_two_tools_or_two_sets_of_arguments_is_refused() {
        for twice in [
            r#"{"method":"tools/call","params":{"name":"a","name":"b"}}"#,
            r#"{"method":"tools/call","params":{"name":"a","arguments":{},"arguments":{"x":1}}}"#,
            r#"{"method":"tools/call","method":"tools/list","params":{}}"#,
            r#"{"method":"tools/list","method":"tools/call","params":{}}"#,
            r#"{"method":"tools/call","params":{},"params":{"name":"a"}}"#,
            r#"{"method":"tools/call","params":[]}x"#,
            r#"{"method":"tools/call","params":[{}]}"#,
            "[]",
        ] {
            assert!(Written::read(twice.as_bytes()).is_err(), "{twice}");
        }
    }
}
