//! Where a configuration comes from, and which way to authenticate it chooses: as `databricks.sdk.core.Config` does. The peer test
//! `test_auth.py` holds the same cases against the SDK itself.

use lakelet::databricks::{Config, Method, Sources};
use lakelet::environment::Environment;
use lakelet::{Error, ErrorKind, Result};

type Pairs<'a> = &'a [(&'a str, &'a str)];

const HOST: (&str, &str) = ("DATABRICKS_HOST", "https://lake.example");
const FILE: &str = "\
# profiles
[DEFAULT]
host = https://default.example
token = dapi-default

[PRINCIPAL]
host: https://principal.example
client_id = an-id
client_secret = a-secret
scopes = vector-search, model-serving
warehouse_id = abc

[BROWSER]
host = https://browser.example
auth_type = external-browser
";

fn owned(pairs: Pairs) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// What is found among options, variables and files.
fn resolve(options: Pairs, variables: Pairs, files: Pairs) -> Result<Config> {
    let read = |path: &str| Ok(files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned()));
    let environment = Environment::from(owned(variables));
    Config::resolve(&Sources { options: &owned(options), environment: &environment, read: Some(&read) })
}

fn chosen(options: Pairs, variables: Pairs, files: Pairs) -> String {
    let config = resolve(options, variables, files).unwrap();
    format!("{} {}", config.host, config.method.name())
}

fn refused(options: Pairs, variables: Pairs, files: Pairs) -> Error {
    let error = resolve(options, variables, files).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.hint().is_some() && error.field().is_some(), "{error}");
    assert!(!format!("{error:?}{error}").contains("secret-"), "{error}");
    error
}

#[test]
fn options_come_before_variables_and_variables_before_a_profile() {
    let file = &[("~/.databrickscfg", FILE)];
    assert_eq!(chosen(&[], &[], file), "https://default.example pat");
    assert_eq!(chosen(&[("profile", "PRINCIPAL")], &[], file), "https://principal.example oauth-m2m");
    assert_eq!(
        chosen(&[], &[("DATABRICKS_CONFIG_PROFILE", "BROWSER")], file),
        "https://browser.example external-browser"
    );
    let over = [HOST, ("DATABRICKS_CONFIG_PROFILE", "PRINCIPAL")];
    assert_eq!(chosen(&[], &over, file), "https://lake.example oauth-m2m");
    let options = [("host", "https://option.example"), ("profile", "PRINCIPAL")];
    assert_eq!(chosen(&options, &over, file), "https://option.example oauth-m2m");
    // Who names a host or a credential without a profile is not given a token for it from a file.
    let error = refused(&[], &[HOST], file);
    assert_eq!(
        (error.field(), error.message()),
        (Some("DATABRICKS_TOKEN"), "DATABRICKS_TOKEN is not set, nor is another credential")
    );
    assert_eq!(refused(&[], &[("DATABRICKS_TOKEN", "secret-1")], file).field(), Some("DATABRICKS_HOST"));
    let elsewhere = [("DATABRICKS_CONFIG_FILE", "/etc/lake.cfg")];
    assert_eq!(chosen(&[], &elsewhere, &[("/etc/lake.cfg", FILE)]), "https://default.example pat");
}

#[test]
fn a_profile_tells_the_rest_too() {
    let config = resolve(&[("profile", "PRINCIPAL")], &[], &[("~/.databrickscfg", FILE)]).unwrap();
    let wanted = Method::OauthM2m { client_id: "an-id".to_owned(), client_secret: "a-secret".into() };
    assert_eq!(config.method, wanted);
    assert_eq!(config.scopes, ["model-serving", "vector-search"]);
    assert_eq!((config.get("warehouse_id"), config.get("profile")), (Some("abc"), Some("PRINCIPAL")));
    assert_eq!(config.get("client_secret"), None, "secrets are only in the method");
    assert!(!format!("{config:?}").contains("a-secret"));
}

