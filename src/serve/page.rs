//! The built-in pages: their files, and what browsers are told to keep them to.

use super::app::{body, set};
use axum::http::StatusCode;
use axum::response::Response;

/// Nothing but its own files, nothing within the page that could be injected, and no page around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `GET /`.
pub(super) async fn index() -> Response {
    file("text/html; charset=utf-8", include_str!("page/index.html"))
}

/// `GET /style.css`.
pub(super) async fn style() -> Response {
    file("text/css; charset=utf-8", include_str!("page/style.css"))
}

/// `GET /page.js`.
pub(super) async fn script() -> Response {
    file("text/javascript; charset=utf-8", include_str!("page/page.js"))
}

/// `GET /docs`: the interface, to be read.
pub(super) async fn docs() -> Response {
    file("text/html; charset=utf-8", include_str!("page/docs.html"))
}

/// `GET /docs.js`.
pub(super) async fn docs_script() -> Response {
    file("text/javascript; charset=utf-8", include_str!("page/docs.js"))
}

fn file(kind: &'static str, text: &'static str) -> Response {
    let mut response = body(StatusCode::OK, kind, text.into());
    for (name, value) in [
        ("content-security-policy", POLICY),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        // A newer server has a newer page.
        ("cache-control", "no-cache"),
    ] {
        set(&mut response, name, value);
    }
    response
}

#[cfg(test)]
mod tests {
    #[test]
    fn pages_hold_nothing_that_their_policy_forbids() {
        for page in [include_str!("page/index.html"), include_str!("page/docs.html")] {
            for forbidden in [" style=", " onclick", "<style", "http://", "https://", "//"] {
                assert!(!page.contains(forbidden), "{forbidden}");
            }
            assert_eq!(page.matches("<script").count(), page.matches("<script src=").count());
        }
    }
}
