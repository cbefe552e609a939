//! Asks a member how it is, by plain HTTP.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long an answer may take.
const DEADLINE: Duration = Duration::from_secs(3);

/// The longest answer that is read, in bytes: metrics have some kilobytes.
const LONGEST: u64 = 4 << 20;

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// Whether its status is 200.
    pub(super) ok: bool,
    /// What follows its head.
    pub(super) body: String,
}

/// What is answered to a GET.
pub(super) async fn get(at: SocketAddr, path: &str) -> io::Result<Answer> {
    let answered = timeout(DEADLINE, async {
        let mut stream = TcpStream::connect(at).await?;
        // By version 1.0 the end of the connection is the end of the answer.
        stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: {at}\r\n\r\n").as_bytes()).await?;
        let mut answer = Vec::new();
        stream.take(LONGEST).read_to_end(&mut answer).await?;
        Ok::<_, io::Error>(answer)
    });
    let answer = answered.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    parse(&String::from_utf8_lossy(&answer)).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn parse(answer: &str) -> Option<Answer> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.lines().next()?.strip_prefix("HTTP/1.")?.split(' ').nth(1)?;
    Some(Answer { ok: status == "200", body: body.to_owned() })
}

/// The value of a metric that has no labels.
pub(super) fn metric(metrics: &str, name: &str) -> Option<u64> {
    metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_answer_has_a_status_and_a_body() {
        let answer = |ok, body: &str| Some(Answer { ok, body: body.to_owned() });
        assert_eq!(parse("HTTP/1.1 200 OK\r\na: b\r\n\r\nok\n"), answer(true, "ok\n"));
        assert_eq!(parse("HTTP/1.0 503 Service Unavailable\r\n\r\n"), answer(false, ""));
        assert_eq!(parse("SSH-2.0\r\n\r\n"), None);
    }

    #[test]
    fn a_metric_is_found_by_its_whole_name() {
        let metrics = "# HELP capstan_nodes Nodes.\ncapstan_nodes_x 4\ncapstan_nodes 3\n# EOF\n";
        assert_eq!(metric(metrics, "capstan_nodes"), Some(3));
        assert_eq!(metric(metrics, "capstan"), None);
    }

    proptest! {
        #[test]
        fn no_answer_is_too_odd(answer in ".*") {
            let _ = (parse(&answer), metric(&answer, "x"));
        }
    }
}
