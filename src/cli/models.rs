//! `copydesk models`: what is built in, and what is known of any model.

use super::args::{DEFAULT_MODEL, ModelsArgs, ModelsCommand, ShowArgs};
use super::error::CliError;
use super::job::Tally;
use super::output::{Output, Target};
use crate::model::{Cascade, EMBEDDED_CASCADE, EMBEDDED_CASCADE_BYTES, EmbeddedModel, ModelError, ModelSource};
use crate::report::{ModelCard, ModelEntry, ModelsTable};

/// Carries out the arguments.
pub(super) fn run(args: ModelsArgs) -> Result<Tally, CliError> {
    if let Some(ModelsCommand::Show(args)) = args.command {
        return show(&args);
    }
    let mut entries = Vec::new();
    for model in EmbeddedModel::ALL {
        entries.push(network(model).map_err(|error| failed(model.as_str(), error))?);
    }
    let cascade = Cascade::embedded().map_err(|error| failed(EMBEDDED_CASCADE, error))?;
    let entry = |name: &str| entries.iter().find(|entry| entry.name == name);
    let settings = cascade.settings();
    // A part under a name that is not built in is refused when the cascade is read.
    if let (Some(small), Some(large)) = (entry(&settings.small.name), entry(&settings.large.name)) {
        let default = EMBEDDED_CASCADE == DEFAULT_MODEL;
        entries.push(ModelEntry::of_cascade(&cascade, EMBEDDED_CASCADE_BYTES, small, large, default));
    }
    let mut output = Output::open(&Target::StandardOutput)?;
    if args.json {
        for entry in &entries {
            let object = serde_json::to_string(entry).expect("figures can be written as JSON; this is a bug");
            output.write(format!("{object}\n").as_bytes())?;
        }
    } else {
        output.write(ModelsTable(&entries).to_string().as_bytes())?;
    }
    output.finish()?;
    Ok(Tally::default())
}

/// What is known of one model.
fn show(args: &ShowArgs) -> Result<Tally, CliError> {
    if Cascade::is_named(&args.model) {
        return Err(CliError::OneNetworkOnly { option: "models show", got: args.model.display().to_string() });
    }
    let description = ModelSource::new(&args.model).describe();
    let description = description.map_err(|error| failed(&args.model.display().to_string(), error))?;
    let card = ModelCard::new(&description);
    let text = match args.json {
        true => serde_json::to_string(&card).expect("figures can be written as JSON; this is a bug") + "\n",
        false => card.to_string(),
    };
    let mut output = Output::open(&Target::StandardOutput)?;
    output.write(text.as_bytes())?;
    output.finish()?;
    Ok(Tally::default())
}

fn network(model: EmbeddedModel) -> Result<ModelEntry, ModelError> {
    let source = ModelSource::Embedded(model);
    let (checkpoint, digest) = (source.checkpoint()?, source.digest()?);
    Ok(ModelEntry::of_network(model.files(), &checkpoint, digest, model.as_str() == DEFAULT_MODEL))
}

fn failed(model: &str, error: ModelError) -> CliError {
    CliError::Model { model: model.to_owned(), error }
}
