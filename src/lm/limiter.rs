//! How many requests an endpoint is sent at once, and who is next.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use futures_core::future::LocalBoxFuture;

use crate::time::Clock;

/// Lets a number of requests be in flight at once; the others wait. Cloning shares it.
///
/// Callers take turns, whatever the number of requests each has; the requests of one caller go in the order in which they came. When
/// the endpoint says that it is asked too much, the number is halved, and everybody waits as long as it asks; every answer then adds to
/// the number again, one in as many answers as it is (AIMD, as TCP does it).
#[derive(Clone)]
pub struct Limiter(Rc<State>);

struct State {
    clock: Rc<dyn Clock>,
    most: f64,
    limit: Cell<f64>,
    in_flight: Cell<usize>,
    paused_until_ms: Cell<f64>,
    /// How often the limit was halved.
    halvings: Cell<usize>,
    callers: Cell<usize>,
    lanes: RefCell<VecDeque<Lane>>,
}

/// Those of one caller that wait.
struct Lane {
    caller: usize,
    waiters: VecDeque<Rc<Waiter>>,
}

#[derive(Default)]
struct Waiter {
    granted: Cell<bool>,
    waker: Cell<Option<Waker>>,
}

/// What a limiter is doing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    pub in_flight: usize,
    pub waiting: usize,
    /// How many may be in flight now.
    pub limit: usize,
    /// How many may be in flight when the endpoint does not complain.
    pub most: usize,
    /// How long nothing is sent, because the endpoint asked for it.
    pub paused_ms: f64,
    /// How often the endpoint's complaints have halved the limit.
    pub halvings: usize,
}

impl Limiter {
    /// Lets `most` requests be in flight at once, one at least.
    pub fn new(clock: Rc<dyn Clock>, most: usize) -> Self {
        let most = most.max(1) as f64;
        let (in_flight, halvings, callers, lanes) = Default::default();
        let (limit, paused_until_ms) = (Cell::new(most), Cell::new(f64::NEG_INFINITY));
        Self(Rc::new(State { clock, most, limit, in_flight, paused_until_ms, halvings, callers, lanes }))
    }

    /// What it is doing.
    pub fn load(&self) -> Load {
        let state = &*self.0;
        Load {
            in_flight: state.in_flight.get(),
            waiting: state.lanes.borrow().iter().map(|lane| lane.waiters.len()).sum(),
            limit: state.limit.get() as usize,
            most: state.most as usize,
            paused_ms: state.paused_ms().max(0.0),
            halvings: state.halvings.get(),
        }
    }

    pub(super) fn clock(&self) -> &Rc<dyn Clock> {
        &self.0.clock
    }

    /// Somebody else to take turns with.
    pub(super) fn new_caller(&self) -> usize {
        self.0.callers.replace(self.0.callers.get() + 1)
    }

    /// Waits for a turn; with `again`, before all who have not had theirs yet.
    pub(super) fn turn(&self, caller: usize, again: bool) -> Turn {
        let waiter = Rc::new(Waiter::default());
        self.0.enqueue(caller, Rc::clone(&waiter), again);
        Turn { limiter: self.clone(), waiter, timer: None, is_over: false }
    }
}

impl State {
    fn paused_ms(&self) -> f64 {
        self.paused_until_ms.get() - self.clock.now_ms()
    }

    fn enqueue(&self, caller: usize, waiter: Rc<Waiter>, first: bool) {
        let mut lanes = self.lanes.borrow_mut();
        match lanes.iter_mut().find(|lane| lane.caller == caller) {
            Some(lane) if first => lane.waiters.push_front(waiter),
            Some(lane) => lane.waiters.push_back(waiter),
            None if first => lanes.push_front(Lane { caller, waiters: [waiter].into() }),
            None => lanes.push_back(Lane { caller, waiters: [waiter].into() }),
        }
    }

    /// The next one in turn. The lane that it stood in goes behind the others.
    fn dequeue(&self) -> Option<Rc<Waiter>> {
        let mut lanes = self.lanes.borrow_mut();
        let mut lane = lanes.pop_front()?;
        let next = lane.waiters.pop_front();
        if !lane.waiters.is_empty() {
            lanes.push_back(lane);
        }
        next
    }

    fn withdraw(&self, waiter: &Rc<Waiter>) {
        let mut lanes = self.lanes.borrow_mut();
        lanes.iter_mut().for_each(|lane| lane.waiters.retain(|other| !Rc::ptr_eq(other, waiter)));
        lanes.retain(|lane| !lane.waiters.is_empty());
    }

    /// Gives turns to as many as may be in flight.
    fn admit(&self) {
        while self.paused_ms() <= 0.0 && self.in_flight.get() < self.limit.get() as usize {
            let Some(next) = self.dequeue() else { return };
            self.in_flight.set(self.in_flight.get() + 1);
            next.granted.set(true);
            next.wake();
        }
    }

    fn release(&self) {
        self.in_flight.set(self.in_flight.get().saturating_sub(1));
        self.admit();
    }

    /// Nothing is sent for a while. Everybody who waits has to hear of it, to look at the clock.
    fn pause(&self, ms: f64) {
        let until = self.clock.now_ms() + ms;
        self.paused_until_ms.set(until.max(self.paused_until_ms.get()));
        self.lanes.borrow().iter().flat_map(|lane| &lane.waiters).for_each(|waiter| waiter.wake());
    }
}

impl Waiter {
    fn wake(&self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// A wait for a turn. Dropping it leaves the queue.
pub(super) struct Turn {
    limiter: Limiter,
    waiter: Rc<Waiter>,
    /// Runs while nothing is sent, with the moment at which it ends.
    timer: Option<(f64, LocalBoxFuture<'static, ()>)>,
    is_over: bool,
}

impl Future for Turn {
    type Output = Permit;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Permit> {
        let this = &mut *self;
        let state = &*this.limiter.0;
        loop {
            state.admit();
            if this.waiter.granted.get() {
                this.is_over = true;
                return Poll::Ready(Permit { limiter: this.limiter.clone(), halvings: state.halvings.get() });
            }
            this.waiter.waker.set(Some(cx.waker().clone()));
            let (ends, left) = (state.paused_until_ms.get(), state.paused_ms());
            if left <= 0.0 {
                return Poll::Pending;
            }
            let (_, timer) = match this.timer.take().filter(|(until, _)| *until == ends) {
                Some(running) => this.timer.insert(running),
                None => this.timer.insert((ends, state.clock.sleep(left))),
            };
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            this.timer = None;
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        match (self.is_over, self.waiter.granted.get()) {
            (true, _) => {}
            (false, true) => self.limiter.0.release(),
            (false, false) => self.limiter.0.withdraw(&self.waiter),
        }
    }
}

/// A request that is in flight, until it is dropped.
pub(super) struct Permit {
    limiter: Limiter,
    /// How often the limit had been halved when it began.
    halvings: usize,
}

impl Permit {
    /// The endpoint has answered.
    pub fn answered(&self) {
        let State { most, limit, .. } = &*self.limiter.0;
        limit.set((limit.get() + 1.0 / limit.get()).min(*most));
    }

    /// The endpoint is asked too much. Requests that were in flight together halve the limit once.
    pub fn throttled(&self, wait_ms: f64) {
        let state = &*self.limiter.0;
        if self.halvings == state.halvings.get() {
            state.limit.set((state.limit.get() / 2.0).floor().max(1.0));
            state.halvings.set(self.halvings + 1);
        }
        state.pause(wait_ms);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.limiter.0.release();
    }
}
