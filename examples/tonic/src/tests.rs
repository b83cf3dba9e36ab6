//! Calls over the wire, with tonic's client.

use std::net::SocketAddr;
use std::time::Duration;

use bearward::Builder;
use bearward::testing::{TestKey, TestTenant, TestToken};
use prost::Message;
use tokio::net::TcpListener;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use crate::health::{CHECK, CheckReply, CheckRequest, Serving};
use crate::messages::{
    LIST, ListReply, ListRequest, WHO_AM_I, WRITE, WhoAmIReply, WhoAmIRequest, WriteReply, WriteRequest,
};

struct Client {
    address: SocketAddr,
    channel: Channel,
}

/// A server in this process, and a connection to it.
async fn connected(guard: Builder) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(crate::serve(guard.build().unwrap(), listener));
    let channel = Endpoint::try_from(format!("http://{address}")).unwrap().connect().await.unwrap();
    Client { address, channel }
}

impl Client {
    async fn call<Q, A>(
        &self,
        method: &'static str,
        message: Q,
        fields: &[(&'static str, &str)],
    ) -> Result<A, Status>
    where
        Q: Message + Default + 'static,
        A: Message + Default + 'static,
    {
        let mut request = Request::new(message);
        for (name, value) in fields {
            request.metadata_mut().insert(*name, value.parse().unwrap());
        }
        let mut client = Grpc::new(self.channel.clone());
        client.ready().await.unwrap();
        let codec = ProstCodec::<Q, A>::default();
        client.unary(request, method.parse().unwrap(), codec).await.map(tonic::Response::into_inner)
    }

    async fn bearer<Q, A>(&self, method: &'static str, message: Q, token: TestToken) -> Result<A, Status>
    where
        Q: Message + Default + 'static,
        A: Message + Default + 'static,
    {
        self.call(method, message, &[("authorization", &format!("Bearer {}", token.sign()))]).await
    }

    async fn who_am_i(&self, fields: &[(&'static str, &str)]) -> Result<String, Status> {
        let reply: WhoAmIReply = self.call(WHO_AM_I, WhoAmIRequest {}, fields).await?;
        Ok(reply.sub)
    }

    fn url(&self, method: &str) -> String {
        format!("http://{}{method}", self.address)
    }
}

fn field<'a>(status: &'a Status, name: &str) -> &'a str {
    status.metadata().get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
}

#[tokio::test]
async fn without_a_token_every_method_but_the_public_one_is_refused() {
    let client = connected(TestTenant::new().guard()).await;
    for method in [WHO_AM_I, LIST, WRITE, "/bearward.example.v1.Messages/Unknown", "/other.Service/Method"] {
        let refused = client.call::<_, WhoAmIReply>(method, WhoAmIRequest {}, &[]).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated, "{method}");
        assert_eq!(field(&refused, "www-authenticate"), r#"Bearer realm="api", DPoP algs="ES256""#);
    }
    let reply: CheckReply = client.call(CHECK, CheckRequest::default(), &[]).await.unwrap();
    assert_eq!(reply.status(), Serving::No, "its documents were not fetched yet");
}

#[tokio::test]
async fn a_method_knows_who_calls() {
    let tenant = TestTenant::new();
    let client = connected(tenant.guard()).await;
    let reply: WhoAmIReply =
        client.bearer(WHO_AM_I, WhoAmIRequest {}, tenant.token().subject("auth0|ann")).await.unwrap();
    assert_eq!(reply.sub, "auth0|ann");
    let reply: CheckReply = client.call(CHECK, CheckRequest::default(), &[]).await.unwrap();
    assert_eq!(reply.status(), Serving::Yes);
    let expired = tenant.token().expired_ago(Duration::from_secs(1));
    let refused = client.bearer::<_, WhoAmIReply>(WHO_AM_I, WhoAmIRequest {}, expired).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    assert!(field(&refused, "www-authenticate").contains(r#"error="invalid_token""#), "{refused:?}");
}

#[tokio::test]
async fn each_method_has_its_own_requirement() {
    let tenant = TestTenant::new();
    let client = connected(tenant.guard()).await;
    let (reader, writer) = (tenant.token().scopes("read:messages"), tenant.token().scopes("write:messages"));
    let text = || WriteRequest { text: "hello".to_owned() };
    let written: WriteReply = client.bearer(WRITE, text(), writer.clone()).await.unwrap();
    assert_eq!(written.count, 1);
    let listed: ListReply = client.bearer(LIST, ListRequest {}, reader.clone()).await.unwrap();
    assert_eq!(listed.messages, ["auth0|test: hello"]);

    for refused in [
        client.bearer::<_, WriteReply>(WRITE, text(), reader).await.map(|_| ()),
        client.bearer::<_, ListReply>(LIST, ListRequest {}, writer).await.map(|_| ()),
    ] {
        let refused = refused.unwrap_err();
        assert_eq!((refused.code(), refused.message()), (Code::PermissionDenied, "Insufficient scopes"));
        assert!(field(&refused, "www-authenticate").contains("insufficient_scope"), "{refused:?}");
    }
    let listed: ListReply =
        client.bearer(LIST, ListRequest {}, tenant.token().scopes("read:messages")).await.unwrap();
    assert_eq!(listed.messages.len(), 1, "what was refused wrote nothing");
}

#[tokio::test]
async fn while_the_issuer_is_down_calls_are_unavailable() {
    let tenant = TestTenant::new();
    tenant.down();
    let client = connected(tenant.guard()).await;
    let refused =
        client.bearer::<_, WhoAmIReply>(WHO_AM_I, WhoAmIRequest {}, tenant.token()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    assert!(field(&refused, "retry-after").parse::<u32>().is_ok(), "{refused:?}");
}

#[tokio::test]
async fn a_bound_token_needs_a_fresh_proof_for_the_method() {
    let (tenant, key) = (TestTenant::new(), TestKey::new());
    let client = connected(tenant.guard()).await;
    let token = tenant.token().bound_to(&key).sign();
    let (dpop, bearer) = (format!("DPoP {token}"), format!("Bearer {token}"));
    let proof = key.proof("POST", &client.url(WHO_AM_I), &token);
    let fields = [("authorization", dpop.as_str()), ("dpop", proof.as_str())];
    assert_eq!(client.who_am_i(&fields).await.unwrap(), "auth0|test");

    let replayed = client.who_am_i(&fields).await.unwrap_err();
    assert_eq!(replayed.code(), Code::Unauthenticated);
    assert!(field(&replayed, "www-authenticate").contains("invalid_dpop_proof"), "{replayed:?}");
    for other in [
        key.proof("POST", &client.url(LIST), &token),
        key.proof("GET", &client.url(WHO_AM_I), &token),
        TestKey::new().proof("POST", &client.url(WHO_AM_I), &token),
    ] {
        let fields = [("authorization", dpop.as_str()), ("dpop", other.as_str())];
        assert_eq!(client.who_am_i(&fields).await.unwrap_err().code(), Code::Unauthenticated);
    }
    let stolen = client.who_am_i(&[("authorization", &bearer)]).await.unwrap_err();
    assert_eq!(stolen.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn a_nonce_comes_with_the_refusal_and_makes_the_next_call_good() {
    let (tenant, key) = (TestTenant::new(), TestKey::new());
    let client = connected(tenant.guard().dpop_nonces([[7; 32]], Duration::from_secs(300))).await;
    let token = tenant.token().bound_to(&key).sign();
    let authorization = ("authorization", format!("DPoP {token}"));
    let url = client.url(WHO_AM_I);
    let first = key.proof("POST", &url, &token);
    let refused =
        client.who_am_i(&[(authorization.0, &authorization.1), ("dpop", &first)]).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    assert!(field(&refused, "www-authenticate").contains("use_dpop_nonce"), "{refused:?}");
    let second = key.proof_with_nonce("POST", &url, &token, field(&refused, "dpop-nonce"));
    let sub = client.who_am_i(&[(authorization.0, &authorization.1), ("dpop", &second)]).await.unwrap();
    assert_eq!(sub, "auth0|test");
}
