//! Work on a stream in several threads, results in order.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel, sync_channel};
use std::thread;

/// Items that may be on their way for each worker: one in work, one waiting, one waiting for an earlier one.
const IN_FLIGHT_PER_WORKER: usize = 3;

/// Takes the items of `source`, in a thread of its own, to `workers`, each in its own thread, and hands their results to
/// `consume` on the calling thread in the order of the items.
///
/// At most three items for each worker are between `source` and `consume`, so memory is bounded by the size of an item,
/// and a slow consumer stops the source. The first error of `consume` ends the work and is returned; the source is not
/// asked for more than a few further items.
///
/// # Panics
///
/// When there is no worker, and with the panic of a worker.
pub fn ordered<T, R, E, W>(
    source: impl Iterator<Item = T> + Send,
    workers: Vec<W>,
    mut consume: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E>
where
    T: Send,
    R: Send,
    W: FnMut(T) -> R + Send,
{
    assert!(!workers.is_empty(), "at least one worker is needed; this is a bug");
    let in_flight = workers.len() * IN_FLIGHT_PER_WORKER;
    let (give_permit, take_permit) = sync_channel::<()>(in_flight);
    let (send_item, items) = sync_channel::<(u64, T)>(in_flight);
    let (send_result, results) = channel::<(u64, Result<R, Panic>)>();
    let items = Mutex::new(items);
    for _ in 0..in_flight {
        give_permit.send(()).expect("the receiver lives; this is a bug");
    }
    thread::scope(|scope| {
        scope.spawn(move || {
            // One permit for each item: where the consumer is gone there are none, and the source is left alone.
            let mut source = source;
            let mut number = 0;
            while take_permit.recv().is_ok() {
                let Some(item) = source.next() else { break };
                if send_item.send((number, item)).is_err() {
                    break;
                }
                number += 1;
            }
        });
        for mut worker in workers {
            let send_result = send_result.clone();
            let items = &items;
            scope.spawn(move || {
                while let Some((number, item)) = receive(items) {
                    // A worker that dies in silence would leave the consumer waiting for its number for ever.
                    let result = catch_unwind(AssertUnwindSafe(|| worker(item)));
                    let panicked = result.is_err();
                    if send_result.send((number, result)).is_err() || panicked {
                        break;
                    }
                }
            });
        }
        drop(send_result);
        let outcome = reassemble(&results, |result| {
            consume(result)?;
            // The reader may have ended already, and then needs no permit.
            let _ = give_permit.send(());
            Ok(())
        });
        drop((results, give_permit));
        match outcome {
            Ok(outcome) => outcome,
            Err(panic) => resume_unwind(panic),
        }
    })
}

type Panic = Box<dyn Any + Send>;

fn receive<T>(items: &Mutex<Receiver<T>>) -> Option<T> {
    // Nothing panics while the lock is held.
    items.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).recv().ok()
}

/// Hands results on by number, from 0.
fn reassemble<R, E>(
    results: &Receiver<(u64, Result<R, Panic>)>,
    mut consume: impl FnMut(R) -> Result<(), E>,
) -> Result<Result<(), E>, Panic> {
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    for (number, result) in results {
        waiting.insert(number, result?);
        while let Some(result) = waiting.remove(&next) {
            if let Err(error) = consume(result) {
                return Ok(Err(error));
            }
            next += 1;
        }
    }
    Ok(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn spread(workers: usize) -> Vec<impl FnMut(u64) -> u64> {
        (0..workers).map(|_| |item: u64| (0..item % 7 * 1000).fold(item, |sum, _| std::hint::black_box(sum))).collect()
    }

    #[test]
    fn results_come_in_order() {
        for workers in 1..5 {
            let mut seen = Vec::new();
            let outcome: Result<(), ()> = ordered(0..500, spread(workers), |item| {
                seen.push(item);
                Ok(())
            });
            assert_eq!(outcome, Ok(()));
            assert_eq!(seen, (0..500).collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_error_stops_an_endless_source() {
        let outcome = ordered(0.., spread(3), |item| if item < 10 { Ok(()) } else { Err(item) });
        assert_eq!(outcome, Err(10));
    }

    #[test]
    fn a_slow_consumer_holds_the_source_back() {
        let read = AtomicUsize::new(0);
        let source = (0..1000).inspect(|_| {
            read.fetch_add(1, Ordering::SeqCst);
        });
        let mut consumed = 0;
        let outcome: Result<(), ()> = ordered(source, spread(2), |_| {
            consumed += 1;
            assert!(read.load(Ordering::SeqCst) <= consumed + 2 * IN_FLIGHT_PER_WORKER);
            Ok(())
        });
        assert_eq!(outcome, Ok(()));
    }

    #[test]
    #[should_panic(expected = "item 3")]
    fn a_panic_in_a_worker_is_passed_on() {
        let worker = |item: u64| assert!(item != 3, "item {item}");
        let _: Result<(), ()> = ordered(0.., vec![worker, worker], |()| Ok(()));
    }
}
