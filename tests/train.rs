//! Training commands on the built binary, with small data of the repository's own.

#![cfg(feature = "train")]

mod common;

use common::{arg, rows, run, stderr};
use copydesk::internals::{Activation, Checkpoint, Linear, Matrix, Pooler, Storage};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const TRAIN: &str = "data/train-small.jsonl";
const DEV: &str = "data/dev-small.jsonl";

fn write_settings(folder: &Path, settings: &Value) -> String {
    let path = folder.join("settings.json");
    fs::write(&path, settings.to_string()).unwrap();
    arg(&path).to_owned()
}

/// The labels that a model gives to the texts of a file, each read alone.
fn labels(model: &str, file: &str) -> Vec<String> {
    let rows = rows(&run(&["label", "-q", "--unit", "record", "--model", model, file]), 0);
    rows.iter().map(|row| row["label"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_source_is_judged_by_the_model_that_never_saw_it() {
    let folder = tempfile::tempdir().unwrap();
    let settings = write_settings(folder.path(), &json!({"weak_epochs": 0, "epochs": 1, "page": null}));
    // Weights without a history: what was trained here says itself what it saw.
    let weights = folder.path().join("weights");
    fs::create_dir(&weights).unwrap();
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        fs::copy(Path::new("models/fast").join(file), weights.join(file)).unwrap();
    }
    let train = |name: &str, base: &Path, left_out: Option<&str>| {
        let out = folder.path().join(name);
        let mut arguments = vec!["train", "-q", "--data", TRAIN, "--dev", DEV, "--base", arg(base), "--keep-head"];
        arguments.extend(["--settings", &settings, "--out", arg(&out)]);
        arguments.extend(left_out.into_iter().flat_map(|sources| ["--leave-out", sources]));
        assert_eq!(run(&arguments).status.code(), Some(0));
        out
    };
    let (first, second) =
        (train("first", &weights, Some("news,forum")), train("second", &weights, Some("video-comments")));
    let report = |models: &[&Path]| {
        let models = models.iter().flat_map(|model| ["--model", arg(model)]);
        run(&["cross-eval", "--json", "--data", TRAIN].into_iter().chain(models).collect::<Vec<_>>())
    };
    let both = &rows(&report(&[&first, &second]), 0)[0];
    let counts = |report: &Value| -> BTreeMap<String, u64> {
        let sources = report["sources"].as_array().unwrap().iter();
        sources.map(|row| (row["source"].as_str().unwrap().to_owned(), row["rows"].as_u64().unwrap())).collect()
    };
    let expected = [("forum", 18), ("news", 35), ("video-comments", 18)].map(|(name, rows)| (name.to_owned(), rows));
    assert_eq!(counts(both), BTreeMap::from(expected));
    // A source's figures are those of an ordinary evaluation of the model that left it out.
    let forum = folder.path().join("forum.jsonl");
    let data = fs::read_to_string(TRAIN).unwrap();
    let lines: Vec<&str> = data.lines().filter(|line| line.contains(r#""source": "forum""#)).collect();
    fs::write(&forum, lines.join("\n")).unwrap();
    let alone = run(&["eval", "-q", "--json", "--model", arg(&first), "--data", arg(&forum)]);
    let of_forum = both["sources"].as_array().unwrap().iter().find(|row| row["source"] == "forum").unwrap();
    assert_eq!(of_forum["accuracy"]["value"], rows(&alone, 0)[0]["all"]["accuracy"]["value"]);

    for saw_all in [train("third", &weights, None), train("fourth", &second, Some("news"))] {
        let refused = report(&[&first, &saw_all]);
        assert_eq!(refused.status.code(), Some(2));
        assert!(stderr(&refused).contains(arg(&saw_all)), "{}", stderr(&refused));
    }
}

/// A folder as other programs write it: `BertForSequenceClassification`, whose head reads the pooler's output, with its
/// labels in another order than ours, and no file of ours beside it.
fn hub_classifier(folder: &Path) {
    let mut checkpoint = Checkpoint::load(Path::new("models/fast")).unwrap();
    let hidden = checkpoint.config.hidden;
    // tanh(x / 4) is close to x / 4, so this head says nearly what the plain one says.
    let mut pooler = vec![0.0; hidden * hidden];
    pooler.iter_mut().step_by(hidden + 1).for_each(|weight| *weight = 0.25);
    let linear = Linear { weight: Matrix::F32 { rows: hidden, cols: hidden, data: pooler }, bias: vec![0.0; hidden] };
    let pooler = Pooler { linear, activation: Activation::Tanh, norm: None };
    let head = checkpoint.head.as_mut().unwrap();
    let Matrix::F32 { data, .. } = &mut head.weight else { panic!("heads are stored in single precision") };
    data.iter_mut().for_each(|weight| *weight *= 4.0);
    data.rotate_right(hidden);
    head.bias.rotate_right(1);
    head.pooler = Some(pooler);
    checkpoint.page = None;
    checkpoint.save(folder, Storage::F32).unwrap();
    fs::remove_file(folder.join("copydesk.json")).unwrap();
    let path = folder.join("config.json");
    let mut config: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(config["architectures"], json!(["BertForSequenceClassification"]));
    let names = ["other", "reporting", "opinion", "comment_spam", "quotation"];
    config["id2label"] = names.iter().enumerate().map(|(id, name)| (id.to_string(), json!(name))).collect();
    fs::write(&path, config.to_string()).unwrap();
}

#[test]
fn a_classifier_of_another_program_teaches_a_small_model() {
    let folder = tempfile::tempdir().unwrap();
    let (teacher, student) = (folder.path().join("teacher"), folder.path().join("student"));
    hub_classifier(&teacher);
    // Texts without labels, so that all the student learns is what its teacher says of them.
    let texts = folder.path().join("texts.jsonl");
    let lines: Vec<String> = fs::read_to_string(TRAIN)
        .unwrap()
        .lines()
        .map(|line| json!({"text": serde_json::from_str::<Value>(line).unwrap()["text"]}).to_string())
        .collect();
    fs::write(&texts, lines.join("\n")).unwrap();
    let settings =
        json!({"weak_epochs": 8, "epochs": 0, "weak_learning_rate": 3e-4, "vector_weight": 1.0, "page": null});
    let settings = write_settings(folder.path(), &settings);
    let sizes = ["--layers", "2", "--intermediate", "256", "--vocab", "6000"];
    let arguments = ["distill", "-q", "--teacher", arg(&teacher), "--texts", arg(&texts), "--dev", DEV];
    let out = ["--settings", &settings, "--out", arg(&student)];
    let output = run(&[&arguments[..], &sizes, &out].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));

    let (teacher, fast, student) = (labels(arg(&teacher), DEV), labels("models/fast", DEV), labels(arg(&student), DEV));
    let agreement = |a: &[String], b: &[String]| a.iter().zip(b).filter(|(a, b)| a == b).count();
    assert!(agreement(&teacher, &fast) >= 54, "the teacher reads its own labels: {}", agreement(&teacher, &fast));
    assert!(agreement(&student, &teacher) >= 42, "of 60: {}", agreement(&student, &teacher));
}

#[test]
fn a_narrow_student_starts_near_its_teacher_and_learns_no_vectors() {
    let folder = tempfile::tempdir().unwrap();
    let student = folder.path().join("student");
    let distill = |vector_weight: f32| {
        let settings = json!({"weak_epochs": 2, "epochs": 0, "weak_learning_rate": 1e-3, "dropout_256ths": 0, "page": null,
            "average_decay": 0, "vector_weight": vector_weight});
        let settings = write_settings(folder.path(), &settings);
        let arguments = ["distill", "-q", "--teacher", "fast", "--texts", TRAIN, "--dev", DEV, "--settings", &settings];
        let sizes = ["--hidden", "128", "--tokens-per-state", "2", "--intermediate", "256", "--vocab", "6000"];
        run(&[&arguments[..], &sizes, &["--out", arg(&student)]].concat())
    };
    let refused = distill(1.0);
    let reason = "the teacher's vectors have 384 numbers and the student's 128";
    assert!(refused.status.code() == Some(2) && stderr(&refused).contains(reason), "{}", stderr(&refused));
    let output = distill(0.0);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let config: Value = serde_json::from_slice(&fs::read(student.join("config.json")).unwrap()).unwrap();
    assert_eq!((&config["hidden_size"], &config["tokens_per_state"]), (&json!(128), &json!(2)));
    // By chance one in five would agree.
    let (teacher, student) = (labels("models/fast", DEV), labels(arg(&student), DEV));
    let agreement = teacher.iter().zip(&student).filter(|(a, b)| a == b).count();
    assert!(agreement >= 30, "of {}: {agreement}", teacher.len());
}

#[test]
fn scores_of_another_program_teach_without_its_model() {
    let folder = tempfile::tempdir().unwrap();
    // It says `quotation` of forum posts and nothing of the rest.
    let rows: Vec<Value> =
        fs::read_to_string(TRAIN).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let forum: Vec<&Value> = rows.iter().filter(|row| row["source"] == "forum").collect();
    let line = |row: &&Value| {
        let bytes = ["source", "doc", "text"].map(|field| row[field].as_str().unwrap()).join("\0");
        let step = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        let key = bytes.bytes().fold(0xcbf2_9ce4_8422_2325, step);
        json!({"key": format!("{key:016x}"), "scores": [0.0, 0.0, 0.0, 1.0, 0.0]}).to_string()
    };
    let scores = folder.path().join("scores.jsonl");
    fs::write(&scores, forum.iter().map(line).collect::<Vec<_>>().join("\n")).unwrap();
    // The best epoch is the one that says so too.
    let dev = folder.path().join("dev.jsonl");
    let quoted = |row: &&Value| json!({"text": row["text"], "label": "quotation"}).to_string();
    fs::write(&dev, forum.iter().map(quoted).collect::<Vec<_>>().join("\n")).unwrap();
    let settings = json!({"weak_epochs": 12, "epochs": 0, "weak_learning_rate": 1e-3, "average_decay": 0.5, "page": null,
        "source_label_share": [0, 0, 0, 0, 0]});
    let settings = write_settings(folder.path(), &settings);
    let out = folder.path().join("taught");
    let distill = |more: &[&str]| {
        let arguments = ["distill", "-q", "--scores", arg(&scores), "--texts", TRAIN, "--dev", arg(&dev)];
        run(&[&arguments[..], &["--settings", &settings, "--out", arg(&out)], more].concat())
    };
    let output = distill(&["--base", "models/fast"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let told = format!("scores for {} of {} texts", forum.len(), rows.len());
    assert!(stderr(&output).contains(&told), "{}", stderr(&output));
    let quotations = |model| labels(model, arg(&dev)).iter().filter(|label| *label == "quotation").count();
    assert!(quotations("models/fast") <= 9, "of {}: {}", forum.len(), quotations("models/fast"));
    assert!(quotations(arg(&out)) >= 15, "of {}: {}", forum.len(), quotations(arg(&out)));
    // Without a base there is nothing to start from.
    assert_eq!(distill(&[]).status.code(), Some(2));
}

#[test]
fn labels_passed_on_without_texts_join_the_texts_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let labels = folder.path().join("labels.jsonl");
    // The keys of `s 0 d 0 a`, `0 0 a` and of no text here, made by another program.
    let lines = "{\"key\":\"d94cb1186c0e8ae4\",\"label\":\"other\"}\n\
                 {\"key\":\"1a601ffa70bed4c9\",\"label\":\"quotation\",\"confidence\":2}\n\
                 {\"key\":\"0123456789abcdef\",\"label\":\"opinion\"}\n";
    fs::write(&labels, lines).unwrap();
    let texts = folder.path().join("texts.jsonl");
    let lines = "{\"text\":\"a\",\"source\":\"s\",\"doc\":\"d\",\"label\":\"opinion\"}\n{\"text\":\"b\"}\n{\"text\":\"a\"}\n\
                 {\"text\":\"a\",\"source\":\"s\",\"doc\":\"d\"}\n";
    fs::write(&texts, lines).unwrap();
    let joined = run(&["join", "--labels", arg(&labels), "--texts", arg(&texts)]);
    let expected = [
        json!({"text": "a", "label": "quotation", "confidence": 2, "source": "s", "doc": "d"}),
        json!({"text": "a", "label": "other", "confidence": null, "source": null, "doc": null}),
    ];
    assert_eq!(rows(&joined, 0), expected);
    assert!(stderr(&joined).contains("1 of 3 labels found no text"), "{}", stderr(&joined));
    let out = folder.path().join("rows.jsonl");
    let written = run(&["join", "--labels", arg(&labels), "--texts", arg(&texts), "--out", arg(&out)]);
    assert!(written.status.success() && written.stdout.is_empty());
    assert_eq!(fs::read(&out).unwrap(), joined.stdout);
}

#[test]
fn settings_are_not_fitted_on_a_handful_of_rows() {
    let folder = tempfile::tempdir().unwrap();
    let few = folder.path().join("few.jsonl");
    let lines = fs::read_to_string(DEV).unwrap();
    fs::write(&few, lines.lines().take(40).collect::<Vec<_>>().join("\n")).unwrap();
    let out = folder.path().join("out");
    let commands = [
        vec!["pack", "--model", "fast", "--calibrate", arg(&few), "--out", arg(&out)],
        vec!["pack", "--model", "auto", "--calibrate", arg(&few), "--out", arg(&out)],
        vec!["cascade", "--small", "fast", "--large", "base", "--calibrate", arg(&few), "--out", arg(&out)],
    ];
    for command in &commands {
        let refused = run(command);
        assert_eq!(refused.status.code(), Some(2));
        assert!(
            stderr(&refused).contains("at least 50 labelled rows to fit settings on, got 40"),
            "{}",
            stderr(&refused)
        );
        for wrong in ["0", "1.5", "NaN"] {
            let refused = run(&[&command[..], &["--lose", wrong]].concat());
            assert!(
                !refused.status.success() && stderr(&refused).contains("above 0 and below 1"),
                "{}",
                stderr(&refused)
            );
        }
    }
    let refused = run(&[&commands[2][..], &["--within=-1"]].concat());
    assert!(!refused.status.success() && stderr(&refused).contains("from 0 to below 1"), "{}", stderr(&refused));
    let refused = run(&["pack", "--model", "auto", "--out", arg(&out)]);
    assert!(stderr(&refused).contains("--calibrate"), "{}", stderr(&refused));
    assert!(!out.exists());
}

#[test]
fn a_pair_gets_thresholds_of_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own");
    let packed = run(&["pack", "--model", "auto", "--calibrate", TRAIN, "--lose", "0.05", "--out", arg(&own)]);
    assert_eq!(packed.status.code(), Some(0), "{}", stderr(&packed));
    let read = |path: &Path| -> Value { serde_json::from_slice(&fs::read(path).unwrap()).unwrap() };
    let (before, after) = (read(Path::new("models/auto/cascade.json")), read(&own.join("cascade.json")));
    for kept in ["small", "large", "threshold", "alone", "on_page"] {
        assert_eq!(before[kept], after[kept]);
    }
    assert_eq!(after["name"], "own");
    // The rows have too few genuine comments for a share of 1 in 1000: the stored threshold stays.
    assert!(stderr(&packed).contains("no new spam threshold for the share 0.001"), "{}", stderr(&packed));
    assert_eq!(after["spam_operating_points"][0], before["spam_operating_points"][0]);
    let shares: Vec<f64> = after["spam_operating_points"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| point["lose"].as_f64().unwrap())
        .collect();
    assert!(shares.contains(&0.05), "{shares:?}");
    let filtered = run(&["filter", "-q", "--text-only", "--lose", "0.05", "--model", arg(&own), "data/comments.jsonl"]);
    assert_eq!(filtered.status.code(), Some(0), "{}", stderr(&filtered));
}
