//! The body of a request for a new API, checked as Auth0's schema has it, and in its validator's words.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use super::api_error::ApiError;
use crate::serve::{
    config::is_scope_token,
    state::{ApiScope, Description, ProofOfPossession, SigningAlgorithm, TokenDialect},
};

const NAME_CHARACTERS: RangeInclusive<usize> = 1..=200;
const IDENTIFIER_CHARACTERS: RangeInclusive<usize> = 1..=600;
const SCOPE_CHARACTERS: RangeInclusive<usize> = 1..=280;
const DESCRIPTION_CHARACTERS: RangeInclusive<usize> = 0..=500;
const SCOPES: usize = 1_000;

/// Thirty days, in seconds.
const TOKEN_LIFETIME: u64 = 2_592_000;

pub(super) fn description(body: &[u8]) -> Result<Description, ApiError> {
    let payload: Value = serde_json::from_slice(body).map_err(|_| ApiError::not_json())?;
    let mut payload = Members::of(payload, "")?;
    let identifier =
        payload.text("identifier", IDENTIFIER_CHARACTERS)?.ok_or_else(|| missing("identifier"))?;
    if identifier.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(ApiError::invalid_body("String does not match pattern: ^\\S+$ on property identifier"));
    }
    let mut description = Description::new(identifier);
    if let Some(name) = payload.text("name", NAME_CHARACTERS)? {
        if name.contains(['<', '>']) {
            return Err(ApiError::invalid_body("String does not match pattern: ^[^<>]+$ on property name"));
        }
        description.name = name;
    }
    if let Some(scopes) = payload.scopes()? {
        description.scopes = scopes;
    }
    description.signing_alg = payload.one_of::<SigningAlgorithm>("signing_alg")?.unwrap_or_default();
    description.token_dialect = payload.one_of::<TokenDialect>("token_dialect")?.unwrap_or_default();
    description.enforce_policies = payload.flag("enforce_policies")?.unwrap_or_default();
    description.allow_offline_access = payload.flag("allow_offline_access")?.unwrap_or_default();
    description.token_lifetime = payload.lifetime()?.unwrap_or(description.token_lifetime);
    description.proof_of_possession = payload.proof_of_possession()?;
    payload.nothing_else()?;
    Ok(description)
}

/// The members of an object that are not read yet.
struct Members {
    members: Map<String, Value>,
    /// Where the object is: empty, or a path that ends in a dot.
    place: String,
}

impl Members {
    fn of(value: Value, place: &str) -> Result<Self, ApiError> {
        let Value::Object(members) = value else {
            return Err(wrong_type("object", &value, place.trim_end_matches('.')));
        };
        Ok(Self { members, place: place.to_owned() })
    }

    /// A string with so many characters.
    fn text(&mut self, name: &str, characters: RangeInclusive<usize>) -> Result<Option<String>, ApiError> {
        let Some(value) = self.members.remove(name) else { return Ok(None) };
        let Value::String(text) = value else { return Err(self.wrong_type("string", &value, name)) };
        let length = text.chars().count();
        let place = format!("{}{name}", self.place);
        let (minimum, maximum) = (characters.start(), characters.end());
        if length < *minimum {
            let reason =
                format!("String is too short ({length} chars), minimum {minimum} on property {place}");
            return Err(ApiError::invalid_body(reason));
        }
        if length > *maximum {
            let reason =
                format!("String is too long ({length} chars), maximum {maximum} on property {place}");
            return Err(ApiError::invalid_body(reason));
        }
        Ok(Some(text))
    }

    fn flag(&mut self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.members.remove(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(other) => Err(self.wrong_type("boolean", &other, name)),
        }
    }

    /// A string that is the name of a variant.
    fn one_of<T: serde::de::DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, ApiError> {
        let Some(value) = self.members.remove(name) else { return Ok(None) };
        if !value.is_string() {
            return Err(self.wrong_type("string", &value, name));
        }
        let no_match = |_| {
            ApiError::invalid_body(format!("No enum match for: {value} on property {}{name}", self.place))
        };
        serde_json::from_value(value.clone()).map(Some).map_err(no_match)
    }

