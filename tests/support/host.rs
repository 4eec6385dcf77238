//! A host for tests: answers are written beforehand, and time passes only when everyone waits.

#![allow(dead_code)] // each test binary uses its part

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::rc::Rc;
use std::task::{Poll, Waker};

use futures::executor::LocalPool;
use futures::future::LocalBoxFuture;
use futures::stream::{self, LocalBoxStream, StreamExt};
use futures::task::LocalSpawnExt;
use lakelet::http::{Body, Fetch, Request, Response};
use lakelet::time::Clock;
use lakelet::{Error, ErrorKind, Host, Result};

/// What happens to one request.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// The body's pieces; an error stands for a connection that breaks.
    pub pieces: Vec<std::result::Result<Vec<u8>, String>>,
    /// How long the head takes.
    pub after_ms: f64,
    /// How long each piece takes.
    pub piece_after_ms: f64,
    pub refused: bool,
}

impl Answer {
    pub fn new(status: u16, body: impl AsRef<[u8]>) -> Self {
        let pieces = vec![Ok(body.as_ref().to_vec())];
        Self { status, headers: Vec::new(), pieces, after_ms: 0.0, piece_after_ms: 0.0, refused: false }
    }

    pub fn json(body: serde_json::Value) -> Self {
        Self::new(200, body.to_string())
    }

    /// A connection that is refused.
    pub fn refused() -> Self {
        Self { refused: true, ..Self::new(0, "") }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn after(mut self, ms: f64) -> Self {
        self.after_ms = ms;
        self
    }

    /// Cuts the body into pieces of so many bytes.
    pub fn cut(mut self, size: usize) -> Self {
        let body: Vec<u8> = self.pieces.drain(..).flatten().flatten().collect();
        self.pieces = body.chunks(size).map(|piece| Ok(piece.to_vec())).collect();
        self
    }

    /// The connection breaks after the body so far.
    pub fn broken(mut self) -> Self {
        self.pieces.push(Err("connection reset".to_owned()));
        self
    }

    pub fn each_piece_after(mut self, ms: f64) -> Self {
        self.piece_after_ms = ms;
        self
    }
}

#[derive(Default)]
struct World {
    now_ms: Cell<f64>,
    timers: RefCell<Vec<(f64, u64, Option<Waker>)>>,
    next_timer: Cell<u64>,
    slept: RefCell<Vec<f64>>,
    answers: RefCell<VecDeque<Answer>>,
    requests: RefCell<Vec<Request>>,
    aborted: Cell<usize>,
}

/// The host, and what was asked of it. Clones share everything.
#[derive(Clone, Default)]
pub struct TestHost(Rc<World>);

impl TestHost {
    /// A host whose answers come in this order. A request too many is answered with 599.
    pub fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        let host = Self::default();
        host.0.answers.borrow_mut().extend(answers);
        host
    }

    pub fn host(&self) -> Host {
        Host { fetch: Rc::new(self.clone()), clock: Rc::new(self.clone()) }
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.0.requests.borrow().clone()
    }

    /// The body of a request, as JSON.
    pub fn body(&self, request: usize) -> serde_json::Value {
        serde_json::from_slice(&self.requests()[request].body).unwrap()
    }

    pub fn now(&self) -> f64 {
        self.0.now_ms.get()
    }

    /// How many requests were dropped before their answer was read to its end.
    pub fn aborted(&self) -> usize {
        self.0.aborted.get()
    }

    /// Timers that still run.
    pub fn timers(&self) -> usize {
        self.0.timers.borrow().len()
    }

