//! Work on a stream in several threads, results in order.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Items that may be on their way for each worker: one in work, one waiting, one waiting for an earlier one.
const IN_FLIGHT_PER_WORKER: usize = 3;

/// Hands a worker its next item; `None` when there are no more.
pub(crate) type NextItem<'a, T> = &'a mut dyn FnMut() -> Option<T>;

/// Takes a worker's result for the item that it was handed last.
pub(crate) type TakeResult<'a, R> = &'a mut dyn FnMut(R);

/// The results of work done by several threads on the items of one source, in the order of the items.
///
/// The source is read on a thread of its own. At most three items for each worker are between the source and whoever takes
/// the results, so memory is bounded by the size of an item, and a slow taker stops the source. Dropping this ends the work
/// at once for whoever drops it: threads that still wait for the source end when it gives something, or with the process.
///
/// Where the system refuses to start threads, the work is done with fewer, and with none on the thread that asks for results.
///
/// # Panics
/// [`Iterator::next`] passes the panic of a worker on.
pub(crate) struct Ordered<R> {
    way: Way<R>,
}

enum Way<R> {
    Threads {
        results: Receiver<(u64, Result<R, Panic>)>,
        permits: SyncSender<()>,
        /// Results that came before their turn.
        early: BTreeMap<u64, Result<R, Panic>>,
        next: u64,
        /// Whether the result handed out last still counts as on its way.
        owes_permit: bool,
    },
    Here(Box<dyn FnMut() -> Option<R> + Send>),
}

type Panic = Box<dyn Any + Send>;

impl<R: Send + 'static> Ordered<R> {
    /// Starts the work. Each of the threads calls `worker` once; it must ask for items until there are none and give one
    /// result for each.
    pub fn start<T: Send + 'static>(
        source: impl Iterator<Item = T> + Send + 'static,
        threads: usize,
        worker: impl Fn(NextItem<'_, T>, TakeResult<'_, R>) + Send + Sync + 'static,
    ) -> Ordered<R> {
        let wanted = threads.max(1);
        let in_flight = wanted * IN_FLIGHT_PER_WORKER;
        let (permits, take_permit) = sync_channel::<()>(in_flight);
        let (send_item, items) = sync_channel::<(u64, T)>(in_flight);
        let (send_result, results) = channel();
        for _ in 0..in_flight {
            permits.send(()).expect("the receiver lives; this is a bug");
        }
        let (worker, items) = (Arc::new(worker), Arc::new(Mutex::new(items)));
        let started = (0..wanted)
            .filter(|_| {
                let (worker, items, results) = (Arc::clone(&worker), Arc::clone(&items), send_result.clone());
                thread::Builder::new().spawn(move || work(&*worker, &items, &results)).is_ok()
            })
            .count();
        drop(send_result);
        // The source comes back from here if its thread does not start.
        let source = Arc::new(Mutex::new(Some(source)));
        let for_reader = Arc::clone(&source);
        let read = move || {
            let Some(mut source) = take(&for_reader) else { return };
            let mut number = 0;
            // One permit for each item: where the taker is gone there are none, and the source is left alone.
            while take_permit.recv().is_ok() {
                let Some(item) = source.next() else { break };
                if send_item.send((number, item)).is_err() {
                    break;
                }
                number += 1;
            }
        };
        if started > 0 && thread::Builder::new().spawn(read).is_ok() {
            let early = BTreeMap::new();
            return Ordered { way: Way::Threads { results, permits, early, next: 0, owes_permit: false } };
        }
        let mut source = take(&source).expect("no thread took the source; this is a bug");
        Ordered {
            way: Way::Here(Box::new(move || {
                let mut item = Some(source.next()?);
                let mut result = None;
                worker(&mut || item.take(), &mut |done| result = Some(done));
                Some(result.expect("a worker gives a result for each item; this is a bug"))
            })),
        }
    }
}

/// A worker's thread.
fn work<T, R>(
    worker: &impl Fn(NextItem<'_, T>, TakeResult<'_, R>),
    items: &Mutex<Receiver<(u64, T)>>,
    results: &Sender<(u64, Result<R, Panic>)>,
) {
    // The two closures below share the number: it is set when an item is taken and read when its result is given.
    let number = std::cell::Cell::new(0);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let mut next = || {
            let (item_number, item) = receive(items)?;
            number.set(item_number);
            Some(item)
        };
        // Nobody may be left to take it; then the next item does not come.
        let mut give = |result| drop(results.send((number.get(), Ok(result))));
        worker(&mut next, &mut give);
    }));
    // A worker that dies in silence would leave the taker waiting for its number for ever.
    if let Err(panic) = outcome {
        let _ = results.send((number.get(), Err(panic)));
    }
}

fn receive<T>(items: &Mutex<Receiver<T>>) -> Option<T> {
    // Nothing panics while the lock is held.
    items.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

fn take<S>(source: &Mutex<Option<S>>) -> Option<S> {
    source.lock().unwrap_or_else(PoisonError::into_inner).take()
}

impl<R> Iterator for Ordered<R> {
    type Item = R;

    fn next(&mut self) -> Option<R> {
        match &mut self.way {
            Way::Here(next) => next(),
            Way::Threads { results, permits, early, next, owes_permit } => {
                if std::mem::take(owes_permit) {
                    // The reader may have ended already, and then needs no permit.
                    let _ = permits.send(());
                }
                let result = loop {
                    if let Some(result) = early.remove(next) {
                        break result;
                    }
                    let (number, result) = results.recv().ok()?;
                    early.insert(number, result);
                };
                *next += 1;
                *owes_permit = true;
                match result {
                    Ok(result) => Some(result),
                    Err(panic) => resume_unwind(panic),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn each(work: impl Fn(u64) -> u64) -> impl Fn(NextItem<'_, u64>, TakeResult<'_, u64>) {
        move |next, give| {
            while let Some(item) = next() {
                give(work(item));
            }
        }
    }

    fn spin(item: u64) -> u64 {
        (0..item % 7 * 1000).fold(item, |sum, _| std::hint::black_box(sum))
    }

    #[test]
    fn results_come_in_order() {
        for threads in 0..5 {
            let seen: Vec<u64> = Ordered::start(0..500, threads, each(spin)).collect();
            assert_eq!(seen, (0..500).collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_endless_source_can_be_left() {
        assert_eq!(Ordered::start(0.., 3, each(spin)).nth(10), Some(10));
    }

    #[test]
    fn a_source_that_waits_for_ever_holds_nobody() {
        let (send, waits) = channel::<u64>();
        send.send(7).unwrap();
        let mut results = Ordered::start(waits.into_iter(), 2, each(spin));
        assert_eq!(results.next(), Some(7));
        // Would wait for the sender, which lives to the end of the test, if the reader were joined.
        drop(results);
        drop(send);
    }

    #[test]
    fn a_slow_taker_holds_the_source_back() {
        let read = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&read);
        let source = (0..1000).inspect(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
        });
        for (taken, _) in Ordered::start(source, 2, each(spin)).enumerate() {
            assert!(read.load(Ordering::SeqCst) <= taken + 1 + 2 * IN_FLIGHT_PER_WORKER);
        }
        assert_eq!(read.load(Ordering::SeqCst), 1000);
    }

    #[test]
    #[should_panic(expected = "item 3")]
    fn a_panic_in_a_worker_is_passed_on() {
        let worker = each(|item| {
            assert!(item != 3, "item {item}");
            item
        });
        Ordered::start(0.., 2, worker).for_each(drop);
    }
}
