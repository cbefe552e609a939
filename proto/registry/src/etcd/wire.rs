//! The generated part of etcd's API.

#![allow(
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    reason = "generated from etcd.proto, which holds the documentation"
)]
tonic::include_proto!("etcdserverpb");
