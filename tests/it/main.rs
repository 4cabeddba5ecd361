//! The tests of the whole program, in one binary because linking is what costs.

mod architecture;
mod filters;
mod support;
mod window;
