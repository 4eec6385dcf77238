//! Runs futures to their end, one thread for all.

use std::cell::RefCell;
use std::pin::pin;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_core::future::LocalBoxFuture;

use super::pollables;
use crate::error::{Error, ErrorKind, Result};

thread_local! {
    static TASKS: RefCell<Vec<Weak<Work>>> = RefCell::default();
}

/// Work that gets on whenever something of this component is waited for. Dropping it gives the work up.
pub struct Task {
    _work: Rc<Work>,
}

struct Work {
    /// None when it has ended.
    future: RefCell<Option<LocalBoxFuture<'static, ()>>>,
    woken: Arc<Woken>,
}

/// Begins work beside what [`block_on`] waits for.
pub fn spawn(future: impl Future<Output = ()> + 'static) -> Task {
    let work = Rc::new(Work { future: RefCell::new(Some(Box::pin(future))), woken: Woken::now() });
    TASKS.with_borrow_mut(|tasks| tasks.push(Rc::downgrade(&work)));
    Task { _work: work }
}

/// Waits for work, and lets all tasks get on meanwhile.
///
/// # Errors
/// What the work fails with. [`Server`](ErrorKind::Server) when it waits for nothing that the host could tell.
pub fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let mut work = pin!(work);
    let woken = Woken::now();
    let waker = Waker::from(Arc::clone(&woken));
    loop {
        if woken.take()
            && let Poll::Ready(done) = work.as_mut().poll(&mut Context::from_waker(&waker))
        {
            return done;
        }
        let tasks_got_on = poll_tasks();
        if !tasks_got_on && !woken.is_set() && !pollables::wait() {
            return Err(Error::new(ErrorKind::Server, "the program waits for something that will never come"));
        }
    }
}

/// Polls the tasks that were woken; false when none was.
fn poll_tasks() -> bool {
    let tasks: Vec<Rc<Work>> = TASKS.with_borrow_mut(|tasks| {
        tasks.retain(|task| task.strong_count() > 0);
        tasks.iter().filter_map(Weak::upgrade).collect()
    });
    tasks.iter().filter(|task| task.get_on()).count() > 0
}

impl Work {
    fn get_on(&self) -> bool {
        if !self.woken.take() {
            return false;
        }
        let waker = Waker::from(Arc::clone(&self.woken));
        let mut future = self.future.borrow_mut();
        if future.as_mut().is_some_and(|future| future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready()) {
            *future = None;
        }
        true
    }
}

/// A waker that remembers that it was woken.
struct Woken(AtomicBool);

impl Woken {
    /// One that is woken already: everything is polled once.
    fn now() -> Arc<Self> {
        Arc::new(Self(AtomicBool::new(true)))
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}
