//! A line of a sell-through report: as received, as checked, and what it comes to.
//!
//! [`ReceivedLine`] is what a file says, cell by cell. [`check`] turns it into a [`SaleLine`] or into reasons to
//! reject it. [`judge`] then decides, line after line in file order, against what is known of the serial.

mod check;
mod judge;
mod received;
mod verdict;

pub use check::{
    DateError, LevelNames, SaleLine, Sender, Sold, Transaction, check, parse_date, parse_quantity,
};
pub use judge::{Earlier, Effect, Holder, Judgement, Parked, Seller, Sellers, SerialState, judge};
pub use received::{CellFault, Field, ReceivedLine};
pub use verdict::{Reason, Verdict};
