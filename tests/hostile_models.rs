//! Model folders of other programs that are damaged, false or made to harm: each is told in one clear line, and nothing panics, hangs
//! or takes more memory than a fixed amount.

#![cfg(all(target_os = "linux", feature = "architectures"))]

mod common;

use common::bounded::{Ran, shell};
use serde_json::{Map, Value, json};
use std::fs;
use std::path::Path;

/// A copy of a folder of `tests/architectures` to do harm to.
struct Folder(tempfile::TempDir);

const FILES: [&str; 3] = ["config.json", "tokenizer.json", "model.safetensors"];

impl Folder {
    fn of(family: &str) -> Folder {
        let folder = tempfile::tempdir().unwrap();
        let model = folder.path().join("m");
        fs::create_dir(&model).unwrap();
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/architectures").join(family);
        for file in FILES {
            fs::copy(from.join(file), model.join(file)).unwrap();
        }
        fs::write(folder.path().join("rows.jsonl"), "{\"text\": \"A good record of some words.\"}\n").unwrap();
        Folder(folder)
    }

    fn path(&self, file: &str) -> std::path::PathBuf {
        self.0.path().join("m").join(file)
    }

    fn json(&self, file: &str) -> Value {
        serde_json::from_slice(&fs::read(self.path(file)).unwrap()).unwrap()
    }

    fn write(&self, file: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(file), bytes).unwrap();
    }

    fn label(&self) -> Ran {
        let script = "exec \"$0\" label -q --unit record --model m --threads 2 rows.jsonl </dev/null";
        shell(self.0.path(), script, &[], |_| Ok(()))
    }

    /// Nothing could be labelled, and why.
    fn refused(&self, name: &str, told: &str) {
        let ran = self.label();
        ran.expect(name, 2, told);
        assert_eq!(ran.lines(), 0, "{name}");
        assert!(ran.told.lines().count() <= 3, "{name}: {}", ran.told);
        assert!(ran.told.len() < 1500, "{name}: {} bytes are told", ran.told.len());
    }

    /// The header of the weights' file and what follows it.
    fn tensors(&self) -> (Map<String, Value>, Vec<u8>) {
        let bytes = fs::read(self.path("model.safetensors")).unwrap();
        let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        (serde_json::from_slice(&bytes[8..8 + length]).unwrap(), bytes[8 + length..].to_vec())
    }

    fn write_tensors(&self, header: &Map<String, Value>, data: &[u8]) {
        let header = Value::Object(header.clone()).to_string();
        let length = (header.len() as u64).to_le_bytes();
        self.write("model.safetensors", [&length[..], header.as_bytes(), data].concat());
    }

    /// Writes a value over every number of a tensor.
    fn fill(&self, tensor: &str, value: f32) {
        let (header, mut data) = self.tensors();
        let offsets = &header[tensor]["data_offsets"];
        let [from, to] = [0, 1].map(|end| offsets[end].as_u64().unwrap() as usize);
        data[from..to].chunks_exact_mut(4).for_each(|number| number.copy_from_slice(&value.to_le_bytes()));
        self.write_tensors(&header, &data);
    }
}

#[test]
fn the_folders_are_good_before_harm_is_done_to_them() {
    for family in
        ["distilbert", "roberta", "xlm-roberta", "electra-small", "mpnet", "deberta-v3", "modernbert", "albert"]
    {
        let ran = Folder::of(family).label();
        ran.expect(family, 0, "");
        assert_eq!(ran.lines(), 1, "{family}");
    }
}

