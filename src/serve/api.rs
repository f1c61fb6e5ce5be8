//! JSON: labels, comments in batches, and the routes of text-embeddings-inference.

use super::akismet::{FIELD_BYTES, TEXT_BYTES};
use super::app::{App, Refusal, body, json, key_in};
use super::caller::Caller;
use super::form::cut;
use super::sites::Event;
use super::work::{LabelledPart, Verdict, Word, WorkError};
use crate::comment::Comment;
use crate::feedback::now;
use crate::label::Scores;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json as value};
use std::sync::Arc;

/// Longest text that one request may ask labels for, in bytes: `copydesk label` takes texts of any length.
const LABEL_BYTES: usize = 128 * 1024;

/// Longest texts that one request may ask to be explained, in bytes together: each is read some twenty times.
const EXPLAIN_BYTES: usize = 16 * 1024;

/// The most words that an explanation can be asked for.
const MOST_WORDS: usize = 1000;

pub(super) fn caller(app: &App, headers: &HeaderMap) -> Result<Caller, Refusal> {
    app.caller(key_in(headers))
}

pub(super) fn parse<'body, T: Deserialize<'body>>(body: &'body [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        let message = format!("the body is not the JSON expected here: {error}");
        if error.is_data() { Refusal::Unprocessable(message) } else { Refusal::Invalid(message) }
    })
}

pub(super) fn done(answer: Result<Response, Refusal>, uri: &Uri) -> Response {
    answer.unwrap_or_else(|refusal| refusal.response(uri.path()))
}

fn scores(scores: &Scores) -> Map<String, Value> {
    scores.iter().map(|(label, score)| (label.as_str().to_owned(), rounded(score))).collect()
}

/// A probability with six decimals, as rows have it.
fn rounded(score: f32) -> Value {
    ((f64::from(score) * 1e6).round() / 1e6).into()
}

#[derive(Deserialize)]
struct LabelRequest {
    text: Option<String>,
    html: Option<String>,
    /// How many words that its label rests on are wanted of each paragraph.
    explain: Option<usize>,
}

/// `POST /v1/label`: a text or a page, cut into paragraphs.
pub(super) async fn label(State(app): State<Arc<App>>, headers: HeaderMap, uri: Uri, body: Bytes) -> Response {
    let answer = async {
        let _caller = caller(&app, &headers)?;
        let (parts, words) = match parse(&body)? {
            LabelRequest { text: Some(text), html: None, explain } => {
                let words = words_asked(explain, text.len())?;
                (app.work.label_paragraphs(fits(text)?, words).await?, words)
            }
            LabelRequest { text: None, html: Some(html), explain } => {
                let words = words_asked(explain, html.len())?;
                (app.work.label_blocks(fits(html)?, words).await?, words)
            }
            _ => return Err(Refusal::Unprocessable("expected either `text` or `html`".to_owned())),
        };
        let paragraphs: Vec<Value> = parts.iter().map(|of| part(of, words > 0)).collect();
        Ok(json(StatusCode::OK, &value!({ "paragraphs": paragraphs })))
    };
    done(answer.await, &uri)
}

/// A text that one request may ask about: one thread works on it to its end, even if nobody waits any more.
fn fits(text: String) -> Result<String, Refusal> {
    match text.len() {
        0..=LABEL_BYTES => Ok(text),
        _ => Err(Refusal::TooLarge { what: "a text", limit: LABEL_BYTES, unit: "bytes" }),
    }
}

/// How many words are wanted, if texts of so many bytes may be explained.
fn words_asked(explain: Option<usize>, bytes: usize) -> Result<usize, Refusal> {
    match explain.unwrap_or(0) {
        0 => Ok(0),
        words if words > MOST_WORDS => Err(Refusal::Unprocessable(format!("`explain` may be up to {MOST_WORDS}"))),
        _ if bytes > EXPLAIN_BYTES => {
            Err(Refusal::TooLarge { what: "texts to explain", limit: EXPLAIN_BYTES, unit: "bytes" })
        }
        words => Ok(words),
    }
}

fn words(words: &[Word]) -> Value {
    let word = |word: &Word| {
        let weight = rounded(word.weight);
        value!({ "word": word.word, "start": word.span.start, "end": word.span.end, "weight": weight })
    };
    words.iter().map(word).collect()
}

fn part(part: &LabelledPart, explained: bool) -> Value {
    let mut row = value!({
        "start": part.span.start,
        "end": part.span.end,
        "label": part.label,
        "confidence": rounded(part.confidence),
        "scores": scores(&part.scores),
        "tokens": part.tokens,
        "windows": part.windows,
    });
    if let Value::Object(row) = &mut row {
        row.extend(part.lang.map(|lang| ("lang".to_owned(), lang.into())));
        row.extend(part.doubt.map(|doubt| ("doubt".to_owned(), doubt.into())));
        row.extend(explained.then(|| ("words".to_owned(), words(&part.words))));
    }
    row
}

