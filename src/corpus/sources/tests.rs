use super::*;

fn names(sources: Sources) -> Vec<String> {
    sources
        .map(|source| match source {
            Ok(source) => source.name.to_string(),
            Err(failure) => format!("failed {}", failure.source),
        })
        .collect()
}

#[test]
fn folders_are_sorted_and_hidden_names_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::create_dir(root.join("b")).unwrap();
    fs::create_dir(root.join(".hidden")).unwrap();
    for file in ["c.txt", "a.txt", ".dot", "b/z", "b/y", ".hidden/x"] {
        fs::write(root.join(file), "text").unwrap();
    }
    let base = root.to_string_lossy();
    let expected = ["a.txt", "b/y", "b/z", "c.txt"].map(|name| format!("{base}/{name}"));
    assert_eq!(names(resolve(&[root.to_owned()])), expected);
    assert_eq!(names(resolve(&[root.to_owned(), root.to_owned()])), [expected.clone(), expected].concat());
    assert_eq!(resolve(&[root.join("a.txt"), root.join("c.txt")]).total_bytes(), Some(8));
    assert_eq!(resolve(&[root.to_owned()]).total_bytes(), None);
}

#[test]
fn missing_files_fail_in_their_place() {
    let sources = resolve(&[PathBuf::from("/nonexistent/file"), PathBuf::from("-")]);
    assert_eq!(names(sources), ["failed /nonexistent/file", "-"]);
    assert_eq!(names(resolve(&[])), ["-"]);
}

#[cfg(not(feature = "remote"))]
#[test]
fn stores_need_a_feature() {
    let mut sources = resolve(&[PathBuf::from("s3://bucket/in/")]);
    let failure = sources.next().unwrap().unwrap_err();
    assert_eq!(
        failure.to_string(),
        "s3://bucket/in/: needs the feature remote: cargo install --path . --features remote"
    );
    assert!(sources.next().is_none());
}

#[cfg(unix)]
#[test]
fn a_link_to_a_folder_above_ends() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("inner")).unwrap();
    fs::write(folder.path().join("inner/file"), "text").unwrap();
    symlink(folder.path(), folder.path().join("inner/loop")).unwrap();
    symlink(folder.path(), folder.path().join("inner/loop2")).unwrap();
    let base = folder.path().to_string_lossy();
    let expected = [format!("{base}/inner/file"), format!("failed {base}/inner/loop")];
    assert_eq!(names(resolve(&[folder.path().to_owned()])), expected);
}

/// Each level links twice to the next: 2^26 paths, 27 folders.
#[cfg(unix)]
#[test]
fn a_folder_that_many_links_lead_to_is_read_once() {
    let folder = tempfile::tempdir().unwrap();
    let level = |number: u32| folder.path().join(format!("store/{number}"));
    for number in 0..27 {
        fs::create_dir_all(level(number)).unwrap();
        fs::write(level(number).join("file"), "text").unwrap();
        if number > 0 {
            for link in ["x", "y"] {
                std::os::unix::fs::symlink(level(number), level(number - 1).join(link)).unwrap();
            }
        }
    }
    assert_eq!(names(resolve(&[level(0)])).len(), 27);
}

#[cfg(unix)]
#[test]
fn what_is_written_is_not_read_under_another_name() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::create_dir(root.join("in")).unwrap();
    fs::write(root.join("out"), "rows").unwrap();
    std::os::unix::fs::symlink("../out", root.join("in/link")).unwrap();
    let written = FileId::of(&fs::metadata(root.join("out")).unwrap()).unwrap();
    let mut sources = resolve(&[root.join("in")]).except(vec![written]);
    assert!(matches!(sources.next(), Some(Err(Failure { error: InputError::AlsoWritten, .. }))));
}
