//! A smaller model cut out of a larger one, to be trained on the larger one's answers.

use super::narrow::narrowed;
use super::parameters::{check_trainable, to_f32};
use super::{TrainError, TrainSettings};
use crate::engine::{EncoderConfig, EncoderWeights, LayerWeights, Linear, Matrix};
use crate::model::Checkpoint;
use crate::text::model_text;
use crate::tokenizer::Tokenizer;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashSet;

/// Sizes of a student.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StudentSettings {
    /// Layers, spread over the teacher's from its first to its last.
    pub layers: usize,
    /// Width of the feed-forward part: the teacher's neurons with the largest weights are kept.
    pub intermediate: usize,
    /// Entries of the vocabulary: special tokens, single ASCII characters, and then the pieces that the texts use most.
    pub vocab: usize,
    /// Longest sequence, in tokens.
    pub positions: usize,
    /// Values in a hidden state, some of the teacher's heads together; `None` for the teacher's own width and heads.
    pub hidden: Option<usize>,
    /// Neighbouring tokens that share a hidden state; `None` for as many as of the teacher's.
    pub tokens_per_state: Option<usize>,
}

impl Default for StudentSettings {
    fn default() -> Self {
        StudentSettings {
            layers: 2,
            intermediate: 1024,
            vocab: 12_000,
            positions: 256,
            hidden: None,
            tokens_per_state: None,
        }
    }
}

impl StudentSettings {
    fn check(self, teacher: &EncoderConfig) -> Result<(), TrainError> {
        let rules = [
            ("layers", (1..=teacher.layers).contains(&self.layers), "from 1 to the teacher's"),
            ("intermediate", (1..=teacher.intermediate).contains(&self.intermediate), "from 1 to the teacher's"),
            ("vocab", (1..=teacher.vocab).contains(&self.vocab), "from 1 to the teacher's"),
            ("tokens_per_state", self.tokens_per_state.is_none_or(|tokens| (1..=64).contains(&tokens)), "from 1 to 64"),
            ("positions", (3..=teacher.max_positions).contains(&self.positions), "from 3 to the teacher's"),
        ];
        match rules.into_iter().find(|rule| !rule.1) {
            Some((name, _, expected)) => Err(TrainError::InvalidSetting { name, expected }),
            None => Ok(()),
        }
    }
}

/// Cuts a student out of `teacher`. `texts` decide which pieces its vocabulary keeps.
///
/// Words whose piece is dropped are spelt with shorter pieces that the vocabulary still has, in a few more tokens; a word
/// with a character that no text used may become unknown.
///
/// A student that is narrower than its teacher starts from the axes that keep most of the teacher's hidden states of the texts, and
/// has no page network yet.
///
/// # Errors
/// [`TrainError::InvalidSetting`] for sizes that the teacher does not have or a vocabulary too small for the special tokens,
/// [`TrainError::Tokenizer`].
pub fn student<'a>(
    teacher: &Checkpoint,
    texts: impl IntoIterator<Item = &'a str>,
    sizes: StudentSettings,
) -> Result<Checkpoint, TrainError> {
    check_trainable(&teacher.weights)?;
    sizes.check(&teacher.config)?;
    let texts: Vec<&str> = texts.into_iter().collect();
    let (tokenizer, kept) = prune_vocabulary(&teacher.tokenizer, texts.iter().copied(), sizes.vocab)?;
    let config = EncoderConfig {
        layers: sizes.layers,
        intermediate: sizes.intermediate,
        vocab: kept.len(),
        max_positions: sizes.positions,
        ..teacher.config.clone()
    };
    let last = teacher.config.layers - 1;
    let layers = (0..sizes.layers)
        .map(|index| match sizes.layers {
            1 => last,
            count => index * last / (count - 1),
        })
        .map(|index| narrow(&teacher.weights.layers[index], sizes.intermediate))
        .collect();
    let positions: Vec<usize> = (0..sizes.positions).collect();
    let weights = EncoderWeights {
        word: rows(&teacher.weights.word, &kept),
        position: rows(&teacher.weights.position, &positions),
        token_type: teacher.weights.token_type.clone(),
        norm: teacher.weights.norm.clone(),
        distances: None,
        layers,
    };
    let window_tokens = teacher.settings.window_tokens.min(sizes.positions);
    let window_overlap = teacher.settings.window_overlap.min((window_tokens - 2) / 4);
    let settings = crate::model::Settings { window_tokens, window_overlap, ..teacher.settings.clone() };
    let (head, page) = (teacher.head.clone(), teacher.page.clone());
    let checkpoint = Checkpoint { config, weights, tokenizer, settings, head, page };
    let mut student = match sizes.hidden {
        Some(hidden) if hidden != checkpoint.config.hidden => narrowed(&checkpoint, texts.into_iter(), hidden)?,
        _ => checkpoint,
    };
    student.config.tokens_per_state = sizes.tokens_per_state.unwrap_or(teacher.config.tokens_per_state);
    Ok(student)
}

