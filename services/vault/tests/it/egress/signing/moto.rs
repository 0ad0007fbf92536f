//! The Amazon services of the Python package `moto`, as a process of their own.

use std::{
    net::{Ipv4Addr, TcpListener},
    process::{Child, Command, Stdio},
    time::Duration,
};

use super::{form, house, signed, status_and_text};
use crate::egress::house::{House, with_headers};

/// Ended with the test.
pub(crate) struct Moto {
    port: u16,
    process: Child,
}

impl Drop for Moto {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// An access key id, and what the vault holds with it.
pub(crate) type Key = (String, String);

impl Moto {
    #[expect(clippy::disallowed_methods, reason = "tests/run says where the Python is")]
    pub(crate) async fn start() -> Self {
        let Ok(python) = std::env::var("AILERON_TLOG_PYTHON") else {
            panic!(
                "AILERON_TLOG_PYTHON must name a Python that has moto: use tests/run, which makes one"
            )
        };
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let process = Command::new(python)
            .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let moto = Self { port, process };
        for _ in 0..600 {
            if tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_ok() {
                return moto;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("moto does not start")
    }

    pub(crate) fn host(&self, service: &str) -> String {
        format!("{service}.us-east-1.localhost:{}", self.port)
    }

    /// Of a user who may do anything.
    pub(crate) async fn key_of_a_user(&self) -> Key {
        let policy = encoded(
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
        );
        let anybody = ("anybody".to_owned(), "anything".to_owned());
        let iam = |query: String| self.ask(&anybody, "iam", query);
        iam("Action=CreateUser&UserName=me".to_owned()).await;
        iam(format!("Action=PutUserPolicy&UserName=me&PolicyName=all&PolicyDocument={policy}"))
            .await;
        let trust = encoded(
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}"#,
        );
        iam(format!("Action=CreateRole&RoleName=r&AssumeRolePolicyDocument={trust}")).await;
        iam(format!("Action=PutRolePolicy&RoleName=r&PolicyName=all&PolicyDocument={policy}"))
            .await;
        let made = iam("Action=CreateAccessKey&UserName=me".to_owned()).await;
        (inside(&made, "AccessKeyId"), inside(&made, "SecretAccessKey"))
    }

    /// Temporary, with a session token.
    pub(crate) async fn role_assumed_by(&self, key: &Key) -> Key {
        let role = encoded("arn:aws:iam::123456789012:role/r");
        let query = format!("Action=AssumeRole&RoleArn={role}&RoleSessionName=s");
        let made = self.ask(key, "sts", query).await;
        let value = serde_json::json!({
            "secret_access_key": inside(&made, "SecretAccessKey"),
            "session_token": inside(&made, "SessionToken"),
        });
        (inside(&made, "AccessKeyId"), value.to_string())
    }

    /// Until then moto takes any signature.
    pub(crate) async fn verify_from_now_on(&self) {
        let host = format!("localhost:{}", self.port);
        let house = House::consenting_to(&[]);
        house.names.lead("localhost", &[&["127.0.0.1"]]);
        let mut request = signed("POST", &host, "/moto-api/reset-auth", "0");
        request.credential = None;
        assert_eq!(house.answered(request).await.status, 200);
    }

    async fn ask(&self, key: &Key, service: &str, query: String) -> String {
        let host = self.host(service);
        let house = house(&[&host], form(), &key.0, &key.1);
        let request = with_headers(
            signed("POST", &host, "/", &query),
            &[("content-type", "application/x-www-form-urlencoded")],
        );
        let (status, answer) = status_and_text(house.answered(request).await).await;
        assert_eq!(status, 200, "{query}: {answer}");
        answer
    }
}

/// Makes a queue.
pub(crate) async fn queue(house: &House, host: &str, name: &str) -> (u16, String) {
    let body = serde_json::json!({ "QueueName": name }).to_string();
    let request = with_headers(
        signed("POST", host, "/", &body),
        &[
            ("x-amz-target", "AmazonSQS.CreateQueue"),
            ("content-type", "application/x-amz-json-1.0"),
        ],
    );
    status_and_text(house.answered(request).await).await
}

fn inside(answer: &str, tag: &str) -> String {
    let (_, rest) = answer.split_once(&format!("<{tag}>")).unwrap();
    let (text, _) = rest.split_once("</").unwrap();
    text.to_owned()
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
