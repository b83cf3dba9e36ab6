"""For tests of your app: a tenant in memory, and users to act as. Needs `bearward[testing]`.

def test_messages(client, tenant):    # real tokens, really verified
    assert client.get("/messages", headers=tenant.headers(scope="read:messages")).status_code == 200

def test_as_ann(client, act_as):      # no token at all: each guard of the app sees these claims
    with act_as(app, sub="auth0|ann"):
        assert client.get("/me").json() == {"sub": "auth0|ann"}

Both are fixtures of the pytest plugin `bearward`. Nothing here uses the network.

It is not for production: what it does would let a stranger in. So its import warns where pytest isn't running and
`BEARWARD_ALLOW_TESTING` isn't set.
"""

import os
import sys
import warnings

from bearward.testing.acting import act_as
from bearward.testing.tenant import TestTenant

__all__ = ["TestTenant", "act_as"]

# Not whether pytest is imported: libraries do that, too. It sets the variable while it runs, since 8.2.
_IS_TESTED = "bearward.pytest_plugin" in sys.modules or "PYTEST_VERSION" in os.environ

if not _IS_TESTED and not os.environ.get("BEARWARD_ALLOW_TESTING"):
    warnings.warn(
        "bearward.testing is imported outside of pytest. It can make a guard accept anybody, so it must not be in "
        "production. If this process runs tests, set BEARWARD_ALLOW_TESTING=1.",
        RuntimeWarning,
        stacklevel=2,
    )
