//! From raw arguments to everything a command needs, decided before any work is done.

use super::args::{
    ColorArg, ContentArgs, EvalArgs, InputArgs, InputFormatArg, KeepFields, LabelArgs, ModelArgs, OffsetsArg,
    OutputFormatArg, ParagraphsArg, RunArgs, UnitArg,
};
use super::closed;
use super::error::CliError;
use super::label_rows::{Look, Rows};
use super::options;
use super::output_columns;
use super::part::sample;
use super::run::{FileFormat, OutputPlan, Outputs, PathRule, RunPlan, attributes_of};
use super::target::{self, Target};
use crate::comment::CommentModel;
use crate::corpus::{
    Choice, ForeignFormat, InputFormat, ReadOptions, Shard, Sources, Unit, is_standard_input, resolve,
};
use crate::eval::LOSS_BUDGETS;
use crate::explain::Question;
use crate::label::LabelId;
use crate::model::{Model, ModelError, NO_MODEL, Role};
use crate::output::{Columns, OutputFormat, RowFormat, with_suffix};
use crate::parallel;
use crate::pipeline::{Labeller, RowOptions};
use crate::query::Expression;
use crate::report::{Keep, PageStyle, VerdictOptions};
use crate::text::Paragraphs;
use serde_json::{Map, Value};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What every command reads, and how it works on it.
pub(super) struct Reading {
    pub sources: Sources,
    /// Inputs as given.
    pub inputs: Vec<PathBuf>,
    pub rows: RowOptions,
    /// Which documents and records are wanted.
    pub choice: Choice,
    pub threads: usize,
    /// Whether to show neither progress nor summary.
    pub quiet: bool,
    /// Whether no input was named and standard input is a terminal.
    pub typed: bool,
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
    pub rows: Rows,
    /// What is to be said of why a text has its label.
    pub question: Option<Question>,
    pub run: RunPlan,
    /// The one output; `None` where there are several.
    pub target: Option<Target>,
    /// Whether everything is only read and counted.
    pub dry_run: bool,
}

/// `copydesk content`.
pub(super) struct ContentPlan {
    pub sources: Sources,
    pub inputs: Vec<PathBuf>,
    pub options: ReadOptions,
    pub plain: bool,
    pub quiet: bool,
    pub errors: Option<Target>,
    pub target: Target,
}

