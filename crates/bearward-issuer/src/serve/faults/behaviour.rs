//! How one endpoint answers.

use std::{collections::BTreeMap, future::Future, num::NonZeroU32, time::Duration};

use axum::{
    body::{self, Body as AnswerBody},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    body::{Content, Delivery},
    withheld::withheld,
};

/// How an endpoint answers. [`Behaviour::default`] has no fault.
///
/// It is made from JSON with the members that [`AdminAccess`](crate::AdminAccess) lists. Any other member is an error.
///
/// ```
/// # fn example() -> Result<(), serde_json::Error> {
/// use bearward_issuer::Behaviour;
/// use serde_json::json;
///
/// let overloaded: Behaviour = serde_json::from_value(json!({
///     "latency_ms": 100,
///     "status": 503,
///     "headers": { "Retry-After": "5", "Cache-Control": null },
///     "body": { "text": "<h1>Service Unavailable</h1>" },
/// }))?;
/// # Ok(())
/// # }
/// # example().unwrap();
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Behaviour {
    /// The pause before anything else happens.
    #[serde(skip_serializing_if = "is_default")]
    latency_ms: u32,
    /// What happens in place of a whole answer.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) fault: Option<Fault>,
    /// The rest of the answer stays as it is: whether a client looks at the status shows best with a good body.
    #[serde(skip_serializing_if = "is_default")]
    status: Option<Status>,
    /// Over the usual fields.
    #[serde(skip_serializing_if = "is_default")]
    headers: Fields,
    /// In place of the document, or over it.
    #[serde(skip_serializing_if = "is_default")]
    body: Body,
    /// The head at once, then one byte of the body each time.
    #[serde(skip_serializing_if = "is_default")]
    drip_ms: Option<NonZeroU32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Fault {
    /// Nothing comes until the behaviour changes or the client goes.
    Hang,
    /// The connection closes without an answer.
    Close,
    /// The connection closes in the middle of the body.
    BreakOff,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Body {
    /// The document.
    #[default]
    Usual,
    /// This text.
    Text(String),
    /// This JSON.
    Json(Value),
    /// The document with these members over it; `null` takes one away.
    Members(Map<String, Value>),
    /// The document, good in every way but that it is this many bytes long.
    PaddedTo(u64),
    /// This many MiB of spaces, a thousandth of that on the wire.
    GzipBombMib(u16),
}

impl Behaviour {
    pub(super) fn latency(&self) -> Duration {
        milliseconds(self.latency_ms)
    }

    /// The answer to a request that a good tenant gives the `usual` answer to.
    pub(super) async fn answer(
        &self,
        usual: impl Future<Output = Response>,
        cache_control: &HeaderValue,
    ) -> Response {
        if self.fault == Some(Fault::Close) {
            return withheld();
        }
        let (mut head, content) = if let Some(content) = self.body.in_place_of_usual() {
            (Response::new(()).into_parts().0, content)
        } else {
            let (head, body) = usual.await.into_parts();
            (head, self.body.over(&text(body).await))
        };
        let delivery = Delivery {
            drip: self.drip_ms.map(|pause| milliseconds(pause.get())),
            break_off: self.fault == Some(Fault::BreakOff),
        };
        if let Some(Status(status)) = self.status {
            head.status = status;
        }
        self.fill(&mut head.headers, cache_control);
        Response::from_parts(head, content.into_body(delivery))
    }

    fn fill(&self, headers: &mut HeaderMap, cache_control: &HeaderValue) {
        // That of the usual body, which may be another one by now.
        headers.remove(header::CONTENT_LENGTH);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.entry(header::CACHE_CONTROL).or_insert_with(|| cache_control.clone());
        if matches!(self.body, Body::GzipBombMib(_)) {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        self.headers.write_over(headers);
    }
}

impl Body {
    fn in_place_of_usual(&self) -> Option<Content> {
        match self {
            Self::Usual | Self::Members(_) | Self::PaddedTo(_) => None,
            Self::Text(text) => Some(Content::whole(text.clone())),
            Self::Json(json) => Some(Content::whole(json.to_string())),
            Self::GzipBombMib(mebibytes) => Some(Content::gzip_of_spaces(*mebibytes)),
        }
    }

    /// The usual content with what is to be said over it, if anything is.
    fn over(&self, usual: &str) -> Content {
        match self {
            Self::Members(over) => {
                let document = serde_json::from_str(usual).unwrap_or_default();
                Content::whole(write_over(document, over).to_string())
            }
            Self::PaddedTo(bytes) => Content::padded(usual, *bytes),
            Self::Usual | Self::Text(_) | Self::Json(_) | Self::GzipBombMib(_) => {
                Content::whole(usual.to_owned())
            }
        }
    }
}

/// A body that we made ourselves: it is there, and it is JSON.
async fn text(body: AnswerBody) -> String {
    let bytes = body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn write_over(mut document: Value, over: &Map<String, Value>) -> Value {
    if let Some(members) = document.as_object_mut() {
        for (name, value) in over {
            if value.is_null() {
                members.remove(name);
            } else {
                members.insert(name.clone(), value.clone());
            }
        }
    }
    document
}

/// A final status: 1xx would promise another answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
struct Status(StatusCode);

impl TryFrom<u16> for Status {
    type Error = String;

    fn try_from(code: u16) -> Result<Self, Self::Error> {
        match StatusCode::from_u16(code) {
            Ok(status) if (200..600).contains(&code) => Ok(Self(status)),
            Ok(_) | Err(_) => Err(format!("{code} is not a status of an answer: 200 to 599")),
        }
    }
}

impl From<Status> for u16 {
    fn from(status: Status) -> Self {
        status.0.as_u16()
    }
}

/// Header fields; one without a value takes the usual field away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, Option<String>>", into = "BTreeMap<String, Option<String>>")]
struct Fields(Vec<(HeaderName, Option<HeaderValue>)>);

impl Fields {
    fn write_over(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.0 {
            match value {
                Some(value) => drop(headers.insert(name, value.clone())),
                None => drop(headers.remove(name)),
            }
        }
    }
}

impl TryFrom<BTreeMap<String, Option<String>>> for Fields {
    type Error = String;

    fn try_from(fields: BTreeMap<String, Option<String>>) -> Result<Self, Self::Error> {
        fields.into_iter().map(field).collect::<Result<_, _>>().map(Self)
    }
}

fn field((name, value): (String, Option<String>)) -> Result<(HeaderName, Option<HeaderValue>), String> {
    let checked = HeaderName::try_from(&name).map_err(|_| format!("{name:?} is not a field name"))?;
    if checked == header::CONTENT_LENGTH || checked == header::TRANSFER_ENCODING {
        // hyper frames messages, and panics in debug builds when it is contradicted.
        return Err(format!("{name} is not to be chosen; the fault \"break_off\" makes a body too short"));
    }
    let value = value.map(HeaderValue::try_from).transpose();
    Ok((checked, value.map_err(|_| format!("the text for {name} is not allowed in a header"))?))
}

impl From<Fields> for BTreeMap<String, Option<String>> {
    fn from(fields: Fields) -> Self {
        let text = |value: HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        fields.0.into_iter().map(|(name, value)| (name.as_str().to_owned(), value.map(text))).collect()
    }
}

fn milliseconds(milliseconds: u32) -> Duration {
    Duration::from_millis(u64::from(milliseconds))
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use axum::{Json, body::to_bytes, response::IntoResponse as _};
    use serde_json::json;

    use super::*;
    use crate::serve::faults::withheld::is_withheld;

    fn behaviour(json: Value) -> Behaviour {
        serde_json::from_value(json).unwrap()
    }

    async fn answer(order: Value) -> (StatusCode, HeaderMap, String) {
        let usual = json!({ "issuer": "https://127.0.0.1:1/", "jwks_uri": "https://127.0.0.1:1/keys" });
        let usual = async { Json(usual).into_response() };
        let response = behaviour(order).answer(usual, &HeaderValue::from_static("max-age=15")).await;
        let (head, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        (head.status, head.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn nothing_said_is_the_usual_answer() {
        let (status, headers, body) = answer(json!({})).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(headers[header::CACHE_CONTROL], "max-age=15");
        assert_eq!(headers[header::CONTENT_TYPE], "application/json");
        assert_eq!(body, r#"{"issuer":"https://127.0.0.1:1/","jwks_uri":"https://127.0.0.1:1/keys"}"#);
    }

    #[tokio::test]
    async fn fields_are_added_replaced_and_taken_away() {
        let order = json!({ "headers": { "age": "7", "Cache-Control": "no-store", "Content-Type": null } });
        let (_, headers, _) = answer(order).await;
        assert_eq!(headers["age"], "7");
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
        assert!(!headers.contains_key(header::CONTENT_TYPE));
    }

    #[tokio::test]
    async fn bodies_are_as_told() {
        let bodies = [
            (json!({ "text": "<html>" }), "<html>"),
            (json!({ "json": { "keys": [] } }), r#"{"keys":[]}"#),
            (json!({ "members": { "issuer": "x", "jwks_uri": null } }), r#"{"issuer":"x"}"#),
            (json!("usual"), r#"{"issuer":"https://127.0.0.1:1/","jwks_uri":"https://127.0.0.1:1/keys"}"#),
        ];
        for (body, expected) in bodies {
            assert_eq!(answer(json!({ "status": 500, "body": body })).await.2, expected);
        }
    }

    #[tokio::test]
    async fn the_usual_answer_keeps_its_status_and_fields() {
        let usual = async {
            let fields = [(header::CACHE_CONTROL, "no-store"), (header::ETAG, "x")];
            (StatusCode::FORBIDDEN, fields, Json(json!({ "error": "e" }))).into_response()
        };
        let response = behaviour(json!({})).answer(usual, &HeaderValue::from_static("max-age=15")).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        assert_eq!(response.headers()[header::ETAG], "x");
    }

    #[tokio::test]
    async fn what_is_not_to_be_answered_is_not_done() {
        let cache_control = HeaderValue::from_static("");
        let bodies = [json!({ "text": "" }), json!({ "json": {} }), json!({ "gzip_bomb_mib": 0 })];
        for body in bodies {
            let done = async { panic!("it was done") };
            let response = behaviour(json!({ "body": body })).answer(done, &cache_control).await;
            assert!(!is_withheld(&response));
        }
        let done = async { panic!("it was done") };
        assert!(is_withheld(&behaviour(json!({ "fault": "close" })).answer(done, &cache_control).await));
    }

    #[test]
    fn it_is_told_as_it_was_said() {
        let said = json!({
            "latency_ms": 5, "fault": "hang", "status": 429, "headers": { "retry-after": "2", "age": null },
            "body": { "gzip_bomb_mib": 3 }, "drip_ms": 1,
        });
        assert_eq!(json!(behaviour(said.clone())), said);
        assert_eq!(json!(Behaviour::default()), json!({}));
    }

    #[test]
    fn what_can_t_be_done_is_an_error_that_says_so() {
        for (order, part) in [
            (json!({ "latency": 5 }), "unknown field `latency`"),
            (json!({ "status": 100 }), "200 to 599"),
            (json!({ "status": 600 }), "200 to 599"),
            (json!({ "drip_ms": 0 }), "nonzero"),
            (json!({ "fault": "explode" }), "unknown variant `explode`"),
            (json!({ "headers": { "a b": "" } }), "not a field name"),
            (json!({ "headers": { "age": "\n" } }), "not allowed in a header"),
            (json!({ "headers": { "Content-Length": "5" } }), "break_off"),
            (json!({ "body": { "html": "" } }), "unknown variant `html`"),
        ] {
            let error = serde_json::from_value::<Behaviour>(order).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
