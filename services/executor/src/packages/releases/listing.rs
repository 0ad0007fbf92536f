//! One page of a listing, as the GitHub API writes it: which tags it names, and which pages there
//! are besides. Pages are counted, never followed: no address of an answer is ever asked.

use std::collections::BTreeSet;

use aileron_contract::{limits, names::Version};
use serde::{Deserialize, Serialize};

/// Releases per page, the most the API gives.
pub const PER_PAGE: u32 = 100;

/// What is kept of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// The page's own tag, to ask whether it is still this one.
    pub etag: Option<String>,
    /// The tags of published releases that name a version.
    pub tags: Vec<String>,
    /// The last page there is, as far as this one says.
    pub last: Option<u32>,
    /// Does this one say that another follows it?
    pub more: bool,
}

/// Why a page was refused.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("it is not a list of releases: {0}")]
    Json(#[from] serde_json::Error),
    #[error("it holds more than {PER_PAGE} releases")]
    TooLong,
}

#[derive(Deserialize)]
struct Release {
    tag_name: String,
    #[serde(default)]
    draft: bool,
}

/// Reads a page and what its headers say about it.
pub fn read(body: &[u8], etag: Option<&str>, link: Option<&str>) -> Result<Page, Unreadable> {
    let releases: Vec<Release> = serde_json::from_slice(body)?;
    let count = u32::try_from(releases.len()).unwrap_or(u32::MAX);
    if count > PER_PAGE {
        return Err(Unreadable::TooLong);
    }
    let published = releases.into_iter().filter(|release| !release.draft);
    let tags = published.map(|release| release.tag_name).filter(|tag| split(tag).is_some());
    let (last, next) = link.map(pages).unwrap_or_default();
    Ok(Page {
        etag: etag.filter(|etag| sendable(etag)).map(str::to_owned),
        tags: tags.collect(),
        last,
        // A source that does not say is asked again while its pages are full.
        more: next || (link.is_none() && count == PER_PAGE),
    })
}

/// The page to read up to, when those at hand are not all.
pub fn wanted(pages: &[Page]) -> Option<u32> {
    let have = u32::try_from(pages.len()).unwrap_or(u32::MAX);
    let declared = pages.iter().filter_map(|page| page.last).max().unwrap_or(0);
    let following = pages.last().is_some_and(|page| page.more);
    let last = if following { declared.max(have.saturating_add(1)) } else { declared };
    (last > have).then_some(last)
}

/// The versions of the package at `subpath`, the newest first.
pub fn versions(tags: &[String], subpath: &str) -> Vec<Version> {
    let own = tags.iter().filter_map(|tag| split(tag)).filter(|(path, _)| *path == subpath);
    let versions: BTreeSet<Version> = own.map(|(_, version)| version).collect();
    versions.into_iter().rev().collect()
}

/// The first ten, for a sentence.
pub fn some(versions: &[Version]) -> String {
    const SHOWN: usize = 10;
    let shown: Vec<String> = versions.iter().take(SHOWN).map(ToString::to_string).collect();
    match versions.len().checked_sub(SHOWN) {
        None | Some(0) => shown.join(", "),
        Some(more) => format!("{} and {more} more", shown.join(", ")),
    }
}

/// `v<version>` or `<subpath>/v<version>`: the path, empty for the repository itself, and the
/// version.
fn split(tag: &str) -> Option<(&str, Version)> {
    if tag.len() > limits::TAG {
        return None;
    }
    let (path, name) = match tag.rsplit_once('/') {
        Some(("", _)) => return None,
        Some(found) => found,
        None => ("", tag),
    };
    Some((path, name.strip_prefix('v')?.parse().ok()?))
}

/// The last page and whether one follows, from a `Link` header (RFC 8288).
fn pages(link: &str) -> (Option<u32>, bool) {
    let (mut last, mut next) = (None, false);
    for entry in link.split(',') {
        let Some((target, parameters)) = entry.split_once('>') else { continue };
        let relation = |name: &str| {
            parameters.split(';').any(|parameter| {
                let parameter = parameter.trim();
                let value = parameter.strip_prefix("rel=").map(|value| value.trim_matches('"'));
                value.is_some_and(|value| value.eq_ignore_ascii_case(name))
            })
        };
        next |= relation("next");
        if relation("last") {
            last = page_number(target).or(last);
        }
    }
    (last, next)
}

fn page_number(target: &str) -> Option<u32> {
    let (_, query) = target.split_once('?')?;
    query.split('&').find_map(|pair| pair.strip_prefix("page=")).and_then(|page| page.parse().ok())
}

