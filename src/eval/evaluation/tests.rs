use super::*;
use crate::eval::calibration::CALIBRATION_BINS;
use crate::eval::coverage::COVERAGE_PERCENTS;
use crate::label::built_in::{ALL, COMMENT_SPAM, OPINION, OTHER, scores};
use crate::random::SplitMix64;
use serde_json::Value;
use std::collections::BTreeSet;

fn row(gold: LabelId, values: [f32; 5]) -> JudgedRow {
    JudgedRow { gold, scores: scores(values), confidence: None, source: None, doc: None }
}

/// Rows from an arithmetic that any language can repeat, for comparison with other tools: SplitMix64 with seed 42; per row the gold
/// label `below(5)`, then five integers `1 + below(20)`, 30 added to the gold label's where `below(4) > 0`, and the
/// scores are the integers over their sum; document `row / 4`, source `below(3)`, confidence `1 + below(3)`.
fn drawn_rows(count: usize) -> Vec<JudgedRow> {
    let mut random = SplitMix64::new(42);
    (0..count)
        .map(|index| {
            let gold = ALL[random.below(5)];
            let mut weights = ALL.map(|_| 1 + random.below(20) as u32);
            if random.below(4) > 0 {
                weights[gold.index()] += 30;
            }
            let sum: u32 = weights.iter().sum();
            JudgedRow {
                gold,
                scores: scores(weights.map(|weight| (f64::from(weight) / f64::from(sum)) as f32)),
                source: Some(["blog", "forum", "news"][random.below(3)].to_owned()),
                confidence: Some(1 + random.below(3) as u8),
                doc: Some((index / 4).to_string()),
            }
        })
        .collect()
}

fn quick() -> EvalOptions {
    let bootstrap = BootstrapOptions { resamples: 200, ..Default::default() };
    EvalOptions { bootstrap, spam_label: Some(COMMENT_SPAM), ..Default::default() }
}

#[test]
fn scores_that_are_no_probabilities_are_refused() {
    assert_eq!(evaluate(&[], &quick()), Err(EvalError::NoRows));
    let good = row(OTHER, [0.2; 5]);
    let bad = row(OTHER, [0.2, 0.2, 0.2, f32::NAN, 0.2]);
    let error = evaluate(&[good.clone(), bad], &quick()).unwrap_err();
    assert!(
        matches!(&error, EvalError::ScoreOutOfRange { row: 1, label, got } if *label == "quotation" && got.is_nan())
    );
    let error = evaluate(&[row(OTHER, [0.5, 0.5, 0.5, -0.5, 0.0])], &quick()).unwrap_err();
    assert_eq!(error.to_string(), "row 0: the score of quotation must be between 0 and 1, got -0.5");
    let error = evaluate(&[good.clone(), good.clone(), row(OTHER, [0.25; 5])], &quick()).unwrap_err();
    assert_eq!(error, EvalError::ScoreSum { row: 2, got: 1.25 });
    let others = Scores::new(&LabelSet::new(["a", "b"]).unwrap(), [0.5, 0.5]);
    let unlike = [good.clone(), JudgedRow { scores: others, ..good.clone() }];
    assert_eq!(evaluate(&unlike, &quick()), Err(EvalError::UnlikeLabels { row: 1 }));
    let options = EvalOptions { loss_budgets: vec![-0.1], ..quick() };
    assert_eq!(evaluate(&[good], &options), Err(EvalError::LossBudgetOutOfRange { got: -0.1 }));
}

#[test]
fn rows_of_one_label_without_anything_else() {
    let rows = vec![row(OPINION, [0.0, 1.0, 0.0, 0.0, 0.0]); 3];
    let evaluation = evaluate(&rows, &quick()).unwrap();
    assert_eq!(evaluation.bootstrap.resampling, Resampling::Rows);
    assert_eq!((evaluation.all.rows, evaluation.all.units), (3, 3));
    assert_eq!(evaluation.all.macro_f1, Estimate { value: 1.0, low: Some(1.0), high: Some(1.0) });
    assert_eq!(evaluation.all.macro_f1_labels, ["opinion"]);
    assert_eq!(evaluation.all.brier_score.value, 0.0);
    assert_eq!(evaluation.all.calibration.expected_calibration_error, 0.0);
    let spam_class = &evaluation.all.classes[COMMENT_SPAM.index()];
    assert_eq!((spam_class.support, spam_class.precision, spam_class.recall, spam_class.f1), (0, None, None, None));
    assert_eq!(evaluation.sure, None);
    assert_eq!(evaluation.sources.len(), 1);
    assert_eq!(evaluation.sources[0].source, None);
    assert_eq!(evaluation.spam[1].points[0].caught.value, None);
}

