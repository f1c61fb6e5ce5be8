//! Output rows and human-readable tables.
