//! Every option that the output of a run depends on, by its name: what a later command must give too to go on with it.

use super::args::{FilterArgs, InputArgs, InputFormatArg, KeepFields, LabelArgs, OffsetsArg, RegionArgs};
use clap::ValueEnum;
use serde_json::{Map, Value, json};
use std::path::Path;

fn name<E: ValueEnum>(value: &E) -> Value {
    value.to_possible_value().map_or(Value::Null, |value| value.get_name().into())
}

fn path(path: &Path) -> Value {
    path.to_string_lossy().into()
}

fn input(args: &InputArgs) -> Map<String, Value> {
    let InputArgs { inputs, input_format, encoding, text_field, errors } = args;
    let mut options = Map::new();
    let all = json!({
        "inputs": inputs.iter().map(|input| path(input)).collect::<Vec<_>>(),
        "input-format": (*input_format != InputFormatArg::Auto).then(|| name(input_format)),
        "encoding": encoding.map(|encoding| encoding.name()),
        "text-field": text_field,
        "errors": errors.as_deref().map(path),
    });
    add(&mut options, all);
    options
}

/// Adds options; what is not given is left out, so that a version with more options knows the run too.
fn add(options: &mut Map<String, Value>, all: Value) {
    if let Value::Object(all) = all {
        options.extend(all);
    }
    options.retain(|_, value| !matches!(value, Value::Null | Value::Bool(false)));
}

fn region(args: &RegionArgs) -> Value {
    json!({"region": args.region.as_ref().map(name), "region-field": args.region_field})
}

/// Of `copydesk label`.
pub(super) fn label(args: &LabelArgs) -> Map<String, Value> {
    let mut options = input(&args.input);
    add(&mut options, region(&args.region));
    let outputs = &args.outputs;
    let keep = outputs.keep_fields.as_ref().map(|keep| match keep {
        KeepFields::All => "all".to_owned(),
        KeepFields::Named(names) => names.join(","),
    });
    add(
        &mut options,
        json!({
            "unit": name(&args.unit),
            "paragraphs": args.paragraphs.as_ref().map(name),
            "page-field": args.page_field,
            "min-confidence": args.min_confidence,
            "no-other": args.no_other,
            "any-language": args.any_language,
            "output": args.output.as_deref().map(path),
            "output-format": args.output_format.as_ref().map(name),
            "with-text": args.with_text,
            "with-source": args.with_source,
            "content-only": args.content_only,
            "explain": args.explain,
            "where": args.filter,
            "output-dir": outputs.output_dir.as_deref().map(path),
            "attributes": outputs.attributes,
            "split-by": outputs.split_by,
            "keep-fields": keep,
            "offsets": (outputs.offsets != OffsetsArg::Bytes).then(|| name(&outputs.offsets)),
            "shard": args.part.shard.map(|shard| format!("{}/{}", shard.index, shard.of)),
            "limit": args.part.limit,
            "sample": args.part.sample,
            "seed": args.part.sample.map(|_| args.part.seed),
        }),
    );
    options
}

/// Of `copydesk filter`.
pub(super) fn filter(args: &FilterArgs) -> Map<String, Value> {
    let mut options = input(&args.input);
    add(
        &mut options,
        json!({
            "map": (!args.map.is_empty()).then(|| args.map.iter().map(|map| map.given.as_str()).collect::<Vec<_>>().join(",")),
            "text-only": args.text_only,
            "no-campaigns": args.no_campaigns,
            "lose": args.lose,
            "profile": args.profile.as_deref().map(path),
            "ham": args.ham.as_deref().map(path),
            "spam": args.spam.as_deref().map(path),
            "review": args.review.as_deref().map(path),
            "review-from": args.review_from,
            "mark": args.mark.as_deref().map(path),
            "scores": args.scores,
        }),
    );
    options
}
