//! Colours, by meaning. `output` removes them where stdout or stderr is no terminal.

use std::fmt;

use clap::builder::styling::{self, AnsiColor, Styles};

/// How a text looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style(styling::Style);

/// What passed.
pub(crate) const GOOD: Style = Style(AnsiColor::Green.on_default().bold());
/// What failed.
pub(crate) const BAD: Style = Style(AnsiColor::Red.on_default().bold());
/// What works, but should be changed.
pub(crate) const WARNING: Style = Style(AnsiColor::Yellow.on_default().bold());
/// What to do about it.
pub(crate) const HINT: Style = Style(AnsiColor::Cyan.on_default().bold());
/// What matters less than the text around it.
pub(crate) const FAINT: Style = Style(styling::Style::new().dimmed());

/// For `--help` and usage errors.
pub(crate) const HELP: Styles = Styles::styled()
    .header(styling::Style::new().bold())
    .usage(styling::Style::new().bold())
    .literal(AnsiColor::Cyan.on_default())
    .error(BAD.0)
    .valid(GOOD.0)
    .invalid(WARNING.0);

impl Style {
    /// `text` in this style. Width and alignment apply to the text.
    pub(crate) fn on<T: fmt::Display>(self, text: T) -> Styled<T> {
        Styled { style: self, text }
    }
}

/// A text and its style.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Styled<T> {
    style: Style,
    text: T,
}

impl<T: fmt::Display> fmt::Display for Styled<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let style = self.style.0;
        write!(f, "{style}")?;
        self.text.fmt(f)?;
        write!(f, "{style:#}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_width_is_the_text_s() {
        assert_eq!(format!("{:6}|", BAD.on("no")), "\u{1b}[1m\u{1b}[31mno    \u{1b}[0m|");
    }
}
