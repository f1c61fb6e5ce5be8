//! Labels of documents as Dolma's attributes.
//!
//! One object a line for each document, in the order of the input:
//!
//! ```json
//! {"id": "doc-1", "attributes": {"NAME__copydesk__reporting": [[0, 389, 0.97]], "NAME__copydesk__opinion": []}}
//! ```
//!
//! Each label of the model has an attribute. Its spans are those paragraphs that have the label, `[start, end, score]`, counted in
//! code points of the document's text as Dolma counts them.

use super::jsonl::push_string;
use super::number::push_probability;
use crate::label::{LabelId, LabelSet};
use std::ops::Range;

/// A document's paragraphs by label.
#[derive(Clone, Debug)]
pub struct Attributes {
    name: String,
    labels: Vec<String>,
    spans: Vec<Vec<u8>>,
}

impl Attributes {
    /// No paragraph yet; `name` is that of the attributes.
    pub fn new(name: &str, labels: &LabelSet) -> Attributes {
        let labels: Vec<String> = labels.iter().map(|label| label.as_str().to_owned()).collect();
        Attributes { name: name.to_owned(), spans: vec![Vec::new(); labels.len()], labels }
    }

    /// The names of attributes, one for each label.
    #[cfg(feature = "columnar")]
    pub fn names(name: &str, labels: &LabelSet) -> Vec<String> {
        labels.iter().map(|label| attribute(name, label.as_str())).collect()
    }

    /// Adds a paragraph; `span` counts code points.
    pub fn push(&mut self, label: LabelId, span: Range<u64>, confidence: f32) {
        let out = &mut self.spans[label.index()];
        if !out.is_empty() {
            out.extend_from_slice(b", ");
        }
        out.extend_from_slice(format!("[{}, {}, ", span.start, span.end).as_bytes());
        push_probability(out, confidence);
        out.push(b']');
    }

    /// Appends the row of the document with this id, written as JSON, and begins another document.
    pub fn end(&mut self, id: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"id\": ");
        out.extend_from_slice(id.as_bytes());
        out.extend_from_slice(b", \"attributes\": {");
        for (index, (label, spans)) in self.labels.iter().zip(&mut self.spans).enumerate() {
            if index > 0 {
                out.extend_from_slice(b", ");
            }
            push_string(out, &attribute(&self.name, label));
            out.extend_from_slice(b": [");
            out.append(spans);
            out.push(b']');
        }
        out.extend_from_slice(b"}}\n");
    }
}

/// The name of a label's attribute, as Dolma names them: experiment, tagger, attribute.
fn attribute(name: &str, label: &str) -> String {
    format!("{name}__copydesk__{label}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::built_in::OPINION;

    #[test]
    fn every_label_has_its_spans() {
        let labels = LabelSet::copydesk();
        let mut attributes = Attributes::new("desk", &labels);
        attributes.push(OPINION, 0..4, 0.75);
        attributes.push(OPINION, 6..9, 0.5);
        let mut out = Vec::new();
        attributes.end("\"a\"", &mut out);
        attributes.end("7", &mut out);
        let lines: Vec<serde_json::Value> =
            out.split(|&byte| byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
        assert_eq!(lines[0]["attributes"]["desk__copydesk__opinion"], serde_json::json!([[0, 4, 0.75], [6, 9, 0.5]]));
        assert_eq!(lines[0]["attributes"]["desk__copydesk__other"], serde_json::json!([]));
        assert_eq!(
            (&lines[1]["id"], &lines[1]["attributes"]["desk__copydesk__opinion"]),
            (&7.into(), &serde_json::json!([]))
        );
    }
}
