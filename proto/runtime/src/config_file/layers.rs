//! Putting one layer over another.

use toml::{Table, Value};

/// Puts `over` on top of `base`: tables are merged key by key, everything else, arrays included, is replaced whole.
pub fn merge(base: &mut Table, over: Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => merge(below, above),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}
