use super::*;
use crate::engine::{Activation, Matrix};
use crate::label::LabelId;
use crate::model::page::PageLayout;
use crate::model::{PageConfig, PageWeights, Pooler, Storage, fixture};
use proptest::prelude::*;
use serde_json::json;
use std::path::PathBuf;

fn tiny() -> Classifier {
    Classifier::from_checkpoint(fixture::checkpoint(7), Precision::F32).unwrap()
}

const TEXTS: [&str; 7] = [
    "The council voted on the plan.",
    "",
    "I think they voted on the plans.",
    "buy cheap plans",
    "the council voted on the plan. the council voted on the plan. i think they buy cheap plans.",
    "Unknown words everywhere",
    "buy",
];

fn assert_close(a: &Scores, b: &Scores, tolerance: f32) {
    for (x, y) in a.values().iter().zip(b.values()) {
        assert!((x - y).abs() <= tolerance, "{a:?} and {b:?}");
    }
}

#[test]
fn a_classifier_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Classifier>();
}

#[test]
fn texts_come_back_in_order_with_their_counts() {
    let model = tiny();
    let predictions = model.session().classify(&TEXTS).unwrap();
    let counts: Vec<_> = predictions.iter().map(|p| (p.tokens, p.windows)).collect();
    // Windows of 8 tokens that share 2 begin at 0, 6, 12; the fifth text is aligned to its end, 13..21.
    assert_eq!(counts, [(7, 1), (0, 1), (9, 2), (4, 1), (22, 4), (3, 1), (1, 1)]);
    for prediction in predictions {
        assert!((prediction.scores.values().iter().sum::<f32>() - 1.0).abs() < 1e-5);
    }
    assert!(model.session().classify(&[]).unwrap().is_empty());
}

#[test]
fn a_text_is_judged_alone_whatever_stands_beside_it() {
    let model = tiny();
    let together = model.session().classify(&TEXTS).unwrap();
    let mut session = model.session();
    let many: Vec<&str> = TEXTS.iter().copied().cycle().take(700).collect();
    let repeated = session.classify(&many).unwrap();
    for (index, prediction) in repeated.iter().enumerate() {
        assert_eq!(*prediction, together[index % TEXTS.len()]);
    }
    for (text, prediction) in TEXTS.iter().zip(&together) {
        assert_eq!(session.classify(&[text]).unwrap(), std::slice::from_ref(prediction));
    }
}

#[test]
fn different_texts_get_different_scores() {
    let predictions = tiny().session().classify(&TEXTS).unwrap();
    assert_ne!(predictions[0].scores, predictions[3].scores);
    assert_ne!(predictions[1].scores, predictions[6].scores);
}

#[test]
fn a_long_text_is_the_weighted_mean_of_its_windows_and_spam_by_its_odds() {
    let model = tiny();
    let mut session = model.session();
    // 12 tokens: 0..8, then 4..12 of which 4 are new.
    let long = "the council voted on the plan i think they buy cheap plan";
    let whole = session.classify(&[long]).unwrap().remove(0);
    let parts = session.classify(&["the council voted on the plan i think", "the plan i think they buy cheap plan"]);
    let parts = parts.unwrap();
    assert_eq!((whole.tokens, whole.windows), (12, 2));
    let pairs = parts[0].scores.values().iter().zip(parts[1].scores.values());
    let mut mean: Vec<f32> = pairs.map(|(first, second)| (first * 8.0 + second * 4.0) / 12.0).collect();
    // Of spam it is the odds whose mean counts.
    let spam = model.roles().spam.unwrap();
    let odds = |scores: &Scores| scores.get(spam) / (1.0 - scores.get(spam));
    let odds = (odds(&parts[0].scores) + odds(&parts[1].scores)) / 2.0;
    let share = (1.0 - odds / (1.0 + odds)) / (1.0 - mean[spam.index()]);
    mean.iter_mut().for_each(|score| *score *= share);
    mean[spam.index()] = odds / (1.0 + odds);
    assert_close(&whole.scores, &Scores::new(model.labels(), mean), 1e-6);
}

