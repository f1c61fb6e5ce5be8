//! The order in which an epoch visits its examples.

use crate::eval::SplitMix64;

/// Batches that are sorted by length together before the batches themselves are shuffled: long enough to make the
/// lengths inside a batch alike, short enough that an epoch's order stays random.
const BATCHES_PER_BUCKET: usize = 24;

/// The batches of one epoch as indices into `lengths`, the examples' lengths in tokens.
///
/// Every example is in exactly one batch; the order depends on `seed` and `epoch` alone, so a resumed run visits the same
/// rows.
pub(super) fn epoch_batches(lengths: &[usize], batch_size: usize, seed: u64, epoch: usize) -> Vec<Vec<usize>> {
    let mut random = SplitMix64::new(seed ^ (epoch as u64 + 1).wrapping_mul(0xd134_2543_de82_ef95));
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    random.shuffle(&mut order);
    for bucket in order.chunks_mut(batch_size * BATCHES_PER_BUCKET) {
        bucket.sort_by_key(|&index| lengths[index]);
    }
    let mut batches: Vec<Vec<usize>> = order.chunks(batch_size).map(<[usize]>::to_vec).collect();
    random.shuffle(&mut batches);
    batches
}

/// Deals a batch to the workers, longest first to whoever has the fewest tokens; ties go to the first.
pub(super) fn deal(batch: &[usize], lengths: &[usize], workers: usize) -> Vec<Vec<usize>> {
    let mut sorted = batch.to_vec();
    sorted.sort_by_key(|&index| (std::cmp::Reverse(lengths[index]), index));
    let mut shards = vec![(0, Vec::new()); workers];
    for index in sorted {
        if let Some(shard) = shards.iter_mut().min_by_key(|shard| shard.0) {
            shard.0 += lengths[index];
            shard.1.push(index);
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
        let first = epoch_batches(&lengths, 16, 5, 0);
        assert_eq!(first, epoch_batches(&lengths, 16, 5, 0));
        assert_ne!(first, epoch_batches(&lengths, 16, 5, 1));
        let mut seen: Vec<usize> = first.concat();
        seen.sort_unstable();
        assert_eq!(seen, (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn dealing_balances_tokens() {
        let lengths = [100, 10, 10, 80, 50, 50];
        let shards = deal(&[0, 1, 2, 3, 4, 5], &lengths, 2);
        let tokens: Vec<usize> = shards.iter().map(|s| s.iter().map(|&i| lengths[i]).sum()).collect();
        assert_eq!(tokens.iter().sum::<usize>(), 300);
        assert!(tokens.iter().all(|&t| (140..=160).contains(&t)), "{tokens:?}");
    }
}
