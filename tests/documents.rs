//! The repository's own documents.

use std::fs;
use std::path::{Path, PathBuf};

/// All Markdown files below a folder, build outputs and hidden folders left aside.
fn documents(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && !["node_modules", "target", "venv"].contains(&name.as_str()) {
            documents(&path, found);
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
}

/// Files that are not committed are absent from a fresh clone, so this fails there for what one forgot to add.
#[test]
fn links_between_files_lead_somewhere() {
    let mut paths = Vec::new();
    documents(Path::new(env!("CARGO_MANIFEST_DIR")), &mut paths);
    let mut links = 0;
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.contains("://") && !target.starts_with('#')) {
            let file = path.parent().unwrap().join(target.split('#').next().unwrap());
            assert!(file.exists(), "{}: {target}", path.display());
            links += 1;
        }
    }
    assert!(links >= 10, "{links} links found");
}