/// `copydesk eval`.
pub(super) struct EvalPlan {
    pub reading: Reading,
    pub model: Arc<Model>,
    pub data: PathBuf,
    pub robustness: bool,
    /// Whether the deletion test is wanted.
    pub explain: bool,
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
    if args.part.shard.is_some() && (args.outputs.split_by.is_some() || !has_files_only(&args.input.inputs)) {
        return Err(CliError::ShardOfFiles);
    }
    let options = options::label(&args);
    let filter = args.filter.as_deref().map(expression).transpose()?;
    let model = match args.model.model.to_str() {
        Some(NO_MODEL) if args.explain.is_some() => return Err(CliError::ExplainNeedsModel),
        Some(NO_MODEL) => opened(&args.model.model, Model::none())?,
        _ => open(&args.model.model)?,
    };
    if let Some(filter) = &filter {
        filter.check_labels(model.labels()).map_err(CliError::Where)?;
    }
    let without = match args.no_other {
        true => Some(role(&model, Role::Furniture, "--no-other")?),
        false => None,
    };
    let (target, format, look) = output(&args)?;
    if args.explain.is_some() && !(format.rows == RowFormat::Jsonl && matches!(look, Look::Jsonl | Look::Pretty(_))) {
        return Err(CliError::ExplainNeedsJson);
    }
    let question = args.explain.map(|words| Question { label: None, left_out: without, words, neighbours: 0 });
    let keep = args.outputs.keep_fields.clone().map(|keep| match keep {
        KeepFields::All => Keep::AllBut(args.input.text_field.clone()),
        KeepFields::Named(names) => Keep::Named(names),
    });
    if matches!((&look, &keep), (Look::Csv, Some(Keep::AllBut(_)))) {
        return Err(CliError::KeepAllInCsv);
    }
    let chars = args.outputs.offsets == OffsetsArg::Chars || args.outputs.attributes.is_some();
    let rows = Rows {
        labels: model.labels().clone(),
        verdict: VerdictOptions {
            // No model is sure of anything.
            min_confidence: if model.is_none() { 1.0 } else { args.min_confidence },
            without,
            any_language: args.any_language,
        },
        look,
        with_text: args.with_text,
        with_source: args.with_source,
        content_only: args.content_only,
        filter,
        keep,
        chars,
        explained: args.explain.is_some(),
        all_reasons: false,
        by_label: args.outputs.split_by.is_some(),
    };
    let columns = columns(&args.input, &rows, format, unit, args.outputs.attributes.clone())?;
    let format = FileFormat { format, header: rows.header(unit), columns, table: None };
    let (targets, written) = match (args.outputs.output_dir, args.outputs.attributes) {
        (Some(dir), _) => (Vec::new(), Outputs::BySource(PathRule::Below { dir, format })),
        (None, Some(name)) => {
            let home = attributes_home(&args.input.inputs, &name)?;
            (Vec::new(), Outputs::BySource(PathRule::Attributes { home, name, format }))
        }
        (None, None) => {
            let targets = match (&target, rows.by_label) {
                (Target::File(path), true) => {
                    let names = model.labels().iter().map(|label| label.as_str()).chain(["no_label"]);
                    names.map(|name| Target::File(with_suffix(path, &format!(".{name}")))).collect()
                }
                (_, true) => return Err(CliError::SplitNeedsFile),
                (_, false) => vec![target.clone()],
            };
            let table = format.columns.as_ref().map(|columns| {
                // A pipe can be read only once.
                let first = first_source(&args.input.inputs).filter(|(_, size)| size.is_some());
                columns.of(first.as_ref().map(|(path, _)| path.as_path()))
            });
            let format = FileFormat { table, columns: None, ..format };
            let plan = |target: &Target| OutputPlan { target: target.clone(), format: format.clone() };
            let outputs = targets.iter().map(plan).collect();
            (targets, Outputs::Together(outputs))
        }
    };
    let by_source = matches!(written, Outputs::BySource(_));
    let written = Written { targets, outputs: written, options };
    let (mut reading, run) = reading_and_run(args.input, unit, &args.model, args.run, written, &model)?;
    let shard = args.part.shard;
    let run = RunPlan { manifest: run.manifest || by_source || shard.is_some(), shard, ..run };
    if let Some(shard) = shard {
        reading.sources = reading.sources.part(&reading.inputs, shard, by_source);
    }
    reading.rows.page_field = args.page_field;
    reading.rows = args.region.tell(reading.rows);
    reading.rows.chars = chars;
    reading.rows.paragraphs = match args.paragraphs {
        None | Some(ParagraphsArg::Auto) => Paragraphs::Auto,
        Some(ParagraphsArg::Blank) => Paragraphs::Blank,
        Some(ParagraphsArg::Line) => Paragraphs::Line,
        Some(ParagraphsArg::Layout) => Paragraphs::Layout,
    };
    let target = (!by_source && !rows.by_label).then_some(target);
    reading.choice = match (args.part.limit, args.part.sample) {
        (Some(limit), _) => Choice::First(limit),
        (None, Some(_)) if !run.can_resume => return Err(CliError::SampleNeedsFiles),
        (None, Some(size)) if !args.part.dry_run => sample(&reading, run.walk(), size, args.part.seed),
        _ => Choice::All,
    };
    Ok(LabelPlan { reading, model, rows, question, run, target, dry_run: args.part.dry_run })
}

