//! A spinner on stderr while the network is slow. It is erased before anything else is printed.
//!
//! Our own code: progress bar crates bring several others along for this one line.

use std::{
    env,
    fmt::Display,
    io::{self, IsTerminal as _, Write},
    pin::pin,
    time::Duration,
};

use tokio::time::timeout;

use crate::terminal::{output, style};

/// Most answers arrive before this, and a line that flashes up helps nobody.
const DELAY: Duration = Duration::from_millis(300);

const TURN: Duration = Duration::from_millis(100);

const PICTURES: [char; 4] = ['|', '/', '-', '\\'];

/// Short enough for any terminal: a wrapped line could not be erased.
const WIDTH: usize = 60;

/// Does `work`, and shows `doing` if that takes a while and stderr is a terminal.
pub(crate) async fn while_waiting<T>(doing: impl Display, work: impl Future<Output = T>) -> T {
    let dumb = env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
    if io::stderr().is_terminal() && !dumb {
        spinning(anstream::stderr(), doing, work).await
    } else {
        work.await
    }
}

async fn spinning<T>(to: impl Write, doing: impl Display, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    if let Ok(done) = timeout(DELAY, &mut work).await {
        return done;
    }
    let mut line = Line { to, text: output::one_line(&doing.to_string(), WIDTH) };
    for picture in PICTURES.into_iter().cycle() {
        line.draw(picture);
        if let Ok(done) = timeout(TURN, &mut work).await {
            return done;
        }
    }
    work.await
}

/// The line. Dropping it erases it.
struct Line<W: Write> {
    to: W,
    text: String,
}

impl<W: Write> Line<W> {
    fn draw(&mut self, picture: char) {
        // A closed stderr does not matter.
        let _drawn = write!(self.to, "\r{picture} {}", style::FAINT.on(&self.text));
        let _shown = self.to.flush();
    }
}

impl<W: Write> Drop for Line<W> {
    fn drop(&mut self) {
        // Overwritten with spaces, which work on every terminal. Two more, for the picture.
        let _erased = write!(self.to, "\r{:width$}\r", "", width = self.text.chars().count() + 2);
        let _shown = self.to.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn drawn(milliseconds: u64) -> String {
        let mut drawn = Vec::new();
        let work = tokio::time::sleep(Duration::from_millis(milliseconds));
        spinning(&mut drawn, "waiting\u{1b}[2J", work).await;
        anstream::adapter::strip_str(&String::from_utf8(drawn).unwrap()).to_string()
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_drawn_when_the_answer_comes_soon() {
        assert_eq!(drawn(299).await, "");
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_turns_and_is_erased_at_the_end() {
        let gone = format!("\r{}\r", " ".repeat(13));
        assert_eq!(drawn(550).await, format!("\r| waiting [2J\r/ waiting [2J\r- waiting [2J{gone}"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_is_erased_when_the_work_is_cancelled() {
        let mut drawn = Vec::new();
        let work = spinning(&mut drawn, "waiting", std::future::pending::<()>());
        assert!(timeout(Duration::from_secs(1), work).await.is_err());
        assert!(drawn.ends_with(b"\r         \r"));
    }
}
