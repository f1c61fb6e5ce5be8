//! Formats that are known by the shape of their first lines: markup, mail, YAML, tables.

use super::csv_records::named_delimiter;
use super::foreign::ForeignFormat;
use super::sniff::InputFormat;

/// What the first lines of a text can say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Rows of fields with such a delimiter between them.
    Table { delimiter: u8 },
    /// A mailbox or an e-mail.
    Mail,
    /// What a blog exports.
    Export(InputFormat),
    /// What is refused, or HTML.
    Foreign(ForeignFormat),
}

/// Lines after which a text that begins with a tag is no page.
const MARKUP_LINES: usize = 16;

/// Tags of a page's structure that must be there.
const MARKUP_TAGS: usize = 5;

/// Records of a table that are compared with its first.
const TABLE_RECORDS: usize = 20;

/// What stands between the fields of a table, the likeliest first.
const DELIMITERS: [u8; 4] = [b',', b'\t', b';', b'|'];

/// Names that columns of tables with texts have.
const COLUMNS: &[&str] = &[
    "id",
    "text",
    "comment",
    "comments",
    "body",
    "content",
    "message",
    "author",
    "user",
    "user_id",
    "username",
    "name",
    "email",
    "date",
    "time",
    "timestamp",
    "created",
    "created_at",
    "title",
    "subject",
    "url",
    "link",
    "label",
    "class",
    "category",
    "source",
    "rating",
    "score",
    "likes",
    "parent_id",
    "post_id",
    "comment_id",
    "comment_text",
    "comment_content",
    "comment_author",
    "is_spam",
    "spam",
    "v1",
    "v2",
    "review",
    "tweet",
    "sentence",
];

/// The lines that are at hand whole, without their ends; the last of the source too where nothing more will be looked at.
pub(super) fn lines(text: &[u8], whole: bool) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = match rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            // What follows the carriage return, a line feed perhaps, has not come yet.
            Some(end) if end + 1 < rest.len() || rest[end] == b'\n' || whole => end,
            None if whole && !rest.is_empty() => rest.len(),
            _ => return None,
        };
        let line = &rest[..end];
        let both = rest[end..].starts_with(b"\r\n");
        rest = &rest[(end + 1 + usize::from(both)).min(rest.len())..];
        Some(line)
    })
}

/// The format that the beginning of a text has: `Some(None)` for none, `None` where more must be seen.
pub(super) fn recognise(text: &[u8], whole: bool) -> Option<Option<Shape>> {
    if let Some(shape) = markup(text, whole)? {
        return Some(Some(shape));
    }
    if sql(text, whole)? {
        return Some(Some(Shape::Export(InputFormat::Sql)));
    }
    if mail(text, whole)? {
        return Some(Some(Shape::Mail));
    }
    if let Some(format) = subtitles(text, whole)? {
        return Some(Some(Shape::Foreign(format)));
    }
    if yaml(text, whole)? {
        return Some(Some(Shape::Export(InputFormat::Yaml)));
    }
    table(text, whole).map(|delimiter| delimiter.map(|delimiter| Shape::Table { delimiter }))
}

fn filled_lines(text: &[u8], whole: bool) -> impl Iterator<Item = &[u8]> {
    lines(text, whole).filter(|line| !line.trim_ascii().is_empty())
}

/// HTML by its first tag, or by several tags of a page's structure; XML by its declaration or a well-known first tag.
fn markup(text: &[u8], whole: bool) -> Option<Option<Shape>> {
    let text = text.trim_ascii_start();
    if text.is_empty() && !whole {
        return None;
    }
    if text.first() != Some(&b'<') {
        return Some(None);
    }
    let seen: Vec<&[u8]> = filled_lines(text, whole).take(MARKUP_LINES).collect();
    if seen.is_empty() && !whole {
        return None;
    }
    let begins = |names: &[&str]| {
        names.iter().any(|name| text.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name.as_bytes())))
    };
    if begins(&["<!doctype html", "<html"]) {
        return Some(Some(Shape::Foreign(ForeignFormat::HTML)));
    }
    if begins(&["<?xml", "<rss", "<feed", "<svg", "<mediawiki", "<disqus", "<tei", "<!doctype"]) {
        // An export names itself within its first lines.
        let head = text.get(..2048).or_else(|| whole.then_some(text))?;
        let ours = |name: &[u8]| head.windows(name.len()).any(|window| window == name);
        return Some(Some(if ours(b"wordpress.org/export") || ours(b"WordPress eXtended RSS") {
            Shape::Export(InputFormat::Wxr)
        } else if ours(b"<disqus") {
            Shape::Export(InputFormat::Disqus)
        } else {
            Shape::Foreign(ForeignFormat::XML)
        }));
    }
    let structure = [
        "div", "table", "tr", "td", "ul", "ol", "li", "section", "article", "head", "body", "header", "nav", "main",
        "form", "script", "style", "meta", "title", "link", "h1", "h2", "h3", "footer", "aside",
    ];
    let mut tags = 0;
    for line in &seen {
        tags += line
            .split(|&byte| byte == b'<')
            .skip(1)
            .filter(|rest| {
                let name = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
                let (name, after) = rest.split_at(name);
                let ends = matches!(after.first(), Some(b'>' | b' ' | b'/') | None);
                ends && structure.iter().any(|tag| tag.as_bytes().eq_ignore_ascii_case(name))
            })
            .count();
        if tags >= MARKUP_TAGS {
            return Some(Some(Shape::Foreign(ForeignFormat::HTML)));
        }
    }
    if whole || seen.len() == MARKUP_LINES { Some(None) } else { None }
}

