//! Writing a record as a JSON object on one line.

/// An object to which fields are added one by one.
pub(super) struct JsonObject(Vec<u8>);

impl JsonObject {
    pub fn new() -> JsonObject {
        JsonObject(b"{".to_vec())
    }

    /// Adds a field. `name` is written as [`quoted`] gives it. `value` may hold bytes that are no UTF-8; they stay as they are.
    pub fn push(&mut self, name: &[u8], value: &[u8]) {
        self.push_name(name);
        push_quoted(&mut self.0, value);
    }

    /// Adds a field whose value is JSON on one line.
    pub fn push_json(&mut self, name: &[u8], value: &[u8]) {
        self.push_name(name);
        self.0.extend(value);
    }

    fn push_name(&mut self, name: &[u8]) {
        if self.0.len() > 1 {
            self.0.extend(b", ");
        }
        self.0.extend(name);
        self.0.extend(b": ");
    }

    pub fn finish(mut self) -> Vec<u8> {
        self.0.push(b'}');
        self.0
    }
}

/// A JSON string with its quotation marks.
pub(super) fn quoted(text: &[u8]) -> Vec<u8> {
    let mut string = Vec::with_capacity(text.len() + 2);
    push_quoted(&mut string, text);
    string
}

fn push_quoted(string: &mut Vec<u8>, text: &[u8]) {
    string.push(b'"');
    let mut rest = text;
    while let Some(at) = rest.iter().position(|&byte| byte < b' ' || byte == b'"' || byte == b'\\') {
        string.extend(&rest[..at]);
        match rest[at] {
            b'\n' => string.extend(b"\\n"),
            b'\r' => string.extend(b"\\r"),
            b'\t' => string.extend(b"\\t"),
            byte if byte < b' ' => string.extend(format!("\\u{byte:04x}").bytes()),
            byte => string.extend([b'\\', byte]),
        }
        rest = &rest[at + 1..];
    }
    string.extend(rest);
    string.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_is_read_back() {
        let text: String = ('\u{0}'..'\u{ff}').chain(['\u{2028}', '😀']).collect();
        let mut object = JsonObject::new();
        object.push(&quoted(text.as_bytes()), b"a");
        object.push(&quoted(b"b"), text.as_bytes());
        let object: serde_json::Value = serde_json::from_slice(&object.finish()).unwrap();
        assert_eq!((&object[&text], &object["b"]), (&"a".into(), &text.as_str().into()));
        assert_eq!(JsonObject::new().finish(), b"{}");
    }
}