#[test]
fn logits_give_the_scores_under_the_models_temperature() {
    let mut checkpoint = fixture::checkpoint(7);
    checkpoint.settings.temperature = 1.6;
    let model = Classifier::from_checkpoint(checkpoint, Precision::F32).unwrap();
    let mut session = model.session();
    let predictions = session.classify(&TEXTS).unwrap();
    let logits = session.logits(&TEXTS).unwrap();
    for (prediction, logits) in predictions.iter().zip(&logits) {
        assert_close(&Scores::at_temperature(model.labels(), logits, 1.6), &prediction.scores, 1e-5);
    }
    let plain = tiny().session().logits(&TEXTS[..1]).unwrap();
    assert_eq!(plain[0], logits[0]);
}

#[test]
fn special_tokens_in_a_text_are_counted_as_text() {
    let prediction = tiny().session().classify(&["[SEP]", "[CLS]"]).unwrap();
    assert_eq!(prediction.iter().map(|p| p.tokens).collect::<Vec<_>>(), [3, 3]);
}

#[test]
fn folders_in_either_storage_give_the_scores_of_the_original() {
    let dir = tempfile::tempdir().unwrap();
    let original = tiny().session().classify(&TEXTS).unwrap();
    for (storage, tolerance) in [(Storage::F32, 0.0), (Storage::Int8, 0.05)] {
        fixture::checkpoint(7).save(dir.path(), storage).unwrap();
        let model = Classifier::from_dir(dir.path()).unwrap();
        assert_eq!((model.name(), model.spam_threshold()), ("tiny", 0.5));
        for (a, b) in model.session().classify(&TEXTS).unwrap().iter().zip(&original) {
            assert_close(&a.scores, &b.scores, tolerance);
        }
    }
}

/// A saved folder with one JSON file changed.
fn changed(file: &str, change: impl Fn(&mut serde_json::Value)) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    fixture::checkpoint(7).save(dir.path(), Storage::F32).unwrap();
    let path = dir.path().join(file);
    let mut value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    change(&mut value);
    std::fs::write(&path, value.to_string()).unwrap();
    let folder = dir.path().to_owned();
    (dir, folder)
}

#[test]
fn outputs_keep_their_order_and_names() {
    let order = ["other", "opinion", "quotation", "reporting", "comment_spam"];
    let (_dir, folder) = changed("config.json", |config| {
        for (id, label) in order.iter().enumerate() {
            config["id2label"][id.to_string()] = json!(label);
        }
    });
    let renamed = Classifier::from_dir(&folder).unwrap();
    assert_eq!(*renamed.labels(), LabelSet::new(order).unwrap());
    assert_eq!((renamed.roles().spam, renamed.roles().furniture), (Some(LabelId::at(4)), Some(LabelId::at(0))));
    assert_eq!(renamed.session().logits(&TEXTS[..1]).unwrap(), tiny().session().logits(&TEXTS[..1]).unwrap());
}

#[test]
fn models_have_any_number_of_labels() {
    for count in [2, 37] {
        let dir = tempfile::tempdir().unwrap();
        let mut checkpoint = fixture::checkpoint_of_count(7, count);
        let sizes =
            PageConfig { width: 8, heads: 2, intermediate: 8, layers: 1, reach: 4, distances: 2, regions: true };
        let len = PageLayout::new(sizes, checkpoint.config.hidden, count).len;
        let values = (0..len).map(|index| (index as f32).sin() * 0.3).collect();
        checkpoint.page = Some(PageWeights { config: sizes, values });
        checkpoint.save(dir.path(), Storage::Int8).unwrap();
        let model = Classifier::from_dir(dir.path()).unwrap();
        assert_eq!(model.labels().len(), count);
        assert_eq!(model.roles(), Roles::default());
        let alone = model.session().classify(&TEXTS).unwrap();
        let on_page = model.session().classify_pages(&[&TEXTS.map(PageText::new)]).unwrap();
        for (alone, on_page) in alone.iter().zip(&on_page) {
            assert_ne!(alone.scores, on_page.scores);
            for scores in [&alone.scores, &on_page.scores] {
                assert_eq!(scores.values().len(), count);
                assert!((scores.values().iter().sum::<f32>() - 1.0).abs() < 1e-5);
                assert_eq!(scores.of(scores.best_label().0.as_str()), Some(scores.best().1));
            }
        }
    }
}

