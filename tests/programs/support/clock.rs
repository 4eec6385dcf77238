//! Time that passes only when everybody waits.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use futures_core::future::LocalBoxFuture;
use lakelet::time::Clock;

#[derive(Default)]
pub struct VirtualClock {
    now: Rc<Cell<f64>>,
    timers: Rc<RefCell<Vec<(f64, Waker)>>>,
}

impl VirtualClock {
    /// Runs a future to its end; whenever nothing can go on, time jumps to the next timer.
    pub fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        let mut context = Context::from_waker(Waker::noop());
        loop {
            if let Poll::Ready(result) = work.as_mut().poll(&mut context) {
                return result;
            }
            assert!(self.jump(), "nothing can go on, and no timer runs");
        }
    }

    /// Moves on to the next timer.
    pub fn jump(&self) -> bool {
        let next = self.timers.borrow().iter().map(|(end, _)| *end).fold(f64::INFINITY, f64::min);
        if next.is_infinite() {
            return false;
        }
        self.now.set(next);
        let mut ended = Vec::new();
        self.timers.borrow_mut().retain(|(end, waker)| {
            let runs = *end > next;
            if !runs {
                ended.push(waker.clone());
            }
            runs
        });
        ended.into_iter().for_each(Waker::wake);
        true
    }
}

impl Clock for VirtualClock {
    fn now_ms(&self) -> f64 {
        self.now.get()
    }

    fn sleep(&self, ms: f64) -> LocalBoxFuture<'static, ()> {
        let (now, timers) = (Rc::clone(&self.now), Rc::clone(&self.timers));
        let end = now.get() + ms;
        Box::pin(poll_fn(move |context| {
            if now.get() >= end {
                return Poll::Ready(());
            }
            timers.borrow_mut().push((end, context.waker().clone()));
            Poll::Pending
        }))
    }

    fn random(&self) -> f64 {
        0.5
    }
}
