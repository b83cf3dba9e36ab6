//! Which scopes the operations in a JSON-RPC body need. JSON-RPC 2.0 §4, §6; Model Context Protocol, "Authorization".
//!
//! A server reads the body once more, perhaps by other rules. So what could be read in two ways is refused: members of one
//! name, text that is not UTF-8, numbers that are none.

use core::fmt;
use std::collections::BTreeMap;

use crate::encoding::JsonError;
use crate::encoding::json::{Document, Duplicates, Object, Value};
use crate::limits;

/// Methods that do something by a name, which is in `params.name`.
const NAMING: [&str; 2] = ["tools/call", "prompts/get"];

/// The scopes that operations need. What isn't listed needs none.
#[derive(Clone, Debug, Default)]
pub struct Operations(BTreeMap<String, Needs>);

#[derive(Clone, Debug)]
enum Needs {
    Always(Vec<String>),
    ByName(BTreeMap<String, Vec<String>>),
}

/// Scopes can be given by name only for methods that have one: `tools/call` and `prompts/get`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoNames(String);

/// Why it can't be said which operations a body asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OperationError {
    /// It is longer than [`limits::OPERATION_BYTES`].
    TooLong,
    /// It is not JSON, as the strict reader knows it.
    NotJson(JsonError),
    /// It is neither a message nor a list of messages, or `method` is no string.
    NotAMessage,
    /// `params.name` is missing or no string, where scopes depend on it.
    NoName,
}

impl Operations {
    /// No operation needs a scope.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every call of `method` needs these scopes.
    pub fn require(&mut self, method: &str, scopes: Vec<String>) {
        self.0.insert(method.to_owned(), Needs::Always(scopes));
    }

    /// A call of `method` needs the scopes of the tool or prompt that it names.
    pub fn require_by_name(
        &mut self,
        method: &str,
        scopes: BTreeMap<String, Vec<String>>,
    ) -> Result<(), NoNames> {
        if !NAMING.contains(&method) {
            return Err(NoNames(method.to_owned()));
        }
        self.0.insert(method.to_owned(), Needs::ByName(scopes));
        Ok(())
    }

    /// The scopes that a body needs, each once: those of all its messages. None for an empty body.
    pub fn scopes_of(&self, body: Vec<u8>) -> Result<Vec<&str>, OperationError> {
        if body.is_empty() {
            return Ok(Vec::new());
        }
        if body.len() > limits::OPERATION_BYTES {
            return Err(OperationError::TooLong);
        }
        let document = Document::parse(body, Duplicates::Refuse).map_err(OperationError::NotJson)?;
        let mut needed: Vec<&str> = Vec::new();
        for message in messages(document.root())? {
            for scope in self.scopes_of_message(message)? {
                if !needed.contains(&scope.as_str()) {
                    needed.push(scope);
                }
            }
        }
        Ok(needed)
    }

    fn scopes_of_message(&self, message: Object<'_>) -> Result<&[String], OperationError> {
        // A response has no method.
        let Some(method) = message.get("method") else { return Ok(&[]) };
        let method = method.as_str().ok_or(OperationError::NotAMessage)?;
        match self.0.get(method) {
            None => Ok(&[]),
            Some(Needs::Always(scopes)) => Ok(scopes),
            Some(Needs::ByName(names)) => {
                let params = message.get("params").and_then(Value::as_object);
                let name = params.and_then(|params| params.get("name")).and_then(Value::as_str);
                let name = name.ok_or(OperationError::NoName)?;
                Ok(names.get(name).map(Vec::as_slice).unwrap_or_default())
            }
        }
    }
}

fn messages(body: Value<'_>) -> Result<Vec<Object<'_>>, OperationError> {
    let Some(batch) = body.as_array() else {
        return Ok(vec![body.as_object().ok_or(OperationError::NotAMessage)?]);
    };
    let messages: Vec<Object<'_>> =
        batch.items().map(Value::as_object).collect::<Option<_>>().ok_or(OperationError::NotAMessage)?;
    if messages.is_empty() { Err(OperationError::NotAMessage) } else { Ok(messages) }
}

impl fmt::Display for NoNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(method) = self;
        write!(f, "operations: {method:?} takes a list of scopes; only tools/call and prompts/get have names")
    }
}

