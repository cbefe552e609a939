use super::*;
use crate::taint::Effect;
use proptest::prelude::*;

fn given(at: u64) -> Given {
    Given { by: "ann (uid 7)".parse().unwrap(), at: UnixMillis(at), reason: Some("kernel".to_owned()) }
}

fn label(text: &str, own: Option<&str>, overwrite: bool) -> Change {
    let (key, value) = text.split_once('=').unwrap();
    Change::Label { key: key.parse().unwrap(), value: value.parse().unwrap(), own: own.map(str::to_owned), overwrite }
}

fn obeyed(changes: &[Change]) -> NodeOrders {
    changes.iter().zip(1..).fold(NodeOrders::default(), |orders, (change, at)| orders.obey(change, &given(at)).unwrap())
}

#[test]
fn an_operators_label_goes_before_the_nodes_own_and_is_known_as_such() {
    let own: crate::label::Labels = [("zone".into(), "a".into()), ("arch".into(), "x86_64".into())].into();
    let orders = obeyed(&[label("zone=b", Some("a"), true), Change::Unlabel { key: "arch".parse().unwrap(), own: true }]);
    let merged = orders.merged(&own);
    assert_eq!(merged.labels, [("zone".to_owned(), "b".to_owned())].into());
    assert_eq!((merged.source("zone"), merged.source("arch")), (Source::Operator, Source::Node));
    assert_eq!(merged.hidden, [("zone".into(), "a".into()), ("arch".into(), "x86_64".into())].into());
}

#[test]
fn a_label_with_another_value_is_overwritten_only_when_that_is_said() {
    let orders = NodeOrders::default();
    let refused = orders.obey(&label("zone=b", Some("a"), false), &given(1)).unwrap_err();
    assert_eq!(refused.to_string(), "label zone is `a` there; give --overwrite to change it");
    assert_eq!(orders.obey(&label("zone=a", Some("a"), false), &given(1)), Err(Unchanged::Already));
    let missing = Change::Unlabel { key: "zone".parse().unwrap(), own: false };
    assert_eq!(orders.obey(&missing, &given(1)).unwrap_err().to_string(), "label zone is not there");
    // What only an operator had set leaves no trace among the labels.
    assert!(obeyed(&[label("zone=b", None, false), missing]).is_empty());
}

#[test]
fn of_one_key_and_effect_there_is_one_taint() {
    let taint = |text: &str| Change::Taint(text.parse().unwrap());
    let orders = obeyed(&[taint("gpu=a:NoSchedule"), taint("gpu=a:NoExecute"), taint("gpu=b:NoSchedule")]);
    let texts: Vec<String> = orders.taints.iter().map(|taint| taint.what.to_string()).collect();
    assert_eq!(texts, ["gpu=a:NoExecute", "gpu=b:NoSchedule"]);
    let one = orders.obey(&Change::Untaint("gpu".parse().unwrap(), Some(Effect::NoExecute)), &given(9)).unwrap();
    assert_eq!(one.taints.len(), 1);
    let gone = Change::Untaint("gpu".parse().unwrap(), Some(Effect::NoExecute));
    assert_eq!(one.obey(&gone, &given(9)).unwrap_err().to_string(), "taint gpu:NoExecute is not there");
    assert!(one.obey(&Change::Untaint("gpu".parse().unwrap(), None), &given(9)).unwrap().is_empty());
}

#[test]
fn a_drain_closes_ends_and_is_ended_by_an_uncordon() {
    let drain = |at| Change::Drain(Drain { deadline: Some(UnixMillis(at)), then: AtDeadline::Cancel, via: "c".into() });
    let orders = obeyed(&[Change::Cordon, drain(5)]);
    assert!(orders.refuses_turns() && orders.draining().is_some());
    assert_eq!(orders.obey(&drain(5), &given(3)), Err(Unchanged::Already));
    assert_eq!(orders.obey(&Change::Cordon, &given(3)), Err(Unchanged::Already));
    let drained = orders.obey(&Change::Drained("2 ended".into()), &given(4)).unwrap();
    assert!(drained.refuses_turns() && drained.draining().is_none());
    assert_eq!(drained.obey(&Change::Drained("2 ended".into()), &given(4)), Err(Unchanged::Already));
    assert_eq!(drained.closed.as_ref().unwrap().at, UnixMillis(2), "whose drain it was stays known");
    let open = drained.obey(&Change::Uncordon, &given(5)).unwrap();
    assert!(open.is_empty());
    let kinds: Vec<ActKind> = open.acts.iter().map(|act| act.kind).collect();
    assert_eq!(kinds, [ActKind::Cordoned, ActKind::Draining, ActKind::Drained, ActKind::Uncordoned]);
}

#[test]
fn orders_of_a_later_release_are_read() {
    let text = r#"{"taints":[],"mood":3,"acts":[{"number":1,"kind":"sung-to","by":"ann","at":5}],"count":1}"#;
    let orders: NodeOrders = serde_json::from_str(text).unwrap();
    assert_eq!(orders.acts[0].kind, ActKind::Other);
}

fn change() -> impl Strategy<Value = Change> {
    let key = || prop::sample::select(vec!["a", "b"]).prop_map(|key| key.parse::<LabelKey>().unwrap());
    let value = prop::sample::select(vec!["1", "2"]);
    let effect = prop::sample::select(Effect::ALL.to_vec());
    prop_oneof![
        (key(), value.clone(), any::<bool>(), any::<bool>()).prop_map(|(key, value, own, overwrite)| Change::Label {
            key,
            value: value.parse().unwrap(),
            own: own.then(|| "1".to_owned()),
            overwrite
        }),
        (key(), any::<bool>()).prop_map(|(key, own)| Change::Unlabel { key, own }),
        (key(), value, effect.clone()).prop_map(|(key, value, effect)| Change::Taint(Taint {
            key,
            value: value.parse().unwrap(),
            effect
        })),
        (key(), prop::option::of(effect)).prop_map(|(key, effect)| Change::Untaint(key, effect)),
        Just(Change::Cordon),
        Just(Change::Uncordon),
        (0..3_u64).prop_map(|at| Change::Drain(Drain {
            deadline: Some(UnixMillis(at)),
            then: AtDeadline::Tell,
            via: String::new()
        })),
        Just(Change::Drained(String::new())),
    ]
}

proptest! {
    #[test]
    fn a_change_is_made_once_told_once_and_read_as_it_was_written(changes in prop::collection::vec(change(), 0..60)) {
        let mut orders = NodeOrders::default();
        for (change, at) in changes.iter().zip(1..) {
            let Ok(new) = orders.obey(change, &given(at)) else { continue };
            prop_assert_eq!(new.count, orders.count + 1);
            prop_assert_eq!(new.acts.last().unwrap().number, new.count);
            prop_assert!(new.acts.len() <= KEPT_ACTS);
            // To say it again changes nothing.
            prop_assert!(new.obey(change, &given(at)).is_err());
            let text = serde_json::to_string(&new).unwrap();
            prop_assert_eq!(serde_json::from_str::<NodeOrders>(&text).unwrap(), new.clone());
            orders = new;
        }
    }
}
