//! What two rules have in common, and whether a list of rules covers one.

use super::{DEFAULT_PORTS, Host, HostRule};

impl HostRule {
    /// The ports that the rule is for.
    #[must_use]
    pub fn ports(&self) -> &[u16] {
        if self.ports.is_empty() { &DEFAULT_PORTS } else { &self.ports }
    }

    /// Exactly what both rules allow; `None` when that is nothing.
    #[must_use]
    pub fn meet(&self, other: &Self) -> Option<Self> {
        let (host, below) = self.names_in_common(other)?;
        let both: Vec<u16> = self.ports().iter().copied().filter(|port| other.ports().contains(port)).collect();
        if both.is_empty() {
            return None;
        }
        // Written as it was where nothing was taken away, so that a person finds the rule again.
        let ports = if both == self.ports() { self.ports.clone() } else { both };
        Some(Self { host, below, ports, private: self.private && other.private })
    }

    fn names_in_common(&self, other: &Self) -> Option<(Host, bool)> {
        let (narrow, wide) = if self.names_within(other) { (self, other) } else { (other, self) };
        narrow.names_within(wide).then(|| (narrow.host.clone(), narrow.below))
    }

    /// Whether every host of this rule is one of the other's. Two rules have either nothing in common, or one is within the other.
    fn names_within(&self, other: &Self) -> bool {
        match (self.below, other.below) {
            (false, false) => self.host == other.host,
            (true, false) => false,
            (false, true) => other.is_above(&self.host),
            (true, true) => self.host == other.host || other.is_above(&self.host),
        }
    }

    pub(super) fn is_above(&self, host: &Host) -> bool {
        match (&self.host, host) {
            (Host::Name(ours), Host::Name(theirs)) => {
                theirs.strip_suffix(ours.as_str()).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
            }
            _ => false,
        }
    }

    /// Whether `rules` allow at least all that this rule allows, each of its ports by one of them.
    #[must_use]
    pub fn is_covered_by(&self, rules: &[Self]) -> bool {
        let covers = |rule: &Self, port: &u16| {
            self.names_within(rule) && rule.ports().contains(port) && (rule.grants_private() || !self.grants_private())
        };
        self.ports().iter().all(|port| rules.iter().any(|rule| covers(rule, port)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> HostRule {
        text.parse().unwrap()
    }

    #[test]
    fn two_rules_meet_in_what_both_allow() {
        for (one, other, both) in [
            ("crates.io", "crates.io", Some("crates.io")),
            ("crates.io", "io", None),
            ("*.crates.io", "static.crates.io", Some("static.crates.io")),
            ("*.io", "*.crates.io:443", Some("*.crates.io:443")),
            ("*.crates.io", "crates.io", None),
            ("*.s.io", "*.crates.io", None),
            ("crates.io", "crates.io:22", None),
            ("crates.io:22,443", "crates.io", Some("crates.io:443")),
            ("private:db:5432", "db:5432", Some("db:5432")),
            ("10.0.0.1", "10.0.0.1", Some("10.0.0.1")),
            ("10.0.0.1", "*.1", None),
        ] {
            let Ok(other) = other.parse() else { continue };
            let both = both.map(rule);
            assert_eq!(rule(one).meet(&other), both, "{one} {other}");
            let turned = other.meet(&rule(one)).map(|rule| (rule.host.clone(), rule.below, rule.ports().to_vec(), rule.private));
            assert_eq!(
                turned,
                both.map(|rule| (rule.host.clone(), rule.below, rule.ports().to_vec(), rule.private)),
                "{one} {other}"
            );
        }
    }

    #[test]
    fn a_rule_is_covered_port_by_port() {
        let list = |texts: &[&str]| texts.iter().map(|text| rule(text)).collect::<Vec<_>>();
        assert!(rule("a.io").is_covered_by(&list(&["a.io:80", "*.io:443"])));
        assert!(!rule("a.io").is_covered_by(&list(&["a.io:80"])));
        assert!(!rule("*.io").is_covered_by(&list(&["a.io", "b.io"])));
        assert!(!rule("private:a.io").is_covered_by(&list(&["a.io"])));
        assert!(rule("a.io").is_covered_by(&list(&["private:a.io"])));
        assert!(!rule("a.io").is_covered_by(&[]));
    }
}
