//! What is known about a code.

use super::front_end::{FrontEnd, with_settings};

/// What is known about a code, for every request that gets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The code, in `snake_case`. Never changed once released.
    pub code: &'static str,
    /// What it is about.
    pub section: Section,
    /// What happened: one or two sentences. Can be used in Markdown, as the remedy can.
    pub cause: &'static str,
    /// With settings as `{setting}`.
    pub(super) remedy: &'static str,
    /// What follows it for users of Auth0.
    pub(super) auth0: Option<&'static str>,
}

impl Entry {
    /// What to do, whoever the issuer is: one to three sentences, with settings as `front_end` spells them.
    pub fn neutral_remedy(&self, front_end: FrontEnd) -> String {
        with_settings(self.remedy, front_end)
    }

    /// The same, and what that means in Auth0's dashboard, if there is more to say.
    pub fn remedy(&self, front_end: FrontEnd) -> String {
        let neutral = self.neutral_remedy(front_end);
        match self.auth0 {
            Some(auth0) => format!("{neutral} {auth0}"),
            None => neutral,
        }
    }
}

/// What a code is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Section {
    /// Which scheme, token and proof the request carries.
    Fields,
    /// The token as a text.
    Shape,
    /// Who signed the token.
    Signer,
    /// What the token says.
    Claims,
    /// Which key the token is bound to.
    Binding,
    /// The proof that the client holds that key.
    Proof,
    /// What the route requires of a valid token.
    Scope,
    /// Requests that can't be decided now.
    Undecided,
    /// The application's function that names the accepted issuers.
    Resolver,
    /// The application's own code and settings.
    Application,
    /// Requests to the issuer's token endpoint.
    ClientFlow,
    /// How a Rust service is put together.
    RustRoutes,
}

impl Section {
    /// As a heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Fields => "The Authorization and DPoP fields",
            Self::Shape => "The shape of the token",
            Self::Signer => "The issuer and its keys",
            Self::Claims => "The claims",
            Self::Binding => "The binding of the token to a key",
            Self::Proof => "The DPoP proof",
            Self::Scope => "What the route requires",
            Self::Undecided => "When a request can't be decided now",
            Self::Resolver => "The function that names the accepted issuers",
            Self::Application => "The API's own code and settings",
            Self::ClientFlow => "Tokens for other services",
            Self::RustRoutes => "Routes of a Rust service",
        }
    }
}
