//! What the contenders verify: the documents of an issuer, and its tokens.

use std::fs;
use std::path::Path;

use bearward::testing::TestTenant;

use crate::Error;

pub const AUDIENCE: &str = "https://api.example.com";
/// Tokens that are sent again and again.
const SEEN: usize = 129;
const SIGNERS: usize = 2;

/// Writes `jwks.json`, `seen.txt`, `new.txt` with `count` tokens, and `bad.txt` with one that nobody signed.
pub fn write(folder: &Path, issuer: &str, count: usize) -> Result<(), Error> {
    let tenant = TestTenant::new();
    let seen: Vec<String> = (0..SEEN).map(|number| token(&tenant, issuer, number)).collect();
    let new = many(&tenant, issuer, SEEN..SEEN + count)?;
    fs::write(folder.join("jwks.json"), rsa_keys(&tenant)?)?;
    fs::write(folder.join("seen.txt"), seen.join("\n"))?;
    fs::write(folder.join("new.txt"), new.join("\n"))?;
    let (message, _) = seen[0].rsplit_once('.').ok_or("no token")?;
    let (_, signature) = seen[1].rsplit_once('.').ok_or("no token")?;
    Ok(fs::write(folder.join("bad.txt"), format!("{message}.{signature}"))?)
}

/// Shaped and sized like a user's access token by RFC 9068, with a few permissions.
fn token(tenant: &TestTenant, issuer: &str, number: usize) -> String {
    let token = tenant.token().subject(&format!("auth0|65f0c1d2e3b4a596{number:08}"));
    let token = token.claim("iss", issuer).claim("aud", [AUDIENCE, "https://tenant.eu.auth0.com/userinfo"]);
    token
        .scopes("openid profile email read:messages write:messages offline_access")
        .permissions(["read:messages", "write:messages", "read:profile", "delete:messages"])
        .claim("https://example.com/email", "somebody@example.com")
        .claim("client_id", "Zk3pQ8vXw2LrT6yBn1Hs9JdCfGm4Ku7A")
        .claim("jti", format!("V2hhdCBhIHVuaXF1ZSB0b2tlbg{number:08}"))
        .sign()
}

/// A signature takes most of a millisecond.
fn many(tenant: &TestTenant, issuer: &str, numbers: std::ops::Range<usize>) -> Result<Vec<String>, Error> {
    let share = numbers.len().div_ceil(SIGNERS).max(1);
    std::thread::scope(|scope| {
        let signers: Vec<_> = (0..SIGNERS)
            .map(|signer| {
                let own = numbers.clone().skip(signer * share).take(share);
                scope.spawn(move || own.map(|number| token(tenant, issuer, number)).collect::<Vec<_>>())
            })
            .collect();
        let signed = signers.into_iter().map(|signer| signer.join().map_err(|_| "a signer failed".into()));
        Ok(signed.collect::<Result<Vec<_>, Error>>()?.concat())
    })
}

/// The RSA keys alone: not every contender takes a key set with others.
fn rsa_keys(tenant: &TestTenant) -> Result<String, Error> {
    let mut keys: serde_json::Value = serde_json::from_str(&tenant.jwks())?;
    keys["keys"].as_array_mut().ok_or("no keys")?.retain(|key| key["kty"] == "RSA");
    Ok(keys.to_string())
}
