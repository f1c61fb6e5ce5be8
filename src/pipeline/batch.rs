//! Predictions that survive a bad text.

use crate::model::{ModelError, ModelSession, PageText, Prediction};
use std::ops::Range;

/// Texts that are labelled together, about so many: the vectors of all of them are in memory at once.
const BATCH_TEXTS: usize = 2048;

/// Labels texts beside the others of their page; `pages` are ranges that cover the texts in order.
///
/// An answer depends on the text's page alone, also where the model fails: then each page of the batch is read by itself, and
/// only in a page that still fails each text is read alone, so that no more is lost than what cannot be had.
pub(crate) fn predict_pages(
    session: &mut ModelSession<'_>,
    texts: &[PageText<'_>],
    pages: &[Range<usize>],
) -> Vec<Result<Prediction, ModelError>> {
    let mut predictions = Vec::with_capacity(texts.len());
    let mut rest = pages;
    while let Some(first) = rest.first() {
        let fitting = rest.iter().take_while(|page| page.end - first.start <= BATCH_TEXTS).count().max(1);
        let (batch, others) = rest.split_at(fitting);
        rest = others;
        predict_batch(session, texts, batch, &mut predictions);
    }
    predictions
}

fn predict_batch(
    session: &mut ModelSession<'_>,
    texts: &[PageText<'_>],
    pages: &[Range<usize>],
    predictions: &mut Vec<Result<Prediction, ModelError>>,
) {
    match classify(session, texts, pages) {
        Ok(labelled) => predictions.extend(labelled.into_iter().map(Ok)),
        Err(_) if pages.len() > 1 => {
            for page in pages {
                predict_batch(session, texts, std::slice::from_ref(page), predictions);
            }
        }
        Err(error) => match pages {
            [page] if page.len() > 1 => predictions.extend(page.clone().map(|text| {
                let alone = classify(session, texts, std::slice::from_ref(&(text..text + 1)))?;
                Ok(alone.into_iter().next().expect("one text has one answer; this is a bug"))
            })),
            _ => predictions.push(Err(error)),
        },
    }
}

fn classify(
    session: &mut ModelSession<'_>,
    texts: &[PageText<'_>],
    pages: &[Range<usize>],
) -> Result<Vec<Prediction>, ModelError> {
    let pages: Vec<&[PageText<'_>]> = pages.iter().map(|page| &texts[page.clone()]).collect();
    session.classify_pages(&pages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Precision;
    use crate::model::{Classifier, Model, fixture};

    /// A model whose outputs are no numbers for texts that hold the word `buy`, and are sound for all others.
    fn fails_at_buy() -> Model {
        let mut checkpoint = fixture::with_page(fixture::checkpoint(7));
        let crate::engine::Matrix::F32 { cols, data, .. } = &mut checkpoint.weights.word else {
            panic!("the fixture has floats")
        };
        let buy = fixture::id("buy");
        data[buy * *cols..(buy + 1) * *cols].fill(f32::MAX);
        Model::Single(Classifier::from_checkpoint(checkpoint, Precision::F32).unwrap())
    }

    #[test]
    fn a_page_that_fails_changes_no_answer_of_another() {
        let model = fails_at_buy();
        let texts =
            ["the council voted", "i think", "buy cheap", "they voted", "the plan", "cheap plan"].map(PageText::new);
        let mut session = model.session();
        let pages = [0..2, 2..4, 4..6];
        let answers = predict_pages(&mut session, &texts, &pages);
        for page in [0..2, 4..6] {
            let alone = session.classify_pages(&[&texts[page.clone()]]).unwrap();
            for (answer, alone) in answers[page].iter().zip(alone) {
                assert_eq!(answer.as_ref().unwrap(), &alone);
            }
        }
        assert!(answers[2].is_err());
        // Its neighbour is still read, by itself.
        let alone = session.classify(&["they voted"]).unwrap();
        assert_eq!(answers[3].as_ref().unwrap(), &alone[0]);
    }
}
