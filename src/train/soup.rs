//! Several trainings of one base as one model.

use super::TrainError;
use super::parameters::{Layout, check_trainable, to_f32};
use crate::engine::Matrix;
use crate::label::LabelSet;
use crate::model::{Checkpoint, Head};

/// The mean of the weights of models that were trained from the same base: better than one of them, at the cost of one
/// ("Model soups", Wortsman et al. 2022). Head and page network have a meaningful mean only where they started from the same
/// random weights: train the models with one seed and different rows. Tokenizer and settings are the first model's. A page
/// network that cannot be told regions joins one that can, if that is the first.
///
/// # Errors
/// [`TrainError::UnlikeModels`] if sizes, tokenizers or heads differ, or there is no model.
pub fn soup(mut models: Vec<Checkpoint>) -> Result<Checkpoint, TrainError> {
    let unlike = |what| TrainError::UnlikeModels { what };
    if models.len() < 2 {
        return models.pop().ok_or(unlike("there are none"));
    }
    models.iter().try_for_each(|model| check_trainable(&model.weights))?;
    let first = &models[0];
    let layout = Layout::new(&first.config);
    let (mut dense, mut word) = (vec![0.0; layout.len], vec![0.0; first.config.vocab * first.config.hidden]);
    let mut head: Option<(LabelSet, Vec<f32>, Vec<f32>)> = None;
    let mut page = first.page.clone();
    page.iter_mut().for_each(|page| page.values.fill(0.0));
    let share = 1.0 / models.len() as f32;
    let add =
        |sum: &mut [f32], values: &[f32]| sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += share * value);
    for model in &models {
        if model.config != first.config {
            return Err(unlike("their sizes differ"));
        }
        if model.tokenizer != first.tokenizer {
            return Err(unlike("their tokenizers differ"));
        }
        add(&mut dense, &layout.flatten(&model.config, &model.weights));
        add(&mut word, &to_f32(&model.weights.word));
        match &model.head {
            Some(Head { pooler: None, labels, weight, bias }) => {
                let new = || (labels.clone(), vec![0.0; weight.rows() * weight.cols()], vec![0.0; bias.len()]);
                let (first_labels, weights, biases) = head.get_or_insert_with(new);
                if first_labels != labels {
                    return Err(unlike("their labels differ"));
                }
                add(weights, &to_f32(weight));
                add(biases, bias);
            }
            _ => return Err(unlike("one has no plain head")),
        }
        match (&mut page, &model.page) {
            (Some(sum), Some(page)) => {
                let labels = model.head.as_ref().map_or(0, |head| head.labels.len());
                let values = page.fitted_to(sum.config, first.config.hidden, labels);
                add(&mut sum.values, &values.ok_or(unlike("their page networks differ"))?);
            }
            (None, None) => {}
            _ => return Err(unlike("their page networks differ")),
        }
    }
    let head = head.map(|(labels, data, bias)| {
        let weight = Matrix::F32 { rows: bias.len(), cols: first.config.hidden, data };
        Head { pooler: None, labels, weight, bias }
    });
    Ok(Checkpoint { weights: layout.unflatten(&first.config, &dense, &word), head, page, ..first.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixture;

    #[test]
    fn a_soup_is_the_mean_of_its_models() {
        let models = [fixture::checkpoint(41), fixture::checkpoint(42)];
        let mean = soup(models.to_vec()).unwrap();
        let of = |model: &Checkpoint| {
            let head = model.head.as_ref().unwrap();
            [to_f32(&model.weights.layers[0].output.weight), to_f32(&head.weight), head.bias.clone()].concat()
        };
        for ((got, a), b) in of(&mean).iter().zip(of(&models[0])).zip(of(&models[1])) {
            assert!((got - (a + b) / 2.0).abs() < 1e-6);
        }
        assert_eq!(soup(models[..1].to_vec()).unwrap(), models[0]);
    }

    #[test]
    fn models_of_other_sizes_make_no_soup() {
        let (model, mut other) = (fixture::checkpoint(43), fixture::checkpoint(44));
        other.config.intermediate += 1;
        assert!(matches!(soup(vec![model, other]), Err(TrainError::UnlikeModels { what: "their sizes differ" })));
        let labels = [2, 3].map(|count| fixture::checkpoint_of_count(43, count));
        assert!(matches!(soup(labels.to_vec()), Err(TrainError::UnlikeModels { what: "their labels differ" })));
        let mut distant = fixture::checkpoint(43);
        distant.weights.distances = Some(Matrix::F32 { rows: 4, cols: 2, data: vec![0.0; 8] });
        assert!(matches!(soup(vec![distant.clone(), distant]), Err(TrainError::DistancesAreNotTrained)));
        assert!(matches!(soup(Vec::new()), Err(TrainError::UnlikeModels { .. })));
    }
}
