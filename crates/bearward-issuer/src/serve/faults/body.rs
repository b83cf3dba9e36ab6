//! Bodies that are too long, too slow or too short, made piece by piece as the connection takes them: a body of any
//! length costs the memory of a few pieces.

use std::{
    fmt,
    io::Write as _,
    iter::{self, Peekable},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::{Body, Bytes};
use flate2::{Compression, Crc, write::DeflateEncoder};
use hyper::body::Frame;
use tokio::time::{Interval, MissedTickBehavior, interval};

type Pieces = Box<dyn Iterator<Item = Bytes> + Send>;

static PADDING: [u8; 64 * 1024] = [b'x'; 64 * 1024];

static MEBIBYTE: [u8; 1024 * 1024] = [b' '; 1024 * 1024];

/// What a body holds.
pub(super) enum Content {
    Whole(Bytes),
    Pieces(Pieces),
}

/// How a body travels.
#[derive(Clone, Copy)]
pub(super) struct Delivery {
    /// The pause between one byte and the next.
    pub(super) drip: Option<Duration>,
    /// Everything but the last piece, then the connection closes.
    pub(super) break_off: bool,
}

impl Content {
    pub(super) fn whole(text: String) -> Self {
        Self::Whole(text.into())
    }

    /// A JSON object with one more member that makes it `length` bytes long; or as short as that member allows.
    pub(super) fn padded(object: &str, length: u64) -> Self {
        const TAIL: &str = r#""}"#;
        let head = format!(r#"{},"padding":""#, object.strip_suffix('}').unwrap_or(object));
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let room = length.saturating_sub(head.len()).saturating_sub(TAIL.len());
        let padding = Bytes::from_static(&PADDING);
        let rest = padding.slice(..room % PADDING.len());
        Self::Pieces(Box::new(
            iter::once(Bytes::from(head))
                .chain(iter::repeat_n(padding, room / PADDING.len()))
                .chain([rest, Bytes::from_static(TAIL.as_bytes())]),
        ))
    }

    /// One gzip member (RFC 1952) that holds this many MiB of spaces.
    pub(super) fn gzip_of_spaces(mebibytes: u16) -> Self {
        // Deflate, no name, no time, operating system unknown.
        const HEAD: &[u8] = &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
        let mebibyte = Bytes::from(deflated_mebibyte());
        Self::Pieces(Box::new(
            iter::once(Bytes::from_static(HEAD))
                .chain(iter::repeat_n(mebibyte, usize::from(mebibytes)))
                .chain(iter::once_with(move || Bytes::from(gzip_tail(mebibytes)))),
        ))
    }

    pub(super) fn into_body(self, delivery: Delivery) -> Body {
        let Delivery { drip, break_off } = delivery;
        let pieces = match self {
            Self::Whole(content) if drip.is_none() && !break_off => return Body::from(content),
            Self::Whole(content) => halves(content),
            Self::Pieces(pieces) => pieces,
        };
        let pieces = if drip.is_some() { Box::new(pieces.flat_map(bytes_of)) } else { pieces };
        Body::new(PieceByPiece {
            pieces: pieces.peekable(),
            pace: drip.map(pace),
            break_off: if break_off { BreakOff::AtTheLastPiece } else { BreakOff::Never },
        })
    }
}

/// A body that gives a piece whenever it is asked, or at its own pace.
struct PieceByPiece {
    pieces: Peekable<Pieces>,
    pace: Option<Interval>,
    break_off: BreakOff,
}

#[derive(PartialEq, Eq)]
enum BreakOff {
    Never,
    AtTheLastPiece,
    Now,
}

impl hyper::body::Body for PieceByPiece {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let this = self.get_mut();
        if this.break_off == BreakOff::Now {
            return Poll::Ready(Some(Err(BrokenOff)));
        }
        if let Some(pace) = &mut this.pace {
            ready!(pace.poll_tick(context));
        }
        let Some(piece) = this.pieces.next() else { return Poll::Ready(None) };
        if this.break_off == BreakOff::AtTheLastPiece && this.pieces.peek().is_none() {
            // hyper drops what it has not sent when a body fails, and sends when a body has nothing for it.
            this.break_off = BreakOff::Now;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}

/// The error that makes hyper close the connection.
#[derive(Debug)]
struct BrokenOff;

impl fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body breaks off, as its fault says")
    }
}

impl std::error::Error for BrokenOff {}

fn halves(mut content: Bytes) -> Pieces {
    let first = content.split_to(content.len() / 2);
    Box::new([first, content].into_iter())
}

fn bytes_of(piece: Bytes) -> impl Iterator<Item = Bytes> {
    (0..piece.len()).map(move |place| piece.slice(place..=place))
}

fn pace(pause: Duration) -> Interval {
    let mut pace = interval(pause);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pace
}

/// A MiB of spaces as deflate blocks that end on a byte and look back at nothing but themselves, so that they can
/// follow each other any number of times.
fn deflated_mebibyte() -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    // Writing to a vector does not fail.
    let _written = encoder.write_all(&MEBIBYTE).and_then(|()| encoder.flush());
    encoder.get_ref().clone()
}

