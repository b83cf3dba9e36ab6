//! `bearward call`: one request with a token, and its answer.

mod credentials;
mod report;
mod request;

use std::{path::PathBuf, process::ExitCode};

use reqwest::{
    Client, Response, StatusCode,
    header::{self, HeaderMap, HeaderName},
};
use serde_json::json;

use self::{credentials::Credentials, request::Request};
use crate::{
    commands::{
        args::{CallArgs, TokenRequest},
        grant::{self, GrantRequest},
    },
    http::{
        access_token::AccessToken,
        dpop::{self, Nonce, Proof, ProofFacts},
        https::{self, HttpOptions},
    },
    settings::ENV_FILE,
    terminal::{failure::Failure, input, output},
};

/// The largest answer that is read.
const ANSWER_MEBIBYTES: usize = 16;

/// Header fields of the answer are cut to this length.
const FIELD_LENGTH: usize = 2000;

pub(crate) async fn run(args: CallArgs) -> Result<ExitCode, Failure> {
    let request = Request::checked(&args)?;
    let options = args.timeout.http_options();
    let token = match args.token.filter(|_| !args.request.which.is_typed()) {
        Some(token) => AccessToken::from_argument(token)?,
        None => requested_token(args.request, args.dpop_key.clone(), &options).await?,
    };
    let credentials =
        if args.bearer { Credentials::Bearer(token) } else { Credentials::choose(token, args.dpop_key)? };
    let call = Call { client: request.client(&options)?, request, credentials, verbose: args.verbose };
    let mut answer = call.send(None).await?;
    // RFC 9449 §9. Only once: a server may reject every nonce.
    if let Some(nonce) = answer.required_nonce() {
        call.print_details(&answer);
        answer = call.send(Some(&nonce)).await?;
    }
    if args.json { call.report(answer).await } else { call.print(answer).await }
}

/// A token by the client credentials grant. An empty id or secret counts as missing.
async fn requested_token(
    request: TokenRequest,
    dpop_key: Option<PathBuf>,
    options: &HttpOptions,
) -> Result<AccessToken, Failure> {
    let present = |text: Option<String>| text.filter(|text| !text.is_empty());
    let (Some(client_id), Some(secret)) = (present(request.client_id), present(request.client_secret)) else {
        return Err(Failure::usage("no token is given: --token is required, or the client that requests one.").with_hint(
            format!("set BEARWARD_TOKEN, or AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET, in the environment or in {ENV_FILE}."),
        ));
    };
    let issuer = request.which.required()?;
    let audience = grant::audience(&request.which, &issuer)?;
    let key = if request.dpop { Some(grant::key(dpop_key)?) } else { None };
    let request = GrantRequest {
        issuer: &issuer,
        audience: audience.as_ref(),
        client_id: &client_id,
        client_secret: &input::argument("client secret", secret)?,
        scope: &request.scope,
        key: key.as_ref(),
    };
    Ok(request.send(options).await?.access_token)
}

struct Call {
    client: Client,
    request: Request,
    credentials: Credentials,
    verbose: bool,
}

/// An answer, and the proof that was sent, so that the proof can be masked.
struct ApiResponse {
    response: Response,
    proof: Option<Proof>,
}

impl Call {
    async fn send(&self, nonce: Option<&Nonce>) -> Result<ApiResponse, Failure> {
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
        self.print_request(nonce);
        let response = https::send(request, &https::authority(url)).await?;
        Ok(ApiResponse { response, proof })
    }

    fn print_request(&self, nonce: Option<&Nonce>) {
        if !self.verbose {
            return;
        }
        let Request { method, url, .. } = &self.request;
        // Without the query, which may contain secrets.
        let htu = dpop::htu(url);
        output::message(format_args!("> {method} {htu}"));
        output::message(format_args!("> Authorization: {} (token not shown)", self.credentials.scheme()));
        if let Credentials::Dpop { key, .. } = &self.credentials {
            let nonce = if nonce.is_some() { ", with the server's nonce" } else { "" };
            output::message(format_args!("> DPoP: (proof by key {}{nonce})", key.thumbprint()));
        }
    }

    /// Prints status and hints to stderr, the body to stdout. The exit code depends on the status.
    async fn print(&self, answer: ApiResponse) -> Result<ExitCode, Failure> {
        let status = answer.response.status();
        self.print_details(&answer);
        if !self.verbose {
            output::message(status_line(&answer.response));
        }
        let hint = self.hint(status, answer.response.headers());
        output::body(&https::body(answer.response, ANSWER_MEBIBYTES).await?)?;
        if let Some(hint) = hint {
            output::hint(hint);
        }
        Ok(exit_code(status))
    }

    /// Prints the answer as JSON to stdout.
    async fn report(&self, answer: ApiResponse) -> Result<ExitCode, Failure> {
        self.print_details(&answer);
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

    fn print_details(&self, answer: &ApiResponse) {
        if !self.verbose {
            return;
        }
        output::message(format_args!("< {}", status_line(&answer.response)));
        let shown = [header::WWW_AUTHENTICATE, HeaderName::from_static("dpop-nonce"), header::LOCATION];
        for (name, label) in shown.iter().zip(["WWW-Authenticate", "DPoP-Nonce", "Location"]) {
            for value in answer.response.headers().get_all(name) {
                let text = String::from_utf8_lossy(value.as_bytes());
                output::message(format_args!(
                    "< {label}: {}",
                    self.without_secrets(&text, answer.proof.as_ref())
                ));
            }
        }
    }

    /// An answer may repeat the token or the proof.
    fn without_secrets(&self, text: &str, proof: Option<&Proof>) -> String {
        let mut text = text.replace(self.credentials.token().expose(), "***");
        if let Some(proof) = proof {
            text = text.replace(proof.expose(), "***");
        }
        output::one_line(&text, FIELD_LENGTH)
    }

    fn hint(&self, status: StatusCode, headers: &HeaderMap) -> Option<&'static str> {
        if status.is_redirection() && headers.contains_key(header::LOCATION) {
            return Some(
                "redirects are not followed, so that the token goes nowhere else; -v shows the Location.",
            )
            .filter(|_| !self.verbose);
        }
        if headers.contains_key(header::WWW_AUTHENTICATE) && !self.verbose {
            return Some("-v shows WWW-Authenticate, which says why.");
        }
        None
    }
}

impl ApiResponse {
    /// The nonce to try again with, if the answer is the challenge of RFC 9449 §9.
    fn required_nonce(&self) -> Option<Nonce> {
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
