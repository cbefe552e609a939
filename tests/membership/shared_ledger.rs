//! Two coordinators hold the authority, each with a copy of its directory, and share its records in a real etcd: a token that is used at both
//! at once lets one in.

use crate::house::{SOON, runtime};
use capstan_identity::request;
use capstan_identity::token::JoinToken;
use capstan_proto::transport::tls::newcomers_channel;
use capstan_proto::wire::identity as wire;
use capstan_proto::wire::identity::identity_client::IdentityClient;
use capstan_tests::capstan::{Capstan, Home, Running};
use capstan_tests::etcd::EtcdCluster;
use capstan_tests::wait::until;
use std::fs;
use std::time::Duration;
use tonic::Code;

fn coordinator(home: &Home, name: &str, etcd: &EtcdCluster) -> (Running, String) {
    let words = ["coordinator", "--name", name, "--listen", "https://127.0.0.1:0", "--registry", &etcd.url()];
    let running = Capstan::new(home).args(words).deadline(Duration::from_secs(300)).start();
    let address = until(SOON, "a coordinator that serves", || {
        let said = running.stdout();
        Some(said.lines().next()?.split("https://").nth(1).expect("it says where it listens").to_owned())
    });
    (running, address)
}

fn copy(from: &Home, to: &Home) {
    use std::os::unix::fs::PermissionsExt as _;
    let (from, to) = (from.path().join("cluster"), to.path().join("cluster"));
    fs::create_dir(&to).expect("a directory can be made");
    for entry in fs::read_dir(&from).expect("the authority is there").map(|entry| entry.expect("an entry")) {
        if entry.path().is_file() {
            let at = to.join(entry.file_name());
            fs::copy(entry.path(), &at).expect("it can be copied");
            fs::set_permissions(&at, fs::Permissions::from_mode(0o600)).expect("its mode can be set");
        }
    }
}

async fn join(address: &str, token: &JoinToken, name: &str) -> Result<(), tonic::Status> {
    let (_, request) = request::make().expect("a key");
    let request = wire::JoinRequest {
        token_id: token.id.to_string(),
        secret: token.secret.reveal().to_owned(),
        role: "node".to_owned(),
        name: name.to_owned(),
        request: request.into(),
    };
    IdentityClient::new(newcomers_channel(address, token.pin)).join(request).await.map(drop)
}

/// `CAPSTAN_STOLEN` says how often; an ordinary run does a share.
#[test]
fn a_stolen_token_that_is_used_at_two_coordinators_at_once_lets_one_in() {
    let rounds: usize = std::env::var("CAPSTAN_STOLEN").map_or(30, |text| text.parse().expect("a number"));
    let (etcd, one, two) = (EtcdCluster::start(1), Home::new(), Home::new());
    let made = Capstan::new(&one).args(["cluster", "init", "--name", "c1", "--shared"]).run();
    made.assert_code(0);
    copy(&one, &two);
    let without = Capstan::new(&one).args(["cluster", "token", "create", "--role", "node"]).run();
    without.assert_code(2);
    assert!(without.stderr.contains("keeps its records in the registry; name that with --registry"), "{without}");
    let (_first, at_one) = coordinator(&one, "a", &etcd);
    let (_second, at_two) = coordinator(&two, "b", &etcd);
    let token = |home: &Home| {
        let words = ["cluster", "token", "create", "--role", "node", "--registry", &etcd.url()];
        let run = Capstan::new(home).args(words).run();
        run.assert_code(0);
        run.stdout.lines().next().expect("a token").parse::<JoinToken>().expect("a token")
    };
    let runtime = runtime();
    for round in 0..rounds {
        // Made by either of them.
        let token = token(if round % 2 == 0 { &one } else { &two });
        let (mine, thiefs) = (format!("mine-{round}"), format!("thiefs-{round}"));
        let (mine, thiefs) =
            runtime.block_on(async { tokio::join!(join(&at_one, &token, &mine), join(&at_two, &token, &thiefs)) });
        let refused: Vec<_> = [mine, thiefs].into_iter().filter_map(Result::err).collect();
        assert_eq!(refused.len(), 1, "round {round}: {refused:?}");
        assert_eq!(refused[0].code(), Code::PermissionDenied, "{refused:?}");
        assert!(refused[0].message().contains("the join token was used already"), "{refused:?}");
    }
    let list = Capstan::new(&two).args(["cluster", "cert", "list", "--registry", &etcd.url()]).run();
    list.assert_code(0);
    assert_eq!(list.stdout.matches("capstan://c1/node/").count(), rounds, "{list}");
    // Who dies is not missed: a node joins at whoever answers, and what one revokes both refuse.
    drop(_first);
    let node = token(&two).reveal();
    let far = Home::new();
    let words = ["node", "--name", "far", "--listen", "https://127.0.0.1:0", "--join", &node, &format!("{at_one},{at_two}")];
    let running = Capstan::new(&far).args(words).deadline(SOON).start();
    until(SOON, &format!("a node that serves; it said {}", running.stderr()), || {
        running.stdout().contains("listens at").then_some(())
    });
}
