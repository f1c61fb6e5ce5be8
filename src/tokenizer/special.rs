//! The tokens that stand before and behind every sequence.

use super::TokenizerError;
use serde_json::Value;

/// Ids of the token that opens a sequence and of the one that closes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Around {
    pub first: u32,
    pub last: u32,
}

/// Names of such tokens, in case the file does not say which they are.
pub(super) const FIRST: [&str; 2] = ["[CLS]", "<s>"];
/// Likewise.
pub(super) const LAST: [&str; 2] = ["[SEP]", "</s>"];

/// What the field `post_processor` of a `tokenizer.json` puts around a sequence; `None` where it puts nothing.
pub(super) fn around(post_processor: &Value) -> Result<Option<Around>, TokenizerError> {
    let unsupported = |expected: &str, got: &Value| TokenizerError::Unsupported {
        field: "post_processor",
        expected: expected.to_owned(),
        got: super::excerpt(&got.to_string()),
    };
    match post_processor["type"].as_str() {
        None if post_processor.is_null() => Ok(None),
        // It moves offsets alone.
        Some("ByteLevel") => Ok(None),
        Some("BertProcessing" | "RobertaProcessing") => {
            let id = |field: &str| {
                let id = post_processor[field][1].as_u64().and_then(|id| u32::try_from(id).ok());
                id.ok_or_else(|| unsupported("`cls` and `sep` with their ids", post_processor))
            };
            Ok(Some(Around { first: id("cls")?, last: id("sep")? }))
        }
        Some("TemplateProcessing") => {
            const EXPECTED: &str = "one special token, the sequence, one special token";
            let single = post_processor["single"].as_array().map_or(&[][..], Vec::as_slice);
            let [first, sequence, last] = single else { return Err(unsupported(EXPECTED, &post_processor["single"])) };
            if sequence["Sequence"]["id"] != "A" {
                return Err(unsupported(EXPECTED, &post_processor["single"]));
            }
            let id = |piece: &Value| {
                let ids =
                    piece["SpecialToken"]["id"].as_str().map(|name| &post_processor["special_tokens"][name]["ids"]);
                match ids.and_then(Value::as_array).map(Vec::as_slice) {
                    Some([id]) => id.as_u64().and_then(|id| u32::try_from(id).ok()),
                    _ => None,
                }
                .ok_or_else(|| unsupported(EXPECTED, &post_processor["single"]))
            };
            Ok(Some(Around { first: id(first)?, last: id(last)? }))
        }
        Some("Sequence") => {
            let steps = post_processor["processors"].as_array().map_or(&[][..], Vec::as_slice);
            let mut found = None;
            for step in steps {
                if step["type"] == "Sequence" {
                    return Err(unsupported("a sequence of simple steps", step));
                }
                found = around(step)?.or(found);
            }
            Ok(found)
        }
        _ => Err(unsupported("BertProcessing, RobertaProcessing or TemplateProcessing", &post_processor["type"])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_kind_of_processor_names_its_two_tokens() {
        let both = Some(Around { first: 7, last: 9 });
        let template = json!({
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<a>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                       {"SpecialToken": {"id": "<b>", "type_id": 0}}],
            "special_tokens": {"<a>": {"id": "<a>", "ids": [7]}, "<b>": {"id": "<b>", "ids": [9]}},
        });
        assert_eq!(around(&template).unwrap(), both);
        let roberta = json!({"type": "RobertaProcessing", "cls": ["<a>", 7], "sep": ["<b>", 9]});
        assert_eq!(around(&roberta).unwrap(), both);
        let sequence = json!({"type": "Sequence", "processors": [{"type": "ByteLevel"}, template]});
        assert_eq!(around(&sequence).unwrap(), both);
        assert_eq!(around(&Value::Null).unwrap(), None);
    }

    #[test]
    fn other_surroundings_are_refused() {
        let mut open = json!({
            "type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}], "special_tokens": {},
        });
        for wrong in [
            json!({"type": "BertProcessing", "cls": ["a", -1], "sep": ["b", 9]}),
            json!({"type": "Sequence", "processors": [{"type": "Sequence", "processors": []}]}),
            json!({"type": "Novelty"}),
            json!("ByteLevel"),
            open.clone(),
        ] {
            let error = around(&wrong).unwrap_err();
            assert!(matches!(error, TokenizerError::Unsupported { field: "post_processor", .. }), "{error}");
        }
        open["single"] =
            json!([{"SpecialToken": {"id": "x"}}, {"Sequence": {"id": "A"}}, {"SpecialToken": {"id": "x"}}]);
        assert!(around(&open).is_err(), "a token without an id");
    }
}
