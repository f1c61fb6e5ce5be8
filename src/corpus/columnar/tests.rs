use super::*;
use arrow_array::builder::{
    Int32Builder, ListBuilder, MapBuilder, StringBuilder, StringDictionaryBuilder, UnionBuilder,
};
use arrow_array::types::{Float64Type, Int8Type, Int32Type};
use arrow_array::*;
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use arrow_schema::{DataType, Field, IntervalUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use parquet::file::properties::WriterProperties;
use std::io::Write;
use std::sync::Arc;

fn table(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

fn parquet_with(batch: &RecordBatch, properties: WriterProperties) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn parquet(batch: &RecordBatch) -> Vec<u8> {
    parquet_with(batch, WriterProperties::builder().set_max_row_group_row_count(Some(2)).build())
}

fn arrow(batches: &[RecordBatch], compression: Option<CompressionType>) -> Vec<u8> {
    let options = IpcWriteOptions::default().try_with_compression(compression).unwrap();
    let mut writer = FileWriter::try_new_with_options(Vec::new(), &batches[0].schema(), options).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.finish().unwrap();
    writer.into_inner().unwrap()
}

fn stream(batches: &[RecordBatch]) -> Vec<u8> {
    let mut writer = StreamWriter::try_new(Vec::new(), &batches[0].schema()).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.finish().unwrap();
    writer.into_inner().unwrap()
}

fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn drain(mut records: ColumnarRecords) -> Vec<String> {
    let mut seen = Vec::new();
    loop {
        match records.next(None).unwrap() {
            Next::Item(Found { line, content, .. }) => seen.push(match content {
                Ok(Content::Object(row)) => format!("{line} {}", String::from_utf8(row).unwrap()),
                #[allow(unreachable_patterns, reason = "as long as all records are objects")]
                Ok(_) => panic!("a table has objects alone"),
                Err(error) => format!("{line} {error}"),
            }),
            Next::Skipped => {}
            Next::Pause => panic!("nothing pauses here"),
            Next::End => return seen,
        }
    }
}

fn read(bytes: &[u8]) -> Vec<String> {
    drain(ColumnarRecords::of_file(file(bytes)).unwrap())
}

fn refused(bytes: &[u8]) -> String {
    match ColumnarRecords::of_file(file(bytes)) {
        Ok(_) => panic!("it was read"),
        Err(error) => error.to_string(),
    }
}

/// The row of a table that has one column and one row, by every way that the format can take.
fn cell(array: impl Array + 'static) -> String {
    let batch = table(vec![("c", Arc::new(array))]);
    let seen =
        [arrow(std::slice::from_ref(&batch), None), stream(std::slice::from_ref(&batch))].map(|bytes| read(&bytes));
    assert_eq!(seen[0], seen[1]);
    seen[0].join("\n")
}

fn parquet_cell(array: impl Array + 'static) -> String {
    let batch = table(vec![("c", Arc::new(array))]);
    read(&parquet(&batch)).join("\n")
}

/// A value that Parquet and Arrow have alike.
#[track_caller]
fn both(array: impl Array + Clone + 'static, expected: &str) {
    let expected = format!("1 {{\"c\":{expected}}}");
    assert_eq!(cell(array.clone()), expected);
    assert_eq!(parquet_cell(array), expected);
}

#[test]
fn every_type_has_its_json() {
    both(Int8Array::from(vec![-7]), "-7");
    both(UInt64Array::from(vec![u64::MAX]), "18446744073709551615");
    both(Float32Array::from(vec![0.1]), "0.1");
    both(Float64Array::from(vec![f64::NAN]), "null");
    both(BooleanArray::from(vec![true]), "true");
    both(NullArray::new(1), "null");
    both(StringArray::from(vec!["a \"b\"\n\u{1f600}"]), "\"a \\\"b\\\"\\n\u{1f600}\"");
    both(LargeStringArray::from(vec!["é"]), "\"é\"");
    both(
        StringViewArray::from(vec!["a text that is longer than twelve bytes"]),
        "\"a text that is longer than twelve bytes\"",
    );
    both(BinaryArray::from(vec![&b"\x00\xff"[..]]), "\"00ff\"");
    both(BinaryViewArray::from(vec![&b"\x00\xff"[..]]), "\"00ff\"");
    both(FixedSizeBinaryArray::try_from_iter([[1u8, 2]].into_iter()).unwrap(), "\"0102\"");
    both(Date32Array::from(vec![19_782]), "\"2024-02-29\"");
    both(Time32MillisecondArray::from(vec![3_661_500]), "\"01:01:01.500\"");
    both(Time64NanosecondArray::from(vec![1]), "\"00:00:00.000000001\"");
    both(TimestampMillisecondArray::from(vec![1_500]), "\"1970-01-01T00:00:01.500\"");
    both(TimestampMicrosecondArray::from(vec![0]).with_timezone("UTC"), "\"1970-01-01T00:00:00Z\"");
    both(TimestampMicrosecondArray::from(vec![0]).with_timezone("Europe/Paris"), "\"1970-01-01T01:00:00+01:00\"");
    both(TimestampMicrosecondArray::from(vec![0]).with_timezone("Moon/Base"), "\"1970-01-01T00:00:00Z\"");
    both(Decimal128Array::from(vec![-12345]).with_precision_and_scale(10, 2).unwrap(), "-123.45");
    both(
        Decimal256Array::from_iter_values([arrow_buffer::i256::from_i128(5)]).with_precision_and_scale(50, 1).unwrap(),
        "0.5",
    );
    both(DurationSecondArray::from(vec![61]), "\"PT61S\"");
    both(ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1), None])]), "[1,null]");
    both(LargeListArray::from_iter_primitive::<Float64Type, _, _>([Some([Some(0.5)])]), "[0.5]");
    both(FixedSizeListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1), Some(2)])], 2), "[1,2]");
    let inner: ArrayRef = Arc::new(StringArray::from(vec![None::<&str>]));
    both(StructArray::from(vec![(Arc::new(Field::new("a", DataType::Utf8, true)), inner)]), "{\"a\":null}");
    let mut map = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    map.keys().append_value("k");
    map.values().append_value(1);
    map.append(true).unwrap();
    both(map.finish(), "{\"k\":1}");
    let mut map = MapBuilder::new(None, Int32Builder::new(), Int32Builder::new());
    map.keys().append_value(5);
    map.values().append_value(1);
    map.append(true).unwrap();
    both(map.finish(), "\"{5: 1}\"");
    let mut words = ListBuilder::new(StringDictionaryBuilder::<Int8Type>::new());
    words.values().append_value("a");
    words.append(true);
    both(words.finish(), "[\"a\"]");
}

