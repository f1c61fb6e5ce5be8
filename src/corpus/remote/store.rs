//! Connections to stores, set up as the environment says.

use super::super::address::Protocol;
use super::error::{RemoteError, has_no_connection, words};
use super::network;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, resolve_bucket_region};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::http::HttpBuilder;
use object_store::path::Path as Location;
use object_store::{BackoffConfig, ClientOptions, CredentialProvider, ObjectStore, ObjectStoreExt, RetryConfig};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Stores that were asked before: their connections and credentials serve again.
static STORES: Mutex<Option<HashMap<String, Arc<dyn ObjectStore>>>> = Mutex::new(None);

/// How long a server may be silent.
const SILENCE: Duration = Duration::from_secs(60);

/// What to do without credentials.
const AMAZON: &str =
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SKIP_SIGNATURE=true where everybody may read the bucket";
const GOOGLE: &str = "name a key file in GOOGLE_APPLICATION_CREDENTIALS, run gcloud auth application-default login, or set \
                      GOOGLE_SKIP_SIGNATURE=true where everybody may read the bucket";

/// The store of a bucket.
pub(super) fn of_bucket(protocol: Protocol, bucket: &str) -> Result<Arc<dyn ObjectStore>, RemoteError> {
    if bucket.is_empty() {
        return Err(RemoteError::Name("it names no bucket".to_owned()));
    }
    let key = format!("{protocol:?} {bucket}");
    let mut stores = STORES.lock().unwrap_or_else(PoisonError::into_inner);
    let stores = stores.get_or_insert_default();
    if let Some(store) = stores.get(&key) {
        return Ok(Arc::clone(store));
    }
    network::prepare()?;
    let store = match protocol {
        Protocol::Google => google(bucket)?,
        Protocol::S3 | Protocol::Http => amazon(bucket)?,
    };
    stores.insert(key, Arc::clone(&store));
    Ok(store)
}

/// What is behind one URL.
pub(super) fn of_http(url: &str) -> Result<Arc<dyn ObjectStore>, RemoteError> {
    network::prepare()?;
    let without_fragment = url.split('#').next().unwrap_or_default();
    // Where a server gives no parts, one request lasts as long as the object is long.
    let options = ClientOptions::new().with_allow_http(true).with_timeout_disabled().with_read_timeout(SILENCE);
    let builder = HttpBuilder::new().with_url(without_fragment).with_client_options(options).with_retry(moderate());
    let store = builder.build().map_err(|error| RemoteError::Name(words(&error)))?;
    Ok(Arc::new(store))
}

fn amazon(bucket: &str) -> Result<Arc<dyn ObjectStore>, RemoteError> {
    let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket);
    let is_set = |key| builder.get_config_value(&key).is_some();
    let has_endpoint = is_set(AmazonS3ConfigKey::Endpoint) || is_set(AmazonS3ConfigKey::S3Endpoint);
    let has_region = is_set(AmazonS3ConfigKey::Region) || is_set(AmazonS3ConfigKey::DefaultRegion);
    let needs_none = skips(builder.get_config_value(&AmazonS3ConfigKey::SkipSignature));
    if !has_endpoint && !has_region {
        let name = bucket.to_owned();
        let found = network::wait(async move { resolve_bucket_region(&name, &ClientOptions::new()).await })?;
        match found {
            Ok(region) => builder = builder.with_region(region),
            Err(error) if words(&error).contains("not found") => {
                return Err(RemoteError::NoBucket { bucket: bucket.to_owned() });
            }
            // Who may not ask for it can still be right with the usual one.
            Err(_) => {}
        }
    }
    let asked = builder.clone().with_retry(impatient()).build().map_err(|error| unusable(&error))?;
    if !needs_none {
        check(Arc::clone(asked.credentials()), AMAZON)?;
    }
    reach(asked, bucket)?;
    Ok(Arc::new(builder.with_retry(patient()).build().map_err(|error| unusable(&error))?))
}

fn google(bucket: &str) -> Result<Arc<dyn ObjectStore>, RemoteError> {
    let builder = GoogleCloudStorageBuilder::from_env().with_bucket_name(bucket);
    let asked = builder.clone().with_retry(impatient()).build().map_err(|error| unusable(&error))?;
    if !skips(builder.get_config_value(&GoogleConfigKey::SkipSignature)) {
        check(Arc::clone(asked.credentials()), GOOGLE)?;
    }
    reach(asked, bucket)?;
    Ok(Arc::new(builder.with_retry(patient()).build().map_err(|error| unusable(&error))?))
}

/// Asks for credentials once. Where no variable names any, they come from the machine, if it is one of the provider's: on others it is
/// soon known that there are none.
fn check<C>(provider: Arc<dyn CredentialProvider<Credential = C>>, advice: &'static str) -> Result<(), RemoteError>
where
    C: std::fmt::Debug + Send + Sync + 'static,
{
    match network::wait(async move { provider.get_credential().await.map(|_| ()) })? {
        Ok(()) => Ok(()),
        Err(error) => Err(RemoteError::NoCredentials { reason: words(&error), advice }),
    }
}

/// Asks for anything once, so that a wrong address is told at once. Any answer will do, a refusal too.
fn reach(store: impl ObjectStore, bucket: &str) -> Result<(), RemoteError> {
    match network::wait(async move { store.head(&Location::from("-")).await })? {
        Err(error) if has_no_connection(&error) => Err(RemoteError::of(error, bucket)),
        _ => Ok(()),
    }
}

fn skips(value: Option<String>) -> bool {
    value.is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "1" | "true" | "on" | "yes" | "y"))
}

fn unusable(error: &object_store::Error) -> RemoteError {
    RemoteError::Other(format!("the store cannot be set up: {}", words(error)))
}

/// A run of days outlasts a store that is down for some minutes.
fn patient() -> RetryConfig {
    RetryConfig { max_retries: 12, retry_timeout: Duration::from_secs(300), ..RetryConfig::default() }
}

/// What is behind a single URL is soon there or not at all.
fn moderate() -> RetryConfig {
    RetryConfig { max_retries: 6, retry_timeout: Duration::from_secs(60), ..RetryConfig::default() }
}

fn impatient() -> RetryConfig {
    let backoff = BackoffConfig { max_backoff: Duration::from_secs(1), ..BackoffConfig::default() };
    RetryConfig { max_retries: 1, retry_timeout: Duration::from_secs(5), backoff }
}
