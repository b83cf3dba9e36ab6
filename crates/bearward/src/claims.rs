//! Claims into types of the user's: reads what the engine has parsed. The text is not parsed a second time.

use core::fmt;

use bearward_core::encoding::json::{Kind, Number, Object, Value};
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, Expected, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};
use serde::{Deserialize, forward_to_deserialize_any};

/// The claims of a token as a `T`.
pub(crate) fn read<'de, T: Deserialize<'de>>(claims: Object<'de>) -> Result<T, Unfit> {
    T::deserialize(Claim::Whole(claims))
}

/// One claim as a `T`.
pub(crate) fn read_one<'de, T: Deserialize<'de>>(claim: Value<'de>) -> Result<T, Unfit> {
    T::deserialize(Claim::Part(claim))
}

/// Why claims don't fit a type. Holds no text of the token: names are those of the type's fields.
#[derive(Debug)]
pub(crate) struct Unfit {
    /// From the innermost place to the outermost.
    path: Vec<Step>,
    problem: String,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Field(&'static str),
    Item(usize),
    /// A member whose name the token chose.
    Member,
}

impl Unfit {
    fn of(problem: impl Into<String>) -> Self {
        Self { path: Vec::new(), problem: problem.into() }
    }

    fn inside(mut self, step: Step) -> Self {
        self.path.push(step);
        self
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the claims don't fit the route's type: ")?;
        for (place, step) in self.path.iter().rev().enumerate() {
            let dot = if place == 0 { "" } else { "." };
            match step {
                Step::Field(name) => write!(f, "{dot}{name}")?,
                Step::Item(number) => write!(f, "[{number}]")?,
                Step::Member => write!(f, "{dot}*")?,
            }
        }
        let colon = if self.path.is_empty() { "" } else { ": " };
        write!(f, "{colon}{}", self.problem)
    }
}

impl core::error::Error for Unfit {}

impl Error for Unfit {
    /// The text may repeat what a token says, so it is dropped.
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::of("it can't be read")
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::of(format!("expected {expected}"))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::of(format!("expected {expected}"))
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Self::of(format!("it has {length} items, expected {expected}"))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::of(format!("expected one of {expected:?}"))
    }

    fn unknown_field(_: &str, expected: &'static [&'static str]) -> Self {
        Self::of(format!("expected no other members than {expected:?}"))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::of("it is missing").inside(Step::Field(field))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::of("it is there twice").inside(Step::Field(field))
    }
}

#[derive(Clone, Copy)]
enum Claim<'de> {
    Whole(Object<'de>),
    Part(Value<'de>),
}

impl<'de> Claim<'de> {
    fn kind(self) -> Kind<'de> {
        match self {
            Self::Whole(object) => Kind::Object(object),
            Self::Part(value) => value.kind(),
        }
    }
}

impl<'de> Deserializer<'de> for Claim<'de> {
    type Error = Unfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.kind() {
            Kind::Null => visitor.visit_unit(),
            Kind::Bool(value) => visitor.visit_bool(value),
            Kind::Number(number) => visit_number(number, visitor),
            Kind::String(text) => visitor.visit_borrowed_str(text),
            Kind::Array(array) => visitor.visit_seq(Items(array.items().enumerate())),
            Kind::Object(object) => visitor.visit_map(Members::of(object, &[])),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        if matches!(self.kind(), Kind::Null) { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        let Kind::Object(object) = self.kind() else { return self.deserialize_any(visitor) };
        visitor.visit_map(Members::of(object, fields))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        match self.kind() {
            Kind::String(variant) => visitor.visit_enum(Variant { variant, content: None }),
            Kind::Object(object) => {
                let mut members = object.members();
                match (members.next(), members.next()) {
                    (Some((variant, content)), None) => {
                        visitor.visit_enum(Variant { variant, content: Some(content) })
                    }
                    _ => Err(Unfit::of("expected an object with one member")),
                }
            }
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Array(_) => self.deserialize_any(visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier
    }
}

fn visit_number<'de, V: Visitor<'de>>(number: Number<'de>, visitor: V) -> Result<V::Value, Unfit> {
    if number.is_integer() {
        if let Ok(value) = number.text().parse::<u64>() {
            return visitor.visit_u64(value);
        }
        if let Some(value) = number.as_i64() {
            return visitor.visit_i64(value);
        }
    }
    match number.as_f64() {
        Some(value) => visitor.visit_f64(value),
        None => Err(Unfit::of("the number is out of range")),
    }
}

struct Items<I>(I);

impl<'de, I: Iterator<Item = (usize, Value<'de>)>> SeqAccess<'de> for Items<I> {
    type Error = Unfit;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Unfit> {
        let Some((number, item)) = self.0.next() else { return Ok(None) };
        seed.deserialize(Claim::Part(item)).map(Some).map_err(|unfit| unfit.inside(Step::Item(number)))
    }
}

struct Members<I, V> {
    rest: I,
    value: Option<(Step, V)>,
    fields: &'static [&'static str],
}

