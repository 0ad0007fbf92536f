//! Closed lists: sets of published words, each an enum whose words appear once.

/// Defines an enum of published words: `ALL` in the order they are listed, `text()` for the word,
/// [`Display`](std::fmt::Display) to write it and [`FromStr`](std::str::FromStr) to read it. Any
/// other word is refused with `invalid_request` and the words that would do.
macro_rules! closed {
    ($(#[$doc:meta])* $name:ident { $($(#[$item:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$item])* $variant,)* }

        impl $name {
            /// All words, in the order they are listed.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The published word.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.text())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::Error;

            fn from_str(raw: &str) -> $crate::Result<Self> {
                Self::ALL.iter().copied().find(|item| item.text() == raw).ok_or_else(|| {
                    let known: Vec<_> = Self::ALL.iter().map(|item| item.text()).collect();
                    $crate::Error::new(
                        $crate::Reason::InvalidRequest,
                        format!("{raw:?} is none of {}", known.join(", ")),
                    )
                })
            }
        }
    };
}
pub(crate) use closed;
