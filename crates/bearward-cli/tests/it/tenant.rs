//! An https tenant with any answers that a test sets.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, Response, Uri},
};
use serde_json::Value;
use tokio::{runtime::Runtime, sync::Notify};

use crate::server::{Tls, listen, tls_for};

/// Answers by method and path. The last answer is repeated.
pub(crate) struct Tenant {
    domain: String,
    pub(crate) address: String,
    ca_pem: String,
    state: Shared,
    _runtime: Runtime,
}

type Shared = Arc<(Mutex<Log>, Notify)>;

#[derive(Default)]
struct Log {
    answers: HashMap<String, Vec<Answer>>,
    requests: Vec<Request>,
}

#[derive(Clone)]
pub(crate) enum Answer {
    Whole {
        status: u16,
        headers: Vec<(&'static str, &'static str)>,
        body: String,
    },
    /// When the test releases it.
    Later(Box<Answer>),
    Never,
}

impl Answer {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::text(status, &body.to_string())
    }

    pub(crate) fn text(status: u16, body: &str) -> Self {
        Self::Whole { status, headers: Vec::new(), body: body.to_owned() }
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: &'static str) -> Self {
        if let Self::Whole { headers, .. } = &mut self {
            headers.push((name, value));
        }
        self
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) line: String,
    pub(crate) query: Option<String>,
    pub(crate) authorization: Option<String>,
    pub(crate) body: String,
}

impl Tenant {
    pub(crate) fn start() -> Self {
        Self::with(None)
    }

    /// With this name, and reached through a proxy only.
    pub(crate) fn behind_proxy(name: &str) -> Self {
        Self::with(Some(name))
    }

    fn with(name: Option<&str>) -> Self {
        let (runtime, listener) = listen();
        let address = listener.local_addr().unwrap().to_string();
        let (acceptor, ca_pem) = tls_for(name.unwrap_or("127.0.0.1"));
        let state = Shared::default();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&state));
        let listener = Tls { listener, acceptor, is_proxy: name.is_some() };
        runtime.spawn(async { axum::serve(listener, router).await });
        let domain = name.unwrap_or(&address).to_owned();
        Self { domain, address, ca_pem, state, _runtime: runtime }
    }

    /// `line` is method and path.
    pub(crate) fn answers(&self, line: &str, answers: impl IntoIterator<Item = Answer>) {
        let mut answers: Vec<_> = answers.into_iter().collect();
        answers.reverse();
        self.state.0.lock().unwrap().answers.insert(line.to_owned(), answers);
    }

    /// Releases one answer.
    pub(crate) fn release(&self) {
        self.state.1.notify_one();
    }

    pub(crate) fn domain(&self) -> &str {
        &self.domain
    }

    /// Its certificate in a file of this folder, for `SSL_CERT_FILE`.
    pub(crate) fn ca_file(&self, folder: &Path) -> PathBuf {
        let path = folder.join("mock-ca.pem");
        fs::write(&path, &self.ca_pem).unwrap();
        path
    }

    /// The requests since the last call.
    pub(crate) fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.state.0.lock().unwrap().requests)
    }
}

async fn answer(
    State(state): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let line = format!("{method} {}", uri.path());
    let answer = {
        let mut log = state.0.lock().unwrap();
        let authorization = headers.get("authorization").map(|field| field.to_str().unwrap().to_owned());
        let body = String::from_utf8(body.to_vec()).unwrap();
        let query = uri.query().map(str::to_owned);
        log.requests.push(Request { line: line.clone(), query, authorization, body });
        let answers = log.answers.get_mut(&line);
        answers.and_then(|answers| if answers.len() > 1 { answers.pop() } else { answers.last().cloned() })
    };
    let mut answer = answer.unwrap_or_else(|| Answer::text(599, &format!("no answer was set for {line}")));
    loop {
        match answer {
            Answer::Never => std::future::pending().await,
            Answer::Later(later) => {
                state.1.notified().await;
                answer = *later;
            }
            Answer::Whole { status, headers, body } => {
                let mut response = Response::builder().status(status);
                for (name, value) in headers {
                    response = response.header(name, value);
                }
                return response.body(body.into()).unwrap();
            }
        }
    }
}
