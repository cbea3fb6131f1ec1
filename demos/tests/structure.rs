//! What prose promises about the sources, checked: a promise nobody checks is soon a memory.

use std::fs;
use std::path::{Path, PathBuf};

const CRATES: [&str; 3] = ["executor", "reactor", "timers"];

/// The files whose subject is unsafe code; no other may hold any.
const UNSAFE_ROOMS: &[&str] = &[
    "benches/src/heap.rs",
    "benches/src/peers/intrusive.rs",
    "benches/src/peers/glommio.rs",
    "executor/src/local/handle.rs",
    "executor/src/local/header.rs",
    "executor/src/local/hub_ref.rs",
    "executor/src/local/inbox.rs",
    "executor/src/local/memory.rs",
    "executor/src/local/run.rs",
    "executor/src/local/waker.rs",
    "executor/src/stage.rs",
    "executor/src/stealing/home.rs",
    "executor/src/stealing/injector.rs",
    "executor/src/stealing/join.rs",
    "executor/src/stealing/magazine.rs",
    "executor/src/stealing/task.rs",
    "executor/src/stealing/waker.rs",
    "executor/src/stealing/worker.rs",
    "reactor/src/hyper.rs",
    "reactor/src/poller/direct.rs",
    "reactor/src/poller/portable.rs",
    "reactor/src/returns.rs",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("demos lies in the workspace")
        .to_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All Rust files under `folder`, with their paths from the workspace's root.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.expect("an entry can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root()).expect("it lies below the root");
                found.push((name.to_string_lossy().into_owned(), read(&path)));
            }
        }
    }
    found.sort();
    found
}

fn all_sources() -> Vec<(String, String)> {
    let folders = ["executor", "reactor", "timers", "demos", "benches"];
    let parts = ["src", "tests", "examples", "benches"];
    let all = folders
        .iter()
        .flat_map(|folder| parts.iter().map(move |part| format!("{folder}/{part}")));
    all.flat_map(|folder| sources(&folder)).collect()
}

/// The part of a file that is not its unit tests.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text)
}

fn complain(what: &str, wrong: &[String]) {
    assert!(wrong.is_empty(), "{what}:\n  {}", wrong.join("\n  "));
}

#[test]
fn one_idea_fits_one_file() {
    let too_long = |(name, text): &(String, String)| {
        let lines = without_tests(text).lines().count();
        (!name.contains("/tests/") && lines > 400).then(|| format!("{name}: {lines} lines"))
    };
    complain(
        "longer than 400 lines",
        &all_sources()
            .iter()
            .filter_map(too_long)
            .collect::<Vec<_>>(),
    );
}

#[test]
fn a_line_fits_the_page() {
    let mut wrong = Vec::new();
    for (name, text) in all_sources() {
        for (number, line) in (1..).zip(text.lines()) {
            // rustfmt sees to 100; strings and doc tests, which it leaves alone, have some give.
            let width = line.chars().count();
            if width > 110 {
                wrong.push(format!("{name}:{number}: {width} characters"));
            }
        }
    }
    complain("lines wider than the page", &wrong);
}

#[test]
fn the_loop_is_one_page() {
    let page = read(&root().join("demos/src/event_loop.rs"));
    assert!(page.lines().count() < 100, "{} lines", page.lines().count());
}

#[test]
fn a_function_fits_one_screen() {
    let mut wrong = Vec::new();
    // Models of loom are tests, wherever they have to stand.
    let is_code = |name: &str| name.contains("/src/") && !name.ends_with("models.rs");
    for (name, text) in all_sources().into_iter().filter(|(name, _)| is_code(name)) {
        for (start, length) in functions(without_tests(&text)) {
            if length > 70 {
                wrong.push(format!("{name}:{start}: {length} lines"));
            }
        }
    }
    complain("functions over 70 lines", &wrong);
}

