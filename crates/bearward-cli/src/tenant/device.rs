//! The device authorization flow, RFC 8628: the user confirms a code in a browser, while this polls the tenant.

use std::time::Duration;

use bearward_exchange::{DeviceAuthorization, DeviceRequest, Polled};
use reqwest::Url;

use crate::{
    http::access_token::AccessToken,
    tenant::{
        client::{Tenant, TenantResponse},
        domain::Domain,
    },
    terminal::{failure::Failure, output},
};

/// Hosts are cut to this length.
const HOST_LENGTH: usize = 253;

/// Prints the page and the code, and waits for the token. The page may be on the tenant's host or on `page_host`.
pub(crate) async fn token(
    request: DeviceRequest<'_>,
    page_host: Option<&Domain>,
    tenant: &Tenant,
) -> Result<AccessToken, Failure> {
    let answer = tenant.post_form(&["oauth", "device", "code"], &request.form()).await?;
    let authorization = Authorization::of(&answer)?;
    let domain = tenant.domain();
    authorization.check_pages(domain, page_host.unwrap_or(domain))?;
    output::message(format_args!("Signing in at the tenant {domain}."));
    authorization.print();
    let form = authorization.device.token_form(request.client_id);
    poll(
        &authorization.device,
        async || tenant.post_form(&["oauth", "token"], &form).await,
        async |pause| tokio::time::sleep(pause).await,
    )
    .await
}

/// The answer of the tenant, with texts that are safe to show.
struct Authorization {
    device: DeviceAuthorization,
    user_code: String,
    verification_uri: Url,
    verification_uri_complete: Option<Url>,
}

impl Authorization {
    fn of(answer: &TenantResponse) -> Result<Self, Failure> {
        answer.members("")?;
        Self::read(answer.body().to_vec()).ok_or_else(|| {
            Failure::undecided(format!("{} answered without a usable device code.", answer.host()))
        })
    }

    fn read(body: Vec<u8>) -> Option<Self> {
        let device = DeviceAuthorization::read(body)?;
        Some(Self {
            user_code: output::one_line(device.user_code(), 40),
            verification_uri: web_page(device.verification_uri())?,
            verification_uri_complete: device.verification_uri_complete().and_then(web_page),
            device,
        })
    }

    /// A page on another host could ask for the password of a tenant that it is not.
    fn check_pages(&self, domain: &Domain, allowed: &Domain) -> Result<(), Failure> {
        let pages = [Some(&self.verification_uri), self.verification_uri_complete.as_ref()];
        let is_elsewhere =
            |page: &&Url| page.authority() != domain.to_string() && page.authority() != allowed.to_string();
        let Some(page) = pages.into_iter().flatten().find(is_elsewhere) else { return Ok(()) };
        let host = output::one_line(page.authority(), HOST_LENGTH);
        let message = format!("{domain} wants you to sign in at another host, {host}.");
        Err(Failure::rejected(message)
            .with_hint(format!("if {host} belongs to this tenant, give --sign-in-host {host}.")))
    }

    fn print(&self) {
        output::message(format_args!("Open {}", self.verification_uri));
        output::message(format_args!("and enter the code {}", self.user_code));
        if let Some(complete) = &self.verification_uri_complete {
            output::message(format_args!("(or open {complete})"));
        }
        output::message("Waiting until you confirm it. Ctrl-C cancels.");
    }
}

/// A link for the user to open: only https, and without control characters.
fn web_page(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|url| url.scheme() == "https")
}

/// RFC 8628 §3.4 and §3.5.
async fn poll(
    device: &DeviceAuthorization,
    mut ask: impl AsyncFnMut() -> Result<TenantResponse, Failure>,
    mut pause: impl AsyncFnMut(Duration),
) -> Result<AccessToken, Failure> {
    let mut polling = device.polling();
    while let Some(interval) = polling.pause() {
        pause(interval).await;
        let answer = ask().await?;
        match polling.read(answer.body().to_vec()) {
            Polled::Pending => {}
            Polled::Expired => break,
            Polled::Denied => return Err(denied(&answer, device.device_code())),
            Polled::Other => return Ok(answer.granted(device.device_code())?.access_token),
        }
    }
    Err(expired())
}

fn expired() -> Failure {
    Failure::undecided("the code was not confirmed in time.")
        .with_hint("run the command again for a new code.")
}

fn denied(answer: &TenantResponse, secret: &str) -> Failure {
    let denied = |failure: &Failure| format!("the code was not confirmed: {}", failure.message());
    let message =
        answer.members(secret).as_ref().map_or_else(denied, |_| "the code was not confirmed.".to_owned());
    Failure::rejected(message).with_hint(
        "it was refused in the browser, or the tenant doesn't allow this application to get such a token.",
    )
}

