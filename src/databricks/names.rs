//! Names of Unity Catalog's objects: `catalog.schema.object`.

use crate::error::{Error, ErrorKind, Result};

/// The parts of a name, which dots part outside of backticks. Backticks around a part are taken off. `None` when a part is empty or a backtick
/// has no end.
pub(super) fn split(name: &str) -> Option<Vec<String>> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, parts.last_mut()) {
            ('`', Some(part)) if quoted && chars.next_if_eq(&'`').is_some() => part.push('`'),
            ('`', _) => quoted = !quoted,
            ('.', _) if !quoted => parts.push(String::new()),
            (c, Some(part)) => part.push(c),
            (_, None) => {}
        }
    }
    (!quoted && parts.iter().all(|part| !part.trim().is_empty())).then_some(parts)
}

/// The parts of a full name.
///
/// # Errors
/// [`Input`](ErrorKind::Input) when there are not as many parts as `wanted`, or one is empty.
pub(super) fn parts(full_name: &str, wanted: usize) -> Result<Vec<String>> {
    let is_torn = |part: &String| part.contains(|c: char| c.is_control() || c == '/');
    let parts = split(full_name.trim()).filter(|parts| parts.len() == wanted && !parts.iter().any(is_torn));
    parts.ok_or_else(|| {
        let form = ["name", "catalog.schema", "catalog.schema.name"].get(wanted.saturating_sub(1)).unwrap_or(&"name");
        Error::new(ErrorKind::Input, format!("`{full_name}` is not a name of the form `{form}`"))
            .with_hint("Give the full name as the Catalog page shows it; a part with a dot in it stands in backticks.")
    })
}

/// A full name as the API takes it: without backticks.
///
/// # Errors
/// As [`parts`].
pub(super) fn plain(full_name: &str, wanted: usize) -> Result<String> {
    Ok(parts(full_name, wanted)?.join("."))
}

/// A full name as SQL takes it, whatever is in it: each part in backticks.
///
/// # Errors
/// As [`parts`], for three of them.
pub(super) fn quoted(full_name: &str) -> Result<String> {
    Ok(parts(full_name, 3)?.iter().map(|part| identifier(part)).collect::<Vec<_>>().join("."))
}

/// A part of a name as SQL takes it, whatever is in it: in backticks.
pub(super) fn identifier(part: &str) -> String {
    format!("`{}`", part.replace('`', "``"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_part_by_part() {
        assert_eq!(quoted("main.rag.docs").unwrap(), "`main`.`rag`.`docs`");
        assert_eq!(quoted("main.`my.schema`.docs").unwrap(), "`main`.`my.schema`.`docs`");
        assert_eq!(quoted("main.rag.`a``; DROP TABLE x`").unwrap(), "`main`.`rag`.`a``; DROP TABLE x`");
        assert_eq!(quoted("main.rag.x) (id INT); DROP TABLE y").unwrap(), "`main`.`rag`.`x) (id INT); DROP TABLE y`");
        for name in ["", "docs", "main.docs", "main..docs", "main.rag.`docs", "a.b.c.d", "a.b/c.d"] {
            assert!(quoted(name).is_err(), "{name}");
        }
        assert_eq!(parts("main.rag", 2).unwrap(), ["main", "rag"]);
    }
}
