//! Names of Unity Catalog's objects: `catalog.schema.object`.

use crate::error::{Error, ErrorKind, Result};

/// The parts of a name, which dots part outside of backticks. Backticks around a part are taken off.
///
/// # Errors
/// [`Input`](ErrorKind::Input) when there are not as many parts as `wanted`, or one is empty.
pub(super) fn parts(full_name: &str, wanted: usize) -> Result<Vec<String>> {
    let mut parts = vec![String::new()];
    let (mut quoted, mut torn) = (false, false);
    let mut chars = full_name.trim().chars().peekable();
    while let Some(c) = chars.next() {
        match (c, parts.last_mut()) {
            ('`', Some(part)) if quoted && chars.next_if_eq(&'`').is_some() => part.push('`'),
            ('`', _) => quoted = !quoted,
            ('.', _) if !quoted => parts.push(String::new()),
            (c, Some(part)) => {
                torn |= c.is_control() || c == '/';
                part.push(c);
            }
            (_, None) => {}
        }
    }
    if torn || quoted || parts.len() != wanted || parts.iter().any(|part| part.trim().is_empty()) {
        let form = ["name", "catalog.schema", "catalog.schema.name"].get(wanted.saturating_sub(1)).unwrap_or(&"name");
        return Err(Error::new(ErrorKind::Input, format!("`{full_name}` is not a name of the form `{form}`"))
            .with_hint(
                "Give the full name as the Catalog page shows it; a part with a dot in it stands in backticks.",
            ));
    }
    Ok(parts)
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
    let parts = parts(full_name, 3)?;
    Ok(parts.iter().map(|part| format!("`{}`", part.replace('`', "``"))).collect::<Vec<_>>().join("."))
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
