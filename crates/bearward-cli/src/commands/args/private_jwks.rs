use bearward_core::issuer::PrivateAddresses;

/// An API's `allow_private_jwks`.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(crate) struct PrivateJwks {
    /// The API lets the issuer's keys be at a private address (`allow_private_jwks`)
    #[arg(long = "allow-private-jwks")]
    allowed: bool,
}

impl PrivateJwks {
    pub(crate) fn addresses(self) -> PrivateAddresses {
        if self.allowed { PrivateAddresses::Allowed } else { PrivateAddresses::Refused }
    }
}
