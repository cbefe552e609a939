//! Compiles the protobuf files without a system `protoc`.

use std::path::Path;

const FILES: [&str; 7] = [
    "capstan/node/v1/exec.proto",
    "capstan/node/v1/operate.proto",
    "capstan/node/v1/workspace.proto",
    "capstan/node/v1/node.proto",
    "capstan/client/v1/client.proto",
    "capstan/client/v1/placement.proto",
    "capstan/client/v1/sessions.proto",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for file in FILES {
        println!("cargo:rerun-if-changed={file}");
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let descriptors = protox::compile(FILES, [root])?;
    tonic_prost_build::configure().bytes(".").compile_fds(descriptors)?;
    Ok(())
}
