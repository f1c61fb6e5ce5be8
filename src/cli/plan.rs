//! From raw arguments to everything a command needs, decided before any work is done.

use super::args::{
    ColorArg, ContentArgs, EvalArgs, FilterArgs, InputArgs, InputFormatArg, LabelArgs, ModelArgs, OutputFormatArg,
    ParagraphsArg, UnitArg,
};
use super::closed;
use super::error::CliError;
use super::target::{self, Target};
use crate::corpus::{ForeignFormat, InputFormat, ReadOptions, Sources, Unit, is_standard_input, resolve};
use crate::label::LabelId;
use crate::model::{Model, ModelError, Role};
use crate::page::Region;
use crate::parallel;
use crate::pipeline::{Labeller, RowOptions};
use crate::report::{PageStyle, VerdictOptions};
use crate::text::Paragraphs;
use console::Term;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What every command reads, and how it works on it.
pub(super) struct Reading {
    pub sources: Sources,
    pub rows: RowOptions,
    pub threads: usize,
    /// Whether to show neither progress nor summary.
    pub quiet: bool,
    /// Whether no input was named and standard input is a terminal.
    pub typed: bool,
    /// Where everything that is set aside is written too.
    pub errors: Option<Target>,
}

impl Reading {
    /// What turns chunks of the sources into texts with answers.
    pub fn labeller(&self) -> Labeller {
        Labeller::new(&self.rows)
    }
}

/// `copydesk label`.
pub(super) struct LabelPlan {
    pub reading: Reading,
    pub model: Arc<Model>,
    pub verdict: VerdictOptions,
    pub format: RowFormat,
    pub with_text: bool,
    pub with_source: bool,
    /// Of HTML pages, only what is main content gets a row.
    pub content_only: bool,
    pub target: Target,
}

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowFormat {
    Jsonl,
    Csv,
    Pretty(PageStyle),
}

/// `copydesk content`.
pub(super) struct ContentPlan {
    pub sources: Sources,
    pub options: ReadOptions,
    pub plain: bool,
    pub quiet: bool,
    pub errors: Option<Target>,
    pub target: Target,
}

/// `copydesk filter`.
pub(super) struct FilterPlan {
    pub reading: Reading,
    pub model: Arc<Model>,
    pub spam_label: LabelId,
    pub threshold: f32,
    pub ham: Target,
    pub spam: Option<Target>,
    /// Whether the exit status tells that there was spam.
    pub exit_code: bool,
}

/// `copydesk eval`.
pub(super) struct EvalPlan {
    pub reading: Reading,
    pub model: Arc<Model>,
    pub data: PathBuf,
    pub robustness: bool,
    /// Fields for whose values the accuracy is wanted.
    pub by: Vec<String>,
    pub json: bool,
}

/// Resolves the arguments of `copydesk label`.
pub(super) fn label(args: LabelArgs) -> Result<LabelPlan, CliError> {
    let unit = match args.unit {
        UnitArg::Paragraph => Unit::Paragraph,
        UnitArg::Record => Unit::Record,
    };
    if args.page_field.is_some() && unit == Unit::Paragraph {
        return Err(CliError::PageFieldOfParagraphs);
    }
    if args.paragraphs.is_some() && unit == Unit::Record {
        return Err(CliError::ParagraphsOfRecords);
    }
    let target = Target::new(args.output);
    let on_terminal = target == Target::StandardOutput && std::io::stdout().is_terminal();
    let format = match args.output_format.map_or_else(|| format_by_name(&target), |format| named(format, &target))? {
        Some(OutputFormatArg::Jsonl) => RowFormat::Jsonl,
        Some(OutputFormatArg::Csv) => RowFormat::Csv,
        None if !on_terminal => RowFormat::Jsonl,
        Some(OutputFormatArg::Pretty) | None => RowFormat::Pretty(page_style(args.color, on_terminal)),
    };
    let mut reading = reading(args.input, unit, &args.model, &[&target])?;
    reading.rows.page_field = args.page_field;
    reading.rows = args.region.tell(reading.rows);
    reading.rows.paragraphs = match args.paragraphs {
        None | Some(ParagraphsArg::Auto) => Paragraphs::Auto,
        Some(ParagraphsArg::Blank) => Paragraphs::Blank,
        Some(ParagraphsArg::Line) => Paragraphs::Line,
        Some(ParagraphsArg::Layout) => Paragraphs::Layout,
    };
    let model = open(&args.model.model)?;
    let without = match args.no_other {
        true => Some(role(&model, Role::Furniture, "--no-other")?),
        false => None,
    };
    Ok(LabelPlan {
        reading,
        model,
        verdict: VerdictOptions { min_confidence: args.min_confidence, without, any_language: args.any_language },
        format,
        with_text: args.with_text,
        with_source: args.with_source,
        content_only: args.content_only,
        target,
    })
}

/// Resolves the arguments of `copydesk content`.
pub(super) fn content(args: ContentArgs) -> Result<ContentPlan, CliError> {
    let target = Target::new(args.output);
    let errors = args.input.errors.clone().map(|path| Target::new(Some(path)));
    let written: Vec<&Target> = std::iter::once(&target).chain(&errors).collect();
    let (sources, options) = sources(&args.input, Unit::Paragraph)?;
    let sources = sources.except(target::check(&args.input.inputs, &written)?);
    Ok(ContentPlan { sources, options, plain: args.plain, quiet: args.quiet, errors, target })
}

