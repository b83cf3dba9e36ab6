//! Writes strings.

use core::fmt::Write as _;

/// A JSON string. RFC 8259 §7.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control.is_control() => {
                let _infallible = write!(quoted, "\\u{:04x}", u32::from(control));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_deployer_configured_does_not_leave_its_quoted() {
        assert_eq!(quoted("a\"b\\c\n\u{85}\u{e9}"), "\"a\\\"b\\\\c\\u000a\\u0085\u{e9}\"");
    }
}
