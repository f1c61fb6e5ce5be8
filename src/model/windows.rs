//! Long texts: windows with overlap, and one answer from many.

use crate::label::{LabelSet, Scores};
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

/// Probabilities and logits of a text from its windows.
///
/// Each window has a weight, the number of its tokens that no earlier window held, so that every token of the text
/// counts once. `windows` yields `(range, logits)` in reading order.
pub(super) fn combine(
    labels: &LabelSet,
    windows: impl ExactSizeIterator<Item = (Range<usize>, Vec<f32>)>,
    temperature: f32,
) -> (Vec<f32>, Scores) {
    let alone = windows.len() == 1;
    let mut sums = vec![0.0f64; labels.len()];
    let mut covered = 0;
    for (range, logits) in windows {
        let scores = Scores::at_temperature(labels, &logits, temperature);
        if alone {
            return (logits, scores);
        }
        let new_tokens = range.end - covered;
        covered = range.end;
        for (sum, &score) in sums.iter_mut().zip(scores.values()) {
            *sum += f64::from(score) * new_tokens as f64;
        }
    }
    let total: f64 = sums.iter().sum();
    sums.iter_mut().for_each(|sum| *sum /= total);
    // The smallest normal number stands for a probability that underflowed: a logit has to be finite.
    let logit = |p: &f64| (p.max(f64::from(f32::MIN_POSITIVE)).ln() * f64::from(temperature)) as f32;
    let logits = sums.iter().map(logit).collect();
    (logits, Scores::new(labels, sums.into_iter().map(|p| p as f32).collect::<Vec<f32>>()))
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
        let (_, scores) = combine(&LabelSet::copydesk(), list.into_iter(), 1.0);
        for (score, tokens) in scores.values().iter().zip([10.0, 7.0, 1.0, 0.0, 0.0]) {
            assert!((score - tokens / 18.0).abs() < 1e-6, "{scores:?}");
        }
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
        ) {
            let list: Vec<_> = rows.into_iter().enumerate().map(|(i, row)| (i * 5..i * 5 + 8, row.to_vec())).collect();
            let labels = LabelSet::copydesk();
            let (logits, scores) = combine(&labels, list.into_iter(), temperature);
            let again = Scores::at_temperature(&labels, &logits, temperature);
            for (a, b) in again.values().iter().zip(scores.values()) {
                prop_assert!((a - b).abs() < 1e-5);
            }
        }
    }
}
