//! Weights of encoders that BERT's engine does not run.

use super::{Architecture, Family, Fields, bert};
use crate::engine::general::{
    BUCKETS, Disentangled, General, GeneralConfig, GeneralEmbedding, GeneralLayer, GeneralWeights, Pool, Positions,
};
use crate::engine::{Dense, EncoderConfig, InstructionSet, LayerNorm, LayerWeights, Linear, Matrix};
use crate::model::ModelError;
use crate::model::head::values;
use crate::model::tensors::Tensors;
use serde_json::Value;

/// Reads an encoder for the general engine.
pub(in crate::model) fn read(
    tensors: &Tensors<'_>,
    architecture: &Architecture,
    fields: &Fields,
) -> Result<General, ModelError> {
    let (weights, gated, norm_first, pool) = match architecture.family {
        Family::ModernBert => (modern_bert(tensors, architecture, fields)?, true, true, modern_pool(fields)?),
        Family::DebertaV2 => (deberta(tensors, architecture, fields)?, false, false, Pool::First),
        Family::Albert => (albert(tensors, architecture, fields)?, false, false, Pool::First),
        Family::Mpnet => (mpnet(tensors, architecture)?, false, false, Pool::First),
        _ => (plain(tensors, architecture)?, false, false, Pool::First),
    };
    let (sizes, activation) = (architecture.encoder.clone(), architecture.activation);
    Ok(General::new(GeneralConfig { sizes, activation, gated, norm_first, pool }, weights))
}

/// A layer of BERT's shape with its attention's matrices in one.
fn joined(layer: LayerWeights, positions: Positions) -> GeneralLayer {
    let LayerWeights { query, key, value, attention_output, attention_norm, intermediate, output, output_norm } = layer;
    let cols = query.weight.cols();
    let parts = [query, key, value];
    let data: Vec<f32> = parts.iter().flat_map(|part| values(&part.weight)).collect();
    let bias = parts.into_iter().flat_map(|part| part.bias).collect();
    GeneralLayer {
        query_key_value: Linear { weight: Matrix::F32 { rows: data.len() / cols, cols, data }, bias },
        attention_output,
        attention_norm: Some(attention_norm),
        intermediate,
        output,
        output_norm,
        positions,
    }
}

/// The embeddings of words, positions and the first token type; `norm` is as wide as what it is for.
fn embedding(
    tensors: &Tensors<'_>,
    architecture: &Architecture,
    norm: usize,
    with_positions: bool,
    projection: Option<Linear>,
) -> Result<GeneralEmbedding, ModelError> {
    let width = architecture.embedding;
    let name = tensors.encoder_name(architecture.family.word_embedding());
    let mut word = values(&tensors.matrix(&name, architecture.encoder.vocab, width)?);
    let mut position = match with_positions {
        true => values(&bert::positions(tensors, architecture, width)?),
        false => Vec::new(),
    };
    // Every token has the first type.
    let types = values(&bert::token_types(tensors, architecture, width)?);
    let table = if with_positions { &mut position } else { &mut word };
    for row in table.chunks_exact_mut(width) {
        row.iter_mut().zip(&types).for_each(|(value, more)| *value += more);
    }
    let norm = tensors.layer_norm(&tensors.encoder_name("embeddings.LayerNorm"), norm)?;
    Ok(GeneralEmbedding { word, position, norm, projection })
}

/// Every layer once, in order.
fn in_order(layers: Vec<GeneralLayer>, embedding: GeneralEmbedding) -> GeneralWeights {
    let order = (0..layers.len()).collect();
    GeneralWeights { embedding, layers, order, final_norm: None }
}

/// Layers of BERT's shape, as many as the file promises; `positions` is what each knows of them.
fn layers(
    tensors: &Tensors<'_>,
    architecture: &Architecture,
    count: usize,
    positions: impl Fn(usize, &LayerWeights) -> Result<Positions, ModelError>,
) -> Result<Vec<GeneralLayer>, ModelError> {
    let mut list = Vec::new();
    for index in 0..count {
        let layer = bert::layer(tensors, architecture.family, index, &architecture.encoder)?;
        let positions = positions(index, &layer)?;
        list.push(joined(layer, positions));
    }
    Ok(list)
}

