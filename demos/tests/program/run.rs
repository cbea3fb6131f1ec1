//! Inputs of every kind, from every place they can come from.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Stdio;

use super::process::{Program, Scratch, command, on_threads, run};

#[test]
fn outputs_come_in_order_of_readiness() {
    let ended = run(
        &["run"],
        "sleep 300ms\nsleep 100ms\nread Cargo.toml\nquery select 1\n",
    );
    assert_eq!(
        (ended.status, ended.errors.as_str()),
        (Some(0), ""),
        "{ended:#?}"
    );
    let place = |number| ended.outputs().iter().position(|&output| output == number);
    assert!(place(2) < place(1), "{ended:#?}");
    assert!(place(3).is_some() && place(4).is_some(), "{ended:#?}");
    assert_eq!(
        ended.lines.last().map(String::as_str),
        Some("end: 4 inputs, 4 done")
    );
    for number in 1..=4 {
        let (input, output) = (format!("I{number} "), format!("O{number} "));
        assert!(
            ended.position(&input) < ended.position(&output),
            "{ended:#?}"
        );
    }
}

#[test]
fn a_thousand_sleeps_need_no_thread() {
    let mut program = Program::start(&["run"]);
    program.write("sleep 1s\n".repeat(1000));
    program.wait_for("I1000 ");
    let tasks = std::fs::read_dir(format!("/proc/{}/task", program.id())).expect("Linux");
    let threads = tasks.count();
    program.end_input();
    let ended = program.finish();
    assert_eq!(ended.status, Some(0));
    // The loop's, and the one that writes standard output.
    let expected = if on_threads() { 1 + 3 + 1 } else { 2 };
    assert!(threads <= expected, "{threads} threads");
    let mut outputs = ended.outputs();
    if on_threads() {
        outputs.sort_unstable(); // several threads promise no order among equals
    }
    assert_eq!(
        outputs,
        (1..=1000).collect::<Vec<_>>(),
        "equal sleeps end in order"
    );
}

#[test]
fn a_line_is_a_line_however_it_arrives() {
    let mut program = Program::start(&["run"]);
    for piece in [
        "sle",
        "ep 1ms\r",
        "\nread Carg",
        "o.toml\nque",
        "ry select 'ä",
        "€'",
    ] {
        program.write(piece);
        std::thread::sleep(std::time::Duration::from_millis(20)); // let it be read alone
    }
    program.end_input();
    let ended = program.finish();
    assert_eq!(ended.status, Some(0), "{ended:#?}");
    assert_eq!(
        ended
            .lines
            .iter()
            .filter(|line| line.starts_with('I'))
            .count(),
        3
    );
    assert!(
        ended.lines.iter().any(|line| line == "    | ä€"),
        "{ended:#?}"
    );
}

#[test]
fn a_regular_file_as_input() {
    let file = Scratch::new(
        "lines",
        "# a comment takes no number\nsleep 1ms\nquery select 7",
    );
    let mut as_stdin = command(&["run"]);
    as_stdin.stdin(Stdio::from(File::open(&file.0).expect("it was just made")));
    for ended in [
        Program::spawn(as_stdin).finish(),
        run(&["run", "--input", file.path()], "ignored\n"),
    ] {
        assert_eq!(ended.status, Some(0), "{ended:#?}");
        assert_eq!(
            ended.lines.last().map(String::as_str),
            Some("end: 2 inputs, 2 done")
        );
    }
}

#[test]
fn places_that_hold_nothing_or_no_lines() {
    let mut nothing = command(&["run"]);
    nothing.stdin(Stdio::null());
    let ended = Program::spawn(nothing).finish();
    assert_eq!(
        (ended.status, ended.lines.as_slice()),
        (Some(0), &["end: 0 inputs, 0 done".to_owned()][..])
    );
    let mut folder = command(&["run"]);
    folder.stdin(Stdio::from(File::open("/").expect("there is a root")));
    let ended = Program::spawn(folder).finish();
    assert_eq!(ended.status, Some(2), "{ended:#?}");
    assert!(
        ended.errors.contains("the input broke off: Is a directory"),
        "{ended:#?}"
    );
    let ended = run(&["run", "--input", "no/such/file"], "");
    assert_eq!(ended.status, Some(2), "{ended:#?}");
    assert!(
        ended.errors.contains("--input no/such/file: No such file"),
        "{ended:#?}"
    );
}

#[test]
fn json_is_one_object_a_line() {
    let ended = run(
        &["run", "--json", "--trace"],
        "read Cargo.toml\nquery select 1.5 as x\nsleep\n",
    );
    assert_eq!(ended.status, Some(1));
    let parse = |line: &String| serde_json::from_str::<serde_json::Value>(line).expect("JSON");
    let records: Vec<serde_json::Value> = ended.lines.iter().map(parse).collect();
    let output = |number: u64| {
        let is_it =
            |record: &&serde_json::Value| record["event"] == "output" && record["number"] == number;
        records
            .iter()
            .find(is_it)
            .expect("each input has an output")
    };
    let manifest =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).expect("ours");
    assert_eq!(output(1)["text"], manifest.as_str());
    assert_eq!(output(2)["rows"], serde_json::json!([[1.5]]));
    assert_eq!(output(3)["status"], "error");
    assert!(
        records
            .iter()
            .any(|record| record["step"] == "I1 available, sent for processing")
    );
    assert_eq!(records.last().expect("an end")["failed"], 1);
}

