//! The codes that only the Python package has. The engine never gives them: they come from the code around it.

use super::entry::{Entry, Section};

/// A code of the Python package alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PythonCode {
    /// What is known about it.
    pub entry: Entry,
    /// The HTTP status and `error` of the exception, for a table.
    pub response: &'static str,
}

const fn code(
    code: &'static str,
    section: Section,
    response: &'static str,
    cause: &'static str,
    remedy: &'static str,
) -> PythonCode {
    PythonCode { entry: Entry { code, section, cause, remedy, auth0: None }, response }
}

const FLOW_NOT_STARTED: &str = "The client flow cannot be started: an argument cannot be sent, no client credentials are configured, or the issuer has no token endpoint.";
const SET_CREDENTIALS: &str =
    "Set the client's credentials, and correct the argument that the message names.";

/// The codes of the Python package that no request gets from the engine.
#[rustfmt::skip]
pub const PYTHON_CODES: &[PythonCode] = &[
    code("actor_malformed", Section::Application, "401 `invalid_token`",
        "The token's `act`, or an `act` inside it, is not an object with a non-empty `sub`, or there are too many.",
        "Have the issuer write `act` as RFC 8693 section 4.1 says."),
    code("missing_required_argument", Section::Application, "400 `invalid_request`",
        "The API's code called Bearward without a required argument, such as the method and URL of a DPoP request.",
        "Pass the argument that the message names."),
    code("invalid_configuration", Section::Application, "500 `invalid_configuration`",
        "A setting is missing or not usable. Raised at start.",
        "The message names the setting; correct it."),
    code("event_loop_blocked", Section::Application, "503 `temporarily_unavailable`",
        "The event loop in which `verify_request_sync` waits for the network gave no result in time: `custom_fetch`, an async domains resolver or a store of the API blocks its thread, or the machine is overloaded.",
        "Have those functions await what takes long, instead of calling code that blocks."),
    code("internal_server_error", Section::Application, "500 `internal_server_error`",
        "A defect in Bearward or in code that it called. The log has a traceback, without credentials.",
        "Please report it."),

    code("operation_unreadable", Section::Application, "400 `invalid_request`",
        "Scopes are required by operation, and the body is not JSON-RPC that has only one meaning: UTF-8, no member twice in an object, nested at most 32 deep, with `params.name` for a tool.",
        "Send plain JSON-RPC, uncompressed. The log says what is wrong with the body."),
    code("operation_too_long", Section::Application, "413 `invalid_request`",
        "Scopes are required by operation, and the body has more than 4 MiB, or did not arrive as a whole.",
        "Send less in one request."),

    code("get_access_token_for_connection_error", Section::ClientFlow, "400", FLOW_NOT_STARTED, SET_CREDENTIALS),
    code("get_token_by_exchange_profile_error", Section::ClientFlow, "400", FLOW_NOT_STARTED, SET_CREDENTIALS),
    code("temporarily_unavailable", Section::ClientFlow, "503",
        "The issuer's discovery document, which names the token endpoint, cannot be fetched, and there is no usable earlier copy.",
        "Check that the API's host reaches the issuer: DNS, proxy, firewall, certificate authorities. `Retry-After` says when to try again."),
    code("timeout_error", Section::ClientFlow, "504",
        "The token endpoint did not answer in time.",
        "Check that the API's host reaches the issuer, or allow more time with the option `timeout`."),
    code("network_error", Section::ClientFlow, "502",
        "The token endpoint could not be reached. The message names the kind of network error.",
        "Check that the API's host reaches the issuer: DNS, proxy, firewall, certificate authorities."),
    code("invalid_response", Section::ClientFlow, "502",
        "The token endpoint answered with success, but without a usable token, or the answer cannot be read.",
        "Check that the answer comes from the issuer and not from a proxy. The message says what is wrong with it."),
    code("invalid_json", Section::ClientFlow, "502, and 500 for Token Vault",
        "The token endpoint answered with success, but not with a JSON object.",
        "Check that the answer comes from the issuer and not from a proxy."),
    code("connection_token_error", Section::ClientFlow, "the endpoint's status",
        "The token endpoint refused a token for a connection and did not name an error.",
        "Look for the request in the issuer's log. The user may have to connect the account again."),
    code("token_exchange_error", Section::ClientFlow, "the endpoint's status",
        "The token endpoint refused an exchange and did not name an error.",
        "Look for the request in the issuer's log."),
];
