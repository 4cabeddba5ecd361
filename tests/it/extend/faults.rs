//! Programs that fail: the picture goes on without them, one sentence says why, and they come back.

use std::time::Duration;

use lenscast::extend::{Limits, Program};

use super::{Bench, GRAY, limits, script};
use crate::support::program::{Folder, example};
use crate::support::studio::eventually;

/// Fails as it is told, is bypassed with a sentence, and works again when it behaves.
fn fails_and_comes_back(how: &str, limits: Limits, expected: &str) {
    let mut bench = Bench::with(example("external_filter"), limits);
    bench.turns_negative();
    bench.behave(how);
    eventually("it is said what is wrong", || {
        bench.color();
        bench.complaint().is_some_and(|complaint| complaint.contains(expected))
    });
    eventually("the picture goes on without it", || bench.color() == GRAY);
    assert!(bench.complaint().is_some());
    bench.behave("good");
    bench.turns_negative();
    assert_eq!(bench.complaint(), None);
}

#[test]
fn one_that_dies_is_started_again() {
    fails_and_comes_back("die", limits(), "it ended by itself (exit status: 1)");
}

#[test]
fn one_that_prints_garbage_is_started_again() {
    fails_and_comes_back("garbage", limits(), "wrote `debug: a line that somebody forg`");
}

#[test]
fn one_that_answers_with_another_size_is_started_again() {
    fails_and_comes_back("wrong_size", limits(), "wrote a picture of 65x32 for one of 64x32");
}

#[test]
fn one_that_hangs_is_ended_and_started_again() {
    let answer = Duration::from_millis(1_500);
    fails_and_comes_back("hang", Limits { answer, ..limits() }, "did not answer within 1.5 s and was ended");
}

#[test]
fn one_that_is_slow_is_bypassed_until_it_is_faster() {
    fails_and_comes_back("slow", limits(), "it is too slow (");
}

#[test]
fn much_talk_on_its_error_output_stops_nothing() {
    let mut bench = Bench::good();
    bench.behave("chatter");
    for _ in 0..3 {
        bench.turns_negative();
    }
    assert_eq!(bench.complaint(), None);
}

#[test]
fn one_that_fails_again_and_again_is_given_up_until_something_is_changed() {
    let mut bench = Bench::with(example("external_filter"), Limits { pause: Duration::from_millis(1), ..limits() });
    bench.behave("die");
    eventually("it is given up", || {
        bench.color();
        bench.complaint().is_some_and(|complaint| complaint.contains("was given up; the picture is shown without it"))
    });
    assert_eq!(bench.color(), GRAY);
    assert!(!bench.stage.goes_on(), "a picture that stands still may rest");
    bench.behave("good");
    bench.turns_negative();
}

#[test]
fn what_is_no_filter_program_is_named_in_a_sentence() {
    let folder = Folder::new();
    let hurry = || Limits { declaration: Duration::from_secs(1), ..limits() };
    for (name, text, expected) in [
        (
            "words",
            "#!/bin/sh\necho Hello\nsleep 100\n",
            "does not declare itself as it should: its first line is not JSON",
        ),
        ("silent", "#!/bin/sh\nsleep 100\n", "did not declare itself within 1 s"),
        ("dead", "#!/bin/sh\nexit 7\n", "ended by itself (exit status: 7)"),
        ("endless", "#!/bin/sh\nwhile :; do printf '%01000d' 0; done\n", "writes a first line of more than 64 KiB"),
        ("later", "#!/bin/sh\necho '{ \"lenscast\": 2 }'\n", "`lenscast` has to be 1"),
        ("nobody", "#!/nonexistent\n", "can't be started"),
    ] {
        let fault = Program::open(script(&folder, name, text), hurry()).expect_err(name).to_string();
        assert!(fault.contains(expected), "{name}: {fault}");
    }
}

#[test]
fn one_that_declares_something_else_later_is_left_out() {
    let folder = Folder::new();
    let declaration = "{ \\\"lenscast\\\": 1, \\\"id\\\": \\\"other\\\", \\\"label\\\": \\\"$$\\\" }";
    let mut bench =
        Bench::with(script(&folder, "other", &format!("#!/bin/sh\necho \"{declaration}\"\ncat\n")), limits());
    eventually("it is said what is wrong", || {
        bench.color();
        bench.complaint().is_some_and(|complaint| complaint.contains("declares something else than when"))
    });
    assert_eq!(bench.color(), GRAY);
}
