//! Where a request carries its grant.

/// The header with the signed grant: see `capstan-identity`'s module of grants for its bytes.
pub const GRANT: &str = "capstan-grant-bin";
