//! What archives hold besides pages and texts, in numbers.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Records of archives that were passed over, because they hold nothing that could be labelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassedOver {
    /// Records that are no answer of a server, and no page or text: requests, metadata, records that repeat others.
    pub other_kind: u64,
    /// Answers of servers with another status than 200.
    pub other_status: u64,
    /// Pictures, scripts, and whatever else is neither HTML nor plain text; and empty bodies.
    pub without_text: u64,
}

impl PassedOver {
    /// How many there are.
    pub fn total(self) -> u64 {
        self.other_kind + self.other_status + self.without_text
    }

    /// Adds other counts.
    pub fn add(&mut self, other: PassedOver) {
        self.other_kind += other.other_kind;
        self.other_status += other.other_status;
        self.without_text += other.without_text;
    }
}

impl fmt::Display for PassedOver {
    /// `12 of another kind, 3 with another status than 200, 5 without text`: what there is of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            (self.other_kind, "of another kind"),
            (self.other_status, "with another status than 200"),
            (self.without_text, "without text"),
        ];
        let told = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
        f.write_str(&told.collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_there_is_is_told() {
        let mut passed = PassedOver { other_kind: 2, ..PassedOver::default() };
        passed.add(PassedOver { without_text: 1, ..PassedOver::default() });
        assert_eq!((passed.total(), passed.to_string()), (3, "2 of another kind, 1 without text".to_owned()));
    }
}
