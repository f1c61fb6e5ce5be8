//! One e-mail as a JSON object: who wrote what to whom, and when.

use super::error::InputError;
use super::json_object::{JsonObject, quoted};
use super::mail_date::rfc_3339;
use crate::html;
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use mailparse::body::Body;
use mailparse::{DispositionType, MailHeader, MailHeaderMap, ParsedContentType};

/// Parts within parts that are followed. Real messages have three or four.
const MOST_DEPTH: usize = 16;

/// Parts that are looked at; what comes after them is an attachment at best.
const MOST_PARTS: usize = 1000;

/// Length up to which a header is decoded, for the time of that grows with its square. Longer ones are given as written.
const DECODED_HEADER_BYTES: usize = 16 * 1024;

/// Length up to which a header is read that tells the type of a part.
const TYPE_HEADER_BYTES: usize = 2 * 1024;

/// The message as an object with the fields id, from, to, subject, date and text; what it has no header for is absent.
///
/// The text is that of all parts in plain text, else of those in HTML. Attachments do not count.
pub(super) fn object(message: &[u8]) -> Result<Vec<u8>, InputError> {
    let (headers, _) = parse_headers(message)?;
    let mut texts = Texts::default();
    texts.collect(message, 0)?;
    let text = texts.joined().ok_or(InputError::NoMailText)?;
    let mut object = JsonObject::new();
    for (field, name) in
        [("id", "Message-ID"), ("from", "From"), ("to", "To"), ("subject", "Subject"), ("date", "Date")]
    {
        let Some(header) = headers.get_first_header(name) else { continue };
        let value = value(header);
        let value = match field {
            "id" => value.trim_start_matches('<').trim_end_matches('>').to_owned(),
            "date" => rfc_3339(&value).unwrap_or(value),
            _ => value,
        };
        object.push(&quoted(field.as_bytes()), value.as_bytes());
    }
    object.push(&quoted(b"text"), text.as_bytes());
    Ok(object.finish())
}

fn parse_headers(part: &[u8]) -> Result<(Vec<MailHeader<'_>>, usize), InputError> {
    mailparse::parse_headers(part).map_err(|error| InputError::InvalidMail(error.to_string()))
}

/// A header's value on one line.
fn value(header: &MailHeader<'_>) -> String {
    let raw = header.get_value_raw();
    let value = if raw.len() <= DECODED_HEADER_BYTES {
        header.get_value()
    } else {
        String::from_utf8_lossy(raw).replace(['\r', '\n'], "")
    };
    value.trim().to_owned()
}

