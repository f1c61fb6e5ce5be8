//! Who asks, and how many requests of each are in work.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Requests in work, by the name of their key.
#[derive(Debug)]
pub(super) struct Shares {
    most: usize,
    in_work: Mutex<HashMap<Arc<str>, usize>>,
}

impl Shares {
    /// At most so many requests of one key at a time.
    pub fn new(most: usize) -> Shares {
        Shares { most, in_work: Mutex::default() }
    }

    /// Counts a request in, until what it returns is dropped; `None` where the key has no share left.
    pub fn take(self: &Arc<Shares>, name: Arc<str>) -> Option<Caller> {
        let mut in_work = self.in_work.lock().unwrap_or_else(PoisonError::into_inner);
        let count = in_work.entry(Arc::clone(&name)).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Caller { name, shares: Arc::clone(self) })
    }
}

/// The key of a request in work.
#[derive(Debug)]
pub(super) struct Caller {
    name: Arc<str>,
    shares: Arc<Shares>,
}

impl Caller {
    /// The name of the key.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        let mut in_work = self.shares.in_work.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = in_work.get_mut(&self.name) {
            *count -= 1;
            if *count == 0 {
                in_work.remove(&self.name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_share_and_gets_it_back() {
        let shares = Arc::new(Shares::new(2));
        let take = |name: &str| shares.take(name.into());
        let (first, second) = (take("blog").unwrap(), take("blog").unwrap());
        assert!(take("blog").is_none());
        let other = take("forum").unwrap();
        assert_eq!(other.name().as_ref(), "forum");
        drop(first);
        let third = take("blog").unwrap();
        assert!(take("blog").is_none());
        drop((second, third, other));
        assert!(shares.in_work.lock().unwrap().is_empty());
    }
}
