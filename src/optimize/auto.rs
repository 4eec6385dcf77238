//! How much a search tries, in a word.

use crate::error::{Error, ErrorKind, Result};
use crate::nearest::offer;

/// How much a search tries: the `auto` of DSPy's `MIPROv2` and `GEPA`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auto {
    /// 6 candidates; `MIPROv2` scores them on up to 100 examples.
    Light,
    /// 12 candidates, on up to 300 examples.
    Medium,
    /// 18 candidates, on up to 1,000 examples.
    Heavy,
}

impl Auto {
    /// The kind of a name that DSPy has for it.
    ///
    /// # Errors
    /// [`Input`](ErrorKind::Input), when there is none of that name.
    pub fn named(name: &str) -> Result<Self> {
        let kinds = [Self::Light, Self::Medium, Self::Heavy];
        kinds.into_iter().find(|kind| kind.as_str() == name).ok_or_else(|| {
            let message = "Invalid value for auto: must be one of {'light', 'medium', 'heavy'}.";
            Error::new(ErrorKind::Input, message)
                .at_field("auto")
                .with_hint(offer(name, kinds.map(Self::as_str)))
                .with_python_class("ValueError")
        })
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Medium => "medium",
            Self::Heavy => "heavy",
        }
    }

    pub(super) fn candidates(self) -> usize {
        match self {
            Self::Light => 6,
            Self::Medium => 12,
            Self::Heavy => 18,
        }
    }

    pub(super) fn valset_size(self) -> usize {
        match self {
            Self::Light => 100,
            Self::Medium => 300,
            Self::Heavy => 1000,
        }
    }
}
