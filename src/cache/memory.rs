//! The memory of this process as a cache.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use futures_core::future::LocalBoxFuture;
use indexmap::IndexMap;

use super::Cache;
use crate::error::Result;

/// Keeps what was used last, up to a number of entries and of bytes.
pub struct Memory {
    max_entries: usize,
    max_bytes: usize,
    kept: RefCell<Kept>,
}

#[derive(Default)]
struct Kept {
    entries: IndexMap<Rc<str>, Entry>,
    /// Every use, oldest first. Of one key only the last use counts.
    uses: VecDeque<(u64, Rc<str>)>,
    last_use: u64,
    bytes: usize,
}

struct Entry {
    text: String,
    used: u64,
}

impl Default for Memory {
    /// 10,000 answers in 64 MB.
    fn default() -> Self {
        Self::new(10_000, 64 << 20)
    }
}

impl Memory {
    /// A cache that never holds more than that.
    pub fn new(max_entries: usize, max_bytes: usize) -> Self {
        Self { max_entries, max_bytes, kept: RefCell::default() }
    }

    /// How many answers are kept.
    pub fn len(&self) -> usize {
        self.kept.borrow().entries.len()
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.kept.take();
    }
}

impl Kept {
    fn take(&mut self, key: &str) -> Option<Entry> {
        let (key, entry) = self.entries.swap_remove_entry(key)?;
        self.bytes -= key.len() + entry.text.len();
        Some(entry)
    }

    fn insert(&mut self, key: Rc<str>, text: String) {
        self.last_use += 1;
        self.bytes += key.len() + text.len();
        self.uses.push_back((self.last_use, Rc::clone(&key)));
        self.entries.insert(key, Entry { text, used: self.last_use });
        if self.uses.len() > 2 * self.entries.len() + 16 {
            let entries = &self.entries;
            self.uses.retain(|(used, key)| entries.get(key).is_some_and(|entry| entry.used == *used));
        }
    }

    /// Drops what was not used for the longest time.
    fn drop_oldest(&mut self) {
        while let Some((used, key)) = self.uses.pop_front() {
            if self.entries.get(&key).is_some_and(|entry| entry.used == used) {
                self.take(&key);
                return;
            }
        }
    }
}

impl Cache for Memory {
    fn get(&self, key: &str) -> LocalBoxFuture<'static, Result<Option<String>>> {
        let mut kept = self.kept.borrow_mut();
        let found = kept.take(key).map(|entry| {
            kept.insert(key.into(), entry.text.clone());
            entry.text
        });
        Box::pin(async move { Ok(found) })
    }

    fn put(&self, key: &str, text: String) -> LocalBoxFuture<'static, Result<()>> {
        let mut kept = self.kept.borrow_mut();
        kept.take(key);
        if key.len() + text.len() <= self.max_bytes {
            kept.insert(key.into(), text);
        }
        while kept.entries.len() > self.max_entries || kept.bytes > self.max_bytes {
            kept.drop_oldest();
        }
        Box::pin(async { Ok(()) })
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn get(memory: &Memory, key: &str) -> Option<String> {
        memory.get(key).now_or_never().unwrap().unwrap()
    }

    fn put(memory: &Memory, key: &str, text: &str) {
        memory.put(key, text.to_owned()).now_or_never().unwrap().unwrap();
    }

    #[test]
    fn what_was_used_last_stays() {
        let memory = Memory::new(2, 1000);
        put(&memory, "a", "1");
        put(&memory, "b", "2");
        assert_eq!(get(&memory, "a").as_deref(), Some("1"));
        put(&memory, "c", "3");
        assert_eq!((get(&memory, "a").is_some(), get(&memory, "b"), memory.len()), (true, None, 2));
        put(&memory, "a", "4");
        assert_eq!((get(&memory, "a").as_deref(), memory.len()), (Some("4"), 2));
        memory.clear();
        assert!(memory.is_empty());
    }

    #[test]
    fn no_more_bytes_are_kept_than_allowed() {
        let memory = Memory::new(100, 10);
        put(&memory, "a", "1234");
        put(&memory, "b", "1234");
        put(&memory, "c", "1");
        assert_eq!((get(&memory, "a"), memory.len()), (None, 2));
        put(&memory, "d", "12345678901234567890");
        assert_eq!((get(&memory, "d"), memory.len()), (None, 2));
    }

    #[test]
    fn many_uses_of_few_entries_cost_no_memory() {
        let memory = Memory::default();
        put(&memory, "a", "1");
        for _ in 0..1000 {
            get(&memory, "a");
        }
        assert!(memory.kept.borrow().uses.len() < 20);
    }
}
