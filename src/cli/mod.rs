//! Command line: raw arguments, the resolved plan, its execution.
