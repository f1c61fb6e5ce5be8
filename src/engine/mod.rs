//! The encoder's forward pass over packed sequences.
