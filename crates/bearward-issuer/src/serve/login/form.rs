//! The login page: the tenant's users, and what the application asks for.

use crate::serve::{
    config::User,
    page::escaped,
    state::{LoginRequest, ResourceServer},
};

/// `page` is the key of the open page: of use only in the browser that it was sent to.
pub(super) fn form<'a>(
    request: &LoginRequest,
    server: &ResourceServer,
    users: impl Iterator<Item = &'a User>,
    page: &str,
) -> String {
    let buttons: String = users.map(button).collect();
    let scope = request.scope.as_deref().unwrap_or("everything that users are granted");
    format!(
        r#"<p><b>{application}</b> asks you to log in. It then gets tokens for you:</p>
<p>Client id: {client_id}<br>API: {api}<br>Scopes: {scope}<br>The browser then goes to {target}</p>
<form method="post" action="/login">
<input type="hidden" name="page" value="{page}">
<p>Choose a user to log in and allow this:</p>
{buttons}<p><button name="cancel" value="1">Cancel</button></p>
</form>"#,
        application = escaped(request.client.name.as_deref().unwrap_or("An application without a name")),
        client_id = escaped(&request.client.id),
        api = escaped(server.identifier()),
        scope = escaped(scope),
        target = escaped(&request.redirect_uri),
        page = escaped(page),
    )
}

fn button(user: &User) -> String {
    let id = escaped(&user.id);
    let name = ["name", "email", "nickname"].iter().find_map(|claim| user.claims.get(*claim)?.as_str());
    let label = name.map_or_else(|| id.clone(), |name| format!("{} ({id})", escaped(name)));
    format!("<p><button name=\"user\" value=\"{id}\">{label}</button></p>\n")
}
