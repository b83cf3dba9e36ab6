//! A decision about a request, for Python's driver: what to bring next, and the result.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bearward_core::http::client_certificate::ClientCertificate;
use bearward_core::issuer::IssuerUrl;
use bearward_core::{
    HeaderFields, Next, Question, RequestFacts, RequestUrl, StoreAnswer, UnixTime, Verifier,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::documents::DocumentNeeded;
use crate::exceptions::guarded;
use crate::introspection::IntrospectionNeeded;
use crate::passed::About;
use crate::values::unix_time;

/// A decision that needs something from outside.
#[pyclass(frozen, module = "bearward._native")]
pub(crate) struct Decision {
    about: Arc<About>,
    question: OwnedQuestion,
    state: Mutex<State>,
}

struct State {
    decision: bearward_core::Decision,
    /// The result of the first call, which was made before this object.
    first: Option<Next>,
}

/// A question that is kept after the call that asked it.
pub(crate) enum OwnedQuestion {
    Request {
        fields: Vec<(&'static str, Vec<u8>)>,
        method: String,
        url: String,
        certificate: OwnedCertificate,
    },
    AccessToken {
        token: String,
        required_claims: Vec<String>,
    },
}

/// A [`ClientCertificate`] that is kept after the call.
pub(crate) enum OwnedCertificate {
    Unknown,
    Der(Vec<u8>),
    Pem(String),
    FromProxy,
}

impl OwnedCertificate {
    fn of(certificate: ClientCertificate<'_>) -> Self {
        match certificate {
            ClientCertificate::Unknown => Self::Unknown,
            ClientCertificate::Der(der) => Self::Der(der.to_vec()),
            ClientCertificate::Pem(pem) => Self::Pem(pem.to_owned()),
            ClientCertificate::FromProxy => Self::FromProxy,
        }
    }

    fn lent(&self) -> ClientCertificate<'_> {
        match self {
            Self::Unknown => ClientCertificate::Unknown,
            Self::Der(der) => ClientCertificate::Der(der),
            Self::Pem(pem) => ClientCertificate::Pem(pem),
            Self::FromProxy => ClientCertificate::FromProxy,
        }
    }
}

impl OwnedQuestion {
    pub(crate) fn of_request(facts: &RequestFacts<'_>) -> Self {
        let fields = facts.headers.lines().map(|(name, value)| (name, value.to_vec())).collect();
        Self::Request {
            fields,
            method: facts.method.to_owned(),
            url: facts.public_url().into_owned(),
            certificate: OwnedCertificate::of(facts.client_certificate),
        }
    }

    fn ask(&self, verifier: &Verifier, decision: &mut bearward_core::Decision, now: f64) -> PyResult<Next> {
        let now = unix_time(now)?;
        Ok(match self {
            Self::Request { fields, method, url, certificate } => {
                let headers = HeaderFields::of(fields.iter().map(|(name, value)| (*name, value.as_slice())));
                let (url, client_certificate) = (RequestUrl::Whole(url), certificate.lent());
                let facts = RequestFacts { headers, method, url, client_certificate };
                verifier.next(decision, Question::Request(&facts), now)
            }
            Self::AccessToken { token, required_claims } => {
                let required: Vec<&str> = required_claims.iter().map(String::as_str).collect();
                let question = Question::AccessToken { token, required_claims: &required };
                verifier.next(decision, question, now)
            }
        })
    }
}

/// What was passed, if the request is let in at once; or the decision that has to go on.
pub(crate) fn begun(
    py: Python<'_>,
    about: Arc<About>,
    decision: bearward_core::Decision,
    next: Next,
    now: f64,
    question: impl FnOnce() -> OwnedQuestion,
) -> PyResult<Bound<'_, PyAny>> {
    match next {
        Next::Done(outcome) => About::done(&about, py, outcome, now),
        next
        @ (Next::Fetch(_) | Next::Introspect(_) | Next::ResolveIssuers(_) | Next::CheckReplay { .. }) => {
            let state = Mutex::new(State { decision, first: Some(next) });
            Ok(Bound::new(py, Decision { about, question: question(), state })?.into_any())
        }
    }
}

#[pymethods]
impl Decision {
    fn next<'py>(&self, py: Python<'py>, now: f64) -> PyResult<Bound<'py, PyAny>> {
        guarded(py, || {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let next = match state.first.take() {
                Some(first) => first,
                None => self.question.ask(&self.about.verifier, &mut state.decision, now)?,
            };
            match next {
                Next::Fetch(needed) => Ok(Bound::new(py, DocumentNeeded(needed))?.into_any()),
                Next::Introspect(needed) => Ok(Bound::new(py, IntrospectionNeeded(*needed))?.into_any()),
                Next::ResolveIssuers(unverified) => {
                    Ok(Bound::new(py, ResolveIssuers(unverified))?.into_any())
                }
                Next::CheckReplay { key, remember_for, usable_since } => {
                    let check = CheckReplay { key: *key.as_bytes(), remember_for, usable_since };
                    Ok(Bound::new(py, check)?.into_any())
                }
                Next::Done(outcome) => About::done(&self.about, py, outcome, now),
            }
        })
    }

    fn issuers(&self, issuers: &IssuerSet) {
        self.with_state(|decision| decision.issuers(Arc::clone(&issuers.0)));
    }

    fn waited(&self, needed: &DocumentNeeded) {
        self.with_state(|decision| decision.waited(&needed.0));
    }

    fn gave_up_introspection(&self) {
        self.with_state(bearward_core::Decision::gave_up_introspection);
    }

    fn sighting(&self, is_new: Option<bool>) {
        let answer = match is_new {
            Some(true) => StoreAnswer::First,
            Some(false) => StoreAnswer::Again,
            None => StoreAnswer::Unknown,
        };
        self.with_state(|decision| decision.sighting(answer));
    }
}

impl Decision {
    fn with_state(&self, change: impl FnOnce(&mut bearward_core::Decision)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner).decision);
    }
}

/// The resolver has to be asked which issuers are accepted, before the request can be decided.
#[pyclass(frozen, module = "bearward._native")]
pub(crate) struct ResolveIssuers(IssuerUrl);

#[pymethods]
impl ResolveIssuers {
    #[getter]
    fn unverified_iss(&self) -> &str {
        self.0.as_str()
    }
}

/// The shared store has to be asked whether a proof is new, before the request can be decided.
#[pyclass(frozen, module = "bearward._native")]
pub(crate) struct CheckReplay {
    key: [u8; 32],
    remember_for: Duration,
    usable_since: UnixTime,
}

#[pymethods]
impl CheckReplay {
    #[getter]
    fn key<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.key)
    }

    #[getter]
    fn ttl_seconds(&self) -> f64 {
        self.remember_for.as_secs_f64()
    }

    #[getter]
    fn usable_since(&self) -> u64 {
        self.usable_since.whole_seconds()
    }
}

/// The issuers accepted for a request, as a resolver named them.
#[pyclass(frozen, module = "bearward._native")]
pub(crate) struct IssuerSet(Arc<HashSet<IssuerUrl>>);

#[pymethods]
impl IssuerSet {
    #[new]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over what it converted")]
    fn new(domains: Vec<String>) -> PyResult<Self> {
        let parsed: Result<HashSet<IssuerUrl>, _> =
            domains.iter().map(|domain| IssuerUrl::named(domain)).collect();
        parsed.map(|issuers| Self(issuers.into())).map_err(|error| PyValueError::new_err(error.to_string()))
    }
}
