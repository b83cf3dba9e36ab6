"""The pytest plugin `bearward`: the fixtures `tenant` and `act_as`, and an environment that an app can be imported in.

pytest loads it wherever the package is installed. Without `bearward[testing]` the fixtures say what to install.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Callable

import pytest

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from bearward.testing import TestTenant

# Those of `TestTenant`.
_ENVIRONMENT = {
    "AUTH0_DOMAIN": "tenant.test",
    "AUTH0_AUDIENCE": "https://api.test",
    "BEARWARD_ISSUER": "https://tenant.test/",
    "BEARWARD_AUDIENCE": "https://api.test",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the setting."""
    parser.addini(
        "bearward_environment",
        "set AUTH0_DOMAIN, AUTH0_AUDIENCE, BEARWARD_ISSUER and BEARWARD_AUDIENCE where they are missing",
        type="bool",
        default=True,
    )


# A conftest.py may import the app.
@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Set what is missing in the environment."""
    if early_config.getini("bearward_environment"):
        os.environ.update({name: value for name, value in _ENVIRONMENT.items() if not os.environ.get(name)})


@pytest.fixture
def tenant() -> Iterator[TestTenant]:
    """A `bearward.testing.TestTenant`. What it serves is as before when the test ends."""
    from bearward.testing import TestTenant

    with TestTenant() as tenant:
        yield tenant


@pytest.fixture
def act_as() -> Callable[..., AbstractContextManager[None]]:
    """`bearward.testing.act_as`."""
    from bearward.testing import act_as

    function: Any = act_as
    return function  # type: ignore[no-any-return]
