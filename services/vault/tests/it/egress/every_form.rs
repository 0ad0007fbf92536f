//! Each attack against every form a credential takes: what is refused for one is refused for all.

use std::{net::TcpListener, process::Command};

use aileron_contract::{
    Reason,
    credential::{Form, HeaderTemplate, Signing, TokenTemplate},
    egress::Sent,
    failure::Class,
};
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{
    house::{Bound, House, asking, read, with_headers},
    upstream::{Seen, plain, raw, redirect, whole},
};

const TOKEN: &str = "t0k/en+of=ours&more~9";
const SIGNING: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// A form with what is bound in it, and the part that must be seen nowhere.
struct Case {
    form: Form,
    value: &'static str,
    secret: &'static str,
}

impl Case {
    fn house(&self, hosts: &[&str]) -> House {
        let mut bound = Bound::of(self.form.clone(), self.value);
        if let Form::AwsSigv4(_) = self.form {
            bound.access_key_id = "AKIAIOSFODNN7EXAMPLE".parse().ok();
        }
        House::holding(hosts, bound)
    }

    /// Every spelling the person could be robbed in; the last for those who lose the case.
    fn spellings(&self) -> Vec<String> {
        let secret = self.secret;
        let percent = secret.bytes().map(|c| format!("%{c:02X}")).collect::<Vec<_>>().concat();
        let escaped: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        vec![
            secret.to_owned(),
            percent,
            escaped,
            hex::encode(secret),
            BASE64_STANDARD.encode(secret),
            BASE64_URL_SAFE_NO_PAD.encode(secret),
            secret.to_lowercase(),
        ]
    }

    fn assert_untold(&self, text: &str) {
        for spelling in self.spellings() {
            assert!(!text.contains(&spelling), "{}: {spelling} in {text}", self.form);
        }
    }
}

fn cases() -> Vec<Case> {
    let case = |form, value| Case { form, value, secret: value };
    let word = |word: &str| word.parse().ok();
    let signing = Signing { service: word("s3"), region: word("us-east-1"), ..Signing::default() };
    vec![
        case(Form::ApiKey(HeaderTemplate::default()), TOKEN),
        case(Form::Oauth2, TOKEN),
        Case { form: Form::Basic, value: "me:pa:ss/w0rd+Long", secret: "pa:ss/w0rd+Long" },
        case(Form::Header(TokenTemplate::new("X-Session", "id={token}").unwrap()), TOKEN),
        case(Form::Query("access_key".parse().unwrap()), TOKEN),
        case(Form::AwsSigv4(signing), SIGNING),
    ]
}

/// What the upstream was shown, wherever a form puts it.
fn shown(seen: &Seen) -> bool {
    let headers = ["authorization", "x-session", "x-api-key", "x-amz-date", "x-amz-content-sha256"];
    headers.iter().any(|name| seen.header(name).is_some()) || seen.path.contains("access_key")
}

#[tokio::test]
async fn each_arrives_in_its_own_place_and_only_once() {
    for case in cases() {
        let upstream = plain(|_| whole(200, "ok")).await;
        let host = upstream.named();
        let house = case.house(&[&host]);
        let request = asking(&format!("http://{host}/a?b=c"), &[&host], &case.form);
        let guest = [("Authorization", "mine"), ("cookie", "mine"), ("x-api-key", "mine")];
        read(house.answered(with_headers(request, &guest)).await).await.unwrap();
        let seen = upstream.seen().remove(0);
        assert!(shown(&seen), "{}", case.form);
        for name in seen.headers.keys() {
            assert_eq!(seen.headers.get_all(name).iter().count(), 1, "{} {name}", case.form);
        }
        assert!(seen.headers.values().all(|value| value != "mine"), "{} {seen:?}", case.form);
    }
}

