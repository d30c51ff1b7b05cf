//! Text formats for data.

pub mod csv;
pub mod json;
