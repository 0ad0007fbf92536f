//! What changed between two previews, line by line, for the person who is asked again. Pure.

use std::time::Duration;

use aileron_contract::executor::{ChangedLine, Field, LineChange, Preview};
use similar::{Algorithm, ChangeTag, TextDiff};

/// Looking for the shortest difference ends here; what follows is a longer one, and as right.
const PATIENCE: Duration = Duration::from_millis(200);

/// Unchanged lines around each change, so that it is seen where it belongs.
const AROUND: usize = 2;

/// From what was shown to what is shown now. Empty when both say the same.
pub(crate) fn between(before: &Preview, now: &Preview) -> Vec<ChangedLine> {
    let (before, now) = (lines(before), lines(now));
    let old: Vec<_> = before.iter().map(String::as_str).collect();
    let new: Vec<_> = now.iter().map(String::as_str).collect();
    let diff =
        TextDiff::configure().algorithm(Algorithm::Myers).timeout(PATIENCE).diff_slices(&old, &new);
    let groups = diff.grouped_ops(AROUND);
    let changes = groups.iter().flatten().flat_map(|part| diff.iter_changes(part));
    let line = |tag: ChangeTag, text: &str| {
        let change = match tag {
            ChangeTag::Equal => LineChange::Kept,
            ChangeTag::Delete => LineChange::Removed,
            ChangeTag::Insert => LineChange::Added,
        };
        ChangedLine { change, text: text.to_owned() }
    };
    changes.map(|change| line(change.tag(), change.value())).collect()
}

/// The card's lines, each under its label.
fn lines(preview: &Preview) -> Vec<String> {
    match preview {
        Preview::Fields(fields) => fields.iter().flat_map(of_field).collect(),
        Preview::Unavailable(why) => vec![format!("preview unavailable: {why}")],
    }
}

fn of_field(field: &Field) -> Vec<String> {
    let Field { label, value, missing, multiline } = field;
    match value {
        Some(value) if *multiline || value.contains('\n') => {
            let under = value.lines().map(|line| format!("  {line}"));
            std::iter::once(format!("{label}:")).chain(under).collect()
        }
        Some(value) => vec![format!("{label}: {value}")],
        None if *missing => vec![format!("{label}: (missing)")],
        None => vec![format!("{label}:")],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn field(label: &str, value: Option<&str>, multiline: bool) -> Field {
        Field {
            label: label.to_owned(),
            value: value.map(str::to_owned),
            missing: value.is_none(),
            multiline,
        }
    }

    fn shown(before: Vec<Field>, now: Vec<Field>) -> Vec<String> {
        let changes = between(&Preview::Fields(before), &Preview::Fields(now));
        let sign = |change| match change {
            LineChange::Kept => ' ',
            LineChange::Removed => '-',
            LineChange::Added => '+',
        };
        changes.into_iter().map(|it| format!("{}{}", sign(it.change), it.text)).collect()
    }

    #[test]
    fn the_changed_line_stands_beside_the_one_it_replaced() {
        let card = |to: &str, body: &str| {
            vec![
                field("To", Some(to), false),
                field("Subject", Some("Hi"), false),
                field("Body", Some(body), true),
                field("Attachment", None, false),
            ]
        };
        let body = "one\ntwo\nthree\nfour\nfive";
        assert_eq!(
            shown(card("ann@a.example", body), card("bob@b.example", body)),
            ["-To: ann@a.example", "+To: bob@b.example", " Subject: Hi", " Body:"]
        );
        let other = body.replace("four", "4");
        assert_eq!(
            shown(card("a", body), card("a", &other)),
            ["   two", "   three", "-  four", "+  4", "   five", " Attachment: (missing)"]
        );
        assert!(shown(card("a", body), card("a", body)).is_empty());
    }

    #[test]
    fn a_preview_that_came_or_went_is_a_change_too() {
        let gone = Preview::Unavailable("timeout".to_owned());
        let there = Preview::Fields(vec![field("To", Some("a"), false)]);
        let told: Vec<_> = between(&there, &gone).into_iter().map(|it| it.change).collect();
        assert_eq!(told, [LineChange::Removed, LineChange::Added]);
        assert!(between(&gone, &gone).is_empty());
    }

    proptest! {
        #[test]
        fn what_is_removed_and_added_turns_the_old_card_into_the_new_one(
            old in prop::collection::vec(("[ab]", "[xy\n]{0,4}"), 0..6),
            new in prop::collection::vec(("[ab]", "[xy\n]{0,4}"), 0..6),
        ) {
            let card = |fields: &[(String, String)]| {
                let of = |(label, value): &(String, String)| field(label, Some(value), false);
                Preview::Fields(fields.iter().map(of).collect())
            };
            let (before, now) = (card(&old), card(&new));
            let changes = between(&before, &now);
            let counted = |which: LineChange| {
                changes.iter().filter(|line| line.change == which).count()
            };
            let (had, has) = (lines(&before).len(), lines(&now).len());
            prop_assert_eq!(
                had + counted(LineChange::Added),
                has + counted(LineChange::Removed)
            );
            prop_assert_eq!(changes.is_empty(), lines(&before) == lines(&now));
        }
    }
}
