use super::*;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use object_store::memory::InMemory;
use object_store::{
    CopyOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result as StoreResult,
};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A store whose connections break: an answer has no more than so many bytes.
#[derive(Debug)]
struct Breaking {
    inner: InMemory,
    most_bytes: usize,
    /// Whether it is a server that gives no parts.
    whole_only: bool,
    requests: AtomicUsize,
    /// What is put in place of the object after its first request.
    replacement: Mutex<Option<&'static str>>,
}

impl fmt::Display for Breaking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Breaking")
    }
}

fn broken() -> object_store::Error {
    object_store::Error::Generic { store: "Breaking", source: "reset by peer".into() }
}

/// The future of an asynchronous method of a trait.
type Later<'a, T> = std::pin::Pin<Box<dyn Future<Output = StoreResult<T>> + Send + 'a>>;

impl ObjectStore for Breaking {
    fn get_opts<'a, 'b, 'c>(&'a self, location: &'b Location, mut options: GetOptions) -> Later<'c, GetResult>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        Box::pin(async move {
            self.requests.fetch_add(1, Ordering::Relaxed);
            if self.whole_only && options.range.take().is_some() {
                return Err(object_store::Error::NotSupported { source: "no parts".into() });
            }
            let result = self.inner.get_opts(location, options).await?;
            let replacement = self.replacement.lock().unwrap().take();
            if let Some(text) = replacement {
                self.inner.put(location, text.into()).await?;
            }
            let (meta, range, attributes) = (result.meta.clone(), result.range.clone(), result.attributes.clone());
            let extensions = result.extensions.clone();
            let bytes = result.bytes().await?;
            let length = bytes.len().min(self.most_bytes);
            let mut blocks = vec![Ok(bytes.slice(..length / 2)), Ok(bytes.slice(length / 2..length))];
            if length < bytes.len() {
                blocks.push(Err(broken()));
            }
            let payload = GetResultPayload::Stream(stream::iter(blocks).boxed());
            Ok(GetResult { payload, meta, range, attributes, extensions })
        })
    }

    fn list(&self, prefix: Option<&Location>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        self.inner.list(prefix)
    }

    fn put_opts<'a, 'b, 'c>(&'a self, at: &'b Location, bytes: PutPayload, options: PutOptions) -> Later<'c, PutResult>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        self.inner.put_opts(at, bytes, options)
    }

    fn put_multipart_opts<'a, 'b, 'c>(
        &'a self,
        at: &'b Location,
        options: PutMultipartOptions,
    ) -> Later<'c, Box<dyn MultipartUpload>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        self.inner.put_multipart_opts(at, options)
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, StoreResult<Location>>,
    ) -> BoxStream<'static, StoreResult<Location>> {
        self.inner.delete_stream(locations)
    }

    fn list_with_delimiter<'a, 'b, 'c>(&'a self, prefix: Option<&'b Location>) -> Later<'c, ListResult>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        self.inner.list_with_delimiter(prefix)
    }

    fn copy_opts<'a, 'b, 'c, 'd>(&'a self, from: &'b Location, to: &'c Location, options: CopyOptions) -> Later<'d, ()>
    where
        'a: 'd,
        'b: 'd,
        'c: 'd,
        Self: 'd,
    {
        self.inner.copy_opts(from, to, options)
    }
}

fn put(store: &dyn ObjectStore, key: &str, bytes: impl Into<PutPayload>) {
    futures_executor(store.put_opts(&Location::from(key), bytes.into(), PutOptions::default())).unwrap();
}

/// The store in memory never waits.
fn futures_executor<T>(work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match work.as_mut().poll(&mut context) {
        std::task::Poll::Ready(answer) => answer,
        std::task::Poll::Pending => panic!("the store waits"),
    }
}

fn breaking(most_bytes: usize, whole_only: bool) -> Breaking {
    let (inner, requests, replacement) = (InMemory::new(), AtomicUsize::new(0), Mutex::new(None));
    Breaking { inner, most_bytes, whole_only, requests, replacement }
}

fn names(listing: Listing) -> Vec<(String, String)> {
    let mut listing = listing;
    let mut names = Vec::new();
    while let Some(found) = listing.next_object() {
        let (object, relative) = found.unwrap();
        names.push((object.name().to_string(), relative.display().to_string()));
    }
    names
}

fn object(store: Arc<dyn ObjectStore>, key: &str) -> RemoteObject {
    match find_in(store, "s3://bucket/", "bucket", key).unwrap() {
        Found::Object { object, .. } => object,
        Found::Objects(_) => panic!("several"),
    }
}

fn read(object: &RemoteObject) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    object.open().read_to_end(&mut bytes).map(|_| bytes)
}

