# Mails. A blank line begins a new paragraph. Instants come in UTC.
mail-greeting = Hello { $name },
mail-link = If the button does not work, open this address:
mail-no-reply = This mail was sent by a machine; nobody reads replies.

mail-invitation-subject = Your invitation to { $organisation }
mail-invitation-text =
    { $inviter } has invited you to { $organisation } on Roadstead. Your role there will be: { $role }.

    Accept the invitation and choose a password. The link works once, until { $until } (UTC).
mail-invitation-button = Accept the invitation
mail-invitation-why = You get this mail because { $inviter } gave this address. If you do not know why, do nothing: without your acceptance there is no account.

mail-password-reset-subject = Choose a new password
mail-password-reset-text =
    Somebody asked to reset your password on Roadstead. Your present password goes on working until you choose a new one.

    The link works once, until { $until } (UTC).
mail-password-reset-button = Choose a new password
mail-password-reset-why = You get this mail because this address belongs to an account. If it was not you who asked, do nothing.

mail-support-case-subject = News in support case { $number }
mail-support-case-text = There is a new message in support case { $number } on Roadstead.
mail-support-case-button = Open the support case
mail-support-case-why = You get this mail because you take part in this support case. You can turn such mails off in your account.
mail-cpin-instructions-subject = Enrol your PCs in { $organisation }
mail-cpin-instructions-text =
    { $inviter } looks after the PCs of { $organisation } on Roadstead. To add a PC, install the agent on it and type this cPIN: { $cpin }

    For a silent installation put the cPIN into the agent's config file. It is valid until { $until } (UTC). Give it to nobody outside of { $organisation }.
mail-cpin-instructions-button = Open Roadstead
mail-cpin-instructions-why = You get this mail because { $inviter } gave this address for { $organisation }.

mail-dispute-decided-subject = The dispute over { $serial } is decided
mail-dispute-decided-text = The programme team has decided the dispute over the PC { $serial } on Roadstead, or taken a decision back.
mail-dispute-decided-button = See what it means for you
mail-dispute-decided-why = You get this mail because a report names your organisation as the seller of this PC.

mail-customer-disabled-subject = { $organisation } is disabled on Roadstead
mail-customer-disabled-text =
    Your partner { $partner } has disabled the customer tenant of { $organisation }. Until { $partner } enables it again, no PC can be moved or enrolled there: cPINs and the zero-touch list do not hold.

    PCs that are there stay, with their entitlements, alerts and repair cases, and you sign in and read as before.

    If you did not expect this, ask { $partner }. Where that does not help, open a support case on Roadstead.
mail-customer-disabled-button = See your PCs
mail-customer-disabled-why = You get this mail because you are an IT admin of { $organisation }.

mail-customer-enabled-subject = { $organisation } is enabled again on Roadstead
mail-customer-enabled-text =
    Your partner { $partner } has enabled the customer tenant of { $organisation } again. PCs can be moved there, cPINs and the zero-touch list hold again, and PCs that wait enrol with their next try.

    If you have questions about this, ask { $partner }.
mail-customer-enabled-button = See your PCs
mail-customer-enabled-why = You get this mail because you are an IT admin of { $organisation }.
