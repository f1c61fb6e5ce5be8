//! Classifiers of other families than ours: tiny ones with random weights, and what Hugging Face's transformers says of some texts.
//! `tests/architectures/make.py` makes both.

mod common;

use common::{arg, rows, run, run_with, stderr, stdout};
use copydesk::internals::Classifier;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// A folder of `tests/architectures`, and the engine that runs it.
struct Family {
    folder: &'static str,
    model_type: &'static str,
    engine: &'static str,
    tokenizer: &'static str,
}

const fn family(
    folder: &'static str,
    model_type: &'static str,
    engine: &'static str,
    tokenizer: &'static str,
) -> Family {
    Family { folder, model_type, engine, tokenizer }
}

const FAMILIES: [Family; 14] = [
    family("bert", "bert", "BERT's", "WordPiece"),
    family("bert-gelu-new", "bert", "general", "WordPiece"),
    family("distilbert", "distilbert", "BERT's", "WordPiece"),
    family("electra", "electra", "BERT's", "WordPiece"),
    family("electra-small", "electra", "general", "WordPiece"),
    family("mpnet", "mpnet", "BERT's", "WordPiece"),
    family("albert", "albert", "general", "WordPiece"),
    family("roberta", "roberta", "BERT's", "BPE"),
    family("xlm-roberta", "xlm-roberta", "BERT's", "Unigram"),
    family("camembert", "camembert", "BERT's", "Unigram"),
    family("deberta-v3", "deberta-v2", "general", "Unigram"),
    family("deberta-v2", "deberta-v2", "general", "Unigram"),
    family("modernbert", "modernbert", "general", "BPE"),
    family("modernbert-cls", "modernbert", "general", "BPE"),
];

const LABELS: [&str; 6] = ["Sach-Lage", "own view?", "ça & là", "0", "spam", "a/b"];

impl Family {
    fn path(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/architectures").join(self.folder)
    }

    /// Whether this build reads its tokenizer.
    fn is_read(&self) -> bool {
        cfg!(feature = "architectures") || self.tokenizer == "WordPiece"
    }

    fn reference(&self) -> Vec<Value> {
        let json = fs::read(self.path().join("reference.json")).unwrap();
        serde_json::from_slice(&json).unwrap()
    }

    fn texts(&self) -> Vec<String> {
        self.reference().iter().map(|row| row["text"].as_str().unwrap().to_owned()).collect()
    }
}

/// The families whose tokenizers this build reads.
fn read() -> impl Iterator<Item = &'static Family> {
    FAMILIES.iter().filter(|family| family.is_read())
}

#[test]
fn ids_and_logits_are_those_of_transformers() {
    for family in read() {
        let name = family.folder;
        let model = Classifier::from_dir(&family.path()).unwrap();
        let labels: Vec<String> = model.labels().iter().map(ToString::to_string).collect();
        assert_eq!(labels, LABELS, "{name}");
        let mut session = model.session();
        let reference = family.reference();
        assert_eq!(reference.len(), 12, "{name}");
        for row in reference {
            let text = row["text"].as_str().unwrap();
            let tokenizer = model.tokenizer();
            let mut ids = vec![tokenizer.cls()];
            tokenizer.encode_into(text, &mut ids);
            ids.push(tokenizer.sep());
            assert_eq!(json!(ids), row["ids"], "{name}: {text:?}");
            let logits = session.logits(&[text]).unwrap().remove(0);
            let expected: Vec<f32> =
                row["logits"].as_array().unwrap().iter().map(|logit| logit.as_f64().unwrap() as f32).collect();
            assert_eq!(logits.len(), expected.len());
            for (got, expected) in logits.iter().zip(&expected) {
                assert!((got - expected).abs() < 1e-4, "{name}: {text:?}: {logits:?}, expected {expected:?}");
            }
        }
    }
}

