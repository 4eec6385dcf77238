//! A gateway as an environment describes it.

use std::rc::Rc;

use super::{Gateway, Limits, Log, Served, Users};
use crate::assistant;
use crate::databricks;
use crate::environment::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::host::Host;
use crate::pipeline::Pipeline;
use crate::state::{self, Part};

/// What an input of such a name tells is who asks.
const USER_INPUTS: [&str; 3] = ["role", "region", "department"];
/// The names that a gateway goes by on the machine itself.
const LOOPBACK: &str = "localhost,127.0.0.1,[::1]";

impl Gateway {
    /// The gateway of an environment, which names the workspace as [`databricks::services`] reads it, and beside it:
    ///
    /// | setting | |
    /// |---|---|
    /// | `LAKELET_PROGRAM` | the program's document; the ready-made enterprise assistant unless given |
    /// | `LAKELET_OVERLAY` | changes to its steps, as a JSON merge patch: `{"steps": {"retrieve": {"k": 5}}}` |
    /// | `LAKELET_STATE` | what DSPy saved of an optimized program |
    /// | `LAKELET_USER_HEADERS` | where the sign-in in front says who asks: `role=x-forwarded-role,id=x-forwarded-user` |
    /// | `LAKELET_BELIEVE_THE_PAGE` | `yes` believes the page about who asks: for demonstrations |
    /// | `LAKELET_NAMES` | the names that the gateway goes by, without port; the loopback names unless given |
    /// | `LAKELET_ORIGINS` | origins whose pages may call, beside the gateway's own |
    /// | `LAKELET_TIMEOUT_MS` | milliseconds until a call is given up; 120000 unless given |
    ///
    /// The inputs `role`, `region` and `department`, and those in `LAKELET_USER_HEADERS`, are never taken from a page.
    ///
    /// # Errors
    /// [`Config`](ErrorKind::Config), or what is wrong with the document, its changes or its state.
    pub fn from_environment(environment: &Environment, host: Host, log: Log) -> Result<Self> {
        let workspace = databricks::workspace(environment, host)?;
        let services = databricks::services(environment, &workspace)?;
        let program = program(environment)?;
        let users = users(environment, &program)?;
        let is_from_user = |name: &str| match &users {
            Users::Headers(headers) if headers.iter().any(|(input, _)| input == name) => true,
            _ => USER_INPUTS.contains(&name),
        };
        let names = program.inputs().iter().map(|input| input.name.clone());
        let user_inputs = names.filter(|name| is_from_user(name)).collect();
        Ok(Self {
            programs: vec![Served { program: Rc::new(program), user_inputs }],
            services: Rc::new(services),
            users,
            names: list(environment.get("LAKELET_NAMES").unwrap_or(LOOPBACK)),
            allowed_origins: list(environment.get("LAKELET_ORIGINS").unwrap_or_default()),
            limits: limits(environment)?,
            log,
        })
    }
}

fn program(environment: &Environment) -> Result<Pipeline> {
    let document = environment.get("LAKELET_PROGRAM").unwrap_or(assistant::ENTERPRISE_ASSISTANT);
    let mut program = match environment.get("LAKELET_OVERLAY") {
        Some(overlay) => Pipeline::with_overlay(document, overlay)?,
        None => Pipeline::from_json(document)?,
    };
    if let Some(state) = environment.get("LAKELET_STATE") {
        state::load(&mut Part { path: "", module: &mut program }, state)?;
    }
    Ok(program)
}

fn users(environment: &Environment, program: &Pipeline) -> Result<Users> {
    match (environment.get("LAKELET_BELIEVE_THE_PAGE"), environment.get("LAKELET_USER_HEADERS")) {
        (None, None) => Ok(Users::Unknown),
        (Some("yes"), None) => Ok(Users::Page),
        (Some(_), None) => Err(wrong("LAKELET_BELIEVE_THE_PAGE", "it can only be yes", "set it to yes, or not at all")),
        (Some(_), Some(_)) => Err(wrong(
            "LAKELET_BELIEVE_THE_PAGE",
            "the page cannot be believed where a sign-in says who asks",
            "unset LAKELET_BELIEVE_THE_PAGE",
        )),
        (None, Some(pairs)) => {
            let known = |name: &str| name == "id" || program.inputs().iter().any(|input| input.name == name);
            let pairs = pairs.split(',').map(|pair| match pair.split_once('=') {
                Some((name, header)) if known(name.trim()) && !header.trim().is_empty() => {
                    Ok((name.trim().to_owned(), header.trim().to_ascii_lowercase()))
                }
                _ => Err(wrong(
                    "LAKELET_USER_HEADERS",
                    &format!("`{pair}` is not an input of the program and a header"),
                    "write input=header, as in role=x-forwarded-role; id=header names the user in the audit",
                )),
            });
            Ok(Users::Headers(pairs.collect::<Result<_>>()?))
        }
    }
}

fn limits(environment: &Environment) -> Result<Limits> {
    let Some(given) = environment.get("LAKELET_TIMEOUT_MS") else { return Ok(Limits::default()) };
    match given.parse::<u32>() {
        Ok(ms) if ms > 0 => Ok(Limits { timeout_ms: ms.into(), ..Limits::default() }),
        _ => Err(wrong("LAKELET_TIMEOUT_MS", &format!("`{given}` is not a number of milliseconds"), "write 120000")),
    }
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(|item| item.trim().to_ascii_lowercase()).filter(|item| !item.is_empty()).collect()
}

fn wrong(setting: &str, message: &str, hint: &str) -> Error {
    Error::new(ErrorKind::Config, message).at_field(setting).with_hint(hint)
}
