//! How settings are written in a remedy: each front end spells them in its own way.

/// The reader of a remedy. It decides how settings are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrontEnd {
    /// A service that uses the Python package.
    Python,
    /// A service that uses the crate `bearward` from Rust.
    Rust,
    /// A user of `bearward`, whose service may be either of these.
    CommandLine,
    /// The reference page, which is for users of both languages.
    Reference,
}

/// A setting of a service.
pub(super) struct Setting {
    /// As remedies name it.
    pub(super) name: &'static str,
    pub(super) python: &'static str,
    pub(super) rust: &'static str,
    /// The flag of `bearward explain` for it, if there is one.
    pub(super) explain: Option<&'static str>,
}

const fn setting(
    name: &'static str,
    python: &'static str,
    rust: &'static str,
    explain: Option<&'static str>,
) -> Setting {
    Setting { name, python, rust, explain }
}

#[rustfmt::skip]
pub(super) const SETTINGS: &[Setting] = &[
    setting("algorithms", "`algorithms`", "`Builder::algorithms`", Some("`--algorithm`")),
    setting("audience", "`audience=...`", "`Builder::audience`", Some("`--audience`")),
    setting("client_ids", "`audience=None, client_ids=[...]`", "`Builder::client_ids`", Some("`--client-ids`")),
    setting("decryption_keys", "`decryption_keys`", "`Builder::decryption_key`", None),
    setting("domain", "`domain=...` or `issuer=...`", "`Builder::domain` or `Builder::issuer`", Some("`--domain` or `--issuer`")),
    setting("domains", "`domains=[...]` or `issuer=[...]`", "`Builder::domain` or `Builder::issuer`", Some("`--domain` or `--issuer`")),
    setting("dpop_algorithms", "`dpop_algorithms`", "`Builder::dpop_algorithms`", Some("`--proof-algorithm`")),
    setting("dpop_enabled", "`dpop_enabled=True`", "`Dpop::Accepted`", Some("`--dpop accepted`")),
    setting("dpop_iat_leeway", "`dpop_iat_leeway`", "`Builder::dpop_window`", None),
    setting("dpop_nonce_key", "`dpop_nonce_key`", "`Builder::dpop_nonces`", Some("`--nonce-key`")),
    setting("dpop_replay", "`dpop_replay`", "`Builder::replay_store`", None),
    setting("dpop_required", "`dpop_required=False`", "`Dpop::Accepted`", Some("`--dpop accepted`")),
    setting("introspection", "`introspection`", "`Builder::introspection`", None),
    setting("leeway", "`leeway`", "`Builder::leeway`", Some("`--leeway`")),
    setting("mtls", "`mtls=True`", "`Builder::mtls`", None),
    setting("on_store_error", "`on_store_error=\"allow\"`", "`Builder::accept_replays_while_store_fails`", None),
    setting("resolver_timeout", "`resolver_timeout`", "`Builder::resolver_timeout`", None),
    setting("public_origin", "`public_origin`", "`Builder::public_origin`", None),
];

impl Setting {
    fn spelled_for(&self, front_end: FrontEnd) -> String {
        let Self { python, rust, .. } = self;
        let both = format!("Python: {python}; Rust: {rust}");
        match (front_end, self.explain) {
            (FrontEnd::Python, _) => (*python).to_owned(),
            (FrontEnd::Rust, _) => (*rust).to_owned(),
            (FrontEnd::CommandLine, Some(flag)) => format!("{both}; `bearward explain`: {flag}"),
            (FrontEnd::CommandLine, None) | (FrontEnd::Reference, _) => both,
        }
    }
}

/// `template` with each `{setting}` replaced. A test of the catalogue makes sure that all of them are known.
pub(super) fn with_settings(template: &str, front_end: FrontEnd) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, name, after)) = next_placeholder(rest) {
        text.push_str(before);
        match SETTINGS.iter().find(|setting| setting.name == name) {
            Some(setting) => text.push_str(&setting.spelled_for(front_end)),
            None => text.push_str(name),
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

/// The text before the first placeholder, the placeholder's name, and the text after it.
fn next_placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let (before, behind) = text.split_once('{')?;
    let (name, after) = behind.split_once('}')?;
    Some((before, name, after))
}
