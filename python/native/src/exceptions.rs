//! Which exception of `bearward.errors` a refusal becomes. It is decided only here.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bearward_core::answer::ErrorCode;
use bearward_core::operations::OperationError;
use bearward_core::{Answer, Cause, Refused, Rejection, Unavailable};
use bearward_exchange::{EndpointError, RequestError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};

mod classes {
    use pyo3::import_exception;

    import_exception!(bearward.errors, AccessDeniedError);
    import_exception!(bearward.errors, ApiError);
    import_exception!(bearward.errors, ConfigurationError);
    import_exception!(bearward.errors, DomainsResolverError);
    import_exception!(bearward.errors, GetTokenByExchangeProfileError);
    import_exception!(bearward.errors, InsufficientScopeError);
    import_exception!(bearward.errors, InsufficientUserAuthenticationError);
    import_exception!(bearward.errors, InternalError);
    import_exception!(bearward.errors, InvalidAuthSchemeError);
    import_exception!(bearward.errors, InvalidDpopProofError);
    import_exception!(bearward.errors, IssuerUnavailableError);
    import_exception!(bearward.errors, MissingAuthorizationError);
    import_exception!(bearward.errors, MissingRequiredArgumentError);
    import_exception!(bearward.errors, OperationError);
    import_exception!(bearward.errors, ReplayCheckUnavailableError);
    import_exception!(bearward.errors, UseDpopNonceError);
    import_exception!(bearward.errors, VerifyAccessTokenError);
}
pub(crate) use classes::ConfigurationError;

/// The exception for a refused request.
pub(crate) fn refused(py: Python<'_>, refused: &Refused) -> PyErr {
    build(py, &class(py, refused), refused, None)
}

/// The same, as an object that is not raised yet.
pub(crate) fn instance<'py>(py: Python<'py>, refusal: &Refused) -> Bound<'py, PyAny> {
    refused(py, refusal).into_value(py).into_bound(py).into_any()
}

/// The exception for a resolver of issuers that failed. `detail`: facts about the failure, for the log.
pub(crate) fn resolver(py: Python<'_>, refused: &Refused, detail: &str) -> PyErr {
    build(py, &class(py, refused), refused, Some(detail))
}

/// The exception for an exchange that can't be asked for.
pub(crate) fn request(py: Python<'_>, error: &RequestError) -> PyErr {
    let RequestError::Missing(argument) = error else {
        return classes::GetTokenByExchangeProfileError::new_err(error.to_string());
    };
    match py.get_type::<classes::MissingRequiredArgumentError>().call1((*argument,)) {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}

/// The exception if the token endpoint granted no token.
pub(crate) fn endpoint(_py: Python<'_>, error: &EndpointError) -> PyErr {
    classes::ApiError::new_err((error.code().to_owned(), error.description().to_owned(), error.status()))
}

/// The exception for a body of which it can't be said which operations it asks for.
pub(crate) fn operation(py: Python<'_>, error: OperationError) -> PyErr {
    let (code, status) = if error == OperationError::TooLong {
        ("operation_too_long", 413)
    } else {
        ("operation_unreadable", 400)
    };
    let made = || -> PyResult<PyErr> {
        let keywords = PyDict::new(py);
        keywords.set_item("code", code)?;
        keywords.set_item("status", status)?;
        keywords.set_item("detail", error.to_string())?;
        let class = py.get_type::<classes::OperationError>();
        Ok(PyErr::from_value(class.call(("The body can't be read",), Some(&keywords))?))
    };
    made().unwrap_or_else(|error| error)
}

/// The exception for a defect of Bearward. It has no details: the panic has printed them.
pub(crate) fn internal(_py: Python<'_>) -> PyErr {
    classes::InternalError::new_err(())
}

/// Runs `call`. A panic in it becomes an exception that `except Exception` catches, and the process goes on.
pub(crate) fn guarded<T>(py: Python<'_>, call: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| Err(internal(py)))
}

fn class<'py>(py: Python<'py>, refused: &Refused) -> Bound<'py, PyType> {
    match &refused.cause {
        Cause::Rejected(rejection) => class_of_rejection(py, rejection, refused.answer.error),
        Cause::Unavailable(Unavailable::ReplayLogFull | Unavailable::ReplayStore) => {
            py.get_type::<classes::ReplayCheckUnavailableError>()
        }
        Cause::Unavailable(Unavailable::ResolverTimeout) | Cause::Resolver(_) => {
            py.get_type::<classes::DomainsResolverError>()
        }
        Cause::Unavailable(_) => py.get_type::<classes::IssuerUnavailableError>(),
    }
}

fn class_of_rejection<'py>(py: Python<'py>, rejection: &Rejection, error: ErrorCode) -> Bound<'py, PyType> {
    match (error, rejection) {
        (
            ErrorCode::InvalidRequest,
            Rejection::BearerNotAccepted
            | Rejection::ProofMissing
            | Rejection::ProofWithBearer
            | Rejection::MultipleAuthorizationFields,
        ) => py.get_type::<classes::InvalidAuthSchemeError>(),
        (ErrorCode::InvalidRequest, _) => py.get_type::<classes::MissingAuthorizationError>(),
        (ErrorCode::InvalidDpopProof, _) => py.get_type::<classes::InvalidDpopProofError>(),
        (ErrorCode::UseDpopNonce, _) => py.get_type::<classes::UseDpopNonceError>(),
        (ErrorCode::InsufficientScope, _) => py.get_type::<classes::InsufficientScopeError>(),
        (ErrorCode::AccessDenied, _) => py.get_type::<classes::AccessDeniedError>(),
        (ErrorCode::InsufficientUserAuthentication, _) => {
            py.get_type::<classes::InsufficientUserAuthenticationError>()
        }
        _ => py.get_type::<classes::VerifyAccessTokenError>(),
    }
}

fn build(py: Python<'_>, class: &Bound<'_, PyType>, refused: &Refused, detail: Option<&str>) -> PyErr {
    let made = || -> PyResult<PyErr> {
        let keywords = PyDict::new(py);
        keywords.set_item("code", refused.cause.code())?;
        keywords.set_item("status", refused.answer.status)?;
        keywords.set_item("headers", headers(py, &refused.answer)?)?;
        let facts = || refused.cause.to_string();
        keywords.set_item("detail", detail.map_or_else(facts, str::to_owned))?;
        // The class for missing credentials takes no message.
        let message = if class.is(py.get_type::<classes::MissingAuthorizationError>()) {
            PyTuple::empty(py)
        } else {
            PyTuple::new(py, [refused.answer.description.as_ref()])?
        };
        Ok(PyErr::from_value(class.call(message, Some(&keywords))?))
    };
    made().unwrap_or_else(|error| error)
}

fn headers<'py>(py: Python<'py>, answer: &Answer) -> PyResult<Bound<'py, PyDict>> {
    let headers = PyDict::new(py);
    for (name, value) in answer.fields() {
        headers.set_item(name, value)?;
    }
    Ok(headers)
}
