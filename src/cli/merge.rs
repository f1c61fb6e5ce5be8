//! `copydesk merge`: the outputs of all parts of the work as one, once all are there.

use super::args::{MergeArgs, OutputFormatArg};
use super::error::CliError;
use super::job::{Tally, counted};
use super::plan::{of_shard, rows_of};
use super::tell;
use crate::atomic;
use crate::compress::{self, Compression};
use crate::corpus::Shard;
use crate::output::{Journal, Manifest, OutputFile, OutputFormat, RowBlock, RowFormat, Staged};
use clap::ValueEnum;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// A part of the work that is done.
struct Part {
    path: PathBuf,
    manifest: Manifest,
}

/// Carries out the arguments.
pub(super) fn run(args: MergeArgs) -> Result<Tally, CliError> {
    let MergeArgs { output, remove_parts, quiet } = args;
    let parts = parts(&output)?;
    let whole = join(&parts, &output)?;
    let format = format(&whole, &output);
    let outputs = match format.rows.is_lines() {
        true => {
            write(&parts, &output, format)?;
            vec![OutputFile::of(&output)]
        }
        // Who reads tables takes all files of a folder as one; what is joined is what they say of themselves.
        false if remove_parts => return Err(CliError::PartsAreTheTable { path: output }),
        false => parts.iter().map(|part| OutputFile::of(&part.path)).collect(),
    };
    let whole = Manifest { outputs, ..whole };
    let manifest = Manifest::beside(&output);
    atomic::write(&manifest, &whole.to_json()).map_err(|error| CliError::unwritable(&manifest, error))?;
    if remove_parts {
        for part in &parts {
            for path in [&part.path, &Manifest::beside(&part.path)] {
                fs::remove_file(path).map_err(|error| CliError::unwritable(path, error))?;
            }
        }
    }
    if !quiet {
        let (of, rows, name) = (parts.len(), counted(whole.counts.rows(), "rows"), output.display());
        match format.rows.is_lines() {
            true => tell(format_args!("{of} parts with {rows} are {name}")),
            false => tell(format_args!("all {of} parts of {name} are there, with {rows}; read them as one table")),
        }
    }
    Ok(Tally { documents: whole.documents, rows: whole.counts.rows().max(1), ..Tally::default() })
}

/// The format of the parts: as they were told to have, else as their name tells.
fn format(whole: &Manifest, output: &Path) -> OutputFormat {
    let (by_name, compression) = OutputFormat::of_name(output);
    let told = whole.options.get("output-format").and_then(|format| format.as_str());
    let told = told.and_then(|name| OutputFormatArg::from_str(name, false).ok()).and_then(rows_of);
    OutputFormat { rows: told.or(by_name).unwrap_or(RowFormat::Jsonl), compression }
}

/// All parts in their order, each whole.
fn parts(output: &Path) -> Result<Vec<Part>, CliError> {
    let of = number_of_parts(output)?;
    let mut parts = Vec::new();
    let mut missing = Vec::new();
    for index in 0..of {
        let path = of_shard(output, Shard { index, of });
        match (Manifest::read(&Manifest::beside(&path)), fs::metadata(&path)) {
            (Ok(manifest), Ok(metadata)) => {
                let told = manifest.outputs.first().map(|output| output.bytes);
                if told != Some(metadata.len()) {
                    return Err(CliError::PartChanged { path, told: told.unwrap_or(0), got: metadata.len() });
                }
                parts.push(Part { path, manifest });
            }
            (Err(error), _) if error.kind() != io::ErrorKind::NotFound => {
                return Err(CliError::NoManifest { path: Manifest::beside(&path), reason: error.to_string() });
            }
            _ => missing.push(index),
        }
    }
    match missing.is_empty() {
        true => Ok(parts),
        false => Err(CliError::PartsMissing { path: output.to_owned(), of, missing: listed(&missing) }),
    }
}

/// Numbers in words, the first few of many.
fn listed(numbers: &[u64]) -> String {
    const TOLD: usize = 20;
    let told: Vec<String> = numbers.iter().take(TOLD).map(u64::to_string).collect();
    let more = numbers.len().saturating_sub(TOLD);
    if more > 0 { format!("{} and {more} more", told.join(", ")) } else { told.join(", ") }
}

/// The number of parts that the names beside the output tell.
fn number_of_parts(output: &Path) -> Result<u64, CliError> {
    let folder = match output.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let failed = |error| CliError::Unreadable { path: folder.to_owned(), error };
    let mut found = None;
    for entry in fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let Some(shard) = name.to_str().and_then(shard_of) else { continue };
        let expected = of_shard(output, shard);
        if expected.file_name() != Some(&name) {
            continue;
        }
        match found {
            Some(of) if of != shard.of => {
                return Err(CliError::PartsOfTwoRuns { path: output.to_owned(), first: of, second: shard.of });
            }
            _ => found = Some(shard.of),
        }
    }
    found.ok_or_else(|| CliError::NoParts { path: output.to_owned() })
}

/// The part that a file name tells: `rows-00003-of-00016.jsonl`.
fn shard_of(name: &str) -> Option<Shard> {
    let (before, after) = name.rsplit_once("-of-")?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty();
    let index = before.rsplit_once('-')?.1;
    let of = after.split('.').next()?;
    if !digits(index) || !digits(of) {
        return None;
    }
    let (index, of) = (index.parse().ok()?, of.parse().ok()?);
    (index < of).then_some(Shard { index, of })
}

