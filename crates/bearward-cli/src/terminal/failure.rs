use std::process::ExitCode;

/// Why a command failed: one sentence, an optional hint, and an exit code.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    kind: Kind,
    message: String,
    hint: Option<String>,
    is_printed: bool,
}

/// What has to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The server refused, or is set up wrong.
    Rejected,
    /// The arguments, the environment or a file on this machine.
    Usage,
    /// Nothing: something needed could not be reached. Trying again may help.
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
    /// The server refused.
    pub(crate) fn rejected(message: impl Into<String>) -> Self {
        Self::new(Kind::Rejected, message)
    }

    /// The arguments, the environment or a file have to change.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// Something needed could not be reached.
    pub(crate) fn undecided(message: impl Into<String>) -> Self {
        Self::new(Kind::Undecided, message)
    }

    /// The program that reads stdout has ended, as `head` does. Nothing is printed.
    pub(crate) fn reader_gone() -> Self {
        Self { is_printed: false, ..Self::undecided("nobody reads stdout any more.") }
    }

    pub(crate) fn is_printed(&self) -> bool {
        self.is_printed
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
        Self { kind, message: message.into(), hint: None, is_printed: true }
    }
}
