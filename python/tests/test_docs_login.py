"""The login of `/docs` in a real browser, against the local tenant: the page about it, as it is written."""

import functools
import importlib.util
import os
import shutil
import time
import warnings
from pathlib import Path

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


@pytest.fixture
def tenant(tmp_path, monkeypatch):
    """The tenant that the page describes, and the port that its application is registered with."""
    if not local.BEARWARD.exists():
        pytest.skip(f"{local.BEARWARD} is not built: `cargo build -p bearward-cli`, or name one in BEARWARD_BIN")
    (described,) = (block.text for block in indented_blocks(PAGE.read_text()) if block.kind == "toml")
    port = free_port()
    file = tmp_path / "tenant.toml"
    file.write_text(described.replace(":8000", f":{port}"))
    with (tmp_path / "log").open("w") as log, local.tenant(log, "--config", str(file)) as started:
        yield at_its_best(LocalTenant(*started), monkeypatch), port


def indented_blocks(page):
    return blocks("\n".join(line.removeprefix("  ") for line in page.splitlines()) + "\n")


@pytest.fixture
def app(tenant, monkeypatch):
    """The app of the page, with Swagger UI from here instead of from the network."""
    monkeypatch.setenv("AUTH0_DOMAIN", tenant[0].domain)
    monkeypatch.setenv("AUTH0_AUDIENCE", AUDIENCE)
    monkeypatch.setenv("DOCS_CLIENT_ID", "docs")
    page = functools.partial(
        fastapi.applications.get_swagger_ui_html,
        swagger_js_url="/static/swagger-ui-bundle.js",
        swagger_css_url="/static/swagger-ui.css",
        swagger_favicon_url="/static/favicon-32x32.png",
    )
    monkeypatch.setattr(fastapi.applications, "get_swagger_ui_html", page)
    names = {"__name__": "page"}
    (block,) = (block for block in blocks(PAGE.read_text()) if block.kind == "python")
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
OAUTH = f"{DIALOG}//div[contains(@class, 'auth-container')][.//h4[contains(., 'OAuth2')]]"


@pytest.mark.usefixtures("npm_packages")
def test_somebody_logs_in_ticks_a_scope_and_tries_a_route_out(browser, app, tenant, report):
    port = tenant[1]
    page = Page(browser)
    with running(app, port=port):
        browser.get(f"http://127.0.0.1:{port}/docs")
        operation = "//div[@id='operations-default-messages_messages_get']"
        page.click(f"{operation}//button[contains(@class, 'opblock-summary-control')]")
        page.click(f"{operation}//button[contains(@class, 'try-out__btn')]")
        page.click(f"{operation}//button[contains(@class, 'execute')]")
        assert status(page, operation) == "400"

        page.click("//button[contains(@class, 'authorize') and contains(@class, 'btn')]")
        assert page.find(f"{OAUTH}//input[@id='client_id_authorizationCode']").get_attribute("value") == "docs"
        page.click(f"{OAUTH}//label[starts-with(@for, 'read:messages-')]")
        if os.environ.get("BEARWARD_REPORT"):
            SCREENSHOT.parent.mkdir(exist_ok=True)
            page.find(f"{DIALOG}").screenshot(str(SCREENSHOT))
            report(f"{SCREENSHOT}: {SCREENSHOT.stat().st_size} bytes")
        page.click(f"{OAUTH}//button[contains(@class, 'authorize')]")
        page.in_window(2)
        assert browser.current_url.startswith(f"{tenant[0].issuer}authorize?audience=")
        page.click("//button[@name='user']")
        page.in_window(1)
        page.find(f"{OAUTH}//button[text()='Logout']")
        page.click(f"{DIALOG}//button[contains(@class, 'btn-done')]")

        page.click(f"{operation}//button[contains(@class, 'execute')]")
        assert status(page, operation, but_not="400") == "200"
        assert "Hello!" in page.find(f"{operation}//div[contains(@class, 'highlight-code')]").text
    assert tenant[0].asked()["jwks"] == 1


def status(page, operation, but_not=None):
    """What the page says that its request was answered with."""
    deadline = time.monotonic() + PATIENCE
    table = f"{operation}//table[contains(@class, 'live-responses-table')]"
    path = f"{table}//tbody//td[contains(@class, 'response-col_status')]"
    while True:
        found = page.find(path).text.split("\n")[0]
        if found != but_not:
            return found
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_picture_of_the_page_is_small():
    assert Path(SCREENSHOT).stat().st_size < 100_000
