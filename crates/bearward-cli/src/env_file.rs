//! The file `.env`, as dotenv tools read it: `NAME=value` lines, with `export`, quotes and comments.

/// The lines of a `.env`, as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct EnvFile {
    lines: Vec<String>,
}

impl EnvFile {
    pub(crate) fn parse(text: &str) -> Self {
        Self { lines: text.lines().map(str::to_owned).collect() }
    }

    /// The value of a variable; of several, the last one's, as a shell would have it. `None` also for an empty one.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        let assigned = |line| assignment(line).filter(|(named, _)| *named == name);
        let (_, text) = self.lines.iter().rev().find_map(|line| assigned(line))?;
        Some(unquoted(text)).filter(|value| !value.is_empty())
    }
}

/// Name and the text behind `=`, if the line assigns something.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start();
    let line = line.strip_prefix("export ").map_or(line, str::trim_start);
    let (name, text) = line.split_once('=')?;
    let name = name.trim_end();
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    is_name(name).then_some((name, text.trim()))
}

/// Nothing is substituted: in single quotes everything stands for itself, in double quotes `\` escapes `"`, `\` and `$`;
/// without quotes, ` #` begins a comment.
fn unquoted(text: &str) -> String {
    if let Some(rest) = text.strip_prefix('\'') {
        return rest.split_once('\'').map_or(rest, |(inner, _)| inner).to_owned();
    }
    if let Some(rest) = text.strip_prefix('"') {
        return double_quoted(rest);
    }
    let comment = text.starts_with('#').then_some(0).or_else(|| text.find(" #"));
    text.get(..comment.unwrap_or(text.len())).unwrap_or_default().trim_end().to_owned()
}

fn double_quoted(rest: &str) -> String {
    let mut value = String::new();
    let mut characters = rest.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => match characters.next() {
                Some(escaped @ ('"' | '\\' | '$')) => value.push(escaped),
                Some(other) => value.extend(['\\', other]),
                None => value.push('\\'),
            },
            _ => value.push(character),
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_dotenv_tools_read_them() {
        for (line, value) in [
            ("A=b", "b"),
            ("  export  A = b c # why", "b c"),
            ("A=https://x.example/#f", "https://x.example/#f"),
            ("A='b # \"c\" \\' # d", "b # \"c\" \\"),
            (r#"A="b \"c\" \$d \n" # e"#, r#"b "c" $d \n"#),
            ("A=\"open", "open"),
        ] {
            assert_eq!(EnvFile::parse(line).value("A").as_deref(), Some(value), "{line}");
        }
        for line in ["", "A", "A=", "A=''", "#A=b", "A =# b", "AB=c", "a=b", "A B=c"] {
            assert_eq!(EnvFile::parse(line).value("A"), None, "{line}");
        }
    }

    #[test]
    fn the_last_one_counts() {
        assert_eq!(EnvFile::parse("A=1\nB=2\r\nA=3\n").value("A").as_deref(), Some("3"));
        assert_eq!(EnvFile::parse("A=1\nB=2\r\nA=3\n").value("B").as_deref(), Some("2"));
    }
}
