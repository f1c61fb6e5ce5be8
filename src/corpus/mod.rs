//! Reading inputs: records and documents in order, bad ones set aside.
