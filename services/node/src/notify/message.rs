//! The words of a notification.

use aileron_contract::{json::visible, names::AgentName};

use super::waiting::Call;

/// What the desktop shows. A desktop may read the body as markup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) summary: String,
    pub(super) body: String,
}

impl Message {
    /// Of one call: its action, who asked, and how to look at it.
    pub(super) fn one(call: &Call, agent: Option<&AgentName>, page: Option<&str>) -> Self {
        let Call { id, action, session, again } = call;
        let asked = match (agent, session) {
            (Some(agent), _) => format!("Asked by {agent}."),
            (None, Some(session)) => format!("Asked in the session {session}."),
            (None, None) => "Asked by a program.".to_owned(),
        };
        let again =
            if *again { " What it would act upon has changed since you agreed." } else { "" };
        let mut lines = vec![format!("{asked}{again}"), format!("aileron open approval {id}")];
        lines.extend(page.map(|base| format!("{base}/approvals?focus={id}")));
        Self {
            summary: line(&format!("{action} waits for your approval")),
            body: lines.iter().map(|text| escaped(&line(text))).collect::<Vec<_>>().join("\n"),
        }
    }

    /// Of several that came at once.
    pub(super) fn several(count: usize, page: Option<&str>) -> Self {
        let mut lines = vec!["aileron approval list".to_owned()];
        lines.extend(page.map(|base| format!("{base}/approvals")));
        Self {
            summary: format!("{count} more calls wait for your approval"),
            body: lines.iter().map(|text| escaped(text)).collect::<Vec<_>>().join("\n"),
        }
    }
}

/// One line, with nothing in it that hides, and not a long one.
fn line(text: &str) -> String {
    const LONGEST: usize = 200;
    visible(text).replace(['\n', '\t'], " ").chars().take(LONGEST).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(session: Option<&str>, again: bool) -> Call {
        Call {
            id: "act-20260101T000000-0000000000000001".parse().unwrap(),
            action: "notes-create".parse().unwrap(),
            session: session.map(|id| id.parse().unwrap()),
            again,
        }
    }

    #[test]
    fn it_says_which_action_who_asked_and_where_to_look() {
        let page = Some("http://127.0.0.1:4000");
        let message =
            Message::one(&call(Some("s1"), false), Some(&"claude".parse().unwrap()), page);
        assert_eq!(message.summary, "notes-create waits for your approval");
        assert_eq!(
            message.body,
            "Asked by claude.\naileron open approval act-20260101T000000-0000000000000001\n\
             http://127.0.0.1:4000/approvals?focus=act-20260101T000000-0000000000000001"
        );
        let again = Message::one(&call(None, true), None, None);
        assert!(again.body.starts_with("Asked by a program. What it would act upon has changed"));
        assert_eq!(again.body.lines().count(), 2, "a page that is not here has no link");
        let open = Message::several(3, page);
        assert_eq!(open.body, "aileron approval list\nhttp://127.0.0.1:4000/approvals");
    }

    #[test]
    fn nothing_in_it_is_markup_or_hides() {
        assert_eq!(
            escaped(&line("<a href='x'>\u{202e}b\n\u{1b}[2J&</a>")),
            "&lt;a href='x'&gt;\\u{202e}b \\u{1b}[2J&amp;&lt;/a&gt;"
        );
        assert_eq!(line(&"x".repeat(500)).len(), 200);
    }
}