#[test]
fn a_prefix_stands_for_all_objects_below_it() {
    let store = InMemory::new();
    for key in ["in/b", "in/a/2", "in/a/1", "in/.hidden/x", "in/a/.dot", "inside", "other"] {
        put(&store, key, key.to_owned());
    }
    put(&store, "in/a", "");
    let store: Arc<dyn ObjectStore> = Arc::new(store);
    let find = |key: &str| match find_in(Arc::clone(&store), "s3://bucket/", "bucket", key) {
        Ok(Found::Objects(listing)) => Ok(names(listing)),
        Ok(Found::Object { object, relative }) => Ok(vec![(object.name().to_string(), relative.display().to_string())]),
        Err(error) => Err(error.to_string()),
    };
    let pair = |name: &str, relative: &str| (format!("s3://bucket/{name}"), relative.to_owned());
    let below = vec![pair("in/a/1", "a/1"), pair("in/a/2", "a/2"), pair("in/b", "b")];
    assert_eq!(find("in/"), Ok(below.clone()));
    assert_eq!(find("in"), Ok(below));
    assert_eq!(find("in/a/1"), Ok(vec![pair("in/a/1", "1")]));
    assert_eq!(find("").unwrap().len(), 5);
    assert_eq!(find("i").unwrap_err(), "there is no such object, and none below it");
    assert!(find("a//b").unwrap_err().contains("cannot be used"));
}

#[test]
fn more_objects_than_an_answer_holds_come_in_order() {
    let store = InMemory::new();
    let keys: Vec<String> = (0..2500).map(|number| format!("{number:05}")).collect();
    keys.iter().for_each(|key| put(&store, key, "x"));
    let listing = Listing::new(Arc::new(store), "gs://bucket/", "bucket", Location::default());
    assert_eq!(names(listing).into_iter().map(|(_, relative)| relative).collect::<Vec<_>>(), keys);
}

#[test]
fn an_object_longer_than_a_piece_is_read_whole() {
    let bytes: Vec<u8> = (0..9_500_000u32).map(|number| (number % 251) as u8).collect();
    let store = breaking(usize::MAX, false);
    put(&store, "long", bytes.clone());
    let store = Arc::new(store);
    let object = object(Arc::clone(&store) as Arc<dyn ObjectStore>, "long");
    assert_eq!(object.size_bytes(), 9_500_000);
    assert!(object.modified().is_some());
    assert!(read(&object).unwrap() == bytes);
    // One asked what it is, and there are three pieces.
    assert_eq!(store.requests.load(Ordering::Relaxed), 4);
}

#[test]
fn reading_goes_on_where_the_connection_broke() {
    let text = "0123456789".repeat(3);
    for whole_only in [false, true] {
        let store = breaking(if whole_only { 16 } else { 12 }, whole_only);
        put(&store, "key", text.clone());
        let store: Arc<dyn ObjectStore> = Arc::new(store);
        let object = RemoteObject { has_ranges: !whole_only, ..object(Arc::clone(&store), "key") };
        if whole_only {
            // It always breaks before the end.
            let error = read(&object).unwrap_err().to_string();
            assert!(
                error.starts_with("the connection broke at byte 16") && error.ends_with("reset by peer"),
                "{error}"
            );
        } else {
            assert_eq!(read(&object).unwrap(), text.as_bytes());
        }
    }
}

#[test]
fn a_server_without_parts_is_read_from_the_beginning_to_the_end() {
    let store = breaking(usize::MAX, true);
    put(&store, "", "some text");
    let store: Arc<dyn ObjectStore> = Arc::new(store);
    let object = network::wait(one_by_http(Arc::from("https://host/x"), store)).unwrap().unwrap();
    assert!(!object.has_ranges);
    assert_eq!(read(&object).unwrap(), b"some text");
}

#[test]
fn an_object_that_was_written_meanwhile_is_an_error() {
    let store = breaking(4, false);
    put(&store, "key", "first text");
    let object = object(Arc::new(store), "key");
    let other = breaking(4, false);
    put(&other, "key", "first text");
    *other.replacement.lock().unwrap() = Some("other text");
    let tag = futures_executor(other.inner.head(&Location::from("key"))).unwrap().e_tag;
    let object = RemoteObject { store: Arc::new(other), e_tag: tag, ..object };
    assert!(read(&object).unwrap_err().to_string().contains("was written while it was read"));
}

#[test]
fn files_behind_urls_have_names() {
    for (rest, name) in [
        ("host/a/b.jsonl?key=x/y#z", "b.jsonl"),
        ("host/a/", "index"),
        ("host", "index"),
        ("host/..", "index"),
        ("host/.git", "index"),
    ] {
        assert_eq!(last_segment(rest), name, "{rest}");
    }
}
