//! Looks for secrets in every spelling: in files, and in what can be read of processes.

use std::{collections::BTreeSet, path::Path};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

use crate::memory::pieces;

/// Texts to look for, all at once: one pass over the bytes, whatever their number.
pub(crate) struct Needles {
    all: Vec<(String, Vec<u8>)>,
    /// Which pairs of bytes a needle begins with.
    begins: Vec<bool>,
    longest: usize,
}

impl Needles {
    pub(crate) fn of(secrets: &[String]) -> Self {
        let mut all = Vec::new();
        let mut begins = vec![false; 1 << 16];
        for (number, secret) in secrets.iter().enumerate() {
            for (spelling, text) in spellings(secret) {
                assert!(text.len() >= 12, "{text} is too short to be looked for");
                begins[pair(text.as_bytes())] = true;
                all.push((format!("secret {number} ({spelling})"), text.into_bytes()));
            }
        }
        let longest = all.iter().map(|(_, needle)| needle.len()).max().unwrap();
        Self { all, begins, longest }
    }

    /// The names of those found.
    pub(crate) fn in_bytes(&self, bytes: &[u8]) -> Vec<&str> {
        let mut found = BTreeSet::new();
        for at in 0..bytes.len().saturating_sub(1) {
            let rest = &bytes[at..];
            if self.begins[pair(rest)] {
                let hits = self.all.iter().filter(|(_, needle)| rest.starts_with(needle));
                found.extend(hits.map(|(name, _)| name.as_str()));
            }
        }
        found.into_iter().collect()
    }
}

fn pair(bytes: &[u8]) -> usize {
    usize::from(u16::from_be_bytes([bytes[0], bytes[1]]))
}

/// The secret as it is, and in all it is commonly turned into. In base64 the characters that
/// depend on the secret alone, at each of the three alignments.
pub(crate) fn spellings(secret: &str) -> Vec<(String, String)> {
    let bytes = secret.as_bytes();
    let percent = |digits: &str| -> String {
        let each = |byte: &u8| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(*byte).to_string()
            }
            other if digits == "upper" => format!("%{other:02X}"),
            other => format!("%{other:02x}"),
        };
        bytes.iter().map(each).collect()
    };
    let mut all = vec![
        ("plain".to_owned(), secret.to_owned()),
        ("hex".to_owned(), hex::encode(bytes)),
        ("HEX".to_owned(), hex::encode_upper(bytes)),
        ("percent".to_owned(), percent("lower")),
        ("PERCENT".to_owned(), percent("upper")),
        ("all percent".to_owned(), all_percent(bytes)),
        ("JSON".to_owned(), serde_json::to_string(secret).unwrap().trim_matches('"').to_owned()),
    ];
    for before in 0..3_usize {
        let padded = [&vec![0; before][..], bytes].concat();
        let own = (before * 8).div_ceil(6)..padded.len() * 8 / 6;
        all.push((
            format!("base64 {before}"),
            STANDARD_NO_PAD.encode(&padded)[own.clone()].to_owned(),
        ));
        all.push((format!("base64url {before}"), URL_SAFE_NO_PAD.encode(&padded)[own].to_owned()));
    }
    let mut seen = BTreeSet::new();
    all.retain(|(_, text)| seen.insert(text.clone()));
    all
}

/// Every file below, sockets and the like aside.
pub(crate) fn files(folder: &Path, needles: &Needles) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        found.extend(named(
            &entry.file_name().to_string_lossy(),
            &path.display().to_string(),
            needles,
        ));
        if kind.is_dir() {
            found.extend(files(&path, needles));
        } else if kind.is_file() {
            let hits = std::fs::read(&path).unwrap();
            let hits = needles.in_bytes(&hits).into_iter().map(str::to_owned).collect::<Vec<_>>();
            found.extend(hits.iter().map(|name| format!("{name} in {}", path.display())));
        }
    }
    found
}

fn named(text: &str, place: &str, needles: &Needles) -> Vec<String> {
    let hits = needles.in_bytes(text.as_bytes());
    hits.into_iter().map(|name| format!("{name} in the name {place}")).collect()
}

/// A running process.
pub(crate) struct Process {
    name: String,
    pid: u32,
}

impl Process {
    pub(crate) fn of(name: &str, pid: u32) -> Self {
        Self { name: name.to_owned(), pid }
    }

    /// What it was started with.
    pub(crate) fn lines(&self, needles: &Needles) -> Vec<String> {
        let mut found = Vec::new();
        for (file, what) in [("cmdline", "arguments"), ("environ", "environment")] {
            let bytes = std::fs::read(format!("/proc/{}/{file}", self.pid)).unwrap();
            assert!(!bytes.is_empty(), "the {what} of the {} could not be read", self.name);
            let hits = needles.in_bytes(&bytes).into_iter();
            found.extend(hits.map(|name| format!("{name} in the {what} of the {}", self.name)));
        }
        found
    }

    /// All it has written to its memory.
    pub(crate) fn memory(&self, needles: &Needles) -> Vec<String> {
        let mut found = BTreeSet::new();
        pieces(self.pid, needles.longest, |piece| {
            found.extend(needles.in_bytes(piece).into_iter().map(str::to_owned));
            false
        });
        found.into_iter().map(|name| format!("{name} in the memory of the {}", self.name)).collect()
    }
}

/// Every byte as a percent escape.
fn all_percent(bytes: &[u8]) -> String {
    hex::encode_upper(bytes).as_bytes().chunks(2).fold(String::new(), |mut text, digits| {
        text.push('%');
        text.extend(digits.iter().map(|digit| char::from(*digit)));
        text
    })
}
