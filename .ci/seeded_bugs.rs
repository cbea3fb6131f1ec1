//! The tests are tested: known bugs are put into a crate, one at a time, and a named test must fail
//! for each. The three crates take this file in as a module of `tests/seeded_bugs.rs`; their bugs
//! stand beside that, in `tests/seeded_bugs.diff`:
//!
//! ```text
//! name_of_the_bug: what is wrong then
//! in tests/simulation.rs: the_test_that_has_to_fail
//! in src under loom: module::tests::another_that_has_to_fail
//! in tests/local.rs: one_that_does_not_end_then, for ever
//! --- src/file.rs
//!  a line as it is, to show the place
//! -a line as it is
//! +the line with the bug
//! ```
//!
//! It is a diff without line numbers: what the lines with a space and a minus say must stand in the
//! file exactly once. Bugs are parted by empty lines; lines with `#` are headings. The sources
//! themselves know nothing of this. A copy of the crate gets the bug, in a workspace of its own under
//! `target/`, so only the crate is built anew for each; without a bug the same tests pass there.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The crate that takes this file in.
const CRATE: &str = env!("CARGO_MANIFEST_DIR");
const LIST: &str = "tests/seeded_bugs.diff";

struct Bug {
    name: String,
    /// Each of them has to fail.
    tests: Vec<Test>,
    edits: Vec<Edit>,
}

struct Test {
    /// `src`, or a file in `tests/`.
    place: String,
    /// `loom` or `shuttle`.
    tool: Option<String>,
    name: String,
    /// It fails by not coming to an end.
    for_ever: bool,
}

#[derive(PartialEq)]
enum Outcome {
    Passed,
    Failed,
    StillRunning,
}

impl Test {
    fn is(&self, other: &Test) -> bool {
        (&self.place, &self.tool, &self.name) == (&other.place, &other.tool, &other.name)
    }

    /// How long it may run, if it runs so long without a bug. One that should fail has ample time,
    /// so that a busy machine does not pass for a bug that was found.
    fn patience(&self, usual: Duration) -> Duration {
        match self.for_ever {
            true => usual * 2 + Duration::from_secs(5),
            false => usual * 20 + Duration::from_secs(60),
        }
    }

    fn file_and_function(&self) -> (PathBuf, &str) {
        let folder = Path::new(CRATE).join(&self.place);
        match self.name.rsplit_once("::") {
            None => (folder, &self.name),
            Some((modules, function)) => {
                let file = modules.trim_end_matches("::tests").replace("::", "/");
                (folder.join(file + ".rs"), function)
            }
        }
    }
}

/// One place of one file.
#[derive(Default)]
struct Edit {
    file: String,
    before: String,
    after: String,
}

/// A bug that no longer fits is noticed at once, by whoever changes the line.
#[test]
fn every_bug_fits_the_sources() {
    for bug in bugs() {
        let files = bug.with_it(Path::new(CRATE));
        assert!(!files.is_empty(), "{}: changes nothing", bug.name);
        assert!(!bug.tests.is_empty(), "{}: no test is named", bug.name);
        for test in bug.tests {
            let (file, function) = test.file_and_function();
            let there = read(&file).contains(&format!("fn {function}("));
            assert!(there, "{}: no {function} in {}", bug.name, file.display());
        }
    }
}

#[test]
#[ignore = "builds the crate once for each bug: minutes"]
fn every_bug_is_caught() {
    let wanted = std::env::var("SEEDED_BUG").unwrap_or_default();
    let mut bugs = bugs();
    bugs.retain(|bug| bug.name.contains(&wanted));
    let copy = Copy::new();
    let mut sound: Vec<(&Test, Duration)> = Vec::new();
    for test in bugs.iter().flat_map(|bug| &bug.tests) {
        if !sound.iter().any(|(known, _)| known.is(test)) {
            let (outcome, took) = copy.run(test, Duration::MAX);
            let said = read(&copy.output);
            assert!(outcome == Outcome::Passed, "without a bug:\n{said}");
            sound.push((test, took));
        }
    }
    let mut missed = Vec::new();
    for bug in &bugs {
        let undo = copy.put_in(bug);
        for test in &bug.tests {
            let (_, usual) = sound.iter().find(|(known, _)| known.is(test)).unwrap();
            let (outcome, took) = copy.run(test, test.patience(*usual));
            let (caught, verdict) = match (outcome, test.for_ever) {
                (Outcome::Failed, false) => (true, "fails"),
                (Outcome::StillRunning, true) => (true, "does not end"),
                (Outcome::Failed, true) => (true, "fails, and needs no `for ever`"),
                (Outcome::StillRunning, false) => (false, "MISSED: does not end"),
                (Outcome::Passed, _) => (false, "MISSED: passes"),
            };
            let took = took.as_secs_f32();
            println!("{:40} {}: {verdict} ({took:.1} s)", bug.name, test.name);
            if !caught {
                missed.push(format!("{} by {}", bug.name, test.name));
            }
        }
        write_all(&undo);
    }
    println!("{} bugs, {} missed", bugs.len(), missed.len());
    assert!(missed.is_empty(), "missed: {missed:?}");
}

