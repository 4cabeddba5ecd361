//! The rest of the network in the window: the UDP port, other names and servers.

use super::*;

#[test]
fn the_udp_port_other_names_and_a_server_are_set_together_and_mistakes_are_told_before() {
    let (settings, status) = full();
    let mut window = window_of_size(settings, status, [1280.0, 1000.0]);
    window.get_by_label("Network").click();
    window.run();
    let type_into = |window: &mut Harness<'static, Bench>, label: &str, text: &str| {
        window.get_by_label(label).click();
        window.run();
        window.get_by_label(label).type_text(text);
        window.run();
    };
    type_into(&mut window, "UDP port", "8190");
    type_into(&mut window, "Other names", "cast.example, Cast.local");
    window.get_by_label("Add a server").click();
    window.run();
    type_into(&mut window, "Server 1: turn:host:3478", "turn:turn.example");
    assert!(window.query_by_label_contains("a TURN server needs a user").is_some());
    window.get_by_label("Apply").click();
    window.run();
    assert_eq!(window.state().handle.store.get().share.udp_port, None, "nothing of it counts yet");
    type_into(&mut window, "Server 1: User", "me");
    type_into(&mut window, "Server 1: Password", "s3cr3t");
    window.get_by_label("Apply").click();
    window.run();
    let share = window.state().handle.store.get().share.clone();
    assert_eq!(share.udp_port, Some(8190));
    assert_eq!(share.hosts, ["cast.example", "cast.local"]);
    assert_eq!(share.ice_servers, ["turn:turn.example,me,s3cr3t".parse().expect("it is a server")]);
    assert!(window.query_by_label("Apply").is_none(), "the overlay is closed");
}