/// The output that is named, its format, and how rows look.
fn output(args: &LabelArgs) -> Result<(Target, OutputFormat, Look), CliError> {
    let target = match (Target::new(args.output.clone()), args.part.shard) {
        (Target::File(path), Some(shard)) => Target::File(of_shard(&path, shard)),
        (target, _) => target,
    };
    let several = args.outputs.output_dir.is_some() || args.outputs.attributes.is_some();
    let on_terminal = !several && target == Target::StandardOutput && std::io::stdout().is_terminal();
    let (by_name, compression) = match &target {
        Target::File(path) => {
            // Whoever names the format may call the file as he likes.
            if let Some(advice) = target::other_format(path).filter(|_| args.output_format.is_none()) {
                return Err(CliError::OtherFormat { path: path.clone(), advice });
            }
            OutputFormat::of_name(path)
        }
        _ => (None, None),
    };
    let look = match (&args.outputs.attributes, args.output_format, by_name) {
        (Some(name), ..) => Look::Attributes(name.clone()),
        (None, Some(OutputFormatArg::Pretty), _) => Look::Pretty(page_style(args.color, on_terminal)),
        (None, None, None) if on_terminal => Look::Pretty(page_style(args.color, on_terminal)),
        (None, Some(OutputFormatArg::Csv), _) | (None, None, Some(RowFormat::Csv)) => Look::Csv,
        // Tables are made of rows of JSON.
        _ => Look::Jsonl,
    };
    let rows = match (args.output_format, by_name) {
        (Some(format), _) => rows_of(format).unwrap_or(RowFormat::Jsonl),
        (None, Some(format)) => format,
        (None, None) if args.outputs.attributes.is_some() => attributes_format(&args.input.inputs),
        (None, None) => RowFormat::Jsonl,
    };
    if rows == RowFormat::Csv && args.outputs.attributes.is_some() {
        return Err(CliError::AttributesInCsv);
    }
    if !rows.is_lines() && (compression.is_some() || !(several || matches!(target, Target::File(_)))) {
        return Err(CliError::TableNeedsFile { extension: rows.extension() });
    }
    Ok((target, OutputFormat { rows, compression }, look))
}

/// The format that is named; `None` for pages to read in a terminal, which are no rows.
pub(super) fn rows_of(format: OutputFormatArg) -> Option<RowFormat> {
    match format {
        OutputFormatArg::Jsonl => Some(RowFormat::Jsonl),
        OutputFormatArg::Csv => Some(RowFormat::Csv),
        OutputFormatArg::Parquet => Some(RowFormat::Parquet),
        OutputFormatArg::Arrow => Some(RowFormat::Arrow),
        OutputFormatArg::ArrowStream => Some(RowFormat::ArrowStream),
        OutputFormatArg::Pretty => None,
    }
}

/// The path of the first input that can be found, with its size.
fn first_source(inputs: &[PathBuf]) -> Option<(PathBuf, Option<u64>)> {
    resolve(inputs).find_map(Result::ok).map(|source| (PathBuf::from(&*source.name), source.size_bytes))
}

/// Attributes are stored as their documents are.
fn attributes_format(inputs: &[PathBuf]) -> RowFormat {
    let format = first_source(inputs).and_then(|(path, _)| OutputFormat::of_name(&path).0);
    format.filter(|format| *format == RowFormat::Parquet).unwrap_or(RowFormat::Jsonl)
}

/// What makes the columns of a table.
#[cfg(feature = "columnar")]
fn columns(
    input: &InputArgs,
    rows: &Rows,
    format: OutputFormat,
    unit: Unit,
    attributes: Option<String>,
) -> Result<Option<Arc<Columns>>, CliError> {
    if format.rows.is_lines() {
        return Ok(None);
    }
    let (_, read) = sources(input, unit)?;
    let (labels, keep) = (rows.labels.clone(), rows.keep.clone());
    let Rows { with_source, with_text, .. } = *rows;
    Ok(Some(Arc::new(Columns { labels, unit, with_source, with_text, keep, attributes, read })))
}

/// This build has none.
#[cfg(not(feature = "columnar"))]
fn columns(
    _: &InputArgs,
    _: &Rows,
    format: OutputFormat,
    _: Unit,
    _: Option<String>,
) -> Result<Option<Arc<Columns>>, CliError> {
    if format.rows.is_lines() { Ok(None) } else { Err(CliError::NoColumnar) }
}

/// The folder of the attributes of the first input.
fn attributes_home(inputs: &[PathBuf], name: &str) -> Result<PathBuf, CliError> {
    let path = first_source(inputs).map_or_else(|| PathBuf::from("-"), |(path, _)| path);
    let output = attributes_of(&path, name)?;
    let below = path.components().rev().take_while(|part| part.as_os_str() != "documents").count();
    Ok(output.ancestors().nth(below).map(Path::to_owned).unwrap_or_default())
}