fn bugs() -> Vec<Bug> {
    let list = read(&Path::new(CRATE).join(LIST));
    let lines = list.lines().filter(|line| !line.starts_with('#'));
    let lines: Vec<&str> = lines.collect();
    let paragraphs = lines.split(|line| line.is_empty());
    let bugs = paragraphs.filter(|paragraph| !paragraph.is_empty());
    bugs.map(bug).collect()
}

fn bug(lines: &[&str]) -> Bug {
    let (name, _what) = lines[0].split_once(": ").expect(lines[0]);
    let mut bug = Bug {
        name: name.to_owned(),
        tests: Vec::new(),
        edits: Vec::new(),
    };
    for line in &lines[1..] {
        if let Some(test) = line.strip_prefix("in ") {
            let (place, name) = test.split_once(": ").expect(line);
            let (place, tool) = match place.split_once(" under ") {
                Some((place, tool)) => (place, Some(tool.to_owned())),
                None => (place, None),
            };
            let for_ever = name.strip_suffix(", for ever");
            bug.tests.push(Test {
                place: place.to_owned(),
                tool,
                name: for_ever.unwrap_or(name).to_owned(),
                for_ever: for_ever.is_some(),
            });
        } else if let Some(file) = line.strip_prefix("--- ") {
            bug.edits.push(Edit {
                file: file.to_owned(),
                ..Edit::default()
            });
        } else {
            let edit = bug.edits.last_mut().expect("a file is named first");
            let (sign, text) = line.split_at(1);
            if sign != "+" {
                edit.before += &format!("{text}\n");
            }
            if sign != "-" {
                edit.after += &format!("{text}\n");
            }
            assert!(" -+".contains(sign), "{name}: what is this? {line}");
        }
    }
    bug
}

impl Bug {
    /// The files it changes, with the bug in them.
    fn with_it(&self, folder: &Path) -> Vec<(PathBuf, String)> {
        let mut files: Vec<(PathBuf, String)> = Vec::new();
        for edit in &self.edits {
            let path = folder.join(&edit.file);
            if !files.iter().any(|(known, _)| *known == path) {
                let text = format!("\n{}", read(&path)); // so that each line begins with its end
                files.push((path.clone(), text));
            }
            let (_, text) = files.iter_mut().find(|(known, _)| *known == path).unwrap();
            let (before, after) = (format!("\n{}", edit.before), format!("\n{}", edit.after));
            let found = text.matches(&before).count();
            assert_eq!(
                found, 1,
                "the bug {} of {LIST} no longer fits: its lines must stand in {} exactly once",
                self.name, edit.file
            );
            *text = text.replacen(&before, &after, 1);
        }
        for (_, text) in &mut files {
            text.remove(0);
        }
        files
    }
}

/// A copy of the crate in a workspace of its own.
struct Copy {
    folder: PathBuf,
    /// What is built of it, and of what all three depend on.
    built: PathBuf,
    /// What the last test said.
    output: PathBuf,
}

impl Copy {
    fn new() -> Copy {
        let name = Path::new(CRATE).file_name().expect("a crate's folder");
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("seeded_bugs");
        let workspace = place.join("alone").join(name); // so that each crate can be at work
        let folder = workspace.join(name);
        fs::create_dir_all(&folder).expect("a folder can be made under target/");
        for part in ["Cargo.toml", "README.md", "src", "tests", "examples"] {
            let from = Path::new(CRATE).join(part);
            if from.exists() {
                mirror(&from, &folder.join(part));
            }
        }
        let root = Path::new(CRATE).parent().expect("a workspace");
        let manifest = read(&root.join("Cargo.toml"));
        let inherited = manifest.find("[workspace.package]").expect("the rest");
        let members = format!("[workspace]\nresolver = \"3\"\nmembers = [{name:?}]\n\n");
        write_all(&[
            (
                workspace.join("Cargo.toml"),
                members + &manifest[inherited..],
            ),
            (workspace.join("Cargo.lock"), read(&root.join("Cargo.lock"))),
        ]);
        let built = place.join("target");
        let output = workspace.join("output");
        Copy {
            folder,
            built,
            output,
        }
    }