#[test]
fn configs_say_what_cannot_be() {
    let unset = Value::Null;
    let names = |count: usize| -> Value { (0..count).map(|id| (id.to_string(), json!(format!("n{id}")))).collect() };
    let cases: Vec<(&str, &str, Value, &str)> = vec![
        ("distilbert", "model_type", json!("gpt2"), "config.json: `model_type` is `gpt2`, expected `bert, distilbert"),
        ("distilbert", "model_type", unset.clone(), "config.json: missing field `model_type`"),
        ("distilbert", "model_type", json!(7), "`model_type` must be a text, got 7"),
        ("distilbert", "auto_map", json!({"AutoModel": "evil.Model"}), "asks for program code of the model's own"),
        (
            "distilbert",
            "architectures",
            json!(["DistilBertForTokenClassification"]),
            "`architectures` is DistilBertForTokenClassification; expected a classifier that gives each text one",
        ),
        ("roberta", "architectures", json!(["RobertaForMaskedLM"]), "`architectures` is RobertaForMaskedLM"),
        ("roberta", "architectures", json!(["RobertaForQuestionAnswering"]), "`architectures` is RobertaForQuestion"),
        (
            "roberta",
            "problem_type",
            json!("multi_label_classification"),
            "`problem_type` is multi_label_classification",
        ),
        ("roberta", "problem_type", json!("regression"), "`problem_type` is regression"),
        ("roberta", "id2label", json!({"0": "score"}), "`num_labels` is 1, which is a regression"),
        ("roberta", "id2label", json!({"0": "a", "2": "b"}), "names 2 outputs, but none with the number 1"),
        ("roberta", "id2label", json!({"0": "a", "1": 7}), "names 2 outputs, but none with the number 1"),
        ("roberta", "id2label", json!(["a", "b"]), "`id2label` must be a map from numbers to names"),
        ("roberta", "id2label", json!({"0": "a", "1": "a"}), "config.json: `id2label`"),
        ("roberta", "id2label", names(5), "tensor `classifier.out_proj.weight` has shape [6, 32], expected [5, 32]"),
        ("roberta", "id2label", names(30_000), "config.json: `id2label`"),
        ("distilbert", "dim", unset.clone(), "missing field `dim`"),
        ("distilbert", "dim", json!(0), "config.json: `dim` is 0, expected 1 to 2^32 - 1"),
        ("distilbert", "dim", json!(-32), "`dim` must be a whole number from 0 on, got -32"),
        ("distilbert", "dim", json!(1u64 << 63), "`dim` is 9223372036854775808, expected 1 to 2^32 - 1"),
        ("distilbert", "dim", json!(1e300), "`dim` must be a whole number"),
        ("distilbert", "dim", json!(4_294_967_292u64), "has shape"),
        ("distilbert", "n_heads", json!(5), "`n_heads` is 5, expected a divisor of the hidden size 32"),
        ("distilbert", "n_layers", json!(4_000_000_000u64), "no tensor `distilbert.transformer.layer.2"),
        ("distilbert", "hidden_dim", json!(65), "has shape [64, 32], expected [65, 32]"),
        ("distilbert", "vocab_size", json!(4_000_000_000u64), "has shape [240, 32], expected [4000000000, 32]"),
        ("distilbert", "vocab_size", json!(100), "needs 240 embedding rows"),
        ("distilbert", "activation", json!("softmax"), "`activation` is `softmax`, expected `gelu, gelu_new"),
        ("distilbert", "activation", json!([1]), "`activation` must be a text, got [1]"),
        ("roberta", "max_position_embeddings", json!(2), "`max_position_embeddings` is 0, expected 1"),
        ("roberta", "pad_token_id", json!(u64::MAX), "`max_position_embeddings` is 0, expected 1"),
        ("roberta", "pad_token_id", json!(-1), "`pad_token_id` must be a whole number"),
        ("roberta", "layer_norm_eps", json!(-1.0), "`layer_norm_eps` is -1, expected between 0 and 1"),
        ("roberta", "layer_norm_eps", json!("tiny"), "`layer_norm_eps` must be a number"),
        ("roberta", "is_decoder", json!(true), "`is_decoder` is `true`, expected `false`"),
        ("roberta", "position_embedding_type", json!("relative_key"), "`position_embedding_type` is `relative_key`"),
        ("electra-small", "embedding_size", json!(0), "`embedding_size` is 0, expected 1"),
        ("electra-small", "embedding_size", json!(8), "has shape [32, 16], expected [32, 8]"),
        ("albert", "num_hidden_groups", json!(0), "`num_hidden_groups` is 0, expected a divisor of the 2 layers"),
        ("albert", "inner_group_num", json!(2), "`inner_group_num` is 2, expected 1"),
        (
            "albert",
            "num_hidden_layers",
            json!(4_000_000_000u64),
            "`num_hidden_layers` is 4000000000, expected at most 1024",
        ),
        ("mpnet", "relative_attention_num_buckets", json!(64), "`relative_attention_num_buckets` is 64, expected 32"),
        ("deberta-v3", "conv_kernel_size", json!(3), "`conv_kernel_size` is `a convolution`, expected `0`"),
        ("deberta-v3", "pos_att_type", json!("p2c|p2p"), "`pos_att_type` is `p2p`, expected `c2p and p2c`"),
        ("deberta-v3", "pos_att_type", json!({"c2p": 1}), "`pos_att_type` is `something else`"),
        ("deberta-v3", "relative_attention", json!(false), "`pos_att_type` is `some`"),
        ("deberta-v3", "position_buckets", json!(1), "`position_buckets` is 1, expected 2 or more"),
        ("deberta-v3", "position_buckets", json!(1e300), "`position_buckets` is 18446744073709551615"),
        ("deberta-v2", "max_relative_positions", json!(1e18), "is 1000000000000000000, expected 1 to 2^32 - 1"),
        ("deberta-v2", "attention_head_size", json!(64), "`attention_head_size` is 64"),
        ("modernbert", "layer_types", json!(["full_attention"]), "`layer_types` is 1, expected 3 entries"),
        ("modernbert", "layer_types", json!(["a", "b", "c"]), "`layer_types` is `\"a\"`"),
        ("modernbert", "num_attention_heads", json!(32), "expected heads of an even width"),
        ("modernbert", "classifier_pooling", json!("max"), "`classifier_pooling` is `max`, expected `cls or mean`"),
        ("modernbert", "rope_parameters", json!({"full_attention": {"rope_type": "yarn"}}), "`rope_parameters`"),
        ("modernbert", "rope_parameters", json!({"full_attention": {"rope_theta": -1}}), "`rope_theta` is -1"),
        ("modernbert-cls", "global_attn_every_n_layers", json!(0), "`global_attn_every_n_layers` is 0"),
        ("modernbert-cls", "global_rope_theta", json!(1e300), "`rope_theta` is"),
    ];
    assert!(cases.len() > 40);
    for (number, (family, field, value, told)) in cases.into_iter().enumerate() {
        let folder = Folder::of(family);
        let mut config = folder.json("config.json");
        config[field] = value;
        folder.write("config.json", config.to_string());
        folder.refused(&format!("case {number}, {family} {field}"), told);
    }
    for (content, told) in [
        (String::new(), "config.json: EOF"),
        ("[]".to_owned(), "config.json: invalid type"),
        ("[".repeat(100_000), "config.json: invalid type"),
        (format!("{{\"a\": {}", "[".repeat(100_000)), "config.json: recursion limit"),
        (" ".repeat(2 << 20), "expected at most 1048576 bytes"),
    ] {
        let folder = Folder::of("distilbert");
        folder.write("config.json", &content);
        folder.refused(&format!("config of {} bytes", content.len()), told);
    }
}

