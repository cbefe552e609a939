//! Where in etcd what is. Below the prefix: `nodes/<id>` and `coordinators/<id>`, each held by its process's lease; `orders/<node>`, which stay; and
//! records of other kinds, which nobody's life holds.

use capstan_types::id::NodeId;

/// The keys below one prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Keys {
    prefix: String,
}

impl Keys {
    pub(crate) fn below(prefix: &str) -> Self {
        Self { prefix: format!("{}/", prefix.trim_end_matches('/')) }
    }

    pub(crate) fn node(&self, id: &NodeId) -> String {
        format!("{}{id}", self.nodes())
    }

    /// What all nodes' keys begin with.
    pub(crate) fn nodes(&self) -> String {
        format!("{}nodes/", self.prefix)
    }

    pub(crate) fn order(&self, id: &NodeId) -> String {
        format!("{}{id}", self.orders())
    }

    /// What the keys of all orders begin with.
    pub(crate) fn orders(&self) -> String {
        format!("{}orders/", self.prefix)
    }

    pub(crate) fn coordinator(&self, id: &str) -> String {
        format!("{}{id}", self.coordinators())
    }

    /// A record of a kind that is none of those.
    pub(crate) fn record(&self, kind: &str, id: &str) -> String {
        format!("{}{id}", self.records(kind))
    }

    /// What the keys of all records of a kind begin with.
    pub(crate) fn records(&self, kind: &str) -> String {
        format!("{}{kind}/", self.prefix)
    }

    /// What all coordinators' keys begin with.
    pub(crate) fn coordinators(&self) -> String {
        format!("{}coordinators/", self.prefix)
    }
}

/// The first key after all those that begin so.
pub(crate) fn end_of(beginning: &str) -> Vec<u8> {
    let mut end = beginning.as_bytes().to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return end;
        }
    }
    // etcd's word for "to the end".
    vec![0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_lie_below_the_prefix_whether_it_ends_with_a_slash_or_not() {
        for prefix in ["/capstan/v1", "/capstan/v1/"] {
            let keys = Keys::below(prefix);
            assert_eq!(keys.node(&"a".parse().unwrap()), "/capstan/v1/nodes/a");
            assert_eq!(keys.order(&"a".parse().unwrap()), "/capstan/v1/orders/a");
            assert_eq!(keys.coordinator("b/1"), "/capstan/v1/coordinators/b/1");
            assert_eq!(end_of(&keys.nodes()), b"/capstan/v1/nodes0");
        }
    }
}
