use crate::Heard;
use parking_lot::Mutex;
use tokio::sync::mpsc;

/// Notices a reader may leave unread before it hears a gap.
pub(crate) const UNREAD: usize = 1024;

/// The readers of one node.
#[derive(Default)]
pub(crate) struct Subscribers {
    list: Mutex<Vec<Subscriber>>,
}

struct Subscriber {
    sender: mpsc::Sender<Heard>,
    /// The last thing queued is a gap.
    ends_with_gap: bool,
}

impl Subscribers {
    pub(crate) fn add(&self) -> mpsc::Receiver<Heard> {
        // One place more: the last one is kept for the gap, so that it can always be told.
        let (sender, receiver) = mpsc::channel(UNREAD + 1);
        self.list.lock().push(Subscriber { sender, ends_with_gap: false });
        receiver
    }

    /// Tells everybody, and forgets who left.
    pub(crate) fn tell(&self, heard: &Heard) {
        self.list.lock().retain_mut(|subscriber| subscriber.tell(heard));
    }

    /// Ends every subscription; readers still hear what is queued.
    pub(crate) fn clear(&self) {
        self.list.lock().clear();
    }
}

impl Subscriber {
    fn tell(&mut self, heard: &Heard) -> bool {
        let heard = match self.sender.capacity() {
            // What a queued and unread gap stands for includes whatever comes after it.
            0 | 1 if self.ends_with_gap => return !self.sender.is_closed(),
            0 | 1 => Heard::Gap,
            _ => heard.clone(),
        };
        self.ends_with_gap = heard == Heard::Gap;
        // Only this type sends, under a lock, so there is room; what fails is a reader that left.
        self.sender.try_send(heard).is_ok()
    }
}

#[cfg(test)]
mod tests;
