//! The controls of files and curves.

use super::*;

fn curve(window: &Harness<'static, Bench>, id: &str) -> String {
    match window.state().param(1, id) {
        ParamValue::Text(text) => text,
        other => panic!("{other:?} is no curve"),
    }
}

#[test]
fn a_curve_is_bent_with_the_keyboard_alone() {
    let mut window = window(with_filters(&["curves"]), Status::default());
    assert!(window.query_by_label("Curves: Red, point 1").is_none());
    window.get_by_label("Curves: Red").click();
    window.run();
    window.get_by_label("Curves: Red, point 1").focus();
    window.run();
    window.key_press(Key::ArrowUp);
    window.run();
    window.key_press(Key::ArrowUp);
    window.run();
    window.key_press_modifiers(Modifiers::SHIFT, Key::ArrowRight);
    window.run();
    assert_eq!(curve(&window, "red"), "0.1,0.02 1,1");
    assert_eq!(curve(&window, "blue"), "0,0 1,1");
    window.key_press(Key::Insert);
    window.run();
    assert_eq!(curve(&window, "red"), "0.1,0.02 0.55,0.51 1,1");
    window.get_by_label("Curves: Red, point 2").focus();
    window.run();
    window.key_press(Key::Delete);
    window.run();
    assert_eq!(curve(&window, "red"), "0.1,0.02 1,1");
    window.check_accessibility();
    window.get_by_label("Reset Curves: Red").click();
    window.run();
    assert_eq!(curve(&window, "red"), "0,0 1,1");
}

#[test]
fn a_curve_is_bent_with_the_mouse() {
    let mut window = window(with_filters(&["curves"]), Status::default());
    window.get_by_label("Curves: All channels").click();
    window.run();
    let [first, last] =
        [1, 2].map(|point| window.get_by_label(&format!("Curves: All channels, point {point}")).rect().center());
    let middle = first + (last - first) / 2.0;
    window.hover_at(middle);
    // Long enough for the plot's help to appear, which must not get in the way of the points.
    window.run_steps(4);
    click(&mut window, middle, egui::PointerButton::Primary, 2);
    let added = window.get_by_label("Curves: All channels, point 2").rect().center();
    assert!((added - middle).length() < 2.0, "{added} instead of {middle}");
    window.drag_at(added);
    window.run();
    window.hover_at(added - vec2(0.0, 30.0));
    window.run();
    window.drop_at(added - vec2(0.0, 30.0));
    window.run();
    let dragged = window.get_by_label("Curves: All channels, point 2").rect().center();
    assert!((dragged - (added - vec2(0.0, 30.0))).length() < 2.0, "{dragged}");
    click(&mut window, dragged, egui::PointerButton::Secondary, 1);
    assert_eq!(curve(&window, "master"), "0,0 1,1");
}

#[test]
fn a_filters_file_is_typed_chosen_or_dropped() {
    let folder = folder("lut");
    let mut window = window(with_filters(&["lut3d"]), Status::default());
    window.get_by_label("LUT file: File").focus();
    window.run();
    window.get_by_label("LUT file: File").type_text("/tmp/a look.cube");
    window.run();
    assert_eq!(window.state().param(1, "path"), ParamValue::Text(String::new()), "half a path is no path");
    window.key_press(Key::Enter);
    window.run();
    assert_eq!(window.state().param(1, "path"), ParamValue::Text("/tmp/a look.cube".to_owned()));

    window.get_by_label("Choose LUT file: File").click();
    window.run();
    let purpose = FilePurpose::FilterFile { key: 1, param: "path", extensions: "cube png" };
    assert_eq!(window.state_mut().left.pop(), Some(Action::File(FileJob::Browse(purpose))));

    let dropped = drop_file(&mut window, &folder, "Warm.CUBE", b"LUT_3D_SIZE 2");
    let expected = ParamValue::Text(dropped.display().to_string());
    eventually("the dropped file is used", || window.state().param(1, "path") == expected);
    std::fs::remove_dir_all(folder).unwrap();
}
