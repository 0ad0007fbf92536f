//! Columns for people.

use jiff::Timestamp;

use crate::printer::{Printer, one_line};

/// Prints rows under headings, columns aligned; the last column is not padded. Without rows,
/// standard output stays empty and `nothing` is said.
pub(crate) fn print<const N: usize>(
    printer: Printer,
    nothing: &str,
    headings: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) {
    let rows: Vec<[String; N]> =
        rows.into_iter().map(|row| row.map(|cell| one_line(&cell))).collect();
    if rows.is_empty() {
        printer.say(nothing);
        return;
    }
    let mut widths = headings.map(|heading| heading.chars().count());
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    printer.data(line(&headings.map(str::to_owned), &widths));
    for row in &rows {
        printer.data(line(row, &widths));
    }
}

fn line<const N: usize>(cells: &[String; N], widths: &[usize; N]) -> String {
    let padded: Vec<String> = cells
        .iter()
        .zip(widths)
        .map(|(cell, width)| format!("{}{}", cell, " ".repeat(width - cell.chars().count())))
        .collect();
    padded.join("  ").trim_end().to_owned()
}

/// `label: value` lines, values aligned; empty values are left out.
pub(crate) fn facts(printer: Printer, facts: &[(&str, String)]) {
    for line in labelled(facts) {
        printer.data(line);
    }
}

fn labelled(facts: &[(&str, String)]) -> Vec<String> {
    let shown: Vec<_> = facts
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(label, value)| (one_line(label), value))
        .collect();
    let width = shown.iter().map(|(label, _)| label.chars().count()).max().unwrap_or_default();
    let gap = |label: &str| " ".repeat(width - label.chars().count());
    shown
        .iter()
        .map(|(label, value)| format!("{label}:{} {}", gap(label), one_line(value)))
        .collect()
}

/// A time to the second; `--json` has all of it.
pub(crate) fn time(stamp: &str) -> String {
    stamp
        .parse::<Timestamp>()
        .map_or_else(|_| stamp.to_owned(), |time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

#[cfg(test)]
mod tests {
    use super::labelled;

    #[test]
    fn neither_a_label_nor_a_value_passes_for_a_line_of_its_own() {
        let facts =
            [("a", "x".to_owned()), ("empty", String::new()), ("b\nby", "y\nby: me".to_owned())];
        assert_eq!(labelled(&facts), ["a:     x", "b\\nby: y\\nby: me"]);
    }
}
