//! What some labels mean to commands.

use super::settings::FILE;
use super::{ModelError, Settings};
use crate::label::{COMMENT_SPAM, LabelId, LabelSet, OTHER};

/// The labels of a model that commands ask for by what they mean, not by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    /// The label that `copydesk filter` looks for.
    pub spam: Option<LabelId>,
    /// The label of page furniture, which `copydesk label --no-other` leaves out.
    pub furniture: Option<LabelId>,
}

/// What a label can mean to a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// Spam among comments.
    Spam,
    /// Page furniture: menus, headlines, notices.
    Furniture,
}

impl Settings {
    /// The roles of a model with these labels: those of `spam_label` and `furniture_label`. Where a setting is absent, the
    /// built-in model's label of that role takes it if the model has a label of that name: `comment_spam`, `other`.
    ///
    /// # Errors
    /// [`ModelError::BadSetting`] for a setting that names no label of the model.
    pub fn roles(&self, labels: &LabelSet) -> Result<Roles, ModelError> {
        let role = |field, name: Option<&str>, built_in| match name {
            None => Ok(labels.id(built_in)),
            Some(name) => labels.id(name).map(Some).ok_or_else(|| {
                let expected = format!("one of the model's labels: {}", labels.list());
                ModelError::BadSetting { file: FILE, field, expected, got: format!("`{name}`") }
            }),
        };
        Ok(Roles {
            spam: role("spam_label", self.spam_label.as_deref(), COMMENT_SPAM)?,
            furniture: role("furniture_label", self.furniture_label.as_deref(), OTHER)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_those_of_the_settings_or_of_the_built_in_names() {
        let built_in = LabelSet::copydesk();
        let own = LabelSet::new(["ad", "ham", "spam"]).unwrap();
        let of = |spam: Option<&str>, furniture: Option<&str>, labels: &LabelSet| {
            let (spam_label, furniture_label) = (spam.map(str::to_owned), furniture.map(str::to_owned));
            Settings { spam_label, furniture_label, ..Settings::default() }.roles(labels)
        };
        let names = |roles: Roles, labels: &LabelSet| {
            [roles.spam, roles.furniture].map(|id| id.map(|id| labels.name(id).to_owned()))
        };
        let expected = ["comment_spam", "other"].map(|name| Some(name.to_owned()));
        assert_eq!(names(of(None, None, &built_in).unwrap(), &built_in), expected);
        assert_eq!(of(None, None, &own).unwrap(), Roles::default());
        assert_eq!(names(of(Some("spam"), None, &own).unwrap(), &own), [Some("spam".to_owned()), None]);
        for (result, name) in
            [(of(Some("junk"), None, &own), "spam_label"), (of(None, Some("junk"), &own), "furniture_label")]
        {
            let error = result.unwrap_err();
            assert!(matches!(&error, ModelError::BadSetting { field, .. } if *field == name), "{error}");
            assert!(error.to_string().contains("ad, ham, spam"), "{error}");
        }
    }
}
