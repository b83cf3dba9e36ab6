//! A person at a terminal: a pseudo-terminal, on which questions are waited for and answered.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Write as _},
    process::{Child, Command},
};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::support::within_patience;

/// A command with stdin and stderr at a terminal; killed if a test ends without ending it.
pub(crate) struct Terminal {
    child: Child,
    screen: File,
    shown: String,
}

impl Terminal {
    pub(crate) fn run(command: Command) -> Self {
        Self::start(command, false)
    }

    /// With stdout at the terminal, too.
    pub(crate) fn run_with_stdout(command: Command) -> Self {
        Self::start(command, true)
    }

    fn start(mut command: Command, with_stdout: bool) -> Self {
        let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&screen).unwrap();
        unlockpt(&screen).unwrap();
        let name = ptsname(&screen, Vec::new()).unwrap().into_string().unwrap();
        let open = || OpenOptions::new().read(true).write(true).open(&name).unwrap();
        if with_stdout {
            command.stdout(open());
        }
        let child = command.stdin(open()).stderr(open()).spawn().unwrap();
        Self { child, screen: screen.into(), shown: String::new() }
    }

    /// Waits for a text, and gives all that was shown until then since the last time.
    pub(crate) fn shows(&mut self, text: &str) -> String {
        while !self.shown.contains(text) {
            let more = self.read();
            assert!(!more.is_empty(), "{text} was not shown: {}", self.shown);
            self.shown.push_str(&more);
        }
        std::mem::take(&mut self.shown)
    }

    /// Waits for the question, and types the answer.
    pub(crate) fn answer(&mut self, question: &str, answer: &str) {
        self.shows(question);
        self.screen.write_all(format!("{answer}\n").as_bytes()).unwrap();
    }

    /// The exit code, and what was shown since the last answer.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        loop {
            let more = self.read();
            if more.is_empty() {
                return (self.child.wait().unwrap().code(), std::mem::take(&mut self.shown));
            }
            self.shown.push_str(&more);
        }
    }

    /// Empty when nobody has the terminal open any more, which Linux makes an error.
    fn read(&self) -> String {
        let mut screen = self.screen.try_clone().unwrap();
        within_patience(move || {
            let mut bytes = [0; 4096];
            let length = screen.read(&mut bytes).unwrap_or_default();
            String::from_utf8(bytes[..length].to_vec()).unwrap()
        })
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}