/// Settings that suit a student: it learns from many more rows than its teacher had, at a higher rate.
pub fn student_training() -> TrainSettings {
    TrainSettings {
        weak_rows: 0,
        weak_learning_rate: 3e-4,
        learning_rate: 1e-4,
        layer_decay: 1.0,
        max_tokens: 160,
        ..TrainSettings::default()
    }
}

/// Some rows of a matrix, in the order given.
fn rows(matrix: &Matrix, indices: &[usize]) -> Matrix {
    let cols = matrix.cols();
    let mut data = vec![0.0; indices.len() * cols];
    for (&index, to) in indices.iter().zip(data.chunks_exact_mut(cols)) {
        matrix.copy_row(index, to);
    }
    Matrix::F32 { rows: indices.len(), cols, data }
}

/// A layer with the `intermediate` feed-forward neurons whose ingoing and outgoing weights are the largest.
fn narrow(layer: &LayerWeights, intermediate: usize) -> LayerWeights {
    let wide = layer.intermediate.bias.len();
    let (ingoing, outgoing) = (to_f32(&layer.intermediate.weight), to_f32(&layer.output.weight));
    let hidden = outgoing.len() / wide;
    let strength = |neuron: usize| -> f32 {
        let into: f32 = ingoing[neuron * hidden..][..hidden].iter().map(|w| w * w).sum();
        let out: f32 = (0..hidden).map(|row| outgoing[row * wide + neuron]).map(|w| w * w).sum();
        into * out
    };
    let mut neurons: Vec<usize> = (0..wide).collect();
    let strengths: Vec<f32> = neurons.iter().map(|&neuron| strength(neuron)).collect();
    neurons.sort_by(|&a, &b| strengths[b].total_cmp(&strengths[a]).then(a.cmp(&b)));
    neurons.truncate(intermediate);
    neurons.sort_unstable();
    let data = outgoing.chunks_exact(wide).flat_map(|row| neurons.iter().map(|&neuron| row[neuron])).collect();
    LayerWeights {
        intermediate: Linear {
            weight: rows(&layer.intermediate.weight, &neurons),
            bias: neurons.iter().map(|&neuron| layer.intermediate.bias[neuron]).collect(),
        },
        output: Linear {
            weight: Matrix::F32 { rows: hidden, cols: intermediate, data },
            bias: layer.output.bias.clone(),
        },
        ..layer.clone()
    }
}