/// A dump by what the programs write first that make it.
fn sql(text: &[u8], whole: bool) -> Option<bool> {
    let beginnings: [&[u8]; 7] = [
        b"-- MySQL dump ",
        b"-- MariaDB dump ",
        b"-- phpMyAdmin SQL Dump",
        b"-- Adminer ",
        b"/*!999999\\- enable the sandbox mode */",
        b"/*M!999999\\- enable the sandbox mode */",
        b"/*!40101 SET ",
    ];
    if beginnings.iter().any(|begin| text.starts_with(begin)) {
        return Some(true);
    }
    let may_become = |begin: &&[u8]| text.len() < begin.len() && begin.starts_with(text);
    if !whole && beginnings.iter().any(may_become) { None } else { Some(false) }
}

/// A mailbox by its first line and a header after it; a mail by headers that only mail programs write.
fn mail(text: &[u8], whole: bool) -> Option<bool> {
    let mut lines = filled_lines(text, whole);
    let Some(first) = lines.next() else { return whole.then_some(false) };
    if is_envelope(first) {
        return match lines.next() {
            Some(second) => Some(header(second).is_some()),
            None => whole.then_some(false),
        };
    }
    let technical = ["received", "return-path", "message-id", "mime-version", "delivered-to", "dkim-signature"];
    let usual = ["from", "to", "subject", "date", "content-type", "reply-to", "x-mailer"];
    let mut known = 0;
    for (number, line) in lines_before_blank(text, whole).enumerate() {
        let folded = number > 0 && matches!(line.first(), Some(b' ' | b'\t'));
        match header(line) {
            Some(name) if technical.contains(&name.as_str()) => known += 2,
            Some(name) if usual.contains(&name.as_str()) => known += 1,
            Some(name) if name.starts_with("x-") || name.starts_with("arc-") || number > 0 => {}
            None if folded => {}
            _ => return Some(false),
        }
        // One header of a mail program and another of a mail.
        if known >= 3
            && lines_before_blank(text, whole)
                .take(number + 1)
                .filter_map(header)
                .any(|name| technical.contains(&name.as_str()))
        {
            return Some(true);
        }
        if number == 30 {
            return Some(false);
        }
    }
    let blank_seen =
        self::lines(text, whole).skip_while(|line| line.trim_ascii().is_empty()).any(|line| line.is_empty());
    if whole || blank_seen { Some(false) } else { None }
}

fn lines_before_blank(text: &[u8], whole: bool) -> impl Iterator<Item = &[u8]> {
    lines(text, whole).skip_while(|line| line.trim_ascii().is_empty()).take_while(|line| !line.is_empty())
}

/// Whether a line can begin a message in a mailbox: it names a sender and a time of day.
pub(super) fn is_envelope(line: &[u8]) -> bool {
    let is_time = |part: &[u8]| part[2] == b':' && [0, 1, 3, 4].iter().all(|&digit| part[digit].is_ascii_digit());
    line.starts_with(b"From ") && line.windows(5).any(is_time)
}

/// The name of a mail's header in small letters.
pub(super) fn header(line: &[u8]) -> Option<String> {
    let colon = line.iter().position(|&byte| byte == b':')?;
    let name = &line[..colon];
    let is_name = !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    let spaced = line.len() == colon + 1 || matches!(line[colon + 1], b' ' | b'\t');
    (is_name && spaced).then(|| String::from_utf8_lossy(name).to_ascii_lowercase())
}