/// An empty last block, the CRC-32 of it all, and its length modulo 2^32.
fn gzip_tail(mebibytes: u16) -> Vec<u8> {
    let mut mebibyte = Crc::new();
    mebibyte.update(&MEBIBYTE);
    let mut all = Crc::new();
    (0..mebibytes).for_each(|_| all.combine(&mebibyte));
    let length = u32::from(mebibytes).wrapping_mul(1024 * 1024);
    [&[3, 0][..], &all.sum().to_le_bytes(), &length.to_le_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use axum::body::to_bytes;
    use flate2::read::GzDecoder;
    use serde_json::{Value, json};

    use super::*;

    const AS_IT_IS: Delivery = Delivery { drip: None, break_off: false };

    async fn bytes(content: Content, delivery: Delivery) -> Option<Bytes> {
        to_bytes(content.into_body(delivery), usize::MAX).await.ok()
    }

    #[tokio::test]
    async fn padding_makes_the_length_and_keeps_the_members() {
        let object = json!({ "issuer": "x", "jwks_uri": "y" });
        for length in [100, 65_536, 1_000_003] {
            let padded = bytes(Content::padded(&object.to_string(), length), AS_IT_IS).await.unwrap();
            assert_eq!(u64::try_from(padded.len()).unwrap(), length);
            let mut members: Value = serde_json::from_slice(&padded).unwrap();
            members.as_object_mut().unwrap().remove("padding").unwrap();
            assert_eq!(members, object);
        }
        let shortest = bytes(Content::padded(&object.to_string(), 0), AS_IT_IS).await.unwrap();
        assert_eq!(shortest, r#"{"issuer":"x","jwks_uri":"y","padding":""}"#);
    }

    #[tokio::test]
    async fn the_gzip_bomb_is_one_whole_member_and_a_thousandth_on_the_wire() {
        for mebibytes in [0, 1, 5] {
            let bomb = bytes(Content::gzip_of_spaces(mebibytes), AS_IT_IS).await.unwrap();
            assert!(bomb.len() <= 20 + usize::from(mebibytes) * 1_100, "{}", bomb.len());
            let mut text = String::new();
            GzDecoder::new(&bomb[..]).read_to_string(&mut text).unwrap();
            assert_eq!(text.len(), usize::from(mebibytes) << 20);
            assert!(text.bytes().all(|byte| byte == b' '));
        }
    }

    #[tokio::test]
    async fn a_dripping_body_is_the_same_body() {
        let drip = Delivery { drip: Some(Duration::from_millis(1)), break_off: false };
        assert_eq!(bytes(Content::whole("dripping".to_owned()), drip).await.unwrap(), "dripping");
    }

    #[tokio::test]
    async fn what_breaks_off_is_an_error_after_the_first_half() {
        let break_off = || Delivery { drip: None, break_off: true };
        assert_eq!(bytes(Content::whole("half".to_owned()), break_off()).await, None);
        assert_eq!(bytes(Content::gzip_of_spaces(1), break_off()).await, None);
        assert_eq!(halves("half".into()).collect::<Vec<_>>(), ["ha", "lf"]);
    }
}
