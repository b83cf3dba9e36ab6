use std::{fs, net::TcpListener};

use bearward_issuer::{CaFile, StartError};

use crate::support::{client_trusting, start, start_with, try_start};

#[tokio::test]
async fn the_certificate_holds_for_all_loopback_names() {
    let fixture = start().await;
    let port = fixture.tenant.domain().rsplit(':').next().unwrap();
    for host in ["127.0.0.1", "localhost"] {
        let address = ([127, 0, 0, 1], port.parse().unwrap()).into();
        let client = client_trusting(&fixture.tenant).resolve(host, address);
        let request = client.build().unwrap().get(format!("https://{host}:{port}/"));
        assert_eq!(request.send().await.unwrap().status(), 200, "{host}");
    }
}

#[tokio::test]
async fn another_tenants_authority_is_not_trusted() {
    let (one, two) = (start().await, start().await);
    assert!(one.client.get(two.url("/")).send().await.is_err());
}

#[tokio::test]
async fn the_written_certificate_is_the_one_and_goes_at_the_end() {
    let fixture = start().await;
    let path = fixture.tenant.ca_path().unwrap().to_owned();
    assert!(path.is_absolute());
    assert_eq!(fs::read_to_string(&path).unwrap(), fixture.tenant.ca_pem());
    fixture.tenant.stop().await;
    assert!(!path.exists());
    assert_eq!(fs::read_dir(fixture.folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn no_key_is_ever_written() {
    let fixture = start().await;
    let folder = fixture.tenant.ca_path().unwrap().parent().unwrap();
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files, [fixture.tenant.ca_path().unwrap()]);
    assert!(!fixture.tenant.ca_pem().contains("PRIVATE KEY"));
}

#[tokio::test]
async fn stop_ends_it_even_with_connections_open() {
    let fixture = start().await;
    let url = fixture.url("/");
    assert_eq!(fixture.client.get(&url).send().await.unwrap().status(), 200);
    let _silent = std::net::TcpStream::connect(fixture.tenant.domain()).unwrap();
    fixture.tenant.stop().await;
    // Whoever may have been given the port by now, it has no certificate that this client trusts.
    assert!(fixture.client.get(&url).send().await.is_err());
}

#[tokio::test]
async fn no_admin_side_unless_asked_for() {
    assert!(start_with(|config| config.admin = false).await.tenant.admin().is_none());
}

#[tokio::test]
async fn a_taken_port_and_a_bad_path_are_errors_that_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = try_start(|config| config.port = port).await.err().unwrap();
    assert!(matches!(error, StartError::Listen { port: told, .. } if told == port), "{error}");

    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let path = file.join("ca.pem");
    let ca_file = CaFile::At(path.clone());
    let error = try_start(|config| config.ca_file = ca_file).await.err().unwrap();
    assert!(matches!(error, StartError::CaFile { path: told, .. } if told == path));
}

#[tokio::test]
async fn debug_shows_no_secret() {
    let fixture = start().await;
    let shown = format!("{:?}", fixture.tenant);
    assert!(!shown.contains(fixture.tenant.client_secret().expose()));
    assert!(!shown.contains(fixture.tenant.admin().unwrap().secret().expose()));
}
