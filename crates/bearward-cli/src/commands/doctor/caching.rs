//! How long APIs use a document before they fetch it again, by its `Cache-Control`.

use std::time::Duration;

use bearward_core::{documents::Lifetime, limits, policy};
use reqwest::header;

use super::{
    fetch::{Document, field},
    report::Check,
};

pub(super) fn check(name: &'static str, document: &Document) -> Check {
    let value = field(&document.headers, &header::CACHE_CONTROL);
    let fresh = Lifetime::new(value.as_deref(), Duration::ZERO, policy::DOCUMENT_CEILING).fresh();
    let seconds = fresh.as_secs();
    let check = match &value {
        None => Check::ok(name, format!("fresh for {seconds} s (no Cache-Control)")),
        Some(value) if fresh > limits::FRESH_AT_LEAST => {
            Check::ok(name, format!("fresh for {seconds} s (Cache-Control: {value})"))
        }
        Some(value) => short(name, value, fresh),
    };
    check.with("cache_control", value).with("fresh_for_s", seconds)
}

fn short(name: &'static str, value: &str, fresh: Duration) -> Check {
    let message = format!(
        "Cache-Control ({value}) is very short: each process of an API fetches it every {} s",
        fresh.as_secs()
    );
    let remedy = "configure a max-age of some minutes in the issuer or in the proxy before it; cache_adapter shares documents between processes";
    Check::warning(name, message, remedy)
}
