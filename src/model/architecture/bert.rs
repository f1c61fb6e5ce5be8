//! Weights of encoders that are BERT by other names.

use super::{Architecture, Family};
use crate::engine::{EncoderConfig, EncoderWeights, LayerWeights, Matrix};
use crate::model::ModelError;
use crate::model::tensors::Tensors;

/// Names of the parts of a layer.
struct LayerNames {
    layer: &'static str,
    query: &'static str,
    key: &'static str,
    value: &'static str,
    attention_output: &'static str,
    attention_norm: &'static str,
    intermediate: &'static str,
    output: &'static str,
    output_norm: &'static str,
}

const BERT: LayerNames = LayerNames {
    layer: "encoder.layer",
    query: "attention.self.query",
    key: "attention.self.key",
    value: "attention.self.value",
    attention_output: "attention.output.dense",
    attention_norm: "attention.output.LayerNorm",
    intermediate: "intermediate.dense",
    output: "output.dense",
    output_norm: "output.LayerNorm",
};

const DISTILBERT: LayerNames = LayerNames {
    layer: "transformer.layer",
    query: "attention.q_lin",
    key: "attention.k_lin",
    value: "attention.v_lin",
    attention_output: "attention.out_lin",
    attention_norm: "sa_layer_norm",
    intermediate: "ffn.lin1",
    output: "ffn.lin2",
    output_norm: "output_layer_norm",
};

const MPNET: LayerNames = LayerNames {
    query: "attention.attn.q",
    key: "attention.attn.k",
    value: "attention.attn.v",
    attention_output: "attention.attn.o",
    attention_norm: "attention.LayerNorm",
    ..BERT
};

const DEBERTA: LayerNames = LayerNames {
    query: "attention.self.query_proj",
    key: "attention.self.key_proj",
    value: "attention.self.value_proj",
    ..BERT
};

const ALBERT: LayerNames = LayerNames {
    layer: "encoder.albert_layer_groups",
    query: "albert_layers.0.attention.query",
    key: "albert_layers.0.attention.key",
    value: "albert_layers.0.attention.value",
    attention_output: "albert_layers.0.attention.dense",
    attention_norm: "albert_layers.0.attention.LayerNorm",
    intermediate: "albert_layers.0.ffn",
    output: "albert_layers.0.ffn_output",
    output_norm: "albert_layers.0.full_layer_layer_norm",
};

const fn names(family: Family) -> &'static LayerNames {
    match family {
        Family::DistilBert => &DISTILBERT,
        Family::Mpnet => &MPNET,
        Family::DebertaV2 => &DEBERTA,
        Family::Albert => &ALBERT,
        _ => &BERT,
    }
}

/// One layer by BERT's mathematics; `index` is its number in the file.
pub(super) fn layer(
    tensors: &Tensors<'_>,
    family: Family,
    index: usize,
    config: &EncoderConfig,
) -> Result<LayerWeights, ModelError> {
    let EncoderConfig { hidden, intermediate, .. } = *config;
    let names = names(family);
    let name = |part: &str| tensors.encoder_name(&format!("{}.{index}.{part}", names.layer));
    Ok(LayerWeights {
        query: tensors.linear(&name(names.query), hidden, hidden)?,
        key: tensors.linear(&name(names.key), hidden, hidden)?,
        value: tensors.linear(&name(names.value), hidden, hidden)?,
        attention_output: tensors.linear(&name(names.attention_output), hidden, hidden)?,
        attention_norm: tensors.layer_norm(&name(names.attention_norm), hidden)?,
        intermediate: tensors.linear(&name(names.intermediate), intermediate, hidden)?,
        output: tensors.linear(&name(names.output), hidden, intermediate)?,
        output_norm: tensors.layer_norm(&name(names.output_norm), hidden)?,
    })
}

/// The position table from the first row that a token has.
pub(super) fn positions(
    tensors: &Tensors<'_>,
    architecture: &Architecture,
    width: usize,
) -> Result<Matrix, ModelError> {
    let (first, count) = (architecture.first_position, architecture.encoder.max_positions);
    let name = tensors.encoder_name("embeddings.position_embeddings.weight");
    let table = tensors.matrix(&name, first + count, width)?;
    Ok(match table {
        table if first == 0 => table,
        Matrix::F32 { cols, data, .. } => Matrix::F32 { rows: count, cols, data: data[first * cols..].to_vec() },
        Matrix::I8 { cols, data, scales, .. } => {
            Matrix::I8 { rows: count, cols, data: data[first * cols..].to_vec(), scales: scales[first..].to_vec() }
        }
    })
}

/// The table of token types; zeros where the family has none.
pub(super) fn token_types(
    tensors: &Tensors<'_>,
    architecture: &Architecture,
    width: usize,
) -> Result<Matrix, ModelError> {
    let rows = architecture.encoder.type_vocab;
    if architecture.family.has_token_types() && rows > 0 {
        tensors.matrix(&tensors.encoder_name("embeddings.token_type_embeddings.weight"), rows, width)
    } else {
        Ok(Matrix::F32 { rows: 1, cols: width, data: vec![0.0; width] })
    }
}

/// The weights of an encoder that runs on BERT's engine.
pub(in crate::model) fn weights(
    tensors: &Tensors<'_>,
    architecture: &Architecture,
) -> Result<EncoderWeights, ModelError> {
    let config = &architecture.encoder;
    // Not allocated ahead: a file may promise more layers than it has tensors for, and the first absent one ends it.
    let mut layers = Vec::new();
    for index in 0..config.layers {
        layers.push(layer(tensors, architecture.family, index, config)?);
    }
    let name = tensors.encoder_name("encoder.relative_attention_bias.weight");
    let distances = architecture.buckets.map(|buckets| tensors.matrix(&name, buckets, config.heads));
    Ok(EncoderWeights {
        word: tensors.matrix(
            &tensors.encoder_name(architecture.family.word_embedding()),
            config.vocab,
            config.hidden,
        )?,
        position: positions(tensors, architecture, config.hidden)?,
        token_type: token_types(tensors, architecture, config.hidden)?,
        norm: tensors.layer_norm(&tensors.encoder_name("embeddings.LayerNorm"), config.hidden)?,
        distances: distances.transpose()?,
        layers,
    })
}
