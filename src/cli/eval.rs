//! `copydesk eval`: the model against labelled data.

use super::error::CliError;
use super::job::{self, Each, Summary, Tally};
use super::output::{Output, Target};
use super::plan::{EvalPlan, Reading};
use crate::corpus::{Chunk, InputError, Item, Record, RecordLine, Unit};
use crate::eval::{
    self, DeletedRow, DeletionFigures, EvalOptions, Evaluation, FieldAccuracy, JudgedRow, NoiseFigures, accuracy_by,
    evaluate,
};
use crate::explain::{WAYS, WrittenPage, deletion_test};
use crate::label::{LabelId, LabelSet, Scores, annotator_confidence};
use crate::model::{Model, ModelError, ModelSession, PageText, Prediction};
use crate::noise::Noise;
use crate::page::Region;
use crate::pipeline::{ParsedRecord, Rejected, RowOptions, Worked, predict_pages, record_pages};
use crate::random::SplitMix64;
use crate::report::{DeletionTable, EvalTable, FieldTable, NoiseTable};
use crate::text::model_text;
use serde::Serialize;
use std::borrow::Cow;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

/// Carries out a plan.
pub(super) fn run(plan: EvalPlan) -> Result<Tally, CliError> {
    let EvalPlan { reading, model, data, robustness, explain, by, json } = plan;
    let (spam_label, quiet) = (model.roles().spam, reading.quiet);
    let noises: &'static [Noise] = if robustness { &Noise::ALL } else { &[] };
    let judge = Judge {
        rows: reading.rows.clone(),
        labels: model.labels().clone(),
        spam_label,
        noises,
        explain,
        by: by.clone(),
    };
    let (mut rows, mut values, mut deleted) = (Vec::new(), Vec::new(), Vec::new());
    let mut copies: Vec<(Noise, Vec<Scores>)> = noises.iter().map(|&noise| (noise, Vec::new())).collect();
    let work = move |session: &mut ModelSession<'_>, chunk, worked: &mut Worked<Judged>| {
        judge.judge(session, chunk, worked);
    };
    let mut each = Each(|judged: Judged| {
        rows.extend(judged.rows);
        values.extend(judged.values);
        deleted.extend(judged.deleted);
        copies.iter_mut().zip(judged.copies).for_each(|((_, all), scores)| all.extend(scores));
        Ok(())
    });
    let done = job::run(reading, &model, true, work, &mut each)?;
    if rows.is_empty() && done.tally.failed > 0 {
        return Ok(done.tally);
    }
    let options = EvalOptions { spam_label, ..EvalOptions::default() };
    let evaluation = evaluate(&rows, &options).map_err(|error| CliError::Evaluation { data: data.clone(), error })?;
    let by = by_fields(by, &values, &rows, &evaluation, data)?;
    let (gold, clean): (Vec<LabelId>, Vec<Scores>) = rows.into_iter().map(|row| (row.gold, row.scores)).unzip();
    let noise = eval::robustness(&gold, &clean, &copies, spam_label);
    let deletion = eval::deletion(&WAYS, &deleted, &evaluation.bootstrap);
    write_report(&evaluation, &by, &noise, &deletion, spam_label, json)?;
    if !quiet {
        done.summarise(&Summary { unit: Unit::Record, labels: Some(model.labels()), extra: String::new() });
    }
    Ok(done.tally)
}

/// Labelled rows with what a model says of each, read alone.
pub(super) fn judged(reading: Reading, model: &Arc<Model>) -> Result<(Vec<JudgedRow>, Tally), CliError> {
    let judge = Judge {
        rows: reading.rows.clone(),
        labels: model.labels().clone(),
        spam_label: None,
        noises: &[],
        explain: false,
        by: Vec::new(),
    };
    let mut rows = Vec::new();
    let work = move |session: &mut ModelSession<'_>, chunk, worked: &mut Worked<Judged>| {
        judge.judge(session, chunk, worked);
    };
    let mut each = Each(|judged: Judged| {
        rows.extend(judged.rows);
        Ok(())
    });
    let done = job::run(reading, model, true, work, &mut each)?;
    Ok((rows, done.tally))
}

