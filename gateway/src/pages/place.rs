//! Where one browser's pages are.
//!
//! Cookies ignore ports: one for this name is sent to every program of this machine that gets the
//! browser to ask it under this name. So the cookie is bound to a path as well, which is drawn when
//! a browser signs in and which nobody but that browser is told: another program knows no address
//! that the cookie would be sent to, and without the path the cookie opens nothing.

/// Where the pages are mounted.
pub(super) const ROUTE: &str = "/at/{key}/";

/// `/at/<key>/` for a browser that is signed in, `/` before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place(String);

impl Place {
    pub(super) fn of_key(key: &str) -> Self {
        Self(format!("/at/{key}/"))
    }

    /// The place an address leads to.
    pub(super) fn of_path(path: &str) -> Self {
        let key = path.strip_prefix("/at/").and_then(|rest| rest.split_once('/'));
        match key.filter(|(key, _)| key.len() == 64 && key.bytes().all(|c| c.is_ascii_hexdigit())) {
            Some((key, _)) => Self::of_key(key),
            None => Self("/".to_owned()),
        }
    }

    /// None before the sign-in.
    pub(super) fn key(&self) -> Option<&str> {
        self.0.strip_prefix("/at/")?.strip_suffix('/')
    }

    /// What the links of a page are relative to.
    pub(super) fn base(&self) -> &str {
        &self.0
    }

    /// The address of a page, which is named as a link names it or by its path.
    pub(super) fn at(&self, page: &str) -> String {
        format!("{}{}", self.0, page.strip_prefix('/').unwrap_or(page))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_whose_place_it_is_in() {
        let key = "0a".repeat(32);
        let place = Place::of_path(&format!("/at/{key}/approvals"));
        assert_eq!(place, Place::of_key(&key));
        assert_eq!(place.key(), Some(key.as_str()));
        assert_eq!(place.at("/vault"), format!("/at/{key}/vault"));
        assert_eq!(place.at(""), place.base());
        for path in ["/", "/approvals", "/at/", "/at/0a0a/x", "/at//x", &format!("/at/{key}")] {
            assert_eq!(Place::of_path(path).key(), None, "{path}");
        }
        let odd = format!("/at/{}\"/x", "0".repeat(63));
        assert_eq!(Place::of_path(&odd).base(), "/");
    }
}