/// The value of a header that tells the type of a part.
fn type_header(headers: &[MailHeader<'_>], name: &str) -> Option<String> {
    let header = headers.get_first_header(name)?;
    (header.get_value_raw().len() <= TYPE_HEADER_BYTES).then(|| header.get_value())
}

/// Texts of a message's parts.
#[derive(Default)]
struct Texts {
    plain: Vec<String>,
    html: Vec<String>,
    parts: usize,
}

impl Texts {
    /// Adds the texts of a part and of those in it.
    fn collect(&mut self, part: &[u8], depth: usize) -> Result<(), InputError> {
        self.parts += 1;
        if self.parts > MOST_PARTS {
            return Ok(());
        }
        let (headers, body) = parse_headers(part)?;
        let body = &part[body..];
        let is_attachment = type_header(&headers, "Content-Disposition").is_some_and(|value| {
            mailparse::parse_content_disposition(&value).disposition == DispositionType::Attachment
        });
        if is_attachment {
            return Ok(());
        }
        let kind = type_header(&headers, "Content-Type");
        let kind = kind.map_or_else(ParsedContentType::default, |value| mailparse::parse_content_type(&value));
        match (kind.mimetype.as_str(), kind.params.get("boundary")) {
            (mime, Some(boundary)) if mime.starts_with("multipart/") => {
                if depth >= MOST_DEPTH {
                    return Err(InputError::InvalidMail(format!("more than {MOST_DEPTH} parts within each other")));
                }
                parts(body, boundary.as_bytes()).try_for_each(|part| self.collect(part, depth + 1))?;
            }
            ("text/html", _) => {
                let bytes = decoded(body, &kind, &headers)?;
                let named = kind.params.get("charset").and_then(|name| Encoding::for_label(name.as_bytes()));
                let encoding = named.or_else(|| html::declared_encoding(&bytes[..bytes.len().min(1024)]));
                self.html.push(in_utf_8(bytes, encoding));
            }
            ("text/plain" | "text", _) | ("", _) => {
                let bytes = decoded(body, &kind, &headers)?;
                let encoding = kind.params.get("charset").and_then(|name| Encoding::for_label(name.as_bytes()));
                self.plain.push(in_utf_8(bytes, encoding).replace("\r\n", "\n"));
            }
            _ => {}
        }
        Ok(())
    }

    /// The text of the message; `None` if it is blank.
    fn joined(self) -> Option<String> {
        let is_filled = |text: &&str| !text.trim().is_empty();
        let plain: Vec<&str> = self.plain.iter().map(|text| text.trim_end()).filter(is_filled).collect();
        if !plain.is_empty() {
            return Some(plain.join("\n\n"));
        }
        let mut blocks: Vec<String> = Vec::new();
        for page in &self.html {
            html::blocks(page, &mut |block| blocks.push(block.text));
        }
        let text = blocks.join("\n\n");
        is_filled(&text.as_str()).then_some(text)
    }
}

/// The body of a part without its transfer encoding.
fn decoded(body: &[u8], kind: &ParsedContentType, headers: &[MailHeader<'_>]) -> Result<Vec<u8>, InputError> {
    let encoding = type_header(headers, "Content-Transfer-Encoding").map(|value| value.trim().to_lowercase());
    let decoded = match Body::new(body, kind, &encoding) {
        // List programs put lines of their own below what is encoded.
        Body::Base64(encoded) => encoded.get_decoded().or_else(|error| {
            let is_encoded = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=\r".contains(byte);
            let lines = body.split_inclusive(|&byte| byte == b'\n');
            let length = lines
                .take_while(|line| line.strip_suffix(b"\n").unwrap_or(line).iter().all(is_encoded))
                .map(<[u8]>::len)
                .sum();
            match Body::new(&body[..length], kind, &encoding) {
                Body::Base64(encoded) if length > 0 => encoded.get_decoded(),
                _ => Err(error),
            }
        }),
        Body::QuotedPrintable(encoded) => encoded.get_decoded(),
        Body::SevenBit(body) | Body::EightBit(body) => Ok(body.get_raw().to_vec()),
        Body::Binary(body) => Ok(body.get_raw().to_vec()),
    };
    decoded.map_err(|error| InputError::InvalidMail(error.to_string()))
}

/// A text in the encoding that its part names. Where it names none, UTF-8 or windows-1252, which is what ASCII and Latin 1 are
/// taken for as well, it is UTF-8 if it can be, else windows-1252.
fn in_utf_8(bytes: Vec<u8>, encoding: Option<&'static Encoding>) -> String {
    match encoding {
        None => String::from_utf8(bytes)
            .unwrap_or_else(|error| WINDOWS_1252.decode_without_bom_handling(error.as_bytes()).0.into_owned()),
        Some(encoding) if encoding == WINDOWS_1252 || encoding == UTF_8 => in_utf_8(bytes, None),
        Some(encoding) => encoding.decode(&bytes).0.into_owned(),
    }
}

/// The parts of a body: what stands between lines of two hyphens and `boundary`, up to one with two hyphens more.
fn parts<'a>(body: &'a [u8], boundary: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = next_boundary(body, boundary).and_then(|(_, rest)| rest);
    std::iter::from_fn(move || {
        let body = rest.take()?;
        match next_boundary(body, boundary) {
            Some((part, after)) => {
                rest = after;
                Some(part)
            }
            // The message was cut off.
            None => (!body.is_empty()).then_some(body),
        }
    })
}

/// What stands before the first boundary, without the line break that belongs to it, and what stands behind, unless it is the last.
fn next_boundary<'a>(body: &'a [u8], boundary: &[u8]) -> Option<(&'a [u8], Option<&'a [u8]>)> {
    let mut position = 0;
    for line in body.split_inclusive(|&byte| byte == b'\n') {
        let after = line.strip_prefix(b"--").and_then(|line| line.strip_prefix(boundary)).map(<[u8]>::trim_ascii_end);
        let is_last = match after {
            Some(b"") => false,
            Some(b"--") => true,
            _ => {
                position += line.len();
                continue;
            }
        };
        let before = &body[..position];
        let before = before.strip_suffix(b"\n").unwrap_or(before);
        let before = before.strip_suffix(b"\r").unwrap_or(before);
        return Some((before, (!is_last).then(|| &body[position + line.len()..])));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(message: impl AsRef<[u8]>) -> Value {
        serde_json::from_slice(&object(message.as_ref()).unwrap()).unwrap()
    }

    fn text(message: impl AsRef<[u8]>) -> String {
        read(message)["text"].as_str().unwrap().to_owned()
    }

    #[test]
    fn headers_are_decoded_fields() {
        let message = "Message-ID: <1@site.example>\r\nDate: Mon, 1 Jan 2024 09:05:00 +0100\r\n\
                       From: =?utf-8?q?J=C3=B6rg?= <joerg@site.example>\r\nTo: ann@site.example,\r\n ben@site.example\r\n\
                       SUBJECT: =?iso-8859-1?B?R3L832U=?=\r\n\r\nHello,\r\n\r\n> yes\r\n";
        let expected = json!({
            "id": "1@site.example", "from": "Jörg <joerg@site.example>", "to": "ann@site.example, ben@site.example",
            "subject": "Grüße", "date": "2024-01-01T09:05:00+01:00", "text": "Hello,\n\n> yes",
        });
        assert_eq!(read(message), expected);
        assert_eq!(read("Date: soon\n\nText."), json!({"date": "soon", "text": "Text."}));
        let long = format!("Subject: {}\n\nText.", "=?utf-8?q?a?= ".repeat(2000));
        assert!(read(long)["subject"].as_str().unwrap().starts_with("=?utf-8?q?a?= =?"));
    }

    #[test]
    fn transfer_encodings_and_charsets_are_decoded() {
        let body = |headers: &str, body: &[u8]| text([headers.as_bytes(), b"\n\n", body].concat());
        let quoted = "Content-Type: text/plain; charset=iso-8859-15\nContent-Transfer-Encoding: quoted-printable";
        assert_eq!(body(quoted, b"=A4 5 =\nand more =3D"), "€ 5 and more =");
        let base64 = "Content-Type: text/plain; charset=\"UTF-8\"\nContent-Transfer-Encoding: BASE64";
        assert_eq!(body(base64, b"R3LDvMOf\nZSE=\n"), "Grüße!");
        assert_eq!(body(base64, b"R3LDvMOf\r\nZSE=\r\n____________\r\nA list <list@site.example>\r\n"), "Grüße!");
        for headers in
            ["Subject: a", "Content-Type: text/plain; charset=us-ascii", "Content-Type: text/plain; charset=x"]
        {
            assert_eq!(body(headers, "Grüße".as_bytes()), "Grüße", "{headers}");
            assert_eq!(body(headers, b"Gr\xfc\xdfe"), "Grüße", "{headers}");
        }
    }

    #[test]
    fn plain_text_counts_before_html_and_attachments_never() {
        let part = |headers: &str, body: &str| format!("--b\nContent-Type: {headers}\n\n{body}\n");
        let mail = |parts: &[String]| {
            format!(
                "Content-Type: multipart/mixed; boundary=\"b\"\n\nFor old programs.\n{}--b--\nBehind.\n",
                parts.concat()
            )
        };
        let plain = part("text/plain", "One\n--before\nand more.");
        let html = part("text/html", "<p>Two <b>words</b>.</p><p>Three.</p>");
        let file = part("text/plain\nContent-Disposition: attachment; filename=a.txt", "A file.");
        let nested =
            "--b\nContent-Type: multipart/alternative; boundary=bb\n\n--bb\n\nInner.\n--bb\nContent-Type: text/html\n\n<p>x\n--bb--\n".to_owned();
        assert_eq!(text(mail(&[html.clone(), plain.clone(), file.clone()])), "One\n--before\nand more.");
        assert_eq!(text(mail(&[nested, plain])), "Inner.\n\nOne\n--before\nand more.");
        assert_eq!(text(mail(&[html, file.clone()])), "Two words.\n\nThree.");
        let cut = mail(&[]).replace("--b--\nBehind.\n", "--b\n\nCut");
        assert_eq!(text(cut), "Cut");
        for without in
            [mail(&[file]), mail(&[]), "Subject: a\n\n \n".to_owned(), "Content-Type: image/png\n\nx".to_owned()]
        {
            assert!(matches!(object(without.as_bytes()), Err(InputError::NoMailText)), "{without}");
        }
    }

    #[test]
    fn parts_within_parts_are_bounded() {
        let nested = |depth: usize| {
            let open = |level: usize| format!("Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n");
            (0..depth).map(open).collect::<String>() + "\nText.\n"
        };
        assert_eq!(text(nested(MOST_DEPTH)), "Text.");
        assert!(matches!(object(nested(MOST_DEPTH + 1).as_bytes()), Err(InputError::InvalidMail(_))));
        let many = "--b\n\nx\n".repeat(MOST_PARTS + 5);
        let long = text(format!("Content-Type: multipart/mixed; boundary=b\n\n{many}"));
        assert_eq!(long.matches('x').count(), MOST_PARTS - 1);
        assert!(matches!(object(b"Subject: a\n\rx"), Err(InputError::InvalidMail(_))));
    }
}
