//! An answer as a line of JSON, for programs.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::header::{self, HeaderMap, HeaderName};
use serde_json::{Map, Value, json};

/// The fields that are part of the JSON.
const SHOWN: [HeaderName; 5] = [
    header::CONTENT_TYPE,
    header::LOCATION,
    header::RETRY_AFTER,
    header::WWW_AUTHENTICATE,
    HeaderName::from_static("dpop-nonce"),
];

/// The present ones of these fields, with all their values. `printable` makes a value safe to print.
pub(super) fn headers(headers: &HeaderMap, printable: impl Fn(&str) -> String) -> Value {
    let values = |name| headers.get_all(name).iter();
    let texts = |name| values(name).map(|value| printable(&String::from_utf8_lossy(value.as_bytes())));
    let members = SHOWN.into_iter().filter(|name| headers.contains_key(name));
    members.map(|name| (name.to_string(), texts(name).collect())).collect::<Map<String, Value>>().into()
}

/// The members `body` and `body_base64`. JSON and text go into the first, other bytes into the second.
pub(super) fn body(headers: &HeaderMap, bytes: &[u8]) -> (Value, Value) {
    let as_json = is_json(headers).then(|| serde_json::from_slice(bytes).ok()).flatten();
    match (as_json, str::from_utf8(bytes)) {
        (Some(value), _) => (value, Value::Null),
        (None, Ok(text)) => (json!(text), Value::Null),
        (None, Err(_)) => (Value::Null, json!(STANDARD.encode(bytes))),
    }
}

/// RFC 6839 §3.1: `application/json`, or anything with the suffix `+json`.
fn is_json(headers: &HeaderMap) -> bool {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = media_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/json") || media_type.to_ascii_lowercase().ends_with("+json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent_as(media_type: &'static str, bytes: &[u8]) -> (Value, Value) {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, media_type.parse().unwrap());
        body(&headers, bytes)
    }

    #[test]
    fn a_body_is_json_or_text_or_bytes() {
        assert_eq!(
            sent_as("application/json; charset=utf-8", b"{\"a\":1}"),
            (json!({ "a": 1 }), Value::Null)
        );
        assert_eq!(sent_as("application/problem+json", b"[1]"), (json!([1]), Value::Null));
        assert_eq!(sent_as("application/json", b"{"), (json!("{"), Value::Null));
        assert_eq!(sent_as("text/plain", b"1"), (json!("1"), Value::Null));
        assert_eq!(sent_as("text/plain", b"\xff"), (Value::Null, json!("/w==")));
    }
}
