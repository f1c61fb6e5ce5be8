use super::*;
use crate::compress::{Compression, member};

fn read(bytes: &[u8], size: usize, encoding: Option<&'static Encoding>) -> String {
    let pieces = Pieces(bytes.chunks(size).map(<[u8]>::to_vec).collect());
    let mut feed = Feed { encoding, ..Feed::of(pieces) };
    let mut all = Vec::new();
    while feed.read_into(&mut all, None).unwrap() != More::End {}
    String::from_utf8(all).unwrap()
}

#[test]
fn marks_and_names_tell_the_encoding() {
    for size in [1, 2, 3, 100] {
        let utf_16 = |bytes: fn(u16) -> [u8; 2]| "\u{feff}Über 😀\n".encode_utf16().flat_map(bytes).collect::<Vec<_>>();
        assert_eq!(read(&utf_16(u16::to_le_bytes), size, None), "Über 😀\n");
        assert_eq!(read(&utf_16(u16::to_be_bytes), size, None), "Über 😀\n");
        assert_eq!(read("\u{feff}é".as_bytes(), size, None), "\u{feff}é");
        assert_eq!(read(b"\x93caf\xe9\x94", size, Some(encoding_rs::WINDOWS_1252)), "“café”");
        assert_eq!(read("é".as_bytes(), size, Some(UTF_8)), "é");
        assert_eq!(read(b"\xff\xfe", size, None), "");
        assert_eq!(read(b"", size, None), "");
    }
}

/// Bytes that come in pieces through a live source, whatever their pauses.
fn read_live(bytes: &[u8], size: usize) -> String {
    let pieces = Pieces(bytes.chunks(size).map(<[u8]>::to_vec).collect());
    let observer = Observer::default();
    let mut feed = Feed::new(Bytes::live(pieces, &observer), None, observer.clone());
    let mut all = Vec::new();
    while feed.read_into(&mut all, Some(Duration::from_millis(1))).unwrap() != More::End {}
    assert_eq!(observer.raw_bytes(), bytes.len() as u64);
    String::from_utf8(all).unwrap()
}

#[test]
fn compressed_sources_are_read_as_what_they_hold() {
    let text = "Über 😀, some words.\n".repeat(300);
    for kind in [Compression::Gzip, Compression::Zstd, Compression::Bzip2, Compression::Xz] {
        let packed = [member(kind, text.as_bytes()).unwrap(), member(kind, b"last").unwrap()].concat();
        for size in [1, 2, 3, 50, 1000] {
            assert_eq!(read(&packed, size, None), format!("{text}last"), "{kind} {size}");
            assert_eq!(read_live(&packed, size), format!("{text}last"), "{kind} {size}");
        }
        let shifted = encoding_rs::SHIFT_JIS.encode("昨日、市議会は新しい図書館の建設を決めました。").0;
        let packed = member(kind, &shifted).unwrap();
        assert_eq!(read(&packed, 9, None), "昨日、市議会は新しい図書館の建設を決めました。", "{kind}");
    }
}

#[test]
fn what_was_read_before_an_error_comes_first() {
    let packed = member(Compression::Gzip, &b"Some words.\n".repeat(9)).unwrap();
    let mut feed = Feed::of(io::Cursor::new(packed[..packed.len() - 3].to_vec()));
    let mut all = Vec::new();
    assert_eq!(feed.read_into(&mut all, None).unwrap(), More::Bytes);
    assert_eq!(all, b"Some words.\n".repeat(9));
    assert!(feed.read_into(&mut all, None).unwrap_err().to_string().contains("end in the middle"));
    assert_eq!(feed.read_into(&mut all, None).unwrap(), More::End);
}

#[test]
fn a_guess_is_the_same_for_files_and_for_pipes() {
    let text = "A title.\n\nВчера городской совет решил построить новую библиотеку.\n".repeat(20);
    let old = encoding_rs::WINDOWS_1251.encode(&text).0;
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let western = b"Caf\xe9 owners say \x93enough\x94.\n".repeat(20);
    let mixed = [text.as_bytes(), &old[..60]].concat();
    for size in [1, 7, 500, 1 << 20] {
        let feed = |bytes: &[u8]| {
            let mut feed = Feed::of(Pieces(bytes.chunks(size.min(BLOCK_BYTES)).map(<[u8]>::to_vec).collect()));
            let mut all = Vec::new();
            while feed.read_into(&mut all, None).unwrap() != More::End {}
            (all, feed.observer().guessed().map(Encoding::name))
        };
        assert_eq!(feed(&old), (text.clone().into_bytes(), Some("windows-1251")), "{size}");
        assert_eq!(feed(&western), (western.clone(), None), "{size}");
        assert_eq!(feed(&mixed), (mixed.clone(), None), "{size}");
        let live = |bytes: &[u8]| {
            let (send, receive) = sync_channel(bytes.len());
            bytes.chunks(size).for_each(|block| send.send(Ok(block.to_vec())).unwrap());
            drop(send);
            let mut feed = Feed::new(Bytes::Live(receive), None, Observer::default());
            let mut all = Vec::new();
            while feed.read_into(&mut all, None).unwrap() != More::End {}
            (all, feed.observer().guessed().map(Encoding::name))
        };
        assert_eq!(live(&old), feed(&old), "{size}");
        assert_eq!(live(&mixed), feed(&mixed), "{size}");
        assert_eq!(live(&western), feed(&western), "{size}");
        assert_eq!(live(&little), (text.clone().into_bytes(), Some("UTF-16LE")), "{size}");
    }
}

#[test]
fn a_live_source_tells_its_pauses() {
    let (send, receive) = sync_channel(1);
    let mut feed = Feed::new(Bytes::Live(receive), None, Observer::default());
    let mut all = Vec::new();
    let patience = Some(Duration::from_millis(1));
    assert_eq!(feed.read_into(&mut all, patience).unwrap(), More::Pause);
    send.send(Ok(b"ab".to_vec())).unwrap();
    assert_eq!(feed.read_into(&mut all, patience).unwrap(), More::Bytes);
    assert_eq!(feed.read_into(&mut all, patience).unwrap(), More::Pause);
    send.send(Ok(Vec::new())).unwrap();
    assert_eq!(feed.read_into(&mut all, patience).unwrap(), More::End);
    assert_eq!(all, b"ab");
}
