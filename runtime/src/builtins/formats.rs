//! Text formats for data.

pub mod csv;
pub mod json;
pub mod toml;
pub mod yaml;
