//! Settings by name, with where each came from.

use super::profile::{self, Profiles};
use super::{Sources, wrong};
use crate::error::{Error, Result};

/// A setting of the SDKs'.
struct Setting {
    name: &'static str,
    /// The variable that holds it; a second one is an older name.
    variables: &'static [&'static str],
    /// The way to authenticate that it configures, by the name in which doubled ones are told.
    way: Option<&'static str>,
    is_secret: bool,
}

const fn plain(name: &'static str, variables: &'static [&'static str]) -> Setting {
    Setting { name, variables, way: None, is_secret: false }
}

const fn of(way: &'static str, name: &'static str, variables: &'static [&'static str]) -> Setting {
    Setting { name, variables, way: Some(way), is_secret: false }
}

const fn secret(way: &'static str, name: &'static str, variables: &'static [&'static str]) -> Setting {
    Setting { name, variables, way: Some(way), is_secret: true }
}

/// The settings that are read. `LAKELET_SCOPES` is Lakelet's own: the SDKs have no variable for scopes.
const SETTINGS: &[Setting] = &[
    plain("host", &["DATABRICKS_HOST"]),
    plain("account_id", &["DATABRICKS_ACCOUNT_ID"]),
    plain("workspace_id", &["DATABRICKS_WORKSPACE_ID"]),
    plain("group_id", &["DATABRICKS_GROUP_ID"]),
    secret("pat", "token", &["DATABRICKS_TOKEN"]),
    plain("token_audience", &["DATABRICKS_TOKEN_AUDIENCE"]),
    of("env-oidc", "oidc_token_env", &["DATABRICKS_OIDC_TOKEN_ENV"]),
    of("file-oidc", "oidc_token_filepath", &["DATABRICKS_OIDC_TOKEN_FILEPATH", "DATABRICKS_OIDC_TOKEN_FILE"]),
    of("basic", "username", &["DATABRICKS_USERNAME"]),
    secret("basic", "password", &["DATABRICKS_PASSWORD"]),
    of("oauth", "client_id", &["DATABRICKS_CLIENT_ID"]),
    secret("oauth", "client_secret", &["DATABRICKS_CLIENT_SECRET"]),
    plain("profile", &["DATABRICKS_CONFIG_PROFILE"]),
    plain("config_file", &["DATABRICKS_CONFIG_FILE"]),
    of("google", "google_service_account", &["DATABRICKS_GOOGLE_SERVICE_ACCOUNT"]),
    secret("google", "google_credentials", &["GOOGLE_CREDENTIALS"]),
    of("azure", "azure_workspace_resource_id", &["DATABRICKS_AZURE_RESOURCE_ID"]),
    of("azure", "azure_use_msi", &["ARM_USE_MSI"]),
    secret("azure", "azure_client_secret", &["ARM_CLIENT_SECRET"]),
    of("azure", "azure_client_id", &["ARM_CLIENT_ID"]),
    of("azure", "azure_tenant_id", &["ARM_TENANT_ID"]),
    plain("auth_type", &["DATABRICKS_AUTH_TYPE"]),
    plain("cluster_id", &["DATABRICKS_CLUSTER_ID"]),
    plain("warehouse_id", &["DATABRICKS_WAREHOUSE_ID"]),
    plain("serverless_compute_id", &["DATABRICKS_SERVERLESS_COMPUTE_ID"]),
    secret("metadata-service", "metadata_service_url", &["DATABRICKS_METADATA_SERVICE_URL"]),
    plain("scopes", &["LAKELET_SCOPES"]),
];

const DEFAULT_FILE: &str = "~/.databrickscfg";

/// The settings that were found.
#[derive(Default)]
pub(super) struct Settings(Vec<Found>);

struct Found {
    setting: &'static Setting,
    value: String,
    /// For messages: `DATABRICKS_TOKEN`, `the option token`.
    origin: String,
}

impl Settings {
    pub fn load(sources: &Sources) -> Result<Self> {
        let mut settings = Self::default();
        for setting in SETTINGS {
            if let Some((_, value)) = sources.options.iter().find(|(name, _)| name == setting.name) {
                settings.add(setting, value, || format!("the option {}", setting.name));
            }
        }
        for setting in SETTINGS {
            for variable in setting.variables {
                if let Some(value) = sources.environment.get(variable) {
                    settings.add(setting, value, || (*variable).to_owned());
                }
            }
        }
        settings.load_profile(sources)?;
        settings.check_one_way()?;
        match settings.get("group_id") {
            Some(_) => {
                Err(wrong("DATABRICKS_GROUP_ID", format!("{} asks to act as a group", settings.origin("group_id")))
                    .with_hint("Lakelet acts as the user or service principal alone: unset it"))
            }
            None => Ok(settings),
        }
    }