/// The accuracy by each field that was asked for. `values` holds for each row its values of those fields.
fn by_fields(
    fields: Vec<String>,
    values: &[Vec<Option<String>>],
    rows: &[JudgedRow],
    evaluation: &Evaluation,
    data: PathBuf,
) -> Result<Vec<FieldAccuracy>, CliError> {
    let mut all = Vec::with_capacity(fields.len());
    for (place, field) in fields.into_iter().enumerate() {
        let values: Vec<Option<&str>> = values.iter().map(|values| values[place].as_deref()).collect();
        if values.iter().all(Option::is_none) {
            return Err(CliError::NoRowHasField { data, field });
        }
        all.push(accuracy_by(&field, &values, rows, &evaluation.bootstrap));
    }
    Ok(all)
}

/// Writes figures to standard output, as one JSON object or as tables.
pub(super) fn write_report(
    evaluation: &Evaluation,
    by: &[FieldAccuracy],
    robustness: &[NoiseFigures],
    deletion: &[DeletionFigures],
    spam_label: Option<LabelId>,
    json: bool,
) -> Result<(), CliError> {
    let report = if json {
        let report = EvalReport { evaluation, by, robustness, deletion };
        serde_json::to_string(&report).expect("figures can be written as JSON; this is a bug") + "\n"
    } else {
        let spam_label = spam_label.map(|label| evaluation.labels.label(label));
        let noise = NoiseTable { figures: robustness, spam_label: spam_label.as_ref() };
        let by: String = by.iter().map(|field| FieldTable(field).to_string()).collect();
        format!("{}{by}{noise}{}", EvalTable(evaluation), DeletionTable(deletion))
    };
    let mut output = Output::open(&Target::StandardOutput)?;
    output.write(report.as_bytes())?;
    output.finish()
}

/// The JSON that the command writes.
#[derive(Serialize)]
struct EvalReport<'a> {
    #[serde(flatten)]
    evaluation: &'a Evaluation,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    by: &'a [FieldAccuracy],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    robustness: &'a [NoiseFigures],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    deletion: &'a [DeletionFigures],
}

/// A chunk's rows with the model's answers, and its answers for the noisy copies, one list for each kind of noise.
#[derive(Default)]
struct Judged {
    rows: Vec<JudgedRow>,
    /// For each row its values of the fields of [`Judge::by`].
    values: Vec<Vec<Option<String>>>,
    copies: Vec<Vec<Scores>>,
    /// What became of the labels of rows with enough words as words were deleted.
    deleted: Vec<DeletedRow>,
}

/// Labels chunks of gold rows.
struct Judge {
    rows: RowOptions,
    labels: LabelSet,
    spam_label: Option<LabelId>,
    noises: &'static [Noise],
    /// Whether words are deleted.
    explain: bool,
    /// Fields whose values are wanted.
    by: Vec<String>,
}

/// A labelled row without the model's answer.
struct GoldRow<'chunk> {
    text: Cow<'chunk, str>,
    gold: LabelId,
    confidence: Option<u8>,
    source: Option<String>,
    doc: Option<String>,
    region: Option<Region>,
    values: Vec<Option<String>>,
}

