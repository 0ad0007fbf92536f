//! A connector for the notes service of the demo: list the notes, create one.

use aileron_sdk::{Request, Result};
use serde::{Deserialize, Serialize};

/// Where the service is; the action's author fixes it.
#[derive(Deserialize)]
struct List {
    base: String,
}

#[derive(Deserialize)]
struct Create {
    base: String,
    #[serde(flatten)]
    note: NewNote,
}

#[derive(Deserialize, Serialize)]
struct NewNote {
    title: String,
    text: String,
}

#[derive(Deserialize, Serialize)]
struct Note {
    id: u64,
    title: String,
    text: String,
}

#[derive(Deserialize, Serialize)]
struct Notes {
    notes: Vec<Note>,
}

aileron_sdk::connector!(list, create);

fn list(arguments: List) -> Result<Notes> {
    let request = Request::get(format!("{}/notes", arguments.base));
    request.credential("api_key").send()?.success()?.json()
}

fn create(arguments: Create) -> Result<Note> {
    let request = Request::post(format!("{}/notes", arguments.base)).credential("api_key");
    request.json(&arguments.note)?.send()?.success()?.json()
}

#[cfg(test)]
mod tests {
    use aileron_sdk::testing::Host;
    use serde_json::json;

    use super::CONNECTOR;

    const BASE: &str = "https://notes.example";
    const NOTES: &str = "https://notes.example/notes";

    #[test]
    fn notes_are_listed_with_the_persons_key() {
        let note = json!({"id": 1, "title": "Welcome", "text": "Hello"});
        let answer = json!({ "notes": [note] });
        let mut host = Host::new().answer("GET", NOTES, 200, answer.to_string());
        assert_eq!(host.call(CONNECTOR, "list", json!({"base": BASE})), Ok(answer));
        assert!(host.requests().iter().all(|it| it.credential.as_deref() == Some("api_key")));
    }

    #[test]
    fn a_note_without_a_title_is_not_sent() {
        let mut host = Host::new();
        let call = host.call(CONNECTOR, "create", json!({"base": BASE, "text": "x"}));
        let error = call.expect_err("the title is missing");
        assert_eq!(error.to_string(), "bad_input: the argument \"title\" is missing");
        assert!(host.requests().is_empty());
    }
}
