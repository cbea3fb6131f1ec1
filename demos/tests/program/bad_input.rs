//! Whatever comes in, the loop goes on; and what was wrong is said.

use super::process::{Scratch, run};

#[test]
fn each_bad_line_has_its_error_and_the_loop_goes_on() {
    let folder = std::env::temp_dir();
    let bytes = Scratch::new("bytes", b"no \xff text");
    let cases = [
        ("dance".to_owned(), "`dance` is not a word I know"),
        ("slep 1s".to_owned(), "did you mean `sleep`?"),
        (String::new(), "the line is empty"),
        ("sleep".to_owned(), "`sleep` needs something behind it"),
        (
            "sleep soon".to_owned(),
            "`soon` does not begin with a number",
        ),
        ("sleep 5".to_owned(), "`5` has no unit"),
        ("sleep -1s".to_owned(), "is below zero"),
        (
            "sleep 99999999999999999999999999d".to_owned(),
            "more than the limit of 365d",
        ),
        ("sleep 366d".to_owned(), "more than the limit of 365d"),
        ("read".to_owned(), "`read` needs something behind it"),
        (
            "read no/such/file".to_owned(),
            "there is no file `no/such/file`",
        ),
        (
            format!("read {}", folder.display()),
            "is a directory, not a file",
        ),
        (
            format!("read {}", bytes.path()),
            "is not UTF-8 text (from byte 3 on)",
        ),
        ("read /dev/zero".to_owned(), "is a device, not a file"),
        ("query".to_owned(), "`query` needs something behind it"),
        ("query selec 1".to_owned(), "syntax error"),
        (
            "query drop table planets".to_owned(),
            "queries here only read",
        ),
        ("get".to_owned(), "`get` needs something behind it"),
        (
            "get http://127.0.0.1:1/".to_owned(),
            "nobody listens at 127.0.0.1 port 1 (connection refused)",
        ),
        (
            "get http://no-such-host.invalid/".to_owned(),
            "the host `no-such-host.invalid` is not known",
        ),
        (
            "get https://127.0.0.1/".to_owned(),
            "needs TLS, which this program leaves out",
        ),
        ("get ftp://h/".to_owned(), "is not a http:// URL"),
        ("get http://".to_owned(), "is not a URL"),
        ("get example.org".to_owned(), "does not begin with http://"),
        ("stop it".to_owned(), "`stop` stands alone"),
        ("sleep 1ms".to_owned(), "slept"),
    ];
    let input: String = cases
        .iter()
        .map(|(line, _)| format!("{line}\r\n"))
        .collect();
    let ended = run(&["run"], input);
    assert_eq!(
        (ended.status, ended.errors.as_str()),
        (Some(1), ""),
        "{ended:#?}"
    );
    for (number, (line, words)) in (1..).zip(&cases) {
        let output = ended.output(number);
        assert!(output.contains(words), "{line}: {output}");
        assert_eq!(output.contains(": error: "), *words != "slept", "{output}");
    }
    let failed = cases.len() - 1;
    assert_eq!(
        ended.lines.last(),
        Some(&format!(
            "end: {} inputs, 1 done, {failed} failed",
            cases.len()
        ))
    );
}

#[test]
fn a_file_that_may_not_be_read() {
    use std::os::unix::fs::PermissionsExt;
    let file = Scratch::new("secret", "text");
    std::fs::set_permissions(&file.0, std::fs::Permissions::from_mode(0o0)).expect("it is ours");
    let ended = run(&["run"], format!("read {}\n", file.path()));
    // Root may read everything, so for root there is nothing to see here.
    let root = rustix::process::geteuid().is_root();
    let words = if root {
        "4 bytes, 1 line"
    } else {
        "may not be read by this user"
    };
    assert!(ended.output(1).contains(words), "{ended:#?}");
}

#[test]
fn bytes_that_are_no_text_spoil_one_line_only() {
    let ended = run(&["run"], b"sleep 1ms\nread \xff\xfe\nsleep 2ms\n");
    assert_eq!(ended.status, Some(1));
    assert!(
        ended
            .output(2)
            .contains("the line is not UTF-8 text (from byte 5 on)"),
        "{ended:#?}"
    );
    assert_eq!(
        ended.lines.last().map(String::as_str),
        Some("end: 3 inputs, 2 done, 1 failed")
    );
}

#[test]
fn a_line_over_the_limit_is_refused_and_the_next_is_whole() {
    let mut input = b"query select '".to_vec();
    input.resize(5_000_000, b'x');
    input.extend_from_slice(b"'\nsleep 1ms\n");
    let ended = run(&["run"], &input);
    assert_eq!(ended.status, Some(1));
    let words = "the line has 5,000,001 bytes, more than the limit of 65,536 (--max-line)";
    assert!(ended.output(1).contains(words), "{ended:#?}");
    assert!(ended.output(2).ends_with("slept"), "{ended:#?}");
    let exact = run(&["run", "--max-line", "9B"], "sleep 1ms\nsleep 10ms\n");
    assert!(exact.output(1).ends_with("slept"), "{exact:#?}");
    assert!(
        exact.output(2).contains("the line has 10 bytes"),
        "{exact:#?}"
    );
}

#[test]
fn nothing_a_line_holds_reaches_the_terminal_as_a_command() {
    let ended = run(
        &["run"],
        "\x1b]0;title\x07\nread \x1b[2J\nquery select char(27) || '[2J'\n",
    );
    let obeyed = |line: &&String| line.chars().any(char::is_control);
    assert_eq!(ended.lines.iter().find(obeyed), None);
    assert_eq!(ended.outputs().len(), 3);
}
