//! Who draws the window: a graphics card, or this computer's processor.
#![expect(unsafe_code, reason = "asking OpenGL for its name, for which glow has no safe call")]

use eframe::glow::{Context, HasContext, RENDERER};

/// Whether the processor draws the window, by the renderer's own name.
pub fn is_software(gl: &Context) -> bool {
    // SAFETY: the context is current on this thread while the window is made, and the name is only read.
    let name = unsafe { gl.get_parameter_string(RENDERER) }.to_lowercase();
    ["llvmpipe", "softpipe", "swrast", "software"].iter().any(|software| name.contains(software))
}
