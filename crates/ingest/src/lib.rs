//! Sell-through files in, canonical lines or located errors out, streaming; no database.
