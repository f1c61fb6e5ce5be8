//! Akismet's protocol: what blogs ask a spam service.

use super::app::{App, Refusal, json, key_in, key_in_host, plain, set};
use super::caller::Caller;
use super::form::{Form, cut};
use super::sites::Event;
use super::work::WorkError;
use crate::comment::Comment;
use crate::feedback::{Feedback, FeedbackError, Subject, now};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::Response;
use std::sync::Arc;

/// Bytes of a comment that are read.
pub(super) const TEXT_BYTES: usize = 64 * 1024;

/// Bytes of any other field that are read.
pub(super) const FIELD_BYTES: usize = 2_048;

/// What clients expect as thanks.
const THANKS: &str = "Thanks for making the web a better place.";

/// The author and the address that are spam in any case, so that clients can be tested.
const TEST_AUTHOR: &str = "viagra-test-123";
const TEST_ADDRESS: &str = "akismet-guaranteed-spam@example.com";

/// A request with its key.
struct Call {
    form: Form,
    caller: Caller,
}

fn read(headers: &HeaderMap, body: &[u8]) -> Result<Form, Refusal> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if kind.trim_start().to_ascii_lowercase().starts_with("multipart/") {
        return Err(Refusal::Media("expected application/x-www-form-urlencoded"));
    }
    Form::parse(body).map_err(|error| Refusal::Invalid(error.to_string()))
}

/// The body, or the part of the address behind the question mark where there is none.
fn content<'request>(body: &'request Bytes, uri: &'request Uri) -> &'request [u8] {
    if body.is_empty() { uri.query().unwrap_or_default().as_bytes() } else { body }
}

/// Whose key it is; where it is none, what clients are told then.
fn caller(app: &App, form: &Form, headers: &HeaderMap, uri: &Uri) -> Result<Caller, Box<Response>> {
    let shown = form
        .first(&["api_key", "key"])
        .map(str::trim)
        .or_else(|| key_in(headers))
        .or_else(|| key_in_host(headers, uri));
    app.caller(shown).map_err(|refusal| {
        Box::new(match (refusal, shown) {
            (Refusal::NoKey, Some(_)) => {
                invalid(StatusCode::OK, "We were unable to parse your request: the key is not known here")
            }
            (Refusal::NoKey, None) => invalid(StatusCode::OK, "Empty \"api_key\" value"),
            (refusal, _) => refusal.response(uri.path()),
        })
    })
}

/// What clients read as an invalid call; with status 200 where the key is what is wrong.
fn invalid(status: StatusCode, help: &str) -> Response {
    let mut response = plain(status, "invalid");
    set(&mut response, "x-akismet-debug-help", help);
    response
}

fn call(app: &App, headers: &HeaderMap, uri: &Uri, body: &Bytes) -> Result<Call, Box<Response>> {
    let form = read(headers, content(body, uri)).map_err(|refusal| Box::new(refusal.response(uri.path())))?;
    let caller = caller(app, &form, headers, uri)?;
    Ok(Call { form, caller })
}

fn require(form: &Form, names: &[&str]) -> Result<(), Box<Response>> {
    match names.iter().find(|name| form.get(name).is_none()) {
        Some(name) => Err(Box::new(invalid(StatusCode::BAD_REQUEST, &format!("Empty \"{name}\" value")))),
        None => Ok(()),
    }
}

fn done(answer: Result<Response, Box<Response>>) -> Response {
    answer.unwrap_or_else(|response| *response)
}

/// `POST /1.1/verify-key`.
pub(super) async fn verify_key(State(app): State<Arc<App>>, headers: HeaderMap, uri: Uri, body: Bytes) -> Response {
    let answer = || {
        let Call { form, caller: _caller } = call(&app, &headers, &uri, &body)?;
        require(&form, &["blog"])?;
        if !app.keys.are_needed() && form.first(&["api_key", "key"]).is_none() && key_in_host(&headers, &uri).is_none()
        {
            return Err(Box::new(invalid(StatusCode::OK, "Empty \"key\" value")));
        }
        Ok(plain(StatusCode::OK, "valid"))
    };
    done(answer())
}

/// `POST /1.1/comment-check`.
pub(super) async fn comment_check(State(app): State<Arc<App>>, headers: HeaderMap, uri: Uri, body: Bytes) -> Response {
    done(check(&app, &headers, &uri, &body).await)
}

/// What is answered of a comment.
struct Said {
    spam: bool,
    score: f32,
    reason: String,
    discard: bool,
    id: Option<i64>,
}

