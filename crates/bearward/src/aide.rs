//! The extractors in OpenAPI documents of `aide`: operations that need a token name the security scheme.
//!
//! The scheme itself comes from [`Guard::openapi`].

use ::aide::OperationInput;
use ::aide::generate::GenContext;
use ::aide::openapi::Operation;

use crate::extract::Claims;
use crate::guard::Guard;
use crate::verified::Verified;

impl OperationInput for Verified {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        require(operation);
    }
}

impl<T> OperationInput for Claims<T> {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        require(operation);
    }
}

fn require(operation: &mut Operation) {
    let is_there = operation.security.iter().any(|scheme| scheme.contains_key(Guard::SECURITY_SCHEME));
    if !is_there {
        operation.security.push([(Guard::SECURITY_SCHEME.to_owned(), Vec::new())].into_iter().collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_that_needs_a_token_names_the_scheme_once() {
        let mut operation = Operation::default();
        ::aide::generate::in_context(|context| {
            Claims::<()>::operation_input(context, &mut operation);
            Verified::operation_input(context, &mut operation);
        });
        let [security] = operation.security.as_slice() else { panic!("{:?}", operation.security) };
        assert_eq!(security.keys().collect::<Vec<_>>(), [Guard::SECURITY_SCHEME]);
    }
}
