//! A request, as Python describes it, and what comes of it at once.

use std::borrow::Cow;
use std::sync::Arc;

use bearward_core::http::client_certificate::ClientCertificate;
use bearward_core::{Next, Question, RequestFacts, RequestUrl, Verifier};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::claims;
use crate::decision::{OwnedQuestion, begun};
use crate::headers::FieldLines;
use crate::passed::About;
use crate::requirement::Requirement;
use crate::resource::Guidance;
use crate::values::unix_time;

/// A request, as Python describes it.
pub(crate) struct AskedRequest<'a, 'py> {
    pub(crate) headers: &'a Bound<'py, PyAny>,
    /// Method and URL.
    pub(crate) target: Option<(&'a Bound<'py, PyString>, &'a Bound<'py, PyString>)>,
    pub(crate) certificate: ClientCertificate<'a>,
    pub(crate) guidance: Option<&'a Guidance>,
    pub(crate) requirement: Option<&'a Bound<'py, Requirement>>,
}

/// What Python gets of a request that is let in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Passed,
    /// If nothing else is due.
    Claims,
}

impl<'py> AskedRequest<'_, 'py> {
    /// What comes of it at once. `None`: method and URL count, and are not given.
    pub(crate) fn ask(
        &self,
        py: Python<'py>,
        verifier: &Arc<Verifier>,
        now: f64,
        wanted: Wanted,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let lines = FieldLines::collect(self.headers)?;
        let headers = lines.fields();
        let compares = verifier.compares_target(&headers);
        if compares && self.target.is_none() {
            return Ok(None);
        }
        // Most requests have no proof, and then nobody reads them.
        let target = self.target.filter(|_| compares);
        let target = target.map(|(method, url)| (readable(method), readable(url)));
        let (method, url) = match &target {
            Some((method, url)) => (&**method, RequestUrl::Whole(url)),
            None => ("", RequestUrl::Unknown),
        };
        let facts = RequestFacts { headers, method, url, client_certificate: self.certificate };
        let mut decision = match self.guidance {
            Some(guidance) => bearward_core::Decision::guiding(Arc::clone(&guidance.0)),
            None => bearward_core::Decision::new(),
        };
        let next = verifier.next(&mut decision, Question::Request(&facts), unix_time(now)?);
        if wanted == Wanted::Claims
            && let Next::Done(Ok(verified)) = &next
            && verified.refresh.is_none()
        {
            return Ok(Some(claims::of_token(py, &verified.token)?.into_any()));
        }
        let about = Arc::new(About {
            verifier: Arc::clone(verifier),
            credentials: lines.credentials(),
            target: self.target.map(|(method, url)| (method.clone().unbind(), url.clone().unbind())),
            requirement: self.requirement.cloned().map(Bound::unbind),
        });
        begun(py, about, decision, next, now, || OwnedQuestion::of_request(&facts)).map(Some)
    }
}

/// A text as the engine takes it: without lone surrogates. No valid method and no valid URL contains what takes their place.
fn readable<'a>(text: &'a Bound<'_, PyString>) -> Cow<'a, str> {
    text.to_cow().unwrap_or_else(|_| text.to_string_lossy())
}

/// The certificate of a client: DER, or one block of PEM.
#[derive(FromPyObject)]
pub(crate) enum Certificate {
    Pem(String),
    Der(Vec<u8>),
}

impl Certificate {
    pub(crate) fn shown(certificate: Option<&Self>, behind_proxy: bool) -> ClientCertificate<'_> {
        match certificate {
            None if behind_proxy => ClientCertificate::FromProxy,
            None => ClientCertificate::Unknown,
            Some(Self::Der(der)) => ClientCertificate::Der(der),
            Some(Self::Pem(pem)) => ClientCertificate::Pem(pem),
        }
    }
}
