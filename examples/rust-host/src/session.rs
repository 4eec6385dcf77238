//! One instance of the component, for one request of a user.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use wasmtime::component::{ResourceAny, ResourceTable};
use wasmtime::{Engine, Result, Store, StoreLimits, StoreLimitsBuilder, format_err};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::exports::lakelet::programs::events::Event;
use crate::exports::lakelet::programs::programs::{Guest, Prediction, RunOptions};
use crate::{Outgoing, Programs, ProgramsPre};

/// What a session may use. A session that reaches a limit ends with an error: it cannot be called again, and its requests are
/// aborted when it is dropped. The component has told nothing by then that a check had still to approve.
#[derive(Clone, Copy)]
pub struct Limits {
    /// From its start to its end, computing and waiting.
    pub time: Duration,
    /// Of its memory, in bytes.
    pub memory: usize,
    /// Instructions, roughly. Unlike time, the same for the same work on every machine. See [`wasmtime::Store::set_fuel`].
    pub fuel: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time: Duration::from_secs(300), memory: 256 << 20, fuel: u64::MAX }
    }
}

/// An instance of the component. What its methods fail with is the component's own error, which
/// [`downcast_ref`](wasmtime::Error::downcast_ref) gives, or what ended the session: a [`wasmtime::Trap`], or that its time is up.
pub struct Session {
    store: Store<State>,
    programs: Programs,
    end: Instant,
}

/// What an instance has of its host.
pub(crate) struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outgoing: Outgoing,
    table: ResourceTable,
    limits: StoreLimits,
}

impl State {
    pub fn new(environment: &[(String, String)], outgoing: Outgoing, memory: usize) -> Self {
        Self {
            wasi: WasiCtx::builder().envs(environment).build(),
            http: WasiHttpCtx::new(),
            outgoing,
            table: ResourceTable::new(),
            limits: StoreLimitsBuilder::new().memory_size(memory).trap_on_grow_failure(true).build(),
        }
    }
}

impl Session {
    pub(crate) async fn new(
        engine: &Engine,
        programs: &ProgramsPre<State>,
        state: State,
        limits: Limits,
    ) -> Result<Self> {
        let mut store = Store::new(engine, state);
        store.limiter(|state| &mut state.limits);
        store.set_fuel(limits.fuel)?;
        // A guest that computes lets go at every tick, and so can be cut off like one that waits.
        store.epoch_deadline_async_yield_and_update(1);
        let programs = programs.instantiate_async(&mut store).await?;
        Ok(Self { store, programs, end: Instant::now() + limits.time })
    }

    /// Loads a pipeline document, and the state that DSPy's `program.save("x.json")` wrote.
    pub async fn load(&mut self, document: &str, state: Option<&str>) -> Result<ResourceAny> {
        self.call(async |store, guest| {
            let program = guest.program().call_load(&mut *store, document, None).await??;
            if let Some(state) = state {
                guest.program().call_load_state(store, program, state).await??;
            }
            Ok(program)
        })
        .await
    }

    /// The workspace of the session's environment.
    pub async fn workspace(&mut self) -> Result<ResourceAny> {
        self.call(async |store, guest| Ok(guest.workspace().call_from_environment(store).await??)).await
    }

    /// Runs a program to its end. `inputs` is a JSON object.
    pub async fn run(&mut self, program: ResourceAny, workspace: ResourceAny, inputs: &str) -> Result<Prediction> {
        self.call(async |store, guest| {
            Ok(guest.program().call_run(store, program, workspace, inputs, OPTIONS).await??)
        })
        .await
    }

    /// Starts a program, whose events [`next`](Self::next) waits for.
    pub async fn start(&mut self, program: ResourceAny, workspace: ResourceAny, inputs: &str) -> Result<ResourceAny> {
        self.call(async |store, guest| {
            Ok(guest.program().call_start(store, program, workspace, inputs, OPTIONS).await??)
        })
        .await
    }

    /// The next event of a program that was started. `None` when it has ended.
    pub async fn next(&mut self, stream: ResourceAny) -> Result<Option<Event>> {
        self.call(async |store, guest| Ok(guest.event_stream().call_blocking_get_next(store, stream).await??)).await
    }

    /// Lets go of a program, a workspace or a stream; a stream's requests are aborted. The session stays usable.
    pub async fn release(&mut self, resource: ResourceAny) -> Result<()> {
        self.call(async |store, _| resource.resource_drop_async(store).await).await
    }

    async fn call<T>(&mut self, call: impl AsyncFnOnce(&mut Store<State>, &Guest) -> Result<T>) -> Result<T> {
        match timeout_at(self.end, call(&mut self.store, self.programs.lakelet_programs_programs())).await {
            Ok(done) => done,
            Err(elapsed) => Err(format_err!(elapsed).context("the session's time is up")),
        }
    }
}

const OPTIONS: RunOptions = RunOptions { deadline_ms: None, cache: false };

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.outgoing }
    }
}
