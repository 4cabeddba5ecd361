//! The tests of the whole program, in one binary because linking is what costs.

mod filters;
mod support;
