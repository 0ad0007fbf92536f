//! What stands around every page: one head, one navigation, landmarks.

use aileron_contract::{Timestamp, vault};
use maud::{DOCTYPE, Markup, html};

use super::{assets, place::Place, text};

/// What the page says on all of its pages.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) place: Place,
    /// The whole address, and the path within the place.
    pub(super) here: String,
    pub(super) path: String,
    pub(super) csrf: String,
    pub(super) expires_at: Timestamp,
    pub(super) vault: vault::State,
    pub(super) pending: u64,
    pub(super) drift: u64,
}

impl Frame {
    /// A whole page. `live` says that it changes while it is looked at.
    pub(super) fn around(&self, title: &str, live: bool, content: Markup) -> Markup {
        let body = html! {
            body data-at=(self.place.base()) data-watches=[live.then_some("live")] {
                a.skip href={ (self.here) "#text" } { "Skip to the text" }
                header {
                    a.brand href="./" { "Aileron" }
                    (self.navigation())
                    (self.standing())
                }
                main id="text" tabindex="-1" {
                    @if live {
                        p.notice.warn id="stale" role="status" hidden {
                            "This page no longer keeps itself up to date: "
                            a href=(self.here) { "reload it" } "."
                        }
                    }
                    (content)
                }
            }
        };
        document(title, &self.place, body)
    }

    pub(super) fn unlocked(&self) -> bool {
        self.vault == vault::State::Unlocked
    }

    /// The hidden field of every form.
    pub(super) fn token(&self) -> Markup {
        html! { input type="hidden" name="csrf" value=(self.csrf); }
    }

    fn navigation(&self) -> Markup {
        const PLACES: [(&str, &str); 7] = [
            ("./", "Overview"),
            ("approvals", "Approvals"),
            ("actions", "Actions"),
            ("bindings", "Bindings"),
            ("sessions", "Sessions"),
            ("audit", "Log"),
            ("vault", "Vault"),
        ];
        let first = self.path.split('/').nth(1).unwrap_or_default();
        let here = |page: &str| page.trim_start_matches("./") == first;
        html! {
            nav aria-label="Pages" {
                ul {
                    @for (page, name) in PLACES {
                        li {
                            a href=(page) aria-current=[here(page).then_some("page")] {
                                (name)
                                @if page == "approvals" {
                                    span id="pending" data-live role="status" {
                                        @if self.pending > 0 {
                                            " " span.count {
                                                (self.pending)
                                                span.aside { " waiting" }
                                            }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    fn standing(&self) -> Markup {
        let (word, class) = match self.vault {
            vault::State::Unlocked => ("Vault unlocked", "chip good"),
            vault::State::Locked => ("Vault locked", "chip warn"),
            vault::State::Missing => ("No vault", "chip bad"),
        };
        html! {
            div.standing {
                a id="vault-chip" data-live class=(class) href="vault" { (word) }
                details.menu {
                    summary { "Signed in" }
                    div {
                        p.quiet { "Until " (text::time(self.expires_at)) "." }
                        form method="post" action="sign-out" {
                            (self.token())
                            button { "Sign out" }
                            button name="everywhere" value="yes" { "Sign out everywhere" }
                        }
                    }
                }
            }
        }
    }
}

/// A page without navigation: before the sign-in, and for refusals.
pub(super) fn bare(title: &str, place: &Place, content: Markup) -> Markup {
    document(title, place, html! { body { (within(content)) } })
}

/// The sign-in. The script leads a browser that is signed in to its place, where `to` is then
/// shown; `over` has it forget that place.
pub(super) fn door(to: &str, over: bool, content: Markup) -> Markup {
    let body = html! {
        body data-to=[(!over).then_some(to)] data-over[over] { (within(content)) }
    };
    document("Sign in", &Place::of_path("/"), body)
}

fn within(content: Markup) -> Markup {
    html! {
        header { a.brand href="./" { "Aileron" } }
        main.narrow id="text" { (content) }
    }
}

/// A page that leads on by itself: from our own name the browser brings its cookie along, and a
/// form that would end elsewhere is not allowed to.
pub(super) fn bounce(to: &str, said: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="refresh" content={ "0;url=" (to) };
                (head("One moment"))
            }
            body {
                main.narrow {
                    h1 { "One moment" }
                    (said)
                    p { a.button href=(to) { "Go on" } }
                }
            }
        }
    }
}

fn document(title: &str, place: &Place, body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                base href=(place.base());
                (head(title))
                script src=(assets::SCRIPT) defer {}
            }
            (body)
        }
    }
}

fn head(title: &str) -> Markup {
    html! {
        meta name="viewport" content="width=device-width, initial-scale=1";
        meta name="color-scheme" content="light dark";
        title { (title) " · Aileron" }
        link rel="icon" href=(assets::ICON) type="image/svg+xml";
        link rel="stylesheet" href=(assets::STYLE);
    }
}
