//! The text of a `.env`, read as dotenv tools do: `NAME=value`, with `export`, quotes and comments. Single values can be
//! changed; every other byte stays the same.

use std::ops::Range;

/// A `.env` in parts. A part is a line, or several lines if a quoted value spans them. Joined, they are the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct EnvFile {
    parts: Vec<String>,
}

/// Tools would read this value differently, however it is written. It is not shown: it may be a secret.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotWritable;

impl EnvFile {
    pub(crate) fn parse(mut text: &str) -> Self {
        let mut parts = Vec::new();
        while !text.is_empty() {
            let (part, rest) = text.split_at(part_length(text));
            parts.push(part.to_owned());
            text = rest;
        }
        Self { parts }
    }

    /// The value of a variable; the last one, if there are several. `None` if it is missing or empty.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        let assigned = |part| Assignment::read(part).filter(|found| found.name == name);
        let found = self.parts.iter().rev().find_map(|part| assigned(part))?;
        Some(found.value).filter(|value| !value.is_empty())
    }

    /// Replaces the last value, or adds a line at the end.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<(), NotWritable> {
        let written = quoted(value)?;
        for part in self.parts.iter_mut().rev() {
            if let Some(place) = Assignment::read(part).filter(|found| found.name == name).map(|it| it.place)
            {
                let comment_follows = part.get(place.end..).is_some_and(|rest| rest.starts_with('#'));
                part.replace_range(place, &if comment_follows { written + " " } else { written });
                return Ok(());
            }
        }
        self.append(&format!("{name}={written}"));
        Ok(())
    }

    pub(crate) fn text(&self) -> String {
        self.parts.concat()
    }

    /// With the kind of line break that the file has.
    fn append(&mut self, line: &str) {
        let end = if self.parts.iter().any(|part| part.ends_with("\r\n")) { "\r\n" } else { "\n" };
        if let Some(last) = self.parts.last_mut().filter(|last| !last.ends_with('\n')) {
            last.push_str(end);
        }
        self.parts.push(format!("{line}{end}"));
    }
}

/// What a part assigns, and the place of the value in it, quotes included.
struct Assignment<'a> {
    name: &'a str,
    value: String,
    place: Range<usize>,
    closed: bool,
}

impl<'a> Assignment<'a> {
    fn read(part: &'a str) -> Option<Self> {
        let (before, after) = part.split_once('=')?;
        let name = before.trim_start_matches('\u{feff}').trim_start();
        let name = name.strip_prefix("export ").map_or(name, str::trim_start).trim_end();
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return None;
        }
        let text = after.trim_start_matches([' ', '\t']);
        let start = part.len().saturating_sub(text.len());
        let Reading { text: value, length, closed } = Reading::of(text);
        Some(Self { name, value, place: start..start.saturating_add(length), closed })
    }
}

/// A value, and how many bytes it takes. Nothing is substituted. Single quotes have no escapes; in double quotes `\`
/// escapes `"`, `\` and `$`; without quotes, ` #` begins a comment.
struct Reading {
    text: String,
    length: usize,
    closed: bool,
}

impl Reading {
    fn of(text: &str) -> Self {
        let line = text.trim_end_matches(['\r', '\n']);
        if let Some(rest) = text.strip_prefix('\'') {
            return match rest.split_once('\'') {
                Some((inner, _)) => Self::closed(inner.to_owned(), inner.len().saturating_add(2)),
                None => Self::open(line.trim_end().trim_start_matches('\'').to_owned(), line),
            };
        }
        if text.starts_with('"') {
            return Self::double_quoted(text, line);
        }
        let comment = line.starts_with('#').then_some(0).or_else(|| line.find(" #"));
        let value = line.get(..comment.unwrap_or(line.len())).unwrap_or_default().trim_end();
        Self::closed(value.to_owned(), value.len())
    }

    fn double_quoted(text: &str, line: &str) -> Self {
        let mut value = String::new();
        let mut characters = text.char_indices().skip(1);
        while let Some((index, character)) = characters.next() {
            match character {
                '"' => return Self::closed(value, index.saturating_add(1)),
                '\\' => match characters.next() {
                    Some((_, escaped @ ('"' | '\\' | '$'))) => value.push(escaped),
                    Some((_, other)) => value.extend(['\\', other]),
                    None => value.push('\\'),
                },
                _ => value.push(character),
            }
        }
        Self::open(value.trim_end_matches(['\r', '\n']).to_owned(), line)
    }

    fn closed(text: String, length: usize) -> Self {
        Self { text, length, closed: true }
    }

    /// The closing quote is missing: the value ends with the line.
    fn open(text: String, line: &str) -> Self {
        Self { text, length: line.trim_end().len(), closed: false }
    }
}

/// The length of a line; of several, if a quote is closed on a later line and nothing follows it there.
fn part_length(text: &str) -> usize {
    let line_length = |text: &str| text.find('\n').map_or(text.len(), |end| end.saturating_add(1));
    let line = line_length(text);
    if text.get(..line).and_then(Assignment::read).is_none_or(|found| found.closed) {
        return line;
    }
    let Some(found) = Assignment::read(text).filter(|found| found.closed) else { return line };
    let rest = text.get(found.place.end..).unwrap_or_default();
    let (end, behind) = rest.split_at(line_length(rest));
    let nothing_follows = end.trim().is_empty() || end.trim_start().starts_with('#');
    if nothing_follows { text.len().saturating_sub(behind.len()) } else { line }
}