/// The layer from a narrow embedding to the encoder's width, where there is one.
fn projection(tensors: &Tensors<'_>, architecture: &Architecture, name: &str) -> Result<Option<Linear>, ModelError> {
    let (hidden, width) = (architecture.encoder.hidden, architecture.embedding);
    if width == hidden { Ok(None) } else { tensors.linear(&tensors.encoder_name(name), hidden, width).map(Some) }
}

/// BERT with another activation or a narrower embedding.
fn plain(tensors: &Tensors<'_>, architecture: &Architecture) -> Result<GeneralWeights, ModelError> {
    let projection = projection(tensors, architecture, "embeddings_project")?;
    let embedding = embedding(tensors, architecture, architecture.embedding, true, projection)?;
    let layers = layers(tensors, architecture, architecture.encoder.layers, |_, _| Ok(Positions::Embedded))?;
    Ok(in_order(layers, embedding))
}

fn albert(tensors: &Tensors<'_>, architecture: &Architecture, fields: &Fields) -> Result<GeneralWeights, ModelError> {
    let passes = architecture.encoder.layers;
    let groups = fields.size("num_hidden_groups")?.unwrap_or(1);
    if !(1..=passes).contains(&groups) || !passes.is_multiple_of(groups) {
        let expected = format!("a divisor of the {passes} layers");
        return Err(ModelError::BadSize { field: "num_hidden_groups", expected, got: groups.to_string() });
    }
    if let Some(got) = fields.size("inner_group_num")?.filter(|&layers| layers != 1) {
        let (field, got) = ("inner_group_num", got.to_string());
        return Err(ModelError::BadSize { field, expected: "1".to_owned(), got });
    }
    // ALBERT's embedding has a projection even where it changes no width.
    let (hidden, width) = (architecture.encoder.hidden, architecture.embedding);
    let name = tensors.encoder_name("encoder.embedding_hidden_mapping_in");
    let projection = Some(tensors.linear(&name, hidden, width)?);
    let embedding = embedding(tensors, architecture, width, true, projection)?;
    let layers = layers(tensors, architecture, groups, |_, _| Ok(Positions::Embedded))?;
    let per_group = passes / groups;
    // A number of a few digits can ask for more passes than any text could wait for.
    const MOST_PASSES: usize = 1024;
    if passes > MOST_PASSES {
        let expected = format!("at most {MOST_PASSES}");
        return Err(ModelError::BadSize { field: "num_hidden_layers", expected, got: passes.to_string() });
    }
    let order = (0..passes).map(|pass| pass / per_group).collect();
    Ok(GeneralWeights { embedding, layers, order, final_norm: None })
}

/// MPNet with another activation.
fn mpnet(tensors: &Tensors<'_>, architecture: &Architecture) -> Result<GeneralWeights, ModelError> {
    let config = &architecture.encoder;
    let name = tensors.encoder_name("encoder.relative_attention_bias.weight");
    let bias = tensors.values(&name, &[BUCKETS, config.heads])?;
    let embedding = embedding(tensors, architecture, config.hidden, true, None)?;
    let layers = layers(tensors, architecture, config.layers, |_, _| Ok(Positions::Bias(bias.clone())))?;
    Ok(in_order(layers, embedding))
}

