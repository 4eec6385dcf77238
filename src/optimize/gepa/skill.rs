//! Skills: reference material for the model that proposes instructions.

use crate::error::{Error, ErrorKind, Result};
use crate::python::{splitlines, str_repr, strip, strip_end};

/// A skill as the proposer shows it: `<skill name='...'>`, the text, `</skill>`.
///
/// `source` is the text itself, in the Agent Skills layout: `name` and `description` may stand in front, between lines of
/// `---`, as one-line YAML scalars. Without a name the first line is one.
pub(super) fn render(source: &str) -> Result<String> {
    let text = strip(source);
    if text.is_empty() {
        return Err(refused("Empty skill content."));
    }
    if looks_like_path(text) {
        let message = format!("Skill {} looks like a path.", str_repr(text));
        return Err(Error::new(ErrorKind::Input, message)
            .with_hint("read the file, and give its text")
            .with_python_class("FileNotFoundError"));
    }
    let (meta, content) = front_matter(text)?;
    let content = strip(&content);
    if content.is_empty() {
        return Err(refused("Empty skill content after removing frontmatter."));
    }
    let name = meta.name.filter(|name| !name.is_empty()).unwrap_or_else(|| title(content));
    let description = meta.description.filter(|description| !description.is_empty());
    let description = description.map_or(String::new(), |text| [" description=", &str_repr(&text)].concat());
    Ok(["<skill name=", &str_repr(&name), &description, ">\n", content, "\n</skill>"].concat())
}

#[derive(Default)]
struct Meta {
    name: Option<String>,
    description: Option<String>,
}

/// The first line, without the marks of a heading and not too long.
fn title(content: &str) -> String {
    let line = splitlines(content).next().unwrap_or_default();
    let line = strip(line.trim_start_matches(['#', ' ']));
    match line.char_indices().nth(60) {
        Some((end, _)) => [line.get(..end).unwrap_or(line), "…"].concat(),
        None if line.is_empty() => "inline-skill".to_owned(),
        None => line.to_owned(),
    }
}

/// Whether a text names a file, which is not there to be read.
fn looks_like_path(text: &str) -> bool {
    if text.contains(['\n', '\r']) {
        return false;
    }
    if text.contains(char::is_whitespace) {
        let drive =
            |text: &str| matches!(text.as_bytes(), [letter, b':', b'/' | b'\\', ..] if letter.is_ascii_alphabetic());
        let starts = ["./", ".\\", "../", "..\\", "~/", "~\\", "/", "\\"];
        return starts.iter().any(|start| text.starts_with(start)) || drive(text);
    }
    let lower = text.to_ascii_lowercase();
    text.contains(['/', '\\'])
        || text.starts_with(['.', '~'])
        || [".md", ".markdown", ".txt"].iter().any(|end| lower.ends_with(end))
}

/// What stands between the first two lines of `---`, and the text behind it.
fn front_matter(text: &str) -> Result<(Meta, String)> {
    let mut lines = splitlines(text);
    let mut meta = Meta::default();
    if lines.next().map(strip) != Some("---") {
        return Ok((meta, text.to_owned()));
    }
    while let Some(line) = lines.next() {
        if strip_end(line) == "---" {
            return Ok((meta, lines.collect::<Vec<_>>().join("\n")));
        }
        let Some((key, value)) = line.split_once(':') else { continue };
        match key {
            "name" => meta.name = Some(scalar(key, value)?),
            "description" => meta.description = Some(scalar(key, value)?),
            _ => {}
        }
    }
    Err(refused("Skill frontmatter is missing its closing '---'."))
}

/// A YAML text on one line.
fn scalar(key: &str, value: &str) -> Result<String> {
    let value = strip(value);
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote).and_then(|value| value.strip_suffix(quote)) {
            return Ok(match quote {
                '\'' => inner.replace("''", "'"),
                _ => inner.replace("\\\"", "\"").replace("\\\\", "\\"),
            });
        }
    }
    let value = strip_end(value.split(" #").next().unwrap_or_default());
    let lower = value.to_ascii_lowercase();
    let other = matches!(lower.as_str(), "" | "~" | "null" | "true" | "false" | "yes" | "no" | "on" | "off");
    if other || value.parse::<f64>().is_ok() {
        return Err(refused(&format!("Skill frontmatter '{key}' must be a string.")));
    }
    if value.contains(": ") || value.starts_with(['|', '>', '[', '{', '&', '*', '!', '%', '@', '`', '"', '\'']) {
        return Err(refused("Invalid YAML skill frontmatter.")
            .with_hint("write the name and the description on one line each, in quotes if need be"));
    }
    Ok(value.to_owned())
}

fn refused(message: &str) -> Error {
    Error::new(ErrorKind::Input, message).with_python_class("ValueError")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_the_front_matter_or_the_first_line() {
        let long = "a".repeat(61);
        let cut = format!("<skill name='{}…'>\n{long}\nb\n</skill>", "a".repeat(60));
        let long = format!("{long}\nb");
        for (source, expected) in [
            ("# Tips\nUse lists.\n", "<skill name='Tips'>\n# Tips\nUse lists.\n</skill>"),
            ("##\nb", "<skill name='inline-skill'>\n##\nb\n</skill>"),
            (&long, &cut),
            (
                "---\nname: it's\ntags: [a]\ndescription: 'd ''e'''  \n---\n\nBody: x\n",
                "<skill name=\"it's\" description=\"d 'e'\">\nBody: x\n</skill>",
            ),
            ("---\nname: \"\"\n---\nFirst\n", "<skill name='First'>\nFirst\n</skill>"),
        ] {
            assert_eq!(render(source).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_no_skill_is_refused() {
        for (source, message) in [
            (" \n", "Empty skill content."),
            ("---\nname: a\n---\n", "Empty skill content after removing frontmatter."),
            ("---\nname: a\nb", "Skill frontmatter is missing its closing '---'."),
            ("---\nname: 3\n---\nb", "Skill frontmatter 'name' must be a string."),
            ("---\nname: a: b\n---\nb", "Invalid YAML skill frontmatter."),
            ("skills/tips.md", "Skill 'skills/tips.md' looks like a path."),
            ("./my skills", "Skill './my skills' looks like a path."),
        ] {
            assert_eq!(render(source).unwrap_err().message(), message);
        }
        assert!(render("Consult the file report.txt").is_ok());
    }
}
