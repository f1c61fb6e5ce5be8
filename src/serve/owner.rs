//! What the owner of a site sees and says: recent verdicts, decisions on them, counts.

use super::api::{CommentFields, caller, done, parse};
use super::app::{App, Refusal, json};
use super::caller::Caller;
use super::sites::Event;
use crate::comment::Comment;
use crate::feedback::{Feedback, FeedbackError, Subject, now};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::Response;
use serde::Deserialize;
use serde_json::json as value;
use std::net::IpAddr;
use std::sync::Arc;

/// Verdicts that are shown where nothing else is asked for, and at most.
const VERDICTS: (usize, usize) = (50, 1_000);

/// Days that are shown where nothing else is asked for, and at most.
const DAYS: (usize, usize) = (30, 3_660);

/// `GET /v1/verdicts?limit=50`: the newest verdicts of the key that asks, the last given first.
pub(super) async fn verdicts(State(app): State<Arc<App>>, headers: HeaderMap, uri: Uri) -> Response {
    let answer = async {
        let owner = owner(&app, &headers)?;
        let source = Arc::clone(owner.name());
        let limit = number(&uri, "limit", VERDICTS)?;
        let verdicts = wait(&app, move |app| app.memory.verdicts(&source, limit)).await?;
        let verdicts = verdicts.ok_or(Refusal::NotKept)?;
        Ok(json(StatusCode::OK, &value!({ "verdicts": verdicts })))
    };
    done(answer.await, &uri)
}

/// `GET /v1/counts?days=30`: what happened on the newest days on which something did, the oldest first.
pub(super) async fn counts(State(app): State<Arc<App>>, headers: HeaderMap, uri: Uri) -> Response {
    let answer = async {
        let _owner = owner(&app, &headers)?;
        let days = number(&uri, "days", DAYS)?;
        let days = wait(&app, move |app| app.memory.counts(days)).await?.ok_or(Refusal::NotKept)?;
        Ok(json(StatusCode::OK, &value!({ "days": days })))
    };
    done(answer.await, &uri)
}

#[derive(Deserialize)]
struct FeedbackRequest {
    id: Option<Id>,
    comment: Option<CommentFields>,
    spam: bool,
    /// The address of the site that the comment stands on.
    site: Option<String>,
}

/// The id of a verdict, as text or as a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Id {
    Number(i64),
    Text(String),
}

/// `POST /v1/feedback`: a decision on a verdict by its id, or on a comment.
pub(super) async fn feedback(State(app): State<Arc<App>>, headers: HeaderMap, uri: Uri, body: Bytes) -> Response {
    let answer = async {
        let owner = owner(&app, &headers)?;
        let FeedbackRequest { id, comment, spam, site } = parse(&body)?;
        let subject = match (id, comment) {
            (Some(Id::Number(id)), None) => Subject::Verdict(id),
            (Some(Id::Text(id)), None) => Subject::Verdict(
                id.parse().map_err(|_| Refusal::Unprocessable("`id` is no id of a verdict".to_owned()))?,
            ),
            (None, Some(comment)) => Subject::Comment(Comment::from(comment)),
            _ => return Err(Refusal::Unprocessable("expected either `id` or `comment`".to_owned())),
        };
        let feedback = Feedback { subject, spam, source: owner.name().to_string(), time: now() };
        if !wait(&app, move |app| app.memory.record(&feedback)).await? {
            return Err(Refusal::NotKept);
        }
        app.sites.count(owner.name(), &site.unwrap_or_default(), now(), Event::Feedback { spam });
        Ok(json(StatusCode::OK, &value!({ "stored": true })))
    };
    done(answer.await, &uri)
}

/// The key that asks. Where none is needed, the host must be an address or a name of this network: else a page of
/// another site could have its name lead here, and read what people wrote.
fn owner(app: &App, headers: &HeaderMap) -> Result<Caller, Refusal> {
    let caller = caller(app, headers)?;
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if !app.keys.are_needed() && !is_own(host) {
        return Err(Refusal::Forbidden(
            "without keys this is answered at an address or a name without dots alone; start the server with --keys",
        ));
    }
    Ok(caller)
}

fn is_own(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    !name.contains('.') || name.ends_with(".localhost") || name.parse::<IpAddr>().is_ok()
}

/// A number in the query, from 1 to the most that is given.
fn number(uri: &Uri, name: &str, (otherwise, most): (usize, usize)) -> Result<usize, Refusal> {
    let pairs = uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    match pairs.filter(|(key, _)| *key == name).map(|(_, value)| value.parse::<usize>()).next() {
        None => Ok(otherwise),
        Some(Ok(number)) if (1..=most).contains(&number) => Ok(number),
        Some(_) => Err(Refusal::Unprocessable(format!("`{name}` is a number from 1 to {most}"))),
    }
}

/// Runs what may wait for a disk in a thread for it.
async fn wait<T: Send + 'static>(
    app: &Arc<App>,
    job: impl FnOnce(&App) -> Result<T, FeedbackError> + Send + 'static,
) -> Result<T, Refusal> {
    let inner = Arc::clone(app);
    match tokio::task::spawn_blocking(move || job(&inner)).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(FeedbackError::NoText)) => Err(Refusal::Unprocessable("the comment has no text".to_owned())),
        Ok(Err(FeedbackError::UnknownVerdict { .. })) => Err(Refusal::UnknownVerdict),
        Ok(Err(error)) => {
            app.log.error(&format!("the store failed: {error}"));
            Err(Refusal::Failed("the store failed; ask again".to_owned()))
        }
        Err(_) => Err(Refusal::Failed("the request failed in the server".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_others_are_not_ones_own() {
        for host in ["localhost:8417", "127.0.0.1:8417", "[::1]:8417", "10.0.0.7", "blog.localhost", "copydesk", ""] {
            assert!(is_own(host), "{host}");
        }
        for host in ["evil.example:8417", "localhost.evil.example", "127.0.0.1.evil.example:8417"] {
            assert!(!is_own(host), "{host}");
        }
    }

    #[test]
    fn numbers_in_queries_are_bounded() {
        let limit = |uri: &'static str| number(&Uri::from_static(uri), "limit", VERDICTS);
        assert_eq!(limit("/v1/verdicts").unwrap(), 50);
        assert_eq!(limit("/v1/verdicts?x=1&limit=7").unwrap(), 7);
        for wrong in ["/?limit=0", "/?limit=1001", "/?limit=-1", "/?limit=x", "/?limit="] {
            assert!(limit(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ids_are_text_or_numbers() {
        let id = |json: &str| serde_json::from_str::<FeedbackRequest>(json).map(|request| request.id);
        assert!(matches!(id(r#"{"id": "17", "spam": true}"#), Ok(Some(Id::Text(id))) if id == "17"));
        assert!(matches!(id(r#"{"id": 17, "spam": true}"#), Ok(Some(Id::Number(17)))));
        assert!(id(r#"{"id": 17}"#).is_err());
    }
}
