//! The ways to authenticate, in the order in which Databricks' SDKs try them.

use super::settings::{self, Settings};
use super::{Method, Sources, wrong};
use crate::environment::Environment;
use crate::error::{Error, Result};

/// One way: its name, the settings without which it is passed over, and what it does.
struct Way {
    name: &'static str,
    needs: &'static [&'static str],
    takes: Takes,
}

enum Takes {
    /// The method, if the environment has what else it needs.
    Method(fn(&Settings, &Sources) -> Result<Option<Method>>),
    /// Lakelet has no such way. It is told where it is configured, or named; and what may take its place.
    Nothing { is_configured: fn(&Environment) -> bool, hint: &'static str },
}

const GITHUB: [&str; 2] = ["ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL"];
const SERVICE_PRINCIPAL: &str = "use a Databricks service principal: DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET";

const fn method(
    name: &'static str,
    needs: &'static [&'static str],
    take: fn(&Settings, &Sources) -> Result<Option<Method>>,
) -> Way {
    Way { name, needs, takes: Takes::Method(take) }
}

const fn nothing(
    name: &'static str,
    needs: &'static [&'static str],
    is_configured: fn(&Environment) -> bool,
    hint: &'static str,
) -> Way {
    Way { name, needs, takes: Takes::Nothing { is_configured, hint } }
}

const WAYS: &[Way] = &[
    method("pat", &["host", "token"], |settings, _| {
        Ok(settings.get("token").map(|token| Method::Pat { token: token.into() }))
    }),
    nothing(
        "basic",
        &["host", "username", "password"],
        |_| true,
        "Databricks takes passwords no more: use a token, or a service principal",
    ),
    nothing("metadata-service", &["host", "metadata_service_url"], |_| true, SERVICE_PRINCIPAL),
    method("oauth-m2m", &["host", "client_id", "client_secret"], |settings, _| Ok(m2m(settings))),
    method("env-oidc", &["host"], |settings, sources| Ok(env_oidc(settings, sources.environment))),
    method("file-oidc", &["host", "oidc_token_filepath"], file_oidc),
    method("github-oidc", &["host", "client_id"], |settings, sources| Ok(github_oidc(settings, sources.environment))),
    nothing("azure-client-secret", &["azure_client_id", "azure_client_secret"], |_| true, SERVICE_PRINCIPAL),
    nothing(
        "github-oidc-azure",
        &["host", "azure_client_id"],
        |environment| environment.get(GITHUB[0]).is_some(),
        "use DATABRICKS_CLIENT_ID with a federation policy instead of ARM_CLIENT_ID",
    ),
    nothing("azure-cli", &["host"], |_| false, SERVICE_PRINCIPAL),
    nothing(
        "azure-devops-oidc",
        &["host", "client_id"],
        |environment| environment.get("SYSTEM_ACCESSTOKEN").is_some(),
        "write the pipeline's token to a file and name it in DATABRICKS_OIDC_TOKEN_FILEPATH",
    ),
    method("external-browser", &["host"], |settings, _| Ok(external_browser(settings))),
    method("databricks-cli", &["host"], |settings, _| {
        Ok((settings.get("auth_type").is_some()).then_some(Method::DatabricksCli))
    }),
    nothing("runtime-oauth", &["scopes"], in_runtime, NOTEBOOK),
    nothing("runtime", &[], in_runtime, NOTEBOOK),
    nothing("google-credentials", &["host", "google_credentials"], |_| true, SERVICE_PRINCIPAL),
    nothing("google-id", &["host", "google_service_account"], |_| true, SERVICE_PRINCIPAL),
    method("model-serving", &[], model_serving),
];

const NOTEBOOK: &str = "a notebook's own sign-in can be used by Python alone: set DATABRICKS_TOKEN";

fn in_runtime(environment: &Environment) -> bool {
    environment.get("DATABRICKS_RUNTIME_VERSION").is_some()
}

/// The way that was named, or the first that is configured.
pub(super) fn choose(settings: &Settings, sources: &Sources) -> Result<Method> {
    let named = settings.get("auth_type");
    for way in WAYS.iter().filter(|way| named.is_none_or(|name| name == way.name)) {
        let has_all = way.needs.iter().all(|setting| settings.get(setting).is_some());
        match &way.takes {
            Takes::Method(take) if has_all => {
                if let Some(method) = take(settings, sources)? {
                    return Ok(method);
                }
            }
            Takes::Nothing { is_configured, hint }
                if named.is_some() || has_all && is_configured(sources.environment) =>
            {
                return Err(wrong("DATABRICKS_AUTH_TYPE", format!("Lakelet does not authenticate by `{}`", way.name))
                    .with_hint(*hint));
            }
            _ => {}
        }
    }
    Err(match named {
        Some(name) => not_applicable(name, settings),
        None => nothing_configured(settings),
    })
}

