//! Interpreters: what runs the Python code that a model writes.
//!
//! None is built in. Such code belongs in a sandbox, and only the host has one: Pyodide in a page, a container on a server.

use futures_core::future::LocalBoxFuture;

use crate::error::Result;
use crate::value::Value;

/// Runs Python code in a sandbox, as DSPy 3.4.1's `CodeInterpreter` does.
///
/// The code finds a function `SUBMIT(output)`, which ends it there.
pub trait CodeInterpreter {
    /// Runs code, and gives `{"output": ...}` with what it submitted; or else the value of its last line; or else, where that is
    /// none, the text that it printed. Dropping the future abandons the code.
    ///
    /// # Errors
    /// [`Code`](crate::ErrorKind::Code), when the code is at fault; the message is what a model is shown of it, in DSPy
    /// `ZeroDivisionError: ['division by zero']` for instance. Every other kind says that the interpreter itself failed.
    fn execute<'a>(&'a self, code: &'a str) -> LocalBoxFuture<'a, Result<Value>>;
}
