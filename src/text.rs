//! Text as sentences.

/// Words after which a full stop ends no sentence.
const ABBREVIATIONS: [&str; 14] =
    ["e.g", "i.e", "etc", "approx", "no", "nr", "mr", "ms", "mrs", "dr", "vs", "incl", "max", "min"];

/// The byte ranges of the sentences of a text, blank ones left out. A sentence ends behind `.`, `!` or `?` when a new one
/// begins after white space, and at the end of a line.
pub(crate) fn sentences(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut start = 0;
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        let ends = match c {
            '\n' => true,
            '.' => begins_anew(text, end) && !is_abbreviation(text.get(start..at).unwrap_or_default()),
            '!' | '?' => begins_anew(text, end),
            _ => false,
        };
        if ends {
            found.push((start, end));
            start = end;
        }
    }
    found.push((start, text.len()));
    found.retain(|(start, end)| text.get(*start..*end).is_some_and(|sentence| !sentence.trim().is_empty()));
    found
}

fn begins_anew(text: &str, at: usize) -> bool {
    let rest = text.get(at..).unwrap_or_default().trim_start_matches(['"', '\'', ')', '”', '*', '_', ']']);
    let next = rest.trim_start();
    rest.is_empty() || (next.len() < rest.len() && !next.starts_with(char::is_lowercase))
}

fn is_abbreviation(before: &str) -> bool {
    let word = before.rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or_default();
    ABBREVIATIONS.iter().any(|known| known.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_end_where_a_new_one_begins() {
        let text = "Leave is 25 days, e.g. in June. Ask HR! \"Really?\" Yes (approx. 3.5 days).\n\n- One\n- Two, no. 5";
        let found: Vec<&str> = sentences(text).into_iter().map(|(start, end)| text[start..end].trim()).collect();
        let expected = [
            "Leave is 25 days, e.g. in June.",
            "Ask HR!",
            "\"Really?",
            "\" Yes (approx. 3.5 days).",
            "- One",
            "- Two, no. 5",
        ];
        assert_eq!(found, expected);
    }
}
