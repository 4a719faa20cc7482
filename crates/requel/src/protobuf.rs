//! [`Message`], the few parts of the Protocol Buffers encoding that ONNX files and TensorBoard's events need.
//!
//! A message is a list of fields; each starts with `field number · 8 + wire type`, as a number in base 128 with the low digits first
//! (<https://protobuf.dev/programming-guides/encoding/>).

/// A message under construction.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message {
    bytes: Vec<u8>,
}

const VARINT: u64 = 0;
const EIGHT_BYTES: u64 = 1;
const LENGTH_DELIMITED: u64 = 2;
const FOUR_BYTES: u64 = 5;

impl Message {
    /// A message without fields.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a whole number; negative ones take ten bytes, as `int64` does.
    pub(crate) fn int(mut self, field: u64, value: i64) -> Self {
        self.varint(field << 3 | VARINT);
        self.varint(value as u64);
        self
    }

    /// Adds a single-precision number.
    pub(crate) fn float(mut self, field: u64, value: f32) -> Self {
        self.varint(field << 3 | FOUR_BYTES);
        self.bytes.extend(value.to_le_bytes());
        self
    }

    /// Adds a double-precision number.
    pub(crate) fn double(mut self, field: u64, value: f64) -> Self {
        self.varint(field << 3 | EIGHT_BYTES);
        self.bytes.extend(value.to_le_bytes());
        self
    }

    /// Adds bytes.
    pub(crate) fn data(mut self, field: u64, value: &[u8]) -> Self {
        self.varint(field << 3 | LENGTH_DELIMITED);
        self.varint(value.len() as u64);
        self.bytes.extend(value);
        self
    }

    /// Adds a text.
    pub(crate) fn text(self, field: u64, value: &str) -> Self {
        self.data(field, value.as_bytes())
    }

    /// Adds a message.
    pub(crate) fn message(self, field: u64, value: &Message) -> Self {
        self.data(field, &value.bytes)
    }

    /// Adds several messages under one number.
    pub(crate) fn messages(self, field: u64, values: &[Message]) -> Self {
        values.iter().fold(self, |message, value| message.message(field, value))
    }

    /// The bytes.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the format's own documentation.
    #[test]
    fn the_examples_of_the_documentation() {
        assert_eq!(Message::new().int(1, 150).into_bytes(), [0x08, 0x96, 0x01]);
        assert_eq!(Message::new().text(2, "testing").into_bytes(), *b"\x12\x07testing");
        let inner = Message::new().int(1, 150);
        assert_eq!(Message::new().message(3, &inner).into_bytes(), [0x1a, 0x03, 0x08, 0x96, 0x01]);
        assert_eq!(Message::new().int(1, -2).into_bytes(), [8, 0xfe, 255, 255, 255, 255, 255, 255, 255, 255, 1]);
        assert_eq!(Message::new().double(1, 1.0).into_bytes(), [0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
        assert_eq!(Message::new().float(2, 1.0).into_bytes(), [0x15, 0, 0, 0x80, 0x3f]);
    }
}
