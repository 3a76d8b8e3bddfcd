//! The lines of an import, as they come in.

use super::bodies::{UserImport, UserLine};
use crate::extract::{ManagedTenant, has_media_type, path_id, unsupported};
use crate::problem::{self, Problem, catalogue};
use crate::state::AppState;
use axum::Json;
use axum::body::{BodyDataStream, HttpBody};
use axum::extract::{Path, Request, State};
use bytes::Bytes;
use futures::StreamExt;
use plinto_actors::runtime::Refusal;
use plinto_actors::{ServiceError, UserImporter};
use plinto_domain::user::import::{Import, LONGEST_LINE};
use serde::Deserialize;
use std::time::Duration;

const MEDIA: &str = "application/x-ndjson";
/// Most lines of one request.
const MOST_LINES: u32 = 10_000;
/// Longest one request goes on.
const LONGEST: Duration = Duration::from_secs(300);

/// The import a path names, and the number of the first line of the body.
#[derive(Deserialize)]
pub(crate) struct LinesPath {
    import: String,
    first: String,
}

/// Send lines of an import: JSON Lines (`application/x-ndjson`), one user a line.
///
/// `first` is the number of the body's first line in the file, from 1. Lines that were imported before are passed over, so
/// a part may be sent again. A request has at most 10 000 lines and 16 MiB (`http.import_bytes`), a line 64 KiB. The answer
/// comes when all lines of the body are stored; how far it is meanwhile, the import tells. Lines that cannot be imported
/// do not stop the others.
#[utoipa::path(put, path = "/v1/users/imports/{import}/lines/{first}", tag = "user imports",
    params(("import" = String, Path, example = "imp_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("first" = u64, Path, minimum = 1, example = 1)),
    request_body(content = UserLine, content_type = "application/x-ndjson"),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = UserImport), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 413, body = Problem),
        (status = 415, body = Problem), (status = 429, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn lines(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    Path(path): Path<LinesPath>,
    request: Request,
) -> Result<Json<UserImport>, Problem> {
    if !has_media_type(request.headers(), MEDIA) {
        return Err(unsupported(MEDIA));
    }
    let most = state.config().limits.import_bytes;
    let body = request.into_body();
    if body.size_hint().lower() > most as u64 {
        return Err(too_large(most));
    }
    let (import, first) = (path_id(&path.import)?, path_id::<u64>(&path.first)?);
    if first == 0 {
        return Err(problem::not_found());
    }
    let importer = state.platform().user_importer(tenant, import, first, actor, state.deadline()).await?;
    let imported = import_all(importer, body.into_data_stream(), &state);
    let imported = tokio::select! {
        () = state.closing().cancelled() => return Err(ServiceError::Refused(Refusal::Stopped).into()),
        imported = tokio::time::timeout(LONGEST, imported) => imported.map_err(|_elapsed| problem::timed_out())?,
    };
    Ok(Json(imported?.into()))
}

fn too_large(most: usize) -> Problem {
    let detail =
        format!("a request has at most {most} bytes and {MOST_LINES} lines; send the rest in another one");
    Problem::of(catalogue::BODY_TOO_LARGE).detailed(detail)
}

/// Imports line by line while they come in. What was stored stays stored, whatever stops it.
async fn import_all(
    mut importer: UserImporter,
    mut body: BodyDataStream,
    state: &AppState,
) -> Result<Import, Problem> {
    let limits = &state.config().limits;
    let (mut splitter, mut bytes, mut lines) = (Splitter::default(), 0, 0);
    loop {
        let next = tokio::time::timeout(limits.request_time(), body.next()).await;
        let Some(data) = next.map_err(|_elapsed| problem::timed_out())? else { break };
        let data = data.map_err(|_| Problem::of(catalogue::BODY_UNREADABLE))?;
        bytes += data.len();
        if bytes > limits.import_bytes {
            return Err(too_large(limits.import_bytes));
        }
        splitter.take(data);
        while let Some(line) = splitter.next() {
            lines += 1;
            if lines > MOST_LINES {
                return Err(too_large(limits.import_bytes));
            }
            importer.line(&line).await?;
        }
    }
    if let Some(line) = splitter.rest() {
        importer.line(&line).await?;
    }
    Ok(importer.finish().await?)
}

/// Finds lines in what comes in pieces.
#[derive(Default)]
struct Splitter {
    /// The beginning of a line whose end has not come. A line that is too long is kept as one that is too long by one.
    begun: Vec<u8>,
    data: Bytes,
}

impl Splitter {
    fn take(&mut self, data: Bytes) {
        self.data = data;
    }

    /// The next whole line, without its end.
    fn next(&mut self) -> Option<Vec<u8>> {
        match self.data.iter().position(|byte| *byte == b'\n') {
            Some(end) => {
                let line = self.data.split_to(end + 1);
                self.keep(&line[..end]);
                Some(std::mem::take(&mut self.begun))
            }
            None => {
                let rest = std::mem::take(&mut self.data);
                self.keep(&rest);
                None
            }
        }
    }

    fn keep(&mut self, piece: &[u8]) {
        let room = (LONGEST_LINE + 1).saturating_sub(self.begun.len());
        self.begun.extend_from_slice(&piece[..piece.len().min(room)]);
    }

    /// What stands behind the last line's end, if anything does.
    fn rest(self) -> Option<Vec<u8>> {
        (!self.begun.is_empty()).then_some(self.begun)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(pieces: &[&[u8]]) -> Vec<Vec<u8>> {
        let (mut splitter, mut lines) = (Splitter::default(), Vec::new());
        for piece in pieces {
            splitter.take(Bytes::copy_from_slice(piece));
            lines.extend(std::iter::from_fn(|| splitter.next()));
        }
        lines.extend(splitter.rest());
        lines
    }

    #[test]
    fn an_overlong_line_is_noticed_and_not_kept() {
        let long = vec![b'a'; 10 * LONGEST_LINE];
        let lines = split(&[&long, &long, b"\nb"]);
        assert_eq!((lines[0].len(), &lines[1][..]), (LONGEST_LINE + 1, &b"b"[..]));
    }

    proptest! {
        #[test]
        fn lines_are_the_same_wherever_the_pieces_end(text in "[ab\n]{0,40}", cuts in prop::collection::vec(0_usize..40, 0..5)) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.sort_unstable();
            let (mut pieces, mut from) = (Vec::new(), 0);
            for cut in cuts {
                pieces.push(&text.as_bytes()[from..cut]);
                from = cut;
            }
            pieces.push(&text.as_bytes()[from..]);
            let lines: Vec<Vec<u8>> = text.lines().map(|line| line.as_bytes().to_vec()).collect();
            prop_assert_eq!(split(&pieces), lines);
        }
    }
}
