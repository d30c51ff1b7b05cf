//! Text formats for data.

pub mod json;