impl core::error::Error for NoNames {}

impl fmt::Display for OperationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "the body has more than {} bytes", limits::OPERATION_BYTES),
            Self::NotJson(error) => write!(f, "the body can't be read: {error}"),
            Self::NotAMessage => f.write_str("the body is no JSON-RPC message and no list of such messages"),
            Self::NoName => f.write_str("params.name is missing or no string"),
        }
    }
}

impl core::error::Error for OperationError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn operations() -> Operations {
        let mut operations = Operations::new();
        operations.require("resources/read", vec!["docs".to_owned()]);
        let tools = [("pay", vec!["pay".to_owned(), "docs".to_owned()]), ("é", vec!["e".to_owned()])];
        let tools = tools.map(|(name, scopes)| (name.to_owned(), scopes));
        operations.require_by_name("tools/call", BTreeMap::from(tools)).unwrap();
        operations
    }

    #[test]
    fn operations_need_their_scopes_however_they_are_spelled() {
        for (body, needed) in [
            ("", vec![]),
            (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, vec![]),
            (r#"{"method":"tools/list"}"#, vec![]),
            (r#"{"method":"tools/call","params":{"name":"look"}}"#, vec![]),
            (r#"{"method":"tools/call","params":{"name":"pay"}}"#, vec!["pay", "docs"]),
            (r#"{"params":{"name":"pay"},"method":"tools/call"}"#, vec!["pay", "docs"]),
            (r#"{"\u006dethod":"tools\/call","par\u0061ms":{"n\u0061me":"p\u0061y"}}"#, vec!["pay", "docs"]),
            (r#"{"method":"tools/call","params":{"name":"\u00e9"}}"#, vec!["e"]),
            (r#" { "method" : "resources/read" } "#, vec!["docs"]),
            (
                r#"[{"method":"resources/read"},{"method":"tools/call","params":{"name":"pay"}}]"#,
                vec!["docs", "pay"],
            ),
        ] {
            assert_eq!(operations().scopes_of(body.into()), Ok(needed), "{body}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        let deep = |depth| [vec![b'['; depth], vec![b']'; depth]].concat();
        let utf_16 = r#"{"method":"tools/call"}"#.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let bodies: Vec<Vec<u8>> = vec![
            br#"{"method":"tools/list","method":"tools/call","params":{"name":"pay"}}"#.to_vec(),
            br#"{"method":"tools/list","meth\u006fd":"tools/call","params":{"name":"pay"}}"#.to_vec(),
            br#"{"method":"tools/call","params":{"name":"look","name":"pay"}}"#.to_vec(),
            br#"{"method":"tools/list","x":{"a":1,"a":2}}"#.to_vec(),
            br#"{"method":["tools/call"]}"#.to_vec(),
            br#"{"method":"tools/call","params":["pay"]}"#.to_vec(),
            br#"{"method":"tools/call","params":{"name":["pay"]}}"#.to_vec(),
            br#"{"method":"tools/call"}"#.to_vec(),
            br#"{"method":"tools/list","x":NaN}"#.to_vec(),
            br#"{"method":"tools/list"} {"method":"tools/call"}"#.to_vec(),
            br"{'method':'tools/call'}".to_vec(),
            br#"{"method":"tools/list",}"#.to_vec(),
            br#"{"method":"tools/list"/*"#.to_vec(),
            b"\xef\xbb\xbf{\"method\":\"tools/call\"}".to_vec(),
            b"{\"method\":\"tools/call\xff\"}".to_vec(),
            b"\x1f\x8b\x08".to_vec(),
            b"[]".to_vec(),
            b"[[]]".to_vec(),
            b"7".to_vec(),
            b" ".to_vec(),
            utf_16,
            deep(10_000),
        ];
        for body in bodies {
            assert!(operations().scopes_of(body.clone()).is_err(), "{}", String::from_utf8_lossy(&body));
        }
        let long = vec![b' '; limits::OPERATION_BYTES + 1];
        assert_eq!(operations().scopes_of(long), Err(OperationError::TooLong));
    }

    #[test]
    fn only_some_methods_have_names() {
        let refused = Operations::new().require_by_name("resources/read", BTreeMap::new());
        assert_eq!(refused, Err(NoNames("resources/read".to_owned())));
    }
}