/// Subtitles by the number and the times of the first.
fn subtitles(text: &[u8], whole: bool) -> Option<Option<ForeignFormat>> {
    let mut lines = filled_lines(text, whole);
    let Some(number) = lines.next() else { return whole.then_some(None) };
    if !number.trim_ascii().iter().all(u8::is_ascii_digit) {
        return Some(None);
    }
    let Some(times) = lines.next() else { return whole.then_some(None) };
    let clock = times.get(..3).is_some_and(|hour| hour[..2].iter().all(u8::is_ascii_digit) && hour[2] == b':');
    let arrow = times.windows(5).any(|part| part == b" --> ");
    Some((clock && arrow).then_some(ForeignFormat::SUBTITLES))
}

/// YAML: a document's beginning that no second one ends, as in the front matter of a Markdown text; or a list of fields.
fn yaml(text: &[u8], whole: bool) -> Option<bool> {
    let mut lines = filled_lines(text, whole);
    let Some(first) = lines.next() else { return whole.then_some(false) };
    let first = first.trim_ascii_end();
    if first.starts_with(b"%YAML") {
        return Some(true);
    }
    if let Some(field) = first.strip_prefix(b"- ") {
        return match lines.next() {
            Some(second) => {
                let goes_on = second.strip_prefix(b"  ").is_some_and(|line| header(line).is_some());
                Some(header(field).is_some() && goes_on)
            }
            None => whole.then_some(false),
        };
    }
    if first.strip_suffix(b":").is_some_and(|name| !name.is_empty() && !name.contains(&b' ')) {
        // A name, and below it a list of fields.
        return match lines.next() {
            Some(second) => {
                let item = second.trim_ascii_start().strip_prefix(b"- ");
                let third = if item.is_some_and(|item| header(item).is_some()) { lines.next() } else { Some(&b""[..]) };
                let goes_on = |line: &[u8]| line.starts_with(b"  ") && header(line.trim_ascii_start()).is_some();
                match third {
                    Some(third) => Some(goes_on(third)),
                    None => whole.then_some(false),
                }
            }
            None => whole.then_some(false),
        };
    }
    if first != b"---" {
        return Some(false);
    }
    for (number, line) in lines.enumerate() {
        let item = line.strip_prefix(b"- ").unwrap_or(line);
        let indented = matches!(line.first(), Some(b' ' | b'#'));
        if !indented && header(item).is_none() {
            return Some(false);
        }
        if number == 200 {
            break;
        }
    }
    // Only at the end is it sure that no other `---` comes.
    whole.then_some(true)
}

/// The delimiter of a table: a record of column names, or of fields in quotation marks, and further records with as many
/// fields.
///
/// Prose has commas too, but blanks after them, and not as many in each line.
pub(super) fn table(text: &[u8], whole: bool) -> Option<Option<u8>> {
    if let Some(delimiter) = lines(text, whole).next().and_then(named_delimiter) {
        return Some(Some(delimiter));
    }
    let text = text.trim_ascii_start();
    for delimiter in DELIMITERS {
        // A likelier one is waited for, or the choice would depend on how much is at hand.
        if is_table(text, delimiter, whole)? {
            return Some(Some(delimiter));
        }
    }
    Some(None)
}

/// The delimiter of what is known to be a table: the one that its first record has most of. `None` where more of that must be
/// seen.
pub(super) fn likely_delimiter(text: &[u8], whole: bool) -> Option<u8> {
    let mut counts = [0; DELIMITERS.len()];
    let mut ended = whole;
    let mut quoted = false;
    // A quotation mark counts at the beginning of a field, inside of one that began so, and behind another.
    let mut may_quote = true;
    for &byte in text {
        match byte {
            b'"' if may_quote => quoted = !quoted,
            _ if quoted => {}
            b'\n' | b'\r' => {
                ended = true;
                break;
            }
            byte => {
                let delimiter = DELIMITERS.iter().position(|delimiter| *delimiter == byte);
                may_quote = delimiter.is_some();
                if let Some(index) = delimiter {
                    counts[index] += 1;
                }
            }
        }
    }
    let most = (0..DELIMITERS.len()).rev().max_by_key(|&index| counts[index]);
    ended.then(|| most.map_or(b',', |index| DELIMITERS[index]))
}

