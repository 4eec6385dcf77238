//! A gateway as an environment describes it.

use std::rc::Rc;

use lakelet::environment::Environment;
use lakelet::gateway::{Gateway, Users};
use lakelet::time::Clock;
use lakelet::{Error, ErrorKind};

use crate::{Lines, PROGRAM, TestHost, body};

const WORKSPACE: [(&str, &str); 3] = [
    ("DATABRICKS_HOST", "https://lake.example"),
    ("DATABRICKS_TOKEN", "dapi-very-secret"),
    ("LAKELET_CHAT_ENDPOINT", "chat"),
];

fn read(others: &[(&str, &str)]) -> lakelet::Result<Gateway> {
    let settings = WORKSPACE.iter().chain(others);
    let settings: Vec<_> = settings.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Gateway::from_environment(&Environment::from(settings), TestHost::new([]).host(), Rc::new(|_| {}))
}

fn refused(others: &[(&str, &str)]) -> Error {
    match read(others) {
        Ok(_) => panic!("{others:?} was taken"),
        Err(error) => error,
    }
}

#[test]
fn unless_told_otherwise_the_assistant_runs_for_nobody() {
    let gateway = read(&[]).unwrap();
    assert_eq!(gateway.programs[0].program.name(), "enterprise_assistant");
    assert_eq!(gateway.programs[0].user_inputs, ["role", "region", "department"]);
    assert_eq!(gateway.users, Users::Unknown);
    assert_eq!(gateway.names, ["localhost", "127.0.0.1", "[::1]"]);
}

#[test]
fn what_the_sign_in_tells_is_never_taken_from_a_page() {
    let headers = ("LAKELET_USER_HEADERS", "role=X-Role, background=X-Team, id=X-User");
    let gateway = read(&[("LAKELET_PROGRAM", PROGRAM), headers]).unwrap();
    assert_eq!(gateway.programs[0].user_inputs, ["background", "role", "region", "department"]);
    let pairs = [("role", "x-role"), ("background", "x-team"), ("id", "x-user")];
    assert_eq!(gateway.users, Users::Headers(pairs.map(|(a, b)| (a.to_owned(), b.to_owned())).to_vec()));
}

#[test]
fn changes_and_state_are_laid_over_the_program() {
    let overlay = r#"{"steps": {"reply": {"config": {"max_tokens": 7}}}}"#;
    let gateway = read(&[("LAKELET_PROGRAM", PROGRAM), ("LAKELET_OVERLAY", overlay)]).unwrap();
    let predictors = lakelet::Module::predictors(&*gateway.programs[0].program);
    assert_eq!(predictors[0].1.config()["max_tokens"], 7);
    let state = r#"{"reply": {"traces": [], "train": [], "demos": [{"question": "q", "rules": "r", "answer": "a"}],
        "signature": {"instructions": "Answer.", "fields": [{"prefix": "Question:", "description": "${question}"},
        {"prefix": "Rules:", "description": "${rules}"}, {"prefix": "Answer:", "description": "${answer}"}]}, "lm": null},
        "metadata": {"dependency_versions": {"python": "3.11", "dspy": "3.4.1", "cloudpickle": "3.1"}}}"#;
    let gateway = read(&[("LAKELET_PROGRAM", PROGRAM), ("LAKELET_STATE", state)]).unwrap();
    assert_eq!(lakelet::Module::predictors(&*gateway.programs[0].program)[0].1.demos().len(), 1);
}

#[test]
fn what_cannot_work_is_named() {
    let cases: [(&[(&str, &str)], &str); 5] = [
        (&[("LAKELET_BELIEVE_THE_PAGE", "1")], "LAKELET_BELIEVE_THE_PAGE"),
        (&[("LAKELET_BELIEVE_THE_PAGE", "yes"), ("LAKELET_USER_HEADERS", "role=x-role")], "LAKELET_BELIEVE_THE_PAGE"),
        (&[("LAKELET_USER_HEADERS", "rule=x-role")], "LAKELET_USER_HEADERS"),
        (&[("LAKELET_USER_HEADERS", "role=")], "LAKELET_USER_HEADERS"),
        (&[("LAKELET_TIMEOUT_MS", "soon")], "LAKELET_TIMEOUT_MS"),
    ];
    for (others, setting) in cases {
        let error = refused(others);
        assert_eq!((error.kind(), error.field()), (ErrorKind::Config, Some(setting)), "{others:?}");
        assert!(error.hint().is_some());
    }
    assert_eq!(refused(&[("LAKELET_PROGRAM", "{}")]).kind(), ErrorKind::Pipeline);
    assert_eq!(refused(&[("LAKELET_STATE", "[]")]).kind(), ErrorKind::State);
}

#[test]
fn a_gateway_that_cannot_be_made_says_so_to_its_operator() {
    let (host, lines) = (TestHost::new([]), Lines::default());
    let log = lines.clone();
    let clock: Rc<dyn Clock> = host.host().clock;
    let error = refused(&[("LAKELET_TIMEOUT_MS", "soon")]);
    let response = Gateway::unmade(&error, "GET", clock, Rc::new(move |line| log.borrow_mut().push(line)));
    assert_eq!(response.status, 500);
    let told = host.run(body(response));
    assert!(told.contains("INTERNAL_ERROR") && !told.contains("LAKELET_TIMEOUT_MS"), "{told}");
    assert!(lines.borrow()[0].contains("LAKELET_TIMEOUT_MS") && lines.borrow()[1].contains("\"status\":500"));
}
