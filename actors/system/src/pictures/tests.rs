use super::convert::convert;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageEncoder, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use plinto_domain::user::avatar::{LONGEST_SIDE, SIDE, Unfit};
use proptest::prelude::*;
use std::io::Cursor;

const ALL: [ImageFormat; 3] = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP];

/// Red above, blue below.
fn flag(width: u32, height: u32) -> DynamicImage {
    let colour = |y| if y < height / 2 { Rgb([230, 10, 10]) } else { Rgb([10, 10, 230]) };
    RgbImage::from_fn(width, height, |_, y| colour(y)).into()
}

fn file(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    image.write_to(&mut out, format).expect("encodes");
    out.into_inner()
}

/// What was made, decoded again.
fn made(file: &[u8]) -> RgbImage {
    let picture = convert(file).expect("a picture").into_bytes();
    assert_eq!(image::guess_format(&picture).expect("known"), ImageFormat::Jpeg);
    image::load_from_memory(&picture).expect("decodes").into_rgb8()
}

fn is_about(found: &Rgb<u8>, wanted: [u8; 3]) -> bool {
    found.0.iter().zip(wanted).all(|(found, wanted)| found.abs_diff(wanted) < 40)
}

#[test]
fn every_kind_becomes_an_upright_square_of_one_size() {
    for format in ALL {
        for (width, height) in [(300, 200), (64, 640), (1, 1), (256, 256), (2_000, 3)] {
            let made = made(&file(&flag(width, height), format));
            assert_eq!(made.dimensions(), (SIDE, SIDE), "{format:?} {width}x{height}");
        }
        let made = made(&file(&flag(300, 200), format));
        assert!(is_about(made.get_pixel(128, 20), [230, 10, 10]), "{format:?}");
        assert!(is_about(made.get_pixel(128, 235), [10, 10, 230]), "{format:?}");
    }
}

#[test]
fn what_is_transparent_becomes_white() {
    let clear: DynamicImage = RgbaImage::from_pixel(20, 20, Rgba([0, 0, 0, 0])).into();
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        assert!(is_about(made(&file(&clear, format)).get_pixel(9, 9), [255, 255, 255]), "{format:?}");
    }
}

/// EXIF that says the camera was turned upside down, and where that was.
fn exif() -> Vec<u8> {
    let orientation = [0x12, 0x01, 3, 0, 1, 0, 0, 0, 3, 0, 0, 0];
    [&b"II*\0\x08\0\0\0\x01\0"[..], &orientation, &[0; 4], b"47.3769 N 8.5417 E secret place"].concat()
}

#[test]
fn a_turned_camera_is_turned_back_and_what_it_wrote_is_gone() {
    let mut sent = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut sent, 95);
    encoder.set_exif_metadata(exif()).expect("JPEG has EXIF");
    flag(80, 80).write_with_encoder(encoder).expect("encodes");
    let holds = |bytes: &[u8], text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    assert!(holds(&sent, b"secret place"), "the test sends what must go");
    let picture = convert(&sent).expect("a picture").into_bytes();
    assert!(!holds(&picture, b"secret place") && !holds(&picture, b"Exif"));
    let made = image::load_from_memory(&picture).expect("decodes").into_rgb8();
    assert!(is_about(made.get_pixel(128, 20), [10, 10, 230]), "what was below is above");
}

#[test]
fn what_hides_behind_a_picture_is_gone() {
    for format in ALL {
        let hidden = b"<script>alert(1)</script>PK\x03\x04";
        let sent = [&file(&flag(50, 50), format)[..], hidden].concat();
        let picture = convert(&sent).expect("a picture").into_bytes();
        assert!(!picture.windows(8).any(|window| window == b"<script>"), "{format:?}");
    }
}

#[test]
fn a_file_that_is_cut_off_or_none_of_the_kinds_is_refused() {
    for format in ALL {
        let whole = file(&flag(60, 40), format);
        for end in [0, 1, 8, 12, 20] {
            assert_eq!(convert(&whole[..end]).expect_err("cut off"), Unfit::Unreadable, "{format:?} {end}");
        }
    }
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        let whole = file(&flag(60, 40), format);
        assert_eq!(convert(&whole[..whole.len() / 2]).expect_err("cut off"), Unfit::Unreadable, "{format:?}");
    }
    let gif = b"GIF89a\x01\0\x01\0\0\0\0;";
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'/>";
    for other in [&gif[..], svg, b"BM", b"", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b"\xff\xd8\xff"] {
        assert_eq!(convert(other).expect_err("no picture"), Unfit::Unreadable, "{other:?}");
    }
}

