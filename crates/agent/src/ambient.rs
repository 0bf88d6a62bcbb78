//! The machine's own clock and randomness: the only place of the agent that asks for them.

use std::sync::Arc;

use rand::{Rng, rng};
use roadstead_domain::clock::{Ambient, Clock, Entropy, Micros};

/// The machine's own.
pub fn system() -> Ambient {
    struct System;
    impl Clock for System {
        #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else is given")]
        fn now(&self) -> Micros {
            Micros(jiff::Timestamp::now().as_microsecond())
        }
    }
    impl Entropy for System {
        #[expect(clippy::disallowed_methods, reason = "this is the randomness that everything else is given")]
        fn fill(&self, buffer: &mut [u8]) {
            rng().fill_bytes(buffer);
        }
    }
    Ambient { clock: Arc::new(System), entropy: Arc::new(System) }
}
