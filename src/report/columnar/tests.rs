use super::error::ColumnarError;
use super::segment::Encoded;
use super::segment::Refused;
use super::*;
use crate::label::{LabelSet, built_in};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int32Type, UInt32Type, UInt64Type};
use arrow_array::{Array, RecordBatch};
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{DataType, Field, IntervalUnit, TimeUnit};
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::io::{self, Cursor};
use std::sync::Arc;

fn labels() -> LabelSet {
    built_in::scores([0.2; 5]).labels().clone()
}

const VERDICT: &str = "\"label\": \"opinion\", \"confidence\": 0.75, \"scores\": {\"reporting\": 0.25, \"opinion\": 0.75, \
    \"comment_spam\": 0.0, \"quotation\": 0.0, \"other\": 0.0}, \"tokens\": 7, \"windows\": 1, \"lang\": null";

fn read(parquet: Vec<u8>) -> Vec<RecordBatch> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(parquet)).unwrap().build().unwrap();
    reader.map(Result::unwrap).collect()
}

fn encode(schema: &TableSchema, rows: &str) -> (RecordBatch, Encoded) {
    let encoded = schema.encode(rows.as_bytes(), SegmentFormat::Parquet).unwrap();
    let mut batches = read(encoded.bytes.clone());
    assert!(batches.len() <= 1);
    let batch = batches.pop().unwrap_or_else(|| RecordBatch::new_empty(Arc::clone(schema.arrow())));
    let stream = schema.encode(rows.as_bytes(), SegmentFormat::Arrow).unwrap();
    let streamed = StreamReader::try_new(Cursor::new(stream.bytes), None).unwrap().next();
    assert_eq!(streamed.unwrap().unwrap(), batch);
    (batch, encoded)
}

fn text(batch: &RecordBatch, column: &str) -> Vec<Option<String>> {
    let column = batch.column_by_name(column).unwrap().as_string::<i32>();
    column.iter().map(|text| text.map(str::to_owned)).collect()
}

fn some(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|text| (*text != "-").then(|| (*text).to_owned())).collect()
}

fn paragraphs() -> TableSchema {
    let options = TableOptions { with_source: true, with_text: true, with_content: true, ..TableOptions::default() };
    paragraph_schema(&labels(), &options)
}

fn paragraph(number: u32, more: &str) -> String {
    format!(
        "{{\"doc\": \"d\", \"paragraph\": {number}, \"start\": 5, \"end\": 18446744073709551615, \"file\": \"f\", \"line\": null, \
         {VERDICT}{more}, \"text\": \"t\\u00e9\\n{number}\"}}\n"
    )
}

#[test]
fn paragraph_rows_become_columns() {
    let schema = paragraphs();
    let rows = paragraph(0, "") + &paragraph(1, ", \"reason\": \"not English\", \"content\": 0.5");
    let (batch, encoded) = encode(&schema, &rows);
    assert_eq!((encoded.rows, encoded.refused, encoded.left_out.len()), (2, 0, 0));
    let names: Vec<&str> = schema.arrow().fields().iter().map(|field| field.name().as_str()).collect();
    let expected = "doc paragraph start end file line label confidence scores tokens windows lang reason content text";
    assert_eq!(names.join(" "), expected);
    assert_eq!(batch.column(1).as_primitive::<UInt32Type>().values(), &[0, 1]);
    assert_eq!(batch.column(3).as_primitive::<UInt64Type>().value(0), u64::MAX);
    assert!(batch.column(5).is_null(0));
    let scores = batch.column(8).as_struct();
    assert_eq!(scores.column_by_name("opinion").unwrap().as_primitive::<Float32Type>().value(1), 0.75);
    assert_eq!(text(&batch, "reason"), some(&["-", "not English"]));
    assert_eq!(text(&batch, "text"), some(&["té\n0", "té\n1"]));
    let content = batch.column_by_name("content").unwrap().as_primitive::<Float32Type>();
    assert_eq!((content.is_null(0), content.value(1)), (true, 0.5));
}

