use aileron_contract::{
    Reason, Result,
    names::{ActionName, Fqn},
    packages::Handle,
};

use super::{on_every_transport, promise};
use crate::{
    fakes::FakePackages,
    samples::{context, drift, hash, name, packages as samples},
};

on_every_transport!(packages);

async fn keeps_its_promises(packages: Handle, fake: &FakePackages) {
    for full in [true, false] {
        fake.stage.answer_full(full);
        connectors(&packages, fake, full).await;
        actions(&packages, fake, full).await;
        releases(&packages, fake, full).await;
        upkeep(&packages, fake, full).await;
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

async fn releases(packages: &Handle, fake: &FakePackages, full: bool) {
    let (stage, context) = (&fake.stage, context(full));
    let fqn = name::<Fqn>("github://acme/tools/x");
    promise!(stage, "newest", (&context, &fqn, full),
        packages.newest(&context, fqn.clone(), full) => samples::newest(full));
    promise!(stage, "updates", (&context, full),
        packages.updates(&context, full) => samples::updates(full));
    promise!(stage, "progress", &context,
        packages.progress(&context) => samples::progress(full));
    let files = samples::local_files(full);
    promise!(stage, "bring", (&context, &files),
        packages.bring(&context, files.clone()) => samples::local_package(full));
}

async fn upkeep(packages: &Handle, fake: &FakePackages, full: bool) {
    let (stage, context) = (&fake.stage, context(full));
    let only: Option<ActionName> = full.then(|| name("notes-list"));
    promise!(stage, "drift", (&context, &only),
        packages.drift(&context, only.clone()) => drift::drift(full));
    let acceptance = drift::acceptance(full);
    promise!(stage, "accept", (&context, &acceptance),
        packages.accept(&context, acceptance.clone()) => drift::accepted(full));
    promise!(stage, "needs", &context, packages.needs(&context) => drift::needs(full));
    let only = full.then(|| vec![hash()]);
    promise!(stage, "sync", (&context, &only),
        packages.sync(&context, only.clone()) => drift::synced(full));
}

async fn actions(packages: &Handle, fake: &FakePackages, full: bool) {
    let (stage, context) = (&fake.stage, context(full));
    let requests = vec![samples::action_request(full), samples::action_request(!full)];
    let previews =
        async { packages.preview_actions(&context, requests.clone()).await.map(comparable) };
    promise!(stage, "preview_actions", (&context, &requests),
        previews => comparable(samples::each(full, samples::action_preview)));
    let installed =
        async { packages.install_actions(&context, requests.clone()).await.map(comparable) };
    promise!(stage, "install_actions", (&context, &requests),
        installed => comparable(samples::each(full, samples::installed_action)));
    let source = samples::suite_source(full);
    promise!(stage, "suite", (&context, &source),
        packages.suite(&context, source.clone()) => samples::suite(full));
}

/// Errors are compared by what a caller learns.
type Comparable<T> = std::result::Result<T, (Reason, String, Option<serde_json::Value>)>;

fn comparable<T>(outcomes: Vec<Result<T>>) -> Vec<Comparable<T>> {
    let told = |error: aileron_contract::Error| {
        (error.reason(), error.public().to_owned(), error.details().cloned())
    };
    outcomes.into_iter().map(|outcome| outcome.map_err(told)).collect()
}
