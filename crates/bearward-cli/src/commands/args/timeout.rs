use std::time::Duration;

use crate::http::https::HttpOptions;

/// How long a command waits for answers.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(crate) struct Timeout {
    /// How long to wait for each answer, from connecting to its last byte
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,
}

impl Timeout {
    pub(crate) fn http_options(self) -> HttpOptions {
        HttpOptions { timeout: Duration::from_secs(self.timeout), ca_file: None }
    }
}