#[test]
fn a_single_document_has_figures_but_no_intervals() {
    let mut rows = vec![row(OPINION, [0.1, 0.9, 0.0, 0.0, 0.0]), row(OTHER, [0.6, 0.0, 0.0, 0.0, 0.4])];
    for row in &mut rows {
        row.doc = Some("page".to_owned());
    }
    let evaluation = evaluate(&rows, &quick()).unwrap();
    assert_eq!(evaluation.bootstrap.resampling, Resampling::Documents);
    assert_eq!(evaluation.all.units, 1);
    assert_eq!(evaluation.all.accuracy, Estimate { value: 0.5, low: None, high: None });
}

#[test]
fn sure_rows_and_sources_are_evaluated_apart() {
    let mut rows = drawn_rows(240);
    for row in &mut rows {
        row.doc = None;
    }
    rows[0].source = None;
    let evaluation = evaluate(&rows, &quick()).unwrap();
    let sure: Vec<JudgedRow> = rows.iter().filter(|row| row.confidence == Some(3)).cloned().collect();
    assert_eq!(evaluation.sure.as_ref(), Some(&evaluate(&sure, &quick()).unwrap().all));
    assert_eq!(evaluation.sources.iter().map(|source| source.rows).sum::<u64>(), 240);
    assert!(evaluation.sources.windows(2).all(|pair| pair[0].rows >= pair[1].rows));
    for metrics in &evaluation.sources {
        let own: Vec<JudgedRow> = rows.iter().filter(|row| row.source == metrics.source).cloned().collect();
        let alone = evaluate(&own, &quick()).unwrap().all;
        assert_eq!((metrics.rows, metrics.accuracy, metrics.macro_f1), (alone.rows, alone.accuracy, alone.macro_f1));
        assert_eq!(metrics.support.iter().sum::<u64>(), metrics.rows);
    }
}

#[test]
fn genuine_comments_come_from_the_comment_sources() {
    let rows = drawn_rows(240);
    let options = EvalOptions { comment_sources: vec!["forum".to_owned(), "blog".to_owned()], ..quick() };
    let evaluation = evaluate(&rows, &options).unwrap();
    let count = |keep: &dyn Fn(&JudgedRow) -> bool| rows.iter().filter(|row| keep(row)).count() as u64;
    let is_comment = |row: &JudgedRow| row.source.as_deref() != Some("news");
    let [not_spam, opinion] = &evaluation.spam[..] else { panic!("two kinds of genuine rows") };
    assert_eq!((not_spam.genuine_rows, opinion.genuine_rows), (GenuineRows::NotSpam, GenuineRows::Opinion));
    assert_eq!(not_spam.genuine, count(&|row| row.gold != COMMENT_SPAM));
    assert_eq!(not_spam.spam, count(&|row| row.gold == COMMENT_SPAM));
    assert_eq!(opinion.genuine, count(&|row| row.gold == OPINION && is_comment(row)));
    assert_eq!(opinion.spam, count(&|row| row.gold == COMMENT_SPAM && is_comment(row)));
    assert_eq!(opinion.sources, options.comment_sources);
    let all_opinion = &evaluate(&rows, &quick()).unwrap().spam[1];
    assert_eq!(all_opinion.genuine, count(&|row| row.gold == OPINION));
}