#[derive(Deserialize)]
struct CommentsRequest {
    comments: Vec<CommentFields>,
    /// The address of the site that they stand on.
    site: Option<String>,
    /// How many words that its text's spam score rests on are wanted of each.
    explain: Option<usize>,
}

#[derive(Deserialize)]
pub(super) struct CommentFields {
    #[serde(default)]
    text: Option<String>,
    html: Option<String>,
    author: Option<String>,
    author_url: Option<String>,
    author_email: Option<String>,
    email_domain: Option<String>,
    page_title: Option<String>,
    page_text: Option<String>,
}

impl From<CommentFields> for Comment {
    fn from(fields: CommentFields) -> Comment {
        let field = |value: Option<String>, bytes: usize| {
            value.map(|value| cut(value.trim(), bytes).to_owned()).filter(|value| !value.is_empty())
        };
        let domain = fields.email_domain.or(fields.author_email);
        Comment {
            text: cut(&fields.text.unwrap_or_default(), TEXT_BYTES).to_owned(),
            html: field(fields.html, TEXT_BYTES),
            author: field(fields.author, FIELD_BYTES),
            author_url: field(fields.author_url, FIELD_BYTES),
            email_domain: field(domain, FIELD_BYTES).map(|address| Comment::domain_of(&address).to_owned()),
            page_title: field(fields.page_title, FIELD_BYTES),
            page_text: field(fields.page_text, TEXT_BYTES),
        }
    }
}

/// `POST /v1/comments`: a verdict for each of several comments.
pub(super) async fn comments(State(app): State<Arc<App>>, headers: HeaderMap, uri: Uri, body: Bytes) -> Response {
    let answer = async {
        let caller = caller(&app, &headers)?;
        let CommentsRequest { comments, site, explain } = parse(&body)?;
        app.batch_fits(comments.len())?;
        let comments: Vec<Comment> = comments.into_iter().map(Comment::from).collect();
        let wanted = words_asked(explain, comments.iter().map(|comment| comment.body().len()).sum())?;
        let explained = if wanted > 0 { comments.clone() } else { Vec::new() };
        // First: a verdict is remembered, and what is refused for want of room is asked again.
        let explained = app.work.explain(explained, wanted).await?;
        let verdicts = app.work.judge(comments, caller.name(), true).await?;
        let (time, site) = (now(), site.unwrap_or_default());
        for verdict in verdicts.iter().flatten() {
            app.sites.count(caller.name(), &site, time, Event::Verdict { spam: verdict.judgement.spam });
        }
        let mut results: Vec<Value> = verdicts.iter().map(verdict).collect();
        for (result, explained) in results.iter_mut().zip(&explained) {
            if let (Value::Object(row), Ok(found)) = (result, explained) {
                row.insert("words".to_owned(), words(found));
            }
        }
        Ok(json(StatusCode::OK, &value!({ "results": results })))
    };
    done(answer.await, &uri)
}

/// A verdict, or why there is none.
fn verdict(verdict: &Result<Verdict, WorkError>) -> Value {
    let Verdict { judgement, id } = match verdict {
        Ok(verdict) => verdict,
        Err(error) => return value!({ "error": error.to_string() }),
    };
    let mut row = value!({
        "spam": judgement.spam,
        "spam_score": rounded(judgement.score),
        "reason": judgement.reason,
        "text_score": rounded(judgement.text_score),
    });
    if let Value::Object(row) = &mut row {
        row.extend(judgement.lang.map(|lang| ("lang".to_owned(), lang.into())));
        // As text: numbers of this size are not exact in every language that reads JSON.
        row.extend(id.map(|id| ("id".to_owned(), id.to_string().into())));
    }
    row
}