/// Fits into a header, and is no longer than tags are.
fn sendable(etag: &str) -> bool {
    (1..=limits::TAG).contains(&etag.len())
        && etag.bytes().all(|c| c == b' ' || c.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tags(tags: &[&str]) -> Vec<String> {
        tags.iter().map(|tag| (*tag).to_owned()).collect()
    }

    #[test]
    fn drafts_and_other_tags_are_left_out() {
        let body = br#"[
            {"tag_name": "v1.2.0", "draft": false, "prerelease": true, "body": "x"},
            {"tag_name": "v9.0.0", "draft": true},
            {"tag_name": "latest"}, {"tag_name": "1.2.0"}, {"tag_name": "v1.2"},
            {"tag_name": "/v1.0.0"}, {"tag_name": "actions/list/v1.0.0-rc.1"}
        ]"#;
        let page = read(body, Some("W/\"x\""), None).unwrap();
        assert_eq!(page.tags, ["v1.2.0", "actions/list/v1.0.0-rc.1"]);
        assert_eq!((page.etag.as_deref(), page.last, page.more), (Some("W/\"x\""), None, false));
    }

    #[test]
    fn a_package_has_the_versions_of_its_own_tags() {
        let all = tags(&["v1.2.0", "v1.10.0", "v1.9.0", "a/v3.0.0", "a/b/v4.0.0", "v2.0.0-rc.1"]);
        let found = |path| {
            versions(&all, path).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(found(""), "2.0.0-rc.1 1.10.0 1.9.0 1.2.0");
        assert_eq!(found("a"), "3.0.0");
        assert_eq!(found("a/b"), "4.0.0");
        assert_eq!(found("b"), "");
    }

    #[test]
    fn what_is_no_listing_is_refused() {
        for body in ["", "{}", "[1]", r#"[{"tag": "v1.0.0"}]"#, "[", "null", r#"{"message": "x"}"#]
        {
            assert!(read(body.as_bytes(), None, None).is_err(), "{body}");
        }
        let release = r#"{"tag_name": "v1.0.0"}"#;
        let many = format!("[{}]", vec![release; 101].join(","));
        assert!(matches!(read(many.as_bytes(), None, None), Err(Unreadable::TooLong)));
    }

    #[test]
    fn pages_are_counted_and_no_address_is_taken_over() {
        let link = "<https://evil.example/x?per_page=100&page=2>; rel=\"next\", \
                    <https://evil.example/x?page=7&per_page=100>; rel=\"last\"";
        assert_eq!(pages(link), (Some(7), true));
        assert_eq!(pages("<https://x/?page=1>; rel=\"prev\""), (None, false));
        assert_eq!(pages("<https://x/?page=-3>; rel=last"), (None, false));
        assert_eq!(pages("<https://x/?per_page=9>; rel=last; x=y"), (None, false));
    }

    #[test]
    fn pages_are_read_up_to_the_last_that_any_of_them_knows() {
        let page = |last, more| Page { last, more, ..Page::default() };
        assert_eq!(wanted(&[page(None, false)]), None);
        assert_eq!(wanted(&[page(None, true)]), Some(2));
        assert_eq!(wanted(&[page(Some(5), true)]), Some(5));
        assert_eq!(wanted(&[page(Some(2), true), page(None, false)]), None);
        assert_eq!(wanted(&[page(Some(2), true), page(Some(2), true)]), Some(3));
        assert_eq!(wanted(&[page(Some(u32::MAX), true)]), Some(u32::MAX));
    }

    #[test]
    fn a_tag_that_would_break_a_line_is_not_sent_back() {
        for etag in ["", "a\r\nb", "a\u{7f}", &"x".repeat(limits::TAG + 1)] {
            assert_eq!(read(b"[]", Some(etag), None).unwrap().etag, None, "{etag:?}");
        }
    }

    proptest! {
        #[test]
        fn any_listing_is_read_or_refused(body in ".{0,400}", link in ".{0,200}") {
            if let Ok(page) = read(body.as_bytes(), Some(&link), Some(&link)) {
                prop_assert!(page.tags.iter().all(|tag| split(tag).is_some()));
            }
        }

        #[test]
        fn a_version_is_found_under_its_tag(
            path in "([a-z0-9._-]{1,8}/){0,3}",
            version in "[0-9]{1,3}\\.(0|[1-9][0-9]{0,3})\\.[0-9](-[a-z]{1,5}\\.[1-9])?",
        ) {
            let Ok(version) = version.parse::<Version>() else { return Ok(()) };
            let found = versions(&[format!("{path}v{version}")], path.trim_end_matches('/'));
            prop_assert_eq!(found, vec![version]);
        }
    }
}
