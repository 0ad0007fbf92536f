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
    let shown = || facts.iter().filter(|(_, value)| !value.is_empty());
    let width = shown().map(|(label, _)| label.chars().count()).max().unwrap_or_default();
    for (label, value) in shown() {
        let gap = " ".repeat(width - label.chars().count());
        printer.data(format!("{label}:{gap} {}", one_line(value)));
    }
}

/// A time to the second; `--json` has all of it.
pub(crate) fn time(stamp: &str) -> String {
    stamp
        .parse::<Timestamp>()
        .map_or_else(|_| stamp.to_owned(), |time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}