    /// Returns what undoes it.
    fn put_in(&self, bug: &Bug) -> Vec<(PathBuf, String)> {
        let files = bug.with_it(&self.folder);
        let undo = files.iter().map(|(path, _)| (path.clone(), read(path)));
        let undo = undo.collect();
        write_all(&files);
        undo
    }

    /// Builds a test and runs it: what came of it, and how long it ran.
    fn run(&self, test: &Test, patience: Duration) -> (Outcome, Duration) {
        let program = self.build(test);
        let mut list = Command::new(&program);
        list.args(["--list", "--exact", &test.name]);
        let list = list.output().expect("a test program starts").stdout;
        let there = String::from_utf8_lossy(&list).contains(&format!("{}: test", test.name));
        assert!(there, "there is no test {} in {}", test.name, test.place);
        let mut run = Command::new(&program);
        run.args(["--exact", &test.name]).current_dir(&self.folder);
        run.env("RUST_BACKTRACE", "0")
            .env("LOOM_MAX_PREEMPTIONS", "2");
        let output = File::create(&self.output).expect("a file can be made under target/");
        let errors = output.try_clone().expect("a file has two handles");
        run.stdin(Stdio::null()).stdout(output).stderr(errors);
        let mut run = run.spawn().expect("a test program starts");
        let begun = Instant::now();
        while begun.elapsed() < patience {
            if let Some(status) = run.try_wait().expect("it is a child") {
                let outcome = match status.success() {
                    true => Outcome::Passed,
                    false => Outcome::Failed,
                };
                return (outcome, begun.elapsed());
            }
            thread::sleep(Duration::from_millis(5));
        }
        run.kill().expect("it is a child");
        run.wait().expect("it is a child");
        (Outcome::StillRunning, begun.elapsed())
    }

    fn build(&self, test: &Test) -> PathBuf {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["test", "--no-run", "--message-format", "json"]);
        match Path::new(&test.place).file_stem() {
            Some(stem) if test.place != "src" => cargo.arg("--test").arg(stem),
            _ => cargo.arg("--lib"),
        };
        let kind = test.tool.as_deref().unwrap_or("plain");
        match test.tool {
            Some(_) => cargo
                .arg("--release")
                .env("RUSTFLAGS", format!("--cfg {kind}")),
            None => cargo.env_remove("RUSTFLAGS"),
        };
        cargo
            .env("CARGO_TARGET_DIR", self.built.join(kind))
            .env("CARGO_INCREMENTAL", "1")
            .env("CARGO_PROFILE_DEV_DEBUG", "false")
            .env("CARGO_PROFILE_RELEASE_DEBUG", "false")
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
        let built = cargo
            .current_dir(&self.folder)
            .output()
            .expect("cargo starts");
        let messages = String::from_utf8_lossy(&built.stdout);
        let program = messages.rsplit_once("\"executable\":\"");
        let program = program.and_then(|(_, after)| after.split_once('"'));
        let Some((program, _)) = program.filter(|_| built.status.success()) else {
            panic!("no program:\n{}", String::from_utf8_lossy(&built.stderr));
        };
        PathBuf::from(program)
    }
}

/// Makes `to` a copy of `from`. What is the same already is not touched, so cargo sees what changed.
fn mirror(from: &Path, to: &Path) {
    if from.is_file() {
        return write_all(&[(to.to_owned(), read(from))]);
    }
    fs::create_dir_all(to).expect("a folder can be made under target/");
    for gone in names(to).difference(&names(from)) {
        let path = to.join(gone);
        let removed = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
        removed.expect("what is ours can be removed");
    }
    for name in names(from) {
        mirror(&from.join(&name), &to.join(&name));
    }
}

fn names(folder: &Path) -> BTreeSet<OsString> {
    let entries = fs::read_dir(folder).expect("a folder can be read");
    entries.map(|entry| entry.unwrap().file_name()).collect()
}

fn write_all(files: &[(PathBuf, String)]) {
    for (path, text) in files {
        if fs::read(path).ok().as_deref() != Some(text.as_bytes()) {
            fs::write(path, text).expect("a file can be written under target/");
        }
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
