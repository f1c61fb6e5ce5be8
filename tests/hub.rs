//! Models of the Hugging Face hub, fetched by the built binary from a hub that the test itself is. Nothing but this machine is asked.

#![cfg(feature = "hub")]

mod common;
#[path = "hub/place.rs"]
mod place;
#[path = "hub/server.rs"]
mod server;

use common::{arg, rows, stderr, stdout};
use place::{FILES, FIRST, MODEL, PAGE, Place, REPOSITORY, SECOND, TOKEN, is_answered, nano, nano_files, rows_of_nano};
use server::{Fault, Hub, Request, asked};
use std::fs;
use std::net::TcpListener;

fn gets(requests: &[Request]) -> usize {
    requests.iter().filter(|request| request.method == "GET").count()
}

#[test]
fn a_model_of_the_hub_answers_as_its_folder_does_and_is_fetched_once() {
    let place = Place::new();
    is_answered(&place.label_with(MODEL, &[("HF_TOKEN", TOKEN)]));
    let requests = place.hub.take_requests();
    assert_eq!(asked(&requests, "HEAD"), FILES);
    assert_eq!(asked(&requests, "GET"), FILES[..4]);
    // Large files come from another server, to which the token does not go.
    let elsewhere: Vec<&Request> = requests.iter().filter(|request| !request.of_hub).collect();
    assert_eq!(elsewhere.len(), 2);
    for request in &requests {
        let expected = request.of_hub.then(|| format!("Bearer {TOKEN}"));
        assert_eq!(request.authorization, expected, "{request:?}");
    }
    // The place and the names are those of the hub's own programs.
    assert_eq!(fs::read_to_string(place.cache().join("refs/main")).unwrap(), FIRST);
    let snapshot = place.cache().join("snapshots").join(FIRST);
    for file in &FILES[..4] {
        assert_eq!(fs::read(snapshot.join(file)).unwrap(), nano(file), "{file}");
    }
    assert!(place.cache().join(".no_exist").join(FIRST).join("tokenizer_config.json").is_file());
    assert_eq!(place.blobs().len(), 4);

    is_answered(&place.label(MODEL));
    let requests = place.hub.take_requests();
    assert_eq!((asked(&requests, "HEAD"), gets(&requests)), (vec!["config.json".to_owned()], 0));

    // A commit means the same for ever, so nothing is asked.
    is_answered(&place.label(&format!("{MODEL}@{FIRST}")));
    assert!(place.hub.take_requests().is_empty());
}

#[test]
fn another_cache_is_used_where_one_is_named() {
    let place = Place::new();
    let folder = tempfile::tempdir().unwrap();
    is_answered(&place.label_with(MODEL, &[("HF_HUB_CACHE", arg(folder.path()))]));
    assert!(folder.path().join("models--some-one--nano/refs/main").is_file());
    assert!(!place.cache().exists());
}

#[test]
fn a_name_without_an_owner_and_one_that_was_changed_are_found() {
    let place = Place::empty();
    place.hub.commit("nano", FIRST, &nano_files());
    is_answered(&place.label("hf:nano"));
    // The hub leads from an old name to the new one, on the same server.
    let place = Place::new();
    place.hub.state().moved.insert("old/name".to_owned(), REPOSITORY.to_owned());
    is_answered(&place.label("hf:old/name"));
}

#[test]
fn a_new_commit_is_fetched_anew_and_a_named_one_stays() {
    let place = Place::new();
    is_answered(&place.label(MODEL));
    place.hub.take_requests();
    let mut files = nano_files();
    let settings = String::from_utf8(nano("copydesk.json")).unwrap();
    let flat = settings.replace("\"page_temperature\": 1.0", "\"page_temperature\": 5.0");
    assert_ne!(settings, flat);
    files[3].1 = flat.into_bytes();
    place.hub.commit(REPOSITORY, SECOND, &files);
    let output = place.label(MODEL);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_ne!(stdout(&output), rows_of_nano());
    // What did not change is in the cache.
    assert_eq!(asked(&place.hub.take_requests(), "GET"), ["copydesk.json"]);
    assert_eq!(fs::read_to_string(place.cache().join("refs/main")).unwrap(), SECOND);

    let mut state = place.hub.state();
    for revision in ["v1", "refs/pr/1"] {
        state.revisions.insert((REPOSITORY.to_owned(), revision.to_owned()), FIRST.to_owned());
    }
    drop(state);
    for revision in [FIRST, "v1", "refs/pr/1"] {
        is_answered(&place.label(&format!("{MODEL}@{revision}")));
    }
    assert_eq!(gets(&place.hub.take_requests()), 0);
    place.refuses(&format!("{MODEL}@v9"), &[], &["no revision `v9`", "/some-one/nano/tree/main"]);
}