#[test]
fn fields_of_records_are_kept_as_text_whatever_they_are() {
    let kept = ["id", "text", "label", "reason"].map(|name| Kept::Field(name.to_owned()));
    let options = TableOptions { kept: kept.to_vec(), ..TableOptions::default() };
    let schema = record_schema(&labels(), &options);
    let rows = format!(
        "{{\"id\": 1e400, \"text\": \"a\", \"input_label\": [1, {{\"x\": null}}], \"reason\": \"mine\", \"more\": 5, {VERDICT}}}\n\
         {{\"text\": null, \"input_reason\": \"mine\", \"input_label\": true, {VERDICT}, \"reason\": \"not readable\"}}\n\
         {{\"id\": NaN, \"reason\": \"early\", \"label\": null, \"reason\": \"the text is blank\"}}\n"
    );
    let (batch, encoded) = encode(&schema, &rows);
    assert_eq!(encoded.left_out.iter().collect::<Vec<_>>(), ["more"]);
    assert_eq!(text(&batch, "id"), some(&["1e400", "-", "NaN"]));
    assert_eq!(text(&batch, "text"), some(&["a", "-", "-"]));
    assert_eq!(text(&batch, "input_label"), some(&["[1, {\"x\": null}]", "true", "-"]));
    assert_eq!(text(&batch, "input_reason"), some(&["mine", "mine", "-"]));
    assert_eq!(text(&batch, "reason"), some(&["-", "not readable", "the text is blank"]));
    assert_eq!(text(&batch, "label"), some(&["opinion", "opinion", "-"]));
    let all = TableOptions { with_other_fields: true, ..options };
    let (batch, encoded) = encode(&record_schema(&labels(), &all), &rows);
    assert!(encoded.left_out.is_empty());
    assert_eq!(text(&batch, "other_fields"), some(&["{\"more\": 5}", "-", "{\"reason\": \"early\"}"]));
}

#[test]
fn names_that_are_taken_get_another() {
    let kept = ["lang", "input_lang", "lang"].map(|name| Kept::Field(name.to_owned()));
    let schema = record_schema(&labels(), &TableOptions { kept: kept.to_vec(), ..TableOptions::default() });
    let names: Vec<&str> = schema.arrow().fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names[..2], ["input_input_lang", "input_lang"]);
    let row = format!("{{\"input_input_lang\": \"a\", \"input_lang\": \"b\", {VERDICT}}}\n");
    let (batch, _) = encode(&schema, &row);
    assert_eq!((text(&batch, "input_input_lang"), text(&batch, "input_lang")), (some(&["a"]), some(&["b"])));
}

#[test]
fn fields_of_ours_are_never_taken_for_those_of_the_input() {
    let kept = ["file", "doc", "reason"].map(|name| Kept::Field(name.to_owned())).to_vec();
    let options = TableOptions { with_source: true, kept, ..TableOptions::default() };
    let row = format!("{{\"file\": \"f\", \"line\": 1, {VERDICT}, \"reason\": \"r\"}}\n");
    let (batch, _) = encode(&record_schema(&labels(), &options), &row);
    assert_eq!([text(&batch, "input_file"), text(&batch, "input_reason")], [some(&["-"]), some(&["-"])]);
    assert_eq!([text(&batch, "file"), text(&batch, "reason")], [some(&["f"]), some(&["r"])]);
    let schema = paragraph_schema(&labels(), &options);
    let row = paragraph(0, "").replace("}\n", ", \"input_file\": \"mine\"}\n");
    let (batch, _) = encode(&schema, &row);
    assert_eq!([text(&batch, "input_file"), text(&batch, "input_doc")], [some(&["mine"]), some(&["-"])]);
    assert_eq!((text(&batch, "doc"), schema.arrow().field(0).name().as_str()), (some(&["d"]), "doc"));
    assert_eq!(schema.arrow().fields().last().unwrap().name(), "input_reason");
}

fn kept(data_type: DataType) -> TableSchema {
    let field = Arc::new(Field::new("c", data_type, false));
    record_schema(&labels(), &TableOptions { kept: vec![Kept::Column(field)], ..TableOptions::default() })
}

fn item(data_type: DataType) -> Arc<Field> {
    Arc::new(Field::new("item", data_type, true))
}

