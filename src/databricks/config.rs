//! Unified authentication: where a workspace is and who calls it, found as Databricks' SDKs find it. Options come before environment
//! variables, variables before a profile of `.databrickscfg`; of the ways to authenticate the first that is configured is taken.
//! Names, precedence and order are those of `databricks.sdk.core.Config` 0.156 (Python).

mod profile;
mod settings;
mod ways;

use std::fmt;

use super::auth::Secret;
use crate::environment::Environment;
use crate::error::{Error, ErrorKind, Result};
use settings::Settings;
pub(super) use settings::not_set;

/// Reads a text file by its path, where `~` stands for the home directory; `None` when there is none.
pub type ReadFile<'a> = &'a dyn Fn(&str) -> Result<Option<String>>;

/// What a configuration is looked for in.
pub struct Sources<'a> {
    /// Settings by the SDKs' names, `client_id` for instance. They come first.
    pub options: &'a [(String, String)],
    pub environment: &'a Environment,
    /// How files are read: profiles, and tokens that other programs keep fresh. A host without files has none.
    pub read: Option<ReadFile<'a>>,
}

/// A workspace's address and a way to authenticate there.
///
/// ```
/// use lakelet::databricks::{Config, Method, Sources};
/// use lakelet::environment::Environment;
/// let environment = Environment::from(vec![
///     ("DATABRICKS_HOST".to_owned(), "https://adb-1.azuredatabricks.net".to_owned()),
///     ("DATABRICKS_TOKEN".to_owned(), "dapi-example".to_owned()),
/// ]);
/// let config = Config::resolve(&Sources { options: &[], environment: &environment, read: None })?;
/// assert_eq!(config.host, "https://adb-1.azuredatabricks.net");
/// assert_eq!(config.method.name(), "pat");
/// assert!(!format!("{config:?}").contains("dapi"));
/// # Ok::<(), lakelet::Error>(())
/// ```
pub struct Config {
    /// As it was given; [`url::base`](crate::http::url::base) normalises it.
    pub host: String,
    pub method: Method,
    /// What OAuth tokens are asked for, `all-apis` unless given.
    pub scopes: Vec<String>,
    settings: Settings,
}

/// A way to authenticate, with what it needs.
#[derive(Clone, Debug, PartialEq)]
pub enum Method {
    /// A personal access token.
    Pat { token: Secret },
    /// A service principal by its secret.
    OauthM2m { client_id: String, client_secret: Secret },
    /// A token of another issuer in an environment variable, traded for Databricks' own; for a service principal when there is a client id.
    EnvOidc { variable: String, client_id: Option<String> },
    /// The same, from a file.
    FileOidc { path: String, client_id: Option<String> },
    /// The same, from GitHub Actions; the audience is what the workspace says unless given.
    GithubOidc { client_id: String, audience: Option<String> },
    /// The user signs in with the browser; by the application of Databricks' own tools unless there is a client id.
    ExternalBrowser { client_id: Option<String>, client_secret: Option<Secret> },
    /// The tool `databricks`, where a user has signed in.
    DatabricksCli,
    /// The token that a model serving container finds in a file.
    ModelServing { path: String },
}

impl Method {
    /// The SDKs' name, as `DATABRICKS_AUTH_TYPE` takes it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pat { .. } => "pat",
            Self::OauthM2m { .. } => "oauth-m2m",
            Self::EnvOidc { .. } => "env-oidc",
            Self::FileOidc { .. } => "file-oidc",
            Self::GithubOidc { .. } => "github-oidc",
            Self::ExternalBrowser { .. } => "external-browser",
            Self::DatabricksCli => "databricks-cli",
            Self::ModelServing { .. } => "model-serving",
        }
    }
}

impl Config {
    /// Finds the configuration. Nothing is sent.
    ///
    /// # Errors
    /// [`Config`](ErrorKind::Config) at the setting that is missing, half, doubled or not supported; at a profile that is
    /// not there or cannot be read. No error repeats a secret.
    pub fn resolve(sources: &Sources) -> Result<Self> {
        let settings = Settings::load(sources)?;
        let method = ways::choose(&settings, sources)?;
        let host = match (settings.get("host"), &method) {
            (Some(host), _) => host.to_owned(),
            (None, Method::ModelServing { .. }) => ways::serving_host(sources.environment)?,
            (None, _) => return Err(settings::not_set("DATABRICKS_HOST")),
        };
        let scopes = settings.get("scopes").unwrap_or("all-apis").split([',', ' ']);
        let mut scopes: Vec<String> = scopes.filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
        scopes.sort_unstable();
        scopes.dedup();
        Ok(Self { host, method, scopes, settings })
    }

    /// A setting that is no secret, by the SDKs' name: `warehouse_id`, `cluster_id`, `workspace_id`, `profile` ...
    pub fn get(&self, name: &str) -> Option<&str> {
        self.settings.get(name).filter(|_| !settings::is_secret(name))
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Config({}, {})", self.host, self.method.name())
    }
}

fn wrong(setting: &str, message: String) -> Error {
    Error::new(ErrorKind::Config, message).at_field(setting)
}