#[test]
fn what_is_stored_tells_the_commit() {
    let place = Place::new();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("rows.jsonl");
    let run = |model: &str| place.run_with(&["label", "-q", "--resume", "--model", model, "-o", arg(&out), PAGE], &[]);
    let output = run(MODEL);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let manifest = fs::read_to_string(folder.path().join("rows.jsonl.run.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["model"], format!("{MODEL}@{FIRST}"));
    assert_eq!(manifest["model_digest"].as_str().unwrap().len(), 16);
    // Of another commit it would be another run.
    place.hub.commit(REPOSITORY, SECOND, &nano_files());
    let output = run(MODEL);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains(SECOND), "{}", stderr(&output));
    assert_eq!(run(&format!("{MODEL}@{FIRST}")).status.code(), Some(0));
}

#[test]
fn a_repository_that_is_not_open_needs_a_token() {
    let place = Place::new();
    place.hub.state().tokens.insert(REPOSITORY.to_owned(), TOKEN.to_owned());
    place.refuses(MODEL, &[], &["cannot be read without a token", "/some-one/nano", "HF_TOKEN"]);
    let wrong = [("HF_TOKEN", "hf_very_secret_too")];
    place.refuses(MODEL, &wrong, &["refuses the token, which comes from HF_TOKEN"]);
    place.refuses(MODEL, &[("HF_TOKEN", "of-a-stranger")], &["may not read", "ask for access there"]);
    let split = [("HF_TOKEN", "hf_very_secret and more")];
    place.refuses(MODEL, &split, &["HF_TOKEN: expected a token"]);
    assert!(place.blobs().is_empty());
    // The file that a login writes.
    let file = place.home.path().join("token");
    fs::write(&file, format!("{TOKEN}\n")).unwrap();
    is_answered(&place.label(MODEL));
    let elsewhere = tempfile::tempdir().unwrap();
    let path = elsewhere.path().join("other");
    fs::rename(&file, &path).unwrap();
    let cache = elsewhere.path().join("cache");
    let variables = [("HF_TOKEN_PATH", arg(&path)), ("HF_HUB_CACHE", arg(&cache))];
    is_answered(&place.label_with(MODEL, &variables));
}

#[test]
fn what_the_hub_does_not_have_is_told() {
    let place = Place::new();
    // To those without a token it does not say whether there is such a repository.
    place.refuses("hf:some-one/else", &[], &["cannot be read without a token", "or it does not exist"]);
    place.refuses("hf:some-one/else", &[("HF_TOKEN", TOKEN)], &[&place.hub.address, "no such repository"]);
    for name in ["hf:", "hf:a/b/c", "hf:../../etc", "hf:a/b@../c", "hf:a b/c"] {
        place.refuses(name, &[], &["names no model on the hub, expected hf:OWNER/NAME"]);
    }
    place.hub.take_requests();
    place.refuses(MODEL, &[("HF_ENDPOINT", "https://me:hf_very_secret@hub.example")], &["HF_ENDPOINT: expected"]);
    assert!(place.hub.take_requests().is_empty());
}

#[test]
fn weights_that_are_no_safetensors_are_refused_and_nothing_is_fetched() {
    let of = |names: &[&'static str]| {
        let place = Place::empty();
        let content = |name: &str| if FILES.contains(&name) { nano(name) } else { b"{}".to_vec() };
        let files: Vec<(&str, Vec<u8>)> = names.iter().map(|name| (*name, content(name))).collect();
        place.hub.commit(REPOSITORY, FIRST, &files);
        place
    };
    let told = ["pickle can run any code", "@refs/pr/1", "from_pretrained(\"some-one/nano\")"];
    for (names, told) in [
        (&["config.json", "tokenizer.json", "pytorch_model.bin"][..], &told[..]),
        (&["config.json", "tokenizer.json", "pytorch_model.bin.index.json"], &told),
        (&["config.json", "tokenizer.json", "model.safetensors.index.json"], &["in several files", "max_shard_size"]),
        (&["config.json", "tokenizer.json", "tf_model.h5"], &["no model.safetensors"]),
        (&["config.json", "model.safetensors", "vocab.txt"], &["no tokenizer.json", "AutoTokenizer"]),
        (&["model.safetensors", "tokenizer.json"], &["no config.json"]),
    ] {
        let place = of(names);
        place.refuses(MODEL, &[], told);
        assert_eq!(gets(&place.hub.take_requests()), 0, "{names:?}");
        assert!(place.blobs().is_empty(), "{names:?}");
    }
}

/// Runs with a fault in the weights and then without it. What was asked of the server with the weights in the second run.
fn mended(place: &Place, fault: Fault, told: &[&str]) -> Vec<Request> {
    place.hub.fault("model.safetensors", fault);
    place.refuses(MODEL, &[], told);
    let name = server::sha256(&nano("model.safetensors"));
    assert!(!place.blobs().contains(&name), "{:?}", place.blobs());
    assert!(!place.cache().join("refs/main").exists());
    place.hub.state().faults.clear();
    place.hub.take_requests();
    is_answered(&place.label(MODEL));
    assert!(place.blobs().contains(&name));
    let requests = place.hub.take_requests().into_iter();
    requests.filter(|request| !request.of_hub && request.path.contains("model.safetensors")).collect()
}

#[test]
fn a_transfer_that_broke_off_is_gone_on_with() {
    let place = Place::new();
    let told = ["model.safetensors: the transfer broke off after 700000 bytes of 2744968", "the same command goes on"];
    let requests = mended(&place, Fault::BreakOffAfter(700_000), &told);
    let ranges: Vec<_> = requests.iter().map(|request| request.range.as_deref()).collect();
    assert_eq!(ranges, [Some("bytes=700000-")]);
}

#[test]
fn a_transfer_that_breaks_off_far_on_is_gone_on_with_at_once() {
    let place = Place::new();
    place.hub.fault("model.safetensors", Fault::BreakOffAfter(1_100_000));
    is_answered(&place.label(MODEL));
    let requests = place.hub.take_requests();
    let ranges: Vec<&str> = requests.iter().filter_map(|request| request.range.as_deref()).collect();
    // The hub is asked, and then the server that has the file.
    assert_eq!(ranges, ["bytes=1100000-", "bytes=1100000-", "bytes=2200000-", "bytes=2200000-"]);
}

#[test]
fn what_is_left_of_a_transfer_is_used_only_where_it_fits() {
    let weights = nano("model.safetensors");
    let part = format!("{}.incomplete", server::sha256(&weights));
    let longer = [weights.as_slice(), b"more"].concat();
    for (name, left, no_ranges) in [
        ("the beginning of something else", vec![7; 500_000], false),
        ("all of something else", vec![7; weights.len()], false),
        ("more than the file", longer, false),
        ("the beginning, of a server without ranges", weights[..500_000].to_vec(), true),
        ("all of it", weights.clone(), false),
    ] {
        let place = Place::new();
        if no_ranges {
            place.hub.fault("model.safetensors", Fault::NoRanges);
        }
        fs::create_dir_all(place.cache().join("blobs")).unwrap();
        fs::write(place.cache().join("blobs").join(&part), left).unwrap();
        is_answered(&place.label(MODEL));
        assert!(!place.blobs().contains(&part), "{name}");
        let requests = place.hub.take_requests();
        let asked = requests.iter().filter(|request| request.path.contains("/at/") && request.path.contains("model"));
        let expected = match name {
            "the beginning of something else" => 2,
            "all of it" => 0,
            _ => 1,
        };
        assert_eq!(asked.count(), expected, "{name}");
    }
}

#[test]
fn a_content_with_a_wrong_checksum_or_length_is_thrown_away() {
    for (fault, told) in [
        (Fault::WrongBytes, &["expected content with SHA-256", "it was not kept"][..]),
        (Fault::ContentLength(2_744_967), &["expected 2744968 bytes, got 2744967"]),
        (Fault::ContentLength(10_000_000_000_000), &["expected 2744968 bytes, got 10000000000000"]),
    ] {
        let place = Place::new();
        let requests = mended(&place, fault, told);
        // Nothing was left to go on with.
        assert!(requests.iter().all(|request| request.range.is_none()), "{requests:?}");
    }
}

#[test]
fn a_damaged_content_in_the_cache_is_fetched_again() {
    let place = Place::new();
    is_answered(&place.label(MODEL));
    // A new commit asks for the content once more, and a content that was cut off since is seen by its length.
    place.hub.commit(REPOSITORY, SECOND, &nano_files());
    let blob = place.cache().join("blobs").join(server::sha256(&nano("model.safetensors")));
    fs::write(&blob, "cut off").unwrap();
    is_answered(&place.label(MODEL));
    assert_eq!(fs::read(&blob).unwrap(), nano("model.safetensors"));
}

#[test]
fn offline_the_cache_alone_is_used() {
    let place = Place::new();
    let offline = [("HF_HUB_OFFLINE", "1")];
    place.refuses(MODEL, &offline, &["HF_HUB_OFFLINE is set", "no revision main", "hf download some-one/nano"]);
    is_answered(&place.label(MODEL));
    place.hub.take_requests();
    for yes in ["1", "true", "YES", "on"] {
        is_answered(&place.label_with(MODEL, &[("HF_HUB_OFFLINE", yes)]));
    }
    is_answered(&place.label_with(&format!("{MODEL}@{FIRST}"), &offline));
    place.refuses(&format!("{MODEL}@{SECOND}"), &offline, &["no config.json", "no model.safetensors"]);

    let snapshot = place.cache().join("snapshots").join(FIRST);
    fs::remove_file(snapshot.join("tokenizer.json")).unwrap();
    place.refuses(MODEL, &offline, &["has no tokenizer.json;"]);
    assert!(place.hub.take_requests().is_empty());
    is_answered(&place.label(MODEL));

    // Other programs fetch what they need of a model. Whether it has a copydesk.json is then not known, unless all of it is there.
    fs::remove_file(snapshot.join("copydesk.json")).unwrap();
    place.refuses(MODEL, &offline, &["has no copydesk.json (nor a note that the model has none);"]);
    fs::write(snapshot.join(".gitattributes"), "").unwrap();
    let output = place.label_with(MODEL, &offline);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn a_hub_that_is_gone_is_told_with_its_address() {
    let place = Place::new();
    // A port that nobody listens at.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let gone = [("HF_ENDPOINT", address.as_str())];
    let error = place.refuses(MODEL, &gone, &[&format!("{address} cannot be reached"), "HF_ENDPOINT"]);
    assert!(!error.contains("HF_HUB_OFFLINE"), "{error}");
    is_answered(&place.label(MODEL));
    place.refuses(MODEL, &gone, &["cannot be reached", "HF_HUB_OFFLINE=1 takes what was fetched before"]);
    is_answered(&place.label_with(MODEL, &[gone[0], ("HF_HUB_OFFLINE", "1")]));
}

#[test]
fn a_hostile_server_gets_nothing_but_a_message() {
    let stranger = Hub::start();
    let lead = format!("{}/elsewhere", stranger.address);
    for (file, fault, told) in [
        ("config.json", Fault::Size(2 << 20), "config.json: expected at most 1048576 bytes, got 2097152"),
        ("model.safetensors", Fault::Size(10_000_000_000_000), "model.safetensors: expected at most 4294967296 bytes"),
        ("tokenizer.json", Fault::Endless, "tokenizer.json: expected at most 67108864 bytes, got"),
        ("config.json", Fault::Endless, "neither a length nor a checksum"),
        ("config.json", Fault::WrongBytes, "config.json: expected content with git's SHA-1"),
        ("config.json", Fault::Loop, "one address leads to the next without end"),
        ("config.json", Fault::LeadTo(lead), "no such repository"),
        ("config.json", Fault::LeadTo("file:///etc/passwd".to_owned()), "leads to no address"),
        ("config.json", Fault::LeadTo("http://me:pass@127.0.0.1/".to_owned()), "leads to no address of the web"),
        ("model.safetensors", Fault::Etag("../../../../etc/passwd"), "its ETag is no name of a content"),
        ("model.safetensors", Fault::Etag(".."), "its ETag is no name of a content"),
        ("config.json", Fault::Commit("../../elsewhere"), "its X-Repo-Commit is no commit"),
        ("tokenizer.json", Fault::Commit(SECOND), "another commit than it was asked for"),
        ("config.json", Fault::Status(200, ""), "no X-Repo-Commit"),
        ("config.json", Fault::Status(404, ""), "no such repository"),
        ("model.safetensors", Fault::Status(500, ""), "answers with status 500"),
        ("model.safetensors", Fault::Status(429, ""), "answers with status 429"),
    ] {
        let place = Place::new();
        place.hub.fault(file, fault.clone());
        let error = place.refuses(MODEL, &[("HF_TOKEN", TOKEN)], &[told]);
        assert!(!error.contains("me:pass"), "{error}");
        // Nothing of the file, and no commit that could be taken for fetched.
        assert!(!place.cache().join("refs/main").exists(), "{fault:?}");
        assert!(place.blobs().iter().all(|name| !name.ends_with(".incomplete")), "{fault:?}: {:?}", place.blobs());
        let inside: Vec<_> = fs::read_dir(place.home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(inside.iter().all(|name| name == "hub"), "{fault:?}: {inside:?}");
    }
    let requests = stranger.take_requests();
    assert!(!requests.is_empty());
    assert!(requests.iter().all(|request| request.authorization.is_none()), "{requests:?}");
}

#[test]
fn two_commands_at_once_fetch_each_content_once() {
    let place = Place::new();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| is_answered(&place.label(MODEL)));
        }
    });
    let requests = place.hub.take_requests();
    let weights = requests.iter().filter(|request| !request.of_hub && request.path.contains("model.safetensors"));
    assert_eq!(weights.count(), 1);
}