#[test]
fn a_text_has_the_same_logits_beside_any_others() {
    for family in read() {
        let model = Classifier::from_dir(&family.path()).unwrap();
        let mut session = model.session();
        let texts = family.texts();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let together = session.logits(&texts).unwrap();
        let alone: Vec<Vec<f32>> = texts.iter().map(|text| session.logits(&[text]).unwrap().remove(0)).collect();
        assert_eq!(together, alone, "{}", family.folder);
        let mut backwards = texts.clone();
        backwards.reverse();
        let mut turned = session.logits(&backwards).unwrap();
        turned.reverse();
        assert_eq!(together, turned, "{}", family.folder);
    }
}

/// The texts that are not blank, many times over in JSON Lines.
fn records(family: &Family, times: usize) -> String {
    let texts = family.texts().into_iter().filter(|text| !text.trim().is_empty());
    let lines: String = texts.map(|text| format!("{}\n", json!({"text": text}))).collect();
    lines.repeat(times)
}

#[test]
fn the_command_writes_the_same_bytes_for_any_number_of_threads_and_records() {
    for family in read() {
        let path = family.path();
        let label = |threads: &str, input: &str| {
            let arguments = ["label", "-q", "--unit", "record", "--threads", threads, "--model", arg(&path), "-"];
            let output = run_with(&arguments, input.as_bytes());
            assert_eq!(output.status.code(), Some(0), "{}: {}", family.folder, stderr(&output));
            stdout(&output)
        };
        let once = records(family, 1);
        let all = records(family, 16);
        let one = label("1", &all);
        assert_eq!(label("4", &all), one, "{}", family.folder);
        // One record at a time.
        let alone: String = once.lines().map(|line| label("1", line)).collect();
        assert_eq!(alone, label("4", &once), "{}", family.folder);
        assert_eq!(alone.lines().collect::<Vec<_>>().repeat(16), one.lines().collect::<Vec<_>>(), "{}", family.folder);
    }
}

#[test]
fn every_way_of_reading_inputs_works() {
    let folder = tempfile::tempdir().unwrap();
    let words = "The council voted late, and nobody liked the plan. ".repeat(30);
    let page = folder.path().join("page.txt");
    fs::write(&page, format!("A short one.\n\n{words}\n")).unwrap();
    let table = folder.path().join("rows.csv");
    fs::write(&table, "doc,text\na,A short one.\na,Another one on the page.\nb,Alone.\n").unwrap();
    for family in read() {
        let path = family.path();
        let name = family.folder;
        let paragraphs = rows(&run(&["label", "-q", "--model", arg(&path), arg(&page)]), 0);
        let windows: Vec<u64> = paragraphs.iter().map(|row| row["windows"].as_u64().unwrap()).collect();
        assert!(windows.len() == 2 && windows[0] == 1 && windows[1] > 1, "{name}: {windows:?}");
        for row in &paragraphs {
            let scores = row["scores"].as_object().unwrap();
            assert_eq!(scores.keys().collect::<Vec<_>>(), LABELS, "{name}");
            let sum: f64 = scores.values().map(|score| score.as_f64().unwrap()).sum();
            assert!((sum - 1.0).abs() < 1e-4, "{name}: {row}");
        }
        let of_table = ["label", "-q", "--unit", "record", "--page-field", "doc", "--model", arg(&path), arg(&table)];
        assert_eq!(rows(&run(&of_table), 0).len(), 3, "{name}");
        let as_table = folder.path().join("out.csv");
        let written = run(&[&of_table[..], &["-o", arg(&as_table)]].concat());
        assert_eq!(written.status.code(), Some(0), "{name}: {}", stderr(&written));
        assert_eq!(fs::read_to_string(&as_table).unwrap().lines().count(), 4, "{name}");
        // No label has the role that the command needs.
        let refused = run_with(&["filter", "--model", arg(&path), "-"], b"{\"text\": \"One.\"}\n");
        assert_eq!(refused.status.code(), Some(2), "{name}");
        assert!(stderr(&refused).contains("needs to know which label it means"), "{name}: {}", stderr(&refused));
    }
}

