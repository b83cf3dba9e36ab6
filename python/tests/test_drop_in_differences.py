"""The comparison with the old SDK, as far as that is not needed: `make compat` runs all of it."""

import json

import pytest

from compat import differences
from compat.answers import difference, normal
from compat.corpus import configurations_of, corpus_of
from compat.world import world

SAME = {"status": 200, "claims": {"sub": "a"}}
OLD = {"status": 401, "error": "invalid_token", "description": "text: more", "challenge": "Bearer"}
NEW = {"status": 401, "error": "invalid_token", "description": "text", "challenge": "Bearer"}
ENTRY = {
    "reason": "texts",
    "old": {"status": 401, "description": "text: more"},
    "new": {"status": 401, "description": "text"},
}
REASONS = {"texts": "4. Texts no longer include the text of an exception"}


def problems(cases, old, new):
    return list(differences.Report({"reasons": REASONS, "cases": cases}, old, new).problems())


def test_what_is_equal_or_listed_is_fine():
    assert problems({"a": ENTRY}, {"a": OLD, "b": SAME}, {"a": NEW, "b": SAME}) == []


@pytest.mark.parametrize(
    ("cases", "new", "problem"),
    [
        ({}, NEW, "differs, and is not listed"),
        ({"a": ENTRY}, {**NEW, "status": 403}, "differs, but not as listed"),
        ({"a": ENTRY}, {**NEW, "description": "other"}, "differs, but not as listed"),
        ({"a": ENTRY}, {**NEW, "challenge": "Basic"}, "differs, but not as listed"),
        ({"a": ENTRY}, {"status": 200, "claims": {}}, "differs, but not as listed"),
        ({"a": ENTRY}, OLD, "listed, and differs no longer"),
        ({"a": ENTRY, "z": ENTRY}, NEW, "listed, and is no case"),
        ({"a": {**ENTRY, "reason": ""}}, NEW, "listed without a reason"),
    ],
)
def test_everything_else_is_a_problem(cases, new, problem):
    assert any(line.startswith(problem) for line in problems(cases, {"a": OLD}, {"a": new}))


@pytest.mark.parametrize("sides", [({"a": OLD, "b": OLD}, {"a": OLD}), ({"a": OLD}, {"a": OLD, "b": OLD})])
def test_a_case_that_only_one_side_was_asked_is_a_problem(sides):
    assert "asked of one side only: b" in problems({}, *sides)


def test_claims_are_told_only_where_both_let_in():
    claims = {"status": 200, "claims": {"sub": "a", "iat": 1}}
    assert difference(claims, NEW)["old"] == {"status": 200}
    other = {"status": 200, "claims": {"sub": "b", "iat": 1}}
    assert difference(claims, other) == {
        "old": {"status": 200, "claims": {"sub": "a"}},
        "new": {"status": 200, "claims": {"sub": "b"}},
    }


def test_what_changes_from_run_to_run_is_not_compared():
    text = "Failed to fetch JWKS: [Errno 111] localhost:4711"
    challenge = f'Bearer error="e", error_description="{text}", DPoP algs="ES256"'
    answer = normal({"description": text, "challenge": challenge}, ["localhost:4711"])
    assert answer["description"] == "Failed to fetch JWKS: ..."
    assert answer["challenge"] == 'Bearer error="e", error_description="Failed to fetch JWKS: ...", DPoP algs="ES256"'
    assert normal({"claims": {"iss": "https://localhost:1/"}}, ["localhost:1"]) == {
        "claims": {"iss": "https://a.example/"}
    }


def test_the_corpus_covers_what_it_should():
    with world() as here:
        cases, configurations = corpus_of(here).cases, configurations_of(here)
    assert len(cases) > 300
    assert {case.configuration for case in cases.values()} == set(configurations)
    json.dumps(configurations)


def test_the_list_names_cases_and_the_page_explains_the_reasons():
    listed = differences.load()
    page = differences.PAGE.read_text(encoding="utf-8").splitlines()
    assert all(f"### {title}" in page for title in listed["reasons"].values())
    with world() as here:
        cases = corpus_of(here).cases
    # Calls and arguments have no requests: the other environment is asked for their names.
    requests = {
        name.split("#")[0] for name in listed["cases"] if not name.startswith(("argument", "call", "flow", "signature"))
    }
    assert requests <= set(cases)
