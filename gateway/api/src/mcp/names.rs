//! What the tools are called.
//!
//! Published is the action's name with `_` for `-`. Two actions may come to the same name that
//! way (`a-b` and `a_b`), and which of them a model means by it depends on what was installed when
//! it looked. So none of them gets it: each has the start of its own name's SHA-256 appended, which
//! depends on nothing else, and the name they would share is nobody's.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

/// The tools every server has.
pub(super) const CHECK_STATUS: &str = "check_action_status";
pub(super) const DIAGNOSTICS: &str = "aileron_diagnostics";

/// Tool name by action name. An action that would still share a name has none.
pub(super) fn assign<'a>(
    actions: impl Iterator<Item = &'a str> + Clone,
) -> BTreeMap<&'a str, String> {
    let actions: BTreeSet<&str> = actions.collect();
    let plain = counted(actions.iter().map(|action| published(action)));
    let alone =
        |name: &str| plain.get(name) == Some(&1) && ![CHECK_STATUS, DIAGNOSTICS].contains(&name);
    let named: BTreeMap<&str, String> = actions
        .into_iter()
        .map(|action| {
            let name = published(action);
            let name = if alone(&name) { name } else { told_apart(&name, action) };
            (action, name)
        })
        .collect();
    let uses = counted(named.values().cloned());
    // A name that was told apart may be the very name of another action.
    named
        .into_iter()
        .filter(|(_, name)| uses.get(name) == Some(&1) && !is_shared(name, &plain))
        .collect()
}

/// A name that several actions come to is nobody's, whoever else is called so.
fn is_shared(name: &str, plain: &BTreeMap<String, usize>) -> bool {
    plain.get(name).is_some_and(|uses| *uses > 1)
}

fn published(action: &str) -> String {
    action.replace('-', "_")
}

fn told_apart(name: &str, action: &str) -> String {
    let [a, b, c, d, ..]: [u8; 32] = Sha256::digest(action.as_bytes()).into();
    format!("{name}_{:08x}", u32::from_be_bytes([a, b, c, d]))
}

fn counted(names: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::{CHECK_STATUS, assign};

    #[test]
    fn hyphens_become_underscores() {
        let names = assign(["list-notes", "post.note", "x_y"].into_iter());
        let expected = [("list-notes", "list_notes"), ("post.note", "post.note"), ("x_y", "x_y")];
        assert_eq!(names, expected.map(|(a, b)| (a, b.to_owned())).into_iter().collect());
    }

    #[test]
    fn the_name_two_actions_share_is_nobody_s() {
        let names = assign(["a-b", "a_b", "c"].into_iter());
        assert_eq!(names["a-b"], "a_b_d44362d6");
        assert!(names["a_b"].starts_with("a_b_") && names["a_b"] != names["a-b"], "{names:?}");
        assert!(names.values().all(|name| name != "a_b"));
        // A third one that comes changes the others' names no more.
        let more = assign(["a-b", "a_b", "c", "a-b-c"].into_iter());
        assert!(names.iter().all(|(action, name)| more[action] == *name));
    }

    #[test]
    fn no_action_takes_the_place_of_a_tool_of_ours() {
        let names = assign(["check-action-status"].into_iter());
        assert!(names["check-action-status"].starts_with("check_action_status_"));
        assert_ne!(names["check-action-status"], CHECK_STATUS);
    }

    #[test]
    fn an_action_named_like_the_name_another_was_given_hides_neither_behind_the_other() {
        let names = assign(["a-b", "a_b", "a_b_d44362d6"].into_iter());
        assert!(!names.contains_key("a-b") && !names.contains_key("a_b_d44362d6"), "{names:?}");
        assert!(names.contains_key("a_b"));
    }

    proptest! {
        #[test]
        fn a_name_never_means_two_actions_whatever_is_installed_meanwhile(
            before in proptest::collection::btree_set("[ab][ab_-]{0,3}", 0..12),
            more in proptest::collection::btree_set("[ab][ab_-]{0,3}", 0..12),
        ) {
            let names = |actions: &BTreeSet<String>| -> BTreeMap<String, String> {
                assign(actions.iter().map(String::as_str))
                    .into_iter()
                    .map(|(action, name)| (name, action.to_owned()))
                    .collect()
            };
            let old = names(&before);
            prop_assert_eq!(old.len(), before.len());
            let after = before.union(&more).cloned().collect();
            for (name, action) in names(&after) {
                if let Some(earlier) = old.get(&name) {
                    prop_assert_eq!(earlier, &action);
                }
            }
        }
    }
}