async fn check(app: &App, headers: &HeaderMap, uri: &Uri, body: &Bytes) -> Result<Response, Box<Response>> {
    let Call { form, caller } = call(app, headers, uri, body)?;
    require(&form, &["blog", "user_ip"])?;
    let said = match known(&form) {
        Some((spam, reason)) => {
            app.metrics.verdict(spam);
            Said { spam, score: f32::from(u8::from(spam)), reason: reason.to_owned(), discard: false, id: None }
        }
        None => {
            let judged = judged(app, &form, caller.name()).await;
            judged.map_err(|error| Box::new(Refusal::from(error).response(uri.path())))?
        }
    };
    let blog = form.get("blog").unwrap_or_default();
    app.sites.count(caller.name(), blog, now(), Event::Verdict { spam: said.spam });
    let mut response = plain(StatusCode::OK, if said.spam { "true" } else { "false" });
    set(&mut response, "x-akismet-guid", &said.id.map_or_else(|| app.ids.next(), |id| id.to_string()));
    set(&mut response, "x-copydesk-score", &format!("{:.4}", said.score));
    set(&mut response, "x-copydesk-reason", &said.reason);
    if said.discard {
        set(&mut response, "x-akismet-pro-tip", "discard");
    }
    Ok(response)
}

/// What is decided without a look at the text.
fn known(form: &Form) -> Option<(bool, &'static str)> {
    if form.get("comment_author").is_some_and(|author| author.trim() == TEST_AUTHOR)
        || form.get("comment_author_email").is_some_and(|address| address.trim().eq_ignore_ascii_case(TEST_ADDRESS))
    {
        return Some((true, "sent to test a client"));
    }
    if form.get("user_role").is_some_and(|role| role.trim() == "administrator") {
        return Some((false, "written by an administrator"));
    }
    let trap = form.get("honeypot_field_name").filter(|name| form.get(name.trim()).is_some());
    trap.map(|_| (true, "filled in a field that people do not see"))
}

async fn judged(app: &App, form: &Form, key: &Arc<str>) -> Result<Said, WorkError> {
    let comment = comment(form);
    if comment.body().trim().is_empty() {
        return Ok(without_text(app));
    }
    let keep = !form.get("is_test").is_some_and(|value| matches!(value.trim(), "1" | "true"));
    let verdict = app.work.judge(vec![comment], key, keep).await?.pop().unwrap_or(Err(WorkError::Lost));
    match verdict {
        Ok(verdict) => {
            let judgement = verdict.judgement;
            let discard = judgement.spam && judgement.score >= app.discard;
            Ok(Said { spam: judgement.spam, score: judgement.score, reason: judgement.reason, discard, id: verdict.id })
        }
        Err(WorkError::Blank) => Ok(without_text(app)),
        Err(error) => Err(error),
    }
}

/// A comment without a text that can be judged goes to a person.
fn without_text(app: &App) -> Said {
    app.metrics.verdict(false);
    Said { spam: false, score: 0.0, reason: "no text to judge".to_owned(), discard: false, id: None }
}

/// The comment in a form, as far as it is read.
fn comment(form: &Form) -> Comment {
    let field = |name: &str| form.get(name).map(|value| cut(value.trim(), FIELD_BYTES).to_owned());
    let text = cut(form.get("comment_content").unwrap_or_default(), TEXT_BYTES);
    Comment {
        html: has_markup(text).then(|| text.to_owned()),
        author: field("comment_author"),
        author_url: field("comment_author_url"),
        email_domain: field("comment_author_email").map(|address| Comment::domain_of(&address).to_owned()),
        ..Comment::new(text)
    }
}

/// Whether a text has tags.
fn has_markup(text: &str) -> bool {
    let mut pairs = text.as_bytes().windows(2);
    pairs.any(|pair| pair[0] == b'<' && (pair[1].is_ascii_alphabetic() || pair[1] == b'/'))
}

/// `POST /1.1/submit-spam`: the comment was let pass, and is spam.
pub(super) async fn submit_spam(State(app): State<Arc<App>>, headers: HeaderMap, uri: Uri, body: Bytes) -> Response {
    done(submit(&app, &headers, &uri, &body, true).await)
}

/// `POST /1.1/submit-ham`: the comment was taken for spam, and is genuine.
pub(super) async fn submit_ham(State(app): State<Arc<App>>, headers: HeaderMap, uri: Uri, body: Bytes) -> Response {
    done(submit(&app, &headers, &uri, &body, false).await)
}

