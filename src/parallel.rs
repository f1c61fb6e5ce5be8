//! A fixed number of jobs, done by several threads. Where the system refuses a thread, the others do its work.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// How many threads the machine runs at once, 1 where it does not say.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// The results of both, `other` worked out on a thread of its own where there is more than one core.
///
/// # Panics
/// With the panic of either.
pub(crate) fn join<A: Send, B>(other: impl FnOnce() -> A + Send, this: impl FnOnce() -> B) -> (A, B) {
    if cores() == 1 {
        return (other(), this());
    }
    // A thread that does not start drops what it was to do, so the job stays where both can take it.
    let job = Mutex::new(Some(other));
    let take = || job.lock().unwrap_or_else(PoisonError::into_inner).take().map(|other| other());
    thread::scope(|scope| {
        let other = thread::Builder::new().spawn_scoped(scope, take);
        let this = this();
        let other = match other {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Err(_) => take(),
        };
        (other.expect("one of the two takes the job; this is a bug"), this)
    })
}

/// The results of `work(0)` to `work(count - 1)`, in this order, from as many threads as there are cores.
///
/// Which thread does what changes from run to run, so no result may depend on it.
///
/// # Panics
/// With the panic of `work`.
pub(crate) fn map<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    map_with(cores(), count, || (), |(), index| work(index))
}

/// As [`map`], from up to `threads` threads, each with a `state` of its own. The calling thread is one of them.
///
/// # Panics
/// With the panic of `state` or `work`.
pub(crate) fn map_with<S: Send, T: Send>(
    threads: usize,
    count: usize,
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) -> T + Sync,
) -> Vec<T> {
    // Made by the thread that needs it, so that none is made for a thread that finds no job.
    let mut states: Vec<Option<S>> = (0..threads.min(count).max(1)).map(|_| None).collect();
    share(&mut states, (0..count).collect(), |own, index| work(own.get_or_insert_with(&state), index))
}

/// The results of `work` for each of `jobs`, in their order; one thread for each of `states`, which it has for itself. The
/// calling thread is one of them.
///
/// # Panics
/// Without states, and with the panic of `work`.
pub(crate) fn share<S: Send, J: Send, T: Send>(
    states: &mut [S],
    jobs: Vec<J>,
    work: impl Fn(&mut S, J) -> T + Sync,
) -> Vec<T> {
    let (first, others) = states.split_first_mut().expect("at least one state is needed; this is a bug");
    let jobs = Mutex::new(jobs.into_iter().enumerate());
    let take = |state: &mut S| {
        let mut done = Vec::new();
        loop {
            let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((index, job)) = next else { return done };
            done.push((index, work(state, job)));
        }
    };
    let take = &take;
    let mut results = thread::scope(|scope| {
        let threads: Vec<_> = others
            .iter_mut()
            .map_while(|state| thread::Builder::new().spawn_scoped(scope, move || take(state)).ok())
            .collect();
        let mut results = take(first);
        for thread in threads {
            results.extend(thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        results
    });
    results.sort_unstable_by_key(|&(index, _)| index);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_results_of_a_join_come_in_their_places() {
        assert_eq!(join(|| "other", || 1), ("other", 1));
    }

    #[test]
    fn results_come_in_order_whatever_their_number() {
        for count in [0, 1, 2, 100] {
            let squares: Vec<usize> = (0..count).map(|index| index * index).collect();
            assert_eq!(map(count, |index| index * index), squares);
            for threads in [0, 1, 3, 200] {
                assert_eq!(map_with(threads, count, || 0, |zero, index| index * index + *zero), squares);
            }
        }
    }

    #[test]
    fn every_job_is_done_once_by_whoever_is_free() {
        for threads in 1..4 {
            let mut counts = vec![0; threads];
            let results = share(&mut counts, (0..50).collect(), |count, job| {
                *count += 1;
                job * 2
            });
            assert_eq!(results, (0..50).map(|job| job * 2).collect::<Vec<_>>());
            assert_eq!(counts.iter().sum::<i32>(), 50);
        }
    }

    #[test]
    #[should_panic(expected = "job 3")]
    fn a_panic_is_passed_on() {
        map_with(2, 10, || (), |(), index| assert!(index != 3, "job {index}"));
    }
}
