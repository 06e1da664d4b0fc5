//! Panics of libraries that are fed with whatever stands on the web, or in files of others: caught, and kept from the terminal.

use std::{
    any::Any,
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook},
    sync::Once,
};

/// What the code said when it panicked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Panicked(pub String);

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`; a panic in it is a value, and its message is not printed.
///
/// # Errors
/// When `work` panicked.
pub fn contained<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| {
            if !CONTAINED.get() {
                before(info);
            }
        }));
    });
    CONTAINED.set(true);
    // what `work` owns dies with it, and nothing of ours is half changed by it
    let result = catch_unwind(AssertUnwindSafe(work));
    CONTAINED.set(false);
    result.map_err(|payload| Panicked(message(payload.as_ref())))
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_value() {
        let result: Result<u32, _> = contained(|| panic!("at the disco"));
        assert_eq!(result, Err(Panicked("at the disco".into())));
        assert_eq!(contained(|| 3), Ok(3));
    }
}
