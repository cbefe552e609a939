//! A way to an etcd that can be cut and opened again.

use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Passes on what comes while it is open. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) address: SocketAddr,
    open: watch::Sender<bool>,
    _passing: JoinSet<()>,
}

impl Way {
    pub(super) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (open, is_open) = watch::channel(true);
        let mut passing = JoinSet::new();
        passing.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((from, _)) = listener.accept().await {
                if *is_open.borrow() {
                    connections.spawn(pass(from, port, is_open.clone()));
                }
            }
        });
        Self { address, open, _passing: passing }
    }

    pub(super) fn cut(&self) {
        self.open.send_replace(false);
    }

    pub(super) fn mend(&self) {
        self.open.send_replace(true);
    }
}

async fn pass(mut from: TcpStream, port: u16, mut is_open: watch::Receiver<bool>) {
    let Ok(mut to) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut from, &mut to) => {}
        _ = is_open.wait_for(|open| !open) => {}
    }
}
