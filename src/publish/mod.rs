//! How viewers get the picture and send the pointer back: HTTP, MJPEG and WebRTC.
