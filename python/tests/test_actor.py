import pytest

from bearward import VerifyAccessTokenError, get_current_actor, get_delegation_chain


def chain(*actors):
    act = None
    for actor in reversed(actors):
        act = {"sub": actor} if act is None else {"sub": actor, "act": act}
    return {"sub": "user", "act": act}


def test_a_token_that_was_not_delegated():
    assert get_current_actor({"sub": "user"}) is None
    assert get_delegation_chain({"sub": "user"}) == []
    assert get_delegation_chain({"sub": "user", "act": None}) == []


def test_newest_actor_first():
    assert get_current_actor(chain("b", "a")) == "b"
    assert get_delegation_chain(chain("b", "a")) == ["b", "a"]


@pytest.mark.parametrize("act", ["b", 1, [], {}, {"sub": ""}, {"sub": " "}, {"sub": 1}, {"sub": None}, True])
def test_malformed(act):
    for read in (get_current_actor, get_delegation_chain):
        with pytest.raises(VerifyAccessTokenError, match="Invalid act claim"):
            read({"act": act})


@pytest.mark.parametrize("claims", [None, "claims", ["act"]])
def test_claims_that_are_none(claims):
    for read in (get_current_actor, get_delegation_chain):
        with pytest.raises(VerifyAccessTokenError, match="Invalid act claim"):
            read(claims)


def test_only_the_chain_looks_at_earlier_actors():
    claims = {"act": {"sub": "b", "act": "not an object"}}
    assert get_current_actor(claims) == "b"
    with pytest.raises(VerifyAccessTokenError, match="Invalid act claim"):
        get_delegation_chain(claims)


def test_a_chain_without_end_is_refused():
    act = {"sub": "loop"}
    act["act"] = act
    with pytest.raises(VerifyAccessTokenError, match="Invalid act claim"):
        get_delegation_chain({"act": act})
    assert get_delegation_chain(chain(*"abcdefghij")) == list("abcdefghij")