    fn lifetime(&mut self) -> Result<Option<u64>, ApiError> {
        const NAME: &str = "token_lifetime";
        let Some(value) = self.members.remove(NAME) else { return Ok(None) };
        if !value.is_i64() && !value.is_u64() {
            return Err(self.wrong_type("integer", &value, NAME));
        }
        let within = value.as_u64().filter(|seconds| (1..=TOKEN_LIFETIME).contains(seconds));
        let reason = || format!("Value {value} is not between 1 and {TOKEN_LIFETIME} on property {NAME}");
        within.map(Some).ok_or_else(|| ApiError::invalid_body(reason()))
    }

    fn scopes(&mut self) -> Result<Option<Vec<ApiScope>>, ApiError> {
        const NAME: &str = "scopes";
        let scopes = match self.members.remove(NAME) {
            None => return Ok(None),
            Some(Value::Array(scopes)) => scopes,
            Some(other) => return Err(self.wrong_type("array", &other, NAME)),
        };
        if scopes.len() > SCOPES {
            let reason = format!("Array is too long ({}), maximum {SCOPES} on property {NAME}", scopes.len());
            return Err(ApiError::invalid_body(reason));
        }
        let mut read: Vec<ApiScope> = Vec::new();
        for (place, scope) in scopes.into_iter().enumerate() {
            let scope = scope_of(Members::of(scope, &format!("{NAME}[{place}]."))?)?;
            if read.iter().any(|other| other.value == scope.value) {
                return Err(ApiError::invalid_body(format!("Array items are not unique on property {NAME}")));
            }
            read.push(scope);
        }
        Ok(Some(read))
    }

    fn proof_of_possession(&mut self) -> Result<Option<ProofOfPossession>, ApiError> {
        const NAME: &str = "proof_of_possession";
        let value = self.members.remove(NAME).filter(|value| !value.is_null());
        let Some(value) = value else { return Ok(None) };
        let mut members = Self::of(value, &format!("{NAME}."))?;
        members.one_of::<Mechanism>("mechanism")?.ok_or_else(|| missing("mechanism"))?;
        let required = members.flag("required")?.ok_or_else(|| missing("required"))?;
        members.nothing_else()?;
        Ok(Some(ProofOfPossession { mechanism: "dpop", required }))
    }

    fn nothing_else(&self) -> Result<(), ApiError> {
        let Some((name, _)) = self.members.iter().next() else { return Ok(()) };
        Err(ApiError::invalid_body(format!("Additional properties not allowed: {}{name}", self.place)))
    }

    fn wrong_type(&self, expected: &str, found: &Value, name: &str) -> ApiError {
        wrong_type(expected, found, &format!("{}{name}", self.place))
    }
}

/// How a client proves that a key is its own. Auth0 knows mTLS too; there is none here.
#[derive(serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mechanism {
    Dpop,
}

fn scope_of(mut members: Members) -> Result<ApiScope, ApiError> {
    let value = members.text("value", SCOPE_CHARACTERS)?.ok_or_else(|| missing("value"))?;
    if !is_scope_token(&value) {
        let reason = format!("String is not a scope on property {}value", members.place);
        return Err(ApiError::invalid_body(reason));
    }
    let description = members.text("description", DESCRIPTION_CHARACTERS)?;
    members.nothing_else()?;
    Ok(ApiScope { value, description })
}

fn missing(name: &str) -> ApiError {
    ApiError::invalid_body(format!("Missing required property: {name}"))
}

fn wrong_type(expected: &str, found: &Value, place: &str) -> ApiError {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let place = if place.is_empty() { String::new() } else { format!(" on property {place}") };
    ApiError::invalid_body(format!("Expected type {expected} but found type {found}{place}"))
}
