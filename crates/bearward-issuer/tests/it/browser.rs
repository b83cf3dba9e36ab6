//! A browser, as far as a login needs one: it keeps cookies and reads forms, and follows nothing by itself.

use std::collections::BTreeMap;

use bearward_issuer::{Application, Secret, User};
use reqwest::{RequestBuilder, Response, Url};
use serde_json::{Value, json};

use crate::support::{API, Fixture, json as json_of, start_with};

pub(crate) const REDIRECT_URI: &str = "http://127.0.0.1:3000/callback";
/// RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub(crate) const ANN: &str = "auth0|ann";
pub(crate) const BOB: &str = "auth0|bob";

/// Two users, of whom one is a member of an organization, and a confidential application.
pub(crate) async fn tenant() -> Fixture {
    start_with(|config| {
        let claims = json!({
            "name": "Ann <b>", "email": "ann@example.com", "phone_number": "1", "https://example.com/team": "a",
        });
        let ann = User::new(ANN).unwrap().with_claims(serde_json::from_value(claims).unwrap());
        config.users = vec![ann.with_organizations(vec!["org_1".to_owned()]), User::new(BOB).unwrap()];
        let web = Application::new("web", ["https://web.example.com/cb"]).unwrap();
        let web = web.with_name("<i>Web</i>").with_secret(Secret::new("s3cret")).unwrap();
        config.applications = vec![web];
    })
    .await
}

pub(crate) struct Browser<'a> {
    pub(crate) fixture: &'a Fixture,
    pub(crate) cookies: BTreeMap<String, String>,
}

/// Where a browser was sent, with the parameters.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) to: String,
    pub(crate) parameters: BTreeMap<String, String>,
}

impl Sent {
    pub(crate) fn get(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }
}

impl<'a> Browser<'a> {
    pub(crate) fn new(fixture: &'a Fixture) -> Self {
        Self { fixture, cookies: BTreeMap::new() }
    }

    async fn send(&mut self, request: RequestBuilder) -> Response {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let response = request.header("Cookie", cookies.join("; ")).send().await.unwrap();
        for field in response.headers().get_all("set-cookie") {
            let field = field.to_str().unwrap();
            assert!(field.contains("; HttpOnly") && field.contains("; SameSite=Lax"), "{field}");
            assert!(field.starts_with("__Host-") == field.contains("; Secure"), "{field}");
            let (name, value) = field.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        response
    }

    /// `GET /authorize` with these parameters over good ones; `null` takes one away.
    pub(crate) async fn authorize(&mut self, over: &Value) -> Response {
        let url = self.authorize_url(over);
        self.send(self.fixture.client.get(url)).await
    }

    pub(crate) fn authorize_url(&self, over: &Value) -> Url {
        let mut parameters = json!({
            "response_type": "code", "client_id": self.fixture.tenant.client_id(), "redirect_uri": REDIRECT_URI,
            "audience": API, "scope": "openid profile email offline_access read:messages", "state": "s t&",
            "nonce": "n-1", "code_challenge": CHALLENGE, "code_challenge_method": "S256",
        });
        for (name, value) in over.as_object().unwrap() {
            parameters[name] = value.clone();
        }
        let given = parameters.as_object().unwrap().iter();
        let given = given.filter_map(|(name, value)| Some((name, value.as_str()?)));
        Url::parse_with_params(&self.fixture.url("/authorize"), given).unwrap()
    }

    pub(crate) async fn post(&mut self, path: &str, form: &Value) -> Response {
        let request = self.fixture.client.post(self.fixture.url(path)).form(form);
        let request = request.header("Origin", self.fixture.url(""));
        self.send(request).await
    }

    pub(crate) async fn get(&mut self, path: &str) -> Response {
        self.send(self.fixture.client.get(self.fixture.url(path))).await
    }

    /// The whole way of a login for this user.
    pub(crate) async fn log_in(&mut self, user: &str, over: &Value) -> Sent {
        let page = page_key(self.authorize(over).await).await;
        sent(&self.post("/login", &json!({ "page": page, "user": user })).await)
    }
}

/// The hidden field of a login page.
pub(crate) async fn page_key(response: Response) -> String {
    assert_eq!(response.status(), 200);
    let page = response.text().await.unwrap();
    let (_, rest) = page.split_once("name=\"page\" value=\"").unwrap_or_else(|| panic!("no form in {page}"));
    rest.split('"').next().unwrap().to_owned()
}

pub(crate) fn sent(response: &Response) -> Sent {
    assert_eq!(response.status(), 303);
    let url = Url::parse(response.headers()["location"].to_str().unwrap()).unwrap();
    let parameters = url.query_pairs().into_owned().collect();
    Sent { to: url.as_str().split('?').next().unwrap().to_owned(), parameters }
}

/// The request that redeems a code, as a public client makes it.
pub(crate) fn redemption(fixture: &Fixture, code: &str) -> Value {
    json!({
        "grant_type": "authorization_code", "client_id": fixture.tenant.client_id(), "code": code,
        "redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER,
    })
}

/// The tokens of a login for this user.
pub(crate) async fn tokens(fixture: &Fixture, user: &str, over: &Value) -> Value {
    let code = Browser::new(fixture).log_in(user, over).await;
    let response = fixture.ask(&redemption(fixture, code.get("code"))).await;
    assert_eq!(response.status(), 200, "{code:?}");
    json_of(response).await
}
