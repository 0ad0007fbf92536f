//! What a model reads of a run.

use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Map, Value, json};

use super::{
    Ran, Trouble,
    bounds::{STRUCTURED, TEXT},
    text,
};
use crate::{
    actions::{RunPending, RunResult},
    approvals::{ApprovalResult, ApprovalStatus},
};

/// Of an action's tool.
pub(super) fn of_run(ran: Result<Ran, Trouble>) -> CallToolResult {
    match ran {
        Ok(Ran::Done(done)) => done_result(done),
        Ok(Ran::Pending(pending)) => pending_result(pending),
        Err(trouble) => of_trouble(trouble),
    }
}

/// Of `check_action_status`.
pub(super) fn of_status(id: &str, answer: Result<ApprovalResult, Trouble>) -> CallToolResult {
    match answer {
        Ok(result) => {
            let structured = status_value(&result);
            with_value(tell(&status_text(result)), structured)
        }
        Err(Trouble::Refused { status: 404, .. }) => refused(format!(
            "approval id {} is unknown: it never existed, belongs to another token or session, or \
             is too old to be kept. Do not run the action again to find out; ask the person.",
            text::shown(id, 200)
        )),
        Err(trouble) => of_trouble(trouble),
    }
}

/// What the model did wrong, or what keeps the tool from working.
pub(super) fn refused(why: impl Into<String>) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(why)])
}

fn done_result(done: RunResult) -> CallToolResult {
    let RunResult { audit_id, result, run_id, .. } = done;
    let result = result.unwrap_or_default();
    let run = run_id.unwrap_or_default();
    let rest = format!("the result of run {run} (audit_id={audit_id}) is cut");
    let structured = value_of(&result);
    with_value(tell(&text::result(&result, TEXT, &rest)), structured)
}

fn pending_result(pending: RunPending) -> CallToolResult {
    let RunPending { status, approval_id, review_url, message, expires_at } = pending;
    let mut value = Map::from_iter([
        ("status".to_owned(), Value::from(status)),
        ("approval_id".to_owned(), Value::from(approval_id)),
        ("message".to_owned(), Value::from(message.clone())),
    ]);
    value.extend(review_url.map(|url| ("review_url".to_owned(), Value::from(url))));
    value.extend(expires_at.map(|end| ("expires_at".to_owned(), Value::from(end))));
    with_value(tell(&message), Some(Value::Object(value)))
}

fn of_trouble(trouble: Trouble) -> CallToolResult {
    match trouble {
        Trouble::Unreachable { why } => refused(format!("daemon unreachable: {why}")),
        Trouble::Refused { body, .. } => refused(text::result(&body, TEXT, "the refusal is cut")),
    }
}

/// The published wording.
fn status_text(result: ApprovalResult) -> String {
    let ApprovalResult { status, audit_id, result, reason, failure, .. } = result;
    match status {
        ApprovalStatus::Completed => {
            let audit_id = audit_id.unwrap_or_default();
            let result = result.unwrap_or_default();
            let rest = format!("the result (audit_id={audit_id}) is cut");
            let result = text::result(&result, TEXT, &rest);
            format!("status: completed (audit_id={audit_id})\nresult: {result}")
        }
        ApprovalStatus::Denied => match reason {
            Some(reason) => format!("status: denied\nreason: {}", text::shown(&reason, TEXT)),
            None => "status: denied (user did not provide a reason)".to_owned(),
        },
        ApprovalStatus::Failed => match (failure, reason) {
            (Some(failure), _) => {
                let failure = serde_json::to_string(&failure).unwrap_or_default();
                format!("status: failed\nfailure: {}", text::result(&failure, TEXT, "cut"))
            }
            (None, Some(reason)) => {
                format!("status: failed\nreason: {}", text::shown(&reason, TEXT))
            }
            (None, None) => "status: failed".to_owned(),
        },
        waiting @ (ApprovalStatus::PendingApproval
        | ApprovalStatus::AwaitingVault
        | ApprovalStatus::Running) => format!("status: {waiting}"),
    }
}

/// The answer itself, with the result as the document it is.
fn status_value(result: &ApprovalResult) -> Option<Value> {
    let length = result.result.as_ref().map_or(0, String::len);
    let mut value = serde_json::to_value(result).ok().filter(|_| length <= STRUCTURED)?;
    if let Some(document) = result.result.as_deref().and_then(value_of) {
        *value.get_mut("result")? = document;
    }
    Some(value)
}

/// The result as an object: structured content is one, in the versions that have it.
fn value_of(text: &str) -> Option<Value> {
    if text.len() > STRUCTURED {
        return None;
    }
    serde_json::from_str(text).ok().filter(Value::is_object)
}

fn tell(text: &str) -> CallToolResult {
    let mut result = CallToolResult::success(vec![ContentBlock::text(text)]);
    // Published: said only of an error.
    result.is_error = None;
    result
}

