//! What a server tells its operator. No line holds a text, an address or a key.

use std::fmt;
use std::sync::Arc;

/// How much is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Nothing.
    None,
    /// What the operator should see to.
    #[default]
    Errors,
    /// A line for every request as well.
    Requests,
}

/// Where lines go.
#[derive(Clone)]
pub struct Log {
    level: LogLevel,
    write: Arc<dyn Fn(&str) + Send + Sync>,
}

impl fmt::Debug for Log {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Log").field("level", &self.level).finish_non_exhaustive()
    }
}

impl Log {
    /// A log that gives its lines to `write`.
    pub fn new(level: LogLevel, write: impl Fn(&str) + Send + Sync + 'static) -> Log {
        Log { level, write: Arc::new(write) }
    }

    /// Something that the operator should see to.
    pub fn error(&self, message: &str) {
        if self.level >= LogLevel::Errors {
            (self.write)(message);
        }
    }

    /// A request, where requests are told.
    pub(super) fn request(&self, line: impl FnOnce() -> String) {
        if self.level >= LogLevel::Requests {
            (self.write)(&line());
        }
    }
}
