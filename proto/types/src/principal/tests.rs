use super::*;
use proptest::prelude::*;

fn label() -> impl Strategy<Value = Label> {
    "[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?".prop_map(|text| text.parse().unwrap())
}

#[test]
fn a_name_is_told_apart_from_what_only_looks_like_one() {
    let name: Principal = "capstan://c1/node/n1".parse().unwrap();
    assert_eq!((name.cluster.as_str(), name.role, name.id.as_str()), ("c1", Role::Node, "n1"));
    for bad in [
        "",
        "capstan://c1/node",
        "capstan://c1/node/n1/",
        "capstan://c1/node/n1/x",
        "capstan://c1/admin/n1",
        "capstan://c1/Node/n1",
        "capstan:///node/n1",
        "capstan://c1/node/",
        "capstan://c1/node/N1",
        "capstan://c1/node/n1?x",
        "CAPSTAN://c1/node/n1",
        "spiffe://c1/node/n1",
        " capstan://c1/node/n1",
    ] {
        assert!(bad.parse::<Principal>().is_err(), "{bad} was accepted");
    }
}

#[test]
fn a_serial_has_one_spelling() {
    assert_eq!(Serial::of_bytes(&[0, 0, 0x0a, 0xff]).to_string(), "aff");
    assert_eq!(Serial::of_bytes(&[]).to_string(), "0");
    for bad in ["", "0a", "AF", "xyz", &"1".repeat(41)] {
        assert!(bad.parse::<Serial>().is_err(), "{bad} was accepted");
    }
}

proptest! {
    #[test]
    fn a_name_is_printed_as_it_is_read(cluster in label(), role in proptest::sample::select(&Role::ALL[..]), id in label()) {
        let name = Principal { cluster, role, id };
        prop_assert_eq!(name.to_string().parse::<Principal>().unwrap(), name);
    }

    #[test]
    fn what_is_taken_for_a_name_is_printed_unchanged(text in "(capstan://)?[a-zA-Z0-9./-]{0,40}") {
        if let Ok(name) = text.parse::<Principal>() {
            prop_assert_eq!(name.to_string(), text);
        }
    }

    #[test]
    fn any_text_is_read_without_a_fault(text in ".{0,80}") {
        let _ = text.parse::<Principal>();
        let _ = text.parse::<Serial>();
    }

    #[test]
    fn a_serial_survives_text(bytes in proptest::collection::vec(any::<u8>(), 0..=20)) {
        let serial = Serial::of_bytes(&bytes);
        prop_assert_eq!(serial.to_string().parse::<Serial>().unwrap(), serial);
    }
}
