//! Compiles the protobuf files without a system `protoc`.

use std::path::Path;

/// The files of packages that several protocols share.
const SHARED: [&str; 3] = ["capstan/files/v1/files.proto", "capstan/kept/v1/kept.proto", "capstan/source/v1/source.proto"];

const FILES: [&str; 16] = [
    SHARED[0],
    SHARED[1],
    SHARED[2],
    "capstan/node/v1/exec.proto",
    "capstan/node/v1/operate.proto",
    "capstan/node/v1/workspace.proto",
    "capstan/node/v1/files.proto",
    "capstan/node/v1/node.proto",
    "capstan/client/v1/client.proto",
    "capstan/client/v1/placement.proto",
    "capstan/client/v1/nodes.proto",
    "capstan/client/v1/files.proto",
    "capstan/client/v1/workspaces.proto",
    "capstan/client/v1/sessions.proto",
    "capstan/client/v1/uploads.proto",
    "capstan/identity/v1/identity.proto",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for file in FILES {
        println!("cargo:rerun-if-changed={file}");
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let descriptors = protox::compile(FILES, [root])?;
    // What a test holds the table of methods against.
    let services = descriptors.file.iter().flat_map(|file| file.service.iter().map(move |service| (file.package(), service)));
    let paths: String = services
        .flat_map(|(package, service)| {
            service.method.iter().map(move |method| format!("/{package}.{}/{}\n", service.name(), method.name()))
        })
        .collect();
    std::fs::write(Path::new(&std::env::var("OUT_DIR")?).join("methods.txt"), paths)?;
    // What several protocols share is a module of its own, which each knows by its name.
    tonic_prost_build::configure().bytes(".").compile_fds(protox::compile(SHARED, [root])?)?;
    tonic_prost_build::configure()
        .bytes(".")
        .extern_path(".capstan.files.v1", "crate::wire::files")
        .extern_path(".capstan.kept.v1", "crate::wire::kept")
        .extern_path(".capstan.source.v1", "crate::wire::source")
        // It holds a secret, and is shown without.
        .skip_debug(["capstan.node.v1.GitCredential"])
        .compile_fds(descriptors)?;
    Ok(())
}
