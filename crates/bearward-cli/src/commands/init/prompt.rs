//! Questions to the user: on stderr, with answers from stdin, and only if both are terminals.

use std::io::{self, BufRead, IsTerminal as _, Write};

use crate::{commands::args::InitArgs, terminal::failure::Failure};

/// Answers are short.
const ANSWER_LIMIT: u64 = 4096;

pub(super) struct Prompt {
    answers: Box<dyn BufRead>,
    questions: Box<dyn Write>,
}

impl Prompt {
    /// `None` if nobody can answer.
    pub(super) fn of(args: &InitArgs) -> Option<Self> {
        let stdin_is_taken = args.client_secret.as_deref() == Some("-");
        let somebody = io::stdin().is_terminal() && io::stderr().is_terminal() && !stdin_is_taken;
        somebody.then(|| Self::new(io::stdin().lock(), io::stderr()))
    }

    pub(super) fn new(answers: impl BufRead + 'static, questions: impl Write + 'static) -> Self {
        Self { answers: Box::new(answers), questions: Box::new(questions) }
    }

    /// Asks until the answer is valid.
    pub(super) fn ask<T>(
        &mut self,
        question: &str,
        parse: impl Fn(&str) -> Result<T, &'static str>,
    ) -> Result<T, Failure> {
        loop {
            match parse(&self.line(&format!("{question}: "))?) {
                Ok(answer) => return Ok(answer),
                Err(why) => self.print(why),
            }
        }
    }

    /// Whether the second of two modes is chosen. An empty answer is the first.
    pub(super) fn choose_second(&mut self, ways: &str) -> Result<bool, Failure> {
        self.print(ways);
        self.ask("Which mode [1]", |answer| match answer {
            "" | "1" => Ok(false),
            "2" => Ok(true),
            _ => Err("expected 1 or 2"),
        })
    }

    /// An empty answer is no.
    pub(super) fn confirm(&mut self, question: &str) -> Result<bool, Failure> {
        self.ask(&format!("{question} [y/N]"), |answer| match answer.to_ascii_lowercase().as_str() {
            "y" | "yes" => Ok(true),
            "" | "n" | "no" => Ok(false),
            _ => Err("expected y or n"),
        })
    }

    pub(super) fn print(&mut self, text: &str) {
        // If stderr is closed, there will be no answer.
        let _printed = writeln!(self.questions, "{text}");
    }

    fn line(&mut self, question: &str) -> Result<String, Failure> {
        let _printed = write!(self.questions, "{question}").and_then(|()| self.questions.flush());
        let mut line = String::new();
        let read = io::Read::take(&mut self.answers, ANSWER_LIMIT).read_line(&mut line);
        match read {
            Ok(_) if line.ends_with('\n') => Ok(line.trim().to_owned()),
            _ => Err(Failure::usage("no answer; nothing was done.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc};

    use super::*;
    use crate::tenant::domain::Domain;

    #[derive(Clone, Default)]
    struct Shown(Rc<RefCell<Vec<u8>>>);

    impl Write for Shown {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn prompt(answers: &'static str) -> (Prompt, Shown) {
        let shown = Shown::default();
        (Prompt::new(answers.as_bytes(), shown.clone()), shown)
    }

    #[test]
    fn it_asks_until_the_answer_makes_sense() {
        let (mut prompt, shown) = prompt("\na b\n t.auth0.com \r\n2\n");
        let domain: Domain = prompt.ask("Domain", str::parse).unwrap();
        assert_eq!(domain.to_string(), "t.auth0.com");
        let shown = String::from_utf8(shown.0.take()).unwrap();
        assert_eq!(shown.matches("Domain: ").count(), 3, "{shown}");
        assert_eq!(shown.matches("expected a host").count(), 2, "{shown}");
        assert!(prompt.choose_second("1 or 2").unwrap(), "nothing of the next answer was taken");
    }

    #[test]
    fn nothing_said_is_no_and_the_first_way() {
        let (mut prompt, _) = prompt("\n\nwhat\nYES\nn\n3\n1\n");
        assert!(!prompt.confirm("Replace?").unwrap());
        assert!(!prompt.choose_second("1 or 2").unwrap());
        assert!(prompt.confirm("Replace?").unwrap());
        assert!(!prompt.confirm("Replace?").unwrap());
        assert!(!prompt.choose_second("1 or 2").unwrap());
    }

    #[test]
    fn an_answer_that_ends_too_soon_or_never_is_none() {
        for answers in ["", "y", "x".repeat(5000).leak()] {
            assert!(prompt(answers).0.confirm("Replace?").is_err());
        }
    }
}
