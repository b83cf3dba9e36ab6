use bearward_core::jose::algorithm::Algorithm;
use clap::builder::{PossibleValuesParser, TypedValueParser};

/// An algorithm by its name.
pub(super) fn algorithm() -> impl TypedValueParser<Value = Algorithm> {
    let names = PossibleValuesParser::new(Algorithm::all().map(Algorithm::name));
    names.try_map(|name| Algorithm::from_name(&name).ok_or("no algorithm of this name"))
}