/// Resolves the arguments of `copydesk filter`.
pub(super) fn filter(args: FilterArgs) -> Result<FilterPlan, CliError> {
    let ham = Target::new(args.ham);
    let spam = args.spam.map(|path| Target::new(Some(path)));
    let targets: Vec<&Target> = std::iter::once(&ham).chain(&spam).collect();
    for target in &targets {
        if format_by_name(target)? == Some(OutputFormatArg::Csv) {
            return Err(CliError::OtherFormat { path: target.name(), advice: "write FILE.jsonl" });
        }
    }
    let mut reading = reading(args.input, Unit::Record, &args.model, &targets)?;
    reading.rows = reading.rows.region(Region::Comment);
    let model = open(&args.model.model)?;
    let spam_label = role(&model, Role::Spam, "filter")?;
    let threshold = match args.lose {
        Some(lose) => operating_point(&model, lose)?,
        None => args.threshold.unwrap_or_else(|| model.spam_threshold()),
    };
    Ok(FilterPlan { reading, model, spam_label, threshold, ham, spam, exit_code: args.exit_code })
}

/// Resolves the arguments of `copydesk eval`.
pub(super) fn eval(args: EvalArgs) -> Result<EvalPlan, CliError> {
    // Labelled rows are JSON whatever the file is called, unless its name says that it is a table or the like.
    let input_format = match ForeignFormat::from_extension(&args.data) {
        Some(_) => InputFormatArg::Auto,
        None => InputFormatArg::Jsonl,
    };
    let input = InputArgs::new(vec![args.data.clone()], input_format, args.text_field);
    let mut reading = reading(input, Unit::Record, &args.model, &[])?;
    reading.rows.page_field = args.page_field;
    reading.rows = args.region.tell(reading.rows);
    let model = open(&args.model.model)?;
    Ok(EvalPlan { reading, model, data: args.data, robustness: args.robustness, by: args.by, json: args.json })
}

/// The label of a role that a command or an option needs.
fn role(model: &Model, role: Role, needed_by: &'static str) -> Result<LabelId, CliError> {
    model.role(role).map_err(|error| match error {
        ModelError::NoRole { model, setting, labels } => CliError::NoRole { model, needed_by, setting, labels },
        error => CliError::Model { model: model.name().to_owned(), error },
    })
}

/// The stored threshold for a share of genuine comments lost.
fn operating_point(model: &Model, lose: f64) -> Result<f32, CliError> {
    let points = model.spam_operating_points();
    let point = points.iter().find(|point| point.lose == lose);
    point.map(|point| point.threshold).ok_or_else(|| CliError::NoOperatingPoint {
        expected: points.iter().map(|point| point.lose.to_string()).collect::<Vec<_>>().join(", "),
        got: lose,
    })
}

/// The format that the name of an output file promises; `None` where it promises none.
fn format_by_name(target: &Target) -> Result<Option<OutputFormatArg>, CliError> {
    let Target::File(path) = target else { return Ok(None) };
    if let Some(advice) = target::other_format(path) {
        return Err(CliError::OtherFormat { path: path.clone(), advice });
    }
    Ok((target::extension(path).as_deref() == Some("csv")).then_some(OutputFormatArg::Csv))
}

/// A format that was named, for a file that may have any name but one that promises compressed bytes.
fn named(format: OutputFormatArg, target: &Target) -> Result<Option<OutputFormatArg>, CliError> {
    match target {
        Target::File(path) if target::is_compressed(path) => format_by_name(target),
        _ => Ok(Some(format)),
    }
}

fn reading(input: InputArgs, unit: Unit, model: &ModelArgs, targets: &[&Target]) -> Result<Reading, CliError> {
    let errors = input.errors.clone().map(|path| Target::new(Some(path)));
    let written: Vec<&Target> = targets.iter().copied().chain(&errors).collect();
    let (sources, ReadOptions { format, paragraphs, encoding, .. }) = sources(&input, unit)?;
    let sources = sources.except(target::check(&input.inputs, &written)?);
    let threads = model.threads.unwrap_or_else(parallel::cores);
    let rows = RowOptions { format, unit, paragraphs, encoding, text_field: input.text_field, ..RowOptions::default() };
    let typed = input.inputs.is_empty() && std::io::stdin().is_terminal();
    Ok(Reading { sources, rows, threads, quiet: model.quiet, typed, errors })
}

/// Sources, or why each is none, and how they are read.
pub(super) fn sources(input: &InputArgs, unit: Unit) -> Result<(Sources, ReadOptions), CliError> {
    let got = input.inputs.iter().filter(|input| is_standard_input(input)).count();
    if got > 1 {
        return Err(CliError::StandardInputTwice { got });
    }
    if closed::is_input_closed() && (got == 1 || input.inputs.is_empty()) {
        return Err(CliError::StandardInput(closed::error()));
    }
    let format = match input.input_format {
        InputFormatArg::Auto => None,
        InputFormatArg::Text => Some(InputFormat::Text),
        InputFormatArg::Markdown => Some(InputFormat::Markdown),
        InputFormatArg::Html => Some(InputFormat::Html),
        InputFormatArg::Jsonl => Some(InputFormat::Jsonl),
        InputFormatArg::Warc => Some(InputFormat::Warc),
    };
    let options = ReadOptions { format, unit, paragraphs: Paragraphs::default(), encoding: input.encoding };
    Ok((resolve(&input.inputs), options))
}

/// An embedded model by its name, all else by folder.
pub(super) fn open(model: &Path) -> Result<Arc<Model>, CliError> {
    Model::open(model).map(Arc::new).map_err(|error| CliError::Model { model: model.display().to_string(), error })
}

fn page_style(color: ColorArg, on_terminal: bool) -> PageStyle {
    let columns = Term::stdout().size_checked().map_or(80, |(_, columns)| usize::from(columns));
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let color = match color {
        ColorArg::Auto => on_terminal && !no_color,
        ColorArg::Always => true,
        ColorArg::Never => false,
    };
    PageStyle { columns, color }
}