/// Texts as text-embeddings-inference takes them: one, or each in a list of its own.
#[derive(Deserialize)]
#[serde(untagged)]
enum Inputs {
    One(String),
    List(Vec<Input>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Input {
    Text(String),
    List(Vec<String>),
}

#[derive(Deserialize)]
struct PredictRequest {
    inputs: Inputs,
    #[serde(default)]
    raw_scores: bool,
}

#[derive(Serialize)]
struct Predicted {
    score: Value,
    label: String,
}

/// `POST /predict`: labels with their scores, the highest first.
pub(super) async fn predict(State(app): State<Arc<App>>, headers: HeaderMap, uri: Uri, body: Bytes) -> Response {
    let answer = async {
        let _caller = caller(&app, &headers)?;
        let PredictRequest { inputs, raw_scores } = parse(&body)?;
        if raw_scores {
            return Err(Refusal::Unprocessable("`raw_scores` is not offered: scores are probabilities".to_owned()));
        }
        let (texts, alone) = texts(inputs)?;
        app.batch_fits(texts.len())?;
        let texts = texts.into_iter().map(fits).collect::<Result<Vec<_>, _>>()?;
        let mut lists = Vec::with_capacity(texts.len());
        for answer in app.work.label_records(texts).await? {
            lists.push(predicted(&answer?.scores));
        }
        Ok(match (lists.pop(), alone) {
            (Some(list), true) => json(StatusCode::OK, &list),
            (last, _) => {
                lists.extend(last);
                json(StatusCode::OK, &lists)
            }
        })
    };
    done(answer.await, &uri)
}

/// The texts asked for, and whether one was asked for alone.
fn texts(inputs: Inputs) -> Result<(Vec<String>, bool), Refusal> {
    let pair = || Refusal::Unprocessable("pairs of texts are not read: give each text in a list of its own".to_owned());
    let list = match inputs {
        Inputs::One(text) => return Ok((vec![text], true)),
        Inputs::List(list) => list,
    };
    let is_alone = matches!(list.as_slice(), [Input::Text(_)]);
    let mut texts = Vec::with_capacity(list.len());
    let several = list.len() > 1;
    for input in list {
        match input {
            Input::Text(_) if several => return Err(pair()),
            Input::Text(text) => texts.push(text),
            Input::List(mut texts_of_one) => match (texts_of_one.pop(), texts_of_one.is_empty()) {
                (Some(text), true) => texts.push(text),
                _ => return Err(pair()),
            },
        }
    }
    Ok((texts, is_alone))
}

fn predicted(scores: &Scores) -> Vec<Predicted> {
    let mut list: Vec<(&str, f32)> = scores.iter().map(|(label, score)| (label.as_str(), score)).collect();
    list.sort_by(|left, right| right.1.total_cmp(&left.1));
    list.into_iter().map(|(label, score)| Predicted { score: rounded(score), label: label.to_owned() }).collect()
}

/// `GET /info`: the model and the limits.
pub(super) async fn info(State(app): State<Arc<App>>, headers: HeaderMap, uri: Uri) -> Response {
    done(caller(&app, &headers).map(|_| json(StatusCode::OK, &app.info)), &uri)
}

/// `GET /openapi.json`: what there is to ask.
pub(super) async fn openapi() -> Response {
    let document = include_str!("openapi.json").replace("\"VERSION\"", concat!("\"", env!("CARGO_PKG_VERSION"), "\""));
    body(StatusCode::OK, "application/json", document.into())
}

/// `GET /health`: the server takes requests.
pub(super) async fn health() -> Response {
    json(StatusCode::OK, &value!({ "status": "ok" }))
}

/// `GET /metrics`: counts for Prometheus.
pub(super) async fn metrics(State(app): State<Arc<App>>, headers: HeaderMap, uri: Uri) -> Response {
    let page = || app.metrics.page(app.work.waiting());
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    done(caller(&app, &headers).map(|_| body(StatusCode::OK, kind, page().into())), &uri)
}

impl App {
    fn batch_fits(&self, texts: usize) -> Result<(), Refusal> {
        match texts {
            0 => Err(Refusal::Unprocessable("the list is empty".to_owned())),
            texts if texts > self.batch => Err(Refusal::TooLarge { what: "a list", limit: self.batch, unit: "texts" }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_alone_and_in_lists() {
        let read = |json: &str| texts(serde_json::from_str::<PredictRequest>(json).unwrap().inputs);
        assert_eq!(read(r#"{"inputs": "a"}"#).unwrap(), (vec!["a".to_owned()], true));
        assert_eq!(read(r#"{"inputs": ["a"]}"#).unwrap(), (vec!["a".to_owned()], true));
        assert_eq!(read(r#"{"inputs": [["a"], ["b"]]}"#).unwrap(), (vec!["a".to_owned(), "b".to_owned()], false));
        assert!(read(r#"{"inputs": ["a", "b"]}"#).is_err());
        assert!(read(r#"{"inputs": [["a", "b"]]}"#).is_err());
    }

    #[test]
    fn the_description_of_the_server_is_json_without_outside_resources() {
        let document: Value = serde_json::from_str(include_str!("openapi.json")).unwrap();
        assert_eq!(document["info"]["version"], "VERSION");
        assert!(!document.to_string().contains("http://") && !document.to_string().contains("https://"));
    }

    #[test]
    fn of_an_address_the_domain_is_kept() {
        let fields: CommentFields =
            serde_json::from_str(r#"{"text": "x", "author_email": "a@b.example", "other": 1}"#).unwrap();
        assert_eq!(Comment::from(fields).email_domain.as_deref(), Some("b.example"));
    }
}