/// A `tokenizer.json` with at most `size` entries, and the old id of each.
fn prune_vocabulary<'a>(
    json: &[u8],
    texts: impl IntoIterator<Item = &'a str>,
    size: usize,
) -> Result<(Vec<u8>, Vec<usize>), TrainError> {
    let tokenizer = Tokenizer::from_bytes(json)?;
    let mut counts = vec![0u64; tokenizer.vocab_size()];
    for text in texts {
        for id in tokenizer.encode(&model_text(text)) {
            counts[id as usize] += 1;
        }
    }
    let corrupt = |reason: String| crate::tokenizer::TokenizerError::Corrupt { reason };
    let mut file: Value = serde_json::from_slice(json).map_err(|error| corrupt(error.to_string()))?;
    // Merges and scores of other kinds do not outlive the loss of entries.
    let expected = "that of a WordPiece teacher, or --base must give the student";
    if file["model"]["type"].as_str().is_some_and(|kind| kind != "WordPiece") {
        return Err(TrainError::InvalidSetting { name: "vocab", expected });
    }
    let vocab = file["model"]["vocab"].as_object().ok_or_else(|| corrupt("no vocabulary".to_owned()))?;
    let mut entries: Vec<(String, usize)> = vocab
        .iter()
        .filter_map(|(token, id)| Some((token.clone(), usize::try_from(id.as_u64()?).ok()?)))
        .filter(|&(_, id)| id < counts.len())
        .collect();
    entries.sort_by_key(|entry| entry.1);
    let unknown = file["model"]["unk_token"].as_str();
    let added = file["added_tokens"].as_array().into_iter().flatten().filter_map(|token| token["content"].as_str());
    let special: HashSet<String> = ["[CLS]", "[SEP]", "[PAD]"]
        .into_iter()
        .chain(unknown)
        .chain(added)
        .filter(|&token| vocab.contains_key(token))
        .map(str::to_owned)
        .collect();
    if size < special.len() {
        return Err(TrainError::InvalidSetting { name: "vocab", expected: "at least the number of special tokens" });
    }
    let is_character = |token: &str| {
        let characters = token.strip_prefix("##").unwrap_or(token);
        characters.chars().nth(1).is_none() && characters.is_ascii()
    };
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|&entry| {
        let (token, id) = &entries[entry];
        (!special.contains(token), !is_character(token), std::cmp::Reverse(counts[*id]), *id)
    });
    order.truncate(size);
    order.sort_unstable();
    let kept: Vec<usize> = order.iter().map(|&entry| entries[entry].1).collect();
    let vocabulary: serde_json::Map<String, Value> =
        order.iter().zip(0u32..).map(|(&entry, id)| (entries[entry].0.clone(), id.into())).collect();
    let new_id = |token: &Value| token.as_str().and_then(|token| vocabulary.get(token)).cloned();
    for token in file["added_tokens"].as_array_mut().into_iter().flatten() {
        if let Some(id) = new_id(&token["content"]) {
            token["id"] = id;
        }
    }
    if let Some(post_processor) = file.get_mut("post_processor") {
        renumber(post_processor, &vocabulary);
    }
    file["model"]["vocab"] = Value::Object(vocabulary);
    let json = serde_json::to_vec(&file).map_err(|error| corrupt(error.to_string()))?;
    Ok((json, kept))
}