#[test]
fn a_role_must_be_a_label_of_the_model() {
    for field in ["spam_label", "furniture_label"] {
        let (_dir, folder) = changed("copydesk.json", |settings| settings[field] = json!("junk"));
        let error = Classifier::from_dir(&folder).unwrap_err();
        assert!(matches!(&error, ModelError::BadSetting { field: got, .. } if *got == field), "{error}");
        assert!(error.to_string().contains("reporting, opinion"), "{error}");
    }
}

#[test]
fn a_folder_of_another_program_just_works() {
    let (_dir, folder) = changed("config.json", |_| ());
    std::fs::remove_file(folder.join("copydesk.json")).unwrap();
    let model = Classifier::from_dir(&folder).unwrap();
    assert_eq!(model.name(), folder.file_name().unwrap().to_str().unwrap());
    assert_eq!((model.settings().window_tokens, model.settings().window_overlap), (24, 5));
    assert_eq!(model.settings().pooling, Pooling::Cls);
    assert_eq!(model.session().logits(&TEXTS[..1]).unwrap(), tiny().session().logits(&TEXTS[..1]).unwrap());
}

#[test]
fn a_pooler_under_a_foreign_head_is_used() {
    let dir = tempfile::tempdir().unwrap();
    let mut checkpoint = fixture::checkpoint(7);
    let linear = checkpoint.weights.layers[0].query.clone();
    let pooler = Pooler { linear, activation: Activation::Tanh, norm: None };
    checkpoint.head.as_mut().unwrap().pooler = Some(pooler.clone());
    checkpoint.save(dir.path(), Storage::F32).unwrap();
    let error = Classifier::from_checkpoint(checkpoint.clone(), Precision::F32).unwrap_err();
    assert!(matches!(error, ModelError::BadSetting { field: "pooling", .. }), "{error}");
    // Under our own settings, which say that the head reads [CLS], a pooler in the file is ignored.
    assert_eq!(Checkpoint::load(dir.path()).unwrap().head.unwrap().pooler, None);
    std::fs::remove_file(dir.path().join("copydesk.json")).unwrap();
    let foreign = Checkpoint::load(dir.path()).unwrap();
    assert_eq!((foreign.settings.pooling, &foreign.head.as_ref().unwrap().pooler), (Pooling::Pooler, &Some(pooler)));
    let pooled = Classifier::from_checkpoint(foreign, Precision::F32).unwrap();
    let (pooled, plain) = (pooled.session().logits(&TEXTS[..1]), tiny().session().logits(&TEXTS[..1]));
    assert_ne!(pooled.unwrap(), plain.unwrap());
}

