use super::*;
use crate::label::Scores;
use crate::model::page::PageLayout;
use crate::model::{EmbeddedModel, Model, PageConfig, PageWeights, Storage, fixture};
use std::path::PathBuf;

const TEXTS: [&str; 6] = [
    "The council voted on the plan.",
    "",
    "I think they voted on the plans.",
    "buy cheap plans",
    "the council voted on the plan. the council voted on the plan. i think they buy cheap plans.",
    "buy",
];

/// A small and a large tiny model with page networks, and a cascade of them between which `threshold` decides.
fn folders(threshold: f32) -> (tempfile::TempDir, PathBuf) {
    folders_of(threshold, [7, 8].map(fixture::checkpoint))
}

/// The same of two given models.
fn folders_of(threshold: f32, models: [crate::model::Checkpoint; 2]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let member = |name: &str, seed: u64, mut checkpoint: crate::model::Checkpoint| {
        let sizes =
            PageConfig { width: 8, heads: 2, intermediate: 8, layers: 1, reach: 4, distances: 2, regions: true };
        let count =
            PageLayout::new(sizes, checkpoint.config.hidden, checkpoint.head.as_ref().unwrap().labels.len()).len;
        let values = (0..count).map(|index| ((index as u64 * seed) as f32).sin() * 0.3).collect();
        checkpoint.page = Some(PageWeights { config: sizes, values });
        checkpoint.settings.temperature = 1.5;
        let folder = dir.path().join(name);
        checkpoint.save(&folder, Storage::F32).unwrap();
        Member { name: name.to_owned(), digest: ModelSource::Folder(folder).digest().unwrap() }
    };
    let [small, large] = models;
    let mut settings = CascadeSettings::new("pair".to_owned(), member("small", 7, small), member("large", 8, large));
    settings.threshold = threshold;
    settings.alone = Mixture { small: 0.25, large: 0.75 };
    settings.on_page = Mixture { small: 1.5, large: -0.5 };
    let folder = dir.path().join("pair");
    settings.save(&folder).unwrap();
    (dir, folder)
}

/// The confidences of the small model that split `TEXTS` in two halves.
fn middle(folder: &Path) -> f32 {
    let small = Classifier::from_dir(&folder.join("../small")).unwrap();
    let mut confidences: Vec<f32> =
        small.session().classify(&TEXTS).unwrap().iter().map(|prediction| prediction.scores.best().1).collect();
    confidences.sort_by(f32::total_cmp);
    confidences[TEXTS.len() / 2]
}

#[test]
fn a_sure_small_model_is_believed_and_another_one_helped() {
    let (_dir, folder) = folders(0.0);
    let (_other, folder) = folders(middle(&folder));
    let cascade = Cascade::from_dir(&folder).unwrap();
    let threshold = cascade.settings().threshold;
    let mut small = cascade.small().session();
    let mut large = cascade.large().unwrap().session();
    let (first, second) = (small.classify(&TEXTS).unwrap(), large.logits(&TEXTS).unwrap());
    let logits = small.logits(&TEXTS).unwrap();
    let tokens: Vec<Vec<u32>> = TEXTS.iter().map(|text| cascade.small().tokenizer().encode(text)).collect();
    let answers = cascade.session().answers(&TEXTS, &tokens).unwrap();
    let mut asked = 0;
    for (index, answer) in answers.iter().enumerate() {
        let sure = first[index].scores.best().1 >= threshold;
        assert_eq!(answer.large_tokens.is_none(), sure);
        let expected = match sure {
            true => first[index].scores.clone(),
            false => {
                let labels = cascade.small().labels();
                Scores::from_mixture(labels, [&logits[index], &second[index]], [0.25, 0.75])
            }
        };
        assert_eq!(answer.prediction, Prediction { scores: expected, ..first[index].clone() });
        asked += usize::from(!sure);
    }
    assert_eq!(asked, TEXTS.len() / 2);
    assert_eq!(cascade.session().classify(&TEXTS).unwrap(), predictions(answers));
}

