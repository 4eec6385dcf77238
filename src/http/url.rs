//! Base addresses and path segments: what a person types becomes a URL that says exactly one thing.

use crate::error::{Error, ErrorKind, Result};

/// Whether a credential may travel over plain `http`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlainHttp {
    /// Only to this machine: `localhost`, `127.0.0.0/8`, `[::1]`.
    Loopback,
    /// To any host. For closed networks, where something else protects the wire.
    Anywhere,
}

/// Normalises the address of a workspace as Databricks' SDKs do: `https://` is added where no scheme is given, the host
/// is lowered, the default port and trailing slashes go. A query (`?o=123`, as copied from the browser's address bar) goes too,
/// because paths are appended to what is returned.
///
/// An address that starts with `/` is a path on the page's own origin, where a gateway answers; it is returned as it is,
/// without trailing slashes.
///
/// # Errors
/// [`Config`](ErrorKind::Config), without repeating what could be a password.
///
/// ```
/// use lakelet::http::url::{base, PlainHttp};
/// assert_eq!(base("adb-1.azuredatabricks.net/?o=1", PlainHttp::Loopback)?, "https://adb-1.azuredatabricks.net");
/// assert_eq!(base("http://localhost:8080/", PlainHttp::Loopback)?, "http://localhost:8080");
/// assert_eq!(base("/api/databricks/", PlainHttp::Loopback)?, "/api/databricks");
/// assert!(base("http://example.com", PlainHttp::Loopback).is_err());
/// # Ok::<(), lakelet::Error>(())
/// ```
pub fn base(address: &str, plain_http: PlainHttp) -> Result<String> {
    let address = address.trim();
    if address.is_empty() {
        return Err(wrong("the workspace's address is empty"));
    }
    if address.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
        return Err(wrong("the workspace's address holds a space, a backslash or a control character"));
    }
    let address = address.split(['?', '#']).next().unwrap_or_default();
    if address.starts_with('/') {
        if address.starts_with("//") {
            return Err(wrong("an address that starts with `//` names another host"));
        }
        return checked_path(address).map(str::to_owned);
    }
    let (scheme, rest) = match address.split_once("://") {
        Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
        None => ("https".to_owned(), address),
    };
    if scheme != "http" && scheme != "https" {
        return Err(wrong(format!("the workspace's address has the scheme `{scheme}`, not `https`")));
    }
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    if authority.contains('@') {
        return Err(wrong("the workspace's address holds a user name or a password before `@`"));
    }
    let (name, port) = host_and_port(authority)?;
    if scheme == "http" && plain_http == PlainHttp::Loopback && !is_loopback(&name) {
        return Err(wrong(format!("`http://{name}` would send the credential unencrypted")).with_hint(
            "Use https. Plain http is for this machine only (localhost), unless it is allowed explicitly.",
        ));
    }
    let default_port = if scheme == "https" { 443 } else { 80 };
    let port = port.filter(|port| *port != default_port).map(|port| format!(":{port}")).unwrap_or_default();
    Ok(format!("{scheme}://{name}{port}{}", checked_path(path)?))
}

/// Encodes a name as one segment of a path, so that no name can leave its place in the URL. Letters, digits and `-._~` stay.
///
/// # Errors
/// [`Config`](ErrorKind::Config) for an empty name and for `.` and `..`, which URL parsers resolve even when they are encoded.
///
/// ```
/// use lakelet::http::url::segment;
/// assert_eq!(segment("main.rag.docs_index")?, "main.rag.docs_index");
/// assert_eq!(segment("../clusters?x")?, "..%2Fclusters%3Fx");
/// assert!(segment("..").is_err());
/// # Ok::<(), lakelet::Error>(())
/// ```
pub fn segment(name: &str) -> Result<String> {
    if matches!(name, "" | "." | "..") {
        return Err(Error::new(ErrorKind::Config, format!("`{name}` cannot be the name of an endpoint or index"))
            .with_hint("Give the name as the workspace's Serving or Catalog page shows it."));
    }
    Ok(encoded(name))
}

