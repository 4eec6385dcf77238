//! The file of profiles, `.databrickscfg`, as Python's `configparser` reads it.

use super::wrong;
use crate::error::Result;

/// The profile that is taken when none is named.
pub(super) const DEFAULT: &str = "DEFAULT";
/// A section that is no profile.
const FILE_SETTINGS: &str = "__settings__";

type Entries = Vec<(String, String)>;

/// Sections by name, each with its keys in lower case.
pub(super) struct Profiles(Vec<(String, Entries)>);

impl Profiles {
    /// Reads the file; an error is the number of the line, from 1 on, and what is wrong there.
    pub fn read(text: &str) -> std::result::Result<Self, (usize, &'static str)> {
        let mut sections: Vec<(String, Entries)> = Vec::new();
        let mut key_indent = None;
        for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let wrong = |what| (number + 1, what);
            let content = line.trim();
            if content.is_empty() || content.starts_with(['#', ';']) {
                continue;
            }
            let indent = line.len() - line.trim_start().len();
            let last = sections.last_mut().and_then(|(_, entries)| entries.last_mut());
            if let (Some((_, value)), Some(_)) = (last, key_indent.filter(|key| indent > *key)) {
                value.push('\n');
                value.push_str(content);
                continue;
            }
            if let Some((name, _)) = content.strip_prefix('[').and_then(|rest| rest.rsplit_once(']')) {
                if name.is_empty() {
                    return Err(wrong("a section has no name"));
                }
                if name != DEFAULT && sections.iter().any(|(known, _)| known == name) {
                    return Err(wrong("a section is there twice"));
                }
                sections.push((name.to_owned(), Entries::new()));
                key_indent = None;
                continue;
            }
            let Some((_, entries)) = sections.last_mut() else {
                return Err(wrong("a key stands before the first section"));
            };
            let Some((key, value)) = content.split_once(['=', ':']) else {
                return Err(wrong("there is neither a section nor a key with a value"));
            };
            let key = key.trim().to_lowercase();
            if key.is_empty() {
                return Err(wrong("a value has no key"));
            }
            if entries.iter().any(|(known, _)| *known == key) {
                return Err(wrong("a key is there twice"));
            }
            entries.push((key, value.trim().to_owned()));
            key_indent = Some(indent);
        }
        Ok(Self(sections))
    }

    /// The profile that was named, else the one that the file names in `[__settings__]`, else `DEFAULT` if it is there.
    pub fn choose<'a>(&'a self, named: Option<&'a str>, path: &str) -> Result<Option<(&'a str, &'a Entries)>> {
        let default = self.section(FILE_SETTINGS).and_then(|entries| {
            entries
                .iter()
                .find(|(key, value)| key == "default_profile" && !value.is_empty())
                .map(|(_, value)| value.as_str())
        });
        let Some(name) = named.or(default) else {
            return Ok(self.section(DEFAULT).filter(|entries| !entries.is_empty()).map(|entries| (DEFAULT, entries)));
        };
        if name == FILE_SETTINGS {
            return Err(wrong(
                "DATABRICKS_CONFIG_PROFILE",
                format!("{FILE_SETTINGS} is a reserved section name and cannot be used as a profile"),
            )
            .with_hint("name a profile"));
        }
        match self.section(name) {
            Some(entries) => Ok(Some((name, entries))),
            None => Err(wrong("DATABRICKS_CONFIG_PROFILE", format!("{path} has no {name} profile configured"))
                .with_hint(self.known())),
        }
    }

    fn section(&self, name: &str) -> Option<&Entries> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, entries)| entries)
    }

    fn known(&self) -> String {
        let names: Vec<&str> =
            self.0.iter().map(|(name, _)| name.as_str()).filter(|name| *name != FILE_SETTINGS).collect();
        match names.is_empty() {
            true => "it has no profiles".to_owned(),
            false => format!("its profiles are {}", names.join(", ")),
        }
    }
}
