//! The settings that a host hands over by name, as environment variables are.

use std::fmt;

/// Settings by name. Its `Debug` form tells the names alone, because some of the values are secrets.
///
/// ```
/// use lakelet::environment::Environment;
/// let environment = Environment::from(vec![("LAKELET_INDEX".to_owned(), "main.rag.docs_index".to_owned())]);
/// assert_eq!(environment.get("LAKELET_INDEX"), Some("main.rag.docs_index"));
/// assert_eq!(environment.get("DATABRICKS_HOST"), None);
/// ```
#[derive(Clone, Default)]
pub struct Environment(Vec<(String, String)>);

impl Environment {
    /// The value of a setting. An empty one counts as not given.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }
}

impl From<Vec<(String, String)>> for Environment {
    fn from(settings: Vec<(String, String)>) -> Self {
        Self(settings)
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}