    /// Adds a setting, unless it is empty or there already.
    fn add(&mut self, setting: &'static Setting, value: &str, origin: impl FnOnce() -> String) {
        if !value.trim().is_empty() && self.get(setting.name).is_none() {
            self.0.push(Found { setting, value: value.trim().to_owned(), origin: origin() });
        }
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|found| found.setting.name == name).map(|found| found.value.as_str())
    }

    /// Where a setting came from, or could come from.
    pub fn origin(&self, name: &str) -> String {
        let found = self.0.iter().find(|found| found.setting.name == name).map(|found| found.origin.clone());
        found.unwrap_or_else(|| variable(name).to_owned())
    }

    /// As the SDKs, takes nothing from a profile that nobody named when there is something without it.
    fn load_profile(&mut self, sources: &Sources) -> Result<()> {
        let named = self.get("profile").map(str::to_owned);
        let is_enough = |found: &Found| {
            found.setting.way.is_some()
                || found.setting.name == "host"
                || found.setting.name == "azure_workspace_resource_id"
        };
        if named.is_none() && self.0.iter().any(is_enough) {
            return Ok(());
        }
        let path = self.get("config_file").unwrap_or(DEFAULT_FILE).to_owned();
        let text = match (sources.read, &named) {
            (Some(read), _) => read(&path)?,
            (None, None) => return Ok(()),
            (None, Some(_)) => {
                return Err(wrong(
                    "DATABRICKS_CONFIG_PROFILE",
                    format!("{} names a profile, and this host reads no files", self.origin("profile")),
                )
                .with_hint("set DATABRICKS_HOST and a credential in the host's environment instead"));
            }
        };
        let Some(text) = text else {
            return match &named {
                Some(name) => {
                    Err(wrong("DATABRICKS_CONFIG_PROFILE", format!("there is no {path} with the profile {name}"))
                        .with_hint("write the profile, or name another file in DATABRICKS_CONFIG_FILE"))
                }
                None => Ok(()),
            };
        };
        let profiles = Profiles::read(&text).map_err(|error| unreadable(&path, &error))?;
        let Some((name, entries)) = profiles.choose(named.as_deref(), &path)? else { return Ok(()) };
        for setting in SETTINGS {
            if let Some((_, value)) = entries.iter().find(|(key, _)| key == setting.name) {
                self.add(setting, value, || format!("{} of the profile {name}", setting.name));
            }
        }
        if let Some(setting) = setting("profile").filter(|_| name != profile::DEFAULT) {
            self.add(setting, name, || path);
        }
        Ok(())
    }

    fn check_one_way(&self) -> Result<()> {
        let mut ways: Vec<&str> = self.0.iter().filter_map(|found| found.setting.way).collect();
        ways.sort_unstable();
        ways.dedup();
        if ways.len() < 2 || self.get("auth_type").is_some() {
            return Ok(());
        }
        let found = self.0.iter().filter(|found| found.setting.way.is_some());
        let origins: Vec<&str> = found.map(|found| found.origin.as_str()).collect();
        let message = format!("more than one authorization method configured: {}", ways.join(" and "));
        Err(wrong("DATABRICKS_AUTH_TYPE", message).with_hint(format!(
            "{} are set: keep those of one method, or choose with DATABRICKS_AUTH_TYPE",
            origins.join(", ")
        )))
    }
}

fn setting(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

/// The variable of a setting.
pub(super) fn variable(name: &str) -> &'static str {
    setting(name).and_then(|setting| setting.variables.first()).copied().unwrap_or_default()
}

pub(super) fn is_secret(name: &str) -> bool {
    setting(name).is_some_and(|setting| setting.is_secret)
}

/// A variable that is needed.
pub(in crate::databricks) fn not_set(variable: &str) -> Error {
    wrong(variable, format!("{variable} is not set")).with_hint("set it in the host's environment")
}

/// Told without the line itself, which may hold a secret.
fn unreadable(path: &str, (line, what): &(usize, &str)) -> Error {
    wrong("DATABRICKS_CONFIG_FILE", format!("{path}, line {line}: {what}"))
        .with_hint("profiles are written as a line [NAME], and lines key = value below it")
}
