//! The manual as it is served: complete, linked, readable without scripts, and true where the
//! code can tell.

use std::{collections::BTreeSet, fs, path::Path};

use aileron_contract::{Reason, failure::Class, limits};

use crate::house::{Door, PERSON, Reply};

fn docs() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

/// The names of the pages in a folder of the manual.
fn names(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(docs().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let pages = entries.filter(|path| path.is_file());
    pages.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

/// Every page: its path below `/docs/`, and its Markdown.
fn pages() -> Vec<(String, String)> {
    let mut pages = Vec::new();
    for folder in ["", "errors/", "failures/"] {
        for name in names(folder) {
            let text = fs::read_to_string(docs().join(format!("{folder}{name}.md"))).unwrap();
            pages.push((format!("{folder}{name}"), text));
        }
    }
    pages
}

async fn get(door: &Door, path: &str, headers: &str) -> Reply {
    door.raw(&format!("GET {path}"), headers, "").await
}

/// Where the links of a page lead.
fn links(html: &str) -> impl Iterator<Item = &str> {
    html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next())
}

#[test]
fn every_reason_and_every_failure_class_has_a_page_and_nothing_else_has_one() {
    let reasons = Reason::ALL.iter().map(|reason| reason.code().to_owned()).collect();
    assert_eq!(names("errors"), reasons);
    let classes = Class::ALL.iter().map(|class| class.text().to_owned()).collect();
    assert_eq!(names("failures"), classes);
}

#[test]
fn every_page_says_what_happened_why_and_what_to_do() {
    for (name, text) in pages().iter().filter(|(name, _)| name.contains('/')) {
        let code = name.split('/').next_back().unwrap();
        assert!(text.starts_with(&format!("# {code}\n\nHTTP status ")), "{name}");
        for heading in ["\n## Why it is refused\n", "\n## What to do\n", "\n## Related\n"] {
            assert_eq!(text.matches(heading).count(), 1, "{name}: {heading}");
        }
    }
}

#[tokio::test]
async fn every_link_of_every_page_leads_somewhere() {
    let door = Door::open().await;
    let mut found = BTreeSet::from(["/docs".to_owned(), "/docs/".to_owned()]);
    found.extend(pages().into_iter().map(|(name, _)| format!("/docs/{name}")));
    let mut targets = BTreeSet::new();
    for path in &found {
        let page = get(&door, path, "").await;
        assert_eq!(page.status, 200, "{path}");
        targets.extend(links(&page.body).map(str::to_owned));
    }
    for target in targets {
        let known = found.contains(&target) || target == "#text";
        let elsewhere = target.starts_with("https://c2sp.org/");
        if known || elsewhere {
            continue;
        }
        let headers = format!("Authorization: Bearer {PERSON}\r\n");
        assert_eq!(get(&door, &target, &headers).await.status, 200, "{target}");
    }
}

#[tokio::test]
async fn every_page_is_listed_on_the_map_and_in_the_navigation() {
    let door = Door::open().await;
    let map = get(&door, "/docs", "").await.body;
    let (navigation, text) = map.split_once("<main").unwrap();
    for (name, _) in pages() {
        let target = if name == "index" { "/docs".to_owned() } else { format!("/docs/{name}") };
        assert!(links(navigation).any(|link| link == target), "{name} in the navigation");
        assert!(name == "index" || links(text).any(|link| link == target), "{name} on the map");
    }
}

#[tokio::test]
async fn a_page_is_plain_html_that_no_script_can_enter() {
    let door = Door::open().await;
    for (name, _) in pages() {
        let page = get(&door, &format!("/docs/{name}"), "").await;
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(
            page.header("content-security-policy"),
            "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'"
        );
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        for needed in [
            "<html lang=\"en\">",
            "name=\"viewport\"",
            "name=\"color-scheme\" content=\"light dark\"",
            "<a class=\"skip\" href=\"#text\">",
            "<nav aria-label=\"Manual\">",
            "<main id=\"text\"",
            "aria-current=\"page\"",
        ] {
            assert_eq!(page.body.matches(needed).count(), 1, "{name}: {needed}");
        }
        assert_eq!(page.body.matches("<h1>").count(), 1, "{name}");
        for foreign in ["<script", "<style", "style=\"", "<img", "javascript:"] {
            assert!(!page.body.contains(foreign), "{name} holds {foreign}");
        }
        assert!(!links(&page.body).any(|link| link.starts_with("http://")), "{name}");
    }
}

#[tokio::test]
async fn the_manual_is_open_and_still_only_for_our_own_host() {
    let door = Door::open().await;
    for path in ["/docs", "/docs/", "/docs/errors/vault_locked", "/docs/style.css"] {
        assert_eq!(get(&door, path, "").await.status, 200, "{path}");
        let asked =
            format!("GET {path} HTTP/1.1\r\nConnection: close\r\nHost: evil.example\r\n\r\n");
        let refused = door.bytes(asked.as_bytes()).await;
        assert_eq!((refused.status, refused.code().as_str()), (403, "host_not_allowed"), "{path}");
        let post = door.raw(&format!("POST {path}"), "", "").await;
        assert_eq!(post.status, 405, "{path}");
    }
    assert!(door.world.calls.lock().unwrap().is_empty());
}

#[tokio::test]
async fn who_asks_for_markdown_gets_what_was_written() {
    let door = Door::open().await;
    let written = fs::read_to_string(docs().join("errors/vault_locked.md")).unwrap();
    let accept = "Accept: text/html;q=0.5, text/markdown\r\n";
    for (path, headers) in
        [("/docs/errors/vault_locked.md", ""), ("/docs/errors/vault_locked", accept)]
    {
        let page = get(&door, path, headers).await;
        assert_eq!(page.header("content-type"), "text/markdown; charset=utf-8");
        assert_eq!((page.body.as_str(), page.header("vary")), (written.as_str(), "accept"));
    }
    let browser =
        get(&door, "/docs", "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n").await;
    assert!(browser.body.starts_with("<!doctype html>"));
}

#[tokio::test]
async fn a_page_that_is_known_is_not_sent_again() {
    let door = Door::open().await;
    for path in ["/docs", "/docs/approvals", "/docs/approvals.md", "/docs/style.css"] {
        let page = get(&door, path, "").await;
        let tag = page.header("etag");
        assert_eq!(page.header("cache-control"), "no-cache");
        for given in [tag.to_owned(), format!("\"other\", W/{tag}"), "*".to_owned()] {
            let again = get(&door, path, &format!("If-None-Match: {given}\r\n")).await;
            assert_eq!((again.status, again.body.as_str()), (304, ""), "{path} {given}");
        }
        assert_eq!(get(&door, path, "If-None-Match: \"other\"\r\n").await.status, 200);
    }
    let [html, markdown] = ["/docs/approvals", "/docs/approvals.md"];
    let html = get(&door, html, "").await.header("etag").to_owned();
    assert_ne!(html, get(&door, markdown, "").await.header("etag"));
}

#[tokio::test]
async fn what_is_no_page_is_a_404_in_the_same_look_that_repeats_nothing() {
    let door = Door::open().await;
    for path in [
        "/docs/errors",
        "/docs/errors/",
        "/docs/errors/nope",
        "/docs/a/b/c",
        "/docs/../Cargo.toml",
        "/docs/%2e%2e/Cargo.toml",
        "/docs/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    ] {
        let page = get(&door, path, "If-None-Match: *\r\n").await;
        assert_eq!(page.status, 404, "{path}");
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8", "{path}");
        assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
        assert!(page.body.contains("<nav aria-label=\"Manual\">"), "{path}");
        assert!(!page.body.contains("alert") && !page.body.contains("nope"), "{path}");
    }
    let raw = get(&door, "/docs/nope.md", "").await;
    assert_eq!((raw.status, raw.header("content-type")), (404, "text/markdown; charset=utf-8"));
}

#[tokio::test]
async fn an_error_names_its_page() {
    let door = Door::open().await;
    let refused = get(&door, "/v1/status", "").await;
    let page = refused.json()["error"]["documentation"].as_str().unwrap().to_owned();
    assert_eq!(page, "/docs/errors/token_missing");
    assert_eq!(get(&door, &page, "").await.status, 200);
}

#[test]
fn bounds_that_the_manual_names_are_the_ones_there_are() {
    let text = fs::read_to_string(docs().join("limits.md")).unwrap();
    let rows: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("| `")).collect();
    assert!(rows.len() > 10);
    for row in rows {
        let (name, rest) = row.split_once("` | ").unwrap();
        let limit = limits::ALL.iter().find(|limit| limit.name == name).expect(name);
        let bound = rest.split(" | ").next().unwrap();
        assert_eq!(bound, format!("{} {}", limit.value, limit.unit), "{name}");
    }
}

#[test]
fn no_page_names_a_place_on_somebody_s_machine() {
    for (name, text) in pages() {
        for place in ["/root", "/home/", "/tmp", "/Users/", "/mnt/", "target/"] {
            assert!(!text.contains(place), "{name} names {place}");
        }
    }
}
