//! The nouns of Capstan and the pure rules between them.
//!
//! Every process of the system agrees on these values; none of them knows a clock, a file, a socket or an async runtime, so each
//! rule here can be tested by calling it. Parsing happens at the door (`FromStr`, `TryFrom`): code that holds a value may trust it.

pub mod id;
pub mod path;
pub mod time;
pub mod window;

pub mod control;
pub mod file_read;
pub mod files;
pub mod grant;
pub mod launch;
pub mod limits;
pub mod operator;
pub mod output;
pub mod policy;
pub mod principal;
pub mod session;
pub mod spool;

pub mod budget;
pub mod call;
pub mod checkpoint;
pub mod docs;
pub mod event;
pub mod history;
pub mod hosts;
pub mod item;
pub mod kept;
pub mod label;
pub mod load;
pub mod money;
pub mod node;
pub mod node_status;
pub mod orders;
pub mod overrides;
pub mod placement;
pub mod resources;
pub mod saved;
pub mod selector;
pub mod source;
pub mod stock;
pub mod taint;
pub mod thread;
pub mod tree_document;

pub mod clamp;
pub mod clean;
pub mod patch;
pub mod patch_report;
