//! "Did you mean": the known name that is closest to an unknown one.

/// The hint for an unknown name: the nearest known name, or all of them.
///
/// `offer("anwser", ["answer", "question"])` gives ``did you mean `answer`?``.
pub(crate) fn offer<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let near = known.iter().map(|other| (distance(name, other), other)).min_by_key(|(distance, _)| *distance);
    match near {
        Some((distance, other)) if distance <= name.chars().count().max(other.chars().count()) / 3 => {
            format!("did you mean `{other}`?")
        }
        Some(_) => format!("known are `{}`", known.join("`, `")),
        None => "none is known".to_owned(),
    }
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (to, cell) in b.iter().zip(row.iter_mut().skip(1)) {
            let changed = diagonal + usize::from(from != *to);
            diagonal = *cell;
            left = changed.min(*cell + 1).min(left + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered_and_all_of_them_when_none_is_near() {
        assert_eq!(offer("anwser", ["question", "answer"]), "did you mean `answer`?");
        assert_eq!(offer("retrive", ["retrieve", "generate_answer"]), "did you mean `retrieve`?");
        assert_eq!(offer("xyz", ["question", "answer"]), "known are `question`, `answer`");
        assert_eq!(offer("x", []), "none is known");
    }

    #[test]
    fn distance_counts_insertions_deletions_and_changes() {
        for (a, b, expected) in
            [("", "", 0), ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("flaw", "lawn", 2)]
        {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }
}
