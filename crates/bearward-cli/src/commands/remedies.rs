//! What to do about a refusal, in the words of the issuer's product. The catalogue has the words for Auth0 and for any issuer.

use bearward_core::catalogue::{Entry, FrontEnd};

use crate::{tenant::issuer_kind::IssuerKind, terminal::failure::Failure};

/// What to do about a refusal with this code.
pub(crate) fn remedy(entry: &Entry, kind: IssuerKind) -> String {
    match (special(entry.code, kind), kind) {
        (Some(special), _) => special.to_owned(),
        (None, IssuerKind::Auth0) => entry.remedy(FrontEnd::CommandLine),
        (None, _) => entry.neutral_remedy(FrontEnd::CommandLine),
    }
}

fn special(code: &str, kind: IssuerKind) -> Option<&'static str> {
    match code {
        "audience_missing" | "audience_mismatch" | "audience_not_listed" => audience(kind),
        "audience_unexpected" if kind == IssuerKind::Cognito => Some(
            "Send the access token, not the ID token. If the app client uses resource binding, its access tokens have `aud`: then configure that as the API's audience.",
        ),
        "insufficient_scope" | "any_scope_missing" => scope(kind),
        "symmetric_algorithm" | "algorithm_not_allowed" if kind == IssuerKind::Keycloak => Some(
            "In Keycloak, set the client's Access token signature algorithm (Advanced) to one that the API accepts; or let the API accept this one (`algorithms`, here --algorithm).",
        ),
        "signature_invalid" if kind.is_entra() => Some(
            "If the token's header has `nonce`, the token is for Microsoft Graph, which alone can verify it: request a scope of your API. Otherwise send the token exactly as it was issued.",
        ),
        _ => None,
    }
}

/// How the API gets into `aud`.
fn audience(kind: IssuerKind) -> Option<&'static str> {
    Some(match kind {
        IssuerKind::Keycloak => {
            "In Keycloak, give a client scope of the client an audience mapper (Client scopes, Mappers, Configure a new mapper, Audience) with the API's audience, and get a new token. Without one, `aud` is `account` or missing."
        }
        IssuerKind::EntraV2 => {
            "Request a scope of this API: `api://APPLICATION-ID/SCOPE`, or `api://APPLICATION-ID/.default` for a client without a user. In tokens of version 2, `aud` is the API's application id: configure that as the audience."
        }
        IssuerKind::EntraV1 => {
            "Request a scope of this API: `api://APPLICATION-ID/SCOPE`. In tokens of version 1, `aud` is the Application ID URI: configure that as the audience. With `requestedAccessTokenVersion` 2 in the API's manifest, tokens are of version 2, and have another issuer."
        }
        IssuerKind::OktaCustom => {
            "In Okta, `aud` is the audience of the authorization server (Security, API, Authorization Servers), the same in all its tokens: configure that as the API's audience."
        }
        IssuerKind::OktaOrg => {
            "Tokens of Okta's org authorization server are for Okta's own APIs. Get tokens from a custom authorization server, such as `https://HOST/oauth2/default`, and configure that as the issuer."
        }
        IssuerKind::Cognito => {
            "Access tokens of a Cognito user pool have no `aud`: configure `audience=None` and `client_ids` with the app clients (here --client-ids in place of --audience)."
        }
        IssuerKind::Auth0 | IssuerKind::Other => return None,
    })
}

fn scope(kind: IssuerKind) -> Option<&'static str> {
    Some(match kind {
        IssuerKind::Keycloak => {
            "In Keycloak, make a client scope of this name with Include in token scope, and add it to the client: as a default one, or as an optional one that is requested in `scope`."
        }
        IssuerKind::EntraV1 | IssuerKind::EntraV2 => {
            "Add the scope to the API's app registration (Expose an API), and request it as `api://APPLICATION-ID/SCOPE`. A client without a user gets application permissions instead, in `roles`: `scope_claim=\"roles\"` reads them (here --scope-claim roles)."
        }
        IssuerKind::OktaCustom => {
            "In Okta, add the scope to the authorization server (Scopes), let a rule of an access policy grant it, and request it in `scope`."
        }
        IssuerKind::Cognito => {
            "In Cognito, add the scope to a resource server of the user pool, allow it for the app client, and request it by its whole name, `RESOURCE-SERVER/SCOPE`."
        }
        IssuerKind::Auth0 | IssuerKind::OktaOrg | IssuerKind::Other => return None,
    })
}

/// What a client needs that asks for a token for itself.
pub(crate) fn of_client_credentials(kind: IssuerKind) -> &'static str {
    match kind {
        IssuerKind::Auth0 => {
            "do client id and secret belong to a client of this tenant, and may it get tokens for this API? (Auth0: the application's tab APIs)"
        }
        IssuerKind::Keycloak => {
            "do client id and secret belong to a client of this realm, with Client authentication and Service accounts roles switched on?"
        }
        IssuerKind::EntraV1 | IssuerKind::EntraV2 => {
            "do client id and secret belong to an app registration of this tenant? Entra needs one scope: --scope api://APPLICATION-ID/.default"
        }
        IssuerKind::OktaOrg | IssuerKind::OktaCustom => {
            "do client id and secret belong to an API Services application, and does a rule of the authorization server's access policy let it have a scope? Okta needs one: --scope"
        }
        IssuerKind::Cognito => {
            "do client id and secret belong to an app client of this user pool, with the grant Client credentials and a custom scope?"
        }
        IssuerKind::Other => {
            "do client id and secret belong to a client of this issuer, and may it get tokens for itself (client credentials)?"
        }
    }
}

/// A refusal of a token endpoint, with what may be wrong. For Auth0 its own words are enough.
pub(crate) fn of_refused_grant(refused: Failure, kind: IssuerKind) -> Failure {
    if refused.is_rejection() && kind != IssuerKind::Auth0 && refused.hint().is_none() {
        return refused.with_hint(of_client_credentials(kind));
    }
    refused
}

#[cfg(test)]
mod tests {
    use bearward_core::catalogue::{REJECTIONS, UNAVAILABLE};

    use super::*;

    #[test]
    fn auth0_is_named_to_its_users_only() {
        use IssuerKind::{Auth0, Cognito, EntraV1, EntraV2, Keycloak, OktaCustom, OktaOrg, Other};
        for entry in REJECTIONS.iter().chain(UNAVAILABLE) {
            for kind in [Cognito, EntraV1, EntraV2, Keycloak, OktaCustom, OktaOrg, Other] {
                let remedy = remedy(entry, kind);
                assert!(!remedy.to_lowercase().contains("auth0"), "{kind:?} {}: {remedy}", entry.code);
            }
            assert_eq!(remedy(entry, Auth0), entry.remedy(FrontEnd::CommandLine));
        }
    }
}
