"""The login of `/docs` in a real browser, against the local tenant: the page about it, as it is written."""

import functools
import importlib.util
import os
import shutil
import time
import warnings
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import fastapi.applications
import local
import pytest
from fastapi.staticfiles import StaticFiles

from local_tenant import LocalTenant, at_its_best
from support import AUDIENCE, JS, free_port, running
from walkthrough import ROOT, blocks

PAGE = ROOT / "docs" / "how-to" / "log-in-from-docs.md"
SCREENSHOT = PAGE.parent / "images" / "log-in-from-docs.png"
PATIENCE = 30


@pytest.fixture
def browser(tmp_path):
    """Headless Chromium. It takes any certificate: what is tested is not how browsers check them."""
    programs = {name: shutil.which(name) for name in ("chromium", "chromedriver")}
    if None in programs.values():
        pytest.skip("chromium and chromedriver are not installed (Debian: apt-get install chromium chromium-driver)")
    if importlib.util.find_spec("selenium") is None:
        pytest.skip("selenium is not installed")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = programs["chromium"]
    # The first one: tests in containers run as root.
    flags = ["--no-sandbox", "--headless=new", "--disable-dev-shm-usage", "--disable-gpu", "--no-proxy-server"]
    for flag in [
        *flags,
        "--ignore-certificate-errors",
        "--window-size=1000,1000",
        f"--user-data-dir={tmp_path}/profile",
    ]:
        options.add_argument(flag)
    service = webdriver.ChromeService(programs["chromedriver"])
    with warnings.catch_warnings():
        # Of selenium's own.
        warnings.simplefilter("ignore", ResourceWarning)
        driver = webdriver.Chrome(options, service)
        driver.implicitly_wait(0)
        yield driver
        driver.quit()


class Login(NamedTuple):
    """How an app of the page logs in."""

    issuer: str
    """What the tenant imitates."""
    client_id: str
    """The field of the dialog for it."""
    request: str
    """How the URL of the login continues the tenant's."""
    ticks: bool
    """Whether the dialog lists the scope, for a user to tick."""


LOGINS = {
    "domain": Login("auth0", "client_id_authorizationCode", "/authorize?audience=", ticks=True),
    "issuer": Login(
        "keycloak", "client_id_authorization_code", "/realms/local/protocol/openid-connect/auth?", ticks=False
    ),
}


@pytest.fixture(params=LOGINS)
def login(request):
    return LOGINS[request.param]


@pytest.fixture
def tenant(login, tmp_path, monkeypatch):
    """The tenant that the page describes, and the port that its application is registered with."""
    if not local.BEARWARD.exists():
        pytest.skip(f"{local.BEARWARD} is not built: `cargo build -p bearward-cli`, or name one in BEARWARD_BIN")
    (described,) = (block.text for block in indented_blocks(PAGE.read_text()) if block.kind == "toml")
    port = free_port()
    file = tmp_path / "tenant.toml"
    file.write_text(described.replace(":8000", f":{port}"))
    arguments = ["--config", str(file), "--like", login.issuer]
    with (tmp_path / "log").open("w") as log, local.tenant(log, *arguments) as started:
        yield at_its_best(LocalTenant(*started), monkeypatch), port


def indented_blocks(page):
    return blocks("\n".join(line.removeprefix("  ") for line in page.splitlines()) + "\n")


@pytest.fixture
def app(login, tenant, monkeypatch):
    """The app of the page, with Swagger UI from here instead of from the network."""
    monkeypatch.setenv("AUTH0_DOMAIN", tenant[0].domain)
    monkeypatch.setenv("AUTH0_AUDIENCE", AUDIENCE)
    monkeypatch.setenv("BEARWARD_ISSUER", tenant[0].issuer)
    monkeypatch.setenv("BEARWARD_AUDIENCE", AUDIENCE)
    monkeypatch.setenv("DOCS_CLIENT_ID", "docs")
    page = functools.partial(
        fastapi.applications.get_swagger_ui_html,
        swagger_js_url="/static/swagger-ui-bundle.js",
        swagger_css_url="/static/swagger-ui.css",
        swagger_favicon_url="/static/favicon-32x32.png",
    )
    monkeypatch.setattr(fastapi.applications, "get_swagger_ui_html", page)
    names = {"__name__": "page"}
    apps = [block for block in blocks(PAGE.read_text()) if block.kind == "python"]
    block = apps[list(LOGINS.values()).index(login)]
    exec(compile(block.text, PAGE.name, "exec"), names)  # noqa: S102 - our own page
    names["app"].mount("/static", StaticFiles(directory=JS / "node_modules" / "swagger-ui-dist"))
    return names["app"]


