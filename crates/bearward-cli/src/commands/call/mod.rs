//! `bearward call`: one request with a token, by the scheme that the token asks for, and its answer.

mod credentials;
mod report;
mod request;

use std::process::ExitCode;

use reqwest::{
    Client, Response, StatusCode,
    header::{self, HeaderMap, HeaderName},
};
use serde_json::json;

use self::{credentials::Credentials, request::Request};
use crate::{
    commands::args::CallArgs,
    http::{
        access_token::AccessToken,
        dpop::{self, Nonce, Proof, ProofFacts},
        https,
    },
    terminal::{failure::Failure, output},
};

/// Larger than what an API should answer, smaller than what hurts.
const ANSWER_MEBIBYTES: usize = 16;

/// A header field of the answer is cut here.
const FIELD_LENGTH: usize = 2000;

pub(crate) async fn run(args: CallArgs) -> Result<ExitCode, Failure> {
    let request = Request::checked(&args)?;
    let token = AccessToken::from_argument(args.token)?;
    let credentials =
        if args.bearer { Credentials::Bearer(token) } else { Credentials::choose(token, args.dpop_key)? };
    let call =
        Call { client: request.client(&args.patience.terms())?, request, credentials, verbose: args.verbose };
    let mut answer = call.send(None).await?;
    // RFC 9449 §9. Once: a server that never has enough is not asked for ever.
    if let Some(nonce) = answer.nonce_wanted() {
        call.tell_details(&answer);
        answer = call.send(Some(&nonce)).await?;
    }
    if args.json { call.report(answer).await } else { call.tell(answer).await }
}

struct Call {
    client: Client,
    request: Request,
    credentials: Credentials,
    verbose: bool,
}

/// An answer, and the proof that it answers, so that it can be kept from being told.
struct Answer {
    response: Response,
    proof: Option<Proof>,
}

impl Call {
    async fn send(&self, nonce: Option<&Nonce>) -> Result<Answer, Failure> {
        let Request { method, url, headers, body } = &self.request;
        let mut request = self.client.request(method.clone(), url.clone()).headers(headers.clone());
        request = request.header(header::AUTHORIZATION, self.credentials.field()?);
        if let Some(body) = body {
            request = request.body(body.clone());
        }
        let proof = match &self.credentials {
            Credentials::Bearer(_) => None,
            Credentials::Dpop { token, key } => {
                Some(ProofFacts { method, url, token: Some(token), nonce }.prove(key)?)
            }
        };
        if let Some(proof) = &proof {
            request = request.header("DPoP", proof.field()?);
        }
        self.tell_request(nonce);
        let response = https::send(request, &https::authority(url)).await?;
        Ok(Answer { response, proof })
    }

    fn tell_request(&self, nonce: Option<&Nonce>) {
        if !self.verbose {
            return;
        }
        let Request { method, url, .. } = &self.request;
        // Without the query: it may hold what is not for a log.
        let htu = dpop::htu(url);
        output::talk(format_args!("> {method} {htu}"));
        output::talk(format_args!("> Authorization: {} (token not shown)", self.credentials.scheme()));
        if let Credentials::Dpop { key, .. } = &self.credentials {
            let nonce = if nonce.is_some() { ", with the server's nonce" } else { "" };
            output::talk(format_args!("> DPoP: (proof by key {}{nonce})", key.thumbprint()));
        }
    }

    /// Status and hints to stderr, the body to stdout; the status decides on the exit code.
    async fn tell(&self, answer: Answer) -> Result<ExitCode, Failure> {
        let status = answer.response.status();
        self.tell_details(&answer);
        if !self.verbose {
            output::talk(status_line(&answer.response));
        }
        let hint = self.hint(status, answer.response.headers());
        output::body(&https::body(answer.response, ANSWER_MEBIBYTES).await?)?;
        if let Some(hint) = hint {
            output::hint(hint);
        }
        Ok(exit_code(status))
    }

    /// The same as JSON on stdout.
    async fn report(&self, answer: Answer) -> Result<ExitCode, Failure> {
        self.tell_details(&answer);
        let (status, headers) = (answer.response.status(), answer.response.headers().clone());
        let proof = answer.proof;
        let bytes = https::body(answer.response, ANSWER_MEBIBYTES).await?;
        let (body, body_base64) = report::body(&headers, &bytes);
        output::json(&json!({
            "method": self.request.method.as_str(),
            "url": dpop::htu(&self.request.url).as_str(),
            "scheme": self.credentials.scheme(),
            "status": status.as_u16(),
            "headers": report::headers(&headers, |text| self.without_secrets(text, proof.as_ref())),
            "body": body,
            "body_base64": body_base64,
        }))?;
        Ok(exit_code(status))
    }

    fn tell_details(&self, answer: &Answer) {
        if !self.verbose {
            return;
        }
        output::talk(format_args!("< {}", status_line(&answer.response)));
        let shown = [header::WWW_AUTHENTICATE, HeaderName::from_static("dpop-nonce"), header::LOCATION];
        for (name, label) in shown.iter().zip(["WWW-Authenticate", "DPoP-Nonce", "Location"]) {
            for value in answer.response.headers().get_all(name) {
                let text = String::from_utf8_lossy(value.as_bytes());
                output::talk(format_args!(
                    "< {label}: {}",
                    self.without_secrets(&text, answer.proof.as_ref())
                ));
            }
        }
    }

    /// An answer might quote what it was sent.
    fn without_secrets(&self, text: &str, proof: Option<&Proof>) -> String {
        let mut text = text.replace(self.credentials.token().expose(), "***");
        if let Some(proof) = proof {
            text = text.replace(proof.expose(), "***");
        }
        output::one_line(&text, FIELD_LENGTH)
    }

    fn hint(&self, status: StatusCode, headers: &HeaderMap) -> Option<&'static str> {
        if status.is_redirection() && headers.contains_key(header::LOCATION) {
            return Some("redirects are not followed: the token is for this URL; -v shows where it points.")
                .filter(|_| !self.verbose);
        }
        if headers.contains_key(header::WWW_AUTHENTICATE) && !self.verbose {
            return Some("-v shows the answer's challenge, which says why.");
        }
        None
    }
}

impl Answer {
    /// The nonce to try again with: RFC 9449 §9 has 401, `error="use_dpop_nonce"`, and the nonce beside it.
    fn nonce_wanted(&self) -> Option<Nonce> {
        let headers = self.response.headers();
        let asked = |value: &header::HeaderValue| {
            String::from_utf8_lossy(value.as_bytes()).contains("use_dpop_nonce")
        };
        let challenged = headers.get_all(header::WWW_AUTHENTICATE).iter().any(asked);
        let unauthorized = self.response.status() == StatusCode::UNAUTHORIZED;
        if self.proof.is_some() && unauthorized && challenged { Nonce::of(headers) } else { None }
    }
}

fn exit_code(status: StatusCode) -> ExitCode {
    let good = status.is_success() || status.is_redirection();
    if good { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

fn status_line(response: &Response) -> String {
    format!("{:?} {}", response.version(), response.status())
}
