use image::codecs::jpeg::JpegEncoder;
use image::error::LimitErrorKind;
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage, Rgba};
use plinto_domain::user::avatar::{LONGEST_SIDE, Picture, SIDE, Unfit};
use std::io::Cursor;

/// Most bytes a decoded picture may take: 16 million pixels with four colours of eight bits, or half as many with more.
const MOST_BYTES: u64 = 4 * (LONGEST_SIDE as u64) * (LONGEST_SIDE as u64);
/// Quality of the files that are made.
const QUALITY: u8 = 85;

/// Decodes a file and encodes what is seen of it: upright, the square in its middle, transparent parts white. Of one that
/// moves, the first picture.
pub(super) fn convert(file: &[u8]) -> Result<Picture, Unfit> {
    let (image, orientation) = decode(file)?;
    // First cut, then scaled: a picture a thousand times as wide as high would be scaled to gigabytes.
    let side = image.width().min(image.height());
    let (left, top) = ((image.width() - side) / 2, (image.height() - side) / 2);
    let mut image = image.crop_imm(left, top, side, side).resize_exact(SIDE, SIDE, FilterType::CatmullRom);
    image.apply_orientation(orientation);
    let mut made = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut made, QUALITY);
    on_white(image).write_with_encoder(encoder).map_err(|_| Unfit::Unreadable)?;
    Ok(Picture::made(made))
}

fn decode(file: &[u8]) -> Result<(DynamicImage, image::metadata::Orientation), Unfit> {
    let mut reader =
        ImageReader::new(Cursor::new(file)).with_guessed_format().map_err(|_| Unfit::Unreadable)?;
    let known = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP];
    if !reader.format().is_some_and(|format| known.contains(&format)) {
        return Err(Unfit::Unreadable);
    }
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MOST_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| unfit(&error))?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(Unfit::Unreadable);
    }
    if width > LONGEST_SIDE || height > LONGEST_SIDE || decoder.total_bytes() > MOST_BYTES {
        return Err(Unfit::TooLarge);
    }
    // How the camera was held, where it says so legibly.
    let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
    let image = DynamicImage::from_decoder(decoder).map_err(|error| unfit(&error))?;
    Ok((image, orientation))
}

fn unfit(error: &ImageError) -> Unfit {
    match error {
        ImageError::Limits(limit) if limit.kind() == LimitErrorKind::DimensionError => Unfit::TooLarge,
        ImageError::Limits(limit) if limit.kind() == LimitErrorKind::InsufficientMemory => Unfit::TooLarge,
        _ => Unfit::Unreadable,
    }
}

fn on_white(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let image = image.into_rgba8();
    RgbImage::from_fn(image.width(), image.height(), |x, y| {
        let Rgba([red, green, blue, alpha]) = *image.get_pixel(x, y);
        let mix = |colour: u8| {
            let alpha = u16::from(alpha);
            let mixed = (u16::from(colour) * alpha + 255 * (255 - alpha)) / 255;
            u8::try_from(mixed).unwrap_or(u8::MAX)
        };
        image::Rgb([red, green, blue].map(mix))
    })
}