#[test]
fn the_trace_tells_each_step_in_order() {
    let ended = run(&["run", "--trace"], "sleep 200ms\nsleep 1ms\n");
    let steps = [
        "  . checking for input",
        "  . I1 available, sent for processing",
        "  . I2 available, sent for processing",
        "  . O2 ready, sent for display",
        "  . O1 ready, sent for display",
    ];
    assert!(
        steps.map(|step| ended.position(step)).is_sorted(),
        "{ended:#?}"
    );
    assert!(
        ended.lines.len() < 40,
        "the loop turns without need: {ended:#?}"
    );
}

#[test]
fn a_seed_is_a_run_and_sleeps_take_no_time() {
    let lines: String = (1..=50)
        .map(|i| format!("sleep {}d\n", 1 + i * 7 % 5))
        .collect();
    let file = Scratch::new("seeded", lines + "dance\n");
    let play = |seed| {
        run(
            &["run", "--trace", "--input", file.path(), "--seed", seed],
            "",
        )
    };
    let (first, second) = (play("1"), play("1"));
    assert_eq!(
        (first.status, first.outputs().len()),
        (Some(1), 51),
        "{first:#?}"
    );
    assert_eq!(first.lines, second.lines);
    assert!(
        ["2", "3", "4"]
            .iter()
            .any(|seed| play(seed).outputs() != first.outputs())
    );
}

#[test]
fn at_the_limit_the_next_line_waits() {
    let ended = run(
        &["run", "--limit", "1"],
        "sleep 60ms\nsleep 1ms\nbad\nsleep 1ms\n",
    );
    assert_eq!(ended.outputs(), [1, 2, 3, 4], "{ended:#?}");
    assert!(ended.position("O1 ") < ended.position("I2 "), "{ended:#?}");
}

#[test]
fn a_page_from_a_server_that_is_not_ours() {
    let server = TcpListener::bind("127.0.0.1:0").expect("the loop-back interface");
    let address = server.local_addr().expect("it is bound");
    std::thread::spawn(move || {
        for stream in server.incoming() {
            let mut stream = stream.expect("a client");
            let mut request = [0; 1024];
            let length = stream.read(&mut request).expect("a request");
            let request = String::from_utf8_lossy(&request[..length]).into_owned();
            let answer = match request.split(' ').nth(1).expect("a path") {
                "/hello?x" => "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
                "/unsized" => "HTTP/1.1 200 OK\r\n\r\nuntil the end",
                "/moved" => {
                    "HTTP/1.1 301 Moved\r\nlocation: http://elsewhere/\r\ncontent-length: 0\r\n\r\n"
                }
                "/big" => "HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\nx",
                "/cut" => "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nonly this",
                "/odd" => "220 mail.example ESMTP\r\n",
                "/bytes" => "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc\x1bd",
                _ => "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
            };
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    let paths = [
        "/hello?x#part",
        "/unsized",
        "/moved",
        "/big",
        "/cut",
        "/odd",
        "/bytes",
        "/none",
    ];
    let lines: Vec<String> = paths
        .iter()
        .map(|path| format!("get http://{address}{path}\n"))
        .collect();
    let ended = run(&["run", "--max-content", "1KiB"], lines.concat());
    assert_eq!(ended.status, Some(1));
    for (number, words) in [
        (1, ": 200, 5 bytes, 1 line"),
        (2, ": 200, 13 bytes, 1 line"),
        (
            3,
            "HTTP 301 Moved Permanently: it is at http://elsewhere/ now",
        ),
        (4, "the page has more than the limit of 1,024 bytes"),
        (5, "does not speak HTTP as it should"),
        (6, "does not speak HTTP as it should"),
        (7, ": 200, 5 bytes, 1 line"),
        (8, "HTTP 404 Not Found"),
    ] {
        assert!(ended.output(number).contains(words), "{number}: {ended:#?}");
    }
    assert!(
        ended.lines.iter().any(|line| line == "    | abc\\u{1b}d"),
        "{ended:#?}"
    );
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("the loop-back interface");
    let address = silent.local_addr().expect("it is bound");
    let endless = "query with recursive n(i) as (select 1 union all select i + 1 from n) \
                   select max(i) from n";
    let ended = run(
        &["run", "--timeout", "200ms"],
        format!("get http://{address}/\n{endless}\nsleep 1ms\n"),
    );
    assert_eq!(ended.status, Some(1));
    assert_eq!(ended.outputs()[0], 3, "{ended:#?}");
    for number in [1, 2] {
        assert!(
            ended
                .output(number)
                .ends_with("gave up after 200ms (--timeout)"),
            "{ended:#?}"
        );
    }
}

#[test]
fn a_database_of_ones_own() {
    let file = Scratch::new("stars.db", "");
    let connection = rusqlite::Connection::open(&file.0).expect("a new database");
    connection
        .execute_batch("create table stars(name); insert into stars values ('Sol'), ('Vega');")
        .expect("SQL");
    drop(connection);
    let ended = run(
        &["run", "--database", file.path()],
        "query select name from stars order by 1\nquery delete from stars\n",
    );
    assert!(ended.output(1).ends_with("2 rows"), "{ended:#?}");
    assert!(
        ended.output(2).contains("queries here only read"),
        "{ended:#?}"
    );
    let missing = run(&["run", "--database", "no/such.db"], "");
    assert_eq!(missing.status, Some(2));
    assert!(
        missing.errors.contains("--database no/such.db: "),
        "{missing:#?}"
    );
}

#[test]
fn a_slow_query_does_not_hold_up_a_quick_one() {
    let slow = "query with recursive n(i) as \
                (select 1 union all select i + 1 from n where i < 2000000) select sum(i) from n";
    let ended = run(&["run"], format!("{slow}\nquery select 1\n"));
    assert_eq!(
        (ended.status, ended.outputs()),
        (Some(0), vec![2, 1]),
        "{ended:#?}"
    );
}
