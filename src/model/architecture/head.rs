//! What stands above an encoder, by family.

use super::{Architecture, Family, Fields};
use crate::engine::Activation;
use crate::label::LabelSet;
use crate::model::head::{Head, Pooler};
use crate::model::tensors::Tensors;
use crate::model::{ModelError, Settings};
use serde_json::Value;

/// Refuses models that do not give each text one of several labels.
pub(in crate::model) fn check_task(fields: &Fields) -> Result<(), ModelError> {
    const TASK: &str = "ForSequenceClassification";
    let names = fields.get("architectures").and_then(Value::as_array).into_iter().flatten();
    let other = names.filter_map(Value::as_str).find(|name| name.contains("For") && !name.ends_with(TASK));
    if let Some(name) = other {
        return Err(ModelError::OtherTask { field: "architectures", got: name.to_owned() });
    }
    let problem = fields.text("problem_type")?;
    if let Some(got) = problem.filter(|problem| problem != "single_label_classification") {
        return Err(ModelError::OtherTask { field: "problem_type", got });
    }
    let outputs = match fields.get("id2label").and_then(Value::as_object) {
        Some(names) => Some(names.len()),
        None => fields.size("num_labels")?,
    };
    match outputs {
        Some(1) => Err(ModelError::OtherTask { field: "num_labels", got: "1, which is a regression".to_owned() }),
        _ => Ok(()),
    }
}

/// The label of each output row, from `id2label`.
///
/// The ids must be the numbers from 0 on, without a gap. Hugging Face leaves the names out where there are two and nobody named
/// them.
pub(in crate::model) fn labels(fields: &Fields) -> Result<LabelSet, ModelError> {
    let Some(id2label) = fields.get("id2label") else {
        const MOST: usize = 1001;
        let outputs = fields.size("num_labels")?.unwrap_or(2).min(MOST);
        return Ok(LabelSet::new((0..outputs).map(|id| format!("LABEL_{id}")))?);
    };
    let Some(id2label) = id2label.as_object() else {
        let reason = "`id2label` must be a map from numbers to names".to_owned();
        return Err(ModelError::CorruptJson { file: crate::model::layout::FILE, reason });
    };
    let outputs = id2label.len();
    let names = (0..outputs).map(|id| {
        let name = id2label.get(&id.to_string()).and_then(Value::as_str);
        name.ok_or(ModelError::UnnamedOutput { output: id, outputs })
    });
    Ok(LabelSet::new(names.collect::<Result<Vec<&str>, _>>()?)?)
}

/// The tensor that gives the logits, without `.weight`.
pub(in crate::model) const fn output_name(family: Family) -> &'static str {
    match family {
        Family::Roberta | Family::XlmRoberta | Family::Camembert | Family::Electra | Family::Mpnet => {
            "classifier.out_proj"
        }
        _ => "classifier",
    }
}

impl Architecture {
    /// Whether the file has a head.
    pub fn has_head(&self, tensors: &Tensors<'_>) -> bool {
        tensors.contains(&format!("{}.weight", output_name(self.family)))
    }

    /// Whether the file has a layer between the encoder and the one that gives the logits.
    pub fn has_pooler(&self, tensors: &Tensors<'_>) -> bool {
        match self.family {
            Family::Bert => tensors.contains(&tensors.encoder_name("pooler.dense.weight")),
            _ => true,
        }
    }

    /// Reads the head. A model of BERT's family has the layer in between if its settings say so; those of other families
    /// always have it.
    pub fn head(
        &self,
        tensors: &Tensors<'_>,
        fields: &Fields,
        settings: &Settings,
        with_pooler: bool,
    ) -> Result<Head, ModelError> {
        let hidden = self.encoder.hidden;
        let pooler = match with_pooler {
            true => Some(self.pooler(tensors, fields, settings)?),
            false => None,
        };
        Head::read(tensors, labels(fields)?, hidden, pooler, output_name(self.family))
    }

    fn pooler(&self, tensors: &Tensors<'_>, fields: &Fields, settings: &Settings) -> Result<Pooler, ModelError> {
        let hidden = self.encoder.hidden;
        let (name, activation) = match self.family {
            Family::Bert => {
                (tensors.encoder_name("pooler.dense"), settings.pooler_activation.unwrap_or(Activation::Tanh))
            }
            Family::DistilBert => ("pre_classifier".to_owned(), Activation::Relu),
            Family::Electra => ("classifier.dense".to_owned(), Activation::Gelu),
            Family::Albert => (tensors.encoder_name("pooler"), Activation::Tanh),
            Family::DebertaV2 => ("pooler.dense".to_owned(), fields.activation("pooler_hidden_act", Activation::Gelu)?),
            Family::ModernBert => {
                let activation = fields.activation("classifier_activation", Activation::Gelu)?;
                let norm = tensors.layer_norm_without_bias("head.norm", hidden)?;
                let linear = tensors.linear_without_bias("head.dense", hidden, hidden)?;
                return Ok(Pooler { linear, activation, norm: Some((norm, self.encoder.layer_norm_eps)) });
            }
            Family::Roberta | Family::XlmRoberta | Family::Camembert | Family::Mpnet => {
                ("classifier.dense".to_owned(), Activation::Tanh)
            }
        };
        Ok(Pooler { linear: tensors.linear(&name, hidden, hidden)?, activation, norm: None })
    }
}
