//! Model folders, the embedded model, and classification of texts.
