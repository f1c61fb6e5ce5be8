//! The layers of docs/ARCHITECTURE.md: code uses its own layer and the layers above it in the table, and nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Layers in the order of the table, lowest first, with their folder or file.
fn layers(root: &Path) -> Vec<(String, PathBuf)> {
    let text = fs::read_to_string(root.join("docs/ARCHITECTURE.md")).expect("the document is there");
    let rows = text.lines().skip_while(|line| !line.starts_with("| layer |")).skip(2);
    rows.take_while(|line| line.starts_with('|'))
        .map(|row| {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            (cells[1].to_owned(), root.join(cells[2].trim_matches('`')))
        })
        .collect()
}

/// The sources of a layer. Tests in files of their own are left out: they may use what lies above.
fn sources(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("the folder can be listed") {
            sources(&entry.expect("an entry can be read").path(), found);
        }
    } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
        found.push(path.to_owned());
    }
}

/// The code of a file without comments and without the module of its tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a source can be read");
    let end = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    let lines = text[..end].lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The top-level modules that code names by `crate::…`, also several in one pair of braces.
fn used(code: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (start, _) in code.match_indices("crate::") {
        let before = code[..start].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = &code[start + "crate::".len()..];
        let name =
            |text: &str| text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        match rest.strip_prefix('{') {
            None => names.push(name(rest)),
            Some(group) => {
                let mut depth = 1;
                let mut begins = true;
                for (index, c) in group.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        ',' if depth == 1 => begins = true,
                        c if begins && depth == 1 && !c.is_whitespace() => {
                            names.push(name(&group[index..]));
                            begins = false;
                        }
                        _ => {}
                    }
                    if depth == 0 {
                        break;
                    }
                }
            }
        }
    }
    names
}

#[test]
fn groups_in_braces_and_single_names_are_found() {
    let code = "use crate::{label::{Label, Scores}, text};\nlet x = crate::model::open();\n$crate::cli::no();";
    assert_eq!(used(code), ["label", "text", "model"]);
}

#[test]
fn code_uses_no_layer_above_its_own() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let layers = layers(root);
    assert!(layers.len() >= 10, "the table was not found: {layers:?}");
    let rank: BTreeMap<&str, usize> =
        layers.iter().enumerate().map(|(rank, (name, _))| (name.as_str(), rank)).collect();
    let mut covered = vec![root.join("src/lib.rs")];
    let mut wrong = Vec::new();
    for (name, path) in &layers {
        let mut files = Vec::new();
        sources(path, &mut files);
        assert!(!files.is_empty(), "{name}: no source at {}", path.display());
        for file in files {
            for used in used(&code(&file)) {
                // What the root of the crate gives another name is counted where it is defined.
                if let Some(used_rank) = rank.get(used.as_str())
                    && *used_rank > rank[name.as_str()]
                {
                    wrong.push(format!("{} uses {used}", file.display()));
                }
                if !rank.contains_key(used.as_str()) {
                    wrong.push(format!("{} uses crate::{used}, which is no layer", file.display()));
                }
            }
            covered.push(file);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let mut all = Vec::new();
    sources(&root.join("src"), &mut all);
    let missing: Vec<_> = all.iter().filter(|file| !covered.contains(file)).collect();
    assert!(missing.is_empty(), "in no layer: {missing:?}");
}
