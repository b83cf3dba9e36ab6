//! A user at a pseudo-terminal, who waits for questions and answers them.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    process::{Child, Command},
};

use crate::support::{pseudo_terminal, with_deadline};

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
        let (screen, side) = pseudo_terminal();
        if with_stdout {
            command.stdout(side());
        }
        let child = command.stdin(side()).stderr(side()).spawn().unwrap();
        Self { child, screen, shown: String::new() }
    }

    /// Waits for a text, and gives everything shown since the last call.
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

    /// Waits for the end, and gives the exit code and everything shown since the last call.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        loop {
            let more = self.read();
            if more.is_empty() {
                return (self.child.wait().unwrap().code(), std::mem::take(&mut self.shown));
            }
            self.shown.push_str(&more);
        }
    }

    /// Empty at the end, which is an error on Linux.
    fn read(&self) -> String {
        let mut screen = self.screen.try_clone().unwrap();
        with_deadline(move || {
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