#[test]
fn the_large_model_is_asked_and_decides_where_the_small_one_could_hide_spam() {
    let (_dir, folder) = folders(0.0);
    let small = Classifier::from_dir(&folder.join("../small")).unwrap();
    let large = Classifier::from_dir(&folder.join("../large")).unwrap();
    let spam = small.roles().spam.unwrap();
    let (first, second) = (small.session().classify(&TEXTS).unwrap(), large.session().classify(&TEXTS).unwrap());
    let mut scores: Vec<f32> = first.iter().map(|prediction| prediction.scores.get(spam)).collect();
    scores.sort_by(f32::total_cmp);
    let mut settings = CascadeSettings::from_json(&std::fs::read(folder.join(settings::FILE)).unwrap()).unwrap();
    settings.ask = vec![AskLabel { label: "comment_spam".to_owned(), from: scores[2] }];
    settings.save(&folder).unwrap();
    let cascade = Cascade::from_dir(&folder).unwrap();
    let answers = cascade.session().classify(&TEXTS).unwrap();
    let texts = TEXTS.map(PageText::new);
    let pages: Vec<&[PageText<'_>]> = texts.chunks(1).collect();
    assert_eq!(cascade.session().classify_pages(&pages).unwrap(), answers);
    let mut asked = 0;
    for (answer, (first, second)) in answers.iter().zip(first.iter().zip(&second)) {
        // The threshold of confidence is 0: nobody is asked for want of it.
        if first.scores.get(spam) < scores[2] {
            assert_eq!(answer, first);
            continue;
        }
        asked += 1;
        assert_eq!(answer.scores.get(spam), second.scores.get(spam));
        assert!((answer.scores.values().iter().sum::<f32>() - 1.0).abs() < 1e-5);
    }
    assert_eq!(asked, TEXTS.len() - 2);
    // Among neighbours the large model is asked too, but its word is one of two.
    let page = cascade.session().classify_pages(&[&texts]).unwrap();
    let readings = small.session().read_pages(&[&texts]).unwrap();
    let logits = large.session().logits(&TEXTS).unwrap();
    for (index, reading) in readings.iter().enumerate() {
        let expected = match reading.prediction.scores.get(spam) < scores[2] {
            true => reading.prediction.scores.clone(),
            false => Scores::from_mixture(small.labels(), [&reading.logits, &logits[index]], [1.5, -0.5]),
        };
        assert_eq!(page[index].scores, expected, "{index}");
    }
    settings.ask[0].label = "junk".to_owned();
    settings.save(&folder).unwrap();
    assert!(matches!(Cascade::from_dir(&folder), Err(ModelError::BadSetting { field: "ask", .. })));
}

#[test]
fn a_paragraph_is_judged_by_its_page_alone_and_by_the_pages_weights() {
    let (_dir, folder) = folders(1.0);
    let cascade = Cascade::from_dir(&folder).unwrap();
    let texts = TEXTS.map(PageText::new);
    let pages = [&texts[0..3], &texts[3..4], &texts[4..6]];
    let together = cascade.session().classify_pages(&pages).unwrap();
    let mut session = cascade.session();
    let each: Vec<Prediction> = pages.iter().flat_map(|&page| session.classify_pages(&[page]).unwrap()).collect();
    assert_eq!(together, each);
    let readings = cascade.small().session().read_pages(&pages).unwrap();
    let large: Vec<Vec<f32>> = cascade.large().unwrap().session().logits(&TEXTS).unwrap();
    for (index, reading) in readings.iter().enumerate() {
        assert_eq!(reading.on_page, index != 3);
        let weights = if reading.on_page { [1.5, -0.5] } else { [0.25, 0.75] };
        let labels = cascade.small().labels();
        let expected = Scores::from_mixture(labels, [&reading.logits, &large[index]], weights);
        assert_eq!(together[index].scores, expected, "{index}");
    }
}

#[test]
fn models_that_the_cascade_was_not_chosen_for_are_refused() {
    for name in ["small", "large"] {
        let (_dir, folder) = folders(0.5);
        fixture::checkpoint(9).save(&folder.join("..").join(name), Storage::F32).unwrap();
        let error = Cascade::from_dir(&folder).unwrap_err();
        assert!(matches!(&error, ModelError::OtherModel { name: got, .. } if got == name), "{error}");
    }
    let (_dir, folder) = folders(0.5);
    std::fs::remove_dir_all(folder.join("../large")).unwrap();
    let error = Cascade::from_dir(&folder).unwrap_err();
    assert!(matches!(&error, ModelError::MissingFile { .. }), "{error}");
    std::fs::remove_file(folder.join(settings::FILE)).unwrap();
    assert!(!Cascade::is_in(&folder));
    assert!(matches!(Cascade::from_dir(&folder), Err(ModelError::MissingFile { .. })));
}

#[test]
fn two_models_of_other_labels_are_no_cascade() {
    for (small, large) in [(5, 37), (37, 2)] {
        let (_dir, folder) =
            folders_of(0.5, [fixture::checkpoint_of_count(7, small), fixture::checkpoint_of_count(8, large)]);
        let error = Cascade::from_dir(&folder).unwrap_err();
        assert!(matches!(error, ModelError::UnlikeLabels { .. }), "{error}");
    }
}

#[test]
fn a_cascade_has_any_number_of_labels() {
    for count in [2, 37] {
        let models = [7, 8].map(|seed| fixture::checkpoint_of_count(seed, count));
        let (_dir, folder) = folders_of(1.0, models);
        let model = Model::open(&folder).unwrap();
        assert_eq!(model.labels().len(), count);
        for answer in model.session().classify(&TEXTS).unwrap() {
            assert_eq!(answer.scores.labels(), model.labels());
            assert!((answer.scores.values().iter().sum::<f32>() - 1.0).abs() < 1e-5);
        }
    }
}

#[test]
fn a_folder_is_opened_by_what_it_holds() {
    let (_dir, folder) = folders(0.5);
    let cascade = Model::open(&folder).unwrap();
    assert!(matches!(&cascade, Model::Cascade(_)));
    assert_eq!((cascade.name(), cascade.first().name()), ("pair", "tiny"));
    assert!(matches!(Model::open(folder.join("../small")).unwrap(), Model::Single(_)));
}

#[test]
fn the_embedded_cascade_is_of_the_embedded_models_and_loads_the_large_one_late() {
    let cascade = Cascade::embedded().unwrap();
    let CascadeSettings { small, large, .. } = cascade.settings();
    for (member, model) in [(small, EmbeddedModel::Fast), (large, EmbeddedModel::Base)] {
        assert_eq!((member.name.as_str(), Ok(member.digest)), (model.as_str(), digest(model)));
    }
    assert!(cascade.large.model.get().is_none());
    let hard = ["Well.", "\"So it goes\", she said, and I agree.", "Read more", "12 Nov"];
    let sure = cascade.small().session().classify(&hard).unwrap();
    let any_unsure = sure.iter().any(|answer| is_asked(&answer.scores, cascade.settings().threshold, &cascade.asks));
    cascade.session().classify(&hard).unwrap();
    assert_eq!(cascade.large.model.get().is_some(), any_unsure);
}

fn digest(model: EmbeddedModel) -> Result<Digest, String> {
    ModelSource::Embedded(model).digest().map_err(|error| error.to_string())
}
