//! A chat endpoint on loopback that answers from a script, and tells what it saw.

use std::io::{BufRead, BufReader, Read, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value as Json, json};

/// How the endpoint answers one request.
pub enum Answer {
    Whole(String),
    /// With a part of the answer. Nothing more comes, and the connection stays.
    Stalled(String),
    /// With a part of the answer. Then the connection breaks.
    Torn(String),
}

/// What the endpoint saw.
#[derive(Debug, PartialEq)]
pub enum Seen {
    Request,
    /// A request whose answer stalls.
    Stalled,
    /// The caller left before the answer was whole.
    Left,
}

pub struct Endpoint {
    pub origin: String,
    seen: Receiver<Seen>,
}

impl Endpoint {
    /// `script` has the answer to the text of a request's last message.
    pub fn new(script: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        let (tell, seen) = channel();
        let script = Arc::new(script);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (script, tell) = (Arc::clone(&script), tell.clone());
                // That a caller has left is what the tests are about.
                thread::spawn(move || _ = serve(connection, &*script, &tell));
            }
        });
        Self { origin, seen }
    }

    /// The next that it sees.
    pub fn sees(&self) -> Seen {
        self.seen.recv_timeout(Duration::from_secs(60)).expect("the endpoint sees something within a minute")
    }

    /// All that it has seen.
    pub fn saw(&self) -> Vec<Seen> {
        self.seen.try_iter().collect()
    }

    /// Whether a caller came as far as an answer that stalls. Waits until it has left.
    pub fn stalled_and_was_left(&self) -> bool {
        let saw = self.saw();
        let stalled = saw.contains(&Seen::Stalled);
        if stalled && !saw.contains(&Seen::Left) {
            assert_eq!(self.sees(), Seen::Left);
        }
        stalled
    }
}

fn serve(mut connection: TcpStream, script: impl Fn(&str) -> Answer, tell: &Sender<Seen>) -> Result<()> {
    let request = read(&connection)?;
    let last = request["messages"].as_array().and_then(|messages| messages.last());
    let answer = script(last.and_then(|message| message["content"].as_str()).unwrap_or_default());
    let (Answer::Whole(text) | Answer::Stalled(text) | Answer::Torn(text)) = &answer;
    let (whole, stalls) = (matches!(answer, Answer::Whole(_)), matches!(answer, Answer::Stalled(_)));
    _ = tell.send(if stalls { Seen::Stalled } else { Seen::Request });
    let (kind, body) = match request["stream"] == true {
        true => ("text/event-stream", events(text, whole)),
        false => ("application/json", completion(text)),
    };
    let length = body.len() + usize::from(!whole);
    let head = format!("content-type: {kind}\r\ncontent-length: {length}\r\nconnection: close");
    let sent = write!(connection, "HTTP/1.1 200 OK\r\n{head}\r\n\r\n{body}");
    if stalls {
        // However it leaves, and whenever.
        _ = connection.read(&mut [0]);
        _ = tell.send(Seen::Left);
    }
    sent
}

fn read(connection: &TcpStream) -> Result<Json> {
    let mut reader = BufReader::new(connection);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or_default();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(serde_json::from_slice(&body)?)
}

fn completion(text: &str) -> String {
    let message = json!({"role": "assistant", "content": text});
    json!({"id": "1", "object": "chat.completion", "created": 1, "model": "m",
           "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
    .to_string()
}

fn events(text: &str, whole: bool) -> String {
    let (first, second) = text.split_at(text.len() / 2);
    let mut events: String = [first, second].map(|piece| event(json!({"content": piece}), Json::Null)).concat();
    if whole {
        events += &event(json!({}), "stop".into());
        events += "data: [DONE]\n\n";
    }
    events
}

fn event(delta: Json, reason: Json) -> String {
    let choice = json!({"index": 0, "delta": delta, "finish_reason": reason});
    format!(
        "data: {}\n\n",
        json!({"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]})
    )
}
