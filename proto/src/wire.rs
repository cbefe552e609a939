//! The generated modules, one per protobuf package.

/// Package `capstan.files.v1`: what is asked of files, by clients and by coordinators.
pub mod files {
    #![allow(
        missing_docs,
        missing_debug_implementations,
        unreachable_pub,
        unused_qualifications,
        clippy::all,
        clippy::pedantic,
        clippy::allow_attributes_without_reason,
        reason = "generated from the .proto files, which hold the documentation"
    )]
    tonic::include_proto!("capstan.files.v1");
}

/// Package `capstan.kept.v1`: what nodes keep of workspaces.
pub mod kept {
    #![allow(
        missing_docs,
        missing_debug_implementations,
        unreachable_pub,
        unused_qualifications,
        clippy::all,
        clippy::pedantic,
        clippy::allow_attributes_without_reason,
        reason = "generated from the .proto files, which hold the documentation"
    )]
    tonic::include_proto!("capstan.kept.v1");
}

/// Package `capstan.node.v1`: what a coordinator asks of a node.
pub mod node {
    #![allow(
        missing_docs,
        missing_debug_implementations,
        unreachable_pub,
        unused_qualifications,
        clippy::all,
        clippy::pedantic,
        clippy::allow_attributes_without_reason,
        reason = "generated from the .proto files, which hold the documentation"
    )]
    tonic::include_proto!("capstan.node.v1");
}

/// Package `capstan.client.v1`: what a client asks of a coordinator.
pub mod client {
    #![allow(
        missing_docs,
        missing_debug_implementations,
        unreachable_pub,
        unused_qualifications,
        clippy::all,
        clippy::pedantic,
        clippy::allow_attributes_without_reason,
        reason = "generated from the .proto files, which hold the documentation"
    )]
    tonic::include_proto!("capstan.client.v1");
}

/// Package `capstan.identity.v1`: how processes become members of a cluster.
pub mod identity {
    #![allow(
        missing_docs,
        missing_debug_implementations,
        unreachable_pub,
        unused_qualifications,
        clippy::all,
        clippy::pedantic,
        clippy::allow_attributes_without_reason,
        reason = "generated from the .proto files, which hold the documentation"
    )]
    tonic::include_proto!("capstan.identity.v1");
}

/// Package `capstan.source.v1`: what workspaces are made of, which the other packages share.
pub mod source {
    #![allow(
        missing_docs,
        missing_debug_implementations,
        unreachable_pub,
        unused_qualifications,
        clippy::all,
        clippy::pedantic,
        clippy::allow_attributes_without_reason,
        reason = "generated from the .proto files, which hold the documentation"
    )]
    tonic::include_proto!("capstan.source.v1");
}
