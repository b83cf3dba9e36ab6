//! Servers to compare, one a process, and what is needed to load them. `scripts/bench_rust.py` runs it.
//!
//! ```text
//! bearward-rust-peers fixture FOLDER ISSUER COUNT             writes a key set, and tokens that it verifies
//! bearward-rust-peers serve CONTENDER ISSUER FOLDER           a guarded route at /guarded, on a free port
//! bearward-rust-peers load PORT TOKENS FIRST COUNT CONNECTIONS
//! ```
#![forbid(unsafe_code)]

mod contenders;
mod fixture;
mod load;
mod serve;

pub type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["fixture", folder, issuer, count] => fixture::write(folder.as_ref(), issuer, count.parse()?),
        ["serve", contender, issuer, folder] => serve::run(contender, issuer, folder.as_ref()),
        ["load", port, tokens, first, count, connections] => {
            let load = load::Load::new(tokens.as_ref(), port.parse()?, first.parse()?, count.parse()?)?;
            load.run(connections.parse()?)
        }
        _ => Err("usage: bearward-rust-peers fixture|serve|load ..".into()),
    }
}