fn deberta(tensors: &Tensors<'_>, architecture: &Architecture, fields: &Fields) -> Result<GeneralWeights, ModelError> {
    let config = &architecture.encoder;
    let hidden = config.hidden;
    let unsupported = |field, expected, got: String| Err(ModelError::UnsupportedArchitecture { field, expected, got });
    if fields.size("conv_kernel_size")?.unwrap_or(0) > 0 {
        return unsupported("conv_kernel_size", "0", "a convolution".to_owned());
    }
    if let Some(got) = fields.size("attention_head_size")?.filter(|&size| size != hidden / config.heads) {
        let (expected, got) = ("hidden_size / num_attention_heads".to_owned(), got.to_string());
        return Err(ModelError::BadSize { field: "attention_head_size", expected, got });
    }
    let kinds = attention_kinds(fields)?;
    let is_relative = fields.truth("relative_attention")?.unwrap_or(false);
    if !is_relative && kinds != [false, false] {
        return unsupported("pos_att_type", "none without relative_attention", "some".to_owned());
    }
    let tables = match is_relative {
        true => Some(Distances::read(tensors, architecture, fields, kinds)?),
        false => None,
    };
    let positions = |index: usize, layer: &LayerWeights| match &tables {
        Some(tables) => tables.of_layer(tensors, config, index, layer).map(Positions::Disentangled),
        None => Ok(Positions::Embedded),
    };
    let layers = layers(tensors, architecture, config.layers, positions)?;
    let with_positions = fields.truth("position_biased_input")?.unwrap_or(true);
    // The projection has no bias, and the norm stands behind it.
    let width = architecture.embedding;
    let projection = match width == hidden {
        true => None,
        false => {
            let weight = tensors.matrix(&tensors.encoder_name("embeddings.embed_proj.weight"), hidden, width)?;
            Some(Linear { weight, bias: vec![0.0; hidden] })
        }
    };
    Ok(in_order(layers, embedding(tensors, architecture, hidden, with_positions, projection)?))
}

/// Whether distances offer something to queries (`c2p`), and ask something of keys (`p2c`).
fn attention_kinds(fields: &Fields) -> Result<[bool; 2], ModelError> {
    let list = match fields.get("pos_att_type") {
        None => Vec::new(),
        Some(Value::String(text)) => text.split('|').map(|kind| kind.trim().to_owned()).collect(),
        Some(Value::Array(list)) => {
            list.iter().map(|kind| kind.as_str().unwrap_or("something else").to_owned()).collect()
        }
        Some(_) => vec!["something else".to_owned()],
    };
    let known = |kind: &String| ["c2p", "p2c", ""].contains(&kind.as_str());
    if let Some(got) = list.iter().find(|kind| !known(kind)) {
        let (field, expected) = ("pos_att_type", "c2p and p2c");
        return Err(ModelError::UnsupportedArchitecture { field, expected, got: got.clone() });
    }
    Ok(["c2p", "p2c"].map(|kind| list.iter().any(|listed| listed == kind)))
}

/// DeBERTa's vectors of distances, before the projections of each layer.
struct Distances {
    /// `[2 · span, hidden]`
    rows: Vec<f32>,
    span: usize,
    logarithmic: Option<usize>,
    max_distance: usize,
    /// Whether they go through the projections of the tokens' keys and queries.
    shared: bool,
    kinds: [bool; 2],
}

impl Distances {
    fn read(
        tensors: &Tensors<'_>,
        architecture: &Architecture,
        fields: &Fields,
        kinds: [bool; 2],
    ) -> Result<Distances, ModelError> {
        let config = &architecture.encoder;
        // Both fields are -1 where they are not used.
        let positive = |name: &str| {
            let value = fields.number(name)?.unwrap_or(-1.0);
            Ok::<_, ModelError>((value >= 1.0).then_some(value as usize))
        };
        let max_distance = positive("max_relative_positions")?.unwrap_or(config.max_positions);
        let logarithmic = positive("position_buckets")?;
        let span = logarithmic.unwrap_or(max_distance);
        for (field, got) in [("position_buckets", span), ("max_relative_positions", max_distance)] {
            if u32::try_from(got).is_err() {
                return Err(ModelError::BadSize { field, expected: "1 to 2^32 - 1".to_owned(), got: got.to_string() });
            }
        }
        if logarithmic == Some(1) {
            let (expected, got) = ("2 or more".to_owned(), "1".to_owned());
            return Err(ModelError::BadSize { field: "position_buckets", expected, got });
        }
        let hidden = config.hidden;
        let mut rows = tensors.values(&tensors.encoder_name("encoder.rel_embeddings.weight"), &[2 * span, hidden])?;
        let norms = fields.text("norm_rel_ebd")?.unwrap_or_else(|| "none".to_owned()).to_lowercase();
        if norms.split('|').any(|norm| norm.trim() == "layer_norm") {
            let norm = tensors.layer_norm(&tensors.encoder_name("encoder.LayerNorm"), hidden)?;
            norm.apply(&mut rows, config.layer_norm_eps);
        }
        let shared = fields.truth("share_att_key")?.unwrap_or(false);
        Ok(Distances { rows, span, logarithmic, max_distance, shared, kinds })
    }