async fn submit(
    app: &Arc<App>,
    headers: &HeaderMap,
    uri: &Uri,
    body: &Bytes,
    spam: bool,
) -> Result<Response, Box<Response>> {
    let Call { form, caller } = call(app, headers, uri, body)?;
    require(&form, &["blog", "user_ip"])?;
    let time = now();
    let feedback =
        Feedback { subject: Subject::Comment(comment(&form)), spam, source: caller.name().to_string(), time };
    let memory = Arc::clone(&app.memory);
    let recorded = tokio::task::spawn_blocking(move || memory.record(&feedback)).await;
    let stored = match recorded {
        Ok(Ok(stored)) => stored,
        // The client did its part; there is nothing that could be known again.
        Ok(Err(FeedbackError::NoText)) => false,
        Ok(Err(error)) => {
            app.log.error(&format!("a decision cannot be stored: {error}"));
            let refusal = Refusal::Failed("the decision could not be stored; send it again".to_owned());
            return Err(Box::new(refusal.response(uri.path())));
        }
        Err(_) => return Err(Box::new(Refusal::from(WorkError::Lost).response(uri.path()))),
    };
    app.sites.count(caller.name(), form.get("blog").unwrap_or_default(), time, Event::Feedback { spam });
    let mut response = plain(StatusCode::OK, THANKS);
    set(&mut response, "x-copydesk-stored", if stored { "yes" } else { "no" });
    Ok(response)
}

/// `GET` and `POST /1.1/get-subscription`: the plugin of WordPress asks it before it stores a key.
pub(super) async fn get_subscription(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    uri: Uri,
    body: Bytes,
) -> Response {
    let answer = || {
        let Call { caller, .. } = call(&app, &headers, &uri, &body)?;
        let answer = serde_json::json!({
            "account_id": 1,
            "account_name": &**caller.name(),
            "account_type": "copydesk",
            "status": "active",
            "next_billing_date": false,
            "limit_reached": false,
        });
        Ok(json(StatusCode::OK, &answer))
    };
    done(answer())
}

/// `GET` and `POST /1.2/key-sites`.
pub(super) async fn key_sites(State(app): State<Arc<App>>, headers: HeaderMap, uri: Uri, body: Bytes) -> Response {
    let answer = || {
        let Call { form, caller } = call(&app, &headers, &uri, &body)?;
        let number = |name: &str, otherwise: usize| match form.get(name).map(|value| value.trim().parse::<usize>()) {
            Some(Ok(number)) => Ok(number),
            None => Ok(otherwise),
            Some(Err(_)) => Err(Box::new(invalid(StatusCode::BAD_REQUEST, &format!("Invalid \"{name}\" value")))),
        };
        let page = (number("offset", 0)?, number("limit", 500)?.min(1_000));
        let month = form.get("month").map(str::trim);
        if month.is_some_and(|month| !is_month(month)) {
            return Err(Box::new(invalid(StatusCode::BAD_REQUEST, "Invalid \"month\" value: expected YYYY-MM")));
        }
        Ok(json(StatusCode::OK, &app.sites.page(caller.name(), month, now(), page)))
    };
    done(answer())
}

fn is_month(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 7
        && bytes.iter().enumerate().all(|(at, byte)| if at == 4 { *byte == b'-' } else { byte.is_ascii_digit() })
}

/// `GET` and `POST /1.2/usage-limit`: there is none.
pub(super) async fn usage_limit(State(app): State<Arc<App>>, headers: HeaderMap, uri: Uri, body: Bytes) -> Response {
    let answer = || {
        let Call { caller, .. } = call(&app, &headers, &uri, &body)?;
        let usage = app.sites.calls(caller.name(), now());
        let answer = serde_json::json!({ "limit": "none", "usage": usage, "percentage": 0, "throttled": false });
        Ok(json(StatusCode::OK, &answer))
    };
    done(answer())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(body: &str) -> Form {
        Form::parse(body.as_bytes()).unwrap()
    }

    #[test]
    fn tests_administrators_and_traps_are_decided_at_once() {
        let spam = |body| known(&form(body)).map(|(spam, _)| spam);
        assert_eq!(spam("comment_author=viagra-test-123&user_role=administrator"), Some(true));
        assert_eq!(spam("comment_author_email=akismet-guaranteed-spam%40example.com"), Some(true));
        assert_eq!(spam("user_role=administrator"), Some(false));
        assert_eq!(spam("user_role=editor"), None);
        assert_eq!(spam("honeypot_field_name=trap&trap=hello"), Some(true));
        assert_eq!(spam("honeypot_field_name=trap&trap="), None);
    }

    #[test]
    fn a_comment_is_made_of_a_form() {
        let comment = comment(&form(
            "comment_content=%3Ca+href%3D'x'%3Ey&comment_author=Ann&comment_author_email=a%40b.example&comment_author_url=",
        ));
        assert_eq!(comment.text, "<a href='x'>y");
        assert_eq!(comment.html.as_deref(), Some("<a href='x'>y"));
        assert_eq!((comment.author.as_deref(), comment.author_url), (Some("Ann"), None));
        assert_eq!(comment.email_domain.as_deref(), Some("b.example"));
        assert!(!has_markup("1 < 2 <3"));
    }

    #[test]
    fn months_are_years_and_months() {
        assert!(is_month("2026-11"));
        assert!(["2026-1", "2026/11", "", "november"].iter().all(|text| !is_month(text)));
    }
}
