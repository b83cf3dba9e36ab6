//! One block of PEM. RFC 7468 §3.

use super::base64;

/// A text that is not one block of PEM with the label that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotPem;

/// What the one block with this label holds. Text around it, a second block and white space inside of a line are refused.
pub fn decode(text: &str, label: &str) -> Result<Vec<u8>, NotPem> {
    let body = body(text.trim_ascii(), label).ok_or(NotPem)?;
    let bytes = base64::decode(&body.replace(['\r', '\n'], "")).map_err(|_| NotPem)?;
    if bytes.is_empty() { Err(NotPem) } else { Ok(bytes) }
}

fn body<'a>(text: &'a str, label: &str) -> Option<&'a str> {
    let rest = text.strip_prefix("-----BEGIN ")?.strip_prefix(label)?.strip_prefix("-----")?;
    rest.strip_suffix("-----")?.strip_suffix(label)?.strip_suffix("-----END ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_block_of_the_label_is_read() {
        for good in [
            "-----BEGIN A B-----\nZm9v\nYg==\n-----END A B-----\n",
            "\r\n-----BEGIN A B-----\r\nZm9vYg==\r\n-----END A B-----",
        ] {
            assert_eq!(decode(good, "A B").unwrap(), b"foob");
        }
        for bad in [
            "",
            "Zm9vYg==",
            "-----BEGIN A B-----\n-----END A B-----",
            "-----BEGIN A B-----",
            "-----BEGIN B A-----\nZm9v\n-----END B A-----",
            "-----BEGIN A B-----\nZm9v\n-----END A-----",
            "-----BEGIN A B-----\nZm 9v\n-----END A B-----",
            "-----BEGIN A B-----\nZm9vYg\n-----END A B-----",
            "a\n-----BEGIN A B-----\nZm9v\n-----END A B-----",
            "-----BEGIN A B-----\nZm9v\n-----END A B-----\n-----BEGIN A B-----\nZm9v\n-----END A B-----",
        ] {
            assert_eq!(decode(bad, "A B"), Err(NotPem), "{bad}");
        }
    }
}
