//! Work that is split over the cores once, when a model is built.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// The results of both, `other` worked out on a thread of its own where there is more than one core.
///
/// # Panics
/// With the panic of either.
pub(crate) fn join<A: Send, B>(other: impl FnOnce() -> A + Send, this: impl FnOnce() -> B) -> (A, B) {
    if cores() == 1 {
        return (other(), this());
    }
    thread::scope(|scope| {
        let other = scope.spawn(other);
        let this = this();
        (other.join().unwrap_or_else(|panic| resume_unwind(panic)), this)
    })
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// The results of `work(0)` to `work(count - 1)`, in this order, from as many threads as there are cores.
///
/// Which thread does what changes from run to run, so no result may depend on it.
///
/// # Panics
/// With the panic of `work`.
pub(crate) fn map<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let threads = cores().min(count);
    if threads <= 1 {
        return (0..count).map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return done;
            }
            done.push((index, work(index)));
        }
    };
    let mut results = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(take)).collect();
        let mut results = take();
        for other in others {
            results.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        results
    });
    results.sort_unstable_by_key(|&(index, _)| index);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn both_results_of_a_join_come_in_their_places() {
        assert_eq!(super::join(|| "other", || 1), ("other", 1));
    }

    #[test]
    fn results_come_in_order_whatever_their_number() {
        for count in [0, 1, 2, 100] {
            assert_eq!(
                super::map(count, |index| index * index),
                (0..count).map(|index| index * index).collect::<Vec<_>>()
            );
        }
    }
}
