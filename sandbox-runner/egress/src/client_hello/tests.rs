use super::*;
use proptest::prelude::*;

fn with_length(width: usize, bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
    [&length[4 - width..], bytes].concat()
}

fn server_name_extension(name: &[u8]) -> Vec<u8> {
    let list = with_length(2, &[&[HOST_NAME][..], &with_length(2, name)].concat());
    [&[0, 0][..], &with_length(2, &list)].concat()
}

fn hello(extensions: &[u8]) -> Vec<u8> {
    let body = [&[3, 3][..], &[7; 32], &with_length(1, b"id"), &with_length(2, &[0x13, 1]), &with_length(1, &[0])].concat();
    let body = [body, with_length(2, extensions)].concat();
    [vec![CLIENT_HELLO], with_length(3, &body)].concat()
}

fn records(message: &[u8], piece: usize) -> Vec<u8> {
    message.chunks(piece).flat_map(|part| [vec![HANDSHAKE_RECORD, 3, 1], with_length(2, part)].concat()).collect()
}

fn named(name: &str) -> Result<Look, &'static str> {
    Ok(Look::Named(name.to_owned()))
}

#[test]
fn the_name_is_found_however_the_message_is_cut() {
    let message = hello(&[&[0, 10, 0, 2, 1, 1][..], &server_name_extension(b"Allowed.com"), &[0, 11, 0, 0]].concat());
    for piece in [1, 2, 7, 1000] {
        let bytes = records(&message, piece);
        assert_eq!(server_name(&bytes), named("Allowed.com"));
        assert_eq!(server_name(&[&bytes[..], b"more"].concat()), named("Allowed.com"));
        for have in 0..bytes.len() {
            assert_eq!(server_name(&bytes[..have]), Ok(Look::Incomplete), "{have} in pieces of {piece}");
        }
    }
}

#[test]
fn a_message_without_a_name_has_none() {
    assert_eq!(server_name(&records(&hello(&[]), 99)), Ok(Look::Nameless));
    assert_eq!(server_name(&records(&hello(&[0, 10, 0, 0]), 99)), Ok(Look::Nameless));
}

#[test]
fn two_names_no_tls_and_endless_messages_are_refused() {
    let twice = [server_name_extension(b"a.com"), server_name_extension(b"b.com")].concat();
    assert_eq!(server_name(&records(&hello(&twice), 999)), Err(MALFORMED));
    let list = with_length(2, &[&[0][..], &with_length(2, b"a.com"), &[0], &with_length(2, b"b.com")].concat());
    assert_eq!(server_name(&records(&hello(&[&[0, 0][..], &with_length(2, &list)].concat()), 999)), Err(MALFORMED));
    assert_eq!(server_name(&records(&hello(&server_name_extension(b"")), 99)), Err(MALFORMED));
    assert_eq!(server_name(&records(&hello(&[0, 0, 0, 9]), 99)), Err(MALFORMED));
    assert!(server_name(b"GET / HTTP/1.1").is_err());
    assert!(server_name(&[22, 3, 1, 0, 0]).is_err());
    assert!(server_name(&[22, 2, 1, 0, 1, 1]).is_err());
    assert!(server_name(&[22, 3, 1, 0, 1, 2]).is_err());
    let endless = [vec![CLIENT_HELLO, 0xff, 0xff, 0xff], vec![0; LONGEST_HELLO]].concat();
    assert!(server_name(&records(&endless, 1 << 14)).unwrap_err().contains("too long"));
}

proptest! {
    #[test]
    fn nothing_makes_the_reader_panic(at in 0_usize..90, byte in any::<u8>(), cut in 0_usize..90) {
        let mut bytes = records(&hello(&server_name_extension(b"a.com")), 40);
        let at = at % bytes.len();
        bytes[at] = byte;
        bytes.truncate(cut);
        let _ = server_name(&bytes);
    }

    #[test]
    fn noise_is_no_name(bytes in proptest::collection::vec(any::<u8>(), 0..99)) {
        prop_assert!(!matches!(server_name(&bytes), Ok(Look::Named(_))));
    }
}