#[cfg(test)]
mod tests {
    use bearward_exchange::limits;
    use serde_json::{Value, json};

    use super::*;
    use crate::tenant::client::tests::answer;

    fn authorization(more: &Value) -> Option<Authorization> {
        let mut members = json!({
            "device_code": "hush", "user_code": "ABCD-EFGH", "verification_uri": "https://t.example.com/activate",
            "expires_in": 20,
        });
        members.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Authorization::read(members.to_string().into_bytes())
    }

    /// The result of these answers, and the pauses before each.
    fn polled(more: &Value, answers: &[(u16, &str)]) -> (Result<AccessToken, Failure>, Vec<u64>) {
        let authorization = authorization(more).unwrap();
        let mut answers = answers.iter();
        let mut pauses = Vec::new();
        let result = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(poll(
            &authorization.device,
            async || {
                let (status, body) = answers.next().unwrap();
                Ok(answer(*status, body))
            },
            async |pause| pauses.push(pause.as_secs()),
        ));
        (result, pauses)
    }

    const PENDING: (u16, &str) = (403, r#"{"error":"authorization_pending"}"#);
    const SLOW_DOWN: (u16, &str) = (429, r#"{"error":"slow_down"}"#);
    const TOKEN: (u16, &str) = (200, r#"{"access_token":"token","token_type":"Bearer"}"#);

    #[test]
    fn it_polls_at_the_interval_and_slows_down_when_asked_to() {
        let (result, pauses) =
            polled(&json!({ "interval": 1 }), &[PENDING, SLOW_DOWN, PENDING, SLOW_DOWN, TOKEN]);
        assert_eq!(result.unwrap().expose(), "token");
        assert_eq!(pauses, [1, 1, 6, 6, 11]);
        let (_, pauses) = polled(&json!({}), &[PENDING, TOKEN]);
        assert_eq!(pauses, [5, 5], "the default");
    }

    #[test]
    fn polling_ends_when_the_code_expires() {
        let (result, pauses) = polled(&json!({}), &[PENDING; 4]);
        assert_eq!((result.unwrap_err(), pauses.len()), (expired(), 4));
        let (result, _) = polled(&json!({}), &[(403, r#"{"error":"expired_token"}"#)]);
        assert_eq!(result.unwrap_err(), expired());
        let (result, pauses) = polled(&json!({ "interval": 0, "expires_in": 1 }), &[PENDING; 10]);
        assert_eq!((result.unwrap_err(), pauses.len()), (expired(), 10), "no endless loop");
        let (result, pauses) = polled(&json!({ "interval": u64::MAX }), &[PENDING]);
        assert_eq!((result.unwrap_err(), pauses), (expired(), vec![20]), "no endless pause");
    }

    #[test]
    fn a_refusal_ends_polling() {
        let body = r#"{"error":"access_denied","error_description":"No hush \u001b[2Jhere."}"#;
        let failure = polled(&json!({}), &[(403, body)]).0.unwrap_err();
        let message = "the code was not confirmed: tenant.example.com answered status 403, access_denied: No ***  [2Jhere.";
        assert_eq!(failure.message(), message);
        for unexpected in [(401, r#"{"error":"invalid_client"}"#), (500, "{}"), (502, "<html>"), (200, "{}")]
        {
            assert!(polled(&json!({}), &[unexpected]).0.is_err(), "{unexpected:?}");
        }
    }

    #[test]
    fn an_answer_that_cannot_be_shown_safely_is_refused() {
        assert!(authorization(&json!({})).is_some());
        for bad in [
            json!({ "verification_uri": "http://t.example.com/activate" }),
            json!({ "verification_uri": "javascript:alert(1)" }),
            json!({ "device_code": "" }),
            json!({ "user_code": 1 }),
            json!({ "expires_in": "20" }),
        ] {
            assert!(authorization(&bad).is_none(), "{bad}");
        }
        let hostile = json!({
            "user_code": "A\u{1b}[2J", "verification_uri": "https://t.example.com/\u{1b}[2J", "expires_in": u64::MAX,
        });
        let hostile = authorization(&hostile).unwrap();
        assert_eq!(hostile.user_code, "A [2J");
        assert!(!hostile.verification_uri.as_str().contains(char::is_control));
        assert_eq!(hostile.device.expires_in(), limits::DEVICE_CODE_WAIT);
    }
}
