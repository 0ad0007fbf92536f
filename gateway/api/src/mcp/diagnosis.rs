//! What `aileron_diagnostics` says.

use super::{Catalogue, Trouble, bounds::QUOTED, text};

/// Is all well, how many actions there are, and what a person reads.
pub(super) fn diagnose(listing: &Result<Catalogue, Trouble>) -> (bool, Option<usize>, String) {
    let count = listing.as_ref().ok().map(Catalogue::action_count);
    let told = match listing {
        Ok(_) if count == Some(0) => "zero actions: the Aileron runtime answers and offers no \
             action. Install one (`aileron action add <FQN>@<version>`) or enable one (`aileron \
             action list`, `aileron action enable <name>`); the tools appear by themselves."
            .to_owned(),
        Ok(_) => {
            let count = count.unwrap_or_default();
            format!("ok: the Aileron runtime answers and offers {count} action(s).")
        }
        Err(Trouble::Unreachable { why }) => format!(
            "unreachable: {why}. Start the runtime (`aileron daemon start`), and check \
             AILERON_URL where this server was registered.",
        ),
        Err(Trouble::Refused { status: 401 | 403, body }) => format!(
            "unauthorized: the runtime refuses this server's token. Put a token that may list and \
             run actions into AILERON_TOKEN (`aileron token mint`), or start a new session. The \
             runtime says: {}",
            text::result(body, QUOTED, "cut")
        ),
        Err(Trouble::Refused { status, body }) => format!(
            "daemon error: the runtime answers with status {status}. Look into its log (`aileron \
             daemon status`). It says: {}",
            text::result(body, QUOTED, "cut")
        ),
    };
    (count.is_some_and(|count| count > 0), count, told)
}

#[cfg(test)]
mod tests {
    use super::diagnose;
    use crate::mcp::{Catalogue, Trouble};

    #[test]
    fn each_state_has_a_word_and_a_remedy() {
        let refused = |status| Err(Trouble::Refused { status, body: "{}".to_owned() });
        let gone = Err(Trouble::Unreachable { why: "refused".to_owned() });
        for (listing, word, remedy) in [
            (Ok(Catalogue::default()), "zero actions", "aileron action add"),
            (gone, "unreachable", "aileron daemon start"),
            (refused(401), "unauthorized", "AILERON_TOKEN"),
            (refused(500), "daemon error", "status 500"),
        ] {
            let (healthy, _, told) = diagnose(&listing);
            assert!(!healthy && told.starts_with(word) && told.contains(remedy), "{told}");
        }
    }
}
