//! The suite against a real PostgreSQL, and what is PostgreSQL's own. One server for all, a schema for each check.

use super::url::PostgresUrl;
use super::{PATIENCE, open, open_in};
use crate::conformance::fixtures::{entry, event, log_of, numbered, said, thread, thread_id};
use crate::conformance::{self, contest, model};
use crate::postgres_server::PostgresServer;
use crate::sql_store::SqlStore;
use crate::store::{Record, Store, StoreError};
use capstan_types::id::{Epoch, TurnId};
use proptest::prelude::*;
use sqlx::{ConnectOptions, PgConnection, raw_sql};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

const A: Epoch = Epoch(1);

/// A server, and schemas in it that nobody else uses.
#[derive(Debug)]
struct Server {
    server: PostgresServer,
    schemas: AtomicU64,
}

impl Server {
    fn start() -> Self {
        Self { server: PostgresServer::start(), schemas: AtomicU64::new(0) }
    }

    fn url(&self) -> PostgresUrl {
        self.server.url().parse().unwrap()
    }

    async fn fresh(&self) -> SqlStore {
        let number = self.schemas.fetch_add(1, Ordering::Relaxed);
        open_in(&self.url(), &format!("check_{number}"), PATIENCE).await.unwrap()
    }

    async fn elsewhere(&self, sql: &'static str) {
        let mut connection: PgConnection = self.url().options().unwrap().connect().await.unwrap();
        raw_sql(sql).execute(&mut connection).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_in_postgres_conforms() {
    let server = Server::start();
    conformance::check(async || server.fresh().await).await;
}

#[test]
fn any_history_in_postgres_is_kept_as_the_model_keeps_it() {
    let server = Server::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(25) };
    proptest!(config, |(steps in model::steps())| {
        runtime.block_on(async {
            let store = server.fresh().await;
            model::follow(&store, steps).await;
            store.close().await;
        });
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_coordinators_on_one_database_never_both_write() {
    let server = Server::start();
    let (one, other) = (open(&server.url()).await.unwrap(), open(&server.url()).await.unwrap());
    contest::no_stale_owner_adds_anything(&one, &other).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_and_started_again_loses_nothing_and_work_goes_on() {
    const THREADS: u8 = 6;
    let server = Server::start();
    let store = Arc::new(open(&server.url()).await.unwrap());
    let (told, mut appending) = (Arc::new(AtomicU64::new(0)), JoinSet::new());
    let (stop, stopped) = tokio::sync::watch::channel(false);
    for number in 0..THREADS {
        store.create_thread(&thread(number)).await.unwrap();
        let (store, told, stopped) = (Arc::clone(&store), Arc::clone(&told), stopped.clone());
        appending.spawn(async move {
            let mut seq = 0;
            while !*stopped.borrow() {
                seq += 1;
                let text = Record::Entry { turn: TurnId::from_u128(1), entry: entry(&seq.to_string()) };
                // Never refused: the store waits for the database, and finds out what became of a commit on its way.
                store.append(thread_id(number), A, vec![numbered(seq), text]).await.unwrap();
                told.fetch_add(1, Ordering::Relaxed);
            }
            (number, seq)
        });
    }
    for round in 1..=5_u64 {
        let wanted = told.load(Ordering::Relaxed) + round * 17;
        while told.load(Ordering::Relaxed) < wanted {
            tokio::task::yield_now().await;
        }
        tokio::task::block_in_place(|| {
            server.server.kill();
            server.server.start_again();
        });
        // Reading goes on, too.
        assert_eq!(store.thread(thread_id(0)).await.unwrap().unwrap().epoch, A, "round {round}");
    }
    stop.send_replace(true);
    while let Some(done) = appending.join_next().await {
        let (number, seq) = done.unwrap();
        assert_eq!(log_of(&*store, thread_id(number)).await, Vec::from_iter(1..=seq), "thread {number}");
        let entries: Vec<_> = (1..=seq).map(|seq| entry(&seq.to_string())).collect();
        assert_eq!(store.entries(thread_id(number)).await.unwrap(), entries, "something was stored twice or lost");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_stays_away_is_told_in_one_sentence_and_work_goes_on_when_it_is_back() {
    let server = Server::start();
    let store = open_in(&server.url(), "capstan", Duration::from_millis(500)).await.unwrap();
    store.create_thread(&thread(1)).await.unwrap();
    tokio::task::block_in_place(|| server.server.kill());
    let (append, read) = tokio::join!(store.append(thread_id(1), A, vec![numbered(1)]), store.thread(thread_id(1)));
    for error in [append.unwrap_err(), read.unwrap_err()] {
        assert!(matches!(&error, StoreError::Unreachable { store, .. } if store.starts_with("postgres://")), "{error}");
    }
    let unopened = open(&server.url()).await.unwrap_err().to_string();
    assert!(unopened.contains("check the store's URL, and that the server runs"), "{unopened}");
    tokio::task::block_in_place(|| server.server.start_again());
    store.append(thread_id(1), A, vec![numbered(1)]).await.unwrap();
    assert_eq!(log_of(&store, thread_id(1)).await, [1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_overloaded_or_ended_connection_is_made_again() {
    let server = Server::start();
    let store = open(&server.url()).await.unwrap();
    store.create_thread(&thread(1)).await.unwrap();
    for seq in 1..=5 {
        server.elsewhere("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'capstan'").await;
        store.append(thread_id(1), A, vec![numbered(seq)]).await.unwrap();
        assert_eq!(log_of(&store, thread_id(1)).await.len() as u64, seq);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_stored_is_there_after_reopening_closed_or_not() {
    let server = Server::start();
    let first = open(&server.url()).await.unwrap();
    first.create_thread(&thread(1)).await.unwrap();
    first.append(thread_id(1), A, vec![numbered(1), said("hello")]).await.unwrap();
    first.close().await;
    let second = open(&server.url()).await.unwrap();
    second.append(thread_id(1), A, vec![numbered(2)]).await.unwrap();
    drop(second);
    let third = open(&server.url()).await.unwrap();
    assert_eq!(third.events(thread_id(1), capstan_types::id::EventSeq(0), 9).await, Ok(vec![event(1), event(2)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_stores_open_one_new_database_at_once() {
    let server = Server::start();
    let mut opening = JoinSet::new();
    for number in 0..8 {
        let url = server.url();
        opening.spawn(async move { open(&url).await.unwrap().create_thread(&thread(number)).await.unwrap() });
    }
    opening.join_all().await;
    let filter = capstan_types::thread::listing::ThreadFilter::all(100);
    assert_eq!(open(&server.url()).await.unwrap().threads(&filter).await.unwrap().threads.len(), 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_format_is_left_alone_and_a_missing_database_is_told() {
    let server = Server::start();
    open(&server.url()).await.unwrap().close().await;
    server.elsewhere("UPDATE capstan.format SET version = 99").await;
    let newer = open(&server.url()).await.unwrap_err();
    assert_eq!(newer, StoreError::Newer { path: server.url().to_string(), found: 99, known: 2 });
    let missing = server.server.url().replace("/postgres?", "/nowhere?").parse().unwrap();
    let said = open(&missing).await.unwrap_err().to_string();
    assert!(said.contains("make the database, for example with createdb"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_of_format_1_are_upgraded_with_nothing_lost() {
    let server = Server::start();
    server.elsewhere("CREATE SCHEMA capstan; SET search_path TO capstan; CREATE TABLE format (version BIGINT NOT NULL);").await;
    server.elsewhere(concat!("SET search_path TO capstan;", include_str!("../../migrations/postgres/0001_threads.sql"))).await;
    server.elsewhere("INSERT INTO capstan.format VALUES (1)").await;
    server
        .elsewhere(
            "INSERT INTO capstan.threads VALUES ('00000000-0000-0000-0000-000000001001', 'o', 1, '{\"model\":\"m\",\"provider\":\"p\",\
             \"effort\":null,\"cwd\":\"/w\",\"node\":null,\"sandbox\":\"read-only\",\"approval\":\"never\"}', 1, 1, '', NULL, NULL, NULL, \
             '/w', 0, 0, 0, 0, 0, 0, 0)",
        )
        .await;
    let store = open(&server.url()).await.unwrap();
    assert_eq!(store.thread(thread_id(1)).await.unwrap().unwrap().owner, "o");
    let (turn, input) = (TurnId::from_u128(1), capstan_types::thread::TurnInput::default());
    store.append(thread_id(1), A, vec![numbered(1), Record::Queued { turn, input: Box::new(input.clone()) }]).await.unwrap();
    store.close().await;
    assert_eq!(open(&server.url()).await.unwrap().queued(thread_id(1)).await, Ok(vec![(turn, input)]));
}
