//! Metrics of a labelled data set.
