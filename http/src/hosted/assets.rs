//! The pages' own files. The style sheet has the tenant's colour in it, so that no page needs a style of its own.

use super::page::Page;
use askama::Template;
use axum::http::{HeaderName, HeaderValue, header};
use plinto_actors::TenantLook;
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("../../templates/hosted/hosted.css");
const FORM_POST: &str = include_str!("../../templates/hosted/form-post.js");
/// Its address changes with it.
const FOR_A_DAY: HeaderValue = HeaderValue::from_static("public, max-age=86400");
const FOR_AN_HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");

type File = ([(HeaderName, HeaderValue); 2], String);

/// The style sheet of a tenant's pages.
#[utoipa::path(get, path = "/t/{tenant}/hosted/style.css", tag = "hosted pages",
    params(("tenant" = String, Path, description = "Slug of the tenant"), ("v" = Option<String>, Query, description = "Its version, for caches")),
    responses((status = 200, body = String, content_type = "text/css"), (status = 404, body = crate::problem::Problem)))]
pub(crate) async fn stylesheet(page: Page) -> File {
    let kind = HeaderValue::from_static("text/css; charset=utf-8");
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, FOR_A_DAY)], style_of(&page.look))
}

/// What sends the form of an answer without a click, where scripts run.
#[utoipa::path(get, path = "/t/{tenant}/hosted/form-post.js", tag = "hosted pages",
    params(("tenant" = String, Path, description = "Slug of the tenant")),
    responses((status = 200, body = String, content_type = "text/javascript"), (status = 404, body = crate::problem::Problem)))]
pub(crate) async fn form_post(_: Page) -> File {
    let kind = HeaderValue::from_static("text/javascript; charset=utf-8");
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, FOR_AN_HOUR)], FORM_POST.to_owned())
}

/// The picture of a tenant's pages in the browser's own places: its initial on its colour.
#[utoipa::path(get, path = "/t/{tenant}/hosted/icon.svg", tag = "hosted pages",
    params(("tenant" = String, Path, description = "Slug of the tenant")),
    responses((status = 200, body = String, content_type = "image/svg+xml"), (status = 404, body = crate::problem::Problem)))]
pub(crate) async fn icon(page: Page) -> Result<File, crate::problem::Problem> {
    let initial: String = page.look.name.chars().take(1).flat_map(char::to_uppercase).collect();
    let icon = Icon { color: &page.look.color, ink: readable_on(&page.look.color), initial: &initial };
    let image = icon.render().map_err(|_| crate::problem::internal())?;
    let kind = HeaderValue::from_static("image/svg+xml; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, FOR_AN_HOUR)], image))
}

#[derive(Template)]
#[template(path = "hosted/icon.svg", escape = "html")]
struct Icon<'a> {
    color: &'a str,
    ink: &'a str,
    initial: &'a str,
}

/// Names what a tenant's style sheet says.
pub(super) fn version(look: &TenantLook) -> String {
    hex::encode(&Sha256::digest(style_of(look))[..6])
}

fn style_of(look: &TenantLook) -> String {
    let (color, on_color) = (&look.color, readable_on(&look.color));
    format!(":root {{ --brand: {color}; --on-brand: {on_color}; }}\n{STYLE}")
}

/// Black or white, whichever is easier to read on a colour (WCAG 2.2, relative luminance).
fn readable_on(color: &str) -> &'static str {
    let channel = |at: usize| {
        let value = color.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).unwrap_or(0);
        let value = f64::from(value) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    let luminance = 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
    if (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) { "#000000" } else { "#ffffff" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_on_a_brand_is_the_more_readable_one() {
        for (color, expected) in
            [("#2b4a8b", "#ffffff"), ("#ffffff", "#000000"), ("#000000", "#ffffff"), ("#ffd400", "#000000")]
        {
            assert_eq!(readable_on(color), expected, "{color}");
        }
    }
}
