//! What trained models say of texts, as targets for another.

use super::TrainError;
use super::data::LabelledRow;
use super::draw::pages;
use crate::label::{LabelSet, Scores};
use crate::model::{Classifier, ModelError, PageText};
use std::ops::Range;

/// Rows that a thread gives to a teacher in one call, at least; a page is not cut.
const BATCH_ROWS: usize = 512;

/// What one teacher says of a row.
struct Answer {
    scores: Scores,
    /// Empty unless vectors are kept.
    vector: Vec<f32>,
}

/// Gives every row without `scores` the mean of the teachers' calibrated probabilities, and their most probable label.
/// Neighbouring rows with the same source and doc are read as one page.
///
/// `with_vectors` keeps the teacher's vector of each row too, where there is one teacher; of several no mean would make
/// sense.
///
/// # Errors
/// [`TrainError::OtherLabels`] for a teacher whose labels have not the names of `labels`; their order does not matter. The
/// first [`ModelError`] of a teacher.
pub fn teach(
    rows: &mut [LabelledRow],
    teachers: &[&Classifier],
    labels: &LabelSet,
    with_vectors: bool,
    threads: usize,
) -> Result<(), TrainError> {
    let with_vectors = with_vectors && teachers.len() == 1;
    let mut batches: Vec<Range<usize>> = Vec::new();
    for page in pages(rows) {
        if rows[page.clone()].iter().all(|row| row.scores.is_some()) {
            continue;
        }
        match batches.last_mut() {
            Some(batch) if batch.end == page.start && batch.len() < BATCH_ROWS => batch.end = page.end,
            _ => batches.push(page),
        }
    }
    let mut sums: Vec<Option<Vec<f32>>> = vec![None; rows.len()];
    let mut vectors: Vec<Vec<f32>> = vec![Vec::new(); rows.len()];
    for teacher in teachers {
        let other = || TrainError::OtherLabels { expected: labels.clone(), got: teacher.labels().clone() };
        let positions = teacher.labels().positions_in(labels).ok_or_else(other)?;
        for (index, answer) in answers(rows, &batches, teacher, with_vectors, threads)? {
            let sum = sums[index].get_or_insert_with(|| vec![0.0; labels.len()]);
            for (position, score) in positions.iter().zip(answer.scores.values()) {
                sum[position.index()] += score / teachers.len() as f32;
            }
            vectors[index] = answer.vector;
        }
    }
    for ((row, sum), vector) in rows.iter_mut().zip(sums).zip(vectors) {
        let Some(mean) = sum.filter(|_| row.scores.is_none()) else { continue };
        row.set_scores(Scores::new(labels, mean));
        row.vector = (!vector.is_empty()).then_some(vector);
    }
    Ok(())
}

fn answers(
    rows: &[LabelledRow],
    batches: &[Range<usize>],
    teacher: &Classifier,
    with_vectors: bool,
    threads: usize,
) -> Result<Vec<(usize, Answer)>, ModelError> {
    let threads = threads.max(1);
    let parts = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|thread| {
                scope.spawn(move || -> Result<Vec<(usize, Answer)>, ModelError> {
                    let mut session = teacher.session();
                    let mut answers = Vec::new();
                    for batch in batches.iter().skip(thread).step_by(threads) {
                        let rows = &rows[batch.clone()];
                        let texts: Vec<_> =
                            rows.iter().map(|row| PageText::new(&row.text).in_region(row.region)).collect();
                        let pages: Vec<&[PageText<'_>]> = pages(rows).into_iter().map(|range| &texts[range]).collect();
                        let mut vectors = Vec::new();
                        let readings = session.read_pages_with_vectors(&pages, &mut vectors)?;
                        let vectors = vectors.chunks_exact(vectors.len() / readings.len());
                        for ((index, reading), vector) in batch.clone().zip(readings).zip(vectors) {
                            let vector = if with_vectors { vector.to_vec() } else { Vec::new() };
                            answers.push((index, Answer { scores: reading.prediction.scores, vector }));
                        }
                    }
                    Ok(answers)
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().expect("a worker panicked; this is a bug"))
            .collect::<Result<Vec<_>, _>>()
    })?;
    Ok(parts.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Precision;
    use crate::label::built_in::scores;
    use crate::model::fixture;

    fn classifier(seed: u64) -> Classifier {
        Classifier::from_checkpoint(fixture::checkpoint(seed), Precision::F32).unwrap()
    }

    fn rows() -> Vec<LabelledRow> {
        let row = |text: &str, doc: Option<&str>| LabelledRow {
            doc: doc.map(str::to_owned),
            ..LabelledRow::new(text, "other")
        };
        vec![row("the council voted", Some("a")), row("they won", Some("a")), row("the plan", None)]
    }

    #[test]
    fn several_teachers_are_averaged_and_one_gives_its_vectors() {
        let (first, second) = (classifier(31), classifier(32));
        let taught = |teachers: &[&Classifier]| {
            let mut rows = rows();
            teach(&mut rows, teachers, &LabelSet::copydesk(), true, 2).unwrap();
            rows
        };
        let of = |rows: &[LabelledRow], index: usize| rows[index].scores.as_ref().unwrap().values().to_vec();
        let (one, two, both) = (taught(&[&first]), taught(&[&second]), taught(&[&first, &second]));
        for index in 0..3 {
            let mean: Vec<f32> = of(&one, index).iter().zip(of(&two, index)).map(|(a, b)| (a + b) / 2.0).collect();
            for (got, expected) in of(&both, index).iter().zip(&mean) {
                assert!((got - expected).abs() < 1e-6, "row {index}");
            }
            assert!(one[index].vector.as_ref().is_some_and(|vector| vector.len() == 32));
            assert!(both[index].vector.is_none());
        }
        let alone = first.session().classify(&["the plan"]).unwrap().remove(0).scores;
        assert_eq!(one[2].label, Some(alone.best_label().0));
    }

    #[test]
    fn a_row_that_was_judged_before_keeps_its_scores() {
        let mut judged = rows();
        let scores = scores([0.2, 0.5, 0.1, 0.1, 0.1]);
        judged[1].scores = Some(scores.clone());
        teach(&mut judged, &[&classifier(33)], &LabelSet::copydesk(), true, 1).unwrap();
        assert_eq!(judged[1].scores, Some(scores));
        assert!(judged[0].scores.is_some() && judged[1].vector.is_none());
    }

    #[test]
    fn a_teachers_labels_are_matched_by_name() {
        let teacher = classifier(34);
        let turned: Vec<&str> = ["other", "quotation", "comment_spam", "opinion", "reporting"].to_vec();
        let turned = LabelSet::new(turned).unwrap();
        let taught = |labels: &LabelSet| {
            let mut rows = rows();
            teach(&mut rows, &[&teacher], labels, false, 1).map(|()| rows.remove(2).scores.unwrap())
        };
        let (ours, theirs) = (taught(&LabelSet::copydesk()).unwrap(), taught(&turned).unwrap());
        assert!(ours.iter().all(|(label, score)| theirs.of(label.as_str()) == Some(score)));
        let other = taught(&LabelSet::new(["news", "ad"]).unwrap());
        assert!(matches!(other, Err(TrainError::OtherLabels { .. })), "{other:?}");
    }
}