#[test]
fn models_show_tells_which_engine_and_why() {
    for family in read() {
        let path = family.path();
        let card = rows(&run(&["models", "show", "--json", arg(&path)]), 0).remove(0);
        let name = family.folder;
        assert_eq!(card["architecture"], family.model_type, "{name}");
        assert_eq!(card["engine"], family.engine, "{name}");
        assert_eq!((&card["precision"], &card["labels"]), (&json!("f32"), &json!(LABELS)), "{name}");
        assert!(card["tokenizer"].as_str().unwrap().starts_with(family.tokenizer), "{name}: {card}");
        assert_eq!((&card["window"], &card["hidden"]), (&json!(96), &json!(32)), "{name}");
        let shown = stdout(&run(&["models", "show", arg(&path)]));
        for piece in [family.model_type, family.engine, "Sach-Lage, own view?", "each text is read alone"] {
            assert!(shown.contains(piece), "{name}: {shown}");
        }
        assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    }
    let card = rows(&run(&["models", "show", "fast", "--json"]), 0).remove(0);
    assert_eq!((&card["precision"], &card["page_network"]), (&json!("int8"), &json!(true)));
    assert_eq!((&card["spam_label"], &card["head"]), (&json!("comment_spam"), &json!("the labels")));
    let refused = run(&["models", "show", "auto"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("needs a model of one network"), "{}", stderr(&refused));
}

#[test]
fn models_with_berts_layers_are_stored_as_8_bit_integers_and_others_are_refused() {
    for family in read() {
        let folder = tempfile::tempdir().unwrap();
        let (path, out) = (family.path(), folder.path().join("small"));
        let name = family.folder;
        // Rows with the labels that the model gives, so that as it was it has a macro-F1 of 1.
        let labelled =
            run_with(&["label", "-q", "--unit", "record", "--model", arg(&path), "-"], records(family, 1).as_bytes());
        let data = folder.path().join("data.jsonl");
        let gold: String = rows(&labelled, 0)
            .iter()
            .map(|row| format!("{}\n", json!({"text": row["text"], "label": row["label"]})))
            .collect();
        fs::write(&data, gold).unwrap();
        let arguments = ["quantize", "-q", "--json", "--model", arg(&path), "--out", arg(&out), "--data", arg(&data)];
        let stored = run(&arguments);
        if family.engine == "general" {
            assert_eq!(stored.status.code(), Some(2), "{name}");
            assert!(stderr(&stored).contains("that takes BERT's layers"), "{name}: {}", stderr(&stored));
            assert!(!out.exists(), "{name}");
            continue;
        }
        let report = rows(&stored, 0).remove(0);
        assert_eq!((&report["rows"], &report["macro_f1"][0]), (&json!(10), &json!(1.0)), "{name}: {report}");
        assert!(report["bytes_after"].as_u64() < report["bytes_before"].as_u64(), "{name}: {report}");
        let card = rows(&run(&["models", "show", "--json", arg(&out)]), 0).remove(0);
        assert_eq!((&card["precision"], &card["labels"]), (&json!("int8"), &json!(LABELS)), "{name}");
        // It says nearly the same.
        let (before, after) = (Classifier::from_dir(&path).unwrap(), Classifier::from_dir(&out).unwrap());
        for text in family.texts() {
            let [before, after] = [&before, &after].map(|model| model.session().logits(&[&text]).unwrap().remove(0));
            for (a, b) in before.iter().zip(&after) {
                assert!((a - b).abs() < 0.25, "{name}: {text:?}: {before:?} and {after:?}");
            }
        }
        let same = run(&["quantize", "--model", arg(&out), "--out", arg(&out)]);
        assert!(stderr(&same).contains("would be both read and written"), "{name}: {}", stderr(&same));
    }
}

#[cfg(not(feature = "architectures"))]
#[test]
fn a_build_without_other_tokenizers_names_the_feature() {
    for family in FAMILIES.iter().filter(|family| !family.is_read()) {
        let refused = run_with(&["label", "--model", arg(&family.path()), "-"], b"One.\n");
        assert_eq!(refused.status.code(), Some(2));
        assert!(stderr(&refused).contains("needs a build with the feature architectures"), "{}", stderr(&refused));
    }
}

/// An implementation that is neither ours nor the one that made the figures reads two of the folders.
#[cfg(all(feature = "train", feature = "architectures"))]
#[test]
fn candle_gives_the_same_logits() {
    use candle_core::{DType, Device, Tensor};
    use candle_nn::VarBuilder;
    use candle_transformers::models::{debertav2, xlm_roberta};

    for name in ["xlm-roberta", "deberta-v3"] {
        let family = FAMILIES.iter().find(|family| family.folder == name).unwrap();
        let mut config: Value = serde_json::from_slice(&fs::read(family.path().join("config.json")).unwrap()).unwrap();
        // What newer versions of transformers leave out.
        config["position_embedding_type"] = json!("absolute");
        let weights = fs::read(family.path().join("model.safetensors")).unwrap();
        let builder = VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu).unwrap();
        type Run = Box<dyn Fn(&Tensor) -> candle_core::Result<Tensor>>;
        let run: Run = match name {
            "deberta-v3" => {
                let config: debertav2::Config = serde_json::from_value(config).unwrap();
                let builder = builder.set_prefix("deberta");
                let model = debertav2::DebertaV2SeqClassificationModel::load(builder, &config, None).unwrap();
                Box::new(move |ids| model.forward(ids, None, None))
            }
            _ => {
                let config: xlm_roberta::Config = serde_json::from_value(config).unwrap();
                let model =
                    xlm_roberta::XLMRobertaForSequenceClassification::new(LABELS.len(), &config, builder).unwrap();
                Box::new(move |ids| model.forward(ids, &ids.ones_like()?, &ids.zeros_like()?))
            }
        };
        let model = Classifier::from_dir(&family.path()).unwrap();
        for row in family.reference() {
            let ids: Vec<u32> = serde_json::from_value(row["ids"].clone()).unwrap();
            let ids = Tensor::new(ids.as_slice(), &Device::Cpu).unwrap().unsqueeze(0).unwrap();
            let expected = run(&ids).unwrap().get(0).unwrap().to_vec1::<f32>().unwrap();
            let logits = model.session().logits(&[row["text"].as_str().unwrap()]).unwrap().remove(0);
            for (got, expected) in logits.iter().zip(&expected) {
                assert!((got - expected).abs() < 1e-4, "{name}: {row}: {logits:?}, expected {expected:?}");
            }
        }
    }
}