class Page:
    """What a user sees and clicks."""

    def __init__(self, browser):
        self.browser = browser

    def find(self, path):
        """The element at an XPath, once it is there and can be clicked."""
        deadline = time.monotonic() + PATIENCE
        while True:
            for element in self.browser.find_elements("xpath", path):
                if element.is_displayed() and element.is_enabled():
                    return element
            assert time.monotonic() < deadline, f"no {path} in {self.browser.page_source[:5000]}"
            time.sleep(0.05)

    def click(self, path):
        self.find(path).click()

    def in_window(self, number):
        """Go to a window, once there are so many."""
        deadline = time.monotonic() + PATIENCE
        while len(self.browser.window_handles) != number:
            assert time.monotonic() < deadline, self.browser.page_source[:5000]
            time.sleep(0.05)
        self.browser.switch_to.window(self.browser.window_handles[-1])


DIALOG = "//div[contains(@class, 'modal-ux')]"
OPERATION = "//div[@id='operations-default-messages_messages_get']"


@pytest.mark.usefixtures("npm_packages")
def test_somebody_logs_in_ticks_a_scope_and_tries_a_route_out(browser, app, login, tenant, report):
    local_tenant, port = tenant
    page = Page(browser)
    flow = f"{DIALOG}//div[contains(@class, 'auth-container')][.//input[@id='{login.client_id}']]"
    with running(app, port=port):
        browser.get(f"http://127.0.0.1:{port}/docs")
        page.click(f"{OPERATION}//button[contains(@class, 'opblock-summary-control')]")
        page.click(f"{OPERATION}//button[contains(@class, 'try-out__btn')]")
        page.click(f"{OPERATION}//button[contains(@class, 'execute')]")
        refused = status(page)
        assert refused == ("400" if login.ticks else "401")

        page.click("//button[contains(@class, 'authorize') and contains(@class, 'btn')]")
        assert page.find(f"{flow}//input[@id='{login.client_id}']").get_attribute("value") == "docs"
        if login.ticks:
            page.click(f"{flow}//label[starts-with(@for, 'read:messages-')]")
            take_screenshot(page, report)
        page.click(f"{flow}//button[contains(@class, 'authorize')]")
        page.in_window(2)
        at_tenant = urlsplit(browser.current_url)
        assert at_tenant.netloc == local_tenant.domain
        assert f"{at_tenant.path}?{at_tenant.query}".startswith(login.request)
        page.click("//button[@name='user']")
        page.in_window(1)
        page.find(f"{DIALOG}//button[text()='Logout']")
        page.click(f"{DIALOG}//button[contains(@class, 'btn-done')]")

        page.click(f"{OPERATION}//button[contains(@class, 'execute')]")
        assert status(page, but_not=refused) == "200"
        assert "Hello!" in page.find(f"{OPERATION}//div[contains(@class, 'highlight-code')]").text
    assert local_tenant.asked()["jwks"] == 1


def take_screenshot(page, report):
    if os.environ.get("BEARWARD_REPORT"):
        SCREENSHOT.parent.mkdir(exist_ok=True)
        page.find(f"{DIALOG}").screenshot(str(SCREENSHOT))
        report(f"{SCREENSHOT}: {SCREENSHOT.stat().st_size} bytes")


def status(page, but_not=None):
    """What the page says that its request was answered with."""
    deadline = time.monotonic() + PATIENCE
    table = f"{OPERATION}//table[contains(@class, 'live-responses-table')]"
    path = f"{table}//tbody//td[contains(@class, 'response-col_status')]"
    while True:
        found = page.find(path).text.split("\n")[0]
        if found != but_not:
            return found
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_picture_of_the_page_is_small():
    assert Path(SCREENSHOT).stat().st_size < 100_000
