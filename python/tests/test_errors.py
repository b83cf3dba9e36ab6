import copy
import pickle

import pytest

import bearward
from bearward import errors

CLASSES = {
    errors.MissingAuthorizationError(): (400, "invalid_request"),
    errors.MissingRequiredArgumentError("connection"): (400, "invalid_request"),
    errors.InvalidAuthSchemeError("text"): (400, "invalid_request"),
    errors.VerifyAccessTokenError("text"): (401, "invalid_token"),
    errors.InvalidDpopProofError("text"): (400, "invalid_dpop_proof"),
    errors.UseDpopNonceError("text"): (401, "use_dpop_nonce"),
    errors.InsufficientScopeError("text"): (403, "insufficient_scope"),
    errors.AccessDeniedError("text"): (403, "access_denied"),
    errors.InsufficientUserAuthenticationError("text"): (401, "insufficient_user_authentication"),
    errors.IssuerUnavailableError("text"): (503, "temporarily_unavailable"),
    errors.ReplayCheckUnavailableError("text"): (503, "temporarily_unavailable"),
    errors.OperationError("text"): (400, "invalid_request"),
    errors.GetAccessTokenForConnectionError("text"): (400, "get_access_token_for_connection_error"),
    errors.GetTokenByExchangeProfileError("text"): (400, "get_token_by_exchange_profile_error"),
    errors.ApiError("invalid_grant", "text", 403): (403, "invalid_grant"),
    errors.ConfigurationError("text"): (500, "invalid_configuration"),
    errors.DomainsResolverError("text"): (500, "domains_resolver_error"),
    errors.InternalError(): (500, "internal_server_error"),
}


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.name)
def test_each_class_knows_its_answer(error):
    assert (error.get_status_code(), error.get_error_code()) == CLASSES[error]
    assert error.get_error_description() == error.message == str(error)
    assert error.name == type(error).__name__
    assert getattr(bearward, error.name) is type(error)


def test_every_public_class_is_in_the_table():
    public = {name for name, value in vars(errors).items() if isinstance(value, type) and name != "BaseAuthError"}
    assert public - {"Any", "ClassVar", "Optional"} == {error.name for error in CLASSES}


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.name)
@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))])  # noqa: S301
def test_copies_are_equal(error, again):
    twin = again(error)
    assert type(twin) is type(error)
    assert vars(twin) == vars(error)
    assert str(twin) == str(error)
    assert repr(twin) == repr(error)


def test_what_the_engine_says_is_kept_and_pickled():
    error = errors.VerifyAccessTokenError(
        "Token is expired", code="token_expired", status=401, headers={"WWW-Authenticate": "Bearer"}, detail="exp=1"
    )
    twin = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (twin.code, twin.status, twin.get_headers(), twin.detail) == (
        "token_expired",
        401,
        {"WWW-Authenticate": "Bearer"},
        "exp=1",
    )
    assert repr(twin) == "VerifyAccessTokenError('Token is expired')"


def test_missing_authorization_takes_the_engines_keywords_and_has_no_text():
    error = errors.MissingAuthorizationError(code="unknown_scheme", status=401, headers={"WWW-Authenticate": "Bearer"})
    assert (error.code, error.status, error.message) == ("unknown_scheme", 401, "")


def test_headers_are_the_callers_own():
    error = errors.VerifyAccessTokenError("text", headers={"WWW-Authenticate": "Bearer"})
    error.get_headers()["WWW-Authenticate"] = "changed"
    assert error.get_headers() == {"WWW-Authenticate": "Bearer"}


def test_missing_required_argument_names_it():
    error = errors.MissingRequiredArgumentError("audience")
    assert error.argument == "audience"
    assert "'audience'" in str(error)
    assert str(errors.MissingRequiredArgumentError("audience", "say it")) == "say it"


def test_api_error_takes_over_its_cause():
    cause = Exception()
    cause.error, cause.error_description = "invalid_grant", "expired"
    error = errors.ApiError("token_exchange_error", "failed", 401, cause)
    assert (error.code, error.status_code, error.get_error_code()) == (
        "token_exchange_error",
        401,
        "token_exchange_error",
    )
    assert (error.cause, error.error, error.error_description) == (cause, "invalid_grant", "expired")
    assert errors.ApiError("x", "y").get_status_code() == 500


def test_code_that_catches_the_old_class_on_an_unreachable_issuer_still_does():
    assert issubclass(errors.IssuerUnavailableError, errors.VerifyAccessTokenError)
