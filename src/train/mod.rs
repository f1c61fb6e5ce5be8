//! Training: data, batches, hand-written backward passes, optimiser.