/// What training makes of them.
#[cfg(feature = "train")]
mod training {
    use super::*;

    const TRAIN: &str = "data/train-small.jsonl";
    const DEV: &str = "data/dev-small.jsonl";

    fn settings(folder: &Path) -> String {
        let path = folder.join("settings.json");
        let settings = json!({"weak_epochs": 1, "epochs": 1, "page": null, "vector_weight": 0.0, "max_tokens": 48});
        fs::write(&path, settings.to_string()).unwrap();
        arg(&path).to_owned()
    }

    /// The training texts without their labels, which are not those of the teachers.
    fn texts(folder: &Path) -> String {
        let path = folder.join("texts.jsonl");
        let rows = fs::read_to_string(TRAIN).unwrap();
        let texts = rows.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["text"].clone());
        fs::write(&path, texts.map(|text| format!("{}\n", json!({"text": text}))).collect::<String>()).unwrap();
        arg(&path).to_owned()
    }

    /// The development texts with the labels of the teachers, in turn.
    fn teachers_rows(folder: &Path) -> String {
        let path = folder.join("dev.jsonl");
        let texts = fs::read_to_string(DEV).unwrap();
        let lines = texts.lines().zip(LABELS.iter().cycle()).map(|(line, label)| {
            let row: Value = serde_json::from_str(line).unwrap();
            format!("{}\n", json!({"text": row["text"], "label": label, "doc": row["doc"], "source": row["source"]}))
        });
        fs::write(&path, lines.collect::<String>()).unwrap();
        arg(&path).to_owned()
    }

    #[test]
    fn a_model_with_berts_layers_is_a_base_and_any_other_is_refused() {
        for family in read() {
            let folder = tempfile::tempdir().unwrap();
            let (path, out) = (family.path(), folder.path().join("trained"));
            let settings = settings(folder.path());
            let arguments = ["train", "-q", "--data", TRAIN, "--dev", DEV, "--settings", &settings];
            let trained = run(&[&arguments[..], &["--base", arg(&path), "--out", arg(&out)]].concat());
            let refused = match (family.engine, family.model_type) {
                ("general", _) => Some("that takes BERT's layers"),
                (_, "mpnet") => Some("an MPNet model can label and teach, but not be trained"),
                _ => None,
            };
            if let Some(reason) = refused {
                assert_eq!(trained.status.code(), Some(2), "{}", family.folder);
                assert!(stderr(&trained).contains(reason), "{}", stderr(&trained));
                continue;
            }
            assert_eq!(trained.status.code(), Some(0), "{}: {}", family.folder, stderr(&trained));
            let card = rows(&run(&["models", "show", "--json", arg(&out)]), 0).remove(0);
            assert_eq!(card["labels"][0], "reporting", "{}", family.folder);
            assert!(card["tokenizer"].as_str().unwrap().starts_with(family.tokenizer), "{}", family.folder);
            assert_eq!(
                rows(&run(&["label", "-q", "--model", arg(&out), "data/pages/tariff-comment-thread.txt"]), 0).len(),
                34
            );
        }
    }

    #[test]
    fn a_model_of_any_family_is_a_teacher() {
        let folder = tempfile::tempdir().unwrap();
        let (settings, unlabelled) = (settings(folder.path()), texts(folder.path()));
        let dev = teachers_rows(folder.path());
        for family in read() {
            let out = folder.path().join(family.folder);
            let path = family.path();
            let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/architectures/bert");
            let taught = run(&[
                "distill",
                "-q",
                "--teacher",
                arg(&path),
                "--base",
                arg(&base),
                "--texts",
                &unlabelled,
                "--dev",
                &dev,
                "--settings",
                &settings,
                "--out",
                arg(&out),
            ]);
            assert_eq!(taught.status.code(), Some(0), "{}: {}", family.folder, stderr(&taught));
            let labels = &rows(&run(&["models", "show", "--json", arg(&out)]), 0)[0]["labels"];
            assert_eq!(*labels, json!(LABELS), "{}", family.folder);
        }
    }

    #[cfg(feature = "architectures")]
    #[test]
    fn a_student_is_not_cut_from_a_teacher_without_wordpiece() {
        let folder = tempfile::tempdir().unwrap();
        let path = FAMILIES.iter().find(|family| family.folder == "roberta").unwrap().path();
        let unlabelled = texts(folder.path());
        let dev = teachers_rows(folder.path());
        let refused = run(&[
            "distill",
            "-q",
            "--teacher",
            arg(&path),
            "--texts",
            &unlabelled,
            "--dev",
            &dev,
            "--layers",
            "1",
            "--intermediate",
            "32",
            "--vocab",
            "200",
            "--settings",
            &settings(folder.path()),
            "--out",
            arg(&folder.path().join("out")),
        ]);
        assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
        assert!(stderr(&refused).contains("WordPiece teacher, or --base"), "{}", stderr(&refused));
    }
}
