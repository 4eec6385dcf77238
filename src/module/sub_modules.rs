//! What a program is made of, as DSPy names it.

use super::{Module, ROOT};

/// A module inside a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubModule {
    /// `self` for the program, `self.hops[0]`, `self.by[a]` (keys are not quoted) ...
    pub path: String,
    /// DSPy's class, `ChainOfThought` for instance; `Module` for what has none.
    pub class: &'static str,
    /// How many attributes, items and keys the path has.
    pub depth: usize,
}

impl SubModule {
    /// A module of that class with the modules that its attributes hold.
    pub fn tree(class: &'static str, attributes: &[(&str, &dyn Module)]) -> Vec<Self> {
        let mut found = vec![Self { path: ROOT.to_owned(), class, depth: 0 }];
        for (name, module) in attributes {
            found.extend(module.sub_modules().into_iter().map(|inner| inner.below(&[ROOT, ".", name].concat(), 1)));
        }
        breadth_first(found, |module| module.depth)
    }

    /// The same in a larger program, where the module around it stands at `path`.
    pub(super) fn below(self, path: &str, depth: usize) -> Self {
        let rest = self.path.strip_prefix(ROOT).unwrap_or(&self.path);
        Self { path: [path, rest].concat(), class: self.class, depth: self.depth + depth }
    }
}

/// What was found depth first, from the top down; what is equally deep keeps its order.
pub(super) fn breadth_first<T>(found: Vec<T>, depth: impl Fn(&T) -> usize) -> Vec<T> {
    let deepest = found.iter().map(&depth).max().unwrap_or(0);
    let mut levels: Vec<Vec<T>> = (0..=deepest).map(|_| Vec::new()).collect();
    for item in found {
        if let Some(level) = levels.get_mut(depth(&item)) {
            level.push(item);
        }
    }
    levels.into_iter().flatten().collect()
}
