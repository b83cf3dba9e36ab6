//! How long an API uses a document, by its `Cache-Control`.

use std::time::Duration;

use bearward_core::{documents::Lifetime, limits, policy};
use reqwest::header;

use super::{
    fetch::{Document, field},
    report::Check,
};

pub(super) fn check(name: &'static str, document: &Document) -> Check {
    let said = field(&document.headers, &header::CACHE_CONTROL);
    let fresh = Lifetime::new(said.as_deref(), Duration::ZERO, policy::DOCUMENT_CEILING).fresh();
    let seconds = fresh.as_secs();
    let check = match &said {
        None => Check::ok(name, format!("fresh for {seconds} s, as there is no Cache-Control")),
        Some(said) if fresh > limits::FRESH_AT_LEAST => {
            Check::ok(name, format!("fresh for {seconds} s (Cache-Control: {said})"))
        }
        Some(said) => short(name, said, fresh),
    };
    check.with("cache_control", said).with("fresh_for_s", seconds)
}

fn short(name: &'static str, said: &str, fresh: Duration) -> Check {
    let message = format!(
        "Cache-Control ({said}) allows next to nothing: each process of an API asks every {} s",
        fresh.as_secs()
    );
    let remedy = "have the tenant, or the proxy before it, allow a max-age of some minutes; cache_adapter shares documents between processes";
    Check::warning(name, message, remedy)
}
