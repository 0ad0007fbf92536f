//! What the manual shows is what the program takes: its commands, its configuration, its variables.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use aileron_node::{
    Environment, Flags,
    config::load,
    environment::{KNOWN, Known},
};

use crate::house::program;

fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(path)
}

/// Every page with its name.
fn pages() -> Vec<(String, String)> {
    let mut pages = Vec::new();
    for folder in ["", "errors", "failures"] {
        for entry in fs::read_dir(source("gateway/docs").join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                pages.push((name, fs::read_to_string(path).unwrap()));
            }
        }
    }
    pages
}

fn configuration() -> String {
    fs::read_to_string(source("gateway/docs/configuration.md")).unwrap()
}

/// The fenced blocks of a page in a language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    page.split(fence.as_str()).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// The words of a shell's line, up to a redirection or a comment.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for character in line.chars() {
        match character {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.extend(Some(std::mem::take(&mut word))),
            _ => word.push(character),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    let end = words.iter().position(|word| ["#", ">", "|"].contains(&word.as_str()));
    words.truncate(end.unwrap_or(words.len()));
    words
}

#[test]
fn every_command_the_manual_shows_is_one_the_program_takes() {
    let pages = pages();
    let mut lines = BTreeSet::new();
    for (name, text) in &pages {
        for block in blocks(text, "sh") {
            // A line may go on below.
            for line in block.replace("\\\n", " ").lines() {
                assert!(line.starts_with("aileron "), "{name} shows another program: {line}");
                lines.insert(line.to_owned());
            }
        }
    }
    assert!(lines.len() > 50, "only {} commands were found", lines.len());
    let home = tempfile::tempdir().unwrap();
    for line in lines {
        let words = words(&line);
        assert!(words.get(1).is_none_or(|word| word != "demo"), "the demo is no example: {line}");
        // Parsed by the real program, which then finds no daemon and may not become one.
        let output = Command::new(program())
            .args(&words[1..])
            .current_dir(home.path())
            .env_clear()
            .env("AILERON_HOME", home.path().join("home"))
            .env("AILERON_API_URL", "http://127.0.0.1:1/v1")
            .env("AILERON_LISTEN", "nowhere")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{line}\n{said}");
    }
}

#[test]
fn the_file_the_manual_shows_is_accepted_and_has_every_key() {
    let page = configuration();
    let [example] = blocks(&page, "yaml").try_into().unwrap();
    let nothing = Environment::new(std::iter::empty());
    load(example, &nothing, &Flags::default()).unwrap();
    let mut keys = BTreeSet::from(["authority", "certificate", "key"].map(str::to_owned));
    for file in ["load.rs", "doors.rs"] {
        let path = source("services/node/src/config").join(file);
        let text = fs::read_to_string(path).unwrap();
        let product = text.split("#[cfg(test)]").next().unwrap();
        for reads in [".text(\"", ".list(\"", ".section(\"", "door(section, \""] {
            let found = product.split(reads).skip(1);
            keys.extend(found.map(|rest| rest.split('"').next().unwrap().to_owned()));
        }
    }
    assert!(keys.len() > 25, "the keys are read in another way now: {keys:?}");
    for key in keys {
        let shown = example.lines().any(|line| {
            let start = line.trim_start();
            start.starts_with(&format!("{key}:"))
                || line.contains(&format!("{{{key}: "))
                || line.contains(&format!(", {key}: "))
        });
        assert!(shown, "{key} is missing in the example of configuration.md");
    }
}

#[test]
fn the_manual_names_every_variable_and_no_other() {
    let variables = |text: &str| -> BTreeSet<String> {
        let rest = text.split("AILERON_").skip(1);
        let name = |rest: &str| -> String {
            rest.chars().take_while(|c| c.is_ascii_uppercase() || *c == '_').collect()
        };
        rest.map(name)
            .filter(|name| !name.is_empty())
            .map(|name| format!("AILERON_{name}"))
            .collect()
    };
    let known: BTreeSet<String> =
        KNOWN.iter().map(|Known { name, .. }| (*name).to_owned()).collect();
    assert_eq!(variables(&configuration()), known);
    for (name, text) in pages() {
        assert!(variables(&text).is_subset(&known), "{name} names an unknown variable");
    }
}
