//! The code in what a model wrote.

use crate::error::{Error, ErrorKind, Result};
use crate::python::{is_space, is_word, strip};

/// The code of a reply: of its first block, or of all of it; what stands behind a rule or two blank lines is left out. A last
/// line that assigns a name is followed by the name, so that the code has a value.
///
/// # Errors
/// [`Code`](ErrorKind::Code), when there is none.
pub(super) fn extract(reply: &str) -> Result<String> {
    let code = fenced(reply).unwrap_or(reply);
    if code.is_empty() {
        return Err(Error::new(ErrorKind::Code, "Error: Empty code after parsing."));
    }
    if !code.contains('\n') && code.matches('=').nth(1).is_some() {
        return Err(Error::new(ErrorKind::Code, "Error: Code format is not correct."));
    }
    let last = code.rsplit('\n').next().and_then(|line| assigned(strip(line)));
    Ok(last.map_or_else(|| code.to_owned(), |name| [code, "\n", name].concat()))
}

/// What of a reply may be code.
pub(super) fn cut(reply: &str) -> &str {
    let before = |text, end| str::split(text, end).next().unwrap_or_default();
    before(before(reply, "---"), "\n\n\n")
}

/// What stands between "```python" and a line or word that begins with "``".
fn fenced(text: &str) -> Option<&str> {
    let start = text.match_indices("```python").find_map(|(at, fence)| {
        text.get(at + fence.len()..).filter(|rest| rest.starts_with([' ', '\n'])).and_then(|rest| rest.get(1..))
    })?;
    let before = |(at, _)| start.get(..at)?.strip_suffix([' ', '\n']);
    start.match_indices("``").find_map(before)
}

/// The name that a line assigns, or compares.
fn assigned(line: &str) -> Option<&str> {
    let end = line.find(|c| !is_word(c))?;
    let (name, rest) = line.split_at_checked(end)?;
    (!name.is_empty() && rest.trim_start_matches(is_space).starts_with('=')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn gives(reply: &str, code: &str) {
        assert_eq!(extract(cut(reply)).map_err(|error| error.message().to_owned()).as_deref(), Ok(code));
    }

    #[test]
    fn the_first_block_is_the_code() {
        gives("So:\n```python\nprint(1)\n```\nor\n```python\nprint(2)\n```", "print(1)");
        gives("```python print(1) ``", "print(1)");
        gives("```python\nprint('```')\n```", "print('```')");
    }

    #[test]
    fn without_a_block_all_is_code() {
        gives("print(1)\nprint(2)", "print(1)\nprint(2)");
        gives("```python3\nprint(1)\n```", "```python3\nprint(1)\n```");
        gives("print(1)\n--- and so on", "print(1)\n");
        gives("print(1)\n\n\nprint(2)", "print(1)");
    }

    #[test]
    fn what_is_assigned_last_is_the_value() {
        gives("a = 1\n  größe\u{a0}= 2 ", "a = 1\n  größe\u{a0}= 2 \ngröße");
        gives("a = 1\na == 1", "a = 1\na == 1\na");
        gives("a = 1\na += 1", "a = 1\na += 1");
        gives("a = [\n1]\nb.c = 2", "a = [\n1]\nb.c = 2");
    }

    #[test]
    fn what_is_no_code_is_refused() {
        let refused = |reply| extract(cut(reply)).err().map(|error| (error.kind(), error.message().to_owned()));
        let empty = Some((ErrorKind::Code, "Error: Empty code after parsing.".to_owned()));
        assert_eq!(refused(""), empty);
        assert_eq!(refused("---\nx = 1"), empty);
        assert_eq!(refused("```python\n\n```"), empty);
        assert_eq!(refused("a = b = 1"), Some((ErrorKind::Code, "Error: Code format is not correct.".to_owned())));
    }
}
