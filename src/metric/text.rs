//! Texts without the differences that do not matter.

use crate::python::{is_space, is_word, lower, nfd, tokens};

/// The text in lower case, without ASCII punctuation and the articles `a`, `an`, `the`, its words parted by one space.
///
/// Accents stay, apart from their letters (Unicode's normal form D). So an article may be followed by an accent, and is
/// still taken away: DSPy does so.
///
/// ```
/// assert_eq!(lakelet::metric::normalize_text("The,  Eiffel  Tower!"), "eiffel tower");
/// ```
pub fn normalize_text(text: &str) -> String {
    let mut bare = lower(&nfd(text));
    bare.retain(|c| !c.is_ascii_punctuation());
    let bare = without_articles(&bare);
    bare.split(is_space).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The text with a space for each article that stands alone.
fn without_articles(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len()).max(c.len_utf8());
        let (word, behind) = rest.split_at_checked(end).unwrap_or((rest, ""));
        out.push_str(if matches!(word, "a" | "an" | "the") { " " } else { word });
        rest = behind;
    }
    out
}

/// The tokens by which passages are searched for answers, in lower case: runs of letters, numbers and marks, and all other
/// visible characters one by one.
///
/// ```
/// assert_eq!(lakelet::metric::dpr_normalize("Don't!"), ["don", "'", "t", "!"]);
/// ```
pub fn dpr_normalize(text: &str) -> Vec<String> {
    tokens(&nfd(text)).iter().map(|token| lower(token)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_marks_and_digits_of_all_scripts_are_told_apart() {
        let text = "The Caf\u{e9}\u{200b} a\u{301} ٣²Ⓐ_ 日本語";
        assert_eq!(normalize_text(text), "cafe\u{301}\u{200b} \u{301} ٣²ⓐ 日本語");
        assert_eq!(dpr_normalize(text), ["the", "cafe\u{301}", "a\u{301}", "٣²", "ⓐ", "_", "日本語"]);
    }
}