#[test]
fn weights_are_absent_false_or_of_another_kind() {
    type Harm = fn(&Folder);
    let cases: [(&str, &str, Harm, &str); 14] = [
        (
            "a layer is gone",
            "distilbert",
            |folder| {
                let (mut header, data) = folder.tensors();
                header.remove("distilbert.transformer.layer.1.ffn.lin2.bias");
                folder.write_tensors(&header, &data);
            },
            "not a safetensors file",
        ),
        (
            "a layer has another name",
            "roberta",
            |folder| {
                let (mut header, data) = folder.tensors();
                let tensor = header.remove("roberta.encoder.layer.1.output.dense.bias").unwrap();
                header.insert("elsewhere".to_owned(), tensor);
                folder.write_tensors(&header, &data);
            },
            "no tensor `roberta.encoder.layer.1.output.dense.bias`",
        ),
        (
            "no head",
            "roberta",
            |folder| {
                let (mut header, data) = folder.tensors();
                let tensor = header.remove("classifier.out_proj.weight").unwrap();
                header.insert("lm_head.weight".to_owned(), tensor);
                folder.write_tensors(&header, &data);
            },
            "no classification head",
        ),
        ("not a number", "mpnet", |f| f.fill("mpnet.encoder.relative_attention_bias.weight", f32::NAN), "holds NaN"),
        ("not finite", "deberta-v3", |f| f.fill("deberta.encoder.rel_embeddings.weight", f32::INFINITY), "holds inf"),
        ("not a number in the head", "modernbert", |f| f.fill("head.norm.weight", f32::NAN), "holds NaN"),
        ("overflow", "modernbert", |f| f.fill("model.layers.1.mlp.Wi.weight", 1e38), "not finite numbers"),
        ("overflow on BERT's engine", "distilbert", |f| f.fill("classifier.weight", 3e38), "not finite numbers"),
        (
            "integers",
            "electra",
            |folder| {
                let (mut header, data) = folder.tensors();
                header["classifier.out_proj.bias"]["dtype"] = json!("I32");
                folder.write_tensors(&header, &data);
            },
            "has type I32, expected F32, F16 or BF16",
        ),
        (
            "pickles alone",
            "roberta",
            |folder| fs::rename(folder.path("model.safetensors"), folder.path("pytorch_model.bin")).unwrap(),
            "no such file … only pytorch_model.bin, which is not read … save_pretrained",
        ),
        (
            "shards",
            "roberta",
            |folder| {
                fs::remove_file(folder.path("model.safetensors")).unwrap();
                folder.write("model.safetensors.index.json", "{}");
            },
            "only model.safetensors.index.json, which is not read",
        ),
        (
            "cut",
            "modernbert",
            |folder| {
                let bytes = fs::read(folder.path("model.safetensors")).unwrap();
                folder.write("model.safetensors", &bytes[..bytes.len() / 2]);
            },
            "not a safetensors file",
        ),
        (
            "an endless header",
            "modernbert",
            |folder| folder.write("model.safetensors", [&u64::MAX.to_le_bytes()[..], b"{}"].concat()),
            "not a safetensors file",
        ),
        (
            "a shape that overflows",
            "albert",
            |folder| {
                let (mut header, data) = folder.tensors();
                header["classifier.bias"]["shape"] = json!([u64::MAX, 2]);
                folder.write_tensors(&header, &data);
            },
            "not a safetensors file",
        ),
    ];
    for (name, family, harm, told) in cases {
        let folder = Folder::of(family);
        harm(&folder);
        folder.refused(name, told);
    }
}