/// A PNG that says it has so many pixels and is empty.
fn hollow_png(width: u32, height: u32) -> Vec<u8> {
    let mut sent = file(&flag(1, 1), ImageFormat::Png);
    sent[16..20].copy_from_slice(&width.to_be_bytes());
    sent[20..24].copy_from_slice(&height.to_be_bytes());
    let checksum = crc(&sent[12..29]);
    sent[29..33].copy_from_slice(&checksum.to_be_bytes());
    sent
}

/// CRC-32 of a chunk (PNG, annex D).
fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

#[test]
fn bombs_are_refused_before_they_go_off() {
    for (width, height) in [(u32::MAX >> 1, u32::MAX >> 1), (LONGEST_SIDE + 1, 1), (1, 60_000)] {
        assert_eq!(
            convert(&hollow_png(width, height)).expect_err("bomb"),
            Unfit::TooLarge,
            "{width}x{height}"
        );
    }
    // Within the sides, and nothing behind it.
    assert_eq!(convert(&hollow_png(LONGEST_SIDE, LONGEST_SIDE)).expect_err("hollow"), Unfit::Unreadable);
    // Two bytes a colour: half as many pixels.
    let mut deep = hollow_png(LONGEST_SIDE, LONGEST_SIDE);
    (deep[24], deep[25]) = (16, 6);
    let checksum = crc(&deep[12..29]);
    deep[29..33].copy_from_slice(&checksum.to_be_bytes());
    assert_eq!(convert(&deep).expect_err("bomb"), Unfit::TooLarge);
    // A frame header with 65 500 pixels on either side.
    let mut jpeg = file(&flag(8, 8), ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|marker| marker == [0xff, 0xc0]).expect("a frame header");
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xff, 0xdc, 0xff, 0xdc]);
    assert_eq!(convert(&jpeg).expect_err("bomb"), Unfit::TooLarge);
}

/// A WebP of two frames, the first red, the second blue (WebP container specification).
fn moving_webp() -> Vec<u8> {
    fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len()).expect("short").to_le_bytes();
        [&name[..], &length, content, &vec![0; content.len() % 2]].concat()
    }
    let frame = |colour| {
        let still: DynamicImage = RgbImage::from_pixel(16, 16, Rgb(colour)).into();
        let still = file(&still, ImageFormat::WebP);
        // Place 0, 0; 16 by 16 pixels; 100 ms; and the picture as it stands in its file.
        let head = [0, 0, 0, 0, 0, 0, 15, 0, 0, 15, 0, 0, 100, 0, 0, 0];
        chunk(b"ANMF", &[&head[..], &still[12..]].concat())
    };
    let canvas = chunk(b"VP8X", &[2, 0, 0, 0, 15, 0, 0, 15, 0, 0]);
    let chunks =
        [&b"WEBP"[..], &canvas, &chunk(b"ANIM", &[0; 6]), &frame([230, 10, 10]), &frame([10, 10, 230])];
    chunk(b"RIFF", &chunks.concat())
}

#[test]
fn of_a_picture_that_moves_the_first_one_stays() {
    let made = made(&moving_webp());
    assert!(is_about(made.get_pixel(128, 128), [230, 10, 10]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever is changed in a good file, there is a picture or a refusal, and the picture is one of ours.
    #[test]
    fn spoilt_files_are_refused_or_made_into_whole_pictures(
        kind in 0_usize..3,
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..20),
        cut in any::<proptest::sample::Index>(),
        cuts in any::<bool>(),
    ) {
        let mut sent = file(&flag(24, 16), ALL[kind]);
        for (at, byte) in changes {
            let at = at.index(sent.len());
            sent[at] = byte;
        }
        if cuts {
            sent.truncate(cut.index(sent.len()));
        }
        // The pool takes a panic of a decoder for a refusal; so does this test.
        if let Ok(Ok(picture)) = std::panic::catch_unwind(|| convert(&sent)) {
            let made = image::load_from_memory(&picture.into_bytes()).expect("decodes");
            prop_assert_eq!((made.width(), made.height()), (SIDE, SIDE));
        }
    }
}
