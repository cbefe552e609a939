//! A running process's identity: its newest credentials, and whom it believes now. Both change while it runs, and no connection is closed
//! for that but those of certificates that were taken back.

use crate::credentials::{Credentials, CredentialsError, IdentityDir};
use crate::signed_trust::{self, NotTaken};
use crate::trust::Trust;
use capstan_types::principal::Serial;
use std::sync::Arc;
use tokio::sync::watch;

/// The identity. Clones share it.
#[derive(Debug, Clone)]
pub struct Live {
    credentials: Arc<watch::Sender<Arc<Credentials>>>,
    trust: Arc<watch::Sender<Arc<Trust>>>,
    dir: Option<IdentityDir>,
}

impl Live {
    /// An identity that is kept in a directory as it changes.
    #[must_use]
    pub fn kept(credentials: Credentials, trust: Trust, dir: IdentityDir) -> Self {
        Self { dir: Some(dir), ..Self::held(credentials, trust) }
    }

    /// An identity that ends with the process.
    #[must_use]
    pub fn held(credentials: Credentials, trust: Trust) -> Self {
        let credentials = Arc::new(watch::Sender::new(Arc::new(credentials)));
        Self { credentials, trust: Arc::new(watch::Sender::new(Arc::new(trust))), dir: None }
    }

    /// The identity in a directory.
    ///
    /// # Errors
    /// There is none, or it makes no sense.
    pub fn open(dir: IdentityDir) -> Result<Self, CredentialsError> {
        Ok(Self::kept(dir.credentials()?, dir.trust()?, dir))
    }

    /// The newest credentials.
    #[must_use]
    pub fn credentials(&self) -> Arc<Credentials> {
        Arc::clone(&self.credentials.borrow())
    }

    /// Whom to believe now.
    #[must_use]
    pub fn trust(&self) -> Arc<Trust> {
        Arc::clone(&self.trust.borrow())
    }

    /// Takes new credentials. What is connected stays connected.
    ///
    /// # Errors
    /// They cannot be kept; they are not taken then, so that a process that dies comes back as who it was.
    pub fn renewed(&self, credentials: Credentials) -> Result<(), CredentialsError> {
        if let Some(dir) = &self.dir {
            dir.keep(&credentials)?;
        }
        self.credentials.send_replace(Arc::new(credentials));
        Ok(())
    }

    /// Takes what somebody says of whom to believe, as an authority has signed it.
    ///
    /// # Errors
    /// None has.
    pub fn hear(&self, proof: &[u8]) -> Result<(), NotTaken> {
        let (cluster, trust) = (self.credentials().own().name.cluster.clone(), self.trust());
        if *trust.proof == *proof {
            return Ok(());
        }
        self.believe(&signed_trust::open(proof, &cluster, &trust.authorities)?);
        Ok(())
    }

    /// Believes this as well from now on: see [`Trust::joined`]. What cannot be kept is believed all the same.
    pub fn believe(&self, said: &Trust) {
        let Some(trust) = self.trust().joined(said) else { return };
        if let Some(Err(error)) = self.dir.as_ref().map(|dir| dir.believe(&trust)) {
            tracing::warn!(%error, "whom to believe could not be kept for the next start");
        }
        self.trust.send_replace(Arc::new(trust));
    }

    /// Tells whom to believe whenever that changes.
    #[must_use]
    pub fn trust_changes(&self) -> watch::Receiver<Arc<Trust>> {
        self.trust.subscribe()
    }

    /// Waits until a certificate is taken back; for ever, if it never is.
    pub async fn denied(&self, serial: &Serial) {
        let mut trust = self.trust.subscribe();
        if trust.wait_for(|trust| trust.denied.contains(serial)).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
