//! The name of a model on the hub.

use super::HubError;

/// The branch that is read where none is named.
const MAIN: &str = "main";

/// Longest part of a repository's name, by the hub's own rule.
const MOST_LETTERS: usize = 96;

/// Longest name of a revision.
const MOST_OF_REVISION: usize = 200;

/// A repository, with the revision that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// `OWNER/NAME`, or `NAME` for the oldest repositories.
    pub repository: String,
    /// A branch, a tag or a commit.
    pub revision: String,
}

impl Name {
    /// Reads `OWNER/NAME` or `NAME`, each with `@REVISION` or without. Both become parts of paths and addresses, so nothing that means
    /// something there gets through.
    pub fn parse(text: &str) -> Result<Name, HubError> {
        let (repository, revision) = text.split_once('@').unwrap_or((text, MAIN));
        let parts: Vec<&str> = repository.split('/').collect();
        if parts.len() <= 2 && parts.iter().all(|part| is_part(part)) && is_revision(revision) {
            return Ok(Name { repository: repository.to_owned(), revision: revision.to_owned() });
        }
        Err(HubError::BadName { got: text.to_owned() })
    }

    /// Whether the revision is a commit, which means the same for ever.
    pub fn is_pinned(&self) -> bool {
        is_commit(&self.revision)
    }

    /// The name without its owner.
    pub fn short(&self) -> &str {
        self.repository.rsplit('/').next().unwrap_or(&self.repository)
    }
}

/// Whether a text is a commit in full.
pub(super) fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_part(part: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=MOST_LETTERS).contains(&part.len())
        && part.bytes().all(is_letter)
        && !part.starts_with(['.', '-'])
        && !part.ends_with(['.', '-'])
        && !part.contains("..")
        // Stands for the slash in the names of the cache's folders.
        && !part.contains("--")
}

fn is_revision(revision: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'+');
    let is_step = |step: &str| !step.is_empty() && !step.starts_with('.') && step.bytes().all(is_letter);
    revision.len() <= MOST_OF_REVISION && revision.split('/').all(is_step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_have_an_owner_and_a_revision() {
        let parsed = |text: &str| Name::parse(text).map(|name| (name.repository, name.revision)).unwrap();
        let pair = |left: &str, right: &str| (left.to_owned(), right.to_owned());
        assert_eq!(parsed("some-one/A_model.v2"), pair("some-one/A_model.v2", "main"));
        assert_eq!(parsed("distilbert-base-uncased"), pair("distilbert-base-uncased", "main"));
        assert_eq!(parsed("a/b@v1.0"), pair("a/b", "v1.0"));
        assert_eq!(parsed("a/b@refs/pr/12"), pair("a/b", "refs/pr/12"));
        assert_eq!(Name::parse("a/b").unwrap().short(), "b");
        assert!(Name::parse(&format!("a/b@{}", "0a".repeat(20))).unwrap().is_pinned());
        assert!(!Name::parse("a/b@0a0a0a0").unwrap().is_pinned());
    }

    #[test]
    fn nothing_that_means_something_in_a_path_or_an_address_is_a_name() {
        for text in [
            "",
            "/",
            "a/",
            "/b",
            "a/b/c",
            "..",
            "a/..",
            "../b",
            "a/.b",
            "a/b@",
            "a/b@..",
            "a/b@../../c",
            "a/b@/c",
            "a/b@c//d",
            "a/b@c/.git",
            "a b/c",
            "a/b?c",
            "a/b#c",
            "a%2Fb/c",
            "a/b@c d",
            "a/b@c?d",
            "a/b@c@d",
            "a--b/c",
            "a/b\n",
            "a/\u{e9}",
            "-a/b",
            "https://example.org/a",
            &"a".repeat(97),
        ] {
            assert!(matches!(Name::parse(text), Err(HubError::BadName { got }) if got == text), "{text:?}");
        }
    }
}
