//! People: what an invitation and a password must be, and that a home keeps somebody who manages it.

use crate::access::Role;

/// An invitation opens nothing after this long, in seconds.
pub const INVITATION_SECONDS: i64 = 7 * 24 * 3600;
/// A link for a new password opens nothing after this long, in seconds.
pub const RESET_SECONDS: i64 = 3600;
/// The most people invited at once.
pub const MOST_AT_ONCE: usize = 500;
/// The most open invitations of a home.
pub const MOST_OPEN: i64 = 1000;
/// The fewest characters of a password, after NIST SP 800-63B.
pub const SHORTEST_PASSWORD: usize = 12;
/// The most characters of a password: hashing a longer one costs us more than it is worth.
pub const LONGEST_PASSWORD: usize = 200;

/// What is wrong with a password: a stable code.
pub fn check_password(password: &str, email: &str) -> Result<(), &'static str> {
    let characters = password.chars().count();
    if characters < SHORTEST_PASSWORD {
        return Err("password.too_short");
    }
    if characters > LONGEST_PASSWORD {
        return Err("password.too_long");
    }
    let first = password.chars().next();
    if password.chars().all(|c| Some(c) == first) || password.eq_ignore_ascii_case(email.trim()) {
        return Err("password.too_easy");
    }
    Ok(())
}

/// Whether a home would still have somebody who manages its users. `others` are the roles of everybody else in it who can
/// sign in; `was` and `becomes` are the changed person's, `None` for one who cannot sign in.
pub fn keeps_an_admin(others: &[Role], was: Option<Role>, becomes: Option<Role>) -> bool {
    let manages = |role: Option<Role>| role.is_some_and(Role::manages_users);
    manages(becomes) || !manages(was) || others.iter().any(|role| role.manages_users())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_long_and_not_the_address() {
        for (password, expected) in [
            ("correct horse", Ok(())),
            ("short", Err("password.too_short")),
            ("zwölf zeiche", Ok(())),
            ("aaaaaaaaaaaaaaaa", Err("password.too_easy")),
            ("Anna@Example.com", Err("password.too_easy")),
        ] {
            assert_eq!(check_password(password, " anna@example.com"), expected, "{password}");
        }
        assert_eq!(check_password(&"ab".repeat(101), "x"), Err("password.too_long"));
    }

    #[test]
    fn the_last_admin_stays() {
        let (admin, reader) = (Some(Role::PartnerAdmin), Some(Role::PartnerReadOnly));
        for (others, was, becomes, stays) in [
            (&[][..], admin, None, false),
            (&[], admin, reader, false),
            (&[Role::PartnerReadOnly], admin, None, false),
            (&[Role::PartnerAdmin], admin, None, true),
            (&[], admin, admin, true),
            (&[], reader, None, true),
            (&[], None, reader, true),
        ] {
            assert_eq!(keeps_an_admin(others, was, becomes), stays, "{others:?} {was:?} {becomes:?}");
        }
    }
}
