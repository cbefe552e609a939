//! Names and archives, and the end of a thread.

use super::{create_status, store_status, thread_id};
use crate::thread::open::Threads;
use capstan_proto::wire::client as wire;
use tonic::{Response, Status};

/// The longest name, in bytes.
const LONGEST_NAME: usize = 200;

pub(super) async fn rename(threads: &Threads, request: wire::RenameRequest) -> Result<Response<wire::RenameResponse>, Status> {
    let thread = thread_id(&request.thread_id)?;
    let name = name(&request.name)?;
    threads.rename(thread, name).await.map_err(store_status)?;
    Ok(Response::new(wire::RenameResponse {}))
}

fn name(text: &str) -> Result<Option<&str>, Status> {
    let name = text.trim();
    if name.len() > LONGEST_NAME {
        return Err(Status::invalid_argument(format!("the name has {} bytes; at most {LONGEST_NAME} are taken", name.len())));
    }
    if name.chars().any(char::is_control) {
        return Err(Status::invalid_argument("the name holds a line break or another control character; leave it out"));
    }
    Ok(Some(name).filter(|name| !name.is_empty()))
}

pub(super) async fn archive(threads: &Threads, request: wire::ArchiveRequest) -> Result<Response<wire::ArchiveResponse>, Status> {
    threads.archive(thread_id(&request.thread_id)?, !request.undo).await.map_err(store_status)?;
    Ok(Response::new(wire::ArchiveResponse {}))
}

pub(super) async fn delete(threads: &Threads, request: wire::DeleteRequest) -> Result<Response<wire::DeleteResponse>, Status> {
    threads.delete(thread_id(&request.thread_id)?).await.map_err(create_status)?;
    Ok(Response::new(wire::DeleteResponse {}))
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn a_name_is_one_line_of_some_length() {
        assert_eq!(name(" the parser ").unwrap(), Some("the parser"));
        assert_eq!(name("  ").unwrap(), None);
        assert!(name("a\nb").is_err() && name(&"x".repeat(201)).is_err());
    }
}
