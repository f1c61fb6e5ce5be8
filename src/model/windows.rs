//! Long texts: windows with overlap, and one answer from many.

use crate::label::{LABEL_COUNT, Scores};
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
    windows: impl ExactSizeIterator<Item = (Range<usize>, [f32; LABEL_COUNT])>,
    temperature: f32,
) -> ([f32; LABEL_COUNT], Scores) {
    let alone = windows.len() == 1;
    let mut sums = [0.0f64; LABEL_COUNT];
    let mut covered = 0;
    for (range, logits) in windows {
        let scores = Scores::from_logits(logits.map(|logit| logit / temperature));
        if alone {
            return (logits, scores);
        }
        let new_tokens = range.end - covered;
        covered = range.end;
        for (sum, score) in sums.iter_mut().zip(scores.0) {
            *sum += f64::from(score) * new_tokens as f64;
        }
    }
    let total: f64 = sums.iter().sum();
    let mean = sums.map(|sum| sum / total);
    // The smallest normal number stands for a probability that underflowed: a logit has to be finite.
    let logits = mean.map(|p| (p.max(f64::from(f32::MIN_POSITIVE)).ln() * f64::from(temperature)) as f32);
    (logits, Scores(mean.map(|p| p as f32)))
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
            let mut logits = [-40.0; LABEL_COUNT];
            logits[index] = 40.0;
            logits
        };
        // 18 tokens: the second window adds 7, the third 1.
        let list = vec![(0..10, certain(0)), (7..17, certain(1)), (8..18, certain(2))];
        let (_, scores) = combine(list.into_iter(), 1.0);
        for (score, tokens) in scores.0.into_iter().zip([10.0, 7.0, 1.0, 0.0, 0.0]) {
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
            let list: Vec<_> = rows.into_iter().enumerate().map(|(i, row)| (i * 5..i * 5 + 8, row)).collect();
            let (logits, scores) = combine(list.into_iter(), temperature);
            let again = Scores::from_logits(logits.map(|logit| logit / temperature));
            for (a, b) in again.0.into_iter().zip(scores.0) {
                prop_assert!((a - b).abs() < 1e-5);
            }
        }
    }
}
