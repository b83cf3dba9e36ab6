//! An answer that is never sent.

use std::fmt;

use axum::response::Response;

/// Marks a response that is not to be sent. As an error it makes hyper close the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Withheld;

impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer is withheld, as its fault says")
    }
}

impl std::error::Error for Withheld {}

/// In place of an answer: the connection closes without one.
pub(crate) fn withheld() -> Response {
    let mut response = Response::default();
    response.extensions_mut().insert(Withheld);
    response
}

/// The last thing before a response is sent: whether it is.
pub(crate) fn unless_withheld(response: Response) -> Result<Response, Withheld> {
    if is_withheld(&response) { Err(Withheld) } else { Ok(response) }
}

pub(super) fn is_withheld(response: &Response) -> bool {
    response.extensions().get::<Withheld>().is_some()
}
