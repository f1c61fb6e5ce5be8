//! Outputs in columns: what their columns are, and their row groups on the way to one file. Without the feature `columnar` there are none.

use super::format::RowFormat;
use super::staged::Lost;
use std::fs::File;
use std::io;
use std::path::Path;
#[cfg(feature = "columnar")]
pub(crate) use with_feature::Columns;
#[cfg(feature = "columnar")]
pub(super) use with_feature::{join, segment};
#[cfg(not(feature = "columnar"))]
pub(crate) use without_feature::{Columns, Table};
#[cfg(not(feature = "columnar"))]
pub(super) use without_feature::{join, segment};

/// The columns of a table.
#[cfg(feature = "columnar")]
pub(crate) type Table = crate::report::columnar::TableSchema;

#[cfg(not(feature = "columnar"))]
mod without_feature {
    use super::*;
    use std::sync::Arc;

    /// There is none.
    #[derive(Debug)]
    pub(crate) enum Table {}

    /// There are none.
    #[derive(Debug)]
    pub(crate) enum Columns {}

    impl Columns {
        pub fn of(&self, _: Option<&Path>) -> Arc<Table> {
            match *self {}
        }
    }

    pub(in crate::output) fn segment(table: &Table, _: RowFormat, _: &[u8], _: &mut Lost) -> io::Result<Vec<u8>> {
        match *table {}
    }

    pub(in crate::output) fn join(table: &Table, _: RowFormat, _: &Path, _: u64, _: File) -> io::Result<File> {
        match *table {}
    }
}

#[cfg(feature = "columnar")]
mod with_feature {
    use super::*;
    use crate::corpus::{ChunkReader, Item, ReadOptions, Record, Unit, resolve, table_schema};
    use crate::label::LabelSet;
    use crate::report::columnar::{
        ArrowLayout, Kept, SegmentFormat, TableOptions, attributes_schema, join_arrow, join_parquet, paragraph_schema,
        record_schema,
    };
    use crate::report::{Attributes, Keep};
    use bytes::Bytes;
    use std::io::{BufReader, Read, Take};
    use std::sync::Arc;

    /// Chunks of records whose fields become columns; a field that comes later stands in the column of other fields.
    const CHUNKS_LOOKED_AT: usize = 4;

    /// What the columns follow from.
    #[derive(Debug)]
    pub(crate) struct Columns {
        pub labels: LabelSet,
        pub unit: Unit,
        pub with_source: bool,
        pub with_text: bool,
        /// Fields of the input that paragraph rows keep.
        pub keep: Option<Keep>,
        /// Name of the attributes, where rows are attributes of documents.
        pub attributes: Option<String>,
        pub read: ReadOptions,
    }

    impl Columns {
        /// The columns of rows of a source; without one, of those that come from anywhere.
        pub fn of(&self, source: Option<&Path>) -> Arc<Table> {
            // What cannot be read is told when it is its turn.
            let schema = source.and_then(|source| table_schema(source).ok());
            if let Some(name) = &self.attributes {
                let id = schema.as_ref().and_then(|schema| schema.fields().iter().find(|field| field.name() == "id"));
                return Arc::new(attributes_schema(id, &Attributes::names(name, &self.labels)));
            }
            let fields: Vec<Kept> = match &schema {
                Some(schema) => schema.fields().iter().map(|field| Kept::Column(Arc::clone(field))).collect(),
                None => source.map_or_else(Vec::new, |source| fields_of(source, self.read)),
            };
            let (kept, with_other_fields) = match (self.unit, &self.keep) {
                (Unit::Record, _) => (fields, schema.is_none()),
                (Unit::Paragraph, None) => (Vec::new(), false),
                (Unit::Paragraph, Some(Keep::AllBut(text))) => {
                    (fields.into_iter().filter(|field| field.name() != text).collect(), schema.is_none())
                }
                (Unit::Paragraph, Some(Keep::Named(names))) => {
                    let known = |name: &String| fields.iter().find(|field| field.name() == name).cloned();
                    (names.iter().map(|name| known(name).unwrap_or_else(|| Kept::Field(name.clone()))).collect(), false)
                }
            };
            let &Columns { with_source, with_text, .. } = self;
            let options = TableOptions { with_source, with_text, with_content: true, kept, with_other_fields };
            Arc::new(match self.unit {
                Unit::Paragraph => paragraph_schema(&self.labels, &options),
                Unit::Record => record_schema(&self.labels, &options),
            })
        }
    }

    /// The fields of the first records of a source, in the order in which they come.
    fn fields_of(source: &Path, options: ReadOptions) -> Vec<Kept> {
        let mut names: Vec<String> = Vec::new();
        let options = ReadOptions { unit: Unit::Record, ..options };
        for chunk in ChunkReader::new(resolve(&[source.to_owned()]), options).take(CHUNKS_LOOKED_AT) {
            for item in &chunk.items {
                let Item::Record(line) = item else { continue };
                let Ok(record) = Record::parse(&line.text) else { continue };
                for field in record.fields() {
                    if !names.iter().any(|name| *name == *field.key) {
                        names.push(field.key.to_string());
                    }
                }
            }
        }
        if names.is_empty() {
            // A record of plain text is its line.
            names.push("text".to_owned());
        }
        names.into_iter().map(Kept::Field).collect()
    }

    /// A block of rows in columns, with its length before it.
    pub(in crate::output) fn segment(
        table: &Table,
        format: RowFormat,
        rows: &[u8],
        lost: &mut Lost,
    ) -> io::Result<Vec<u8>> {
        let segment = match format {
            RowFormat::Arrow | RowFormat::ArrowStream => SegmentFormat::Arrow,
            _ => SegmentFormat::Parquet,
        };
        let encoded = table.encode(rows, segment).map_err(io::Error::other)?;
        lost.values += encoded.refused;
        if let (None, Some(refused)) = (&lost.example, encoded.told.first()) {
            lost.example = Some(format!("{}: {}", refused.column, refused.reason));
        }
        lost.fields.extend(encoded.left_out);
        let mut bytes = (encoded.bytes.len() as u64).to_le_bytes().to_vec();
        bytes.extend(encoded.bytes);
        Ok(bytes)
    }

    /// The segments of a part.
    struct Segments(Take<BufReader<File>>);

    impl Iterator for Segments {
        type Item = io::Result<Bytes>;

        fn next(&mut self) -> Option<io::Result<Bytes>> {
            if self.0.limit() == 0 {
                return None;
            }
            let mut length = [0; 8];
            let segment = self.0.read_exact(&mut length).and_then(|()| {
                let length = u64::from_le_bytes(length);
                let mut bytes = Vec::new();
                // The length is believed only as far as there are bytes.
                (&mut self.0).take(length).read_to_end(&mut bytes)?;
                match bytes.len() as u64 == length {
                    true => Ok(Bytes::from(bytes)),
                    false => Err(io::ErrorKind::UnexpectedEof.into()),
                }
            });
            Some(segment)
        }
    }

    /// Makes one file of the segments in the first bytes of a part.
    pub(in crate::output) fn join(
        table: &Table,
        format: RowFormat,
        part: &Path,
        part_bytes: u64,
        file: File,
    ) -> io::Result<File> {
        let segments = Segments(BufReader::new(File::open(part)?).take(part_bytes));
        let joined = match format {
            RowFormat::Arrow => join_arrow(segments, table, ArrowLayout::File, file),
            RowFormat::ArrowStream => join_arrow(segments, table, ArrowLayout::Stream, file),
            _ => join_parquet(segments, table, file),
        };
        joined.map_err(io::Error::other)
    }
}
