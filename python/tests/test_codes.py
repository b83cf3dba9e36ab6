"""Every code that the Python package can raise is in docs/reference/errors.md, with the status that it has."""

import ast
import re
import time

import pytest

from bearward import _native, errors
from walkthrough import ROOT

PAGE = ROOT / "docs/reference/errors.md"
SOURCE = ROOT / "python/src/bearward"

# A request that can be refused by the engine always gets the engine's code. These classes are only raised with one.
ONLY_WITH_A_CODE = {errors.VerifyAccessTokenError, errors.ApiError}

# Statuses of errors of the client flows. All others have 502.
OF_FLOWS = {"timeout_error": "504", "temporarily_unavailable": "503"}


def rows(section):
    """Code and response of each row of a section."""
    text = PAGE.read_text().split(f"\n## {section}\n")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", text, re.MULTILINE))


@pytest.fixture(scope="module")
def of_python():
    return {**rows("The API's own code and settings"), **rows("Tokens for other services")}


def raised():
    """Class and code of each error that the package makes, read from its source."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                kind = getattr(errors, node.func.id, None)
                if isinstance(kind, type) and issubclass(kind, errors.BaseAuthError):
                    yield kind, code_of(kind, node)


def code_of(kind, call):
    given = [keyword.value for keyword in call.keywords if keyword.arg == "code"]
    if issubclass(kind, errors.ApiError):
        given = given or call.args[:1]
    if given and ast.unparse(given[0]) == "error.get_error_code()":
        # For callers of the client flows who catch `ApiError`: the issuer is unavailable.
        return errors.IssuerUnavailableError("text").get_error_code()
    if given:
        assert isinstance(given[0], ast.Constant), ast.unparse(call)
        return given[0].value
    assert kind not in ONLY_WITH_A_CODE, ast.unparse(call)
    return kind("text").code if kind is not errors.InternalError else kind().code


def of_the_token_endpoint():
    """Codes that Bearward gives when the token endpoint names no error."""
    vault = _native.Exchange.vault("google", "subject", None, "client")
    profile = _native.Exchange.profile("subject", "urn:t", None, None, None, [])
    for exchange in [vault, profile]:
        for status, body in [(200, b"<html>"), (200, b"{}"), (418, b"<html>")]:
            with pytest.raises(errors.ApiError) as caught:
                exchange.read(status, None, body, [], time.time())
            yield caught.value.code, caught.value.status


def test_every_code_that_the_source_names_is_on_the_page(of_python):
    found = set(raised())
    assert len(found) >= 8
    for kind, code in found:
        status = OF_FLOWS.get(code, "502") if kind is errors.ApiError else str(status_of(kind))
        assert of_python[code].startswith(status), code


def status_of(kind):
    return (kind() if kind is errors.InternalError else kind("text")).status


def test_every_code_for_an_answer_of_the_token_endpoint_is_on_the_page(of_python):
    found = set(of_the_token_endpoint())
    assert len(found) == 5
    for code, status in found:
        assert str(status) in of_python[code] or (status == 418 and of_python[code] == "the endpoint's status"), code


def test_the_page_has_no_code_of_python_that_nothing_raises(of_python):
    native = {
        "internal_server_error",
        "missing_required_argument",
        "get_token_by_exchange_profile_error",
        "operation_too_long",
        "operation_unreadable",
    }
    in_source = {code for _, code in raised()}
    at_endpoint = {code for code, _ in of_the_token_endpoint()}
    # Raised through a variable by `_driver/exchange.py`, which gets the class.
    by_class = {errors.GetAccessTokenForConnectionError("text").code}
    assert set(of_python) == in_source | at_endpoint | native | by_class


def test_metrics_count_every_code_that_is_not_a_verdict_as_undecided():
    metrics = pytest.importorskip("bearward.opentelemetry", reason="opentelemetry is not installed")
    not_a_verdict = {*rows("When a request can't be decided now"), "event_loop_blocked", "internal_server_error"}
    assert not_a_verdict == metrics._UNDECIDED
