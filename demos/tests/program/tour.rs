//! The tour, played.

use super::process::{Program, command, run};

#[test]
fn the_quick_one_overtakes_the_slow_one() {
    for arguments in [&[][..], &["tour"]] {
        let mut program = Program::spawn(command(arguments));
        program.end_input();
        let ended = program.finish();
        assert_eq!(
            (ended.status, ended.errors.as_str()),
            (Some(0), ""),
            "{ended:#?}"
        );
        let order = ["I1 ", "I2 ", "O2 ", "O1 ", "end:"].map(|start| ended.position(start));
        assert!(order.is_sorted(), "{ended:#?}");
        assert!(
            ended.output(2).contains("200, 23 bytes"),
            "{}",
            ended.output(2)
        );
        assert_eq!(
            ended.lines[ended.position("end:")],
            "end: 7 inputs, 6 done, 1 failed"
        );
    }
}

#[test]
fn a_visitor_may_leave_early() {
    let mut program = Program::start(&["tour"]);
    program.wait_for("I1 ");
    program.signal(rustix::process::Signal::INT);
    let ended = program.finish();
    // What was in flight had its answer within the grace.
    assert_eq!(ended.status, Some(0), "{ended:#?}");
    assert!(
        ended.lines.iter().any(|line| line == "  . closing: ctrl-c"),
        "{ended:#?}"
    );
    assert!(ended.output(1).contains("200, 23 bytes"), "{ended:#?}");
}

#[test]
fn the_command_line_explains_itself() {
    let help = run(&["--help"], "");
    assert_eq!(help.status, Some(0));
    assert!(
        help.lines
            .iter()
            .any(|line| line.starts_with("Exit status:"))
    );
    let wrong = run(&["run", "--grace", "5"], "");
    assert_eq!(wrong.status, Some(2));
    assert!(wrong.errors.contains("`5` has no unit"), "{}", wrong.errors);
    assert_eq!(run(&["dance"], "").status, Some(2));
}
