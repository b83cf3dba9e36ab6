//! How every check of a request ended, for people who want to know why it was refused.

mod explain;

use crate::check::Check;
use crate::decision::{Refused, Verified};
use crate::encoding::json::JsonObject;
use crate::http::scheme::Scheme;
use crate::issuer::metadata::Metadata;
use crate::jose::thumbprint::Thumbprint;
use crate::refusal::{Cause, Unavailable};

/// The decision about a request.
pub(crate) type Outcome = Result<Verified, Box<Refused>>;

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// It passed.
    Passed,
    /// It failed.
    Failed(Cause),
    /// It can't be decided now.
    Undecided(Unavailable),
    /// It could not be made, because something is missing or an earlier check failed.
    NotReached,
    /// It does not apply to this request with this policy.
    NotApplicable,
}

/// A check, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// The check.
    pub check: Check,
    /// How it ended.
    pub finding: Finding,
    /// Whether it was made on claims whose signature is wrong or was not checked. Anybody may have written them.
    pub unverified: bool,
}

/// How every check of a request ended. [`Verifier::explain`](crate::Verifier::explain) makes it.
///
/// It holds what the token and the proof say, which may be personal. It holds neither their text nor a signature. `Debug`
/// shows no claims.
#[derive(Debug)]
pub struct Explanation {
    pub(crate) outcome: Outcome,
    pub(crate) scheme: Option<Scheme>,
    pub(crate) steps: Vec<Step>,
    pub(crate) header: Option<JsonObject>,
    pub(crate) claims: Option<JsonObject>,
    pub(crate) proof_header: Option<JsonObject>,
    pub(crate) proof_claims: Option<JsonObject>,
    pub(crate) proof_thumbprint: Option<Thumbprint>,
    pub(crate) token_hash: Option<String>,
    pub(crate) metadata: Option<Metadata>,
}

impl Explanation {
    /// The decision about the request, scopes included.
    pub fn outcome(&self) -> &Result<Verified, Box<Refused>> {
        &self.outcome
    }

    /// The scheme that the request came in, if it is a known one.
    pub fn scheme(&self) -> Option<Scheme> {
        self.scheme
    }

    /// Every check, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The first check that failed or could not be made: the one that decides.
    pub fn first_failure(&self) -> Option<&Step> {
        self.steps.iter().find(|step| matches!(step.finding, Finding::Failed(_) | Finding::Undecided(_)))
    }

    /// How this check ended.
    pub fn finding(&self, check: Check) -> &Finding {
        let step = self.steps.iter().find(|step| step.check == check);
        step.map_or(&Finding::NotApplicable, |step| &step.finding)
    }

    /// The token's header, if it can be read.
    pub fn header(&self) -> Option<&JsonObject> {
        self.header.as_ref()
    }

    /// The token's claims, if they can be read. Verified only if [`outcome`](Self::outcome) says so.
    pub fn claims(&self) -> Option<&JsonObject> {
        self.claims.as_ref()
    }

    /// The proof's header, if it can be read.
    pub fn proof_header(&self) -> Option<&JsonObject> {
        self.proof_header.as_ref()
    }

    /// The proof's claims, if they can be read.
    pub fn proof_claims(&self) -> Option<&JsonObject> {
        self.proof_claims.as_ref()
    }

    /// The thumbprint of the proof's key, if the key can be used.
    pub fn proof_thumbprint(&self) -> Option<&Thumbprint> {
        self.proof_thumbprint.as_ref()
    }

    /// The value that `ath` must have in a proof for this token.
    pub fn token_hash(&self) -> Option<&str> {
        self.token_hash.as_deref()
    }

    /// The issuer's discovery document, if the issuer is accepted and the document was fetched.
    pub fn metadata(&self) -> Option<&Metadata> {
        self.metadata.as_ref()
    }
}