#[tokio::test]
async fn a_name_that_leads_inside_gets_none() {
    for case in cases() {
        let house = case.house(&["api.example.com:443"]);
        for answer in [
            &["127.0.0.1"][..],
            &["10.1.2.3"],
            &["169.254.169.254"],
            &["fd00::1"],
            &["::ffff:192.168.0.1"],
            &["93.184.216.34", "10.1.2.3"],
        ] {
            house.names.lead("api.example.com", &[answer]);
            let asked = asking("https://api.example.com/", &["api.example.com:443"], &case.form);
            let refused = house.failed(asked).await;
            let (sent, class) = (refused.sent, refused.failure.class);
            assert_eq!((sent, class), (Sent::NotSent, Class::CapabilityDenied), "{}", case.form);
            case.assert_untold(&format!("{refused:?}"));
        }
    }
}

/// One question for each connection, and its answer is what is dialled: between check and dial
/// there is nothing to rebind.
#[tokio::test]
async fn a_name_rebound_after_its_check_leads_nowhere_else() {
    for case in cases() {
        let upstream = plain(|_| {
            let mut answer = whole(200, "ok");
            answer.headers_mut().insert("connection", "close".parse().unwrap());
            answer
        })
        .await;
        let host = upstream.named();
        let house = case.house(&[&host]);
        house.names.lead("localhost", &[&["127.0.0.1"], &["169.254.169.254"], &["127.0.0.1"]]);
        let ask = || asking(&format!("http://{host}/"), &[&host], &case.form);
        read(house.answered(ask()).await).await.unwrap();
        assert_eq!(house.names.asked(), 1, "{}", case.form);
        let refused = house.failed(ask()).await;
        assert_eq!((refused.sent, house.names.asked()), (Sent::NotSent, 2), "{}", case.form);
        assert_eq!(refused.failure.class, Class::CapabilityDenied, "{}", case.form);
        read(house.answered(ask()).await).await.unwrap();
        assert_eq!(upstream.connections(), 2, "{}", case.form);
    }
}

#[tokio::test]
async fn headers_that_smuggle_stop_every_form() {
    for case in cases() {
        let upstream = plain(|_| whole(200, "")).await;
        let host = upstream.named();
        let house = case.house(&[&host]);
        for headers in [
            &[("x", "a\r\nhost: evil.example")][..],
            &[("x", "a\nb")],
            &[("x\r\nauthorization", "mine")],
            &[("x-a", "1"), ("X-A", "2")],
            &[("content-type", "text/plain"), ("Content-Type", "text/html")],
            &[("Transfer-Encoding", "chunked")],
            &[("TE", "trailers")],
            &[("Trailer", "authorization")],
            &[("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABkAAQAAP__")],
            &[("Expect", "100-continue")],
            &[("Proxy-Authorization", "Basic eDp5")],
        ] {
            let asked = asking(&format!("http://{host}/"), &[&host], &case.form);
            let refused = house.failed(with_headers(asked, headers)).await;
            let (sent, class) = (refused.sent, refused.failure.class);
            let expected = (Sent::NotSent, Class::ConnectorRuntimeError);
            assert_eq!((sent, class), expected, "{} {headers:?}", case.form);
        }
        // Hop by hop, and ours to write: dropped, whatever they name.
        let connection =
            [("Connection", "authorization, x-session, close"), ("Keep-Alive", "timeout=1")];
        let asked = asking(&format!("http://{host}/"), &[&host], &case.form);
        read(house.answered(with_headers(asked, &connection)).await).await.unwrap();
        let seen = upstream.seen();
        assert_eq!(seen.len(), 1, "{}", case.form);
        assert!(shown(&seen[0]), "{}", case.form);
        for name in ["connection", "keep-alive", "transfer-encoding", "te"] {
            assert_eq!(seen[0].header(name), None, "{} {name}", case.form);
        }
    }
}

#[tokio::test]
async fn neither_plain_http_nor_a_host_outside_the_consent_gets_one() {
    for case in cases() {
        let upstream = plain(|_| whole(200, "")).await;
        let host = upstream.named();
        let outside = case.house(&["api.example.com:443"]);
        let refused =
            outside.failed(asking(&format!("http://{host}/"), &[&host], &case.form)).await;
        assert_eq!(refused.failure.class, Class::CapabilityDenied, "{}", case.form);
        assert_eq!(outside.names.asked(), 0, "{}", case.form);

        let open = case.house(&["example.com:80", "example.com:443"]);
        open.names.lead("example.com", &[&["93.184.216.34"]]);
        let asked = asking("http://example.com/", &["example.com:80"], &case.form);
        let refused = open.failed(asked).await;
        let (sent, class) = (refused.sent, refused.failure.class);
        assert_eq!((sent, class), (Sent::NotSent, Class::CapabilityDenied), "{}", case.form);
        assert_eq!(open.names.asked() + upstream.connections(), 0, "{}", case.form);
    }
}

