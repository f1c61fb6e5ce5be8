//! Long texts: windows with overlap, and one answer from many.

use crate::label::{LabelId, LabelSet, Scores};
use std::ops::Range;

/// The windows of a text of `tokens` tokens, `content` tokens each, neighbours sharing `overlap`.
///
/// The last window is as long as the others and ends with the text, so that no window is left with a few words and
/// no context; it then shares more than `overlap`. A text that fits, the empty one included, has one window.
pub(super) fn windows(tokens: usize, content: usize, overlap: usize) -> impl Iterator<Item = Range<usize>> {
    let stride = content - overlap;
    let count = 1 + tokens.saturating_sub(content).div_ceil(stride);
    (0..count).map(move |index| {
        let start = (index * stride).min(tokens.saturating_sub(content));
        start..(start + content).min(tokens)
    })
}

/// Probabilities and logits of a text from its windows, which `windows` yields as `(range, logits)` in reading order.
///
/// Each window has a weight, the number of its tokens that no earlier window held, so that every token of the text counts
/// once: the probabilities are the windows', averaged with these weights. `spam` is different, for a few words of it make a
/// long text spam. Its odds are the plain mean of the windows' odds: those of a text that is spam if any of its windows is,
/// each as likely as the others. One sure window is enough, yet it counts the less the more windows the text has, so long
/// genuine texts do not become spam by chance. The other labels share what spam leaves.
pub(super) fn combine(
    labels: &LabelSet,
    windows: impl ExactSizeIterator<Item = (Range<usize>, Vec<f32>)>,
    temperature: f32,
    spam: Option<LabelId>,
) -> (Vec<f32>, Scores) {
    let count = windows.len();
    let mut sums = vec![0.0f64; labels.len()];
    let mut spam_log_odds = Vec::with_capacity(count);
    let mut covered = 0;
    for (range, logits) in windows {
        let scores = Scores::at_temperature(labels, &logits, temperature);
        if count == 1 {
            return (logits, scores);
        }
        let new_tokens = range.end - covered;
        covered = range.end;
        for (sum, &score) in sums.iter_mut().zip(scores.values()) {
            *sum += f64::from(score) * new_tokens as f64;
        }
        spam_log_odds.extend(spam.map(|spam| log_odds(&logits, temperature, spam)));
    }
    if let Some(spam) = spam {
        let log_odds = log_mean_exp(&spam_log_odds);
        let others: f64 = sums.iter().sum::<f64>() - sums[spam.index()];
        // The spam of a text is at least that of the average, so something is left of the others unless all windows are sure.
        let share = if others > 0.0 { sigmoid(-log_odds) / others } else { 0.0 };
        sums.iter_mut().for_each(|sum| *sum *= share);
        sums[spam.index()] = sigmoid(log_odds);
    }
    let total: f64 = sums.iter().sum();
    sums.iter_mut().for_each(|sum| *sum /= total);
    // The smallest normal number stands for a probability that underflowed: a logit has to be finite.
    let logit = |p: &f64| (p.max(f64::from(f32::MIN_POSITIVE)).ln() * f64::from(temperature)) as f32;
    let logits = sums.iter().map(logit).collect();
    (logits, Scores::new(labels, sums.into_iter().map(|p| p as f32).collect::<Vec<f32>>()))
}

/// The logarithm of the odds of a label against all others.
pub(super) fn log_odds(logits: &[f32], temperature: f32, label: LabelId) -> f64 {
    let at = |logit: f32| f64::from(logit) / f64::from(temperature);
    let others = logits.iter().enumerate().filter(|(index, _)| *index != label.index()).map(|(_, &logit)| at(logit));
    at(logits[label.index()]) - log_sum_exp(others)
}

/// The logarithm of the mean of exponentials, without overflow; there is at least one value.
pub(super) fn log_mean_exp(values: &[f64]) -> f64 {
    log_sum_exp(values.iter().copied()) - (values.len() as f64).ln()
}

/// `ln Σ exp x` without overflow.
fn log_sum_exp(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let max = values.clone().fold(f64::NEG_INFINITY, f64::max);
    max + values.map(|value| (value - max).exp()).sum::<f64>().ln()
}

