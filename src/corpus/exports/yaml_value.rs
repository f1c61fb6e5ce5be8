//! YAML as values, with bounds on all that a hostile file could make large.

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Number, Value};
use std::collections::HashMap;

/// Lists and maps within each other.
const MOST_NESTED: usize = 64;

/// Values and bytes that aliases may add to a record, together.
const ALIAS_COST: usize = 1024 * 1024;

/// Reads the documents of a text.
///
/// Plain scalars are numbers, booleans and null where JSON writes them so, else text as it stands. Keys are text.
///
/// # Errors
/// What is wrong, in words.
pub(super) fn documents(text: &str) -> Result<Vec<Value>, String> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| error.to_string())?;
        builder.take(event).map_err(|reason| format!("{reason} at line {}", span.start.line()))?;
    }
    Ok(builder.documents)
}

#[derive(Default)]
struct Builder {
    documents: Vec<Value>,
    open: Vec<Open>,
    anchors: HashMap<usize, (Value, usize)>,
    /// What aliases added so far.
    copied: usize,
}

/// A list or a map that is not yet closed, with its anchor.
enum Open {
    List(Vec<Value>, usize),
    Map(Map<String, Value>, Option<String>, usize),
}

impl Builder {
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::SequenceStart(anchor, _) => self.begin(Open::List(Vec::new(), anchor)),
            Event::MappingStart(anchor, _) => self.begin(Open::Map(Map::new(), None, anchor)),
            Event::SequenceEnd | Event::MappingEnd => {
                let (value, anchor) = match self.open.pop() {
                    Some(Open::List(list, anchor)) => (Value::Array(list), anchor),
                    Some(Open::Map(map, _, anchor)) => (Value::Object(map), anchor),
                    None => return Err("a list or a map ends that did not begin".to_owned()),
                };
                self.push(value, anchor)
            }
            Event::Scalar(text, style, anchor, _) => self.push(scalar(&text, style), anchor),
            Event::Alias(anchor) => {
                let Some((value, cost)) = self.anchors.get(&anchor) else {
                    return Err("an alias stands within what it names".to_owned());
                };
                self.copied = self.copied.saturating_add(*cost);
                if self.copied > ALIAS_COST {
                    return Err(format!("aliases repeat more than {ALIAS_COST} bytes"));
                }
                let value = value.clone();
                self.push(value, 0)
            }
            Event::DocumentStart(_) => {
                self.anchors.clear();
                Ok(())
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn begin(&mut self, open: Open) -> Result<(), String> {
        if self.open.len() == MOST_NESTED {
            return Err(format!("lists and maps are nested more than {MOST_NESTED} deep"));
        }
        self.open.push(open);
        Ok(())
    }

    fn push(&mut self, value: Value, anchor: usize) -> Result<(), String> {
        if anchor > 0 {
            let cost = cost(&value);
            // To hold it costs as much as to repeat it.
            self.copied = self.copied.saturating_add(cost);
            if self.copied > ALIAS_COST {
                return Err(format!("anchors name more than {ALIAS_COST} bytes"));
            }
            self.anchors.insert(anchor, (value.clone(), cost));
        }
        match self.open.last_mut() {
            None => self.documents.push(value),
            Some(Open::List(list, _)) => list.push(value),
            Some(Open::Map(map, key, _)) => match key.take() {
                Some(key) => {
                    map.insert(key, value);
                }
                None => {
                    *key = Some(match value {
                        Value::String(text) => text,
                        Value::Array(_) | Value::Object(_) => return Err("a key is no text".to_owned()),
                        other => other.to_string(),
                    });
                }
            },
        }
        Ok(())
    }
}

/// Bytes and values in a value, about.
fn cost(value: &Value) -> usize {
    32 + match value {
        Value::String(text) => text.len(),
        Value::Array(list) => list.iter().map(cost).sum(),
        Value::Object(map) => map.iter().map(|(key, value)| key.len() + cost(value)).sum(),
        _ => 0,
    }
}

fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return Value::String(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number),
    }
}

/// A number that comes out as it came in.
fn number(text: &str) -> Option<Number> {
    let number: Number = serde_json::from_str(text).ok()?;
    (number.to_string() == text).then_some(number)
}

/// Fields in which Staticman and others keep what a comment says, the likeliest first.
const TEXT_FIELDS: [&str; 6] = ["text", "message", "comment", "body", "content", "html"];

/// Whether JSON at the beginning of a file is a comment as Staticman writes it; `None` where more of it must be seen.
pub(in crate::corpus) fn is_comment_in_json(object: &str) -> bool {
    match serde_json::from_str(object) {
        Ok(Value::Object(map)) => map.contains_key("_id") && map.get("message").is_some_and(Value::is_string),
        _ => false,
    }
}

/// The comments in a value: itself, or those in its lists and maps. A comment without an id gets the key that it has in a map.
pub(super) fn comments(
    value: Value,
    key: Option<String>,
    each: &mut dyn FnMut(Result<Map<String, Value>, &'static str>),
) {
    match value {
        Value::Object(map) if text_field(&map).is_some() => each(Ok(in_common_words(map, key))),
        Value::Object(map) => {
            let is_empty = map.is_empty();
            let mut others = 0;
            for (key, value) in map {
                match value {
                    Value::Object(_) => comments(value, Some(key), each),
                    Value::Array(_) => comments(value, None, each),
                    _ => others += 1,
                }
            }
            if others > 0 || is_empty {
                each(Err("an object without a text"));
            }
        }
        Value::Array(list) => list.into_iter().for_each(|value| comments(value, None, each)),
        Value::String(_) => each(Err("a string")),
        Value::Number(_) => each(Err("a number")),
        Value::Bool(_) => each(Err("a boolean")),
        Value::Null => each(Err("null")),
    }
}

fn text_field(map: &Map<String, Value>) -> Option<&'static str> {
    TEXT_FIELDS.into_iter().find(|name| map.get(*name).is_some_and(Value::is_string))
}