/// Encodes a text as the value of a query's parameter: letters, digits and `-._~` stay.
///
/// ```
/// assert_eq!(lakelet::http::url::encoded("a&b=é"), "a%26b%3D%C3%A9");
/// ```
pub fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(byte as char);
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// The path of a base address without trailing slashes.
fn checked_path(path: &str) -> Result<&str> {
    let climbs = |part: &str| matches!(part.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
    if path.split('/').any(climbs) {
        return Err(wrong("the workspace's address holds `.` or `..` as a part of its path"));
    }
    Ok(path.trim_end_matches('/'))
}

fn host_and_port(authority: &str) -> Result<(String, Option<u16>)> {
    let name_end = match authority.rfind(']') {
        Some(bracket) => bracket + 1,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (name, port) = authority.split_at(name_end);
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let known = match bare {
        Some(address) => {
            address.contains(':') && address.chars().all(|c| c.is_ascii_hexdigit() || c == ':' || c == '.')
        }
        None => !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c)),
    };
    if !known {
        return Err(wrong(format!("`{name}` is not the name of a host")));
    }
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => None,
        Some(digits) => match digits.parse() {
            Ok(port) if digits.bytes().all(|b| b.is_ascii_digit()) => Some(port),
            _ => return Err(wrong(format!("`{digits}` is not a port"))),
        },
        None => return Err(wrong("the workspace's address does not end its host properly")),
    };
    Ok((name.to_ascii_lowercase(), port))
}

fn is_loopback(name: &str) -> bool {
    let dotted: Vec<&str> = name.split('.').collect();
    let loopback_v4 =
        dotted.len() == 4 && dotted.first() == Some(&"127") && dotted.iter().all(|part| part.parse::<u8>().is_ok());
    name == "localhost" || name.ends_with(".localhost") || name == "[::1]" || loopback_v4
}

fn wrong(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, message).with_hint(
        "Give DATABRICKS_HOST as https://<workspace>, or the path of a gateway on the page's own origin (`/api/databricks`).",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_normalised() {
        for (given, wanted) in [
            ("dbc-1.cloud.databricks.com", "https://dbc-1.cloud.databricks.com"),
            (" https://DBC-1.cloud.databricks.com:443/ \n", "https://dbc-1.cloud.databricks.com"),
            ("HTTPS://x.gcp.databricks.com:8443//", "https://x.gcp.databricks.com:8443"),
            ("https://site.example/gateway/?a#b", "https://site.example/gateway"),
            ("http://127.0.0.1:80", "http://127.0.0.1"),
            ("http://[::1]:9000", "http://[::1]:9000"),
            ("http://app.localhost:1", "http://app.localhost:1"),
            ("/", ""),
        ] {
            assert_eq!(base(given, PlainHttp::Loopback).unwrap(), wanted, "{given}");
        }
        assert_eq!(base("http://lake.internal", PlainHttp::Anywhere).unwrap(), "http://lake.internal");
    }

    #[test]
    fn addresses_that_mislead_are_refused() {
        for given in [
            "",
            "  ",
            "//evil.example/x",
            "ftp://x",
            "javascript://x",
            "https://",
            "https://a b",
            "https://x\\@y",
            "https://user:secret@x",
            "http://x",
            "http://127.0.0.1.evil.example",
            "http://localhost.evil.example",
            "https://x/a/../b",
            "/a/%2e%2E/b",
            "https://x:99999",
            "https://x:+1",
            "https://[::1",
            "https://[x]",
            "https://ü.example",
        ] {
            let error = base(given, PlainHttp::Loopback).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{given}");
            assert!(!error.to_string().contains("secret"));
        }
    }

    #[test]
    fn names_stay_in_their_segment() {
        assert_eq!(segment("my endpoint/é").unwrap(), "my%20endpoint%2F%C3%A9");
        for name in ["", ".", ".."] {
            assert_eq!(segment(name).unwrap_err().kind(), ErrorKind::Config);
        }
    }
}
