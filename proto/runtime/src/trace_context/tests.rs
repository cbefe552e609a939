//! Without an exporter there is nothing to pass on. What is passed on with one is tested beside the exporter.

use super::{adopt, current_traceparent};

#[test]
fn without_an_exporter_there_is_no_traceparent_and_adopting_one_is_harmless() {
    let span = tracing::info_span!("call");
    for text in ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "", "00-zz", "\u{0}\u{e4}"] {
        adopt(&span, text);
    }
    assert_eq!(span.in_scope(current_traceparent), None);
}
