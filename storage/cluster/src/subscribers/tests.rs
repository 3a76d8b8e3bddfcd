use super::{Subscribers, UNREAD};
use crate::{Heard, NodeId, Notice};
use tokio::sync::mpsc::error::TryRecvError;
use uuid::Uuid;

fn notice(number: u128) -> Heard {
    let notice = Notice::Wake { tenant: Uuid::nil(), subscription: Uuid::from_u128(number) };
    Heard::Notice { from: NodeId(Uuid::nil()), notice }
}

#[test]
fn a_reader_that_is_too_slow_hears_one_gap_and_then_what_is_new() {
    let subscribers = Subscribers::default();
    let mut reader = subscribers.add();
    let many = UNREAD as u128;
    for number in 0..many * 3 {
        subscribers.tell(&notice(number));
    }
    for number in 0..many {
        assert_eq!(reader.try_recv(), Ok(notice(number)));
        // One place is free now, and the gap is still unread: it covers this as well.
        if number == 0 {
            subscribers.tell(&notice(9_999_999));
        }
    }
    assert_eq!(reader.try_recv(), Ok(Heard::Gap));
    assert_eq!(reader.try_recv(), Err(TryRecvError::Empty));
    subscribers.tell(&notice(7));
    assert_eq!(reader.try_recv(), Ok(notice(7)));
}

#[test]
fn a_gap_that_is_told_to_a_full_reader_is_heard() {
    let subscribers = Subscribers::default();
    let mut reader = subscribers.add();
    for number in 0..UNREAD as u128 {
        subscribers.tell(&notice(number));
    }
    subscribers.tell(&Heard::Gap);
    subscribers.tell(&Heard::Gap);
    let mut heard = Vec::new();
    while let Ok(one) = reader.try_recv() {
        heard.push(one);
    }
    assert_eq!(heard.len(), UNREAD + 1);
    assert_eq!(heard.last(), Some(&Heard::Gap));
}

#[test]
fn a_reader_that_left_is_forgotten() {
    let subscribers = Subscribers::default();
    drop(subscribers.add());
    let mut other = subscribers.add();
    subscribers.tell(&notice(1));
    assert_eq!(subscribers.list.lock().len(), 1);
    assert_eq!(other.try_recv(), Ok(notice(1)));
    subscribers.clear();
    assert_eq!(other.try_recv(), Err(TryRecvError::Disconnected));
}
