//! Files of volumes and of the workspace beside what Databricks' SDK was recorded to send.

use std::collections::BTreeMap;

use lakelet::ErrorKind;
use lakelet::databricks::files::FileInfo;
use lakelet::databricks::operations::{self, Arguments, Outcome};
use lakelet::databricks::workspace_files::Import;
use serde_json::{Value as Json, json};

use crate::recorded::{answer, assert_sent, exchanges};
use crate::{ADDRESS, Answer, TestHost, workspace};

const RAW: &str = "/Volumes/main/rag/raw";

fn header<'a>(request: &'a lakelet::http::Request, name: &str) -> Option<&'a str> {
    request.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
}

#[test]
fn an_upload_is_that_of_the_sdk() {
    let exchanges = exchanges("files-upload-small");
    let host = TestHost::new(exchanges.iter().map(answer));
    let files = workspace(&host).files();
    let upload =
        async move { files.upload("/Volumes/main/rag/raw/a b/ü.txt", b"hello volume".to_vec(), true, None).await };
    host.run(upload).unwrap();
    let sent = &host.requests()[0];
    assert_eq!(sent.url, format!("{ADDRESS}/api/2.0/fs/files/Volumes/main/rag/raw/a%20b/%C3%BC.txt?overwrite=true"));
    assert_eq!((sent.method, sent.body.as_slice()), ("PUT", b"hello volume".as_slice()));
    assert_eq!(header(sent, "content-type"), Some("application/octet-stream"));
}

/// The SDK asks for a URL of the storage first; we read over the API at once, as it does when it gets none.
#[test]
fn a_download_is_the_one_to_which_the_sdk_falls_back() {
    let exchange = exchanges("files-download-fallback").remove(1);
    let host = TestHost::new([answer(&exchange)]);
    let files = workspace(&host).files();
    let found = host.run(async move { files.download(&format!("{RAW}/a.txt")).await }).unwrap();
    assert_eq!(found, b"hello volume");
    assert_sent(&host, std::slice::from_ref(&exchange));
    assert_eq!(header(&host.requests()[0], "accept"), Some("application/octet-stream"));
}

#[test]
fn folders_and_what_is_known_of_files_are_asked_for_as_the_sdk_does() {
    let exchanges = exchanges("files-directories-metadata");
    let answers = exchanges.iter().map(|exchange| match exchange["request"]["method"].as_str() {
        Some("HEAD") => answer(exchange).header("content-length", "12"), // the recorder had none to tell
        _ => answer(exchange),
    });
    let host = TestHost::new(answers);
    let files = workspace(&host).files();
    let found = host.run(async move {
        files.create_directory(&format!("{RAW}/sub")).await?;
        let entries = files.list(RAW, Some(100), None).await?;
        assert!(files.directory_exists(RAW).await?);
        let info = files.metadata(&format!("{RAW}/a.txt")).await?;
        files.delete(&format!("{RAW}/a.txt")).await?;
        files.delete_directory(&format!("{RAW}/sub")).await?;
        Ok::<_, lakelet::Error>((entries, info))
    });
    let (entries, info) = found.unwrap();
    assert_sent(&host, &exchanges);
    assert_eq!(entries[0]["file_size"], 12);
    let last_modified = "Sun, 22 Nov 2026 00:00:00 GMT".to_owned();
    assert_eq!(info, FileInfo { size: 12, content_type: "application/octet-stream".to_owned(), last_modified });
}

#[test]
fn a_big_file_is_read_piece_by_piece() {
    const PIECE: usize = 8 << 20;
    let size = PIECE + 3;
    let head = Answer::new(200, "")
        .header("content-length", &size.to_string())
        .header("last-modified", "Sun, 22 Nov 2026 00:00:00 GMT");
    let host = TestHost::new([head, Answer::new(206, vec![1; PIECE]), Answer::new(206, vec![2; 3])]);
    let files = workspace(&host).files();
    let sizes = host.run(async move {
        let mut download = files.open(&format!("{RAW}/big")).await.unwrap();
        let mut sizes = Vec::new();
        while let Some(piece) = download.next().await.unwrap() {
            sizes.push(piece.len());
        }
        sizes
    });
    assert_eq!(sizes, [PIECE, 3]);
    let ranges: Vec<_> = host.requests().iter().map(|request| header(request, "range").map(str::to_owned)).collect();
    assert_eq!(ranges, [None, Some("bytes=0-8388607".to_owned()), Some("bytes=8388608-8388610".to_owned())]);
    assert_eq!(header(&host.requests()[2], "if-unmodified-since"), Some("Sun, 22 Nov 2026 00:00:00 GMT"));
}

#[test]
fn a_file_that_changes_while_it_is_read_is_no_mixture() {
    let head =
        || Answer::new(200, "").header("content-length", "3").header("last-modified", "Sun, 22 Nov 2026 00:00:00 GMT");
    for (piece, kind, said) in [
        (Answer::new(412, ""), ErrorKind::Conflict, "was changed while it was read"),
        (Answer::new(200, "more than asked for"), ErrorKind::Protocol, "asked for 3 bytes, got 19"),
    ] {
        let host = TestHost::new([head(), piece]);
        let files = workspace(&host).files();
        let error = host.run(async move { files.open(&format!("{RAW}/a")).await.unwrap().next().await }).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.message().contains(said), "{error}");
    }
}

