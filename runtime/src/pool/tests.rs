use super::{FairQueue, Full, Weight};
use proptest::prelude::*;
use std::collections::HashMap;

fn queue() -> FairQueue<u8, u32> {
    FairQueue::new(1_000, 100)
}

fn served(queue: &mut FairQueue<u8, u32>, count: usize) -> Vec<u8> {
    (0..count).filter_map(|_| queue.pop()).map(|(key, _)| key).collect()
}

#[test]
fn a_newcomer_does_not_wait_behind_a_flood() {
    let mut queue = queue();
    for n in 0..100 {
        queue.push(0, Weight::ONE, n).expect("there is room");
    }
    served(&mut queue, 10);
    queue.push(1, Weight::ONE, 0).expect("there is room");
    let next = served(&mut queue, 2);
    assert!(next.contains(&1), "{next:?}");
}

#[test]
fn leaving_and_coming_back_gains_nothing() {
    let mut queue = queue();
    for n in 0..10 {
        queue.push(0, Weight::ONE, n).expect("there is room");
    }
    let mut order = Vec::new();
    for n in 0..10 {
        // Key 1 never has more than one item waiting.
        queue.push(1, Weight::ONE, n).expect("there is room");
        order.extend(served(&mut queue, 2));
    }
    assert_eq!(order.iter().filter(|&&key| key == 0).count(), 10, "{order:?}");
}

#[test]
fn depth_and_keys_are_bounded() {
    let mut queue = FairQueue::new(1, 2);
    assert_eq!(queue.push(0, Weight::ONE, 'a'), Ok(()));
    assert_eq!(queue.push(0, Weight::ONE, 'b'), Err(Full('b')));
    assert_eq!(queue.push(1, Weight::ONE, 'c'), Ok(()));
    assert_eq!(queue.push(2, Weight::ONE, 'd'), Err(Full('d')));
    assert_eq!((queue.len(), queue.depth(&0)), (2, 1));
}

#[test]
fn sifting_an_emptied_key_leaves_the_others_in_order() {
    let mut queue = queue();
    for n in 0..3 {
        queue.push(0, Weight::ONE, n).expect("there is room");
        queue.push(1, Weight::ONE, n).expect("there is room");
    }
    assert_eq!(queue.sift(&0, |_| false), vec![0, 1, 2]);
    assert_eq!(queue.sift(&1, |&n| n != 1), vec![1]);
    assert_eq!(queue.pop(), Some((1, 0)));
    assert_eq!(queue.pop(), Some((1, 2)));
    assert_eq!(queue.pop(), None);
    assert!(queue.is_empty());
}

proptest! {
    /// The bound of start-time fair queueing: over any stretch in which two keys both wait throughout, their
    /// services divided by their weights differ by at most one item of each.
    #[test]
    fn service_is_proportional_to_weight(
        weights in prop::collection::vec(1u32..8, 2..5),
        late in prop::collection::vec(0usize..60, 2..5),
    ) {
        let mut queue = FairQueue::new(10_000, 100);
        let keys = weights.len().min(late.len());
        let mut counts = vec![0u32; keys];
        let mut at_arrival: HashMap<(usize, usize), (u32, u32)> = HashMap::new();
        for turn in 0..600 {
            for key in 0..keys {
                if late[key] == turn {
                    for n in 0..2_000u32 {
                        prop_assert!(queue.push(key, Weight::new(weights[key]), n).is_ok());
                    }
                    for other in (0..keys).filter(|&other| other != key && late[other] <= turn) {
                        let pair = (key.min(other), key.max(other));
                        at_arrival.insert(pair, (counts[pair.0], counts[pair.1]));
                    }
                }
            }
            if let Some((key, _)) = queue.pop() {
                counts[key] += 1;
            }
            for (&(a, b), &(from_a, from_b)) in &at_arrival {
                let share = |n: u32, weight: u32| f64::from(n) / f64::from(weight);
                let gap = share(counts[a] - from_a, weights[a]) - share(counts[b] - from_b, weights[b]);
                let bound = share(1, weights[a]) + share(1, weights[b]);
                prop_assert!(gap.abs() <= bound + 1e-3, "gap {gap}, bound {bound}");
            }
        }
    }

    #[test]
    fn every_item_comes_out_once_and_in_its_keys_order(
        ops in prop::collection::vec((0u8..4, 1u32..5, prop::bool::ANY), 1..300),
    ) {
        let mut queue = FairQueue::new(20, 3);
        let mut model: HashMap<u8, Vec<u32>> = HashMap::new();
        for (n, (key, weight, push)) in ops.into_iter().enumerate() {
            let n = u32::try_from(n).expect("small");
            if push {
                let waiting = model.values().filter(|items| !items.is_empty()).count();
                let depth = model.get(&key).map_or(0, Vec::len);
                let fits = depth < 20 && (depth > 0 || waiting < 3);
                prop_assert_eq!(queue.push(key, Weight::new(weight), n).is_ok(), fits);
                if fits {
                    model.entry(key).or_default().push(n);
                }
            } else {
                match queue.pop() {
                    Some((key, item)) => {
                        let expected = model.get_mut(&key).expect("the key has items").remove(0);
                        prop_assert_eq!(item, expected);
                    }
                    None => prop_assert!(model.values().all(Vec::is_empty)),
                }
            }
            prop_assert_eq!(queue.len(), model.values().map(Vec::len).sum::<usize>());
        }
    }
}
