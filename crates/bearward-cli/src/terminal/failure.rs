use std::process::ExitCode;

/// Why a command did not do what it was asked: one sentence, perhaps a hint, and an exit code.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    kind: Kind,
    message: String,
    hint: Option<String>,
    is_worth_telling: bool,
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The other side understood and said no, or there is something wrong with it.
    Rejected,
    /// The arguments or the environment have to change first.
    Usage,
    /// Something that is needed could not be had, now.
    Undecided,
}

impl Kind {
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Rejected => 1,
            Self::Usage => 2,
            Self::Undecided => 3,
        }
    }
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
        Self { is_worth_telling: false, ..Self::undecided("nobody reads stdout any more.") }
    }

    pub(crate) fn is_worth_telling(&self) -> bool {
        self.is_worth_telling
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
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

    pub(crate) fn is_rejection(&self) -> bool {
        self.kind == Kind::Rejected
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.kind.exit_code())
    }

    fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, is_worth_telling: true }
    }
}
