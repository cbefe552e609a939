//! Compiles the part of etcd's API that is spoken here, without a system `protoc`.

use std::path::Path;

const FILE: &str = "etcd.proto";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=etcd/{FILE}");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("etcd");
    let descriptors = protox::compile([FILE], [root])?;
    tonic_prost_build::configure().build_server(false).compile_fds(descriptors)?;
    Ok(())
}