/// Gives the tokens that a post-processor puts around a sequence their new ids.
fn renumber(post_processor: &mut Value, vocabulary: &serde_json::Map<String, Value>) {
    let tokens = post_processor.get_mut("special_tokens").and_then(Value::as_object_mut);
    for (name, token) in tokens.into_iter().flatten() {
        if let Some(id) = vocabulary.get(name) {
            token["ids"] = Value::Array(vec![id.clone()]);
        }
    }
    for field in ["cls", "sep"] {
        let pair = post_processor.get_mut(field).and_then(Value::as_array_mut).map(Vec::as_mut_slice);
        if let Some([Value::String(name), id]) = pair
            && let Some(new) = vocabulary.get(name.as_str())
        {
            *id = new.clone();
        }
    }
    let steps = post_processor.get_mut("processors").and_then(Value::as_array_mut);
    steps.into_iter().flatten().for_each(|step| renumber(step, vocabulary));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tokens_around_a_sequence_get_their_new_ids_in_every_kind_of_post_processor() {
        let vocabulary = serde_json::Map::from_iter([("a".to_owned(), json!(3)), ("b".to_owned(), json!(4))]);
        let mut all = json!({"processors": [
            {"type": "TemplateProcessing", "special_tokens": {"a": {"id": "a", "ids": [70]}, "x": {"id": "x", "ids": [71]}}},
            {"type": "BertProcessing", "cls": ["a", 70], "sep": ["b", 80]},
        ]});
        renumber(&mut all, &vocabulary);
        let [template, bert] = all["processors"].as_array().unwrap().as_slice() else { panic!("{all}") };
        assert_eq!(
            (&template["special_tokens"]["a"]["ids"], &template["special_tokens"]["x"]["ids"]),
            (&json!([3]), &json!([71]))
        );
        assert_eq!((&bert["cls"], &bert["sep"]), (&json!(["a", 3]), &json!(["b", 4])));
        let mut none = Value::Null;
        renumber(&mut none, &vocabulary);
        assert_eq!(none, Value::Null);
    }

    use crate::model::fixture;

    #[test]
    fn a_student_of_full_size_is_its_teacher() {
        let teacher = fixture::checkpoint(21);
        let EncoderConfig { layers, intermediate, vocab, max_positions, .. } = teacher.config;
        let sizes =
            StudentSettings { layers, intermediate, vocab, positions: max_positions, ..StudentSettings::default() };
        let student = student(&teacher, ["the plan"], sizes).unwrap();
        assert_eq!(student.weights.layers, teacher.weights.layers);
        assert_eq!(student.weights.position, teacher.weights.position);
        let encode = |json: &[u8]| Tokenizer::from_bytes(json).unwrap().encode("They voted on the plans.");
        assert_eq!(encode(&student.tokenizer), encode(&teacher.tokenizer));
    }

    #[test]
    fn a_small_student_keeps_what_its_texts_use() {
        let teacher = fixture::checkpoint(22);
        let sizes =
            StudentSettings { layers: 1, intermediate: 16, vocab: 12, positions: 12, ..StudentSettings::default() };
        let student = student(&teacher, ["council council voted", "the council"], sizes).unwrap();
        assert_eq!((student.config.layers, student.config.intermediate, student.config.vocab), (1, 16, 12));
        let tokenizer = Tokenizer::from_bytes(&student.tokenizer).unwrap();
        let old = Tokenizer::from_bytes(&teacher.tokenizer).unwrap();
        let unknown = tokenizer.encode("xyzzy")[0];
        let council = tokenizer.encode("council")[0];
        assert_ne!(council, unknown);
        let row = |matrix: &Matrix, id: u32| {
            let mut row = vec![0.0; 32];
            matrix.copy_row(id as usize, &mut row);
            row
        };
        let old_id = old.encode("council")[0];
        assert_eq!(row(&student.weights.word, council), row(&teacher.weights.word, old_id));
        let folder = tempfile::tempdir().unwrap();
        student.save(folder.path(), crate::model::Storage::Int8).unwrap();
        crate::model::Classifier::from_dir(folder.path()).unwrap().session().classify(&["the council"]).unwrap();
    }

    #[test]
    fn a_narrow_student_of_pairs_of_tokens_is_stored_and_read() {
        let teacher = fixture::with_page(fixture::checkpoint(25));
        let sizes =
            StudentSettings { layers: 2, intermediate: 16, vocab: 20, positions: 12, ..StudentSettings::default() };
        let sizes = StudentSettings { hidden: Some(16), tokens_per_state: Some(2), ..sizes };
        let student = student(&teacher, ["the council voted on the plan", "they buy"], sizes).unwrap();
        assert_eq!((student.config.hidden, student.config.heads, student.config.tokens_per_state), (16, 2, 2));
        assert!(student.page.is_none());
        let folder = tempfile::tempdir().unwrap();
        student.save(folder.path(), crate::model::Storage::Int8).unwrap();
        let stored = crate::model::Classifier::from_dir(folder.path()).unwrap();
        let logits = stored.session().logits(&["the council voted", "council the voted", "voted the council"]).unwrap();
        let apart = |a: usize, b: usize| -> f32 { logits[a].iter().zip(&logits[b]).map(|(a, b)| (a - b).abs()).sum() };
        // `[CLS]` is by itself, then come pairs, of which only the sum counts.
        assert!(apart(0, 1) < 0.02 && apart(0, 2) > 0.05, "{logits:?}");
    }

    #[test]
    fn sizes_beyond_the_teacher_are_refused() {
        let sizes = StudentSettings { layers: 3, ..StudentSettings::default() };
        let error = student(&fixture::checkpoint(23), ["x"], sizes).unwrap_err();
        assert!(matches!(error, TrainError::InvalidSetting { name: "layers", .. }), "{error}");
    }

    #[test]
    fn special_tokens_stay_in_the_smallest_vocabulary() {
        let teacher = fixture::checkpoint(24);
        let of = |vocab| {
            let sizes =
                StudentSettings { layers: 1, intermediate: 8, vocab, positions: 8, ..StudentSettings::default() };
            student(&teacher, ["council"], sizes)
        };
        let refused = of(1).unwrap_err();
        assert!(matches!(refused, TrainError::InvalidSetting { name: "vocab", .. }), "{refused}");
        let smallest = (2..).find_map(|vocab| of(vocab).ok()).unwrap();
        Tokenizer::from_bytes(&smallest.tokenizer).unwrap();
    }
}
