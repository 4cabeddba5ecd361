//! The program without a window: what it prints, how it ends, and what becomes of a screen that is not there.

use std::net::TcpListener;

use lenscast::filter;
use serde_json::{Value, json};

use crate::support::program::{Folder, Program, command, finish, frame_number};
use crate::support::studio::eventually;

#[test]
fn links_are_printed_and_both_signals_end_it_cleanly() {
    for signal in ["INT", "TERM"] {
        let mut program = Program::serve(None, &["--source", "pattern"]);
        let link = format!("  http://{}/#s={}", program.address, program.secret);
        assert_eq!(program.greeting[1], link);
        assert!(program.secret.len() >= 32);
        let stream = format!("MJPEG for other programs: http://any:{}@{}/stream", program.secret, program.address);
        assert_eq!(program.greeting[2], stream);
        // Somebody watches, and is no reason to stay.
        let mut stream = program.stream();
        stream.part();
        program.signal(signal);
        assert_eq!(program.ended().code(), Some(0), "{signal}");
        assert!(std::net::TcpStream::connect(program.address).is_err(), "the port is free again");
        assert_eq!(program.complaints(), "");
    }
}

#[test]
fn a_taken_port_ends_it_with_one_clear_sentence() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("it has an address").port().to_string();
    let folder = Folder::new();
    let (code, output, errors) =
        finish(command(&folder, None, &["serve", "--source", "pattern", "--port", port.as_str()]));
    assert_eq!((code, output.as_str()), (Some(1), ""));
    let last = errors.lines().last().unwrap_or_default();
    assert!(last.starts_with(&format!("lenscast: Port {port} is in use by another program")), "{errors}");
}

#[test]
fn mistakes_on_the_command_line_are_named_before_anything_starts() {
    let folder = Folder::new();
    for (arguments, expected) in [
        (&["serve", "--source", "nonsense"][..], "`nonsense` is not a source"),
        (&["serve", "--filter", "nonsense"], "there is no filter `nonsense`"),
        (&["serve", "--filter", "crop:depth=1"], "`crop` has no parameter `depth`"),
        (&["serve", "--chain", "/nonexistent/chain.json"], "the chain /nonexistent/chain.json can't be read"),
        (&["serve", "--fps", "0"], "--fps"),
    ] {
        let (code, output, errors) = finish(command(&folder, None, arguments));
        assert!(matches!(code, Some(1 | 2)), "{arguments:?}: {code:?}");
        assert_eq!(output, "", "{arguments:?}");
        assert!(errors.contains(expected), "{arguments:?}: {errors}");
    }
}

#[test]
fn the_list_has_every_filter_with_its_parameters_as_text_and_as_json() {
    let folder = Folder::new();
    let (code, text, errors) = finish(command(&folder, None, &["list"]));
    assert_eq!(code, Some(0), "{errors}");
    let (code, json, errors) = finish(command(&folder, None, &["list", "--json"]));
    assert_eq!(code, Some(0), "{errors}");
    let list: Value = serde_json::from_str(&json).expect("the list is JSON");
    assert!(list["sources"].as_array().expect("a list").iter().any(|source| source["id"] == "pattern"));
    // The filters that the program adds at its start are not known here.
    let all = list["filters"].as_array().expect("a list").iter();
    let listed: Vec<&Value> = all.filter(|filter| filter["class"] != "Added").collect();
    assert_eq!(listed.len(), filter::all().len());
    for (spec, listed) in filter::all().iter().zip(listed) {
        assert_eq!(listed["id"], spec.id);
        assert!(text.contains(&format!("\n  {} ", spec.id)), "{} is not in the text", spec.id);
        let params: Vec<&str> = spec.params.iter().map(|param| param.id).collect();
        assert_eq!(listed["params"].as_array().expect("a list").iter().map(|p| &p["id"]).collect::<Vec<_>>(), params);
        for param in params {
            assert!(text.contains(&format!("\n      {param} ")), "{param} of {} is not in the text", spec.id);
        }
    }
}

#[test]
fn the_test_pattern_stands_in_for_a_screen_that_is_not_there() {
    let program = Program::serve(Some(":9999"), &["--source", "screen"]);
    let mut stream = program.stream();
    let first = frame_number(&stream.part().0);
    eventually("the stream goes on", || frame_number(&stream.part().0) >= first + 5);
    eventually("it is said what is shown", || program.state()["source"]["id"] == "pattern");
    eventually("it is said why", || program.complaints().contains("the screen can't be captured"));
}

