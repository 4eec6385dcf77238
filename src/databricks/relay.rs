//! Requests that a gateway sends on: the body as it came, the credential of the workspace.

use std::rc::Rc;

use super::error::Target;
use super::{Call, Workspace};
use crate::error::{Error, ErrorKind, Result};
use crate::http::Response;

impl Workspace {
    /// Posts a JSON body to any service of the workspace, with the retries of every other call. The answer is a good one
    /// (2xx), and its body can be read as it arrives.
    ///
    /// `path` stands below the workspace's address; its segments are encoded. Whoever sends a stranger's request decides
    /// before what may be called.
    ///
    /// # Errors
    /// [`Config`](ErrorKind::Config) when `path` could lead elsewhere; what the service says when it refuses.
    pub async fn post(&self, path: &str, body: Vec<u8>, deadline_ms: Option<f64>) -> Result<Response> {
        check(path)?;
        let mut deadline = self.deadline(deadline_ms);
        let call = Rc::new(Call::post(path, body, Target::Path(path.to_owned())));
        let workspace = self.clone();
        let tries = self.retry(deadline.at_ms(), move || {
            let (workspace, call) = (workspace.clone(), call.clone());
            Box::pin(async move { workspace.open(&call).await })
        });
        deadline.bound(tries).await
    }
}

/// Lets through what stays below the workspace's address in the eyes of every URL parser.
fn check(path: &str) -> Result<()> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%/".contains(&byte);
    let segment = |part: &str| !matches!(part.to_ascii_lowercase().replace("%2e", ".").as_str(), "" | "." | "..");
    let stays = path.bytes().all(plain) && path.strip_prefix('/').is_some_and(|path| path.split('/').all(segment));
    if stays {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Config, format!("`{path}` is not a path below the workspace's address"))
        .with_hint("Begin with `/`, encode each segment, and add no query."))
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn a_path_cannot_leave_the_workspace() {
        assert!(check("/serving-endpoints/a%2Fb/invocations").is_ok());
        for path in [
            "",
            "x",
            "//evil.example/x",
            "/a/../b",
            "/a/%2E%2e/b",
            "/a//b",
            "/a?x=1",
            "/a#x",
            "/a\\b",
            "@evil.example",
            "/a/@b",
        ] {
            assert!(check(path).is_err(), "{path}");
        }
    }
}
