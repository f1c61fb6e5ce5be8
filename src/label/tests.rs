use super::built_in::{OPINION, OTHER, QUOTATION, REPORTING, scores};
use super::*;

#[test]
fn names_and_positions_follow_the_output_order() {
    let labels = LabelSet::copydesk();
    for (index, id) in labels.ids().enumerate() {
        assert_eq!(id.index(), index);
        assert_eq!(labels.id(labels.name(id)), Some(id));
        let label = labels.label(id);
        assert_eq!(serde_json::to_string(&label).unwrap(), format!("\"{label}\""));
    }
    assert_eq!(format!("[{:>10}]", labels.label(OPINION)), "[   opinion]");
    assert_eq!(labels.label(OTHER), "other");
    let error = labels.require("spam").unwrap_err().to_string();
    let expected = "reporting, opinion, comment_spam, quotation, other";
    assert_eq!(error, format!("unknown label `spam`, expected one of: {expected}"));
    let json = serde_json::to_string(&labels).unwrap();
    assert_eq!(serde_json::from_str::<LabelSet>(&json).unwrap(), labels);
}

#[test]
fn names_that_are_no_labels_are_refused() {
    let numbered = |count: usize| LabelSet::new((0..count).map(|number| format!("n{number}")));
    assert_eq!(numbered(1), Err(LabelSetError::LabelCount { got: 1 }));
    assert_eq!(numbered(1001), Err(LabelSetError::LabelCount { got: 1001 }));
    assert_eq!((numbered(2).unwrap().len(), numbered(1000).unwrap().len()), (2, 1000));
    assert_eq!(LabelSet::new(["a", " "]), Err(LabelSetError::EmptyName));
    assert!(matches!(LabelSet::new(["a", "b\x1b[2J"]), Err(LabelSetError::ControlCharacter { .. })));
    assert_eq!(LabelSet::new(["a", "b", "a"]), Err(LabelSetError::RepeatedName { got: "a".to_owned() }));
    let error = numbered(37).unwrap().require("x").unwrap_err().to_string();
    assert!(error.ends_with("n8, n9, … (37 in all)"), "{error}");
}

#[test]
fn sets_of_the_same_names_are_mapped_by_name() {
    let (one, other) = (LabelSet::new(["a", "b", "c"]).unwrap(), LabelSet::new(["c", "a", "b"]).unwrap());
    assert_ne!(one, other);
    let positions: Vec<usize> = one.positions_in(&other).unwrap().into_iter().map(LabelId::index).collect();
    assert_eq!(positions, [1, 2, 0]);
    assert_eq!(one.positions_in(&LabelSet::new(["a", "b", "d"]).unwrap()), None);
    assert_eq!(one.positions_in(&LabelSet::new(["a", "b"]).unwrap()), None);
}

#[test]
fn softmax_survives_large_logits() {
    let scores = Scores::from_logits(&LabelSet::copydesk(), &[1000.0, 999.0, -1000.0, 0.0, 0.0]);
    assert!((scores.values().iter().sum::<f32>() - 1.0).abs() < 1e-6);
    assert_eq!(scores.best().0, REPORTING);
    assert_eq!(scores.best_label().0, "reporting");
    assert_eq!(scores.of("reporting"), Some(scores.get(REPORTING)));
    assert_eq!(scores.of("spam"), None);
}

#[test]
fn a_mixture_adds_logits_by_weight() {
    let labels = LabelSet::copydesk();
    let (first, second) = ([1.0, 0.0, -2.0, 0.5, 3.0], [0.0, 4.0, 1.0, -1.0, 0.0]);
    let mixed = |weights| Scores::from_mixture(&labels, [&first, &second], weights);
    assert_eq!(mixed([0.5, 2.0]), Scores::from_logits(&labels, &[0.5, 8.0, 1.0, -1.75, 1.5]));
    assert_eq!(mixed([1.0, 0.0]), Scores::from_logits(&labels, &first));
}

#[test]
fn labels_without_a_new_probability_share_what_is_left() {
    let rest = scores([0.1, 0.2, 0.1, 0.1, 0.5]).with(&[(OPINION, 0.4), (OTHER, 0.3)]);
    for (value, expected) in rest.values().iter().zip([0.1, 0.4, 0.1, 0.1, 0.3]) {
        assert!((value - expected).abs() < 1e-6, "{rest:?}");
    }
    let sure = scores([0.0, 1.0, 0.0, 0.0, 0.0]).with(&[(OPINION, 0.2)]);
    assert_eq!(sure.values(), [0.2; 5]);
    assert_eq!(scores([0.5, 0.5, 0.0, 0.0, 0.0]).with(&[(OPINION, 1.0)]).values(), [0.0, 1.0, 0.0, 0.0, 0.0]);
}

#[test]
fn leaving_a_label_out_renormalises() {
    let rest = scores([0.1, 0.2, 0.1, 0.1, 0.5]).without(OTHER);
    assert_eq!(rest.best().0, OPINION);
    assert!((rest.get(OPINION) - 0.4).abs() < 1e-6);
    assert_eq!(rest.get(OTHER), 0.0);
    assert_eq!(scores([0.0, 0.0, 0.0, 0.0, 1.0]).without(OTHER).get(QUOTATION), 0.25);
}

#[test]
fn only_the_annotators_three_grades_are_a_confidence() {
    assert_eq!([1.0, 2.0, 3.0].map(annotator_confidence), [Some(1), Some(2), Some(3)]);
    assert_eq!([0.97, 2.5, 4.0, -1.0, f64::NAN].map(annotator_confidence), [None; 5]);
}
