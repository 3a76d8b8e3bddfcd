use super::*;
use async_trait::async_trait;
use plinto_storage::{EngineHealth, Receipt, Row, Scope, Statement, Unit, UnitError};
use std::cell::Cell;

const TENANT: Uuid = Uuid::from_u128(7);

/// A shared engine of which only the heads are asked for.
struct Heads(Mutex<HashMap<Uuid, i64>>);

fn closed() -> StorageError {
    StorageError::Unavailable { reason: "only heads are read".into() }
}

#[async_trait]
impl Engine for Heads {
    async fn read(&self, _: Scope, _: Statement) -> Result<Vec<Row>, StorageError> {
        Err(closed())
    }
    async fn commit(
        &self,
        _: Scope,
        _: &'static str,
        _: Vec<Unit>,
    ) -> Result<Vec<Result<Receipt, UnitError>>, StorageError> {
        Err(closed())
    }
    async fn create_tenant(&self, _: Uuid) -> Result<(), StorageError> {
        Err(closed())
    }
    async fn destroy_tenant(&self, _: Uuid) -> Result<(), StorageError> {
        Err(closed())
    }
    async fn list_tenants(&self) -> Result<Vec<Uuid>, StorageError> {
        Err(closed())
    }
    async fn health(&self) -> EngineHealth {
        EngineHealth {
            engine: "heads",
            readable: true,
            writable: false,
            reason: None,
            queued_reads: 0,
            queued_writes: 0,
            open: 0,
            pool: None,
            transactions: vec![],
        }
    }
    fn is_shared(&self) -> bool {
        true
    }
    async fn ledger_heads(&self, ids: &[Uuid]) -> Result<Vec<(Uuid, i64)>, StorageError> {
        let heads = self.0.lock();
        Ok(ids.iter().filter_map(|id| Some((*id, *heads.get(id)?))).collect())
    }
    async fn close(&self) {}
}

fn watch_at(seq: i64) -> (Arc<Heads>, Watch) {
    let heads = Arc::new(Heads(Mutex::new(HashMap::from([(TENANT, seq)]))));
    (Arc::clone(&heads), Watch::new(heads))
}

fn seq(watch: &Watch) -> Option<i64> {
    watch.positions().first().map(|position| position.seq)
}

#[tokio::test(start_paused = true)]
async fn the_cursor_is_taken_before_the_rows_are_read() {
    let (heads, watch) = watch_at(3);
    let read: Result<(), StorageError> = watch
        .reading(TENANT, || {
            // Somebody commits while the rows are read.
            heads.0.lock().insert(TENANT, 4);
            std::future::ready(Ok(()))
        })
        .await;
    read.expect("read");
    assert_eq!(seq(&watch), Some(3), "what was committed meanwhile lies behind the cursor");
}

#[tokio::test(start_paused = true)]
async fn rows_are_read_again_when_following_was_interrupted() {
    let (heads, watch) = watch_at(3);
    let reads = Cell::new(0);
    let read: Result<u32, StorageError> = watch
        .reading(TENANT, || {
            reads.set(reads.get() + 1);
            if reads.get() == 1 {
                // Let go, and followed anew from a later head by somebody else's load.
                watch.forget(TENANT);
                heads.0.lock().insert(TENANT, 9);
            }
            let (watch, reads) = (&watch, &reads);
            async move {
                watch.follow(TENANT).await?;
                Ok(reads.get())
            }
        })
        .await;
    assert_eq!(read.expect("read"), 2, "the first rows may be older than the new cursor");
    assert_eq!(seq(&watch), Some(9));
}

#[tokio::test(start_paused = true)]
async fn a_position_of_an_earlier_watch_moves_nothing() {
    let (heads, watch) = watch_at(3);
    watch.follow(TENANT).await.expect("follows");
    let old = watch.positions()[0];
    watch.forget(TENANT);
    heads.0.lock().insert(TENANT, 5);
    watch.follow(TENANT).await.expect("follows");
    watch.advance(Position { seq: 100, ..old });
    assert_eq!(seq(&watch), Some(5));
    watch.advance(Position { seq: 6, ..watch.positions()[0] });
    watch.advance(Position { seq: 4, ..watch.positions()[0] });
    assert_eq!(seq(&watch), Some(6), "and none goes back");
}

#[tokio::test(start_paused = true)]
async fn only_a_long_absence_ends_following() {
    let (_, watch) = watch_at(3);
    watch.follow(TENANT).await.expect("follows");
    assert!(watch.forget_absent(|_| false).is_empty(), "a reload takes a moment");
    tokio::time::advance(ABSENT_FOR / 2).await;
    assert!(watch.forget_absent(|_| true).is_empty());
    assert!(watch.forget_absent(|_| false).is_empty(), "back meanwhile");
    tokio::time::advance(ABSENT_FOR).await;
    assert_eq!(watch.forget_absent(|_| false), [TENANT]);
    assert_eq!(seq(&watch), None);
}

#[tokio::test(start_paused = true)]
async fn a_tenant_without_a_ledger_is_not_followed() {
    let (_, watch) = watch_at(3);
    let unknown = Uuid::from_u128(8);
    let read: Result<u8, StorageError> = watch.reading(unknown, || std::future::ready(Ok(1))).await;
    assert_eq!(read.expect("read"), 1);
    assert!(watch.positions().is_empty());
}