#[test]
fn what_parquet_does_not_have_comes_out_of_arrow() {
    use arrow_array::types::IntervalMonthDayNano;
    let interval = IntervalMonthDayNanoArray::from(vec![IntervalMonthDayNano::new(1, 2, 3)]);
    assert_eq!(interval.data_type(), &DataType::Interval(IntervalUnit::MonthDayNano));
    assert_eq!(cell(interval), "1 {\"c\":\"1 mons 2 days 0.000000003 secs\"}");
    let mut union = UnionBuilder::new_dense();
    union.append::<Int32Type>("n", 7).unwrap();
    assert_eq!(cell(union.build().unwrap()), "1 {\"c\":\"{n=7}\"}");
    let runs = RunArray::<Int32Type>::try_new(&Int32Array::from(vec![2, 3]), &StringArray::from(vec![Some("a"), None]));
    assert_eq!(cell(runs.unwrap()), "1 {\"c\":\"a\"}\n2 {\"c\":\"a\"}\n3 {\"c\":null}");
}

#[test]
fn a_null_in_a_dictionary_is_null() {
    let keys = Int8Array::from(vec![Some(0), Some(1), None]);
    let values = Arc::new(StringArray::from(vec![Some("a"), None]));
    let column = DictionaryArray::<Int8Type>::new(keys, values);
    assert_eq!(cell(column.clone()), "1 {\"c\":\"a\"}\n2 {\"c\":null}\n3 {\"c\":null}");
    assert_eq!(parquet_cell(column), "1 {\"c\":\"a\"}\n2 {\"c\":null}\n3 {\"c\":null}");
}

