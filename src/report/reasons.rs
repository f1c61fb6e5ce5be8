//! Why a row's text has its label, as it is written.

use super::jsonl::push_string;
use super::number::push_probability;
use crate::explain::Explanation;
use crate::text::CharOffsets;

/// Fields that a row gets with an explanation, those of `copydesk label` first.
pub const REASON_FIELDS: [&str; 3] = ["words", "neighbours", "models"];

/// What a row says of why its text has its label.
#[derive(Clone, Copy, Debug)]
pub struct Reasons<'a> {
    /// Why.
    pub explanation: &'a Explanation,
    /// Whether neighbours and models are told too.
    pub all: bool,
    /// Whether offsets count code points.
    pub chars: bool,
}

impl Reasons<'_> {
    /// The names of the fields.
    pub fn fields(&self) -> &'static [&'static str] {
        if self.all { &REASON_FIELDS } else { &REASON_FIELDS[..1] }
    }

    /// Appends the fields, a comma before each. `paragraph` is the number of the paragraph that is explained, `text` its text.
    pub(super) fn push(&self, out: &mut Vec<u8>, text: &str, paragraph: u64) {
        let offsets = self.chars.then(|| CharOffsets::new(text));
        let words = &self.explanation.words;
        push_list(out, REASON_FIELDS[0], words, |out, word| {
            let (start, end) = match &offsets {
                Some(offsets) => (offsets.at(word.span.start), offsets.at(word.span.end)),
                None => (word.span.start as u64, word.span.end as u64),
            };
            out.extend_from_slice(b"{\"word\": ");
            push_string(out, &text[word.span.clone()]);
            out.extend_from_slice(format!(", \"start\": {start}, \"end\": {end}, \"weight\": ").as_bytes());
            push_probability(out, word.weight);
            out.push(b'}');
        });
        if !self.all {
            return;
        }
        push_list(out, REASON_FIELDS[1], &self.explanation.neighbours, |out, neighbour| {
            let number = paragraph.saturating_add_signed(neighbour.distance as i64);
            out.extend_from_slice(format!("{{\"paragraph\": {number}, \"weight\": ").as_bytes());
            push_probability(out, neighbour.weight);
            out.push(b'}');
        });
        push_list(out, REASON_FIELDS[2], &self.explanation.models, |out, model| push_string(out, model));
    }
}

fn push_list<T>(out: &mut Vec<u8>, name: &str, list: &[T], push: impl Fn(&mut Vec<u8>, &T)) {
    out.extend_from_slice(format!(", \"{name}\": [").as_bytes());
    for (index, item) in list.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(b", ");
        }
        push(out, item);
    }
    out.push(b']');
}

#[cfg(test)]
pub(super) mod testing {
    use crate::explain::{Explanation, NeighbourWeight, WordWeight};
    use crate::label::LabelSet;

    /// Of the words at these spans and one neighbour before.
    pub fn explanation(spans: &[std::ops::Range<usize>]) -> Explanation {
        let labels = LabelSet::copydesk();
        let weights = [0.5, 0.25, 0.125];
        let words = spans.iter().zip(weights).map(|(span, weight)| WordWeight { span: span.clone(), weight }).collect();
        let neighbours = vec![NeighbourWeight { distance: -1, weight: 0.0625 }];
        let models = vec!["fast".to_owned(), "base".to_owned()];
        Explanation { label: labels.label(labels.id("opinion").unwrap()), score: 0.75, words, neighbours, models }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_their_offsets_in_bytes_or_in_code_points() {
        let explanation = testing::explanation(&[6..11, 0..5]);
        let written = |all, chars| {
            let mut out = Vec::new();
            Reasons { explanation: &explanation, all, chars }.push(&mut out, "Café \"now\" we", 4);
            String::from_utf8(out).unwrap()
        };
        let words = |first: &str, second: &str| {
            format!(
                ", \"words\": [{{\"word\": \"\\\"now\\\"\", {first}, \"weight\": 0.5}}, {{\"word\": \"Café\", {second}, \"weight\": 0.25}}]"
            )
        };
        let bytes = words("\"start\": 6, \"end\": 11", "\"start\": 0, \"end\": 5");
        assert_eq!(written(false, false), bytes);
        let chars = words("\"start\": 5, \"end\": 10", "\"start\": 0, \"end\": 4");
        let all = ", \"neighbours\": [{\"paragraph\": 3, \"weight\": 0.0625}], \"models\": [\"fast\", \"base\"]";
        assert_eq!(written(true, true), chars + all);
    }
}
