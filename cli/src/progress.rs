//! How far the runtime is with what a command waits for: shown at a terminal, and nowhere else.

use std::{pin::pin, time::Duration};

use aileron_api::{
    client::Client,
    progress::{PackageProgress, PackagesProgress},
};

use crate::printer::Printer;

/// How often the runtime is asked.
const PAUSE: Duration = Duration::from_millis(250);

/// Waits for an answer that takes its time, and shows meanwhile what has been fetched and what is
/// compiled for this very client.
pub(crate) async fn watched<T>(
    printer: Printer,
    client: &Client,
    doing: String,
    answer: impl Future<Output = T>,
) -> T {
    let working = printer.working(doing);
    let mut answer = pin!(answer);
    if !working.is_shown() {
        return answer.await;
    }
    loop {
        let look = async {
            tokio::time::sleep(PAUSE).await;
            client.packages_progress().await
        };
        tokio::select! {
            biased;
            done = &mut answer => return done,
            seen = look => match seen {
                Ok(seen) => working.shows(&Far::of(seen.value)),
                // An older runtime cannot tell, and a token may not ask: the time goes on.
                Err(_) => return answer.await,
            },
        }
    }
}

/// How far it is, all steps together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Far {
    Unknown,
    Fetching { received: u64, total: Option<u64> },
    Compiling(String),
}

impl Far {
    fn of(PackagesProgress { items }: PackagesProgress) -> Self {
        let (fetching, rest): (Vec<PackageProgress>, Vec<_>) =
            items.into_iter().partition(|item| item.received_bytes.is_some());
        if fetching.is_empty() {
            let compiling = rest.into_iter().find(|item| item.step == "compiling");
            return compiling.map_or(Self::Unknown, |item| {
                Self::Compiling(format!("{}@{}", item.fqn, item.version))
            });
        }
        let sum = |sum: u64, bytes: u64| sum.saturating_add(bytes);
        let received = fetching.iter().filter_map(|item| item.received_bytes).fold(0, sum);
        let totals: Option<Vec<u64>> = fetching.iter().map(|item| item.total_bytes).collect();
        Self::Fetching { received, total: totals.map(|totals| totals.into_iter().fold(0, sum)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(step: &str, received: Option<u64>, total: Option<u64>) -> PackageProgress {
        PackageProgress {
            fqn: "github://acme/notes".to_owned(),
            version: "1.0.0".to_owned(),
            step: step.to_owned(),
            received_bytes: received,
            total_bytes: total,
        }
    }

    fn far(items: &[PackageProgress]) -> Far {
        Far::of(PackagesProgress { items: items.to_vec() })
    }

    #[test]
    fn several_fetches_are_one_bar_as_long_as_each_has_an_end() {
        let (one, two) = (item("fetching", Some(1), Some(10)), item("fetching", Some(2), Some(20)));
        let endless = item("fetching", Some(4), None);
        let fetching = |received, total| Far::Fetching { received, total };
        assert_eq!(far(&[one.clone(), two.clone()]), fetching(3, Some(30)));
        assert_eq!(far(&[one, two, endless]), fetching(7, None));
        let most = item("fetching", Some(u64::MAX), Some(u64::MAX));
        assert_eq!(far(&[most.clone(), most]), fetching(u64::MAX, Some(u64::MAX)));
    }

    #[test]
    fn compiling_is_told_once_nothing_is_fetched_and_an_unknown_step_is_none() {
        let compiling = item("compiling", None, None);
        let fetching = item("fetching", Some(1), None);
        assert_eq!(
            far(std::slice::from_ref(&compiling)),
            Far::Compiling("github://acme/notes@1.0.0".into())
        );
        let far_fetching = Far::Fetching { received: 1, total: None };
        assert_eq!(far(&[compiling, fetching]), far_fetching);
        assert_eq!(far(&[item("polishing", None, None)]), Far::Unknown);
        assert_eq!(far(&[]), Far::Unknown);
    }
}
