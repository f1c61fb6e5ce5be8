//! What the environment says of the hub: the variables that the hub's own programs read.

use super::HubError;
use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use ureq::http::Uri;

/// The hub that is asked where no other is named.
const HUB: &str = "https://huggingface.co";

/// Largest file of a token. Tokens have some forty characters.
const MOST_OF_TOKEN: u64 = 4096;

/// Which hub, which folder, and whether it may be asked at all.
#[derive(Debug)]
pub(super) struct Environment {
    /// Address of the hub, without a slash at its end.
    pub endpoint: Uri,
    /// The folder of the cache.
    pub cache: PathBuf,
    /// Whether the network is to be left alone.
    pub offline: bool,
    home: PathBuf,
}

/// What a user shows the hub. It is written into one header of one server's requests, and nowhere else.
pub(super) struct Token {
    text: String,
    /// Where it came from, for people.
    pub from: String,
}

impl Token {
    /// The value of the header `Authorization`.
    pub fn header(&self) -> String {
        format!("Bearer {}", self.text)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token(from {})", self.from)
    }
}

/// An environment variable; one that is empty says nothing.
fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

impl Environment {
    /// Reads the environment of the process.
    pub fn read() -> Result<Environment, HubError> {
        Environment::of(variable, env::home_dir())
    }

    fn of(variable: impl Fn(&str) -> Option<OsString>, user: Option<PathBuf>) -> Result<Environment, HubError> {
        let folder = |name: &str| variable(name).map(PathBuf::from);
        let home = folder("HF_HOME")
            .or_else(|| folder("XDG_CACHE_HOME").map(|cache| cache.join("huggingface")))
            .or_else(|| user.map(|user| user.join(".cache").join("huggingface")))
            .ok_or(HubError::BadVariable { variable: "HF_HOME", expected: "a folder for what is fetched" })?;
        let cache = folder("HF_HUB_CACHE").or_else(|| folder("HUGGINGFACE_HUB_CACHE"));
        let is_set = |name: &str| {
            let value = variable(name).map(|value| value.to_string_lossy().to_ascii_lowercase());
            value.is_some_and(|value| ["1", "true", "yes", "on"].contains(&value.as_str()))
        };
        let endpoint = match variable("HF_ENDPOINT") {
            None => endpoint(HUB),
            Some(value) => value.to_str().and_then(|value| endpoint(value.trim_end_matches('/'))),
        };
        Ok(Environment {
            endpoint: endpoint.ok_or(HubError::BadVariable {
                variable: "HF_ENDPOINT",
                expected: "an address such as https://huggingface.co, without a name or a password in it",
            })?,
            cache: cache.unwrap_or_else(|| home.join("hub")),
            offline: is_set("HF_HUB_OFFLINE"),
            home,
        })
    }

    /// The user's token: that of the environment, else that of the file which `hf auth login` writes.
    pub fn token(&self) -> Result<Option<Token>, HubError> {
        for name in ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"] {
            if let Some(value) = variable(name) {
                let text = value.to_str().unwrap_or_default().to_owned();
                return token(&text, name, name.to_owned());
            }
        }
        let path = variable("HF_TOKEN_PATH").map_or_else(|| self.home.join("token"), PathBuf::from);
        match read_small(&path) {
            Ok(text) => token(&text, "HF_TOKEN_PATH", path.display().to_string()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(HubError::Cache { path, source }),
        }
    }
}

fn read_small(path: &Path) -> std::io::Result<String> {
    match fs::metadata(path)?.len() {
        0..=MOST_OF_TOKEN => fs::read_to_string(path),
        _ => Ok("too long for a token".to_owned()),
    }
}

/// A token without the line break of its file. One that no header can hold would end up in a message of the HTTP library.
fn token(text: &str, variable: &'static str, from: String) -> Result<Option<Token>, HubError> {
    let text = text.trim();
    match text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true if text.is_empty() => Ok(None),
        true => Ok(Some(Token { text: text.to_owned(), from })),
        false => Err(HubError::BadVariable { variable, expected: "a token: letters, digits and signs without blanks" }),
    }
}

/// An address of a hub, with a path or without.
fn endpoint(text: &str) -> Option<Uri> {
    let uri: Uri = text.parse().ok()?;
    let authority = uri.authority()?.as_str();
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    // A password there would be shown in messages.
    (is_web && !authority.contains('@') && uri.query().is_none()).then_some(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)], user: Option<&str>) -> Result<Environment, HubError> {
        let value = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        Environment::of(value, user.map(PathBuf::from))
    }

    #[test]
    fn the_cache_is_where_the_hubs_own_programs_have_it() {
        let cache = |variables: &[(&str, &str)]| read(variables, Some("/home/me")).unwrap().cache;
        assert_eq!(cache(&[]), Path::new("/home/me/.cache/huggingface/hub"));
        assert_eq!(cache(&[("XDG_CACHE_HOME", "/x")]), Path::new("/x/huggingface/hub"));
        assert_eq!(cache(&[("HF_HOME", "/h"), ("XDG_CACHE_HOME", "/x")]), Path::new("/h/hub"));
        assert_eq!(cache(&[("HF_HOME", "/h"), ("HUGGINGFACE_HUB_CACHE", "/old")]), Path::new("/old"));
        assert_eq!(cache(&[("HF_HUB_CACHE", "/new"), ("HUGGINGFACE_HUB_CACHE", "/old")]), Path::new("/new"));
        assert!(matches!(read(&[], None), Err(HubError::BadVariable { variable: "HF_HOME", .. })));
    }

    #[test]
    fn only_the_words_for_yes_turn_the_network_off() {
        let offline = |value: &str| read(&[("HF_HUB_OFFLINE", value)], Some("/")).unwrap().offline;
        for yes in ["1", "true", "TRUE", "Yes", "on"] {
            assert!(offline(yes), "{yes}");
        }
        for no in ["0", "false", "no", "off", "2"] {
            assert!(!offline(no), "{no}");
        }
    }

    #[test]
    fn an_endpoint_is_an_address_without_a_password() {
        let endpoint = |value: &str| read(&[("HF_ENDPOINT", value)], Some("/")).map(|it| it.endpoint.to_string());
        assert_eq!(endpoint("http://127.0.0.1:80//").unwrap(), "http://127.0.0.1:80/");
        assert_eq!(endpoint("https://mirror.example/hub/").unwrap(), "https://mirror.example/hub");
        for bad in ["mirror.example", "ftp://mirror.example", "https://me:secret@mirror.example", "https://", "a b"] {
            let error = endpoint(bad).unwrap_err();
            assert!(!error.to_string().contains("secret"));
            assert!(matches!(error, HubError::BadVariable { variable: "HF_ENDPOINT", .. }), "{bad}");
        }
    }

    #[test]
    fn a_token_is_never_shown() {
        let kept = token(" hf_secret\n", "HF_TOKEN", "HF_TOKEN".to_owned()).unwrap().unwrap();
        assert_eq!(kept.header(), "Bearer hf_secret");
        assert!(!format!("{kept:?}").contains("secret"));
        assert!(token("\n", "HF_TOKEN", String::new()).unwrap().is_none());
        for bad in ["hf_secret\r\nHost: elsewhere", "hf secret", "secret\u{e9}"] {
            let error = token(bad, "HF_TOKEN", String::new()).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
        }
    }
}