/// Types go through JSON and come out as they were; the value is what the reader of tables writes for it.
#[test]
fn columns_keep_their_types() {
    let zone = |name: &str| DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from(name)));
    let pair = vec![Field::new("keys", DataType::Utf8, false), Field::new("values", DataType::Int32, true)];
    let map = DataType::Map(Arc::new(Field::new("entries", DataType::Struct(pair.into()), false)), false);
    let same = [
        (DataType::Int8, "-7"),
        (DataType::UInt64, "18446744073709551615"),
        (DataType::Float16, "0.5"),
        (DataType::Float64, "0.1"),
        (DataType::Boolean, "true"),
        (DataType::LargeUtf8, "\"é\""),
        (DataType::Utf8View, "\"a text that is longer than twelve bytes\""),
        (DataType::Binary, "\"00ff\""),
        (DataType::LargeBinary, "\"00ff\""),
        (DataType::BinaryView, "\"00ff\""),
        (DataType::FixedSizeBinary(2), "\"0102\""),
        (DataType::Date32, "\"2024-02-29\""),
        (DataType::Time32(TimeUnit::Millisecond), "\"01:01:01.500\""),
        (DataType::Time64(TimeUnit::Nanosecond), "\"00:00:00.000000001\""),
        (DataType::Timestamp(TimeUnit::Millisecond, None), "\"1970-01-01T00:00:01.500\""),
        (zone("UTC"), "\"1970-01-01T00:00:00Z\""),
        (zone("Europe/Paris"), "\"1970-01-01T01:00:00+01:00\""),
        (DataType::Decimal128(10, 2), "-123.45"),
        (DataType::Decimal256(50, 1), "0.5"),
        (DataType::List(item(DataType::Int32)), "[1,null]"),
        (DataType::LargeList(item(DataType::Utf8)), "[\"a\"]"),
        (DataType::FixedSizeList(item(DataType::Int32), 2), "[1,2]"),
        (DataType::Struct(vec![Field::new("a", DataType::Utf8, true)].into()), "{\"a\":null}"),
        (map, "{\"k\":1}"),
    ];
    for (data_type, json) in same {
        comes_back(&data_type, &data_type, json);
    }
    let words = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
    comes_back(&words, &DataType::Utf8, "\"a\"");
    comes_back(&DataType::List(item(words)), &DataType::List(item(DataType::Utf8)), "[\"a\"]");
    comes_back(&DataType::ListView(item(DataType::Int8)), &DataType::List(item(DataType::Int8)), "[1]");
    comes_back(&DataType::Duration(TimeUnit::Second), &DataType::Utf8, "\"PT61S\"");
    comes_back(&DataType::Interval(IntervalUnit::DayTime), &DataType::Utf8, "\"2 days\"");
    comes_back(&DataType::Null, &DataType::Utf8, "null");
    comes_back(&zone("Moon/Base"), &zone("UTC"), "\"1970-01-01T00:00:00Z\"");
}

#[track_caller]
fn comes_back(from: &DataType, to: &DataType, json: &str) {
    let schema = kept(from.clone());
    let (batch, encoded) = encode(&schema, &format!("{{\"c\": {json}, {VERDICT}}}\n{{{VERDICT}}}\n"));
    assert_eq!((batch.column(0).data_type(), encoded.told.as_slice()), (to, &[][..]));
    assert!(batch.column(0).is_null(1));
    let mut written = arrow_json::writer::WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, arrow_json::writer::LineDelimited>(Vec::new());
    written.write(&batch.project(&[0]).unwrap()).unwrap();
    written.finish().unwrap();
    assert_eq!(String::from_utf8(written.into_inner()).unwrap(), format!("{{\"c\":{json}}}\n{{\"c\":null}}\n"));
}

#[test]
fn a_value_that_its_column_cannot_hold_is_null_and_told() {
    let values = ["5", "\"x\"", "[1]", "99999999999", "6"];
    let rows: String = values.iter().map(|value| format!("{{\"c\": {value}, {VERDICT}}}\n")).collect();
    let (batch, encoded) = encode(&kept(DataType::Int32), &rows);
    let column: Vec<_> = batch.column(0).as_primitive::<Int32Type>().iter().collect();
    assert_eq!(column, [Some(5), None, None, None, Some(6)]);
    assert_eq!(encoded.refused, 3);
    assert!(matches!(&encoded.told[..], [Refused { row: 2, .. }, Refused { row: 3, .. }, Refused { row: 4, .. }]));
    assert_eq!(encoded.told[0].column, "c");
}

#[test]
fn what_is_no_row_is_refused() {
    let schema = paragraphs();
    let encode = |rows: &str| schema.encode(rows.as_bytes(), SegmentFormat::Parquet).unwrap_err().to_string();
    assert!(encode(&(paragraph(0, "") + "[1]\n")).starts_with("row 2 is no JSON object: "));
    assert_eq!(encode(&paragraph(0, "").replace("\"d\"", "null")), "row 1 has no value for the column `doc`");
    assert!(encode(&paragraph(0, "").replace("5, \"end\"", "-5, \"end\"")).starts_with("the column `start` cannot be"));
}