#[test]
fn intervals_contain_their_figures_and_repeat() {
    let rows = drawn_rows(400);
    let evaluation = evaluate(&rows, &EvalOptions::default()).unwrap();
    assert_eq!(evaluation, evaluate(&rows, &EvalOptions::default()).unwrap());
    // Rows of two sources stand on two pages, also where these have one name.
    let pages: BTreeSet<_> = rows.iter().map(JudgedRow::page).collect();
    assert!(pages.len() > 100);
    assert_eq!((evaluation.all.rows, evaluation.all.units), (400, pages.len() as u64));
    let mut estimates = vec![
        evaluation.all.accuracy,
        evaluation.all.macro_f1,
        evaluation.all.brier_score,
        evaluation.all.negative_log_likelihood,
    ];
    for class in &evaluation.all.classes {
        estimates.extend([class.precision, class.recall, class.f1].into_iter().flatten());
    }
    assert_eq!(estimates.len(), 4 + 3 * 5);
    for estimate in estimates {
        let (low, high) = (estimate.low.unwrap(), estimate.high.unwrap());
        assert!(low < estimate.value && estimate.value < high && high - low < 0.3, "{estimate:?}");
    }
    assert_eq!(evaluation.coverage.len(), COVERAGE_PERCENTS.len());
    assert_eq!(evaluation.coverage[0].accuracy, evaluation.all.accuracy.value);
    assert!((evaluation.coverage[0].macro_f1 - evaluation.all.macro_f1.value).abs() < 1e-12);
}

/// The rows of `drawn_rows(400)` were drawn again in Python and measured with scikit-learn 1.9.1: `accuracy_score`,
/// `f1_score(average="macro")`, `confusion_matrix`, `precision_recall_fscore_support`; numpy for the rest: mean of
/// `-log p[gold]`, of the squared distance to the one-hot gold label, `numpy.ceil(15 * p.max()) - 1` as bin number, and
/// counts of scores above the k-th largest genuine score.
#[test]
fn figures_agree_with_scikit_learn() {
    let evaluation = evaluate(&drawn_rows(400), &quick()).unwrap();
    let all = &evaluation.all;
    let near = |got: f64, expected: f64| assert!((got - expected).abs() < 1e-7, "{got} instead of {expected}");
    let confusion = [[63, 4, 2, 5, 4], [11, 62, 4, 4, 9], [4, 2, 57, 10, 2], [4, 4, 5, 68, 4], [7, 3, 5, 1, 56]];
    assert_eq!(*all.confusion.as_array(), ndarray::arr2(&confusion));
    near(all.accuracy.value, 0.765);
    near(all.macro_f1.value, 0.764_861_673_856_862_7);
    near(all.negative_log_likelihood.value, 1.063_596_357_524_278_6);
    near(all.brier_score.value, 0.496_305_842_549_427_45);
    near(all.calibration.expected_calibration_error, 0.333_391_799_516_975_9);
    let precision = [
        0.707_865_168_539_325_8,
        0.826_666_666_666_666_7,
        0.780_821_917_808_219_2,
        0.772_727_272_727_272_7,
        0.746_666_666_666_666_7,
    ];
    let recall = [0.807_692_307_692_307_7, 0.688_888_888_888_888_9, 0.76, 0.8, 0.777_777_777_777_777_8];
    let f1 = [
        0.754_491_017_964_071_8,
        0.751_515_151_515_151_5,
        0.770_270_270_270_270_3,
        0.786_127_167_630_057_9,
        0.761_904_761_904_761_9,
    ];
    let support = [78, 90, 75, 85, 72];
    for (index, class) in all.classes.iter().enumerate() {
        assert_eq!(class.support, support[index]);
        near(class.precision.unwrap().value, precision[index]);
        near(class.recall.unwrap().value, recall[index]);
        near(class.f1.unwrap().value, f1[index]);
    }
    let spam = &evaluation.spam[0];
    assert_eq!((spam.genuine, spam.spam), (325, 75));
    let points: Vec<_> =
        spam.points.iter().map(|point| (point.threshold.next_down(), point.lost.rows, point.caught.rows)).collect();
    assert_eq!(points, [(0.473_684_22, 0, 40), (0.393_939_4, 1, 51), (0.363_636_37, 3, 54)]);
}

/// Every path of field names in a JSON value, list positions left out.
fn field_paths(value: &Value, path: &str, paths: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                paths.insert(path.clone());
                field_paths(value, &path, paths);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| field_paths(value, path, paths)),
        _ => {}
    }
}

