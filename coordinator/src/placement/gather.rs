//! Which hosts a thread may use besides the one that holds its workspace. Nothing is reserved there: each node's own admission has the last word.

use super::choose::{choose, usable};
use super::need::{Need, Wanted};
use super::no_place::NoPlace;
use super::view::View;
use capstan_types::hosts::{HostsAsked, MOST_HOSTS, ThreadHost};
use capstan_types::placement::PlacementSettings;
use capstan_types::policy::Level;

/// The hosts that are meant: those that are named, or all that match and take anything new, by name. What the thread tolerates and demands of a sandbox
/// holds for them too.
///
/// # Errors
/// A name that cannot be used, nothing that matches, or too many that do.
pub fn gather(view: &View, asked: &HostsAsked, settings: &PlacementSettings, level: Level) -> Result<Vec<ThreadHost>, NoPlace> {
    let need = |selector, wanted| Need { selector, wanted, tolerations: settings.tolerations.clone(), level, ..Need::default() };
    match asked {
        HostsAsked::Named(hosts) => {
            for host in hosts {
                match choose(view, &need(Default::default(), Wanted::Named(host.node.clone()))) {
                    Ok(_) => {}
                    // It may have room when it is used.
                    Err(full) if full.may_pass() => {}
                    Err(no) => return Err(no),
                }
            }
            Ok(hosts.clone())
        }
        HostsAsked::Selected(selector) => {
            let need = need(selector.clone(), Wanted::Any);
            let found = usable(view, &need);
            if found.is_empty() {
                return Err(choose(view, &need).err().unwrap_or(NoPlace::NoNodes));
            }
            let mut hosts: Vec<ThreadHost> = found
                .iter()
                .filter_map(|place| view.facts(place))
                .map(|facts| ThreadHost { node: facts.id.clone(), dir: None })
                .collect();
            if hosts.len() > MOST_HOSTS {
                return Err(NoPlace::TooManyHosts { found: hosts.len() });
            }
            hosts.sort();
            Ok(hosts)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placement::facts::{Freshness, NodeFacts};
    use capstan_types::resources::Resources;

    fn view(nodes: &[(&str, &str)]) -> View {
        let mut view = View::default();
        for (id, zone) in nodes {
            view.put(NodeFacts {
                id: id.parse().unwrap(),
                labels: [("zone".to_owned(), (*zone).to_owned())].into(),
                taints: [].into(),
                cordoned: zone.is_empty(),
                capacity: Resources::NONE,
                slots: 1,
                level: Level::Landlock,
                missing: Vec::new(),
                freshness: Freshness::Fresh,
                mirrors: [].into(),
                busy: 0,
            });
        }
        view
    }

    fn gathered(asked: &str, level: Level) -> Result<String, String> {
        let view = view(&[("b", "z1"), ("a", "z1"), ("c", "z2"), ("d", "")]);
        let hosts = gather(&view, &asked.parse().unwrap(), &PlacementSettings::default(), level);
        hosts.map(|hosts| HostsAsked::Named(hosts).to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn names_are_taken_as_they_are_and_selectors_mean_what_takes_anything_new() {
        assert_eq!(gathered("c,a:/srv", Level::None), Ok("c,a:/srv".to_owned()));
        assert_eq!(gathered("zone=z1", Level::None), Ok("a,b".to_owned()));
        assert_eq!(gathered("*", Level::None), Ok("a,b,c".to_owned()), "one of them is cordoned");
    }

    #[test]
    fn what_cannot_be_used_is_told() {
        let refused = |asked, level| gathered(asked, level).unwrap_err();
        assert!(refused("a,x", Level::None).contains("node x is not registered"));
        assert!(refused("d", Level::None).contains("is cordoned"));
        assert!(refused("zone=z9", Level::None).contains("do not match the selector"));
        assert!(refused("*", Level::Full).contains("level"), "{}", refused("*", Level::Full));
    }

    #[test]
    fn a_selector_that_means_too_many_is_told_how_many() {
        let names: Vec<String> = (0..300).map(|number| format!("n{number}")).collect();
        let view = view(&names.iter().map(|name| (name.as_str(), "z1")).collect::<Vec<_>>());
        let refused = gather(&view, &"*".parse().unwrap(), &PlacementSettings::default(), Level::None).unwrap_err();
        assert_eq!(refused, NoPlace::TooManyHosts { found: 300 });
    }
}