    /// What they are to one layer.
    fn of_layer(
        &self,
        tensors: &Tensors<'_>,
        config: &EncoderConfig,
        index: usize,
        layer: &LayerWeights,
    ) -> Result<Disentangled, ModelError> {
        let &EncoderConfig { hidden, heads, .. } = config;
        let project = |wanted: bool, shared: &Linear, own: &str| {
            if !wanted {
                return Ok::<_, ModelError>(Vec::new());
            }
            let name = tensors.encoder_name(&format!("encoder.layer.{index}.attention.self.{own}"));
            let read;
            let linear = match self.shared {
                true => shared,
                false => {
                    read = tensors.linear(&name, hidden, hidden)?;
                    &read
                }
            };
            let isa = InstructionSet::detect();
            let vectors = Dense::new(&values(&linear.weight), &linear.bias, isa).forward(&self.rows);
            let width = hidden / heads;
            let of_head = |head: usize| {
                let parts = vectors.chunks_exact(hidden).map(|row| &row[head * width..(head + 1) * width]);
                let rows: Vec<f32> = parts.flatten().copied().collect();
                Dense::new(&rows, &vec![0.0; 2 * self.span], isa)
            };
            Ok((0..heads).map(of_head).collect())
        };
        Ok(Disentangled {
            keys: project(self.kinds[0], &layer.key, "pos_key_proj")?,
            queries: project(self.kinds[1], &layer.query, "pos_query_proj")?,
            span: self.span,
            logarithmic: self.logarithmic,
            max_distance: self.max_distance,
        })
    }
}

fn modern_pool(fields: &Fields) -> Result<Pool, ModelError> {
    match fields.text("classifier_pooling")?.as_deref() {
        None | Some("cls") => Ok(Pool::First),
        Some("mean") => Ok(Pool::Mean),
        Some(got) => Err(ModelError::UnsupportedArchitecture {
            field: "classifier_pooling",
            expected: "cls or mean",
            got: got.to_owned(),
        }),
    }
}

/// What ModernBERT says of one of its two kinds of layers.
fn rotary(fields: &Fields, kind: &str, old_name: &'static str, default: f64) -> Result<f32, ModelError> {
    let parameters = fields.get("rope_parameters").and_then(|all| all.get(kind));
    let scaled = fields.get("rope_scaling").and_then(|scaling| scaling.get("rope_type").or(scaling.get("type")));
    let kind = parameters.and_then(|own| own.get("rope_type")).or(scaled);
    if let Some(got) = kind.filter(|kind| *kind != "default") {
        let (field, expected) = ("rope_parameters", "default");
        return Err(ModelError::UnsupportedArchitecture { field, expected, got: got.to_string() });
    }
    let theta = match parameters.and_then(|own| own.get("rope_theta")) {
        Some(theta) => theta.as_f64().unwrap_or(f64::NAN),
        None => fields.number(old_name)?.unwrap_or(default),
    };
    if !(theta > 0.0 && theta <= 1e12) {
        let (expected, got) = ("above 0, at most 1e12".to_owned(), theta.to_string());
        return Err(ModelError::BadSize { field: "rope_theta", expected, got });
    }
    Ok(theta as f32)
}

/// Which layers see near tokens alone.
enum Sliding<'fields> {
    /// All but every so many, the first being none.
    ButEvery(usize),
    /// As each is named.
    Named(&'fields [Value]),
}