/// Whatever a command needs beside its models.
fn every_command() -> Vec<Vec<&'static str>> {
    let data = "data/labels.jsonl";
    let mut commands = vec![
        vec!["label", "--model", MODEL, PAGE],
        vec!["explain", "--model", MODEL, PAGE],
        vec!["filter", "--model", MODEL, "data/comments.jsonl"],
        vec!["eval", "--model", MODEL, "--data", data],
        vec!["bench", "--model", MODEL],
        vec!["bench", "--model", MODEL, "--precision", "f32"],
        vec!["models", "show", MODEL],
        vec!["quantize", "--model", MODEL, "--out", "target/never-made"],
    ];
    if cfg!(feature = "serve") {
        commands.push(vec!["serve", "--model", MODEL]);
        commands.push(vec!["serve", "adapt", "--model", MODEL, "--store", "data/none.sqlite"]);
    }
    if cfg!(feature = "train") {
        let (dev, out) = ("data/dev-small.jsonl", "target/never-made");
        commands.extend([
            vec!["train", "--base", MODEL, "--data", dev, "--dev", dev, "--out", out],
            vec!["distill", "--teacher", MODEL, "--texts", dev, "--dev", dev, "--out", out],
            vec!["distill", "--teacher", "fast", "--base", MODEL, "--texts", dev, "--dev", dev, "--out", out],
            vec!["compose", "--teacher", MODEL, "--rows", dev],
            vec!["cross-eval", "--model", "fast", "--model", MODEL, "--data", data],
            vec!["pack", "--model", MODEL, "--out", out],
            vec!["cascade", "--small", MODEL, "--large", "base", "--calibrate", data, "--out", out],
            vec!["cascade", "--small", "fast", "--large", MODEL, "--calibrate", data, "--out", out],
        ]);
    }
    commands
}

