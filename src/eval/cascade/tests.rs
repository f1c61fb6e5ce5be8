use super::*;
use crate::label::LabelSet;
use crate::label::built_in::{OPINION, OTHER};
use crate::random::SplitMix64;

fn peak(label: LabelId, height: f32) -> Vec<f32> {
    (0..5).map(|index| if index == label.index() { height } else { 0.0 }).collect()
}

/// A row in memory.
struct Row {
    gold: LabelId,
    document: String,
    small: (Vec<f32>, Scores),
    large: (Vec<f32>, Scores),
    large_on_page: LabelId,
}

fn reading(label: LabelId, height: f32) -> (Vec<f32>, Scores) {
    let logits = peak(label, height);
    let scores = Scores::from_logits(&LabelSet::copydesk(), &logits);
    (logits, scores)
}

fn read((logits, scores): &(Vec<f32>, Scores)) -> ModelReading<'_> {
    ModelReading { logits, scores }
}

/// Rows of which the small model is sure and right, or unsure and right once in two; the large model is right nine times
/// in ten. Every third row stands on a page.
fn drawn() -> Vec<Row> {
    let mut random = SplitMix64::new(5);
    (0..600)
        .map(|number| {
            let gold = LabelId::at(random.below(5));
            let other = |random: &mut SplitMix64| LabelId::at((gold.index() + 1 + random.below(4)) % 5);
            let small = match random.below(10) {
                0..6 => reading(gold, 6.0),
                6..8 => reading(gold, 1.0),
                _ => reading(other(&mut random), 1.0),
            };
            let large = if random.below(10) < 9 { gold } else { other(&mut random) };
            let document = (number / 4).to_string();
            Row { gold, document, small, large: reading(large, 3.0), large_on_page: large }
        })
        .collect()
}

fn rows(drawn: &[Row]) -> Vec<CascadeRow<'_>> {
    drawn
        .iter()
        .enumerate()
        .map(|(number, row)| CascadeRow {
            gold: row.gold,
            page: PageKey::new(None, Some(&row.document)),
            alone: read(&row.small),
            on_page: (number % 3 == 0).then_some(read(&row.small)),
            large: read(&row.large),
            comment: [read(&row.small), read(&row.large)],
            large_tokens: 10 + number % 7,
            large_on_page: row.large_on_page,
        })
        .collect()
}

fn options(within: f64) -> CascadeOptions {
    CascadeOptions { within, watched: Vec::new(), miss: 0.0, before: [[0.5; 2]; 2], folds: 5, seed: 1 }
}

#[test]
fn only_the_unsure_rows_are_sent_on_and_that_is_enough() {
    let drawn = drawn();
    let fit = fit_cascade(&rows(&drawn), &[], &options(0.003)).unwrap();
    assert_eq!(fit.curve.len(), STEPS + 1);
    assert_eq!((fit.curve[0].on_page.rows_asked, fit.curve[STEPS].on_page.rows_asked), (0.0, 1.0));
    assert!(fit.curve[0].on_page.macro_f1 < 0.85 && fit.large_macro_f1.on_page > 0.85);
    // Sure rows are always right, so the cascade beats the large model with the unsure 40% at most.
    let (rows, tokens) = (fit.chosen.on_page.rows_asked, fit.chosen.on_page.tokens_asked);
    assert!(rows > 0.1 && rows < 0.45 && (rows - tokens).abs() < 0.05, "{rows} {tokens}");
    assert!(fit.wanted_macro_f1.reached_by(&fit.chosen));
    assert!(fit.cross_fitted_on_page.macro_f1 > fit.large_macro_f1.on_page - 0.03);
    assert!(fit.cross_fitted_alone.expected_calibration_error < 0.08);
    // The large model is the better witness for unsure rows.
    assert!(fit.chosen.choice.alone[1] > 0.5);
    assert!(fit.curve.windows(2).all(|pair| pair[0].on_page.tokens_asked <= pair[1].on_page.tokens_asked));
}

#[test]
fn the_best_point_is_taken_where_none_is_good_enough() {
    let drawn = drawn();
    let fit = fit_cascade(&rows(&drawn), &[], &options(-0.5)).unwrap();
    let best = fit.curve.iter().map(|point| point.on_page.macro_f1).fold(0.0, f64::max);
    assert_eq!(fit.chosen.on_page.macro_f1, best);
    assert!(best < fit.wanted_macro_f1.on_page);
    let json = serde_json::to_string(&fit).unwrap();
    assert_eq!(serde_json::from_str::<CascadeFit>(&json).unwrap(), fit);
}