/// Quoted so that shells and dotenv tools read it the same. Some tools substitute `$` even in single quotes.
fn quoted(value: &str) -> Result<String, NotWritable> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    let has = |character: char| value.contains(character);
    if has('$') || value.contains(char::is_control) {
        return Err(NotWritable);
    }
    if !value.is_empty() && value.chars().all(plain) {
        return Ok(value.to_owned());
    }
    if !has('\'') && !value.contains(r"\\") && !value.ends_with('\\') {
        return Ok(format!("'{value}'"));
    }
    if !has('"') && !has('\\') && !has('`') {
        return Ok(format!("\"{value}\""));
    }
    Err(NotWritable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str, name: &str, value: &str) -> String {
        let mut file = EnvFile::parse(text);
        file.set(name, value).unwrap();
        file.text()
    }

    #[test]
    fn values_are_read_as_dotenv_tools_read_them() {
        for (line, value) in [
            ("A=b", "b"),
            ("\u{feff}A=b", "b"),
            ("  export  A = b c # why", "b c"),
            ("A=https://x.example/#f", "https://x.example/#f"),
            ("A='b # \"c\" \\' # d", "b # \"c\" \\"),
            (r#"A="b \"c\" \$d \n" # e"#, r#"b "c" $d \n"#),
            ("A=\"open", "open"),
            ("A='open\r\nB=c'd", "open"),
            ("A='two\nlines' # of it", "two\nlines"),
            ("A=\"two\r\n\\\"lines\"\n", "two\r\n\"lines"),
        ] {
            assert_eq!(EnvFile::parse(line).value("A").as_deref(), Some(value), "{line}");
        }
        for line in ["", "A", "A=", "A=''", "#A=b", "A =# b", "AB=c", "a=b", "A B=c", "B='\nA=b\n'"] {
            assert_eq!(EnvFile::parse(line).value("A"), None, "{line}");
        }
    }

    #[test]
    fn the_last_of_several_values_counts() {
        assert_eq!(EnvFile::parse("A=1\nB=2\r\nA=3\n").value("A").as_deref(), Some("3"));
        assert_eq!(EnvFile::parse("A=1\nB=2\r\nA=3\n").value("B").as_deref(), Some("2"));
    }

    #[test]
    fn a_value_is_replaced_in_its_place_and_nothing_else_is() {
        for (before, after) in [
            ("A=1", "A=new"),
            ("# A=0\r\nA=1\r\n\r\nB='2'\r\n", "# A=0\r\nA=new\r\n\r\nB='2'\r\n"),
            ("  export A = \"1 # \\\" 2\"  # why\nB=2", "  export A = new  # why\nB=2"),
            ("A=1\nA=2\n", "A=1\nA=new\n"),
            ("A=\n", "A=new\n"),
            ("A=# none\n", "A=new # none\n"),
            ("A='open\nB=2\n", "A=new\nB=2\n"),
            ("A='two\nlines'\nB=2\n", "A=new\nB=2\n"),
            ("B='\nA=1\n'\nA=2\n", "B='\nA=1\n'\nA=new\n"),
            ("\u{feff}A=1\n", "\u{feff}A=new\n"),
        ] {
            assert_eq!(set(before, "A", "new"), after, "{before:?}");
        }
    }

    #[test]
    fn a_new_value_goes_to_the_end_with_the_line_break_of_the_file() {
        for (before, after) in [
            ("", "A=new\n"),
            ("B=1\n", "B=1\nA=new\n"),
            ("B=1", "B=1\nA=new\n"),
            ("B=1\r\nC=2", "B=1\r\nC=2\r\nA=new\r\n"),
            ("B='\nA=1\n'", "B='\nA=1\n'\nA=new\n"),
            ("\n\n", "\n\nA=new\n"),
        ] {
            assert_eq!(set(before, "A", "new"), after, "{before:?}");
        }
    }

    #[test]
    fn what_is_written_can_be_read_back() {
        for value in [
            "a",
            "https://api.example.com",
            "/a b/c.pem",
            "it's",
            "#x",
            "a \"b\" c",
            r"C:\a\b.pem",
            "\u{e9} ",
        ] {
            assert_eq!(EnvFile::parse(&set("B=1", "A", value)).value("A").as_deref(), Some(value), "{value}");
        }
        for value in ["$HOME", "a\nb", "a\u{1b}b", "'\"", r"a\\b", r"a'\b", "a\\", "`'"] {
            assert_eq!(EnvFile::default().set("A", value), Err(NotWritable), "{value}");
        }
    }

    #[test]
    fn an_unchanged_file_stays_the_same() {
        for text in
            ["", "\n", "\r\n", "=\n=", "A='", "A=\"\n\n'\r", "export\nexport =1\n\u{0}\n", "A='\n'x\nB=\"\\"]
        {
            assert_eq!(EnvFile::parse(text).text(), text);
        }
    }
}