fn segments(parts: &[Vec<u8>]) -> impl Iterator<Item = io::Result<Bytes>> {
    parts.iter().cloned().map(|part| Ok(Bytes::from(part)))
}

#[test]
fn segments_are_joined_without_a_trace_of_how_they_came_to_be() {
    let schema = paragraphs();
    let blocks = [paragraph(0, "") + &paragraph(1, ""), String::new(), paragraph(2, ", \"reason\": \"not English\"")];
    let parts = |format| blocks.each_ref().map(|block| schema.encode(block.as_bytes(), format).unwrap().bytes);
    let whole = read(schema.encode(blocks.concat().as_bytes(), SegmentFormat::Parquet).unwrap().bytes);
    let join = || join_parquet(segments(&parts(SegmentFormat::Parquet)), &schema, Vec::new()).unwrap();
    assert_eq!(join(), join());
    let joined = Bytes::from(join());
    let reader = ParquetRecordBatchReaderBuilder::try_new(joined.clone()).unwrap();
    assert_eq!(reader.metadata().num_row_groups(), 2);
    assert_eq!(reader.metadata().file_metadata().created_by(), Some("copydesk"));
    assert_eq!(reader.schema(), schema.arrow());
    assert_eq!(one_by_one(&read(joined.to_vec())), one_by_one(&whole));
    for layout in [ArrowLayout::File, ArrowLayout::Stream] {
        let join = || join_arrow(segments(&parts(SegmentFormat::Arrow)), &schema, layout, Vec::new()).unwrap();
        assert_eq!(join(), join());
        let bytes = Cursor::new(join());
        let batches: Vec<RecordBatch> = match layout {
            ArrowLayout::File => FileReader::try_new(bytes, None).unwrap().map(Result::unwrap).collect(),
            ArrowLayout::Stream => StreamReader::try_new(bytes, None).unwrap().map(Result::unwrap).collect(),
        };
        assert_eq!(one_by_one(&batches), one_by_one(&whole));
    }
}

/// Rows one by one, whatever batches they stand in.
fn one_by_one(batches: &[RecordBatch]) -> Vec<RecordBatch> {
    batches.iter().flat_map(|batch| (0..batch.num_rows()).map(|row| batch.slice(row, 1))).collect()
}

#[test]
fn tables_without_rows_are_whole_files() {
    let schema = paragraphs();
    let parquet = join_parquet(segments(&[]), &schema, Vec::new()).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(parquet)).unwrap();
    assert_eq!((reader.schema(), reader.metadata().num_row_groups()), (schema.arrow(), 0));
    let file = join_arrow(segments(&[]), &schema, ArrowLayout::File, Vec::new()).unwrap();
    assert_eq!(FileReader::try_new(Cursor::new(file), None).unwrap().num_batches(), 0);
}

#[test]
fn segments_that_do_not_belong_are_told() {
    let schema = paragraphs();
    let mut good = schema.encode(paragraph(0, "").as_bytes(), SegmentFormat::Parquet).unwrap().bytes;
    let other = kept(DataType::Int32).encode(b"", SegmentFormat::Parquet).unwrap().bytes;
    let join = |parts: &[Vec<u8>]| join_parquet(segments(parts), &schema, Vec::new()).unwrap_err().to_string();
    assert_eq!(join(&[good.clone(), other]), "segment 2 has other columns than the table");
    good.pop();
    assert!(join(&[good]).starts_with("segment 1 cannot be read: "));
    let other = kept(DataType::Int32).encode(b"", SegmentFormat::Arrow).unwrap().bytes;
    let error = join_arrow(segments(&[other]), &schema, ArrowLayout::File, Vec::new()).unwrap_err();
    assert!(matches!(error, ColumnarError::OtherColumns { segment: 1 }));
}

struct Full;

impl io::Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::Error::from(io::ErrorKind::StorageFull))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_cannot_be_written_is_told_as_such() {
    let schema = paragraphs();
    let parts = [schema.encode(paragraph(0, "").as_bytes(), SegmentFormat::Parquet).unwrap().bytes];
    let error = join_parquet(segments(&parts), &schema, Full).err().unwrap();
    assert!(matches!(error, ColumnarError::Unwritable(_)), "{error:?}");
    assert!(matches!(join_arrow(segments(&[]), &schema, ArrowLayout::File, Full), Err(ColumnarError::Unwritable(_))));
}