pub(super) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn window_counts_follow_from_length() {
        let list = |tokens| windows(tokens, 10, 3).map(|range| (range.start, range.end)).collect::<Vec<_>>();
        assert_eq!(list(0), [(0, 0)]);
        assert_eq!(list(1), [(0, 1)]);
        assert_eq!(list(10), [(0, 10)]);
        assert_eq!(list(11), [(0, 10), (1, 11)]);
        assert_eq!(list(17), [(0, 10), (7, 17)]);
        assert_eq!(list(18), [(0, 10), (7, 17), (8, 18)]);
        assert_eq!(windows(1_000, 254, 32).count(), 1 + 746usize.div_ceil(222));
    }

    #[test]
    fn every_token_counts_once_however_windows_overlap() {
        let certain = |index: usize| {
            let mut logits = vec![-40.0; 5];
            logits[index] = 40.0;
            logits
        };
        // 18 tokens: the second window adds 7, the third 1.
        let list = vec![(0..10, certain(0)), (7..17, certain(1)), (8..18, certain(2))];
        let (_, scores) = combine(&LabelSet::copydesk(), list.into_iter(), 1.0, None);
        for (score, tokens) in scores.values().iter().zip([10.0, 7.0, 1.0, 0.0, 0.0]) {
            assert!((score - tokens / 18.0).abs() < 1e-6, "{scores:?}");
        }
    }

    /// Scores of a text of windows that add ten tokens each, with these logits of spam against one other label.
    fn with_spam(logits: &[f32]) -> Scores {
        let labels = LabelSet::new(["ham", "spam"]).unwrap();
        let list: Vec<_> = logits.iter().enumerate().map(|(i, &x)| (i * 10..i * 10 + 10, vec![0.0, x])).collect();
        combine(&labels, list.into_iter(), 1.0, labels.id("spam")).1
    }

    #[test]
    fn one_window_of_spam_makes_a_long_text_spam_wherever_it_stands() {
        for place in 0..8 {
            let mut logits = [-6.0; 8];
            logits[place] = 6.0;
            // The odds are e⁶ / 8, and nearly nothing from the other windows.
            let spam = with_spam(&logits).values()[1];
            let odds = (6.0_f32.exp() + 7.0 * (-6.0_f32).exp()) / 8.0;
            assert!((spam - odds / (1.0 + odds)).abs() < 1e-5 && spam > 0.98, "{spam}");
        }
    }

    #[test]
    fn many_genuine_windows_are_no_evidence_of_spam() {
        let one = with_spam(&[-3.0]).values()[1];
        let many = with_spam(&[-3.0; 40]).values()[1];
        assert!((one - many).abs() < 1e-6, "{one} {many}");
        // A window that is unsure counts the less the longer the text is.
        let mut logits = [-6.0; 40];
        logits[7] = 0.0;
        assert!(with_spam(&logits).values()[1] < 0.03);
    }

    #[test]
    fn the_other_labels_share_what_spam_leaves_and_extremes_stay_finite() {
        let labels = LabelSet::copydesk();
        let spam = labels.id("comment_spam");
        let windows =
            |rows: [[f32; 5]; 2]| rows.into_iter().enumerate().map(|(i, row)| (i * 4..i * 4 + 4, row.to_vec()));
        let (_, scores) =
            combine(&labels, windows([[2.0, 2.0, 2.0, -9.0, -9.0], [2.0, -9.0, -9.0, -9.0, -9.0]]), 1.0, spam);
        let values = scores.values();
        assert!((values.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        // A third and nearly all of reporting, a third and nothing of opinion: four to one.
        assert!((values[0] / values[1] - 4.0).abs() < 0.02, "{values:?}");
        let (logits, scores) = combine(&labels, windows([[-3e38, -3e38, 3e38, -3e38, -3e38]; 2]), 1.0, spam);
        assert!(logits.iter().all(|logit| logit.is_finite()));
        assert_eq!(scores.values(), [0.0, 0.0, 1.0, 0.0, 0.0]);
    }

    proptest! {
        #[test]
        fn windows_cover_the_text_in_order(tokens in 0usize..5000, content in 1usize..300, overlap in 0usize..300) {
            prop_assume!(overlap < content);
            let list: Vec<_> = windows(tokens, content, overlap).collect();
            prop_assert_eq!(list[0].start, 0);
            prop_assert_eq!(list[list.len() - 1].end, tokens);
            for pair in list.windows(2) {
                prop_assert!(pair[0].start < pair[1].start && pair[0].end < pair[1].end);
                prop_assert!(pair[0].end >= pair[1].start + overlap);
                prop_assert_eq!(pair[1].len(), content);
            }
        }

        #[test]
        fn combined_logits_give_the_combined_scores(
            rows in prop::collection::vec(prop::array::uniform5(-8f32..8.0), 1..4),
            temperature in 0.5f32..3.0,
            by_evidence: bool,
        ) {
            let list: Vec<_> = rows.into_iter().enumerate().map(|(i, row)| (i * 5..i * 5 + 8, row.to_vec())).collect();
            let labels = LabelSet::copydesk();
            let spam = by_evidence.then_some(LabelId::at(2));
            let (logits, scores) = combine(&labels, list.into_iter(), temperature, spam);
            prop_assert!((scores.values().iter().sum::<f32>() - 1.0).abs() < 1e-5);
            let again = Scores::at_temperature(&labels, &logits, temperature);
            for (a, b) in again.values().iter().zip(scores.values()) {
                prop_assert!((a - b).abs() < 1e-5);
            }
        }
    }
}