#[tokio::test]
async fn a_redirect_to_another_host_leaves_every_form_behind() {
    for case in cases() {
        let elsewhere = plain(|_| whole(200, "elsewhere")).await;
        let (there, other) = (format!("http://{}/x", elsewhere.named()), elsewhere.named());
        let upstream = plain(move |_| redirect(302, &there)).await;
        let host = upstream.named();
        let house = case.house(&[&host, &other]);
        let asked = asking(&format!("http://{host}/"), &[&host, &other], &case.form);
        read(house.answered(asked).await).await.unwrap();
        assert!(shown(&upstream.seen()[0]), "{}", case.form);
        assert!(!shown(&elsewhere.seen()[0]), "{} {:?}", case.form, elsewhere.seen());
    }
}

/// The upstream hands the secret back in an error, in a redirect's address and in its host.
#[tokio::test]
async fn an_error_tells_no_more_than_an_answer() {
    for case in cases() {
        let spellings = case.spellings();
        let folded = hex::encode(case.secret);
        let upstream = plain(move |seen| {
            let text = spellings[..6].join(" | ");
            match seen.path.split('?').next() {
                Some("/error") => whole(500, text),
                Some("/refused") => whole(403, text),
                Some("/host") => {
                    let (first, rest) = folded.split_at(folded.len().min(60));
                    redirect(302, &format!("https://{folded}.{first}.{rest}.example/"))
                }
                Some("/path") => {
                    redirect(302, &format!("https://api.example.com/{}", text.replace(' ', "")))
                }
                _ => redirect(302, &format!("https://[{}", text.replace(' ', ""))),
            }
        })
        .await;
        let host = upstream.named();
        let house = case.house(&[&host]);
        let ask = |path: &str, method: &str| {
            let mut asked = asking(&format!("http://{host}{path}"), &[&host], &case.form);
            method.clone_into(&mut asked.method);
            asked
        };
        for path in ["/error", "/refused"] {
            let answer = house.answered(ask(path, "GET")).await;
            assert!(answer.status >= 400);
            case.assert_untold(&String::from_utf8(read(answer).await.unwrap()).unwrap());
        }
        for (path, method) in
            [("/host", "GET"), ("/host", "POST"), ("/path", "GET"), ("/malformed", "GET")]
        {
            let refused = house.failed(ask(path, method)).await;
            assert_eq!(refused.sent, Sent::MaybeSent, "{} {path}", case.form);
            case.assert_untold(&format!("{refused:?}"));
        }
        let log = format!("{:?}", house.log.events.lock().unwrap());
        case.assert_untold(&log);
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_tells_nothing_either() {
    for case in cases() {
        let text = case.spellings()[..6].join(" | ");
        let upstream = raw(move |_, mut stream| {
            let text = text.clone();
            async move {
                drop(stream.read(&mut [0; 4096]).await);
                let head = "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n";
                drop(stream.write_all(format!("{head}{text}").as_bytes()).await);
            }
        })
        .await;
        let host = upstream.named();
        let house = case.house(&[&host]);
        let asked = asking(&format!("http://{host}/"), &[&host], &case.form);
        let broken = read(house.answered(asked).await).await.unwrap_err();
        assert_eq!(broken.reason(), Reason::FetchFailed, "{}", case.form);
        case.assert_untold(&format!("{broken:?}"));
    }
}

#[test]
fn proxy_variables_lead_none_elsewhere() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "egress::every_form::each_arrives_in_its_own_place_and_only_once"]);
    for name in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "SOCKS_PROXY"] {
        child.env(name, &address).env(name.to_lowercase(), &address);
    }
    let output = child.env_remove("NO_PROXY").env_remove("no_proxy").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    let knock = proxy.accept();
    assert!(knock.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock));
}
