//! How far this machine's clock is from the issuer's. RFC 9110 §6.6.1, RFC 9111 §4.2.3.

use std::time::{Duration, SystemTime};

use bearward_core::policy::DpopPolicy;
use reqwest::header::{self, HeaderMap};

use super::{
    fetch::{HttpResponse, NoResponse, field},
    report::Check,
};
use crate::terminal::failure::Kind;

const NAME: &str = "clock";

/// Synchronized clocks differ by less than this.
const NOTICEABLE: Duration = Duration::from_secs(5);

pub(super) fn check(answer: &Result<HttpResponse, NoResponse>) -> Check {
    let Ok(answer) = answer else { return Check::skipped(NAME, "there is no answer with a Date") };
    match ServerTime::of(&answer.headers) {
        Some(server) => judge(&Skew::between(answer.asked, answer.answered, &server)),
        None => Check::skipped(NAME, "the answer has no Date that can be read"),
    }
}

/// The server's time: between `earliest` and `coarse` later.
struct ServerTime {
    earliest: SystemTime,
    coarse: Duration,
}

impl ServerTime {
    /// `Date`, plus `Age` if the answer came from a cache. Both are rounded down to seconds.
    fn of(headers: &HeaderMap) -> Option<Self> {
        let date = httpdate::parse_http_date(&field(headers, &header::DATE)?).ok()?;
        let age: Option<u32> = field(headers, &header::AGE).and_then(|age| age.trim().parse().ok());
        Some(Self {
            earliest: date + Duration::from_secs(age.unwrap_or(0).into()),
            coarse: Duration::from_secs(if age.is_some() { 2 } else { 1 }),
        })
    }
}

/// How far our clock differs from the server's, at least.
#[derive(Debug, PartialEq, Eq)]
enum Skew {
    Ahead(Duration),
    Behind(Duration),
}

impl Skew {
    /// The answer was written between `asked` and `answered` by our clock.
    fn between(asked: SystemTime, answered: SystemTime, server: &ServerTime) -> Self {
        let latest = server.earliest + server.coarse;
        match asked.duration_since(latest) {
            Ok(ahead) => Self::Ahead(ahead),
            Err(_) => Self::Behind(server.earliest.duration_since(answered).unwrap_or_default()),
        }
    }

    fn size(&self) -> Duration {
        match self {
            Self::Ahead(by) | Self::Behind(by) => *by,
        }
    }

    fn seconds(&self) -> i64 {
        let seconds = i64::try_from(self.size().as_secs()).unwrap_or(i64::MAX);
        if matches!(self, Self::Ahead(_)) { seconds } else { -seconds }
    }
}

fn judge(skew: &Skew) -> Check {
    let proofs = DpopPolicy::default();
    let (oldest, newest) = (proofs.iat_offset(), proofs.iat_leeway());
    let limits = format!("{} s behind or {} s ahead", newest.as_secs(), oldest.as_secs());
    let by = skew.size();
    let seconds = by.as_secs();
    let (message, breaks) = match skew {
        _ if by < NOTICEABLE => {
            let message = format!("agrees with the issuer's; DPoP proofs fail from {limits} on");
            return Check::ok(NAME, message).with("ahead_by_s", skew.seconds());
        }
        Skew::Ahead(_) => {
            (format!("{seconds} s ahead of the issuer's: tokens expire too early by that much"), by >= oldest)
        }
        Skew::Behind(_) => (
            format!(
                "{seconds} s behind the issuer's: expired tokens are accepted for that much longer, and new tokens with nbf are refused at first"
            ),
            by >= newest,
        ),
    };
    let remedy = "synchronize this machine's clock by NTP. If it is right, the issuer's clock is wrong";
    let check = if breaks {
        let message =
            format!("{message}; DPoP proofs of clients with the right time fail (from {limits} on)");
        Check::failed(NAME, Kind::Usage, message, remedy)
    } else {
        Check::warning(NAME, format!("{message}; DPoP proofs fail from {limits} on"), remedy)
    };
    check.with("ahead_by_s", skew.seconds())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: &str = "Tue, 15 Nov 1994 08:12:31 GMT";
    const AT_DATE: u64 = 784_887_151;

    fn at(milliseconds: i64) -> SystemTime {
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(AT_DATE);
        let by = Duration::from_millis(milliseconds.unsigned_abs());
        if milliseconds < 0 { date - by } else { date + by }
    }

    /// Asked and answered so many milliseconds after the date.
    fn skew(asked: i64, answered: i64, age: Option<&'static str>) -> Skew {
        let mut headers = HeaderMap::new();
        headers.insert(header::DATE, DATE.parse().unwrap());
        if let Some(age) = age {
            headers.insert(header::AGE, age.parse().unwrap());
        }
        Skew::between(at(asked), at(answered), &ServerTime::of(&headers).unwrap())
    }

    #[test]
    fn network_delay_and_rounding_are_no_skew() {
        let none = Skew::Behind(Duration::ZERO);
        assert_eq!(skew(0, 100, None), none);
        assert_eq!(skew(999, 1100, None), none);
        assert_eq!(skew(-20_000, 10, None), none, "a slow answer");
        assert_eq!(skew(60_500, 60_600, Some("60")), none, "a cached answer");
    }

    #[test]
    fn more_than_that_is_skew() {
        assert_eq!(skew(13_000, 13_100, None), Skew::Ahead(Duration::from_secs(12)));
        assert_eq!(skew(-12_100, -12_000, None), Skew::Behind(Duration::from_secs(12)));
        assert_eq!(skew(100, 200, Some("60")), Skew::Behind(Duration::from_millis(59_800)));
    }

    #[test]
    fn some_seconds_are_a_warning_and_more_breaks_proofs() {
        let shown = |skew: Skew| judge(&skew).to_string();
        let seconds = Duration::from_secs;
        assert!(shown(Skew::Ahead(seconds(4))).contains("agrees"));
        for warned in [Skew::Ahead(seconds(5)), Skew::Ahead(seconds(299)), Skew::Behind(seconds(29))] {
            let shown = shown(warned);
            assert!(
                shown.contains("warning") && shown.contains("from 30 s behind or 300 s ahead"),
                "{shown}"
            );
        }
        for failed in [Skew::Ahead(seconds(300)), Skew::Behind(seconds(30))] {
            let shown = shown(failed);
            assert!(shown.contains("failed") && shown.contains("NTP"), "{shown}");
        }
    }
}
