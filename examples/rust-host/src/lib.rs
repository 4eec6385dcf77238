//! A host of Lakelet's component in Rust: what a server needs to run its users' programs safely.
//!
//! A [`Host`] compiles the component once. Each [`Session`] is an instance of its own, with its own memory, environment and
//! [`Limits`]; whatever goes wrong in one is not seen in another. `main.rs` is a whole program.

mod outgoing;
mod session;

use std::time::Duration;

use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, Result};
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::p2::bindings::cli::environment;

pub use outgoing::Outgoing;
use session::State;
pub use session::{Limits, Session};

wasmtime::component::bindgen!({
    path: "../../wit",
    inline: "
        package lakelet:host;
        world programs {
            export lakelet:programs/types@0.1.0;
            export lakelet:programs/signatures@0.1.0;
            export lakelet:programs/adapters@0.1.0;
            export lakelet:programs/events@0.1.0;
            export lakelet:programs/programs@0.1.0;
        }",
    world: "lakelet:host/programs",
    exports: { default: async },
});

/// How often a guest that computes lets its host look at the clock.
const TICK: Duration = Duration::from_millis(10);

/// The component, compiled and linked.
pub struct Host {
    engine: Engine,
    programs: ProgramsPre<State>,
}

impl Host {
    /// Compiles the component of this path.
    ///
    /// # Errors
    /// When it is not there, not a component, or wants what is not linked here: files or sockets, for instance.
    pub fn new(path: &str) -> Result<Self> {
        let engine = Engine::new(Config::new().consume_fuel(true).epoch_interruption(true))?;
        let mut linker = Linker::new(&engine);
        // HTTP, clocks and chance.
        wasmtime_wasi_http::p2::add_to_linker_async(&mut linker)?;
        environment::add_to_linker::<State, WasiCli>(&mut linker, State::cli)?;
        let programs = ProgramsPre::new(linker.instantiate_pre(&Component::from_file(&engine, path)?)?)?;
        let ticking = engine.weak();
        std::thread::spawn(move || {
            while let Some(engine) = ticking.upgrade() {
                engine.increment_epoch();
                std::thread::sleep(TICK);
            }
        });
        Ok(Self { engine, programs })
    }

    /// A new instance. `environment` is all that it sees of the host's.
    ///
    /// # Errors
    /// When the limits do not even allow an empty instance.
    pub async fn session(
        &self,
        environment: &[(String, String)],
        outgoing: Outgoing,
        limits: Limits,
    ) -> Result<Session> {
        Session::new(&self.engine, &self.programs, State::new(environment, outgoing, limits.memory), limits).await
    }
}