#[test]
fn files_are_read_as_pythons_configparser_reads_them() {
    let text = "\u{feff}[__settings__]\ndefault_profile = X\n[X]\n  HOST : https://x.example:8443\n  Token=dapi\n  ; no\n\n  note =\n    more\n    = lines\n";
    assert_eq!(chosen(&[], &[], &[("~/.databrickscfg", text)]), "https://x.example:8443 pat");
    for (text, told) in [
        ("token = secret-1\n[X]", "line 1: a key stands before"),
        ("[DEFAULT]\nsecret-1", "line 2: there is neither"),
        ("[DEFAULT]\n= secret-1", "line 2: a value has no key"),
        ("[X]\n\n[X]", "line 3: a section is there twice"),
        ("[X]\ntoken = secret-1\nToken = secret-2", "line 3: a key is there twice"),
        ("[]", "line 1: a section has no name"),
    ] {
        let error = refused(&[], &[], &[("~/.databrickscfg", text)]);
        assert!(error.message().contains(told), "{error}");
        assert_eq!(error.field(), Some("DATABRICKS_CONFIG_FILE"));
    }
}

#[test]
fn a_profile_that_is_not_there_is_named_with_those_that_are() {
    let error = refused(&[("profile", "NONE")], &[], &[("~/.databrickscfg", FILE)]);
    assert_eq!(error.message(), "~/.databrickscfg has no NONE profile configured");
    assert_eq!(error.hint(), Some("its profiles are DEFAULT, PRINCIPAL, BROWSER"));
    assert!(refused(&[("profile", "NONE")], &[], &[]).message().contains("there is no ~/.databrickscfg"));
    let reserved = refused(&[("profile", "__settings__")], &[], &[("~/.databrickscfg", FILE)]);
    assert!(reserved.message().contains("reserved section name"), "{reserved}");
}

#[test]
fn two_ways_at_once_are_an_error_unless_one_is_chosen() {
    let both = [
        HOST,
        ("DATABRICKS_TOKEN", "secret-1"),
        ("DATABRICKS_CLIENT_ID", "id"),
        ("DATABRICKS_CLIENT_SECRET", "secret-2"),
    ];
    let error = refused(&[], &both, &[]);
    assert_eq!(error.message(), "more than one authorization method configured: oauth and pat");
    assert_eq!(
        error.hint(),
        Some(
            "DATABRICKS_TOKEN, DATABRICKS_CLIENT_ID, DATABRICKS_CLIENT_SECRET are set: keep those of one method, or choose with \
             DATABRICKS_AUTH_TYPE"
        )
    );
    for way in ["pat", "oauth-m2m"] {
        assert_eq!(chosen(&[("auth_type", way)], &both, &[]), format!("https://lake.example {way}"));
    }
    let mixed = refused(&[("token", "secret-1")], &[HOST, ("DATABRICKS_OIDC_TOKEN_FILE", "/t")], &[]);
    assert_eq!(mixed.message(), "more than one authorization method configured: file-oidc and pat");
}

#[test]
fn the_first_way_that_is_configured_is_taken() {
    let cases: &[(Pairs, Pairs, &str)] = &[
        (&[("DATABRICKS_TOKEN", "dapi")], &[], "pat"),
        (&[("DATABRICKS_CLIENT_ID", "id"), ("DATABRICKS_CLIENT_SECRET", "s")], &[], "oauth-m2m"),
        (&[("DATABRICKS_OIDC_TOKEN", "e.y.J")], &[], "env-oidc"),
        (&[("DATABRICKS_CLIENT_ID", "id"), ("DATABRICKS_OIDC_TOKEN", "e.y.J")], &[], "env-oidc"),
        (&[("DATABRICKS_OIDC_TOKEN_ENV", "MINE"), ("MINE", "e.y.J")], &[], "env-oidc"),
        (&[("DATABRICKS_OIDC_TOKEN_FILEPATH", "/token")], &[("/token", "e.y.J\n")], "file-oidc"),
        (
            &[
                ("DATABRICKS_CLIENT_ID", "id"),
                ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "t"),
                ("ACTIONS_ID_TOKEN_REQUEST_URL", "u"),
            ],
            &[],
            "github-oidc",
        ),
        (&[("DATABRICKS_AUTH_TYPE", "external-browser"), ("DATABRICKS_CLIENT_ID", "id")], &[], "external-browser"),
        (&[("DATABRICKS_AUTH_TYPE", "databricks-cli")], &[], "databricks-cli"),
        (
            &[("IS_IN_DB_MODEL_SERVING_ENV", "true")],
            &[("/var/credentials-secret/model-dependencies-oauth-token", "{}")],
            "model-serving",
        ),
        (
            &[("IS_IN_DATABRICKS_MODEL_SERVING_ENV", "true"), ("SERVING_CREDENTIALS_DIR", "/creds/")],
            &[("/creds/model-dependencies-oauth-token", "{}")],
            "model-serving",
        ),
    ];
    for (variables, files, way) in cases {
        let variables: Vec<_> = variables.iter().copied().chain([HOST]).collect();
        assert_eq!(chosen(&[], &variables, files), format!("https://lake.example {way}"), "{variables:?}");
    }
    let serving = [("IS_IN_DB_MODEL_SERVING_ENV", "true"), ("DB_MODEL_SERVING_HOST_URL", "https://in.example")];
    let files = &[("/var/credentials-secret/model-dependencies-oauth-token", "{}")];
    assert_eq!(chosen(&[], &serving, files), "https://in.example model-serving");
}

