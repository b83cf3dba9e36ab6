//! What the `metrics` facade is told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bearward::testing::TestTenant;
use http::Request;
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

/// Notes what is recorded, by name and labels.
#[derive(Clone, Default)]
struct Noted(Arc<Mutex<BTreeMap<String, f64>>>);

struct Handle(String, Noted);

impl Handle {
    fn of(key: &Key, noted: &Noted) -> Arc<Self> {
        let mut labels: Vec<String> =
            key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        labels.sort();
        Arc::new(Self(format!("{} {}", key.name(), labels.join(" ")), noted.clone()))
    }

    fn note(&self, change: impl FnOnce(&mut f64)) {
        change(self.1.0.lock().unwrap().entry(self.0.trim().to_owned()).or_default());
    }
}

impl metrics::CounterFn for Handle {
    fn increment(&self, value: u64) {
        self.note(|sum| *sum += f64::from(u32::try_from(value).unwrap()));
    }

    fn absolute(&self, _: u64) {}
}

impl metrics::GaugeFn for Handle {
    fn increment(&self, _: f64) {}

    fn decrement(&self, _: f64) {}

    fn set(&self, value: f64) {
        self.note(|kept| *kept = value);
    }
}

impl metrics::HistogramFn for Handle {
    fn record(&self, value: f64) {
        assert!(value >= 0.0);
        self.note(|count| *count += 1.0);
    }
}

impl Recorder for Noted {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Handle::of(key, self))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Handle::of(key, self))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Handle::of(key, self))
    }
}

#[test]
fn each_decision_and_each_fetch_is_counted_by_stable_codes() {
    let noted = Noted::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    metrics::with_local_recorder(&noted, || runtime.block_on(decide()));
    let noted = noted.0.lock().unwrap();
    let expected = [
        ("bearward.document.fetches kind=discovery outcome=failed", 1.0),
        ("bearward.document.fetches kind=discovery outcome=fetched", 1.0),
        ("bearward.document.fetches kind=key_set outcome=fetched", 1.0),
        ("bearward.replay.entries", 0.0),
        ("bearward.requests code=issuer_unavailable outcome=undecided scheme=Bearer", 1.0),
        ("bearward.requests code=missing_authorization outcome=refused scheme=none", 1.0),
        ("bearward.requests code=none outcome=accepted scheme=Bearer", 1.0),
        ("bearward.requests code=opaque_token outcome=refused scheme=Bearer", 2.0),
        ("bearward.verification.duration outcome=accepted scheme=Bearer", 1.0),
        ("bearward.verification.duration outcome=refused scheme=Bearer", 2.0),
        ("bearward.verification.duration outcome=refused scheme=none", 1.0),
        ("bearward.verification.duration outcome=undecided scheme=Bearer", 1.0),
    ];
    let told: Vec<(&str, f64)> = noted
        .iter()
        .map(|(name, value)| (name.as_str(), *value))
        .filter(|(name, _)| !name.starts_with("bearward.document.age"))
        .collect();
    assert_eq!(told, expected);
    for kind in ["discovery", "key_set"] {
        assert!(
            noted.contains_key(&format!("bearward.document.age issuer=https://tenant.test/ kind={kind}")),
            "{noted:?}"
        );
    }
}

async fn decide() {
    let tenant = TestTenant::new();
    let guard = tenant.guard().build().unwrap();
    let request = |value: &str| Request::get("/").header("authorization", value).body(()).unwrap();
    let good = request(&format!("Bearer {}", tenant.token().sign()));
    assert!(guard.verify(&good).await.is_ok());
    assert!(guard.verify(&request("Bearer evil-label-1")).await.is_err());
    assert!(guard.verify(&request("Bearer evil-label-2")).await.is_err());
    assert!(guard.verify(&Request::new(())).await.is_err());
    tenant.down();
    assert!(tenant.guard().build().unwrap().verify(&good).await.is_err());
    guard.record_gauges();
}
