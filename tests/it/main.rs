//! The tests of the whole program, in one binary because linking is what costs.

mod architecture;
mod filters;
mod http;
mod mjpeg;
mod support;
