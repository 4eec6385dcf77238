//! Pollables as futures.

use std::cell::RefCell;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::bindings::wasi::io::poll::{Pollable, poll};

/// What is waited for.
#[derive(Default)]
struct Waits {
    last: u32,
    open: Vec<Wait>,
}

struct Wait {
    number: u32,
    pollable: Pollable,
    waker: Option<Waker>,
}

thread_local! {
    static WAITS: RefCell<Waits> = RefCell::default();
}

/// Completes when a pollable is ready. Dropping it drops the pollable, which must happen before what the pollable is of is dropped.
pub struct Ready {
    number: u32,
}

/// Waits for a pollable.
pub fn ready(pollable: Pollable) -> Ready {
    WAITS.with_borrow_mut(|waits| {
        waits.last = waits.last.wrapping_add(1);
        waits.open.push(Wait { number: waits.last, pollable, waker: None });
        Ready { number: waits.last }
    })
}

impl Future for Ready {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        WAITS.with_borrow_mut(|waits| match waits.open.iter_mut().find(|wait| wait.number == self.number) {
            Some(wait) => {
                wait.waker = Some(cx.waker().clone());
                Poll::Pending
            }
            None => Poll::Ready(()),
        })
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        WAITS.with_borrow_mut(|waits| waits.open.retain(|wait| wait.number != self.number));
    }
}

/// Lets the host block until something that is waited for is ready, and wakes what waits for it. False when nothing is.
pub(super) fn wait() -> bool {
    let over = WAITS.with_borrow_mut(|waits| {
        let (waiting, idle): (Vec<Wait>, Vec<Wait>) = waits.open.drain(..).partition(|wait| wait.waker.is_some());
        waits.open = idle;
        if waiting.is_empty() {
            return Vec::new();
        }
        let ready = poll(&waiting.iter().map(|wait| &wait.pollable).collect::<Vec<_>>());
        let (over, open) =
            waiting.into_iter().enumerate().partition::<Vec<_>, _>(|(at, _)| ready.contains(&(*at as u32)));
        waits.open.extend(open.into_iter().map(|(_, wait)| wait));
        over
    });
    let is_any = !over.is_empty();
    over.into_iter().filter_map(|(_, wait)| wait.waker).for_each(Waker::wake);
    is_any
}
