use super::*;
use proptest::prelude::*;

fn parse(text: &str) -> Result<GitUrl, GitUrlError> {
    text.parse()
}

#[test]
fn the_addresses_that_people_have_are_taken() {
    for (text, shown, transport, host, port) in [
        ("https://Git.Example/a/b.git/", "https://git.example/a/b.git", Transport::Https, "git.example", None),
        ("HTTP://127.0.0.1:8080/r", "http://127.0.0.1:8080/r", Transport::Http, "127.0.0.1", Some(8080)),
        ("ssh://git@h:22/~/r", "ssh://git@h:22/~/r", Transport::Ssh, "h", Some(22)),
        ("ssh://[::1]:22/r", "ssh://[::1]:22/r", Transport::Ssh, "::1", Some(22)),
        ("git@github.com:a/b.git", "git@github.com:a/b.git", Transport::Ssh, "github.com", None),
        ("h:/srv/r", "h:/srv/r", Transport::Ssh, "h", None),
        ("file:///srv/a b//r/", "file:///srv/a b/r", Transport::File, "", None),
        ("/srv/r", "file:///srv/r", Transport::File, "", None),
    ] {
        let url = parse(text).unwrap();
        assert_eq!((url.as_str(), url.transport(), url.host(), url.port()), (shown, transport, host, port), "{text}");
    }
    assert_eq!(parse("file:///srv/r").unwrap().directory(), Some(Path::new("/srv/r")));
}

#[test]
fn what_is_no_address_or_would_do_something_else_is_refused() {
    use GitUrlError::{Character, Credentials, Host, Length, Path, Transport};
    for (text, error) in [
        ("", Length),
        ("https://user@h/r", Credentials),
        ("https://user:secret@h/r", Credentials),
        ("https://:secret@h/r", Credentials),
        ("ssh://git:secret@h/r", Credentials),
        ("a:b@h:r", Credentials),
        ("https://h/r?access_token=secret", Character),
        ("https://h/r#x", Character),
        ("https://h/r\nx", Character),
        ("https://h/\u{202e}r\u{0}", Character),
        ("ext::sh -c x", Transport),
        ("ext::sh", Transport),
        ("fd::3", Transport),
        ("git://h/r", Transport),
        ("ftp://h/r", Transport),
        ("http::https://h/r", Transport),
        ("--upload-pack=x", Transport),
        ("-oProxyCommand=x:r", Transport),
        ("ssh://-oProxyCommand=x/r", Host),
        ("ssh://-x@h/r", Credentials),
        ("git@-h:r", Host),
        ("https://h:0/r", Host),
        ("https://h:99999/r", Host),
        ("https://h:/r", Host),
        ("https://[::1/r", Host),
        ("https://h", Path),
        ("https://h/", Path),
        ("https://h/a/../b", Path),
        ("ssh://h/-x", Path),
        ("h:-x", Path),
        ("file://host/r", Path),
        ("file:///a/../b", Path),
        ("file:///a%2e", Character),
        ("./r", Transport),
        ("r", Transport),
    ] {
        assert_eq!(parse(text), Err(error), "{text:?}");
    }
    assert_eq!(parse(&format!("https://h/{}", "x".repeat(2048))), Err(Length));
    assert!(!Credentials.to_string().contains("secret"));
}

proptest! {
    #[test]
    fn whatever_is_taken_means_itself_and_holds_no_secret(text in "(https?://|ssh://|file://|ext::|[a-z]+@)?[-a-z0-9@:/.%? ~\\[\\]\u{e9}\n]{0,40}") {
        if let Ok(url) = parse(&text) {
            prop_assert_eq!(parse(url.as_str()), Ok(url.clone()));
            prop_assert!(!url.as_str().starts_with('-') && !url.as_str().contains("::sh"));
            prop_assert!(!url.as_str().chars().any(char::is_control));
            prop_assert!(url.transport() == Transport::File || !url.host().is_empty() && !url.host().starts_with('-'));
            if matches!(url.transport(), Transport::Http | Transport::Https) {
                let authority = url.as_str().split('/').nth(2).unwrap_or_default();
                prop_assert!(!authority.contains('@'));
            }
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,60}") {
        let _ = parse(&text);
    }
}