/// Resolves the arguments of `copydesk content`.
pub(super) fn content(args: ContentArgs) -> Result<ContentPlan, CliError> {
    let target = Target::new(args.output);
    let errors = args.input.errors.clone().map(|path| Target::new(Some(path)));
    let written: Vec<&Target> = std::iter::once(&target).chain(&errors).collect();
    let (sources, options) = sources(&args.input, Unit::Paragraph)?;
    let sources = sources.except(target::check(&args.input.inputs, &written)?);
    let inputs = args.input.inputs;
    Ok(ContentPlan { sources, inputs, options, plain: args.plain, quiet: args.quiet, errors, target })
}

/// What a command writes, and every option that it depends on.
pub(super) struct Written {
    pub targets: Vec<Target>,
    pub outputs: Outputs,
    pub options: Map<String, Value>,
}

/// What is read, and the run that writes what comes of it.
pub(super) fn reading_and_run(
    input: InputArgs,
    unit: Unit,
    model_args: &ModelArgs,
    run: RunArgs,
    written: Written,
    model: &Model,
) -> Result<(Reading, RunPlan), CliError> {
    let Written { targets, outputs, options } = written;
    let errors = input.errors.clone().map(|path| Target::new(Some(path)));
    let can_resume = has_files_only(&input.inputs);
    if run.resume && !can_resume {
        return Err(CliError::CannotResume);
    }
    let reading = reading(input, unit, model_args, &targets.iter().chain(&errors).collect::<Vec<_>>())?;
    let mut plan = RunPlan {
        outputs,
        errors: errors.into_iter().map(|target| OutputPlan { target, format: FileFormat::default() }).collect(),
        inputs: reading.inputs.clone(),
        threads: reading.threads,
        quiet: reading.quiet,
        resume: run.resume,
        restart: run.restart,
        can_resume,
        between_checkpoints: Duration::from_secs(run.checkpoint_seconds),
        manifest: run.manifest || run.resume,
        hash_inputs: run.hash_inputs,
        max_errors: run.max_errors,
        shard: None,
        model: model_args.model.display().to_string(),
        model_digest: String::new(),
        options,
    };
    if plan.has_files() {
        // Its files are read once more for it, which whoever writes to a pipe need not wait for.
        let fingerprint = model.fingerprint(&model_args.model);
        plan.model_digest = fingerprint.map_err(|error| CliError::Model { model: plan.model.clone(), error })?;
    }
    Ok((reading, plan))
}

/// Whether all inputs are still there when a later run wants them.
pub(super) fn has_files_only(inputs: &[PathBuf]) -> bool {
    // What does not exist is an error in its place, now and later.
    let is_file = |metadata: std::fs::Metadata| metadata.is_file() || metadata.is_dir();
    let can_be_read_again =
        |input: &PathBuf| !is_standard_input(input) && std::fs::metadata(input).map_or(true, is_file);
    !inputs.is_empty() && inputs.iter().all(can_be_read_again)
}

/// The name of a part of an output.
pub(super) fn of_shard(path: &Path, Shard { index, of }: Shard) -> PathBuf {
    with_suffix(path, &format!("-{index:05}-of-{of:05}"))
}

/// Resolves the arguments of `copydesk eval`.
pub(super) fn eval(args: EvalArgs) -> Result<EvalPlan, CliError> {
    let mut reading = labelled(&args.data, args.text_field, &args.model)?;
    reading.rows.page_field = args.page_field;
    reading.rows = args.region.tell(reading.rows);
    let model = open(&args.model.model)?;
    let EvalArgs { data, robustness, explain, by, json, .. } = args;
    Ok(EvalPlan { reading, model, data, robustness, explain, by, json })
}