fn not_applicable(name: &str, settings: &Settings) -> Error {
    let Some(way) = WAYS.iter().find(|way| way.name == name) else {
        let known = WAYS.iter().filter(|way| matches!(way.takes, Takes::Method(_))).map(|way| way.name);
        return wrong("DATABRICKS_AUTH_TYPE", format!("there is no authentication type `{name}`")).with_hint(format!(
            "{} takes {}",
            settings.origin("auth_type"),
            known.collect::<Vec<_>>().join(", ")
        ));
    };
    match way.needs.iter().find(|setting| settings.get(setting).is_none()) {
        Some(&"host") => settings::not_set("DATABRICKS_HOST"),
        Some(setting) => {
            let variable = settings::variable(setting);
            wrong(variable, format!("`{name}` is not configured: {variable} is missing"))
                .with_hint("set it, or choose another DATABRICKS_AUTH_TYPE")
        }
        None => wrong("DATABRICKS_AUTH_TYPE", format!("`{name}` is not configured")).with_hint(match name {
            "env-oidc" => "set DATABRICKS_OIDC_TOKEN, or name the variable with the token in DATABRICKS_OIDC_TOKEN_ENV",
            "file-oidc" => "the file that DATABRICKS_OIDC_TOKEN_FILEPATH names is not there, or empty",
            "github-oidc" => "let the job write id-token: its `permissions` need `id-token: write`",
            _ => "this is not a model serving container",
        }),
    }
}

/// Told by what is nearest to a credential: one that is half there, else none.
fn nothing_configured(settings: &Settings) -> Error {
    let pairs = [("client_id", "client_secret"), ("client_secret", "client_id")];
    for (there, missing) in pairs {
        if settings.get(there).is_some() {
            let variable = settings::variable(missing);
            return wrong(
                variable,
                format!("half a credential is configured: {} without {variable}", settings.origin(there)),
            )
            .with_hint(format!("set {variable} too"));
        }
    }
    if settings.get("host").is_none() {
        return settings::not_set("DATABRICKS_HOST");
    }
    wrong("DATABRICKS_TOKEN", "DATABRICKS_TOKEN is not set, nor is another credential".to_owned()).with_hint(
        "set DATABRICKS_TOKEN, or DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET; for others see \
         https://docs.databricks.com/en/dev-tools/auth.html",
    )
}

fn m2m(settings: &Settings) -> Option<Method> {
    let client_id = settings.get("client_id")?.to_owned();
    Some(Method::OauthM2m { client_id, client_secret: settings.get("client_secret")?.into() })
}

fn env_oidc(settings: &Settings, environment: &Environment) -> Option<Method> {
    let variable = settings.get("oidc_token_env").unwrap_or("DATABRICKS_OIDC_TOKEN").to_owned();
    environment.get(&variable)?;
    Some(Method::EnvOidc { variable, client_id: settings.get("client_id").map(str::to_owned) })
}

fn file_oidc(settings: &Settings, sources: &Sources) -> Result<Option<Method>> {
    let (Some(path), Some(read)) = (settings.get("oidc_token_filepath"), sources.read) else { return Ok(None) };
    let is_there = read(path)?.is_some_and(|text| !text.trim().is_empty());
    let client_id = settings.get("client_id").map(str::to_owned);
    Ok(is_there.then(|| Method::FileOidc { path: path.to_owned(), client_id }))
}

fn github_oidc(settings: &Settings, environment: &Environment) -> Option<Method> {
    let in_github = GITHUB.iter().all(|variable| environment.get(variable).is_some());
    let client_id = settings.get("client_id").filter(|_| in_github)?.to_owned();
    Some(Method::GithubOidc { client_id, audience: settings.get("token_audience").map(str::to_owned) })
}

fn external_browser(settings: &Settings) -> Option<Method> {
    settings.get("auth_type")?; // only who asks for it is sent to a browser
    let client_id = settings.get("client_id").map(str::to_owned);
    Some(Method::ExternalBrowser { client_id, client_secret: settings.get("client_secret").map(Into::into) })
}

fn model_serving(_: &Settings, sources: &Sources) -> Result<Option<Method>> {
    let names = ["IS_IN_DB_MODEL_SERVING_ENV", "IS_IN_DATABRICKS_MODEL_SERVING_ENV"];
    if names.iter().find_map(|name| sources.environment.get(name)) != Some("true") {
        return Ok(None);
    }
    let folder = sources.environment.get("SERVING_CREDENTIALS_DIR").unwrap_or("/var/credentials-secret");
    let path = format!("{}/model-dependencies-oauth-token", folder.trim_end_matches('/'));
    let Some(read) = sources.read else { return Ok(None) };
    Ok(read(&path)?.map(|_| Method::ModelServing { path }))
}

/// The workspace of a model serving container.
pub(super) fn serving_host(environment: &Environment) -> Result<String> {
    let names = ["DATABRICKS_MODEL_SERVING_HOST_URL", "DB_MODEL_SERVING_HOST_URL"];
    let found = names.iter().find_map(|name| environment.get(name));
    found.map(str::to_owned).ok_or_else(|| settings::not_set("DATABRICKS_HOST"))
}
