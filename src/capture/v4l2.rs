//! What a video device of Linux is: the kernel lists metadata, outputs and codecs beside cameras, under the same name.
#![expect(unsafe_code, reason = "asking the kernel what a device can do, for which there is no safe call")]

use std::fs::File;

use rustix::ioctl::{self, Getter, opcode};

/// `struct v4l2_capability` of `linux/videodev2.h`.
#[repr(C)]
struct Capability {
    driver: [u8; 16],
    card: [u8; 32],
    bus_info: [u8; 32],
    version: u32,
    /// Of the whole piece of hardware.
    capabilities: u32,
    /// Of this device alone, where `DEVICE_CAPS` is in `capabilities`.
    device_caps: u32,
    reserved: [u32; 3],
}

/// Single-planar capture; the multi-planar kind belongs to phones and codecs, and the camera library can't read it.
const VIDEO_CAPTURE: u32 = 0x0000_0001;
const DEVICE_CAPS: u32 = 0x8000_0000;
const QUERYCAP: ioctl::Opcode = opcode::read::<Capability>(b'V', 0);

/// Whether `/dev/video<index>` gives pictures; `None` where the kernel does not say, as of a device that another program
/// has for itself.
pub fn gives_pictures(index: u32) -> Option<bool> {
    let device = File::open(format!("/dev/video{index}")).ok()?;
    // SAFETY: the request is `_IOR('V', 0, struct v4l2_capability)`, for which the kernel writes one `Capability`.
    let asked = unsafe { ioctl::ioctl(&device, Getter::<QUERYCAP, Capability>::new()) };
    asked.ok().map(|found| is_capture(found.capabilities, found.device_caps))
}

/// By the device's own abilities, because those of the whole hardware are the same for each of its devices.
const fn is_capture(capabilities: u32, device_caps: u32) -> bool {
    let own = if capabilities & DEVICE_CAPS != 0 { device_caps } else { capabilities };
    own & VIDEO_CAPTURE != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_device_that_captures_video_itself_is_a_camera() {
        const STREAMING: u32 = 0x0400_0000;
        const METADATA: u32 = 0x0080_0000;
        const OUTPUT: u32 = 0x0000_0002;
        const MEMORY_TO_MEMORY: u32 = 0x0000_8000;
        // A webcam and the metadata beside it, as the driver `uvcvideo` describes them.
        let webcam = VIDEO_CAPTURE | METADATA | STREAMING | DEVICE_CAPS;
        assert!(is_capture(webcam, VIDEO_CAPTURE | STREAMING));
        assert!(!is_capture(webcam, METADATA | STREAMING));
        // Old drivers describe the hardware only; there the second number has no meaning.
        assert!(is_capture(VIDEO_CAPTURE | STREAMING, 0));
        assert!(!is_capture(OUTPUT | STREAMING, VIDEO_CAPTURE));
        // A loopback that is written to and read from, one that nobody writes to, and a codec.
        assert!(is_capture(VIDEO_CAPTURE | OUTPUT | DEVICE_CAPS, VIDEO_CAPTURE | OUTPUT));
        assert!(!is_capture(VIDEO_CAPTURE | OUTPUT | DEVICE_CAPS, OUTPUT));
        assert!(!is_capture(MEMORY_TO_MEMORY | DEVICE_CAPS, MEMORY_TO_MEMORY));
    }

    #[test]
    fn the_request_is_the_one_of_the_kernel() {
        assert_eq!(size_of::<Capability>(), 104);
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        assert_eq!(QUERYCAP, 0x8068_5600);
    }

    #[test]
    fn what_is_not_there_says_nothing() {
        assert_eq!(gives_pictures(u32::MAX), None);
    }
}