fn five() -> RecordBatch {
    let texts = ["one", "two", "three", "four", "five"].map(|word| word.repeat(20));
    table(vec![
        ("n", Arc::new(Int32Array::from(vec![1, 2, 3, 4, 5]))),
        ("t", Arc::new(StringArray::from(texts.to_vec()))),
    ])
}

fn row(number: usize) -> String {
    let word = ["one", "two", "three", "four", "five"][number - 1].repeat(20);
    format!("{number} {{\"n\":{number},\"t\":\"{word}\"}}")
}

#[test]
fn every_codec_is_read() {
    let expected: Vec<String> = (1..=5).map(row).collect();
    for codec in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::BROTLI(BrotliLevel::default()),
        Compression::ZSTD(ZstdLevel::default()),
        Compression::LZ4_RAW,
        Compression::LZ4,
    ] {
        assert_eq!(read(&parquet_with(&five(), WriterProperties::builder().set_compression(codec).build())), expected);
    }
    for codec in [None, Some(CompressionType::LZ4_FRAME), Some(CompressionType::ZSTD)] {
        assert_eq!(read(&arrow(&[five()], codec)), expected);
    }
}

#[test]
fn row_groups_are_read_alone_with_their_row_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    std::fs::write(&path, parquet(&five())).unwrap();
    let groups = row_groups(&path).unwrap();
    assert_eq!(groups.iter().map(|group| group.rows).collect::<Vec<_>>(), [2, 2, 1]);
    assert!(groups.iter().all(|group| group.compressed_bytes > 0));
    assert_eq!(drain(ColumnarRecords::of_row_groups(&path, 1..3).unwrap()), [row(3), row(4), row(5)]);
    assert!(drain(ColumnarRecords::of_row_groups(&path, 3..3).unwrap()).is_empty());
    assert!(ColumnarRecords::of_row_groups(&path, 1..4).is_err());
    assert_eq!(table_schema(&path).unwrap().fields(), five().schema().fields());
}

#[test]
fn tables_without_rows_or_columns_are_read() {
    let empty = five().slice(0, 0);
    assert!(read(&parquet(&empty)).is_empty());
    assert!(read(&arrow(std::slice::from_ref(&empty), None)).is_empty());
    assert!(read(&stream(std::slice::from_ref(&empty))).is_empty());
    let options = RecordBatchOptions::new().with_row_count(Some(2));
    let narrow = RecordBatch::try_new_with_options(Arc::new(arrow_schema::Schema::empty()), vec![], &options).unwrap();
    assert_eq!(read(&arrow(&[narrow], None)), ["1 {}", "2 {}"]);
}

#[test]
fn a_broken_row_group_costs_its_own_rows() {
    let mut bytes = parquet_with(
        &five(),
        WriterProperties::builder().set_max_row_group_row_count(Some(2)).set_dictionary_enabled(false).build(),
    );
    let place = bytes.windows(10).position(|window| window == b"threethree").unwrap();
    bytes[place - 40..place + 10].fill(0xff);
    let seen = read(&bytes);
    assert_eq!([&seen[0], &seen[1], seen.last().unwrap()], [&row(1), &row(2), &row(5)]);
    assert!(seen[2].starts_with("3 2 rows of the Parquet table cannot be read from here on: "), "{seen:?}");
    assert_eq!(seen.len(), 4);
}