#[test]
fn every_broken_folder_has_its_error() {
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        let (_dir, folder) = changed("config.json", |_| ());
        std::fs::remove_file(folder.join(file)).unwrap();
        let error = Classifier::from_dir(&folder).unwrap_err();
        assert!(matches!(&error, ModelError::MissingFile { path } if *path == folder.join(file)), "{error}");
    }
    let broken = |file: &str, change: &dyn Fn(&mut serde_json::Value)| {
        let (_dir, folder) = changed(file, change);
        Classifier::from_dir(&folder).unwrap_err()
    };
    let error = broken("config.json", &|config| config["id2label"] = json!({"0": "ham", "1": "spam"}));
    assert!(matches!(&error, ModelError::WrongShape { name, .. } if name == "classifier.weight"), "{error}");
    let error = broken("config.json", &|config| config["id2label"]["3"] = json!("other"));
    assert!(matches!(error, ModelError::BadLabels { .. }), "{error}");
    let error = broken("config.json", &|config| config["vocab_size"] = json!(21));
    assert!(matches!(error, ModelError::WrongShape { .. }), "{error}");
    let error = broken("config.json", &|config| config["vocab_size"] = json!(4));
    assert!(matches!(error, ModelError::VocabularyTooLarge { expected: 4, got: 20 }), "{error}");
    let error = broken("config.json", &|config| config["num_hidden_layers"] = json!(4_000_000_000u32));
    assert!(matches!(&error, ModelError::MissingTensor { name } if name.contains("layer.2.")), "{error}");
    let error = broken("tokenizer.json", &|tokenizer| tokenizer["model"] = json!({}));
    assert!(matches!(error, ModelError::CorruptTokenizer { .. }), "{error}");
    let error = broken("copydesk.json", &|settings| settings["window_tokens"] = json!(25));
    assert!(matches!(error, ModelError::BadSetting { field: "window_tokens", .. }), "{error}");
    let base = Checkpoint { head: None, ..fixture::checkpoint(7) };
    assert!(matches!(Classifier::from_checkpoint(base, Precision::F32), Err(ModelError::MissingHead)));
}

#[test]
fn weights_that_overflow_are_an_error_and_not_a_label() {
    let mut checkpoint = fixture::checkpoint(7);
    let head = checkpoint.head.as_mut().unwrap();
    head.bias[1] = f32::MAX;
    if let Matrix::F32 { data, .. } = &mut head.weight {
        data.fill(f32::MAX);
    }
    let error =
        Classifier::from_checkpoint(checkpoint, Precision::F32).unwrap().session().classify(&TEXTS).unwrap_err();
    assert!(matches!(error, ModelError::NotFiniteOutput { .. }), "{error}");
}

#[test]
fn the_embedded_model_labels_texts() {
    let model = Classifier::embedded().unwrap();
    let prediction =
        model.session().classify(&["The council voted 7 to 2 on Tuesday to close the bridge."]).unwrap().remove(0);
    assert_eq!((prediction.windows, prediction.tokens), (1, 13));
    assert!((prediction.scores.values().iter().sum::<f32>() - 1.0).abs() < 1e-5);
}

/// The files of the tiny model, as 8-bit integers.
fn files() -> &'static [Vec<u8>; 4] {
    static FILES: std::sync::OnceLock<[Vec<u8>; 4]> = std::sync::OnceLock::new();
    FILES.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        fixture::checkpoint(7).save(dir.path(), Storage::Int8).unwrap();
        ["config.json", "tokenizer.json", "model.safetensors", "copydesk.json"]
            .map(|file| std::fs::read(dir.path().join(file)).unwrap())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Whatever happens to a model's files, loading ends in an error or in a model that runs or says why not.
    #[test]
    fn damaged_files_never_panic(
        file in 0usize..4,
        flips in prop::collection::vec((any::<prop::sample::Index>(), 1u8..), 1..4),
        near_the_start in any::<bool>(),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut damaged = files().clone();
        let bytes = &mut damaged[file];
        for (index, mask) in flips {
            // Headers and small fields stand at the start, where damage does most.
            let range = if near_the_start { bytes.len().min(400) } else { bytes.len() };
            bytes[index.index(range)] ^= mask;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let [config, tokenizer, weights, settings] = &damaged;
        let files = ModelFiles { name: "damaged", config, tokenizer, weights, settings: Some(settings) };
        if let Ok(model) = Classifier::from_files(files) {
            let outcome = model.session().classify(&TEXTS);
            prop_assert!(matches!(outcome, Ok(_) | Err(ModelError::NotFiniteOutput { .. })), "{:?}", outcome);
        }
    }
}
