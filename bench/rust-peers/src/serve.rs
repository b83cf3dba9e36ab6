//! One contender's server, on one thread. Says its port; then its CPU time, in nanoseconds, for each line on stdin; and ends
//! with stdin.

use std::io::{BufRead as _, Write as _};
use std::path::Path;

use rustix::time::{ClockId, clock_gettime};
use tokio::net::TcpListener;

use crate::{Error, contenders};

pub fn run(contender: &str, issuer: &str, folder: &Path) -> Result<(), Error> {
    std::thread::spawn(report_until_the_end);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        say(&listener.local_addr()?.port().to_string());
        contenders::serve(contender, issuer, folder, listener).await
    })
}

fn report_until_the_end() {
    for line in std::io::stdin().lock().lines() {
        if line.is_err() {
            break;
        }
        let time = clock_gettime(ClockId::ProcessCPUTime);
        say(&format!("{}{:09}", time.tv_sec, time.tv_nsec));
    }
    std::process::exit(0);
}

fn say(line: &str) {
    println!("{line}");
    let _closed = std::io::stdout().flush();
}