#[test]
fn every_command_with_a_model_takes_it_from_the_hub() {
    let place = Place::new();
    for command in every_command() {
        let output = place.run_with(&command, &[("HF_HUB_OFFLINE", "1")]);
        assert_eq!(output.status.code(), Some(2), "{command:?}: {}", stderr(&output));
        let told = format!("copydesk: model {MODEL}: HF_HUB_OFFLINE is set");
        assert!(stderr(&output).starts_with(&told), "{command:?}: {}", stderr(&output));
    }
    let output = place.run_with(&["explain", "-q", "--json", "--model", MODEL, "Boo hoo, what a price."], &[]);
    assert_eq!(rows(&output, 0)[0]["models"], serde_json::json!(["nano"]));
}

#[cfg(feature = "train")]
#[test]
fn a_model_that_was_trained_from_one_of_the_hub_tells_its_commit() {
    use copydesk::internals::{Checkpoint, Storage};
    use std::path::Path;
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("base");
    let mut checkpoint = Checkpoint::load(Path::new("models/fast")).unwrap();
    checkpoint.weights.layers.truncate(1);
    checkpoint.config.layers = 1;
    (checkpoint.page, checkpoint.settings.page) = (None, None);
    checkpoint.save(&base, Storage::F32).unwrap();
    // Without the file of ours it is a stranger's model.
    let place = Place::empty();
    let files: Vec<_> = FILES[..3].iter().map(|file| (*file, fs::read(base.join(file)).unwrap())).collect();
    place.hub.commit(REPOSITORY, FIRST, &files);
    let settings = folder.path().join("settings.json");
    fs::write(&settings, r#"{"weak_epochs": 0, "epochs": 1, "page": null}"#).unwrap();
    let (data, out) = ("data/dev-small.jsonl", folder.path().join("model"));
    let train = [
        "train",
        "-q",
        "--base",
        MODEL,
        "--data",
        data,
        "--dev",
        data,
        "--settings",
        arg(&settings),
        "--out",
        arg(&out),
    ];
    let output = place.run_with(&train, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let settings: serde_json::Value = serde_json::from_slice(&fs::read(out.join("copydesk.json")).unwrap()).unwrap();
    assert_eq!(settings["base"], format!("{REPOSITORY}@{FIRST}"));
    let packed = folder.path().join("packed");
    let output = place.run_with(&["pack", "--model", MODEL, "--out", arg(&packed)], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(packed.join("model.safetensors").is_file());
}
