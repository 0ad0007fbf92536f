//! Which credential each connector of a run gets: what a person approves, and what an identity
//! comes to.

use aileron_contract::{
    Context, Result,
    bindings::{Binding, BindingFilter},
    credential::CredentialKind,
    failure::{Boundary, Class, Failure},
    names::{Fqn, Identity},
};

use super::{engine::Engine, plan::Plan};
use crate::approval::Credential;

impl Engine {
    /// The credentials a new run has to know before it begins: those that a person approves, or
    /// that an identity picks. For all others egress looks when a request leaves.
    pub(super) async fn foreseen(
        &self,
        plan: &Plan,
        identity: Option<&Identity>,
    ) -> Result<Result<Vec<Credential>, Failure>> {
        if identity.is_none() && !plan.installed.file.gated() {
            return Ok(Ok(Vec::new()));
        }
        self.credentials(plan, identity).await
    }

    /// The credential of each connector of the plan, as egress would pick it now; with an
    /// identity, that of the identity where the connector has one. `binding_required` when no
    /// connector has it, or one has several of it.
    pub(super) async fn credentials(
        &self,
        plan: &Plan,
        identity: Option<&Identity>,
    ) -> Result<Result<Vec<Credential>, Failure>> {
        let mut credentials: Vec<Credential> = Vec::new();
        let mut lacking = Vec::new();
        for step in plan.steps() {
            let connector = &step.package.fqn;
            if credentials.iter().any(|known| known.connector == *connector) {
                continue;
            }
            let loaded = self.parts.library.connector(step.hash).await?;
            let Some(need) = loaded.manifest.need() else { continue };
            let filter = BindingFilter {
                connector: Some(connector.clone()),
                kind: Some(need.kind()),
                name: None,
            };
            let bound = self.parts.bindings.list(&Context::service("executor"), filter).await?;
            let chosen = if let Some(of_it) = of_identity(&bound, identity) {
                let Some(only) = Binding::preferred(&of_it) else {
                    return Ok(Err(several(connector, &of_it)));
                };
                Some(only)
            } else {
                lacking.push(Lacking::of(connector.clone(), need.kind(), &bound));
                by_itself(&bound, need.kind())
            };
            // Whatever its status: egress refuses a stale one, and must not take another for it.
            credentials.push(Credential {
                connector: connector.clone(),
                hosts: chosen.and_then(|chosen| chosen.hosts.clone()).unwrap_or_default(),
                binding: chosen.map(|chosen| chosen.name.clone()),
                status: chosen.map(|chosen| chosen.status),
                agreed_at: chosen.map(|chosen| chosen.agreed_at),
            });
        }
        match identity {
            Some(identity) if lacking.len() == credentials.len() => {
                Ok(Err(nobodys(identity, &lacking)))
            }
            _ => Ok(Ok(credentials)),
        }
    }
}

/// The bindings of the identity; none where there are none, or none is asked for.
fn of_identity<'b>(bound: &'b [Binding], identity: Option<&Identity>) -> Option<Vec<&'b Binding>> {
    let of_it: Vec<_> =
        bound.iter().filter(|binding| Some(&binding.identity) == identity).collect();
    Some(of_it).filter(|of_it| !of_it.is_empty())
}

/// What egress would choose. Of several signing keys the request's host picks one, which nobody
/// knows yet.
fn by_itself(bound: &[Binding], kind: CredentialKind) -> Option<&Binding> {
    if bound.len() > 1 && kind == CredentialKind::AwsSigv4 {
        return None;
    }
    Binding::preferred(&bound.iter().collect::<Vec<_>>())
}

/// A connector that has no binding of the identity, and those it has.
struct Lacking {
    connector: Fqn,
    kind: CredentialKind,
    candidates: Vec<String>,
}

impl Lacking {
    fn of(connector: Fqn, kind: CredentialKind, bound: &[Binding]) -> Self {
        Self { connector, kind, candidates: names(&bound.iter().collect::<Vec<_>>()) }
    }
}

fn names(bindings: &[&Binding]) -> Vec<String> {
    bindings.iter().map(|binding| binding.name.to_string()).collect()
}

fn required(message: String) -> Failure {
    Failure::new(Class::BindingRequired, Boundary::Runtime, message)
        .detail("boundary_detail", "action")
}

/// No connector of the action has a binding of this identity.
fn nobodys(identity: &Identity, lacking: &[Lacking]) -> Failure {
    let candidates: Vec<_> =
        lacking.iter().flat_map(|lacking| lacking.candidates.iter().cloned()).collect();
    let [first, ..] = lacking else {
        let text = "no connector of this action takes a credential: call it without an identity";
        return required(text.to_owned())
            .detail("identity", identity.as_str())
            .detail("candidates", candidates);
    };
    let connectors: Vec<_> = lacking.iter().map(|lacking| lacking.connector.as_str()).collect();
    let bind = format!("aileron binding setup {} --identity {identity}", first.connector);
    let way = if candidates.is_empty() {
        format!("bind one: {bind}")
    } else {
        format!(
            "name the identity of one of these ({}), or bind one: {bind}",
            candidates.join(", ")
        )
    };
    let text =
        format!("{} has no binding of the identity {identity}: {way}", connectors.join(", "));
    required(text)
        .detail("connector", first.connector.as_str())
        .detail("capability_kind", first.kind.text())
        .detail("identity", identity.as_str())
        .detail("candidates", candidates)
}

/// One connector has several bindings of the identity, for different services.
fn several(connector: &Fqn, of_it: &[&Binding]) -> Failure {
    let candidates = names(of_it);
    let identity = of_it.first().map(|binding| binding.identity.as_str()).unwrap_or_default();
    let text = format!(
        "{connector} has several bindings of the identity {identity} ({}): choose one of them with \
         `aileron binding default NAME`, or bind it under an identity of its own",
        candidates.join(", ")
    );
    let kind = of_it.first().map(|binding| binding.kind.text());
    required(text)
        .detail("connector", connector.as_str())
        .detail("capability_kind", kind)
        .detail("identity", identity)
        .detail("candidates", candidates)
}
