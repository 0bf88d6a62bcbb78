# Mails. Eine Leerzeile beginnt einen neuen Absatz. Zeitpunkte stehen in UTC.
mail-greeting = Guten Tag { $name },
mail-link = Falls die Schaltfläche nicht funktioniert, öffnen Sie diese Adresse:
mail-no-reply = Diese Mail hat eine Maschine gesendet; Antworten liest niemand.

mail-invitation-subject = Ihre Einladung zu { $organisation }
mail-invitation-text =
    { $inviter } hat Sie zu { $organisation } auf Roadstead eingeladen. Ihre Rolle dort wird sein: { $role }.

    Nehmen Sie die Einladung an und wählen Sie ein Passwort. Der Link gilt einmal, bis { $until } (UTC).
mail-invitation-button = Einladung annehmen
mail-invitation-why = Sie erhalten diese Mail, weil { $inviter } diese Adresse angegeben hat. Wenn Sie nicht wissen, warum, tun Sie nichts: ohne Ihre Zusage gibt es kein Konto.

mail-password-reset-subject = Wählen Sie ein neues Passwort
mail-password-reset-text =
    Jemand hat darum gebeten, Ihr Passwort auf Roadstead zurückzusetzen. Ihr jetziges Passwort gilt weiter, bis Sie ein neues wählen.

    Der Link gilt einmal, bis { $until } (UTC).
mail-password-reset-button = Neues Passwort wählen
mail-password-reset-why = Sie erhalten diese Mail, weil zu dieser Adresse ein Konto gehört. Wenn nicht Sie darum gebeten haben, tun Sie nichts.

mail-support-case-subject = Neues im Supportfall { $number }
mail-support-case-text = Im Supportfall { $number } auf Roadstead gibt es eine neue Nachricht.
mail-support-case-button = Supportfall öffnen
mail-support-case-why = Sie erhalten diese Mail, weil Sie an diesem Supportfall beteiligt sind. Abbestellen können Sie solche E-Mails in Ihrem Konto.
mail-cpin-instructions-subject = PCs in { $organisation } registrieren
mail-cpin-instructions-text =
    { $inviter } betreut die PCs von { $organisation } auf Roadstead. Um einen PC aufzunehmen, installieren Sie darauf den Agenten und geben diese cPIN ein: { $cpin }

    Für eine stille Installation tragen Sie die cPIN in die Konfigurationsdatei des Agenten ein. Sie gilt bis { $until } (UTC). Geben Sie sie an niemanden außerhalb von { $organisation } weiter.
mail-cpin-instructions-button = Roadstead öffnen
mail-cpin-instructions-why = Sie erhalten diese Mail, weil { $inviter } diese Adresse für { $organisation } angegeben hat.

mail-dispute-decided-subject = Der Streitfall um { $serial } ist entschieden
mail-dispute-decided-text = Das Programmteam hat den Streitfall um den PC { $serial } auf Roadstead entschieden oder eine Entscheidung zurückgenommen.
mail-dispute-decided-button = Ansehen, was das für Sie heißt
mail-dispute-decided-why = Sie erhalten diese Mail, weil eine Meldung Ihre Organisation als Verkäufer dieses PCs nennt.

mail-customer-disabled-subject = { $organisation } ist auf Roadstead deaktiviert
mail-customer-disabled-text =
    Ihr Partner { $partner } hat den Kundenmandanten von { $organisation } deaktiviert. Bis { $partner } ihn wieder aktiviert, kann kein PC dorthin übertragen werden oder sich dort registrieren: cPINs und die Zero-Touch-Liste gelten nicht.

    PCs, die dort sind, bleiben, mit Ansprüchen, Warnungen und Reparaturfällen, und Sie melden sich an und lesen wie bisher.

    Wenn Sie das nicht erwartet haben, fragen Sie { $partner }. Hilft das nicht, eröffnen Sie auf Roadstead einen Supportfall.
mail-customer-disabled-button = Ihre PCs ansehen
mail-customer-disabled-why = Sie erhalten diese Mail, weil Sie die IT von { $organisation } administrieren.

mail-customer-enabled-subject = { $organisation } ist auf Roadstead wieder aktiv
mail-customer-enabled-text =
    Ihr Partner { $partner } hat den Kundenmandanten von { $organisation } wieder aktiviert. PCs können dorthin übertragen werden, cPINs und die Zero-Touch-Liste gelten wieder, und wartende PCs registrieren sich beim nächsten Versuch.

    Wenn Sie dazu Fragen haben, fragen Sie { $partner }.
mail-customer-enabled-button = Ihre PCs ansehen
mail-customer-enabled-why = Sie erhalten diese Mail, weil Sie die IT von { $organisation } administrieren.
