use std::future::poll_fn;
use std::task::Poll;

use futures::future::maybe_done;

/// Sends everything before it waits for the first answer: the driver sends when a future is first polled, and
/// answers come in the order of sending.
pub(super) async fn pipelined<F: Future>(requests: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut sent: Vec<_> = requests.into_iter().map(|request| Box::pin(maybe_done(request))).collect();
    poll_fn(|context| {
        for request in &mut sent {
            let _ = request.as_mut().poll(context);
        }
        Poll::Ready(())
    })
    .await;
    let mut answers = Vec::with_capacity(sent.len());
    for mut request in sent {
        request.as_mut().await;
        answers.extend(request.as_mut().take_output());
    }
    answers
}
