//! Looks for the API key in everything the run has written. A canary planted on purpose must be
//! found by the same search.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

use memchr::memmem;

use super::{check, files_below, home::Home};
use crate::{
    failure::{Failure, Result},
    printer::Printer,
    runtime::demo::Servers,
};

pub(super) fn secrets(home: &Home, servers: &Servers, printer: Printer) -> Result<()> {
    let searched = files_below(home.path())?.len();
    let found = search(home, &servers.notes_key)?;
    check(found.is_empty(), &format!("the API key is in no file; it is in {}", found.join(", ")))?;
    let canary = format!("canary_{}", ulid::Ulid::new());
    let path = home.path().join("canary.log");
    for form in forms(&canary) {
        Home::write(&path, &format!("before {form} after"))?;
        let found = search(home, &canary)?;
        check(found.len() == 1, "the search finds a canary in every form")?;
    }
    std::fs::remove_file(&path).map_err(|error| Failure::file("remove", &path, error))?;
    printer.tick(format!(
        "the API key is in none of {searched} files and logs (plain, base64, hex, percent); \
         a planted canary was found"
    ));
    Ok(())
}

fn search(home: &Home, secret: &str) -> Result<Vec<String>> {
    let forms = forms(secret);
    let mut found = Vec::new();
    for path in files_below(home.path())? {
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            // A database's side files come and go.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(Failure::file("read", path, error)),
        };
        if forms.iter().any(|form| memmem::find(&bytes, form.as_bytes()).is_some()) {
            found.push(path.display().to_string());
        }
    }
    Ok(found)
}

/// The forms a secret could be written in. Base64 of a text inside other text depends on where
/// it starts: all three alignments are searched, without the characters that vary.
fn forms(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let percent: String =
        hex::encode_upper(bytes).as_bytes().chunks(2).flat_map(percent_encoded).collect();
    let mut forms = vec![
        secret.to_owned(),
        hex::encode(bytes),
        hex::encode_upper(bytes),
        percent.to_lowercase(),
        percent,
    ];
    for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        for shift in 0..3_usize {
            let mut padded = vec![b' '; shift];
            padded.extend_from_slice(bytes);
            let text = engine.encode(padded);
            // The first characters carry the shift's bits, the last may carry what follows.
            let start = [0, 2, 3].get(shift).copied().unwrap_or_default();
            let end = text.len().saturating_sub(2);
            forms.extend(text.get(start..end).map(str::to_owned));
        }
    }
    forms
}

/// `%` before two hexadecimal digits.
fn percent_encoded(digits: &[u8]) -> impl Iterator<Item = char> + '_ {
    std::iter::once('%').chain(digits.iter().map(|digit| char::from(*digit)))
}