    /// Runs to the end; whenever everything waits, time jumps to the next timer.
    pub fn run<T: 'static>(&self, work: impl Future<Output = T> + 'static) -> T {
        let mut pool = LocalPool::new();
        let done = Rc::new(RefCell::new(None));
        let place = done.clone();
        pool.spawner().spawn_local(async move { *place.borrow_mut() = Some(work.await) }).unwrap();
        loop {
            pool.run_until_stalled();
            if let Some(value) = done.borrow_mut().take() {
                return value;
            }
            assert!(self.advance(), "everything waits, and no timer runs");
        }
    }

    fn advance(&self) -> bool {
        let timers = self.0.timers.borrow();
        let next = timers.iter().map(|timer| timer.0).filter(|at| *at > self.now()).fold(f64::INFINITY, f64::min);
        drop(timers);
        if next.is_infinite() {
            return false;
        }
        self.0.now_ms.set(next);
        for (_, _, waker) in self.0.timers.borrow_mut().iter_mut().filter(|timer| timer.0 <= next) {
            if let Some(waker) = waker.take() {
                waker.wake();
            }
        }
        true
    }
}

/// Removes its timer when it is dropped.
struct Sleep {
    world: Rc<World>,
    id: u64,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: std::pin::Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<()> {
        let mut timers = self.world.timers.borrow_mut();
        match timers.iter_mut().find(|timer| timer.1 == self.id) {
            Some(timer) if timer.0 > self.world.now_ms.get() => {
                timer.2 = Some(cx.waker().clone());
                Poll::Pending
            }
            _ => Poll::Ready(()),
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.world.timers.borrow_mut().retain(|timer| timer.1 != self.id);
    }
}

impl TestHost {
    fn timer(&self, ms: f64) -> Sleep {
        let id = self.0.next_timer.replace(self.0.next_timer.get() + 1);
        self.0.timers.borrow_mut().push((self.now() + ms, id, None));
        Sleep { world: self.0.clone(), id }
    }
}

impl Clock for TestHost {
    fn now_ms(&self) -> f64 {
        self.now()
    }

    fn sleep(&self, ms: f64) -> LocalBoxFuture<'static, ()> {
        Box::pin(self.timer(ms))
    }

    fn random(&self) -> f64 {
        0.5
    }
}

impl Fetch for TestHost {
    fn send(&self, request: Request) -> LocalBoxFuture<'static, Result<Response>> {
        self.0.requests.borrow_mut().push(request);
        let answer =
            self.0.answers.borrow_mut().pop_front().unwrap_or_else(|| Answer::new(599, "no answer was written"));
        let mut open = Open { world: self.0.clone(), done: false };
        let host = self.clone();
        Box::pin(async move {
            if answer.after_ms > 0.0 {
                host.timer(answer.after_ms).await;
            }
            if answer.refused {
                open.finish();
                return Err(Error::new(ErrorKind::Network, "connection refused"));
            }
            let (status, headers) = (answer.status, answer.headers.clone());
            Ok(Response { status, headers, body: Box::new(Pieces { answer, host, open }) })
        })
    }
}

/// Counts as aborted when it is dropped before it is done.
struct Open {
    world: Rc<World>,
    done: bool,
}

impl Open {
    fn finish(&mut self) {
        self.done = true;
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.world.aborted.set(self.world.aborted.get() + usize::from(!self.done));
    }
}

struct Pieces {
    answer: Answer,
    host: TestHost,
    open: Open,
}

impl Body for Pieces {
    fn whole(self: Box<Self>) -> LocalBoxFuture<'static, Result<Vec<u8>>> {
        let mut chunks = self.chunks();
        Box::pin(async move {
            let mut whole = Vec::new();
            while let Some(piece) = chunks.next().await {
                whole.extend(piece?);
            }
            Ok(whole)
        })
    }

    fn chunks(self: Box<Self>) -> LocalBoxStream<'static, Result<Vec<u8>>> {
        let Pieces { answer, host, open } = *self;
        stream::unfold((answer.pieces.into_iter(), host, open), move |(mut pieces, host, mut open)| async move {
            if answer.piece_after_ms > 0.0 {
                host.timer(answer.piece_after_ms).await;
            }
            let piece = pieces.next();
            open.done = !matches!(piece, Some(Ok(_)));
            let piece = piece?.map_err(|how| Error::new(ErrorKind::Network, how));
            Some((piece, (pieces, host, open)))
        })
        .boxed_local()
    }
}
