//! What is said of a choice, and why there is none.

use crate::placement::choose::choose;
use crate::placement::facts::{Freshness, NodeFacts};
use crate::placement::need::{Need, Wanted};
use crate::placement::no_place::NoPlace;
use crate::placement::view::View;
use capstan_types::id::ThreadId;
use capstan_types::placement::told;
use capstan_types::policy::Level;
use capstan_types::resources::Resources;

fn node(id: &str) -> NodeFacts {
    NodeFacts {
        id: id.parse().unwrap(),
        labels: [("zone".to_owned(), "b".to_owned())].into(),
        taints: [].into(),
        cordoned: false,
        capacity: Resources { cpu_milli: 2000, memory_bytes: 4 << 30, ..Resources::NONE },
        slots: 2,
        level: Level::Full,
        missing: Vec::new(),
        freshness: Freshness::Fresh,
        mirrors: [].into(),
        busy: 0,
    }
}

fn view(nodes: impl IntoIterator<Item = NodeFacts>) -> View {
    let mut view = View::default();
    nodes.into_iter().for_each(|node| view.put(node));
    view
}

fn cpu(cpu_milli: u64) -> Need {
    Need { resources: Resources { cpu_milli, ..Resources::NONE }, ..Need::default() }
}

#[test]
fn the_node_asked_for_is_taken_or_nothing() {
    let two = view([node("a"), node("b")]);
    let named = |id: &str| Need { wanted: Wanted::Named(id.parse().unwrap()), ..Need::default() };
    assert_eq!(choose(&two, &named("b")).unwrap().node.as_str(), "b");
    let said = choose(&two, &named("c")).unwrap_err().to_string();
    assert_eq!(said, "node c is not registered; the registered nodes are: a, b");
    assert_eq!(choose(&view([]), &Need::default()), Err(NoPlace::NoNodes));
    let many = view((0..25).map(|number| node(&format!("n{number:02}"))));
    assert!(choose(&many, &named("c")).unwrap_err().to_string().ends_with("n18, n19, and 5 more"));
}

#[test]
fn a_node_that_is_too_weak_is_never_chosen_and_the_reason_is_told() {
    let weak = |id: &str, level| NodeFacts { level, missing: vec!["own user: it is not root".to_owned()], ..node(id) };
    let three = view([weak("a", Level::Landlock), weak("b", Level::Namespaces), node("c")]);
    let full = Need { level: Level::Full, ..Need::default() };
    assert_eq!(choose(&three, &full).unwrap().node.as_str(), "c");
    let named = Need { wanted: Wanted::Named("a".parse().unwrap()), level: Level::Namespaces, ..Need::default() };
    assert_eq!(
        choose(&three, &named).unwrap_err().to_string(),
        "node a gives a sandbox of level landlock, and namespaces is demanded (missing there: own user: it is not root); change \
         the host, use another node, or demand less"
    );
    let two = view([weak("a", Level::Landlock), weak("b", Level::Namespaces)]);
    let Err(NoPlace::TooWeak { node, .. }) = choose(&two, &full) else { panic!("one was chosen") };
    assert_eq!(node.as_str(), "b", "the strongest is named");
}

#[test]
fn each_node_that_may_not_be_chosen_is_counted_under_one_reason() {
    let nodes = [
        NodeFacts { freshness: Freshness::Stale, ..node("a") },
        NodeFacts { cordoned: true, ..node("b") },
        NodeFacts { labels: [].into(), ..node("c") },
        NodeFacts { taints: ["gpu:NoSchedule".parse().unwrap()].into(), ..node("d") },
        NodeFacts { taints: ["bad:NoExecute".parse().unwrap()].into(), ..node("e") },
    ];
    let need = Need { selector: "zone=b".parse().unwrap(), ..Need::default() };
    let said = choose(&view(nodes), &need).unwrap_err().to_string();
    assert_eq!(
        said,
        "none of 5 node(s) may be chosen: 1 has been silent for a while, 1 is cordoned, 1 does not match the selector, 2 have a taint \
         that is not tolerated; ask for less, or let an operator change the nodes"
    );
}

#[test]
fn want_of_room_now_is_told_from_want_of_room_for_good() {
    let mut one = view([node("a"), NodeFacts { capacity: Resources::NONE, ..node("b") }]);
    one.reserve(ThreadId::from_u128(1), &"a".parse().unwrap(), &cpu(1500).resources, None).unwrap();
    let full = choose(&one, &cpu(1000)).unwrap_err();
    assert!(full.may_pass());
    assert_eq!(full.to_string(), "no node has room now; of 2 node(s), 1 has no room now, 1 is too small");
    let never = choose(&one, &cpu(3000)).unwrap_err();
    assert!(!never.may_pass());
    assert!(never.to_string().contains("2 are too small"));
    one.give_back(ThreadId::from_u128(1));
    assert_eq!(choose(&one, &cpu(1000)).unwrap().node.as_str(), "a");
}

#[test]
fn a_workspace_that_is_on_its_node_goes_on_there_whatever_became_of_the_node() {
    let closed = NodeFacts { cordoned: true, taints: ["bad:NoExecute".parse().unwrap()].into(), slots: 0, ..node("a") };
    let need = Need { wanted: Wanted::Held("a".parse().unwrap()), ..cpu(9000) };
    assert_eq!(choose(&view([closed, node("b")]), &need).unwrap().node.as_str(), "a");
    assert!(choose(&view([node("b")]), &need).is_err());
}

#[test]
fn what_spoke_for_a_node_is_told() {
    let mut nodes = view([
        NodeFacts { taints: ["gpu=a100:NoSchedule".parse().unwrap()].into(), mirrors: ["repo".to_owned()].into(), ..node("a") },
        NodeFacts { taints: ["old:PreferNoSchedule".parse().unwrap()].into(), ..node("b") },
        node("c"),
    ]);
    let need = Need {
        selector: "zone in (a,b)".parse().unwrap(),
        tolerations: vec!["gpu".parse().unwrap()],
        repository: Some("repo".to_owned()),
        batch: Some("b1".to_owned()),
        ..cpu(500)
    };
    let place = |nodes: &mut View, thread: u128| {
        let choice = choose(nodes, &need).unwrap();
        nodes.reserve(ThreadId::from_u128(thread), &choice.node, &need.resources, Some("b1")).unwrap();
        let why: Vec<String> = choice.why.iter().map(ToString::to_string).collect();
        format!("{}: {} [{}]", choice.node, why.join("; "), told(&choice.rejected))
    };
    let told: Vec<String> = (0..4).map(|thread| place(&mut nodes, thread)).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    a: its labels match zone in (a,b); its taint gpu=a100:NoSchedule is tolerated; it holds no other workspace of batch b1; it has a mirror of repo; it was the least loaded, at 0.0 % []
    c: its labels match zone in (a,b); it holds no other workspace of batch b1; it was the least loaded, at 0.0 % []
    c: its labels match zone in (a,b); it holds 1 other workspace of the batch, since every node that would do holds some; it was the least loaded, at 25.0 % []
    a: its labels match zone in (a,b); its taint gpu=a100:NoSchedule is tolerated; it holds 1 other workspace of the batch, since every node that would do holds some; it has a mirror of repo; it was the least loaded, at 25.0 % []
    ");
}