#[test]
fn what_is_half_there_or_unknown_is_told() {
    for (variables, field, told) in [
        (vec![("DATABRICKS_CLIENT_ID", "id")], "DATABRICKS_CLIENT_SECRET", "half a credential"),
        (vec![("DATABRICKS_CLIENT_SECRET", "secret-1")], "DATABRICKS_CLIENT_ID", "half a credential"),
        (
            vec![("DATABRICKS_AUTH_TYPE", "oauth-m2m"), ("DATABRICKS_CLIENT_ID", "id")],
            "DATABRICKS_CLIENT_SECRET",
            "is missing",
        ),
        (vec![("DATABRICKS_AUTH_TYPE", "env-oidc")], "DATABRICKS_AUTH_TYPE", "`env-oidc` is not configured"),
        (vec![("DATABRICKS_OIDC_TOKEN_FILEPATH", "/none")], "DATABRICKS_TOKEN", "nor is another credential"),
        (
            vec![("DATABRICKS_AUTH_TYPE", "file-oidc"), ("DATABRICKS_OIDC_TOKEN_FILEPATH", "/none")],
            "DATABRICKS_AUTH_TYPE",
            "not configured",
        ),
        (vec![("DATABRICKS_AUTH_TYPE", "azure_cli")], "DATABRICKS_AUTH_TYPE", "no authentication type `azure_cli`"),
        (
            vec![("DATABRICKS_GROUP_ID", "7"), ("DATABRICKS_TOKEN", "secret-1")],
            "DATABRICKS_GROUP_ID",
            "DATABRICKS_GROUP_ID asks to act as a group",
        ),
    ] {
        let variables: Vec<_> = variables.into_iter().chain([HOST]).collect();
        let error = refused(&[], &variables, &[]);
        assert_eq!(error.field(), Some(field), "{error}");
        assert!(error.message().contains(told), "{error}");
    }
    assert_eq!(refused(&[], &[], &[]).message(), "DATABRICKS_HOST is not set");
}

#[test]
fn what_lakelet_does_not_do_is_named() {
    for (variables, way) in [
        (vec![("DATABRICKS_USERNAME", "u"), ("DATABRICKS_PASSWORD", "secret-1")], "basic"),
        (
            vec![("ARM_CLIENT_ID", "id"), ("ARM_CLIENT_SECRET", "secret-1"), ("ARM_TENANT_ID", "t")],
            "azure-client-secret",
        ),
        (vec![("DATABRICKS_AUTH_TYPE", "azure-cli")], "azure-cli"),
        (vec![("DATABRICKS_METADATA_SERVICE_URL", "http://localhost/secret-1")], "metadata-service"),
        (vec![("GOOGLE_CREDENTIALS", "{secret-1}")], "google-credentials"),
        (vec![("DATABRICKS_RUNTIME_VERSION", "17.3")], "runtime"),
        (vec![("DATABRICKS_CLIENT_ID", "id"), ("SYSTEM_ACCESSTOKEN", "secret-1")], "azure-devops-oidc"),
    ] {
        let variables: Vec<_> = variables.into_iter().chain([HOST]).collect();
        assert_eq!(refused(&[], &variables, &[]).message(), format!("Lakelet does not authenticate by `{way}`"));
    }
}

#[test]
fn a_host_without_files_says_so() {
    let variables = Environment::from(owned(&[("DATABRICKS_CONFIG_PROFILE", "X")]));
    let error = Config::resolve(&Sources { options: &[], environment: &variables, read: None }).unwrap_err();
    assert!(error.message().contains("this host reads no files"), "{error}");
}
