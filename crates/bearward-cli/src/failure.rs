use std::process::ExitCode;

/// Why a command did not do what it was asked: one sentence, perhaps a hint, and an exit code.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    kind: Kind,
    message: String,
    hint: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Rejected,
    Usage,
    Undecided,
    ReaderGone,
}

impl Failure {
    /// The other side understood and said no.
    pub(crate) fn rejected(message: impl Into<String>) -> Self {
        Self::new(Kind::Rejected, message)
    }

    /// The arguments or the environment have to change first.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// Something that is needed could not be had, now.
    pub(crate) fn undecided(message: impl Into<String>) -> Self {
        Self::new(Kind::Undecided, message)
    }

    /// Whoever read stdout has stopped, as `head` does: nothing to tell anybody.
    pub(crate) fn reader_gone() -> Self {
        Self::new(Kind::ReaderGone, "nobody reads stdout any more.")
    }

    pub(crate) fn is_worth_telling(&self) -> bool {
        self.kind != Kind::ReaderGone
    }

    pub(crate) fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.kind {
            Kind::Rejected => 1,
            Kind::Usage => 2,
            Kind::Undecided | Kind::ReaderGone => 3,
        })
    }

    fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None }
    }
}
