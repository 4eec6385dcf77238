//! A form with a file, as RFC 7578 has it.

/// The content type and body of a form with these fields and one file.
pub(super) fn write(fields: &[(&str, &str)], file_name: &str, file: &[u8]) -> (String, Vec<u8>) {
    let boundary = boundary(fields, file);
    let mut body = Vec::with_capacity(file.len() + 512);
    for (name, value) in fields {
        let part = format!("--{boundary}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    let head = format!(
        "--{boundary}\r\ncontent-disposition: form-data; name=\"{file_name}\"; filename=\"{file_name}\"\r\n\
         content-type: application/octet-stream\r\n\r\n"
    );
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(file);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={boundary}"), body)
}

/// A line that stands nowhere in the form.
fn boundary(fields: &[(&str, &str)], file: &[u8]) -> String {
    let taken = |line: &str| {
        let within = |bytes: &[u8]| bytes.windows(line.len()).any(|window| window == line.as_bytes());
        within(file) || fields.iter().any(|(_, value)| within(value.as_bytes()))
    };
    let mut number = 0u64;
    loop {
        let line = format!("lakelet-form-{number}");
        if !taken(&line) {
            return line;
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_content_ends_its_part() {
        let file = b"\r\n--lakelet-form-0--\r\n";
        let (content_type, body) = write(&[("path", "/x")], "content", file);
        assert_eq!(content_type, "multipart/form-data; boundary=lakelet-form-1");
        let text = String::from_utf8(body).unwrap();
        assert!(
            text.starts_with("--lakelet-form-1\r\ncontent-disposition: form-data; name=\"path\"\r\n\r\n/x\r\n"),
            "{text}"
        );
        assert!(text.ends_with("\r\n\r\n\r\n--lakelet-form-0--\r\n\r\n--lakelet-form-1--\r\n"), "{text}");
    }
}