/// What all parts tell together; refuses parts of different runs.
fn join(parts: &[Part], output: &Path) -> Result<Manifest, CliError> {
    let Some((first, rest)) = parts.split_first() else { return Err(CliError::NoParts { path: output.to_owned() }) };
    let mut whole = first.manifest.clone();
    whole.options.remove("shard");
    whole.shard = None;
    for part in rest {
        let mut options = part.manifest.options.clone();
        options.remove("shard");
        let alike = options == whole.options
            && part.manifest.version == whole.version
            && part.manifest.model_digest == whole.model_digest;
        if !alike {
            let (first, path) = (first.path.clone(), part.path.clone());
            return Err(CliError::PartsUnlike { first, path });
        }
        let Manifest { inputs, documents, set_aside, counts, hosts, .. } = part.manifest.clone();
        // A file that two parts share stands in both.
        let shared = inputs.first().is_some_and(|input| whole.inputs.last() == Some(input));
        whole.inputs.extend(inputs.into_iter().skip(usize::from(shared)));
        whole.documents += documents;
        whole.set_aside += set_aside;
        whole.counts.add(&counts);
        whole.hosts.extend(hosts);
    }
    Ok(whole)
}

/// Writes the rows of all parts as one run would have.
fn write(parts: &[Part], output: &Path, format: OutputFormat) -> Result<(), CliError> {
    let place = atomic::place(output).map_err(|error| CliError::unwritable(output, error))?;
    let folder = Journal::folder_of(&place);
    let journal = Journal::open(folder).map_err(|error| CliError::Journal { path: output.to_owned(), error })?;
    atomic::remove_with_process(journal.folder());
    let failed = |error| CliError::unwritable(output, error);
    let mut staged = Staged::create(output, journal.folder(), 0, format, None).map_err(failed)?;
    for (number, part) in parts.iter().enumerate() {
        let unreadable = |error| CliError::Unreadable { path: part.path.clone(), error };
        let mut rows = Rows::open(&part.path, format).map_err(unreadable)?;
        let mut first = true;
        loop {
            let mut block = rows.next_block().map_err(unreadable)?;
            if block.is_empty() {
                break;
            }
            if std::mem::take(&mut first) && number > 0 && format.rows == RowFormat::Csv {
                block = block.without_first();
            }
            staged.write(&block).map_err(failed)?;
        }
    }
    staged.finish().map_err(failed)?;
    let folder = journal.folder().to_owned();
    journal.remove().map_err(|error| CliError::unwritable(&folder, error))
}

/// The rows of a file of rows.
struct Rows {
    reader: BufReader<Box<dyn Read + Send>>,
    is_csv: bool,
}

/// Bytes of rows that are handed on together.
const BLOCK_BYTES: usize = 1 << 20;

impl Rows {
    fn open(path: &Path, format: OutputFormat) -> io::Result<Rows> {
        let file = BufReader::with_capacity(1 << 16, File::open(path)?);
        let reader: Box<dyn Read + Send> = match Compression::from_extension(path) {
            Some(kind) => compress::reader(kind, file),
            None => Box::new(file),
        };
        Ok(Rows { reader: BufReader::with_capacity(1 << 16, reader), is_csv: format.rows == RowFormat::Csv })
    }

    /// The next rows; none at the end.
    fn next_block(&mut self) -> io::Result<RowBlock> {
        let mut block = RowBlock::default();
        while block.bytes().len() < BLOCK_BYTES {
            let mut row = Vec::new();
            loop {
                let length = self.reader.read_until(b'\n', &mut row)?;
                // A line break inside quotation marks ends no row; each row of ours has them in pairs.
                let open = self.is_csv && row.iter().filter(|&&byte| byte == b'"').count() % 2 == 1;
                if length == 0 || !open {
                    break;
                }
            }
            if row.is_empty() {
                break;
            }
            block.push(|out| out.append(&mut row));
        }
        Ok(block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_their_part() {
        assert_eq!(shard_of("rows-00003-of-00016.jsonl.gz"), Some(Shard { index: 3, of: 16 }));
        assert_eq!(shard_of("rows-00000-of-00001"), Some(Shard { index: 0, of: 1 }));
        for name in ["rows.jsonl", "rows-3.jsonl", "a-of-b.jsonl", "rows-00016-of-00016.jsonl", "best-of-10.jsonl"] {
            assert_eq!(shard_of(name), None, "{name}");
        }
    }

    #[test]
    fn rows_of_csv_may_go_over_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        fs::write(&path, "a,b\n1,\"x\ny \"\"z\"\"\"\n2,y\n").unwrap();
        let mut rows = Rows::open(&path, OutputFormat { rows: RowFormat::Csv, compression: None }).unwrap();
        let block = rows.next_block().unwrap();
        assert_eq!(block.iter().collect::<Vec<_>>(), [&b"a,b\n"[..], b"1,\"x\ny \"\"z\"\"\"\n", b"2,y\n"]);
        assert_eq!(block.without_first().iter().next(), Some(&b"1,\"x\ny \"\"z\"\"\"\n"[..]));
        assert!(rows.next_block().unwrap().is_empty());
    }
}
