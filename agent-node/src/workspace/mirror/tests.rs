use super::*;

fn source(url: &str) -> GitSource {
    GitSource::whole(url.parse().unwrap())
}

#[test]
fn a_mirror_is_named_by_its_repository_and_by_how_much_of_it_there_is() {
    let one = source("https://h.example/r");
    let blobless = GitSource { history: History::Blobless, ..one.clone() };
    let key = |source: &GitSource| key(source, &[]);
    assert_eq!(key(&one).len(), 32);
    assert_eq!(key(&one), key(&GitSource { revision: Some("v1".parse().unwrap()), ..one.clone() }));
    assert!(key(&one) != key(&blobless) && key(&one) != key(&source("https://h.example/s")));
}

#[test]
fn a_mirror_is_only_for_those_who_have_the_credential_that_it_was_fetched_with() {
    let one = source("https://h.example:8443/r");
    let with =
        |host: &str, user: &str, token: &str| key(&one, &[GitCredential::new(host, user.to_owned(), token.to_owned()).unwrap()]);
    let mine = with("h.example:8443", "me", "token");
    assert_eq!(mine, with("h.example:8443", "me", "token"));
    assert!(![with("h.example:8443", "me", "other"), with("h.example:8443", "you", "token"), key(&one, &[])].contains(&mine));
    assert_eq!(with("other.example", "me", "token"), key(&one, &[]), "it is for another host");
}

#[test]
fn a_fetch_reaches_the_one_server_and_never_the_place_where_secrets_are_handed_out() {
    let rule = |url: &str| host_rule(&url.parse().unwrap()).unwrap().to_string();
    assert_eq!(rule("https://h.example/r"), "private:h.example:443");
    assert_eq!(rule("http://127.0.0.1:8080/r"), "private:127.0.0.1:8080");
    for url in
        ["http://169.254.169.254/r", "http://[::ffff:169.254.169.254]/r", "https://100.100.100.200/r", "http://[fd00:ec2::254]/r"]
    {
        let refused = host_rule(&url.parse().unwrap()).unwrap_err().to_string();
        assert!(refused.contains("a machine's own secrets are handed out"), "{refused}");
    }
}

#[test]
fn what_git_has_found_is_a_commit_or_nothing() {
    let commit = "0a".repeat(20);
    let main = Found { commit: commit.clone(), branch: Some("main".into()) };
    assert_eq!(found(&format!("commit={commit}\nbranch=main\n")), Some(main));
    assert_eq!(found("commit=\nbranch=main\n"), None);
}