#[test]
fn tokenizers_are_false_or_made_to_harm() {
    let split = |pattern: Value| json!({"type": "Split", "pattern": pattern, "behavior": "Isolated", "invert": false});
    let replace =
        |pattern: &str, content: &str| json!({"type": "Replace", "pattern": {"String": pattern}, "content": content});
    let steps = |step: Value, count: usize| json!({"type": "Sequence", "normalizers": vec![step; count]});
    let cases: Vec<(&str, &str, Value, &str)> = vec![
        (
            "roberta",
            "/pre_tokenizer",
            split(json!({"Regex": "(a+)+$"})),
            "`pre_tokenizer.pattern`, got {\"Regex\":\"(a+)+$\"}",
        ),
        ("roberta", "/pre_tokenizer", split(json!({"Regex": "(".repeat(50_000)})), "`pre_tokenizer.pattern`"),
        (
            "roberta",
            "/pre_tokenizer",
            json!({"type": "FixedLength", "length": 0}),
            "unsupported tokenizer … word splitter",
        ),
        (
            "roberta",
            "/normalizer",
            json!({"type": "Novelty"}),
            "unsupported tokenizer … a normaliser that encoders use",
        ),
        ("roberta", "/normalizer", steps(replace("a", "aa"), 12), "lengthen a text 64 times at most"),
        ("roberta", "/normalizer", replace("a", &"b".repeat(1 << 20)), "lengthen a text 64 times at most"),
        ("roberta", "/normalizer", replace("", "b"), "expected a pattern"),
        ("roberta", "/normalizer", steps(json!({"type": "NFC"}), 100), "expected at most 16 steps"),
        (
            "roberta",
            "/normalizer",
            json!({"type": "Precompiled", "precompiled_charsmap": "AAAA"}),
            "a sound map of characters",
        ),
        ("roberta", "/model/dropout", json!(0.5), "`model.dropout`, got 0.5"),
        ("roberta", "/model/merges", json!([["a", "b"], ["nowhere", "b"]]), "`model.merges`"),
        ("roberta", "/model/merges", json!([["a", "b", "c"]]), "a merge is not of two entries"),
        ("roberta", "/model/merges", json!(vec![["t", "h"]; 1_100_000]), "a list is longer than 1048576"),
        ("roberta", "/model/unk_token", json!("<nowhere>"), "the vocabulary has no `<nowhere>`"),
        ("roberta", "/model/type", json!("Novelty"), "expected BPE, Unigram, WordLevel or WordPiece"),
        ("roberta", "/model/vocab/!", json!(1_000_000), "needs 1000001 embedding rows"),
        ("roberta", "/model/vocab/!", json!(-1), "tokenizer.json"),
        ("roberta", "/post_processor/cls", json!(["<s>", 4_000_000_000u64]), "needs 4000000001 embedding rows"),
        ("roberta", "/post_processor/cls", json!("<s>"), "`post_processor`"),
        ("modernbert", "/post_processor/single", json!([]), "one special token, the sequence, one special token"),
        ("modernbert", "/added_tokens/5/id", json!(90_000), "ids of the vocabulary, or those that follow it"),
        ("modernbert", "/added_tokens/5/content", json!("x".repeat(5000)), "tokens of 1 to 1024 bytes"),
        ("xlm-roberta", "/model/unk_id", json!(null), "`model.unk_id`"),
        ("xlm-roberta", "/model/unk_id", json!(100_000), "`model.unk_id`"),
        ("xlm-roberta", "/model/vocab/9/0", json!("long".repeat(1000)), "`model.vocab`"),
        ("xlm-roberta", "/model/vocab", json!([]), "`model.unk_id`"),
        ("distilbert", "/model/max_input_chars_per_word", json!(1_000_000), "max_input_chars_per_word"),
        ("distilbert", "/model/vocab", json!({}), "the vocabulary has no `[UNK]`"),
        ("distilbert", "/pre_tokenizer", json!(null), "special tokens that a text cannot spell"),
    ];
    for (number, (family, place, value, told)) in cases.into_iter().enumerate() {
        let folder = Folder::of(family);
        let mut file = folder.json("tokenizer.json");
        *file.pointer_mut(place).unwrap_or_else(|| panic!("{family} has {place}")) = value;
        folder.write("tokenizer.json", file.to_string());
        folder.refused(&format!("case {number}, {family} {place}"), told);
    }
    let folder = Folder::of("roberta");
    fs::remove_file(folder.path("tokenizer.json")).unwrap();
    folder.refused("no tokenizer", "no such file: m/tokenizer.json");
    // A vocabulary of two million entries, in a file of 40 MB.
    let entries: String = (0..2_000_000).map(|id| format!("\"w{id}\":{id},")).collect();
    let pieces: String = (0..2_000_000).map(|id| format!("[\"w{id}\",-1.0],")).collect();
    let model = |kind: &str, vocab: String| {
        format!("{{\"model\":{{\"type\":\"{kind}\",\"vocab\":{vocab},\"merges\":[],\"unk_id\":0}}}}")
    };
    folder.write("tokenizer.json", model("BPE", format!("{{{}}}", entries.trim_end_matches(','))));
    folder.refused("millions of entries", "more than 1048576 entries");
    folder.write("tokenizer.json", model("Unigram", format!("[{}]", pieces.trim_end_matches(','))));
    folder.refused("millions of pieces", "a list is longer than 1048576");
    for (content, told) in [
        (String::new(), "tokenizer.json: not a tokenizer.json"),
        ("{}".to_owned(), "tokenizer.json: not a tokenizer.json"),
        ("[".repeat(1_000_000), "tokenizer.json: not a tokenizer.json"),
    ] {
        folder.write("tokenizer.json", &content);
        folder.refused(&format!("tokenizer of {} bytes", content.len()), told);
    }
}

/// A map of characters whose every byte is changed in turn leads astray, or gives other characters; nothing else happens.
#[test]
fn damaged_maps_of_characters_do_no_harm() {
    let folder = Folder::of("xlm-roberta");
    let file = folder.json("tokenizer.json");
    let place = "/normalizer/normalizers/0/precompiled_charsmap";
    let map = file.pointer(place).unwrap().as_str().unwrap().to_owned();
    let (mut labelled, mut refused) = (0, 0);
    for at in (0..400).step_by(23) {
        for digit in ["A", "f", "/"] {
            let mut damaged = map.clone();
            damaged.replace_range(at..=at, digit);
            let mut file = file.clone();
            *file.pointer_mut(place).unwrap() = json!(damaged);
            folder.write("tokenizer.json", file.to_string());
            let ran = folder.label();
            let name = format!("byte {at} is {digit}");
            match ran.status {
                0 => labelled += 1,
                _ => {
                    ran.expect(&name, 2, "a sound map of characters");
                    refused += 1;
                }
            }
        }
    }
    assert!(labelled > 0 && refused > 0, "{labelled} {refused}");
}