fn is_table(text: &[u8], delimiter: u8, whole: bool) -> Option<bool> {
    let Some(first_line) = lines(text, whole).next() else { return whole.then_some(false) };
    if !first_line.contains(&delimiter) {
        return if delimiter == b',' { is_column(text, whole) } else { Some(false) };
    }
    let mut rest = text;
    let header = match record(rest, delimiter, whole) {
        Fields::Some(header, after) => {
            rest = after;
            header
        }
        Fields::Unfinished => return None,
        Fields::Broken => return Some(false),
    };
    let Some(wanted) = records_wanted(&header) else { return Some(false) };
    let mut alike = 0;
    while alike < TABLE_RECORDS {
        let blank = rest.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
        rest = &rest[blank..];
        if rest.is_empty() {
            break;
        }
        match record(rest, delimiter, whole) {
            Fields::Some(fields, after) if fields.len() == header.len() => {
                alike += 1;
                rest = after;
            }
            Fields::Unfinished => break,
            _ => return Some(false),
        }
        if alike == wanted {
            return Some(true);
        }
    }
    whole.then_some(false)
}

/// Whether a text is a table of one column: a usual name, and below it a field in quotation marks that is all of its record.
fn is_column(text: &[u8], whole: bool) -> Option<bool> {
    let Fields::Some(name, rest) = record(text, b',', whole) else { return Some(false) };
    let known = |field: &Field<'_>| {
        COLUMNS.contains(&String::from_utf8_lossy(field.text.trim_ascii()).to_ascii_lowercase().as_str())
    };
    if !name.iter().all(known) {
        return Some(false);
    }
    let blank = rest.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
    if rest.len() == blank {
        return whole.then_some(false);
    }
    match record(&rest[blank..], b',', whole) {
        Fields::Some(fields, _) => Some(matches!(fields[..], [Field { quoted: true, .. }])),
        Fields::Unfinished => None,
        Fields::Broken => Some(false),
    }
}

/// How many records with as many fields as the first make a table of it; `None` for no number of them.
fn records_wanted(first: &[Field<'_>]) -> Option<usize> {
    if first.len() < 2 {
        return None;
    }
    let column = |field: &Field<'_>| {
        let text = field.text.trim_ascii();
        let letter = text.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_' || !byte.is_ascii());
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-. /#()".contains(byte) || !byte.is_ascii();
        letter && text.len() <= 40 && text.iter().all(plain) && text.last() != Some(&b'.')
    };
    let apart = first.iter().skip(1).all(|field| !field.text.starts_with(b" "));
    // Row numbers often have no name.
    let named = first[1..].iter().all(column) && (column(&first[0]) || first[0].text.is_empty());
    if named && apart {
        let known = |field: &Field<'_>| {
            let name = String::from_utf8_lossy(field.text.trim_ascii()).to_ascii_lowercase();
            COLUMNS.contains(&name.as_str())
        };
        let words = first.iter().all(|field| !field.text.contains(&b' '));
        return match () {
            () if first.iter().any(known) => Some(1),
            () if first.len() > 2 && words => Some(2),
            () => None,
        };
    }
    (apart && first.iter().any(|field| field.quoted)).then_some(2)
}

struct Field<'a> {
    /// Without the quotation marks around it.
    text: &'a [u8],
    quoted: bool,
}

enum Fields<'a> {
    /// A record and what follows it.
    Some(Vec<Field<'a>>, &'a [u8]),
    Unfinished,
    Broken,
}

/// The first record, which ends at a line break outside of quotation marks.
fn record(text: &[u8], delimiter: u8, whole: bool) -> Fields<'_> {
    let mut fields = Vec::new();
    let mut position = 0;
    loop {
        let quoted = text.get(position) == Some(&b'"');
        let (start, mut end) = (position + usize::from(quoted), position + usize::from(quoted));
        if quoted {
            loop {
                match (text.get(end), text.get(end + 1)) {
                    (None, _) => return if whole { Fields::Broken } else { Fields::Unfinished },
                    (Some(b'"'), None) if !whole => return Fields::Unfinished,
                    (Some(b'"'), Some(b'"')) => end += 2,
                    (Some(b'"'), _) => break,
                    _ => end += 1,
                }
            }
            position = end + 1;
        } else {
            end += text[end..].iter().take_while(|&&byte| byte != delimiter && byte != b'\n' && byte != b'\r').count();
            position = end;
        }
        fields.push(Field { text: &text[start..end], quoted });
        match text.get(position) {
            Some(byte) if *byte == delimiter => position += 1,
            Some(b'\n' | b'\r') => return Fields::Some(fields, &text[position..]),
            None if whole => return Fields::Some(fields, &[]),
            None => return Fields::Unfinished,
            // After a closing quotation mark.
            Some(_) => return Fields::Broken,
        }
    }
}

#[cfg(test)]
mod tests;