/// First line and length of each function, by indentation: rustfmt ends it where it began.
fn functions(text: &str) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let indent = line.len() - code.len();
        let begins = [
            "fn ",
            "pub fn ",
            "pub(crate) fn ",
            "async fn ",
            "pub async fn ",
            "unsafe fn ",
        ];
        let signature = || {
            lines[start..]
                .iter()
                .find(|line| line.ends_with(['{', ';', '}']))
        };
        let has_body = || signature().is_some_and(|line| line.ends_with('{'));
        if !begins.iter().any(|begin| code.starts_with(begin)) || !has_body() {
            continue;
        }
        let end_line = format!("{}}}", " ".repeat(indent));
        if let Some(length) = lines[start..].iter().position(|line| *line == end_line) {
            found.push((start + 1, length + 1));
        }
    }
    found
}

#[test]
fn one_folder_level_below_src() {
    let too_deep = |(name, _): (String, String)| {
        let (_, below) = name.split_once("/src/")?;
        (below.matches('/').count() > 1).then_some(name)
    };
    complain(
        "deeper than src/x/y.rs",
        &all_sources()
            .into_iter()
            .filter_map(too_deep)
            .collect::<Vec<_>>(),
    );
}

#[test]
fn no_file_is_a_drawer_for_odds_and_ends() {
    let drawer = |(name, _): (String, String)| {
        let odd = ["util", "utils", "common", "misc", "helpers"];
        let stem = Path::new(&name).file_stem()?.to_str()?.to_owned();
        odd.contains(&stem.as_str()).then_some(name)
    };
    complain(
        "named for nothing",
        &all_sources()
            .into_iter()
            .filter_map(drawer)
            .collect::<Vec<_>>(),
    );
}

#[test]
fn unsafe_has_rooms_with_doors() {
    // Written so that this file does not contain what it looks for.
    let door = concat!("#![allow(", "unsafe_code)]");
    let local_door = concat!("#[allow(", "unsafe_code)]");
    let mut wrong = Vec::new();
    for (name, text) in all_sources() {
        if text.contains(local_door) {
            wrong.push(format!("{name}: a door within a file"));
        }
        if text.contains(door) && name.contains("/src/") {
            let may = UNSAFE_ROOMS.contains(&name.as_str());
            let opening = text.lines().take(40);
            let mut opening = opening.map(|line| line.trim_start_matches(['/', '!', ' ']));
            let has_invariants = opening.any(|line| line.starts_with("1. "));
            if !may || !has_invariants {
                wrong.push(format!(
                    "{name}: no place for it, or does not open with numbered invariants"
                ));
            }
        }
    }
    complain("unsafe code", &wrong);
    let timers = read(&root().join("timers/src/lib.rs"));
    assert!(timers.contains(concat!("#![forbid(", "unsafe_code)]")));
}

#[test]
fn no_arrows_among_the_three() {
    for name in CRATES {
        let manifest = read(&root().join(name).join("Cargo.toml"));
        for other in CRATES {
            let package = format!("handrolled-{other}");
            let mut lines = manifest.lines().map(str::trim_start);
            let arrow = lines.find(|line| line.starts_with(&package) && other != name);
            assert_eq!(
                arrow, None,
                "{name} must not know {other}, not even in its tests"
            );
        }
        for (file, text) in sources(name) {
            for other in CRATES.into_iter().filter(|other| *other != name) {
                let code = text
                    .lines()
                    .filter(|line| !line.trim_start().starts_with("//"));
                let arrow = code
                    .filter(|line| line.trim_start().starts_with(&format!("use {other}::")))
                    .count();
                assert_eq!(arrow, 0, "{file} uses {other}");
            }
        }
    }
}