#[test]
fn a_chain_from_a_file_and_filters_of_the_command_line_run_in_their_order() {
    let folder = Folder::new();
    let path = folder.path().join("chain.json");
    let mut chain = filter::Chain::default();
    chain.add(filter::create("grayscale").expect("there is such a filter"));
    std::fs::write(&path, chain.to_json().to_string()).expect("the folder is the test's own");
    let path = path.to_str().expect("the folder's name is text");
    let program =
        Program::serve(None, &["--source", "pattern", "--chain", path, "--filter", "crop:left=0.5,bottom=0.25"]);
    let chain = program.ask("GET", "/api/v1/chain", "", "").json();
    let order: Vec<&Value> = chain["order"].as_array().expect("a list").iter().collect();
    let filters: Vec<&Value> =
        order.iter().map(|key| &chain["filters"][key.as_str().expect("keys are text")]["filter"]).collect();
    assert_eq!(filters, ["grayscale", "crop"]);
    let picture = program.snapshot();
    assert_eq!(picture.dimensions(), (640, 540));
    assert!(picture.pixels().all(|pixel| pixel.0.iter().all(|channel| channel.abs_diff(pixel[0]) <= 3)));
}

#[cfg(target_os = "linux")]
mod with_a_screen {
    use lenscast::geometry::Size;

    use super::*;
    use crate::support::xserver::{Deed, XServer};

    #[test]
    fn its_end_releases_a_button_that_a_viewer_holds() {
        let server = XServer::start(Size::new(320, 240));
        let desk = server.desk().cover([40; 3]);
        let mut program = Program::serve(Some(server.display()), &["--source", "screen", "--control"]);
        let mut stream = program.stream();
        stream.part();
        eventually("the geometry is known", || program.state()["geometry"]["epoch"].is_number());
        let epoch = program.state()["geometry"]["epoch"].clone();
        let down = json!({ "session": "a", "events": [
            { "kind": "down", "x": 0.5, "y": 0.5, "button": "left", "epoch": epoch, "seq": 0, "t": 1.0 }] });
        assert_eq!(program.ask("POST", "/api/v1/pointer", "", &down.to_string()).status, 204);
        let mut deeds = Vec::new();
        eventually("the button is pressed", || {
            deeds.extend(desk.seen());
            deeds.iter().any(|seen| seen.deed == Deed::Press(1) && seen.at == (160, 120))
        });
        program.signal("TERM");
        assert_eq!(program.ended().code(), Some(0));
        deeds.extend(desk.seen());
        assert_eq!(deeds.last().map(|seen| seen.deed), Some(Deed::Release(1)), "{deeds:?}");
    }

    #[test]
    fn a_screen_that_goes_away_in_the_middle_is_replaced_and_the_stream_goes_on() {
        let server = XServer::start(Size::new(320, 240));
        let mut program = Program::serve(Some(server.display()), &["--source", "screen", "--control"]);
        let mut stream = program.stream();
        stream.part();
        eventually("the screen is shown", || program.state()["picture"] == json!({ "width": 320, "height": 240 }));
        // The pointer's own connection to the screen breaks as well.
        let epoch = program.state()["geometry"]["epoch"].clone();
        let scroll = json!({ "session": "a", "events": [
            { "kind": "scroll", "x": 0.5, "y": 0.5, "dx": 0, "dy": 1, "epoch": epoch, "seq": 0, "t": 1.0 }] });
        let post = || program.ask("POST", "/api/v1/pointer", "", &scroll.to_string()).status;
        assert_eq!(post(), 204);
        eventually("the wheel is turned", || program.count("/pointer/injected") == 1);
        drop(server);
        eventually("the pattern stands in", || {
            stream.part();
            program.state()["source"]["id"] == "pattern"
        });
        assert_eq!(program.state()["geometry"]["pointer"], false);
        assert_eq!(post(), 204);
        let number = frame_number(&stream.part().0);
        eventually("the stream goes on", || frame_number(&stream.part().0) >= number + 5);
        assert!(program.runs());
    }
}

#[test]
fn explain_says_how_a_chain_is_compiled_and_what_it_costs() {
    let folder = Folder::new();
    let arguments = [
        "explain",
        "--size",
        "320x200",
        "--frames",
        "3",
        "--filter",
        "gamma:gamma=1.2",
        "--filter",
        "hue:degrees=30",
        "--filter",
        "invert:amount=0",
        "--filter",
        "crop:left=0.5",
        "--filter",
        "flip:horizontal=true",
        "--filter",
        "gaussian_blur:sigma=2",
        "--filter",
        "lut3d:path=/nowhere.cube",
    ];
    let (code, output, errors) = finish(command(&folder, None, &arguments));
    assert_eq!(code, Some(0), "{errors}");
    let lines: Vec<&str> = output.lines().collect();
    assert!(lines[0].starts_with("320x200 goes in, 160x200 comes out"), "{output}");
    assert!(
        lines[1].contains("one walk over the pixels: table, matrix") && lines[1].ends_with("Gamma, Hue"),
        "{output}"
    );
    assert!(lines[2].contains("one resampling for 2 movements"), "{output}");
    assert!(lines[3].contains("neighbourhood") && lines[3].contains(" ms "), "{output}");
    assert!(output.contains("Invert: changes nothing"), "{output}");
    assert!(output.contains("LUT file: /nowhere.cube can't be read"), "{output}");
    let (code, _, errors) = finish(command(&folder, None, &["explain", "--size", "0x7"]));
    assert_eq!(code, Some(2));
    assert!(errors.contains("1920x1080"), "{errors}");
}
