//! The event type a caller looks for.

use aileron_contract::audit::EventKind;

use crate::{answer::Result, input::field};

/// What earlier runtimes wrote: imported logs hold it, ours never does.
const EARLIER: [&str; 29] = [
    "approval.modified",
    "connector.proxy.proxied",
    "connector.proxy.rejected",
    "connector.operation.rejected",
    "sandbox.proxy.passthrough",
    "sandbox.proxy.upgrade",
    "sandbox.proxy.rejected",
    "sandbox.proxy.binding_injected",
    "sandbox.proxy.trust_denied",
    "sandbox.proxy.disabled",
    "sandbox.shell.decided",
    "flightplan.launch",
    "flightplan.launch.reach",
    "flightplan.launch.action",
    "output.materialized",
    "intent.submitted",
    "policy.evaluated",
    "grant.issued",
    "grant.revoked",
    "tool.call.intercepted",
    "tool.call.forwarded",
    "tool.call.denied",
    "tool.call.pending_approval",
    "message_received",
    "message_sent",
    "message_denied",
    "message_dismissed",
    "draft_requested",
    "reply_sent",
];

/// A type that is never written is a slip of the pen: refused rather than answered with an empty
/// list that reads like good news.
pub(super) fn known(raw: Option<String>) -> Result<Option<String>> {
    raw.map(|raw| {
        if EARLIER.contains(&raw.as_str()) {
            return Ok(raw);
        }
        let kind: EventKind = field("event_type", &raw)?;
        Ok(kind.text().to_owned())
    })
    .transpose()
}