/// A comment with the names of fields that all exports share; other fields keep theirs.
fn in_common_words(mut map: Map<String, Value>, key: Option<String>) -> Map<String, Value> {
    let mut found = Map::new();
    let mut rename = |map: &mut Map<String, Value>, to: &str, names: &[&str]| {
        // Of two that mean the same, the first counts and the other stays what it is.
        if let Some(name) = names.iter().find(|name| map.get(**name).is_some_and(|value| !value.is_null()))
            && let Some(value) = map.shift_remove(*name)
        {
            found.insert(to.to_owned(), value);
        }
    };
    rename(&mut map, "id", &["id", "_id"]);
    let text = text_field(&map).unwrap_or("text");
    rename(&mut map, "text", &[text]);
    rename(&mut map, "html", &["html"]);
    rename(&mut map, "author", &["author", "name"]);
    rename(&mut map, "author_url", &["author_url", "url", "website"]);
    // Staticman keeps a hash of the address, which is none.
    if map.get("email").and_then(Value::as_str).is_some_and(|email| email.contains('@')) {
        rename(&mut map, "author_email", &["author_email", "email"]);
    }
    rename(&mut map, "page_title", &["page_title"]);
    rename(&mut map, "permalink", &["permalink"]);
    rename(&mut map, "date", &["date", "created", "created_at"]);
    rename(&mut map, "parent", &["parent", "_parent", "replying_to"]);
    map.retain(|_, value| !value.is_null());
    if let (Some(key), false) = (key, found.contains_key("id")) {
        found.insert("id".to_owned(), Value::String(key));
    }
    if let Some(text) = found.get("text").and_then(Value::as_str)
        && super::object::has_tags(text.as_bytes())
        && !found.contains_key("html")
    {
        let html = Value::String(text.to_owned());
        found.insert("html".to_owned(), html);
    }
    for (name, value) in map {
        found.entry(name).or_insert(value);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn scalars_stand_as_they_are() {
        let text = "a: 007\nb: 12\nc: 1.50\nd: \"12\"\ne: yes\nf: true\ng: ~\nh: 2020-01-02\ni: |\n  one\n  two\nj: 'it''s'\nk: [1, x]\n7: s\n";
        assert_eq!(
            documents(text).unwrap(),
            [json!({"a": "007", "b": 12, "c": "1.50", "d": "12", "e": "yes", "f": true, "g": null, "h": "2020-01-02",
                "i": "one\ntwo\n", "j": "it's", "k": [1, "x"], "7": "s"})]
        );
    }

    #[test]
    fn aliases_are_bounded() {
        assert_eq!(documents("- &a {x: 1}\n- *a\n").unwrap(), [json!([{"x": 1}, {"x": 1}])]);
        let mut bomb = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
        for level in 1..20 {
            let before = format!("*a{}", level - 1);
            bomb += &format!("a{level}: &a{level} [{}]\n", [&before[..]; 9].join(", "));
        }
        assert!(documents(&bomb).unwrap_err().contains("more than 1048576 bytes"));
        assert!(documents("&a [*a]").is_err());
        assert!(documents("*none").is_err());
    }

    #[test]
    fn nesting_is_bounded_and_quickly_refused() {
        for text in [
            "[".repeat(100_000),
            "- ".repeat(100_000),
            "{a: ".repeat(50_000),
            "? ".repeat(50_000),
            "&a ".repeat(50_000),
        ] {
            let began = std::time::Instant::now();
            assert!(documents(&text).is_err() || text.starts_with('&'), "{}", &text[..8]);
            assert!(began.elapsed().as_secs() < 5, "{} took {:?}", &text[..8], began.elapsed());
        }
    }

    #[test]
    fn comments_are_found_in_lists_and_maps() {
        let found = |text: &str| {
            let mut found = Vec::new();
            for value in documents(text).unwrap() {
                comments(value, None, &mut |comment| found.push(comment.map_or_else(Value::from, Value::Object)));
            }
            found
        };
        let one = "_id: a1\nname: Ann\nemail: 0bc83cb571cd1c50ba6f3e8a78ef1346\nurl: https://ann.example\nmessage: \"<b>Hi</b>\"\ndate: 12\n_parent: /p/\nx: y\n";
        assert_eq!(
            found(one),
            [json!({"id": "a1", "text": "<b>Hi</b>", "author": "Ann", "author_url": "https://ann.example", "date": 12,
                "parent": "/p/", "html": "<b>Hi</b>", "email": "0bc83cb571cd1c50ba6f3e8a78ef1346", "x": "y"})]
        );
        let map = "post-one:\n- {name: A, text: a, email: a@b.example}\n- {name: B, text: b}\npost-two:\n  k7: {comment: c}\n";
        assert_eq!(
            found(map),
            [
                json!({"text": "a", "author": "A", "author_email": "a@b.example"}),
                json!({"text": "b", "author": "B"}),
                json!({"id": "k7", "text": "c"})
            ]
        );
        assert_eq!(
            found("- 7\n- {name: A}\n- text: [x]\n"),
            [json!("a number"), json!("an object without a text"), json!("a string")]
        );
    }
}
