//! Frames between a node and a holder: what is decoded encodes so that it decodes the same.
#![no_main]

use bytes::BytesMut;
use capstan_types::control::{Report, Request};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut wire = BytesMut::from(bytes);
    while let Ok(Some(request)) = Request::decode(&mut wire) {
        let mut again = BytesMut::new();
        request.encode(&mut again);
        assert_eq!(Request::decode(&mut again), Ok(Some(request)));
    }
    let mut wire = BytesMut::from(bytes);
    while let Ok(Some(report)) = Report::decode(&mut wire) {
        let mut again = BytesMut::new();
        report.encode(&mut again);
        assert_eq!(Report::decode(&mut again), Ok(Some(report)));
    }
});
