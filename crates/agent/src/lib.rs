//! The agent on the PC: so far its own key.
