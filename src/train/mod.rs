//! Training: data, batches, hand-written backward passes, optimiser.

mod encoder_op;
mod kernels;
mod layer;
mod parameters;