#[test]
fn files_that_are_cut_off_are_told() {
    let whole = parquet(&five());
    for end in [4, 5, 11, whole.len() / 2, whole.len() - 1] {
        assert!(refused(&whole[..end]).starts_with("cannot be read: the Parquet footer cannot be read ("), "{end}");
    }
    let batches: Vec<RecordBatch> = (0..5).map(|index| five().slice(index, 1)).collect();
    let whole = arrow(&batches, None);
    let seen = read(&whole[..whole.len() - 1]);
    assert_eq!(seen[..5], [row(1), row(2), row(3), row(4), row(5)]);
    assert!(seen[5].contains("footer cannot be read") && seen.len() == 6, "{seen:?}");
    let seen = read(&whole[..whole.len() / 2]);
    assert_eq!(seen[0], row(1));
    assert!(seen.last().unwrap().contains("footer cannot be read"), "{seen:?}");
    assert!(refused(&whole[..20]).contains("the Arrow footer cannot be read"));
    let whole = stream(&batches);
    let seen = read(&whole[..whole.len() - 30]);
    assert_eq!(seen[..4], [row(1), row(2), row(3), row(4)]);
    assert!(seen[4].contains("may be cut off") && seen.len() == 5, "{seen:?}");
    assert!(refused(b"PK\x03\x04").contains("neither Parquet nor Arrow"));
}

/// Whatever stands in a file, it ends with rows or an error.
#[test]
fn no_damaged_byte_ends_the_process() {
    let batch = five();
    let batches = std::slice::from_ref(&batch);
    let compressed = [CompressionType::ZSTD, CompressionType::LZ4_FRAME].map(|codec| arrow(batches, Some(codec)));
    for whole in [parquet(&batch), stream(batches)].into_iter().chain(compressed) {
        for place in 0..whole.len() {
            for value in [0, 0x7f, 0xff] {
                let mut bytes = whole.clone();
                bytes[place] = value;
                if let Ok(records) = ColumnarRecords::of_file(file(&bytes)) {
                    // Damage to the number of rows may announce more of them than anyone can read here.
                    let mut records = records;
                    for _ in 0..50 {
                        if matches!(records.next(None).unwrap(), Next::End) {
                            break;
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_row_that_is_too_long_is_set_aside_alone() {
    let long = "x".repeat(LINE_LIMIT_BYTES);
    let batch = table(vec![("t", Arc::new(StringArray::from(vec!["a", &long, "b"])))]);
    for bytes in [parquet_with(&batch, WriterProperties::default()), stream(std::slice::from_ref(&batch))] {
        let expected = ["1 {\"t\":\"a\"}", "2 record longer than 16777216 bytes", "3 {\"t\":\"b\"}"];
        assert_eq!(read(&bytes), expected);
    }
}

/// A value that a dictionary repeats in every row is neither copied nor encoded for all of them at once.
#[test]
fn long_values_that_repeat_are_read_a_few_at_a_time() {
    let value = "y".repeat(4 << 20);
    let column: DictionaryArray<Int32Type> = std::iter::repeat_n(value.as_str(), 600).collect();
    let bytes = parquet_with(&table(vec![("t", Arc::new(column))]), WriterProperties::default());
    assert!(bytes.len() < 16 << 20);
    let mut records = ColumnarRecords::of_file(file(&bytes)).unwrap();
    for number in 1..=600 {
        let Next::Item(Found { line, content: Ok(Content::Object(row)), .. }) = records.next(None).unwrap() else {
            panic!("row {number} is missing")
        };
        assert_eq!((line, row.len()), (number, value.len() + 8));
        assert!(records.ready.len() <= 1);
    }
}

#[test]
fn sources_without_an_end_in_reach_are_read_from_a_copy() {
    use crate::corpus::feed::{Feed, Pieces};
    let batches = [five()];
    let expected: Vec<String> = (1..=5).map(row).collect();
    for bytes in [parquet(&five()), arrow(&batches, None), stream(&batches)] {
        let mut window = Window::new(Feed::of(Pieces(bytes.chunks(7).map(<[u8]>::to_vec).collect())));
        while window.rest().len() < 8 {
            window.fill(None).unwrap();
        }
        assert_eq!(drain(ColumnarRecords::open(window, None).unwrap()), expected);
    }
}