fn with_value(mut result: CallToolResult, value: Option<Value>) -> CallToolResult {
    result.structured_content = value;
    result
}

/// Of `aileron_diagnostics`.
pub(super) fn of_diagnosis(healthy: bool, told: &str, actions: Option<usize>) -> CallToolResult {
    let value = json!({"healthy": healthy, "actions": actions, "message": told});
    with_value(tell(told), Some(value))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{of_run, of_status, of_trouble};
    use crate::mcp::{Ran, Trouble};

    fn wire(result: impl serde::Serialize) -> Value {
        serde_json::to_value(result).unwrap()
    }

    fn done(result: &str) -> Value {
        let done = json!({"audit_id": "audit-1", "result": result, "run_id": "act-1"});
        wire(of_run(Ok(Ran::Done(serde_json::from_value(done).unwrap()))))
    }

    fn status(answer: Value) -> Value {
        wire(of_status("act-1", Ok(serde_json::from_value(answer).unwrap())))
    }

    #[test]
    fn a_result_is_text_and_a_value() {
        let document = r#"{"action":"a","output":{"n":1}}"#;
        let result = done(document);
        assert_eq!(result["content"], json!([{"type": "text", "text": document}]));
        assert_eq!(result["structuredContent"]["output"]["n"], 1);
        assert_eq!(result.get("isError"), None);
    }

    #[test]
    fn an_endless_result_is_cut_and_says_where_the_whole_is() {
        let result = done(&json!({"output": "x".repeat(1_000_000)}).to_string());
        let text = result["content"][0]["text"].as_str().unwrap();
        assert!(text.len() < 600_000);
        assert!(text.ends_with(
            "[aileron: the result of run act-1 (audit_id=audit-1) is cut after 524288 bytes]"
        ));
        assert_eq!(result.get("structuredContent"), None);
    }

    #[test]
    fn a_pending_run_is_no_error_and_shows_its_message() {
        let pending = json!({"status": "pending_approval", "approval_id": "act-1", "message": "m"});
        let result = wire(of_run(Ok(Ran::Pending(serde_json::from_value(pending).unwrap()))));
        assert_eq!(result["content"][0]["text"], "m");
        assert_eq!(result["structuredContent"]["approval_id"], "act-1");
        assert_eq!(result.get("isError"), None);
    }

    #[test]
    fn a_refusal_is_the_published_envelope() {
        let body = r#"{"error":{"class":"binding_required","message":"m"}}"#.to_owned();
        let result = wire(of_trouble(Trouble::Refused { status: 412, body: body.clone() }));
        assert_eq!(
            (&result["isError"], &result["content"][0]["text"]),
            (&json!(true), &json!(body))
        );
        let result = wire(of_trouble(Trouble::Unreachable { why: "gone".to_owned() }));
        assert_eq!(result["content"][0]["text"], "daemon unreachable: gone");
    }

    #[test]
    fn a_status_is_worded_as_published() {
        let text = |answer| status(answer)["content"][0]["text"].as_str().unwrap().to_owned();
        for (answer, expected) in [
            (json!({"status": "pending_approval"}), "status: pending_approval"),
            (json!({"status": "awaiting_vault"}), "status: awaiting_vault"),
            (json!({"status": "running"}), "status: running"),
            (
                json!({"status": "completed", "audit_id": "audit-1", "result": "{}"}),
                "status: completed (audit_id=audit-1)\nresult: {}",
            ),
            (json!({"status": "denied"}), "status: denied (user did not provide a reason)"),
            (json!({"status": "denied", "reason": "no"}), "status: denied\nreason: no"),
            (json!({"status": "failed", "reason": "gone"}), "status: failed\nreason: gone"),
        ] {
            assert_eq!(text(answer), expected);
        }
        let failure = json!({"class": "network_error", "message": "m", "retriable": true, "boundary": "external"});
        let failed = text(json!({"status": "failed", "failure": {"error": failure}}));
        assert!(
            failed.starts_with("status: failed\nfailure: {\"error\":{\"class\":\"network_error\""),
            "{failed}"
        );
    }

    #[test]
    fn a_status_has_the_result_as_a_value() {
        let answer = json!({"status": "completed", "audit_id": "audit-1", "result": "{\"n\":1}"});
        assert_eq!(status(answer)["structuredContent"]["result"], json!({"n": 1}));
    }

    #[test]
    fn an_unknown_approval_is_an_error_that_names_it() {
        let gone = Trouble::Refused { status: 404, body: "{}".to_owned() };
        let result = wire(of_status("act-9", Err(gone)));
        assert_eq!(result["isError"], true);
        assert!(result["content"][0]["text"].as_str().unwrap().contains("act-9 is unknown"));
    }
}
