# The one door to everything that is done to this repository. `just` alone lists the recipes; each is a line that also works by hand.

set shell := ["bash", "-euo", "pipefail", "-c"]

[private]
default:
    @just --list

# Brings every file into form.
fmt:
    cargo fmt --all

# Form, lints, and the walls between the crates.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    cargo test --quiet -p capstan-tests --test tidy

# Every test. Arguments go to the test runner.
test *args:
    tests/run {{args}}

# The tests that run the real programs from end to end.
e2e *args: build
    cargo test -p capstan-tests --test e2e {{args}}

# Both programs.
build:
    cargo build -p capstan -p capstan-sandbox

# The documentation of every crate.
doc:
    RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps

# The figures of the README's table, from an optimised build.
bench *args:
    cargo build --release -p capstan -p capstan-sandbox
    cargo bench -p capstan-tests {{args}}

# What takes longer than an ordinary run may: the laws with far more cases, every attack as every user, each fuzz target for an hour.
# What it prints is kept in tests/proofs.
prove cases="20000" seconds="3600":
    tests/prove {{cases}} {{seconds}}

# All that must hold before a change is kept.
verify:
    .ci/run
