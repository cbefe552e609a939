//! Who is let in, by real processes over real TLS: joining, impersonating, renewing, revoking.
//!
//! The attackers are made here, with certificates of the cluster's own authority where they need one that is good.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod attacker;
mod house;

mod another_life;
mod dialing;
mod impersonation;
mod joining;
mod renewal;
mod revocation;
mod shared_ledger;
mod strangers;
mod succession;
mod walk;
mod whole_path;
