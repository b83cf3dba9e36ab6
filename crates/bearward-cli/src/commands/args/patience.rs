use std::time::Duration;

use crate::http::https::Terms;

/// How long a command waits for others.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// How long to wait for each answer, from connecting to its last byte
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,
}

impl Patience {
    pub(crate) fn terms(self) -> Terms {
        Terms { timeout: Duration::from_secs(self.timeout), ca_file: None }
    }
}
