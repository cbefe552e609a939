//! Somebody who asks a node for a session, with whatever credentials and grant they have.

use crate::house::Member;
use capstan_identity::credentials::Credentials;
use capstan_identity::grant::sign;
use capstan_identity::live::Live;
use capstan_identity::time_now::now_ms;
use capstan_identity::tls::Expected;
use capstan_identity::trust::Trust;
use capstan_proto::grant_header::GRANT;
use capstan_proto::transport::tls::secured_channel;
use capstan_proto::wire::node as wire;
use capstan_proto::wire::node::exec_client::ExecClient;
use capstan_proto::wire::node::operate_client::OperateClient;
use capstan_types::grant::{Act, Grant, policy_digest};
use capstan_types::id::{Attempt, CallId, Epoch, Generation, SessionId, ThreadId};
use capstan_types::launch::Stdio;
use capstan_types::limits::SessionLimits;
use capstan_types::output::Seq;
use capstan_types::policy::SandboxPolicy;
use capstan_types::principal::Role;
use capstan_types::session::{Authority, StartCall};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use std::sync::Arc;
use tonic::metadata::MetadataValue;
use tonic::transport::Channel;
use tonic::{Request, Status, Streaming};

/// Connects as somebody.
pub(crate) struct Attacker {
    pub(crate) credentials: Arc<Credentials>,
    channel: Channel,
}

impl Attacker {
    /// It knows whom to believe, and expects a node. Call it within a runtime.
    pub(crate) fn with(credentials: Credentials, trust: Trust, node: &Member) -> Self {
        let live = Live::held(credentials, trust);
        let expected = Expected { role: Role::Node, id: None };
        let channel = secured_channel(&node.address, &live, &live.credentials(), expected, None);
        Self { credentials: live.credentials(), channel }
    }

    /// A call of this command, for a thread of its own.
    pub(crate) fn call(&self, script: &str) -> StartCall {
        StartCall {
            authority: Authority { thread: ThreadId::generate(), epoch: Epoch(7), owner: "attacker".to_owned() },
            call: CallId::generate(),
            attempt: Attempt(1),
            argv: ["sh", "-c", script].map(str::to_owned).into(),
            cwd: "/tmp".parse().expect("a path"),
            env: [].into(),
            stdio: Stdio::PipesNoInput,
            policy: SandboxPolicy::workspace_write(Vec::new()),
            limits: SessionLimits::default(),
            from: Seq(0),
        }
    }

    /// The grant that an owner would sign for this call on the node `far`.
    pub(crate) fn grant(&self, call: &StartCall) -> Grant {
        Grant {
            thread: call.authority.thread,
            node: "far".parse().expect("a node id"),
            generation: Generation(1),
            epoch: call.authority.epoch,
            act: Act::Start(call.call, call.attempt),
            policy: Some(policy_digest(&call.policy, Some(&call.limits))),
            not_after_ms: now_ms() + 60_000,
            holder: self.credentials.own().thumbprint,
        }
    }

    /// Asks, with a signed grant or without one.
    pub(crate) async fn start(&self, call: &StartCall, grant: Option<&[u8]>) -> Result<Streaming<wire::SessionEvent>, Status> {
        let mut request = Request::new(wire::StartRequest::from(call));
        if let Some(grant) = grant {
            request.metadata_mut().insert_bin(GRANT, MetadataValue::from_bytes(grant));
        }
        ExecClient::new(self.channel.clone()).start(request).await.map(tonic::Response::into_inner)
    }

    /// Ends a session that there is not, for somebody.
    pub(crate) async fn kill_as(&self, by: &str, thread: ThreadId, session: SessionId) -> Status {
        let operator = Some(wire::Operator { by: by.to_owned(), via: String::new() });
        let place = Some(wire::SessionPlace { thread_id: thread.to_string(), session_id: session.to_string() });
        let request = wire::OperateKillRequest { operator, place };
        OperateClient::new(self.channel.clone()).kill(request).await.expect_err("there is none")
    }

    /// Asks with this grant, signed with its own key.
    pub(crate) async fn start_granted(&self, call: &StartCall, grant: &Grant) -> Result<Streaming<wire::SessionEvent>, Status> {
        let signed = sign(grant, &self.credentials).expect("the key signs");
        self.start(call, Some(&signed)).await
    }
}

/// Somebody without a certificate, who believes whatever it finds.
pub(crate) fn believes_anybody() -> Arc<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(&[&rustls::version::TLS13]);
    let config = config.expect("the version is spoken").dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider)));
    let mut config = config.with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config)
}

#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
