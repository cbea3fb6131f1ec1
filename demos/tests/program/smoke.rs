//! Every subcommand is run, and every binary of the workspace.

use std::fs;
use std::path::Path;

use super::process::run;
use super::server::Server;

/// What `event-loop` can be told to do, and what comes of it.
const SUBCOMMANDS: [(&str, fn()); 6] = [
    ("tour", || {
        assert!(run(&["tour"], "").lines.len() > 10);
    }),
    ("run", || {
        let ended = run(&["run"], "sleep 1ms\n");
        assert!(ended.lines.iter().any(|line| line.starts_with("O1 ")));
    }),
    ("serve", || {
        assert!(Server::start(&[]).get("/healthz").contains("200 OK"));
    }),
    ("trace", || {
        let folder = env!("CARGO_TARGET_TMPDIR");
        let file = format!("{folder}/smoke-{}.trace", std::process::id());
        let recorded = run(&["run", "--record", &file], "sleep 1ms\n");
        assert_eq!(recorded.status, Some(0), "{recorded:?}");
        let told = run(&["trace", &file, "--kind", "output"], "");
        fs::remove_file(&file).expect("it was recorded");
        assert!(
            told.lines.iter().any(|line| line.contains("O1")),
            "{told:?}"
        );
    }),
    ("lessons", || {
        let folder = env!("CARGO_TARGET_TMPDIR");
        let page = format!("{folder}/smoke-{}.html", std::process::id());
        let played = run(&["lessons", &page], "");
        assert_eq!(played.status, Some(0), "{played:?}");
        let size = fs::metadata(&page).expect("it was written").len();
        fs::remove_file(&page).expect("it is ours");
        assert!(size > 10_000, "{size} bytes");
    }),
    ("help", || {
        assert!(
            run(&["help"], "")
                .lines
                .iter()
                .any(|line| line == "Commands:")
        );
    }),
];

#[test]
fn every_subcommand_is_run() {
    let help = run(&["--help"], "");
    let commands = help.lines.iter().skip_while(|line| *line != "Commands:");
    let commands = commands.skip(1).take_while(|line| !line.is_empty());
    let names: Vec<_> = commands
        .map(|line| line.split_whitespace().next().expect("a name"))
        .collect();
    assert_eq!(names, SUBCOMMANDS.map(|(name, _)| name));
    for (_, test) in SUBCOMMANDS {
        test();
    }
}

/// Each binary of the workspace, and the file that has it run (the report by its functions: the page
/// they make is compared with the page that is there).
const BINARIES: [(&str, &str); 4] = [
    ("benches/src/bin/compare.rs", "benches/tests/smoke.rs"),
    ("benches/src/bin/instructions.rs", ".ci/run"),
    ("benches/src/bin/report.rs", "benches/tests/report.rs"),
    (
        "demos/src/bin/event-loop.rs",
        "demos/tests/program/process.rs",
    ),
];

#[test]
fn every_binary_is_run() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    for package in ["benches", "demos", "executor", "reactor", "timers"] {
        let Ok(folder) = fs::read_dir(root.join(package).join("src/bin")) else {
            continue;
        };
        for entry in folder {
            let name = entry.expect("an entry").file_name();
            found.push(format!("{package}/src/bin/{}", name.to_string_lossy()));
        }
    }
    found.sort();
    assert_eq!(found, BINARIES.map(|(binary, _)| binary));
    for (binary, runs) in BINARIES {
        let name = Path::new(binary).file_stem().expect("a name");
        let name = name.to_string_lossy();
        let text = fs::read_to_string(root.join(runs)).expect("a file");
        let ways = [format!("CARGO_BIN_EXE_{name}"), format!("--bin {name}")];
        assert!(
            ways.iter().any(|way| text.contains(way)),
            "{name} is not run by {runs}"
        );
    }
}