#[test]
fn refusals_of_files_say_what_to_do() {
    let body = |code: &str, message: &str| json!({"error_code": code, "message": message}).to_string();
    for (status, code, message, kind, hint) in [
        (409, "ALREADY_EXISTS", "it exists", ErrorKind::Conflict, "overwrite"),
        (404, "NOT_FOUND", "no such volume", ErrorKind::NotFound, "the volume exists"),
        (403, "PERMISSION_DENIED", "no", ErrorKind::Permission, "WRITE VOLUME"),
        (400, "INVALID_PARAMETER_VALUE", "The directory is not empty.", ErrorKind::BadRequest, "Delete what is in it"),
    ] {
        let host = TestHost::new([Answer::new(status, body(code, message))]);
        let files = workspace(&host).files();
        let error = host.run(async move { files.upload(&format!("{RAW}/a"), vec![1], false, None).await }).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.message().contains(&format!("file `{RAW}/a`: {message}")), "{error}");
        assert!(error.hint().unwrap().contains(hint), "{error}");
    }
}

#[test]
fn no_path_leaves_its_place() {
    for path in ["Volumes/a", "/Volumes/../x", "/Volumes//x", "/Volumes/./x", ""] {
        let host = TestHost::new([]);
        let files = workspace(&host).files();
        let error = host.run(async move { files.download(path).await }).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Input, Some("path")), "{path}");
        assert!(host.requests().is_empty());
    }
}

/// The SDK imports notebooks as base64 in JSON, and files in a form; we use the form for both.
#[test]
fn workspace_files_are_those_of_the_sdk() {
    let mut exchanges = exchanges("workspace-import-export");
    exchanges.remove(3); // the export in base64: ours is the other one
    let notebook = exchanges[1]["request"]["body"]["value"].clone();
    let host = TestHost::new(exchanges.iter().map(answer));
    let files = workspace(&host).workspace_files();
    let folder = "/Users/dev@example.com/proj";
    let found = host.run(async move {
        files.create_directory(folder).await?;
        let source = b"# Databricks notebook source\nprint(1)".to_vec();
        files.import(&format!("{folder}/n"), source, &Import::notebook("PYTHON").overwriting()).await?;
        files.import(&format!("{folder}/m.py"), b"print(2)".to_vec(), &Import::file().overwriting()).await?;
        let exported = files.export(&format!("{folder}/n"), None).await?;
        let status = files.status(&format!("{folder}/n")).await?;
        let listed = files.list(folder).await?;
        files.delete(folder, true).await?;
        Ok::<_, lakelet::Error>((exported, status, listed))
    });
    let (exported, status, listed) = found.unwrap();
    assert_eq!(exported, b"# Databricks notebook source\nprint(1)");
    assert_eq!(status["language"], "PYTHON");
    assert_eq!(listed.len(), 1);

    let forms: Vec<_> = host.requests().iter().map(form).collect();
    let parts = exchanges[2]["request"]["body"]["parts"].as_array().unwrap();
    let recorded = parts.iter().map(|part| (text(&part["name"]), text(&part["text"]))).collect::<BTreeMap<_, _>>();
    assert_eq!(forms[2].as_ref(), Some(&recorded));
    let mut notebook = notebook
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.clone(), text(value)))
        .collect::<BTreeMap<_, _>>();
    notebook.insert("content".to_owned(), "# Databricks notebook source\nprint(1)".to_owned());
    assert_eq!(forms[1].as_ref(), Some(&notebook));

    for (sent, exchange) in host.requests().iter().zip(&exchanges) {
        let wanted = &exchange["request"];
        assert_eq!(sent.method, text(&wanted["method"]));
        assert!(sent.url.starts_with(&format!("{ADDRESS}{}", text(&wanted["path"]))), "{}", sent.url);
        assert_eq!(sent.url.contains("direct_download=true"), wanted["query"].get("direct_download").is_some());
    }
}

fn text(json: &Json) -> String {
    json.as_str().map_or_else(|| json.to_string(), str::to_owned)
}

/// The fields of a form that was sent.
fn form(request: &lakelet::http::Request) -> Option<BTreeMap<String, String>> {
    let boundary = header(request, "content-type")?.strip_prefix("multipart/form-data; boundary=")?.to_owned();
    let body = String::from_utf8(request.body.clone()).unwrap();
    let line = format!("--{boundary}");
    let parts = body.strip_suffix("--\r\n").unwrap().split(&line).filter(|part| !part.is_empty()).map(|part| {
        let (head, content) = part.strip_prefix("\r\n").unwrap().split_once("\r\n\r\n").unwrap();
        let name = head.split_once("name=\"").unwrap().1.split_once('"').unwrap().0;
        (name.to_owned(), content.strip_suffix("\r\n").unwrap().to_owned())
    });
    Some(parts.collect())
}

#[test]
fn operations_of_files_give_json_and_bytes() {
    let host = TestHost::new([Answer::new(204, ""), Answer::new(200, "abc"), Answer::new(404, "")]);
    let call = |name: &'static str, arguments: Json, bytes: &[u8]| {
        let workspace = workspace(&host);
        let arguments = Arguments::read(&arguments.to_string(), bytes.to_vec()).unwrap();
        host.run(async move { operations::call(&workspace, name, arguments, None).await })
    };
    let path = format!("{RAW}/a");
    assert_eq!(
        call("files.upload", json!({"path": path, "overwrite": true}), b"abc").unwrap(),
        Outcome::Json(json!({}))
    );
    assert_eq!(host.requests()[0].body, b"abc");
    assert_eq!(call("files.download", json!({"path": path}), b"").unwrap(), Outcome::Bytes(b"abc".to_vec()));
    assert_eq!(call("files.directory_exists", json!({"path": path}), b"").unwrap(), Outcome::Json(json!(false)));
    assert_eq!(call("files.upload", json!({}), b"").unwrap_err().field(), Some("path"));
    assert_eq!(call("files.sing", json!({"path": path}), b"").unwrap_err().kind(), ErrorKind::Unsupported);
}
