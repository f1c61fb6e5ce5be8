//! What a composed row is to be learnt as: a probability for each built-in label.

use super::words::has_link;
use crate::label::{LabelSet, Scores};

/// Probabilities of the built-in labels in their order, `[5]`; they sum to 1.
pub(super) type Target = [f32; 5];

pub(super) const REPORTING: usize = 0;
pub(super) const OPINION: usize = 1;
pub(super) const COMMENT_SPAM: usize = 2;
pub(super) const QUOTATION: usize = 3;
pub(super) const OTHER: usize = 4;

/// Share of `reporting` that a genuine comment gives to `opinion`: by the guideline a factual reply is opinion, but long
/// accounts of facts in comments read as reporting all the same.
const REPORTING_TO_OPINION: f32 = 0.7;

/// Share of `quotation` that it gives where nothing in it marks a quote, unless the teacher is rather sure: verse and pasted
/// texts often have no mark.
const QUOTATION_TO_OPINION: f32 = 0.7;

/// From what score of `quotation` on the teacher is rather sure.
const TEACHER_RATHER_SURE: f32 = 0.8;

/// What is left of `comment_spam` in a comment that its site published.
const GENUINE_SPAM: f32 = 0.01;

/// What is left of it where the comment has a link and the teacher is sure that it is spam: about one in twenty short
/// published comments with a link promotes something.
const DOUBTED_SPAM: f32 = 0.25;

/// From what score of `comment_spam` on the teacher is sure.
const TEACHER_SURE: f32 = 0.9;

/// The position of a built-in label.
pub(super) fn position(label: &str) -> Option<usize> {
    Some(LabelSet::copydesk().id(label)?.index())
}

/// The label with this probability, the others with equal shares of the rest.
pub(super) fn mostly(label: usize, probability: f32) -> Target {
    let mut target = [(1.0 - probability) / 4.0; 5];
    target[label] = probability;
    target
}

/// `share` of the first and the rest of the second.
pub(super) fn blend(first: Target, share: f32, second: Target) -> Target {
    std::array::from_fn(|label| share * first[label] + (1.0 - share) * second[label])
}

/// A teacher's scores, scaled to sum to 1.
pub(super) fn of_scores(scores: &Scores) -> Target {
    let values: [f32; 5] = scores.values().try_into().expect("the teacher has the built-in labels; this is a bug");
    let sum: f32 = values.iter().sum();
    values.map(|value| value / sum)
}

/// An annotated label: the less sure the annotator was, the more of the teacher's scores.
pub(super) fn annotated(label: usize, confidence: Option<u8>, teacher: Target) -> Target {
    let only = |label: usize| std::array::from_fn(|other| if other == label { 1.0 } else { 0.0 });
    match confidence {
        Some(1) => blend(only(label), 0.55, teacher),
        Some(2) => blend(only(label), 0.8, teacher),
        _ => mostly(label, 0.95),
    }
}

/// What a teacher says of a comment that its site published, put right by what that tells: it is no spam, and what is neither
/// quoted nor furniture is its writer's view.
pub(super) fn genuine(mut teacher: Target, text: &str) -> Target {
    let doubted = has_link(text) && teacher[COMMENT_SPAM] >= TEACHER_SURE;
    let left = teacher[COMMENT_SPAM].min(if doubted { DOUBTED_SPAM } else { GENUINE_SPAM });
    let moved = teacher[REPORTING] * REPORTING_TO_OPINION;
    let unquoted = !quotes(text) && teacher[QUOTATION] < TEACHER_RATHER_SURE;
    let not_quoted = if unquoted { teacher[QUOTATION] * QUOTATION_TO_OPINION } else { 0.0 };
    teacher[OPINION] += teacher[COMMENT_SPAM] - left + moved + not_quoted;
    teacher[QUOTATION] -= not_quoted;
    teacher[COMMENT_SPAM] = left;
    teacher[REPORTING] -= moved;
    teacher
}

/// Whether something in the text marks a quote.
fn quotes(text: &str) -> bool {
    text.contains(['"', '“', '”', '«', '>'])
        || ["&gt;", "&quot;", "quote]", "wrote"].iter().any(|mark| text.contains(mark))
}

/// The most probable label.
pub(super) fn best(target: &Target) -> usize {
    (0..5).fold(0, |best, label| if target[label] > target[best] { label } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums_to_one(target: Target) -> bool {
        (target.iter().sum::<f32>() - 1.0).abs() < 1e-5
    }

    #[test]
    fn positions_are_those_of_the_built_in_labels() {
        let names = ["reporting", "opinion", "comment_spam", "quotation", "other"];
        assert_eq!(names.map(position), [REPORTING, OPINION, COMMENT_SPAM, QUOTATION, OTHER].map(Some));
        assert_eq!(position("ham"), None);
    }

    #[test]
    fn a_published_comment_is_no_spam_and_mostly_opinion() {
        let target = genuine([0.5, 0.2, 0.2, 0.05, 0.05], "so");
        assert!(sums_to_one(target) && target[COMMENT_SPAM] == GENUINE_SPAM);
        assert!((target[REPORTING] - 0.15).abs() < 1e-6 && best(&target) == OPINION);
        // What is quoted or furniture stays so.
        assert_eq!(best(&genuine([0.0, 0.1, 0.1, 0.8, 0.0], "so")), QUOTATION);
        let unsure = [0.1, 0.2, 0.0, 0.6, 0.1];
        let by = |text| best(&genuine(unsure, text));
        assert_eq!([by("> so\n\nyes"), by("so")], [QUOTATION, OPINION]);
        let sure = [0.0, 0.04, 0.95, 0.0, 0.01];
        assert_eq!(genuine(sure, "so")[COMMENT_SPAM], GENUINE_SPAM);
        assert!(genuine(sure, "http://a.example")[COMMENT_SPAM] == DOUBTED_SPAM);
    }

    #[test]
    fn a_doubtful_annotation_leaves_room_for_the_teacher() {
        let teacher = mostly(QUOTATION, 1.0);
        let by = |confidence| annotated(OTHER, Some(confidence), teacher);
        assert_eq!([1, 2, 3].map(|confidence| by(confidence)[OTHER]), [0.55, 0.8, 0.95]);
        assert!([1, 2, 3].into_iter().all(|confidence| sums_to_one(by(confidence))));
        assert!((by(2)[QUOTATION] - 0.2).abs() < 1e-6);
    }
}