impl<'fields> Sliding<'fields> {
    fn read(fields: &'fields Fields, count: usize) -> Result<Sliding<'fields>, ModelError> {
        let Some(types) = fields.get("layer_types") else {
            let every = fields.size("global_attn_every_n_layers")?.unwrap_or(3);
            if every == 0 {
                let (expected, got) = ("1 or more".to_owned(), "0".to_owned());
                return Err(ModelError::BadSize { field: "global_attn_every_n_layers", expected, got });
            }
            return Ok(Sliding::ButEvery(every));
        };
        let types = types.as_array().map_or(&[][..], Vec::as_slice);
        if types.len() != count {
            let (expected, got) = (format!("{count} entries"), types.len().to_string());
            return Err(ModelError::BadSize { field: "layer_types", expected, got });
        }
        Ok(Sliding::Named(types))
    }

    fn holds(&self, index: usize) -> Result<bool, ModelError> {
        let name = match self {
            Sliding::ButEvery(every) => return Ok(!index.is_multiple_of(*every)),
            Sliding::Named(types) => &types[index],
        };
        match name.as_str() {
            Some("sliding_attention") => Ok(true),
            Some("full_attention") => Ok(false),
            _ => Err(ModelError::UnsupportedArchitecture {
                field: "layer_types",
                expected: "full_attention or sliding_attention",
                got: name.to_string(),
            }),
        }
    }
}

fn modern_bert(
    tensors: &Tensors<'_>,
    architecture: &Architecture,
    fields: &Fields,
) -> Result<GeneralWeights, ModelError> {
    let config = &architecture.encoder;
    let (hidden, wide) = (config.hidden, config.intermediate);
    if !(hidden / config.heads).is_multiple_of(2) {
        let (expected, got) = ("heads of an even width".to_owned(), config.heads.to_string());
        return Err(ModelError::BadSize { field: "num_attention_heads", expected, got });
    }
    let global = rotary(fields, "full_attention", "global_rope_theta", 160_000.0)?;
    let local = rotary(fields, "sliding_attention", "local_rope_theta", 10_000.0)?;
    let reach = fields.size("local_attention")?.unwrap_or(128) / 2;
    let sliding = Sliding::read(fields, config.layers)?;
    let norm = |name: &str| tensors.layer_norm_without_bias(&tensors.encoder_name(name), hidden);
    let linear =
        |name: String, rows: usize, cols: usize| tensors.linear_without_bias(&tensors.encoder_name(&name), rows, cols);
    let mut layers = Vec::new();
    for index in 0..config.layers {
        let positions = match sliding.holds(index)? {
            true => Positions::Rotary { theta: local, reach: Some(reach) },
            false => Positions::Rotary { theta: global, reach: None },
        };
        layers.push(GeneralLayer {
            query_key_value: linear(format!("layers.{index}.attn.Wqkv"), 3 * hidden, hidden)?,
            attention_output: linear(format!("layers.{index}.attn.Wo"), hidden, hidden)?,
            // The embedding was normalised just before the first.
            attention_norm: match index {
                0 => None,
                _ => Some(norm(&format!("layers.{index}.attn_norm"))?),
            },
            intermediate: linear(format!("layers.{index}.mlp.Wi"), 2 * wide, hidden)?,
            output: linear(format!("layers.{index}.mlp.Wo"), hidden, wide)?,
            output_norm: norm(&format!("layers.{index}.mlp_norm"))?,
            positions,
        });
    }
    let word = tensors.matrix(&tensors.encoder_name(architecture.family.word_embedding()), config.vocab, hidden)?;
    let embedding_norm: LayerNorm = norm("embeddings.norm")?;
    let embedding =
        GeneralEmbedding { word: values(&word), position: Vec::new(), norm: embedding_norm, projection: None };
    let final_norm = Some(norm("final_norm")?);
    Ok(GeneralWeights { final_norm, ..in_order(layers, embedding) })
}