#[test]
fn a_label_that_matters_is_asked_about_however_sure_the_small_model_is() {
    let drawn = drawn();
    let label = LabelId::at(2);
    let watched = vec![Watched { label, found_from: vec![0.5] }];
    let options = CascadeOptions { watched, ..options(0.003) };
    let before = fit_cascade(&rows(&drawn), &[], &CascadeOptions { watched: Vec::new(), ..options.clone() }).unwrap();
    let fit = fit_cascade(&rows(&drawn), &[], &options).unwrap();
    let [figures] = &fit.asks[..] else { panic!("{:?}", fit.asks) };
    assert_eq!((figures.missed, figures.from), (0, reading(LabelId::at(0), 1.0).1.get(label)));
    // No row that the large model finds is missed: it has the large model's own probability. Nothing is lost for it.
    let rule = CascadeRule { choice: fit.chosen.choice, asks: &fit.rules(&LabelSet::copydesk()) };
    let found = |row: &&CascadeRow<'_>| row.gold == label && row.large.scores.get(label) >= 0.5;
    let rows_of_both = rows(&drawn);
    for row in rows_of_both.iter().filter(found) {
        let (scores, asked) = rule.alone(row);
        assert!(asked && rule.on_page(row).1 && (scores.get(label) - row.large.scores.get(label)).abs() < 1e-6);
        assert_eq!(rule.comment(row.comment, false), (scores, true));
    }
    assert!(fit.curve[0].alone.rows_asked > 0.0 && before.curve[0].alone.rows_asked == 0.0);
    assert!(fit.wanted_macro_f1.reached_by(&fit.chosen));
    // Rows of which the small model is sure and wrong make it ask for less.
    let sure = (reading(LabelId::at(0), 6.0), reading(label, 6.0));
    let hiding = WatchedReading { gold: label, small: &sure.0.1, large: &sure.1.1 };
    let further = fit_cascade(&rows(&drawn), &[hiding], &options).unwrap();
    assert_eq!((further.asks[0].from, further.asks[0].found), (sure.0.1.get(label), figures.found + 1));
    let missing = CascadeOptions { miss: 0.02, ..options };
    assert!(fit_cascade(&rows(&drawn), &[hiding], &missing).unwrap().asks[0].from > further.asks[0].from);
}

#[test]
fn a_sure_answer_is_the_small_models_and_any_other_the_mixture() {
    let drawn = drawn();
    let (on_page, alone) = (reading(OTHER, 6.0), reading(OPINION, 1.0));
    let row = CascadeRow { on_page: Some(read(&on_page)), ..rows(&drawn)[0] };
    let row = CascadeRow { alone: read(&alone), page: None, ..row };
    let choice = CascadeChoice { threshold: 0.9, alone: [0.5, 2.0], on_page: [1.0, 1.0] };
    let rule = CascadeRule { choice, asks: &[] };
    assert_eq!(rule.on_page(&row), (Cow::Borrowed(&on_page.1), false));
    let mixed = Scores::from_mixture(&LabelSet::copydesk(), [row.alone.logits, row.large.logits], [0.5, 2.0]);
    assert_eq!(rule.alone(&row), (Cow::Owned(mixed), true));
    let exact = CascadeChoice { threshold: row.alone.scores.best().1, ..choice };
    let exact = CascadeRule { choice: exact, asks: &[] };
    assert_eq!(exact.alone(&row), (Cow::Borrowed(&alone.1), false));
    // A sure answer is helped too where another label could hide behind it.
    let hidden = [Ask { label: OPINION, from: on_page.1.get(OPINION) }];
    let (_, asked) = CascadeRule { choice, asks: &hidden }.on_page(&row);
    assert!(asked);
}

#[test]
fn unusable_rows_are_refused() {
    assert_eq!(fit_cascade(&[], &[], &options(0.0)), Err(EvalError::NoRows));
    let drawn = drawn();
    let mut rows = rows(&drawn);
    let large = [0.0, f32::NAN, 0.0, 0.0, 0.0];
    let scores = rows[3].large.scores;
    rows[3].large = ModelReading { logits: &large[..4], scores };
    let width = fit_cascade(&rows, &[], &options(0.0));
    assert_eq!(width, Err(EvalError::RowWidth { row: 3, expected: 5, got: 4 }));
    rows[3].large = ModelReading { logits: &large, scores };
    assert!(matches!(fit_cascade(&rows, &[], &options(0.0)), Err(EvalError::LogitNotFinite { row: 3, .. })));
    let few = fit_cascade(&rows[..3], &[], &options(0.0));
    assert_eq!(few, Err(EvalError::TooFewRows { expected: LEAST_ROWS, got: 3 }));
    let ones: Vec<CascadeRow<'_>> = self::rows(&drawn).into_iter().filter(|row| row.gold == OTHER).collect();
    assert_eq!(fit_cascade(&ones, &[], &options(0.0)), Err(EvalError::OneLabel));
}
