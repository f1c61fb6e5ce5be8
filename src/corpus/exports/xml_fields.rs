//! The fields of one element of an XML document.

use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

/// Elements within each other.
const MOST_NESTED: usize = 32;

/// A field: the names of the elements down to it, and its text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct XmlFields {
    /// The value of the element's own attribute that ends with `id`.
    pub own_id: Option<String>,
    fields: Vec<(String, String)>,
}

impl XmlFields {
    /// Reads an element from its first tag to its last.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(element: &str) -> Result<XmlFields, String> {
        let mut reader = Reader::from_str(element);
        reader.config_mut().allow_dangling_amp = true;
        let mut found = XmlFields::default();
        // Where the name of each open element ends in the path.
        let mut open: Vec<usize> = Vec::new();
        let (mut path, mut text) = (String::new(), String::new());
        let mut is_outside = true;
        loop {
            match reader.read_event().map_err(|error| error.to_string())? {
                Event::Start(tag) if is_outside => {
                    found.own_id = id_of(&tag);
                    is_outside = false;
                }
                Event::Start(tag) => {
                    if open.len() == MOST_NESTED {
                        return Err(format!("elements are nested more than {MOST_NESTED} deep"));
                    }
                    open.push(path.len());
                    push_name(&mut path, tag.name().as_ref());
                    text.clear();
                    found.push_id(&path, &tag);
                }
                Event::Empty(tag) => {
                    let length = path.len();
                    push_name(&mut path, tag.name().as_ref());
                    found.push_id(&path, &tag);
                    found.fields.push((path.clone(), String::new()));
                    path.truncate(length);
                }
                Event::End(_) => {
                    let Some(length) = open.pop() else { break };
                    found.fields.push((path.clone(), std::mem::take(&mut text)));
                    path.truncate(length);
                }
                Event::Text(part) => text.push_str(&part),
                Event::CData(part) => text.push_str(&part),
                Event::GeneralRef(name) => match (resolved(&name), name.resolve_char_ref()) {
                    (Some(character), _) | (None, Ok(Some(character))) => text.push(character),
                    // What the file may define is not looked up.
                    _ => text.extend(["&", &name, ";"]),
                },
                Event::Eof => return Err("it is not closed".to_owned()),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            }
        }
        if open.is_empty() && found.fields.is_empty() {
            found.fields.push((String::new(), text));
        }
        Ok(found)
    }

    /// The text of the first field with such a path; `author/name` for a name in an author. The element's own text has an empty path.
    pub fn get(&self, path: &str) -> Option<&str> {
        self.fields.iter().find(|(name, _)| name == path).map(|(_, text)| text.as_str())
    }

    fn push_id(&mut self, path: &str, tag: &BytesStart<'_>) {
        if let Some(id) = id_of(tag) {
            self.fields.push((format!("{path}@id"), id));
        }
    }
}

fn push_name(path: &mut String, name: &str) {
    if !path.is_empty() {
        path.push('/');
    }
    path.push_str(name);
}

fn id_of(tag: &BytesStart<'_>) -> Option<String> {
    let mut attributes = tag.attributes().flatten();
    let id = attributes.find(|attribute| {
        let name: &str = attribute.key.as_ref();
        name.rsplit(':').next() == Some("id")
    })?;
    Some(id.value.to_string())
}

fn resolved(entity: &str) -> Option<char> {
    Some(match entity {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_paths() {
        let element =
            "<p d:id=\"7\"><a>x &lt; y &amp;&#33; &bomb; & z</a><b><c>in <![CDATA[<b>]]></c></b><e/><t d:id='9'/></p>";
        let fields = XmlFields::parse(element).unwrap();
        assert_eq!(fields.own_id.as_deref(), Some("7"));
        assert_eq!(fields.get("a"), Some("x < y &! &bomb; & z"));
        assert_eq!(fields.get("b/c"), Some("in <b>"));
        assert_eq!((fields.get("e"), fields.get("t@id"), fields.get("none")), (Some(""), Some("9"), None));
        assert_eq!(XmlFields::parse("<t>One &amp; two</t>").unwrap().get(""), Some("One & two"));
        // As WordPress writes addresses.
        let address = XmlFields::parse("<c><u>https://a.example/?a=1&b=2&c=3</u></c>").unwrap();
        assert_eq!(address.get("u"), Some("https://a.example/?a=1&b=2&c=3"));
    }

    #[test]
    fn what_is_broken_is_told() {
        for element in ["<a><b></a>", "<a><b>x</b>", "<a>", ""] {
            assert!(XmlFields::parse(element).is_err(), "{element}");
        }
        let deep = format!("{}x{}", "<a>".repeat(99), "</a>".repeat(99));
        assert!(XmlFields::parse(&deep).unwrap_err().contains("32 deep"));
    }
}
