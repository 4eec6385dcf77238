//! Sorting short lists.

use std::cmp::Ordering;

/// Sorts by insertion; what is equal keeps its order. What comes here is short or nearly in order, and the standard
/// library's stable sort weighs several kilobytes in WebAssembly for each type that it is made for.
pub(crate) fn sort_by<T>(items: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    for end in 1..items.len() {
        let mut at = end;
        while let Some([before, after]) = at.checked_sub(1).and_then(|start| items.get(start..=at))
            && compare(before, after).is_gt()
        {
            items.swap(at - 1, at);
            at -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_items_keep_their_order() {
        let mut items = [(3, 'a'), (1, 'b'), (3, 'c'), (2, 'd'), (1, 'e')];
        sort_by(&mut items, |a, b| a.0.cmp(&b.0));
        assert_eq!(items, [(1, 'b'), (1, 'e'), (2, 'd'), (3, 'a'), (3, 'c')]);
        sort_by::<u8>(&mut [], Ord::cmp);
    }
}
