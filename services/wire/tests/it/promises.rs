//! One suite per contract, generic over the handle: what goes in arrives, what comes out is what
//! was answered, whichever way the handle is held.

mod access;
mod audit;
mod bindings;
mod custody;
mod egress;
mod executor;
mod packages;
mod publishers;
mod sessions;
mod vault;

/// Calls a method and compares: the fake saw exactly these arguments, the caller got exactly
/// this answer.
macro_rules! promise {
    ($stage:expr, $method:literal, $arguments:expr, $call:expr => $answer:expr) => {{
        let answer = $call.await.unwrap();
        assert_eq!(answer, $answer, $method);
        assert_eq!($stage.take(), [$crate::fakes::seen($method, &$arguments)], $method);
    }};
}

/// Runs a suite in process and over gRPC.
macro_rules! on_every_transport {
    ($contract:ident) => {
        #[tokio::test]
        async fn in_process() {
            let fakes = $crate::fakes::Fakes::default();
            keeps_its_promises(fakes.$contract.clone(), &fakes.$contract).await;
        }

        #[tokio::test]
        async fn over_grpc() {
            let fakes = $crate::fakes::Fakes::default();
            let served = $crate::served::Served::start(&fakes).await;
            let remote = aileron_wire::$contract::Remote::new(served.channel());
            keeps_its_promises(std::sync::Arc::new(remote), &fakes.$contract).await;
            served.stop().await;
        }
    };
}

use on_every_transport;
use promise;
