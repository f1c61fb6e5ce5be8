//! Exports of WordPress and of Disqus, each behind the tag that makes it one.
#![no_main]

libfuzzer_sys::fuzz_target!(|source: &[u8]| {
    let (wordpress, disqus) = (b"<rss xmlns:wp='http://wordpress.org/export/1.2/'>", b"<disqus xmlns='http://disqus.com'>");
    copydesk_fuzz::read_objects("", &[&wordpress[..], source, &[b' '; 2048]].concat());
    copydesk_fuzz::read_objects("", &[&disqus[..], source, &[b' '; 2048]].concat());
});
