//! Opens models: the one place where it is chosen what stands behind the trait.

use crate::client::ModelClient;
use crate::credentials::Lookup;
use crate::provider::ProviderConfig;
use crate::record::Recorder;
use crate::remote::{RemoteModel, SetupError};
use crate::script_file::ScriptError;
use crate::scripted::ScriptedModel;
use std::path::Path;
use std::sync::Arc;

/// A model that cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The provider cannot be asked as it is set up.
    #[error(transparent)]
    Provider(#[from] SetupError),
    /// The script cannot be used.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// The recording cannot be written.
    #[error("cannot write the recording {path}: {source}; choose another file")]
    Recording {
        /// The file.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
}

/// A provider's models. Connects when it is first asked.
///
/// # Errors
/// The provider's key is missing, or what is configured cannot be sent.
pub fn open(provider: &ProviderConfig, credentials: &dyn Lookup) -> Result<Arc<dyn ModelClient>, OpenError> {
    Ok(Arc::new(RemoteModel::new(provider, credentials)?))
}

/// A scripted model, from its file.
///
/// # Errors
/// The file cannot be read, or is no script.
pub fn open_script(path: &Path) -> Result<Arc<dyn ModelClient>, OpenError> {
    Ok(Arc::new(ScriptedModel::open(path)?))
}

/// The same model, with its answers recorded into a file that [`open_script`] takes.
///
/// # Errors
/// The file cannot be written.
pub fn record(client: Arc<dyn ModelClient>, path: &Path) -> Result<Arc<dyn ModelClient>, OpenError> {
    let recorder = Recorder::create(client, path);
    Ok(Arc::new(recorder.map_err(|source| OpenError::Recording { path: path.display().to_string(), source })?))
}
