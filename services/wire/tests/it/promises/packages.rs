use aileron_contract::{names::Fqn, packages::Handle};

use super::{on_every_transport, promise};
use crate::{
    fakes::FakePackages,
    samples::{context, name, packages as samples},
};

on_every_transport!(packages);

async fn keeps_its_promises(packages: Handle, fake: &FakePackages) {
    for full in [true, false] {
        fake.stage.answer_full(full);
        connectors(&packages, fake, full).await;
        actions(&packages, fake, full).await;
    }
}

async fn connectors(packages: &Handle, fake: &FakePackages, full: bool) {
    let (stage, context) = (&fake.stage, context(full));
    let request = samples::connector_request(full);
    promise!(stage, "preview_connector", (&context, &request),
        packages.preview_connector(&context, request.clone()) => samples::connector_preview(full));
    promise!(stage, "install_connector", (&context, &request),
        packages.install_connector(&context, request.clone()) => samples::installed_connector(full));
    promise!(stage, "connectors", &context,
        packages.connectors(&context) => samples::connectors(full));
    let fqn = name::<Fqn>("hub://acme/tools/x");
    promise!(stage, "connector", (&context, &fqn),
        packages.connector(&context, fqn.clone()) => samples::connector(full));
}

async fn actions(packages: &Handle, fake: &FakePackages, full: bool) {
    let (stage, context) = (&fake.stage, context(full));
    let request = samples::action_request(full);
    promise!(stage, "preview_action", (&context, &request),
        packages.preview_action(&context, request.clone()) => samples::action_preview(full));
    promise!(stage, "install_action", (&context, &request),
        packages.install_action(&context, request.clone()) => samples::installed_action(full));
    let source = samples::suite_source(full);
    promise!(stage, "suite", (&context, &source),
        packages.suite(&context, source.clone()) => samples::suite(full));
}