impl<'chunk> GoldRow<'chunk> {
    fn parse(line: &'chunk RecordLine, judge: &Judge) -> Result<GoldRow<'chunk>, InputError> {
        let ParsedRecord { object, text, .. } =
            ParsedRecord::parse(line, &judge.rows.text_field).map_err(|no_text| no_text.error)?;
        let object = match object {
            Some(object) => object,
            None => Record::parse(&line.text)?,
        };
        if model_text(&text).is_empty() {
            return Err(InputError::BlankText);
        }
        Ok(GoldRow {
            gold: judge.labels.require(&object.text("label")?)?,
            confidence: object.value("confidence").and_then(|value| annotator_confidence(value.parse().ok()?)),
            source: object.name("source").map(Cow::into_owned),
            doc: object.name("doc").map(Cow::into_owned),
            region: judge.rows.regions.of(Some(&object))?,
            values: judge.by.iter().map(|field| field_value(&object, field)).collect(),
            text,
        })
    }
}

/// The string, number, `true` or `false` in a field.
fn field_value(object: &Record<'_>, field: &str) -> Option<String> {
    let name = object.name(field).map(Cow::into_owned);
    name.or_else(|| object.value(field).filter(|value| matches!(*value, "true" | "false")).map(str::to_owned))
}

impl Judge {
    fn judge(&self, session: &mut ModelSession<'_>, chunk: Chunk, worked: &mut Worked<Judged>) {
        let Chunk { items, pages, .. } = chunk;
        let (mut lines, mut rejected) = (Vec::with_capacity(items.len()), Vec::new());
        for (position, item) in items.into_iter().enumerate() {
            match item {
                Item::Record(line) => lines.push((position, line)),
                Item::Failed(failure) => rejected.push((position, Rejected::from(failure))),
                Item::Passage(_) => unreachable!("sources are read as records; this is a bug"),
            }
        }
        let mut rows = Vec::with_capacity(lines.len());
        for (position, line) in &lines {
            match GoldRow::parse(line, self) {
                Ok(row) => rows.push((*position, line, row)),
                Err(error) => rejected.push((*position, Rejected::record(line, error))),
            }
        }
        let pages = record_pages(&pages, rows.iter().map(|(position, _, _)| *position));
        let texts: Vec<Cow<'_, str>> = rows.iter().map(|(_, _, row)| Cow::Borrowed(row.text.as_ref())).collect();
        let regions: Vec<Option<Region>> = rows.iter().map(|(_, _, row)| row.region).collect();
        // Only rows that have an answer in every version are counted, so that the versions can be compared.
        let mut answers = vec![answers(session, &texts, &regions, &pages)];
        for &noise in self.noises {
            let noisy = rows.iter().map(|(_, line, row)| {
                if !noise.concerns(Some(row.gold) == self.spam_label) {
                    return Cow::Borrowed(row.text.as_ref());
                }
                Cow::Owned(noise.apply(&row.text, &mut SplitMix64::new(line.line)))
            });
            answers.push(self::answers(session, &noisy.collect::<Vec<_>>(), &regions, &pages));
        }
        let mut deleted = vec![None; rows.len()];
        if self.explain {
            let lines: Vec<u64> = rows.iter().map(|(_, line, _)| line.line).collect();
            for page in &pages {
                let page = page.clone();
                match deleted_on_page(session, &texts[page.clone()], &regions[page.clone()], &lines[page.clone()]) {
                    Ok(results) => deleted[page].clone_from_slice(&results),
                    Err(error) => {
                        let (position, line, _) = &rows[page.start];
                        rejected.push((*position, Rejected::record(line, error)));
                    }
                }
            }
        }
        worked.output.copies = vec![Vec::new(); self.noises.len()];
        let mut answers: Vec<_> = answers.into_iter().map(Vec::into_iter).collect();
        for ((position, line, row), deleted) in rows.into_iter().zip(deleted) {
            let versions: Result<Vec<Scores>, ModelError> = answers
                .iter_mut()
                .map(|answers| answers.next().expect("every row has an answer; this is a bug"))
                .map(|answer| answer.map(|prediction| prediction.scores))
                .collect::<Vec<_>>()
                .into_iter()
                .collect();
            match versions {
                Ok(mut versions) => {
                    let copies = versions.split_off(1);
                    worked.output.copies.iter_mut().zip(copies).for_each(|(list, scores)| list.push(scores));
                    let scores = versions.remove(0);
                    worked.tally.count(Some(scores.best().0));
                    let GoldRow { gold, confidence, source, doc, values, .. } = row;
                    worked.output.values.push(values);
                    let of_page = |changed| DeletedRow { changed, source: source.clone(), doc: doc.clone() };
                    worked.output.deleted.extend(deleted.map(of_page));
                    worked.output.rows.push(JudgedRow { gold, scores, confidence, source, doc });
                }
                Err(error) => rejected.push((position, Rejected::record(line, error))),
            }
        }
        rejected.sort_by_key(|(position, _)| *position);
        rejected.into_iter().for_each(|(_, rejected)| worked.reject(rejected));
    }
}

/// The deletion test on the rows of a page; what is drawn depends on the numbers of their lines.
fn deleted_on_page(
    session: &mut ModelSession<'_>,
    texts: &[Cow<'_, str>],
    regions: &[Option<Region>],
    lines: &[u64],
) -> Result<Vec<Option<Vec<f64>>>, ModelError> {
    let read: Vec<PageText<'_>> =
        texts.iter().zip(regions).map(|(text, &region)| PageText::new(text).in_region(region)).collect();
    let written: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
    deletion_test(session, WrittenPage { texts: &read, written: &written, wanted: &vec![true; read.len()] }, lines)
}

fn answers(
    session: &mut ModelSession<'_>,
    texts: &[Cow<'_, str>],
    regions: &[Option<Region>],
    pages: &[Range<usize>],
) -> Vec<Result<Prediction, ModelError>> {
    let texts: Vec<PageText<'_>> =
        texts.iter().zip(regions).map(|(text, &region)| PageText::new(text).in_region(region)).collect();
    predict_pages(session, &texts, pages)
}
