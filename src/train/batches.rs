//! The order in which an epoch visits its examples.

use crate::random::SplitMix64;
use std::ops::Range;

/// Batches that are sorted by length together before the batches themselves are shuffled: long enough to make the
/// lengths inside a batch alike, short enough that an epoch's order stays random.
const BATCHES_PER_BUCKET: usize = 24;

/// The batches of one epoch as indices into `lengths`, the examples' lengths in tokens.
///
/// `runs` are the runs of neighbouring rows of one page, which stay together and in order, except where a batch ends
/// inside one. Every example is in exactly one batch; the order depends on `seed` and `epoch` alone, so a resumed run
/// visits the same rows.
pub(super) fn epoch_batches(
    lengths: &[usize],
    runs: &[Range<usize>],
    batch_size: usize,
    seed: u64,
    epoch: usize,
) -> Vec<Vec<usize>> {
    let mut random = SplitMix64::new(seed ^ (epoch as u64 + 1).wrapping_mul(0xd134_2543_de82_ef95));
    let mut order: Vec<&Range<usize>> = runs.iter().collect();
    random.shuffle(&mut order);
    let mut rows = Vec::with_capacity(lengths.len());
    let mut rest = order.as_mut_slice();
    while !rest.is_empty() {
        let mut count = 0;
        let taken = rest
            .iter()
            .take_while(|run| {
                let more = count < batch_size * BATCHES_PER_BUCKET;
                count += run.len();
                more
            })
            .count();
        let (bucket, others) = rest.split_at_mut(taken);
        bucket.sort_by_key(|run| lengths[(*run).clone()].iter().sum::<usize>() / run.len());
        rows.extend(bucket.iter().flat_map(|run| (*run).clone()));
        rest = others;
    }
    let mut batches: Vec<Vec<usize>> = rows.chunks(batch_size).map(<[usize]>::to_vec).collect();
    random.shuffle(&mut batches);
    batches
}

/// Deals a batch to the workers, the run with most tokens first to whoever has the fewest; ties go to the first.
/// `run_of` is each example's run number.
pub(super) fn deal(batch: &[usize], lengths: &[usize], run_of: &[usize], workers: usize) -> Vec<Vec<usize>> {
    let mut runs: Vec<(usize, &[usize])> = batch
        .chunk_by(|&a, &b| run_of[a] == run_of[b])
        .map(|run| (run.iter().map(|&index| lengths[index]).sum(), run))
        .collect();
    runs.sort_by_key(|&(tokens, run)| (std::cmp::Reverse(tokens), run[0]));
    let mut shards = vec![(0, Vec::new()); workers];
    for (tokens, run) in runs {
        if let Some(shard) = shards.iter_mut().min_by_key(|shard| shard.0) {
            shard.0 += tokens;
            shard.1.extend_from_slice(run);
        }
    }
    shards.into_iter().map(|shard| shard.1).filter(|shard| !shard.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_visits_every_example_once_in_an_order_of_its_own() {
        let lengths: Vec<usize> = (0..1000).map(|i| i * 7919 % 97).collect();
        let runs: Vec<Range<usize>> = (0..250).map(|i| 4 * i..4 * i + 4).collect();
        let first = epoch_batches(&lengths, &runs, 16, 5, 0);
        assert_eq!(first, epoch_batches(&lengths, &runs, 16, 5, 0));
        assert_ne!(first, epoch_batches(&lengths, &runs, 16, 5, 1));
        assert!(first.iter().flat_map(|batch| batch.chunks(4)).all(|run| run[0] % 4 == 0 && run[3] == run[0] + 3));
        let mut seen: Vec<usize> = first.concat();
        seen.sort_unstable();
        assert_eq!(seen, (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn dealing_balances_tokens() {
        let lengths = [100, 10, 10, 80, 50, 50];
        let shards = deal(&[0, 1, 2, 3, 4, 5], &lengths, &[0, 1, 2, 3, 4, 5], 2);
        let tokens: Vec<usize> = shards.iter().map(|s| s.iter().map(|&i| lengths[i]).sum()).collect();
        assert_eq!(tokens.iter().sum::<usize>(), 300);
        assert!(tokens.iter().all(|&t| (140..=160).contains(&t)), "{tokens:?}");
        let shards = deal(&[0, 1, 2, 3, 4, 5], &lengths, &[0, 0, 0, 1, 1, 1], 2);
        assert_eq!(shards, [vec![3, 4, 5], vec![0, 1, 2]]);
    }
}
