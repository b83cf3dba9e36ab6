//! Requests a token as a client does, and verifies it as an API does.

use bearward::engine_driver::EngineDriver;
use bearward_core::{
    Cause, Decision, Question, Unavailable, VerifiedToken, Verifier,
    documents::FixedKeys,
    encoding::json::{Array, Value},
    issuer::{IssuerUrl, Issuers},
    jose::algorithm::AlgorithmSet,
    policy::Policy,
};
use bearward_exchange::ClientCredentials;
use reqwest::Url;

use super::{fetch::Fetcher, report::Check};
use crate::{
    commands::{args::DoctorArgs, recipients::AcceptedRecipients, remedies},
    http::https,
    tenant::{
        client::{TenantResponse, with_form},
        documents::Network,
        issuer_kind::IssuerKind,
    },
    terminal::{
        failure::{Failure, Kind},
        output,
    },
};

const NAME: &str = "token";

/// Text from a token is cut to this length.
const LENGTH: usize = 500;

/// A client of the API, as far as it is known.
pub(super) struct Client<'a> {
    pub(super) args: &'a DoctorArgs,
    pub(super) kind: IssuerKind,
    pub(super) recipients: Option<AcceptedRecipients>,
    pub(super) endpoint: Option<Url>,
    pub(super) fixed_keys: Option<FixedKeys>,
}

impl Client<'_> {
    pub(super) async fn check(
        &self,
        issuer: IssuerUrl,
        algorithms: AlgorithmSet,
        fetcher: &Fetcher,
    ) -> Check {
        let known = |text: &'_ Option<String>| text.clone().filter(|text| !text.is_empty());
        let (Some(id), Some(secret)) = (known(&self.args.client_id), known(&self.args.client_secret)) else {
            let why = "no client is configured: set AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET to check this";
            return Check::skipped(NAME, why);
        };
        let Some(recipients) = &self.recipients else { return Check::skipped(NAME, "needs audience") };
        let Some(endpoint) = &self.endpoint else { return Check::skipped(NAME, "needs token endpoint") };
        let audience = match recipients {
            AcceptedRecipients::Audience(audience) => audience,
            AcceptedRecipients::Clients(_) => "",
        };
        let scope = &self.args.scope.join(" ");
        let asked = ClientCredentials { client_id: &id, client_secret: &secret, audience, scope };
        let token = match granted(endpoint, asked, fetcher).await {
            Ok(token) => token,
            Err(failure) => return self.not_granted(&failure),
        };
        match self.verifier(issuer, recipients, algorithms) {
            Ok(verifier) => self.judge(verifier, &token, fetcher).await,
            Err(failure) => Check::of_failure(NAME, &failure, "correct the setting"),
        }
    }

    fn not_granted(&self, failure: &Failure) -> Check {
        let remedy = match failure.kind() {
            Kind::Undecided => "try again",
            Kind::Rejected | Kind::Usage => remedies::of_client_credentials(self.kind),
        };
        Check::of_failure(NAME, failure, remedy)
    }

    /// As the API with these settings has it.
    fn verifier(
        &self,
        issuer: IssuerUrl,
        recipients: &AcceptedRecipients,
        algorithms: AlgorithmSet,
    ) -> Result<Verifier, Failure> {
        let private = self.args.private_jwks.addresses();
        let policy = Policy::new(Issuers::single(issuer), recipients.for_policy()?);
        let policy = policy.with_algorithms(algorithms).with_private_addresses(private);
        Ok(Verifier::new(match &self.fixed_keys {
            Some(keys) => policy.with_fixed_keys(keys.clone()),
            None => policy,
        }))
    }

    /// As the API would.
    async fn judge(&self, verifier: Verifier, token: &str, fetcher: &Fetcher) -> Check {
        let network = Network::new(fetcher.http_options());
        let driver = EngineDriver::new(verifier, network.clone(), network.options().timeout, None);
        let question = Question::AccessToken { token, required_claims: &[] };
        let refused = match driver.decide(&mut Decision::new(), question).await {
            Ok(good) => return verified(&good.token),
            Err(refused) => refused,
        };
        if let Some(failure) = network.trouble(&refused.cause) {
            return Check::of_failure(NAME, &failure, "try again");
        }
        match refused.cause {
            Cause::Rejected(rejection) => {
                let message =
                    output::one_line(&format!("refused, {}: {rejection}", rejection.code()), LENGTH);
                let remedy = remedies::remedy(rejection.entry(), self.kind);
                Check::failed(NAME, Kind::Rejected, message, remedy).with("code", rejection.code())
            }
            Cause::Unavailable(Unavailable::Unsettled) => {
                let message = "the issuer's documents change faster than they can be read";
                Check::failed(NAME, Kind::Undecided, message, "try again")
            }
            why @ (Cause::Unavailable(_) | Cause::Resolver(_)) => {
                Check::failed(NAME, Kind::Undecided, why.to_string(), "try again")
            }
        }
    }
}

async fn granted(endpoint: &Url, asked: ClientCredentials<'_>, fetcher: &Fetcher) -> Result<String, Failure> {
    let request = https::probing_client(endpoint, fetcher.patience)?.post(endpoint.clone());
    let answer = TenantResponse::to(with_form(request, &asked.form()), endpoint).await?;
    Ok(answer.granted(asked.client_secret)?.access_token.expose().to_owned())
}

/// What the token grants.
fn verified(token: &VerifiedToken) -> Check {
    let scopes: Vec<String> =
        token.scope().split_whitespace().map(|scope| output::one_line(scope, LENGTH)).collect();
    let permissions = permissions(token);
    let granted =
        if scopes.is_empty() { "no scopes".to_owned() } else { format!("scopes {}", scopes.join(" ")) };
    let mut message = format!("a token was issued and verified, with {granted}");
    if !permissions.is_empty() {
        message = format!("{message} and permissions {}", permissions.join(" "));
    }
    Check::ok(NAME, output::one_line(&message, LENGTH))
        .with("scopes", scopes)
        .with("permissions", permissions)
}

/// The claim that Auth0 adds with role-based access control.
fn permissions(token: &VerifiedToken) -> Vec<String> {
    let claim = token.claims().get("permissions").and_then(Value::as_array);
    let texts = claim.into_iter().flat_map(Array::items).filter_map(Value::as_str);
    texts.map(|text| output::one_line(text, LENGTH)).collect()
}
