//! Embeds the version and the Windows icon, and warns where a missing tool makes the program slow.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=assets/icon.ico");
    println!("cargo:rerun-if-env-changed=PATH");
    println!("cargo:rustc-env=LENSCAST_VERSION={}", version());
    if Command::new("nasm").arg("-v").output().is_err() {
        println!(
            "cargo:warning=nasm is missing: video and JPEG encoding will be two to three times slower; install it and build again"
        );
    }
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("windows") {
        let mut resource = winresource::WindowsResource::new();
        resource.set_icon("assets/icon.ico");
        if let Err(error) = resource.compile() {
            println!("cargo:warning=the program gets no icon: {error}");
        }
    }
}

/// The package's version, with the commit where the source is a checkout.
fn version() -> String {
    let package = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    println!("cargo:rerun-if-changed=.git/HEAD");
    let commit = Command::new("git").args(["rev-parse", "--short=9", "HEAD"]).output();
    match commit {
        Ok(output) if output.status.success() => {
            format!("{package} ({})", String::from_utf8_lossy(&output.stdout).trim())
        }
        _ => package,
    }
}