#[test]
fn the_top_level_is_what_it_should_be() {
    let expected = [
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "benches",
        "demos",
        "executor",
        "reactor",
        "timers",
    ];
    let entries = fs::read_dir(root()).expect("the root can be listed");
    let mut found: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("an entry can be read")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    found.retain(|name| !name.starts_with('.') && name != "target");
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn what_is_awaited_says_what_a_dropped_future_leaves() {
    let mut wrong = Vec::new();
    for (name, text) in CRATES
        .iter()
        .flat_map(|name| sources(&format!("{name}/src")))
    {
        for (item, doc) in documented(&text) {
            let awaited = item.starts_with("pub async fn ")
                || item.contains("-> impl Future")
                || item
                    .strip_prefix("pub struct ")
                    .and_then(|item| item.split(|c: char| !c.is_alphanumeric()).next())
                    .is_some_and(|item| text.contains(&format!("Future for {item}")));
            // That the *reactor* was dropped is another matter.
            let doc = doc.replace("the reactor has been dropped", "");
            if awaited && !["dropped", "ropping"].iter().any(|word| doc.contains(word)) {
                wrong.push(format!("{name}: {item}"));
            }
        }
    }
    complain(
        "its docs do not say what happens when it is dropped",
        &wrong,
    );
}

/// The lines that begin a public item, each with the doc comment above it.
fn documented(text: &str) -> Vec<(&str, String)> {
    let mut found = Vec::new();
    let mut doc = String::new();
    let mut in_attribute = false;
    for line in text.lines().map(str::trim_start) {
        if let Some(part) = line.strip_prefix("///") {
            doc.push_str(part);
        } else if line.starts_with("pub ") {
            found.push((line, std::mem::take(&mut doc)));
        } else if line.starts_with("#[") || in_attribute {
            in_attribute = !line.ends_with(']');
        } else {
            doc.clear();
        }
    }
    found
}

#[test]
fn files_named_in_readmes_exist() {
    let mut wrong = Vec::new();
    for folder in ["", "executor", "reactor", "timers", "demos", "benches"] {
        let folder = root().join(folder);
        let Ok(readme) = fs::read_to_string(folder.join("README.md")) else {
            continue;
        };
        for name in named_files(&readme) {
            let places = [
                folder.join(&name),
                folder.join("src").join(&name),
                root().join(&name),
            ];
            if !places.iter().any(|place| place.exists()) {
                wrong.push(format!("{}: {name}", folder.join("README.md").display()));
            }
        }
    }
    complain("named and not there", &wrong);
}

#[test]
fn an_evening_is_as_long_as_it_says() {
    let readme = read(&root().join("README.md"));
    let section = readme
        .split("\n## ")
        .find(|part| part.starts_with("An evening"));
    let section = section.expect("the README has an evening's reading");
    let rows: String = section
        .lines()
        .filter(|line| line.starts_with('|'))
        .collect();
    let lines = |file: &String| without_tests(&read(&root().join(file))).lines().count();
    let counted: usize = named_files(&rows).iter().map(lines).sum();
    let (before, _) = section
        .split_once(" lines with their comments")
        .expect("it says how long it is");
    let said = before.rsplit([' ', '\n']).next().unwrap_or_default();
    let said: usize = said.replace(',', "").parse().expect("it is a number");
    let apart = said.abs_diff(counted);
    assert!(apart * 20 < counted, "said {said} lines, counted {counted}");
}

/// Words in backquotes or link targets that look like a source file's path.
fn named_files(readme: &str) -> Vec<String> {
    let quoted = readme.split('`').skip(1).step_by(2);
    let linked = readme
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let is_file = |word: &&str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
        (word.ends_with(".rs") || word.ends_with(".md") || word.ends_with(".toml"))
            && word.chars().all(plain)
    };
    quoted
        .chain(linked)
        .filter(is_file)
        .map(|word| word.trim_start_matches("./").to_owned())
        .collect()
}

#[test]
fn the_checks_can_fail() {
    assert_eq!(
        functions("fn a() {\n    x\n}\nfn c()\nwhere\n    X;\n    fn b() {\n    }\n}\n"),
        [(1, 3), (7, 2)]
    );
    assert_eq!(
        named_files("see `src/a.rs`, `x.y()`, [this](./b.md) and `two words.rs`"),
        ["src/a.rs", "b.md"]
    );
    assert_eq!(without_tests("a\n#[cfg(test)]\nmod tests {"), "a\n");
    assert_eq!(
        documented(
            "/// A\n/// b.\n#[must_use]\npub struct C {\n    /// d\n    e: F,\n}\npub fn g() {"
        ),
        [
            ("pub struct C {", " A b.".to_owned()),
            ("pub fn g() {", String::new())
        ]
    );
}