#[test]
fn the_wire_format_keeps_its_fields_and_round_trips() {
    let evaluation = evaluate(&drawn_rows(120), &quick()).unwrap();
    let json = serde_json::to_string(&evaluation).unwrap();
    // In tests every type of the format refuses unknown fields.
    assert_eq!(serde_json::from_str::<Evaluation>(&json).unwrap(), evaluation);
    let value: Value = serde_json::from_str(&json).unwrap();
    let mut surplus = value.clone();
    surplus["all"]["calibration"]["surplus"] = Value::Null;
    assert!(serde_json::from_value::<Evaluation>(surplus).is_err());

    let interval = ["value", "low", "high"];
    let mut expected: BTreeSet<String> = BTreeSet::new();
    let mut expect = |prefix: &str, names: &[&str]| {
        expected.extend(
            names.iter().map(|name| if prefix.is_empty() { (*name).to_owned() } else { format!("{prefix}.{name}") }),
        );
    };
    expect("", &["labels", "bootstrap", "all", "sure", "sources", "coverage", "spam"]);
    expect("bootstrap", &["resampling", "resamples", "seed"]);
    for set in ["all", "sure"] {
        expect(set, &["rows", "units", "accuracy", "macro_f1", "macro_f1_labels", "brier_score"]);
        expect(set, &["negative_log_likelihood", "classes", "confusion", "calibration"]);
        for figure in ["accuracy", "macro_f1", "brier_score", "negative_log_likelihood"] {
            expect(&format!("{set}.{figure}"), &interval);
        }
        expect(&format!("{set}.classes"), &["label", "support", "precision", "recall", "f1"]);
        for figure in ["precision", "recall", "f1"] {
            expect(&format!("{set}.classes.{figure}"), &interval);
        }
        expect(&format!("{set}.calibration"), &["expected_calibration_error", "bins"]);
        expect(&format!("{set}.calibration.bins"), &["lower", "upper", "rows", "mean_confidence", "accuracy"]);
    }
    expect("sources", &["source", "rows", "units", "accuracy", "macro_f1", "support", "f1"]);
    expect("sources.accuracy", &interval);
    expect("sources.macro_f1", &interval);
    expect("coverage", &["target", "coverage", "rows", "threshold", "accuracy", "macro_f1"]);
    expect("spam", &["genuine_rows", "sources", "genuine", "spam", "points"]);
    expect("spam.points", &["budget", "threshold", "lost", "caught"]);
    for share in ["lost", "caught"] {
        expect(&format!("spam.points.{share}"), &["rows", "of", "value", "low", "high"]);
    }
    let mut paths = BTreeSet::new();
    field_paths(&value, "", &mut paths);
    assert_eq!(paths, expected);
    assert_eq!(value["all"]["confusion"].as_array().unwrap().len(), 5);
    assert_eq!(value["all"]["calibration"]["bins"].as_array().unwrap().len(), CALIBRATION_BINS);
}

#[test]
fn labels_of_any_number_are_counted_and_spam_needs_its_role() {
    let labels = LabelSet::new((0..37).map(|number| format!("label {number}"))).unwrap();
    let judged = |index: usize| {
        let gold = index % 37;
        let best = if index.is_multiple_of(5) { (gold + 1) % 37 } else { gold };
        let mut values = vec![0.01; 37];
        values[best] = 0.64;
        let scores = Scores::new(&labels, values);
        JudgedRow { gold: LabelId::at(gold), scores, confidence: None, source: None, doc: None }
    };
    let rows: Vec<JudgedRow> = (0..370).map(judged).collect();
    let evaluation = evaluate(&rows, &EvalOptions { spam_label: None, ..quick() }).unwrap();
    assert_eq!((evaluation.labels.len(), evaluation.all.classes.len()), (37, 37));
    assert_eq!(evaluation.all.accuracy.value, 0.8);
    assert_eq!(evaluation.all.macro_f1_labels.len(), 37);
    assert!(evaluation.spam.is_empty());
    // No label is called opinion: every row that is no spam is genuine.
    let with_spam = evaluate(&rows, &EvalOptions { spam_label: labels.id("label 3"), ..quick() }).unwrap();
    let kinds: Vec<_> = with_spam.spam.iter().map(|spam| (spam.genuine_rows, spam.genuine, spam.spam)).collect();
    assert_eq!(kinds, [(GenuineRows::NotSpam, 360, 10)]);
}
