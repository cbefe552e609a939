//! What the model is told before the user speaks, and what a turn changes for itself and for later ones.

mod docs;
mod overrides;
mod pictures;
mod schema;

use crate::stage::Stage;
use crate::stored::Stored;
use capstan_proto::transport::channel;
use capstan_proto::wire::client::turns_client::TurnsClient;
use capstan_proto::wire::client::{StartTurnRequest, TurnOverrides};
use capstan_tests::capstan::{Capstan, Home, Running};
use capstan_tests::responses_server::RecordedRequest;
use capstan_tests::wait;
use capstan_types::node::NodeAddress;
use serde_json::Value;
use std::time::Duration;

/// How long a coordinator may take for anything, on a busy machine.
const SOON: Duration = Duration::from_secs(30);

/// The smallest picture there is: one black pixel.
const PIXEL: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00, 0x01, 0x00,
    0x00, 0x00, 0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x3a, 0x7e, 0x9b, 0x55, 0x00, 0x00, 0x00, 0x0a, 0x49, 0x44, 0x41, 0x54, 0x78,
    0x9c, 0x63, 0x60, 0x00, 0x00, 0x00, 0x02, 0x00, 0x01, 0x48, 0xaf, 0xa4, 0x71, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44,
    0xae, 0x42, 0x60, 0x82,
];

/// A coordinator on a stage, with one thread that may have many turns.
struct Talk {
    stage: Stage,
    running: Running,
}

impl Talk {
    /// A thread whose first turn has ended.
    fn begun(stage: Stage) -> Self {
        let talk = Self::on(stage);
        talk.stage.exec().args(["--coordinator", &talk.socket()]).run().assert_code(0);
        talk
    }

    fn on(stage: Stage) -> Self {
        let coordinator = Capstan::new(&stage.home).arg("coordinator").env(Home::KEY_VARIABLE, Home::KEY);
        let running = coordinator.deadline(Duration::from_secs(300)).start();
        wait::until_true(SOON, "a coordinator that serves", || running.stdout().contains("coordinator listens at "));
        Self { stage, running }
    }

    fn socket(&self) -> String {
        format!("unix://{}", self.stage.home.path().join("coordinator.sock").display())
    }

    /// Another coordinator takes the place of this one, which is killed.
    fn killed_and_started_again(self) -> Self {
        let Self { stage, running } = self;
        let _ = running.crash();
        Self::on(stage)
    }

    /// Runs another turn to its end, and gives how it ended.
    fn turn(&self, overrides: TurnOverrides) -> String {
        self.start(StartTurnRequest { text: "Go on.".to_owned(), overrides: Some(overrides), ..StartTurnRequest::default() })
            .expect("the turn starts")
    }

    fn start(&self, request: StartTurnRequest) -> Result<String, tonic::Status> {
        let before = self.ends().len();
        let thread_id = Stored::read(&self.stage.home).only().record.id.to_string();
        let socket = self.socket().trim_start_matches("unix://").to_owned();
        tokio::runtime::Runtime::new().expect("threads can be started").block_on(async {
            let mut turns = TurnsClient::new(channel(&NodeAddress::Unix(socket)).expect("an address"));
            turns.start(StartTurnRequest { thread_id, ..request }).await
        })?;
        Ok(wait::until(SOON, "the end of the turn", || self.ends().get(before).cloned()))
    }

    fn ends(&self) -> Vec<String> {
        let kinds = Stored::read(&self.stage.home).only().kinds();
        kinds.into_iter().filter(|kind| kind.starts_with("turn ") && kind != "turn started").collect()
    }
}

/// The texts of this role in a request, in order.
fn texts(request: &RecordedRequest, role: &str) -> Vec<String> {
    let of_role = request.input().iter().filter(|item| item["role"] == role);
    let text = |item: &Value| match &item["content"] {
        Value::String(text) => text.clone(),
        parts => parts.as_array().into_iter().flatten().filter_map(|part| part["text"].as_str()).collect(),
    };
    of_role.map(text).collect()
}

/// The pictures of a request, as they are sent.
fn pictures(request: &RecordedRequest) -> Vec<String> {
    let parts = request.input().iter().filter_map(|item| item["content"].as_array()).flatten();
    let pictures = parts.filter(|part| part["type"] == "input_image");
    pictures.filter_map(|part| part["image_url"].as_str()).map(str::to_owned).collect()
}
