//! The `OpenAPI` document, generated from the routes. `proto/openapi/aileron.yaml` is its checked-in
//! form, which is also what the daemon serves; a test proves that the two are the same.

use aileron_api::error::{ErrorEnvelope, FailureEnvelope};
use axum::response::{IntoResponse, Response};
use http::header;
use utoipa::{
    OpenApi as _,
    openapi::{
        Content, OpenApi, Ref, RefOr, ResponseBuilder,
        path::Operation,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_axum::router::OpenApiRouter;

use crate::{Shared, router};

/// The document as checked in.
pub const YAML: &str = include_str!("../../proto/openapi/aileron.yaml");

/// The document as the code has it now.
pub fn generate() -> Result<String, serde_yaml_ng::Error> {
    let mut document = router::document();
    for item in document.paths.paths.values_mut() {
        let methods =
            [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch];
        for operation in methods.into_iter().flatten() {
            name_in_full(operation);
            add_common_refusals(operation);
        }
    }
    let components = document.components.get_or_insert_default();
    for (_, name, description) in ANYWHERE.into_iter().chain(PROTECTED) {
        let content = Content::new(Some(RefOr::Ref(Ref::from_schema_name("Error"))));
        let response = ResponseBuilder::new()
            .description(description)
            .content("application/json", content)
            .build();
        components.responses.insert(name.to_owned(), RefOr::T(response));
    }
    serde_yaml_ng::to_string(&document)
}

/// Refusals of every operation: status, name, description.
const ANYWHERE: [(&str, &str, &str); 3] = [
    (
        "403",
        "Forbidden",
        "The caller may not do this, or the request is for another host or comes from another \
         site's page.",
    ),
    ("429", "Busy", "Too many requests are under way."),
    (
        "500",
        "Internal",
        "Something failed inside the runtime; its log says more under the request's id.",
    ),
];

/// Refusals of the operations that want a token.
const PROTECTED: [(&str, &str, &str); 3] = [
    ("400", "BadRequest", "The request cannot be understood."),
    ("401", "Unauthenticated", "The bearer token is missing or not good."),
    ("503", "Unavailable", "A service of the runtime cannot be reached right now."),
];

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Aileron",
        description = "A runtime through which an AI agent acts for a person without ever holding \
            the person's credentials.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "/", description = "The daemon that serves this document")),
    security(("bearerAuth" = [])),
    components(schemas(ErrorEnvelope, FailureEnvelope)),
    modifiers(&Bearer),
)]
struct Base;

pub(crate) fn base() -> OpenApiRouter<Shared> {
    OpenApiRouter::with_openapi(Base::openapi())
}

struct Bearer;

impl utoipa::Modify for Bearer {
    fn modify(&self, document: &mut OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "The token of daemon.json lists, runs, polls and reads status. Everything else \
                 needs a person session (POST /v1/person-sessions) or a token a person minted.",
            ))
            .build();
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("bearerAuth", SecurityScheme::Http(scheme));
    }
}

/// Two tags may each have a `list`; an operation's id must be its own.
fn name_in_full(operation: &mut Operation) {
    let tag = operation.tags.iter().flatten().next();
    if let (Some(tag), Some(id)) = (tag, &mut operation.operation_id) {
        *id = format!("{tag}_{id}");
    }
}

/// What every operation may answer, said once. An operation's own description wins.
fn add_common_refusals(operation: &mut Operation) {
    let open = operation.security.is_some();
    let protected = if open { &[] } else { PROTECTED.as_slice() };
    for (status, name, _) in ANYWHERE.iter().chain(protected) {
        let reference = RefOr::Ref(Ref::new(format!("#/components/responses/{name}")));
        let responses = &mut operation.responses.responses;
        responses.entry((*status).to_owned()).or_insert(reference);
    }
}

/// This document.
#[utoipa::path(
    get,
    path = "/openapi.yaml",
    tag = "runtime",
    security(()),
    responses((status = 200, description = "OpenAPI 3.1", body = String, content_type = "application/yaml"))
)]
pub(crate) async fn serve() -> Response {
    ([(header::CONTENT_TYPE, "application/yaml")], YAML).into_response()
}