/// How a file of labelled rows is read.
pub(super) fn labelled(data: &Path, text_field: String, model: &ModelArgs) -> Result<Reading, CliError> {
    // Labelled rows are JSON whatever the file is called, unless its name says that it is a table or the like.
    let named = InputFormat::from_extension(data);
    let is_table = matches!(named, Some(InputFormat::Csv | InputFormat::Tsv));
    let input_format = match ForeignFormat::from_extension(data) {
        None if !is_table => InputFormatArg::Jsonl,
        _ => InputFormatArg::Auto,
    };
    let input = InputArgs::new(vec![data.to_owned()], input_format, text_field);
    reading(input, Unit::Record, model, &[])
}

/// What `--where` asks for.
pub(super) fn expression(text: &str) -> Result<Expression, CliError> {
    Expression::parse(text).map_err(CliError::Where)
}

/// The label of a role that a command or an option needs.
pub(super) fn role(model: &Model, role: Role, needed_by: &'static str) -> Result<LabelId, CliError> {
    model.role(role).map_err(|error| match error {
        ModelError::NoRole { model, setting, labels } => CliError::NoRole { model, needed_by, setting, labels },
        error => CliError::Model { model: model.name().to_owned(), error },
    })
}

/// The score of a whole comment from which it is spam if about this share of genuine ones may be lost.
pub(super) fn comment_threshold(lose: f64) -> Result<f32, CliError> {
    CommentModel::embedded().threshold(lose).ok_or_else(|| CliError::NoOperatingPoint {
        expected: LOSS_BUDGETS.map(|lose| lose.to_string()).join(", "),
        got: lose,
    })
}

/// The stored threshold for a share of genuine comments lost.
pub(super) fn operating_point(model: &Model, lose: f64) -> Result<f32, CliError> {
    let points = model.spam_operating_points();
    let point = points.iter().find(|point| point.lose == lose);
    point.map(|point| point.threshold).ok_or_else(|| CliError::NoOperatingPoint {
        expected: points.iter().map(|point| point.lose.to_string()).collect::<Vec<_>>().join(", "),
        got: lose,
    })
}

fn reading(input: InputArgs, unit: Unit, model: &ModelArgs, targets: &[&Target]) -> Result<Reading, CliError> {
    let (sources, ReadOptions { format, paragraphs, encoding, .. }) = sources(&input, unit)?;
    let sources = sources.except(target::check(&input.inputs, targets)?);
    let threads = model.threads.unwrap_or_else(parallel::cores);
    let rows = RowOptions { format, unit, paragraphs, encoding, text_field: input.text_field, ..RowOptions::default() };
    let typed = input.inputs.is_empty() && std::io::stdin().is_terminal();
    let (inputs, choice) = (input.inputs, Choice::All);
    Ok(Reading { sources, inputs, rows, choice, threads, quiet: model.quiet, typed })
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
        InputFormatArg::Csv => Some(InputFormat::Csv),
        InputFormatArg::Tsv => Some(InputFormat::Tsv),
        InputFormatArg::Mail => Some(InputFormat::Mail),
        InputFormatArg::Warc => Some(InputFormat::Warc),
        InputFormatArg::Wxr => Some(InputFormat::Wxr),
        InputFormatArg::Disqus => Some(InputFormat::Disqus),
        InputFormatArg::Sql => Some(InputFormat::Sql),
        InputFormatArg::Yaml => Some(InputFormat::Yaml),
        InputFormatArg::Sqlite => Some(InputFormat::Sqlite),
    };
    let options = ReadOptions { format, unit, paragraphs: Paragraphs::default(), encoding: input.encoding };
    Ok((resolve(&input.inputs), options))
}

/// An embedded model by its name, all else by folder.
pub(super) fn open(model: &Path) -> Result<Arc<Model>, CliError> {
    opened(model, Model::open(model))
}

fn opened(name: &Path, model: Result<Model, ModelError>) -> Result<Arc<Model>, CliError> {
    model.map(Arc::new).map_err(|error| CliError::Model { model: name.display().to_string(), error })
}

fn page_style(color: ColorArg, on_terminal: bool) -> PageStyle {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let color = match color {
        ColorArg::Auto => on_terminal && !no_color,
        ColorArg::Always => true,
        ColorArg::Never => false,
    };
    PageStyle { columns: output_columns(), color }
}
