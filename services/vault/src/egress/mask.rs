//! Hides a credential in what an upstream answers.

use zeroize::Zeroizing;

mod forms;
use forms::{Forms, Found};

/// What stands in the credential's place: of one length, so that it tells nothing.
pub(crate) const MASK: &[u8] = b"********";

/// Replaces every occurrence of some secrets in a stream of bytes: as they are, in hexadecimal, in
/// base64 at any alignment, and each of these percent-encoded or escaped as in JSON,
/// JavaScript or HTML. A guard against echoes: an upstream that holds the credential and wants
/// to hand it over can always find a form nobody looks for.
///
/// What comes out does not depend on where the stream was cut.
#[derive(Default)]
pub(crate) struct Masker {
    /// None masks nothing.
    forms: Option<Forms>,
    pending: Zeroizing<Vec<u8>>,
    /// Bytes at the start of `pending` that a mask already stands for.
    hidden: usize,
}

impl Masker {
    pub(crate) fn new(secrets: &[&[u8]]) -> Self {
        Self { forms: Forms::of(secrets), ..Self::default() }
    }

    /// Takes the next bytes; returns those that are certain.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Vec<u8> {
        if self.forms.is_none() {
            return bytes.to_vec();
        }
        self.pending.extend_from_slice(bytes);
        self.advance(false)
    }

    /// Nothing follows: returns the rest.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        self.advance(true)
    }

    /// Masks a whole text.
    pub(crate) fn whole(&self, bytes: &[u8]) -> Vec<u8> {
        let mut masker =
            Self { forms: self.forms.clone(), pending: Zeroizing::default(), hidden: 0 };
        let mut out = masker.feed(bytes);
        out.append(&mut masker.finish());
        out
    }

    /// Would anything in the text be masked?
    pub(crate) fn finds(&self, text: &[u8]) -> bool {
        let hit = |forms: &Forms| {
            let mut at = forms.next(text, 0);
            while at < text.len() {
                if matches!(forms.find(text, at, true), Found::Until(_)) {
                    return true;
                }
                at = forms.next(text, at + 1);
            }
            false
        };
        self.forms.as_ref().is_some_and(hit)
    }

    /// The same for a text whose case was lost, such as a header's name.
    pub(crate) fn finds_folded(&self, text: &[u8]) -> bool {
        self.forms.as_ref().is_some_and(|forms| forms.plain_in(text))
    }

    fn advance(&mut self, last: bool) -> Vec<u8> {
        let Some(forms) = &self.forms else { return Vec::new() };
        let mut out = Vec::with_capacity(self.pending.len());
        let mut at = 0;
        while at < self.pending.len() {
            let next = forms.next(&self.pending, at);
            out.extend_from_slice(self.pending.get(at.max(self.hidden)..next).unwrap_or_default());
            at = next;
            let Some(byte) = self.pending.get(at) else { break };
            match forms.find(&self.pending, at, last) {
                Found::Undecided => break,
                Found::Nothing => {}
                Found::Until(end) => {
                    if at >= self.hidden {
                        out.extend_from_slice(MASK);
                    }
                    self.hidden = self.hidden.max(end);
                }
            }
            if at >= self.hidden {
                out.push(*byte);
            }
            at += 1;
        }
        self.pending.drain(..at);
        self.hidden = self.hidden.saturating_sub(at);
        out
    }
}

impl std::fmt::Debug for Masker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Masker(..)")
    }
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine};
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "lin_api_K3y/with+odd\"chars=";

    fn spelled(text: &str, spelling: impl Fn(u8) -> String) -> String {
        text.bytes().map(spelling).collect()
    }

    fn masked(text: &str) -> String {
        String::from_utf8(Masker::new(&[SECRET.as_bytes()]).whole(text.as_bytes())).unwrap()
    }

    #[test]
    fn every_form_of_the_secret_is_masked() {
        let percent: String = spelled(SECRET, |c| format!("%{c:02x}"));
        let unicode: String = spelled(SECRET, |c| format!("\\u{c:04X}"));
        let entities: String = spelled(SECRET, |c| format!("&#{c};"));
        for form in [
            SECRET.to_owned(),
            hex::encode(SECRET),
            hex::encode_upper(SECRET),
            percent,
            url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect(),
            unicode,
            entities,
            SECRET.replace('"', "\\\"").replace('/', "\\/"),
            SECRET.replace('"', "&quot;"),
        ] {
            assert_eq!(masked(&format!("<{form}>")), "<********>", "{form}");
        }
    }

    #[test]
    fn base64_is_masked_at_every_alignment() {
        for before in ["", "u", "us", "user:", "Bearer "] {
            for after in ["", "x", "xy", " and more"] {
                let text = format!("{before}{SECRET}{after}");
                for form in [
                    BASE64_STANDARD.encode(&text),
                    BASE64_URL_SAFE_NO_PAD.encode(&text),
                    BASE64_STANDARD.encode(&text).replace('+', "%2B").replace('/', "\\/"),
                ] {
                    let hidden = masked(&form);
                    // All but the characters that share bits with their neighbours.
                    let own = (SECRET.len() * 8 - 10) / 6;
                    let rest = hidden.replace("********", "");
                    assert!(rest.len() + own <= form.len(), "{form} {hidden}");
                }
            }
        }
    }

    #[test]
    fn a_secret_that_overlaps_itself_leaves_nothing_behind() {
        let masker = Masker::new(&[b"abcabc"]);
        assert_eq!(masker.whole(b"-abcabcabc-"), b"-********-");
    }

    #[test]
    fn what_only_begins_like_the_secret_stays() {
        assert_eq!(masked("lin_api_K3x lin_api_"), "lin_api_K3x lin_api_");
        assert_eq!(Masker::default().whole(b"anything"), b"anything");
        assert_eq!(Masker::new(&[b""]).whole(b"anything"), b"anything");
    }

    fn form(secret: &str, which: u8) -> String {
        match which % 6 {
            0 => secret.to_owned(),
            1 => hex::encode(secret),
            2 => BASE64_STANDARD.encode(secret),
            3 => spelled(secret, |c| format!("%{c:02X}")),
            4 => serde_json::to_string(secret).unwrap(),
            _ => secret.chars().next().map(String::from).unwrap_or_default(),
        }
    }

    proptest! {
        #[test]
        fn any_chunking_masks_as_the_whole_and_leaks_nothing(
            secret in "[ab\"\\\\%&/+; ]{1,12}",
            parts in prop::collection::vec((any::<u8>(), "[ab%&;\\\\u0-9#x+\"]{0,6}"), 0..12),
            cuts in prop::collection::vec(1_usize..7, 1..20),
        ) {
            let text: String =
                parts.iter().map(|(which, noise)| form(&secret, *which) + noise).collect();
            let masker = Masker::new(&[secret.as_bytes()]);
            let whole = masker.whole(text.as_bytes());

            let mut chunked = Masker::new(&[secret.as_bytes()]);
            let mut out = Vec::new();
            let mut rest = text.as_bytes();
            for cut in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (chunk, tail) = rest.split_at((*cut).min(rest.len()));
                out.append(&mut chunked.feed(chunk));
                rest = tail;
            }
            out.append(&mut chunked.finish());

            prop_assert_eq!(&out, &whole);
            prop_assert!(!masker.finds(&whole), "{}", String::from_utf8_lossy(&whole));
        }
    }
}