impl<'de> Members<(), Value<'de>> {
    fn of(object: Object<'de>, fields: &'static [&'static str]) -> impl MapAccess<'de, Error = Unfit> {
        Members { rest: object.members(), value: None, fields }
    }
}

impl<'de, I: Iterator<Item = (&'de str, Value<'de>)>> MapAccess<'de> for Members<I, Value<'de>> {
    type Error = Unfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Unfit> {
        let Some((name, value)) = self.rest.next() else { return Ok(None) };
        let field = self.fields.iter().find(|field| **field == name);
        self.value = Some((field.map_or(Step::Member, |field| Step::Field(field)), value));
        seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Unfit> {
        let (step, value) = self.value.take().ok_or_else(|| Unfit::of("a member has no value"))?;
        seed.deserialize(Claim::Part(value)).map_err(|unfit| unfit.inside(step))
    }
}

struct Variant<'de> {
    variant: &'de str,
    content: Option<Value<'de>>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Unfit;
    type Variant = Content<'de>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Content<'de>), Unfit> {
        let variant = seed.deserialize(BorrowedStrDeserializer::new(self.variant))?;
        Ok((variant, Content(self.content)))
    }
}

struct Content<'de>(Option<Value<'de>>);

impl<'de> Content<'de> {
    fn claim(self) -> Result<Claim<'de>, Unfit> {
        self.0.map(Claim::Part).ok_or_else(|| Unfit::of("the variant has no content"))
    }
}

impl<'de> VariantAccess<'de> for Content<'de> {
    type Error = Unfit;

    fn unit_variant(self) -> Result<(), Unfit> {
        match self.0 {
            None => Ok(()),
            Some(_) => Err(Unfit::of("the variant has content")),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Unfit> {
        seed.deserialize(self.claim()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Unfit> {
        self.claim()?.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        self.claim()?.deserialize_struct("", fields, visitor)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bearward_core::encoding::json::JsonObject;
    use serde::de::DeserializeOwned;

    use super::*;

    fn whole<T: DeserializeOwned>(text: &str) -> Result<T, String> {
        let claims = JsonObject::parse(text.as_bytes().to_vec()).unwrap();
        read(claims.object()).map_err(|unfit| unfit.to_string())
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Everything {
        text: String,
        escaped: String,
        unsigned: u64,
        negative: i32,
        fraction: f64,
        whole_as_fraction: f64,
        large: f64,
        flag: bool,
        nothing: Option<u8>,
        left_out: Option<u8>,
        something: Option<u8>,
        list: Vec<(u8, String)>,
        map: BTreeMap<String, u8>,
        unit: Kind3,
        newtype: Kind3,
        tuple: Kind3,
        fields: Kind3,
        inner: Inner,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "snake_case")]
    enum Kind3 {
        Unit,
        Newtype(u8),
        Tuple(u8, u8),
        Fields { a: u8 },
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        level: u8,
    }

    #[test]
    fn it_reads_what_serde_json_reads() {
        let text = r#"{"text":"a","escaped":"\u0041\n","unsigned":18446744073709551615,"negative":-3,"fraction":1.5e2,
            "whole_as_fraction":7,"large":123456789012345678901234567890,"flag":true,"nothing":null,"something":3,
            "list":[[1,"a"],[2,"b"]],"map":{"a":1},"unit":"unit","newtype":{"newtype":1},"tuple":{"tuple":[1,2]},
            "fields":{"fields":{"a":1}},"inner":{"level":3},"other":{"x":[{}]}}"#;
        assert_eq!(whole::<Everything>(text).unwrap(), serde_json::from_str::<Everything>(text).unwrap());
        let value = whole::<serde_json::Value>(text).unwrap();
        assert_eq!(value, serde_json::from_str::<serde_json::Value>(text).unwrap());
    }

    #[test]
    fn text_is_borrowed() {
        #[derive(Deserialize)]
        struct Borrowed<'a> {
            sub: &'a str,
        }
        let claims = JsonObject::parse(br#"{"sub":"ann"}"#.to_vec()).unwrap();
        assert_eq!(read::<Borrowed<'_>>(claims.object()).unwrap().sub, "ann");
    }

    #[test]
    fn what_does_not_fit_is_named_without_a_word_of_the_token() {
        #[derive(Debug, Deserialize)]
        #[expect(dead_code, reason = "only read")]
        struct Me {
            sub: u8,
            inner: Option<Inner>,
            list: Option<Vec<Inner>>,
            kind: Option<Kind3>,
        }
        for (claims, problem) in [
            (r#"{"sub":"secret"}"#, "sub: expected u8"),
            (r#"{"sub":300}"#, "sub: expected u8"),
            (r#"{"secret":1}"#, "sub: it is missing"),
            (r#"{"sub":1,"inner":{"level":"secret"}}"#, "inner.level: expected u8"),
            (
                r#"{"sub":1,"inner":{"level":1,"secret":2}}"#,
                r#"inner: expected no other members than ["level"]"#,
            ),
            (r#"{"sub":1,"list":[{"level":1},{}]}"#, "list[1].level: it is missing"),
            (
                r#"{"sub":1,"kind":"secret"}"#,
                r#"kind: expected one of ["unit", "newtype", "tuple", "fields"]"#,
            ),
            (r#"{"sub":1,"kind":{"unit":1,"secret":2}}"#, "kind: expected an object with one member"),
            (
                r#"{"sub":1,"kind":{"tuple":[1]}}"#,
                "kind: it has 1 items, expected tuple variant Kind3::Tuple with 2 elements",
            ),
        ] {
            let unfit = whole::<Me>(claims).unwrap_err();
            assert_eq!(unfit, format!("the claims don't fit the route's type: {problem}"), "{claims}");
        }
        let map = whole::<BTreeMap<String, u8>>(r#"{"secret":"secret"}"#).unwrap_err();
        assert_eq!(map, "the claims don't fit the route's type: *: expected u8");
    }
}
