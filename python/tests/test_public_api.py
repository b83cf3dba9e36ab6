"""`make check-public-api` finds types of other crates and enums that can't grow, by the listing."""

import public_api
import pytest


@pytest.mark.parametrize(
    "line",
    [
        "pub fn bearward::Builder::client(self, reqwest::Client) -> Self",
        "impl core::convert::From<bearward_core::documents::DocumentStatus> for bearward::DocumentStatus",
        "pub bearward::Thing::field: core::option::Option<tokio::time::Instant>",
    ],
)
def test_a_type_of_another_crate_is_found(line):
    assert len(list(public_api.foreign([line]))) == 1


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (["pub enum bearward::Sighting"], "bearward::Sighting"),
        (["pub struct bearward::Wrapped(pub u8)"], "bearward::Wrapped"),
        (["pub struct bearward::Status<'a>", "pub bearward::Status::age: u64"], "bearward::Status"),
    ],
)
def test_what_could_not_grow_is_found(lines, name):
    assert list(public_api.exhaustive(lines)) == [f"{name} is not #[non_exhaustive]"]


@pytest.mark.parametrize(
    "lines",
    [
        ["#[non_exhaustive] pub enum bearward::Dpop", "pub bearward::Dpop::Off"],
        ["#[non_exhaustive] pub struct bearward::Status", "pub bearward::Status::age: core::time::Duration"],
        ["pub struct bearward::Guard(_)", "pub fn bearward::Guard::layer(&self, http::Uri) -> Self::Future"],
        ["pub struct bearward::Claims<T>(pub T)"],
    ],
)
def test_what_users_may_see_is_in_order(lines):
    assert [*public_api.foreign(lines), *public_api.exhaustive(lines)] == []


def test_the_listing_is_in_order():
    lines = public_api.LISTING.read_text().splitlines()
    assert [*public_api.foreign(lines), *public_api.exhaustive(lines)] == []
