//! What publishers have released, and packages of a person's own disk.

use aileron_api::{
    error::ErrorEnvelope,
    progress::PackagesProgress,
    releases::{
        BringPackage, ConnectorUpdates, LocalPackage, NewestFilter, NewestVersion, PackageFile,
        UpdateFilter,
    },
};
use aileron_contract::{
    Error, Reason,
    packages::{LocalFile, LocalFiles},
};
use axum::{Json as Answer, extract::State};

use crate::{
    Shared,
    answer::Result,
    caller::Caller,
    input::{Filter, Parcel, bytes, field},
    shape,
};

/// The newest version a publisher has released of a package.
#[utoipa::path(
    get,
    path = "/v1/packages/newest",
    tag = "connectors",
    params(NewestFilter),
    responses(
        (status = 200, description = "The version", body = NewestVersion),
        (status = 422, description = "Nothing is published, or the source cannot be asked", body = ErrorEnvelope),
    )
)]
pub(crate) async fn newest(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Filter(NewestFilter { fqn, include_prerelease }): Filter<NewestFilter>,
) -> Result<Answer<NewestVersion>> {
    let fqn = field("fqn", &fqn)?;
    let newest = shared.services.packages.newest(&context, fqn, include_prerelease).await?;
    Ok(Answer(shape::newest(newest)))
}

/// Whether connectors in use have newer versions. A source that fails fails for its own alone.
#[utoipa::path(
    get,
    path = "/v1/connectors/check",
    tag = "connectors",
    params(UpdateFilter),
    responses(
        (status = 200, description = "Connectors, sorted by name and version", body = ConnectorUpdates),
    )
)]
pub(crate) async fn check(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Filter(UpdateFilter { include_prerelease }): Filter<UpdateFilter>,
) -> Result<Answer<ConnectorUpdates>> {
    let updates = shared.services.packages.updates(&context, include_prerelease).await?;
    Ok(Answer(shape::updates(updates)))
}

/// What the caller's own previews and installations wait for right now.
#[utoipa::path(
    get,
    path = "/v1/packages/progress",
    tag = "connectors",
    responses((status = 200, description = "Steps that are under way", body = PackagesProgress))
)]
pub(crate) async fn progress(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
) -> Result<Answer<PackagesProgress>> {
    Ok(Answer(shape::progress(shared.services.packages.progress(&context).await?)))
}

/// Takes a package from the caller's own disk. For a while, previews and installations of its
/// name and version use these files and check them as they check a release.
#[utoipa::path(
    post,
    path = "/v1/packages/local",
    tag = "connectors",
    request_body = BringPackage,
    responses(
        (status = 200, description = "What the files are", body = LocalPackage),
        (status = 413, description = "Larger than LOCAL_PACKAGE", body = ErrorEnvelope),
        (status = 422, description = "No package, or not under a name of its own", body = ErrorEnvelope),
    )
)]
pub(crate) async fn bring(
    State(shared): State<Shared>,
    Caller { context, .. }: Caller,
    Parcel(BringPackage { archive, files }): Parcel<BringPackage>,
) -> Result<Answer<LocalPackage>> {
    let files = match (archive, files) {
        (Some(archive), None) => LocalFiles::Archive(bytes("archive", &archive)?.into()),
        (None, Some(files)) => {
            LocalFiles::Loose(files.into_iter().map(local_file).collect::<Result<_>>()?)
        }
        _ => {
            let public = "send exactly one of archive and files";
            return Err(Error::new(Reason::InvalidRequest, public).into());
        }
    };
    Ok(Answer(shape::local_package(shared.services.packages.bring(&context, files).await?)))
}

fn local_file(PackageFile { name, content }: PackageFile) -> Result<LocalFile> {
    let content = bytes("files.content", &content)?.into();
    Ok(LocalFile { name, content })
}
