//! How much a channel takes ahead of whoever reads from it.

use tonic::transport::Endpoint;

/// Bytes that may lie unread in one stream. Past it the sender waits.
const STREAM: u32 = 256 * 1024;

/// Bytes that may lie unread in all streams of a connection: the most that HTTP/2 knows (RFC 9113, section 6.9.1). With less, a few
/// streams that nobody reads from would keep back all others, such as the answer to a kill.
const CONNECTION: u32 = (1 << 31) - 1;

/// An endpoint whose streams do not stand in each other's way.
pub(super) fn with_windows(endpoint: Endpoint) -> Endpoint {
    endpoint.initial_stream_window_size(STREAM).initial_connection_window_size(CONNECTION)
}
