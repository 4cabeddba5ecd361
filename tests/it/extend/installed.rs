//! Programs as the user installs them: by path and by folder, with and without faults.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::{Value, json};

#[cfg(target_os = "linux")]
use super::processes_of;
use super::script;
use crate::support::program::{Folder, Program, command, example, finish, frame_number};
use crate::support::studio::eventually;

/// A white picture, to be seen turned black.
fn white(folder: &Folder) -> String {
    let path = folder.path().join("white.png");
    image::RgbImage::from_pixel(64, 64, image::Rgb([255; 3])).save(&path).expect("the folder is the test's own");
    format!("image:{}", path.display())
}

fn is_dark(program: &Program) -> bool {
    program.snapshot().get_pixel(32, 32).0.iter().all(|level| *level < 20)
}

#[test]
fn a_named_program_is_a_filter_like_any_other_and_what_it_does_wrong_stops_nothing() {
    let folder = Folder::new();
    let binary = folder.path().join("negative");
    std::fs::copy(example("external_filter"), &binary).expect("the folder is the test's own");
    let path = binary.to_str().expect("the folder's name is text").to_owned();
    let source = white(&folder);
    let mut program =
        Program::serve(None, &["--source", &source, "--filter-program", &path, "--filter", "negative_program"]);
    eventually("its picture is shown", || is_dark(&program));
    let mut stream = program.stream();
    let behave = |program: &Program, how: &str| {
        program.patch_chain(&json!({ "filters": { "1": { "params": { "behaviour": how } } } }))
    };
    behave(&program, "die");
    eventually("the picture goes on without it", || !is_dark(&program));
    let number = frame_number(&stream.part().0);
    eventually("the stream goes on", || frame_number(&stream.part().0) > number);
    eventually("the log says why", || {
        let log = program.complaints();
        log.contains("Negative (program)")
            && log.contains("ended by itself (exit status: 1); it is started again in 1 s")
    });
    assert!(program.complaints().contains("dying, as I was told"), "its last words are in the log");
    let chain = behave(&program, "good");
    assert_eq!(chain["filters"]["1"]["filter"], "negative_program", "nothing of the chain is lost");
    eventually("it is back", || is_dark(&program));
    program.signal("TERM");
    assert_eq!(program.ended().code(), Some(0));
    #[cfg(target_os = "linux")]
    assert_eq!(processes_of(&binary), Vec::<String>::new(), "nothing is left running");
}

#[test]
fn programs_in_the_folder_are_filters_and_a_broken_one_is_no_reason_to_lose_the_others() {
    let folder = Folder::new();
    let filters = folder.path().join("filters");
    std::fs::create_dir(&filters).expect("the folder is the test's own");
    let good = filters.join("negative");
    std::fs::copy(example("external_filter"), &good).expect("the folder is the test's own");
    std::fs::write(filters.join("README"), "not a program").expect("the folder is the test's own");
    script(&folder, "filters/broken", "#!/bin/sh\nexit 3\n");
    let unsafe_one = script(&folder, "filters/unsafe", "#!/bin/sh\nexit 4\n");
    std::fs::set_permissions(&unsafe_one, PermissionsExt::from_mode(0o777)).expect("the file is the test's own");
    let list = || {
        let (code, list, errors) = finish(command(&folder, None, &["list", "--json"]));
        assert_eq!(code, Some(0), "{errors}");
        (serde_json::from_str::<Value>(&list).expect("the list is JSON"), errors)
    };
    let (listed, errors) = list();
    let filters = listed["filters"].as_array().expect("a list");
    let added: Vec<&Value> = filters.iter().filter(|filter| filter["class"] == "Added").collect();
    // What the program brings itself is not one of them.
    let added: Vec<&Value> = added.into_iter().filter(|filter| filter["id"] != "model").collect();
    let ids: Vec<&Value> = added.iter().map(|filter| &filter["id"]).collect();
    assert_eq!(ids, ["negative_program"]);
    assert_eq!(added[0]["params"][0]["type"], "number");
    assert!(errors.contains("broken ended by itself (exit status: 3)"), "{errors}");
    assert!(errors.contains("unsafe can be changed by everybody"), "{errors}");
    assert!(!errors.contains("README"), "{errors}");
    // Two of the same id: the second is not used, and said so.
    std::fs::copy(&good, good.with_file_name("second")).expect("the folder is the test's own");
    let (_, errors) = list();
    assert!(errors.contains("there is a filter `negative_program` already"), "{errors}");
}

#[test]
fn a_named_program_that_can_not_be_used_ends_it_with_one_sentence() {
    let folder = Folder::new();
    let broken = script(&folder, "broken", "#!/bin/sh\necho nonsense\n");
    let broken = broken.to_str().expect("the folder's name is text");
    for (path, expected) in [
        (broken, "broken does not declare itself as it should: its first line is not JSON"),
        ("/nonexistent/filter", "the filter program /nonexistent/filter can't be found"),
    ] {
        for arguments in [&["serve", "--filter-program", path][..], &["--filter-program", path, "list"]] {
            let (code, output, errors) = finish(command(&folder, None, arguments));
            assert_eq!((code, output.as_str()), (Some(1), ""), "{arguments:?}");
            assert!(errors.contains(expected), "{arguments:?}: {errors}");
        }
    }
}

#[test]
fn a_viewer_can_not_have_a_program_started() {
    let folder = Folder::new();
    let mark = folder.path().join("started");
    let path = script(&folder, "intruder", &format!("#!/bin/sh\ntouch '{}'\n", mark.display()));
    let program = Program::serve(None, &["--source", "pattern"]);
    for id in [path.to_str().expect("the folder's name is text"), "../intruder", "/bin/sh", "intruder"] {
        let patch = json!({ "filters": { "new": { "filter": id } } }).to_string();
        let answer = program.ask("PATCH", "/api/v1/chain", "Content-Type: application/json\r\n", &patch);
        assert!((400..500).contains(&answer.status), "{id}: {}", answer.status);
    }
    program.snapshot();
    assert!(!mark.exists());
    // The script itself would have left its mark.
    assert!(Command::new(&path).status().is_ok_and(|status| status.success()) && mark.exists());
}
