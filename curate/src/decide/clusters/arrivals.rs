//! The documents as they come, with their hashes.

use datafusion::{
    arrow::{
        array::{Array as _, AsArray as _},
        datatypes::UInt64Type,
    },
    error::Result,
    execution::TaskContext,
};
use futures::TryStreamExt as _;

use super::{ClusterConfig, buckets::Buckets, order::Order};
use crate::{
    decide::numbers::{Numbers, number},
    plan::{Batches, Storage},
};

/// The documents as they come, before any are joined.
pub struct Arrivals {
    pub config: ClusterConfig,
    pub numbers: Numbers,
    pub buckets: Buckets,
    /// A hash of all ids in their order, which texts must come in, too.
    pub order: Order,
    pub storage: Storage,
}

impl Arrivals {
    pub fn new(config: ClusterConfig, context: &TaskContext) -> Result<Self> {
        let storage = Storage::new("clusters", context)?;
        // ids and hashes
        storage.grow(2 * config.budget)?;
        Ok(Self {
            numbers: Numbers::new(storage.folder(), config.budget),
            buckets: Buckets::new(storage.folder(), config.budget),
            order: Order::default(),
            storage,
            config,
        })
    }

    /// Takes rows of an id and its hashes.
    pub async fn take_hashes(&mut self, mut batches: impl Batches) -> Result<()> {
        while let Some(batch) = batches.try_next().await? {
            let (ids, hashes) = (batch.column(0).as_string_view(), batch.column(1));
            // its number and its parent
            self.storage.grow(8 * batch.num_rows())?;
            for (row, id) in ids.iter().enumerate() {
                let id = number(id)?;
                self.order.take(id);
                let arrival = self.numbers.push(id)?;
                if hashes.is_null(row) {
                    continue;
                }
                match hashes.as_list_opt::<i32>() {
                    Some(lists) => {
                        self.buckets.push(arrival, lists.value(row).as_primitive::<UInt64Type>().values())?;
                    }
                    None => self.buckets.push(arrival, &[hashes.as_primitive::<UInt64Type>().value(row)])?,
                }
            }
        }
        Ok(())
    }
}
