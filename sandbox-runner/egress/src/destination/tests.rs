use super::*;
use crate::resolve::{Resolve, SystemResolver};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

/// Gives each answer of a list once, and the last for ever.
struct Answers {
    list: Vec<Vec<IpAddr>>,
    asked: Arc<AtomicUsize>,
}

impl Resolve for Answers {
    fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let at = self.asked.fetch_add(1, Ordering::SeqCst);
        Ok(self.list[at.min(self.list.len() - 1)].clone())
    }
}

fn answers(list: &[&[&str]]) -> (Lookups, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let list = list.iter().map(|answer| answer.iter().map(|text| text.parse().unwrap()).collect()).collect();
    (Lookups::new(Arc::new(Answers { list, asked: Arc::clone(&asked) }), 64), asked)
}

fn look(rules: &[&str], lookups: &Lookups, to: &str) -> Result<Vec<String>, Refused> {
    let rules: Vec<HostRule> = rules.iter().map(|rule| rule.parse().unwrap()).collect();
    let to = Authority::parse(to, None).unwrap();
    let found = checked(&rules, lookups, &to, Duration::from_secs(10))?;
    Ok(found.iter().map(ToString::to_string).collect())
}

fn reason(refused: Result<Vec<String>, Refused>) -> String {
    refused.unwrap_err().denial().unwrap().reason
}

#[test]
fn a_name_that_is_not_on_the_list_is_not_even_looked_up() {
    let (lookups, asked) = answers(&[&["93.184.215.14"]]);
    for rules in [&[][..], &["allowed.com"]] {
        assert_eq!(reason(look(rules, &lookups, "secret.evil.com:443")), "not in the list of allowed hosts");
    }
    for port in ["22", "25"] {
        assert_eq!(reason(look(&["allowed.com"], &lookups, &format!("allowed.com:{port}"))), "not in the list of allowed hosts");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[test]
fn a_name_is_looked_up_once_and_its_checked_addresses_are_those_dialled() {
    let (lookups, asked) = answers(&[&["93.184.215.14", "2606:4700::1111"], &["127.0.0.1"]]);
    let first = look(&["allowed.com"], &lookups, "allowed.com:443").unwrap();
    assert_eq!(first, ["93.184.215.14:443", "[2606:4700::1111]:443"]);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let second = reason(look(&["allowed.com"], &lookups, "allowed.com:443"));
    assert!(second.contains("127.0.0.1, a loopback address"), "{second}");
}

#[test]
fn one_forbidden_address_among_others_refuses_the_name() {
    for forbidden in
        ["127.0.0.1", "10.0.0.1", "::1", "::ffff:10.1.2.3", "64:ff9b::7f00:1", "fe80::1", "0.0.0.0", "169.254.169.254"]
    {
        for answer in [[forbidden, "93.184.215.14"], ["93.184.215.14", forbidden]] {
            let (lookups, _) = answers(&[&answer]);
            let said = reason(look(&["*.allowed.com"], &lookups, "x.allowed.com:80"));
            assert!(said.starts_with("it leads to "), "{forbidden}: {said}");
        }
    }
}

#[test]
fn a_private_rule_opens_private_addresses_and_never_the_metadata_service() {
    let (lookups, _) = answers(&[&["10.0.0.1", "127.0.0.1"], &["169.254.169.254"]]);
    assert_eq!(look(&["private:db:5432"], &lookups, "db:5432").unwrap(), ["10.0.0.1:5432", "127.0.0.1:5432"]);
    assert!(reason(look(&["private:db:5432"], &lookups, "db:5432")).contains("secrets"));
    assert_eq!(look(&["169.254.169.254"], &lookups, "[::ffff:169.254.169.254]:80").unwrap(), ["169.254.169.254:80"]);
    assert!(look(&["10.0.0.2"], &lookups, "10.0.0.1:80").is_err());
}

#[test]
fn the_host_s_own_resolver_leads_localhost_to_loopback() {
    let lookups = Lookups::new(Arc::new(SystemResolver), 64);
    assert!(reason(look(&["localhost"], &lookups, "localhost:80")).contains("loopback"));
    let found = look(&["private:localhost"], &lookups, "localhost:80").unwrap();
    assert!(found.iter().any(|address| address == "127.0.0.1:80" || address == "[::1]:80"), "{found:?}");
}

/// Answers when it is told to.
struct Stuck(std::sync::Mutex<mpsc::Receiver<()>>);

impl Resolve for Stuck {
    fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let _ = self.0.lock().unwrap().recv();
        Ok(Vec::new())
    }
}

#[test]
fn a_resolver_that_hangs_holds_nobody_and_no_more_than_its_bound() {
    let (_release, stuck) = mpsc::channel();
    let lookups = Lookups::new(Arc::new(Stuck(stuck.into())), 2);
    let wait = |said: &str| assert!(lookups.look_up("a", Duration::from_millis(20)).unwrap_err().contains(said));
    wait("in time");
    wait("in time");
    wait("too many");
}
