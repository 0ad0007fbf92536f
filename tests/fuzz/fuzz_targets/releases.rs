//! A page of a repository's releases: the first line is its `Link` header, the rest its body. What
//! is read names versions, sends nothing back that breaks a header, and asks for one page more or
//! for those that were announced.
#![no_main]

use aileron_contract::limits;
use aileron_executor::packages::releases::listing;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let at = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (head, body) = bytes.split_at(at);
    let link = std::str::from_utf8(head).ok();
    let Ok(page) = listing::read(body, link, link) else { return };
    assert!(page.tags.len() <= usize::try_from(listing::PER_PAGE).expect("it is small"));
    for tag in &page.tags {
        assert!(tag.len() <= limits::TAG);
        let path = tag.rsplit_once('/').map_or("", |(path, _)| path);
        let versions = listing::versions(std::slice::from_ref(tag), path);
        assert_eq!(versions.len(), 1, "{tag}");
        assert!(!listing::some(&versions).contains(char::is_control));
    }
    if let Some(etag) = &page.etag {
        assert!(!etag.is_empty() && !etag.contains(char::is_control));
    }
    let wanted = listing::wanted(std::slice::from_ref(&page));
    assert!(wanted.is_none_or(|last| last > 1));
    assert_eq!(wanted.is_some(), page.more || page.last.is_some_and(|last| last > 1));
    let all = listing::versions(&page.tags, "");
    assert!(all.windows(2).all(|pair| pair[0] > pair[1]), "the newest first, and each once");
});
