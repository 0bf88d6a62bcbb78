"""A mail server that keeps what it gets and writes each mail as a line of JSON to standard output.

The first line is its port. An address that begins with "never" is refused for good, one with "later" is put off the
first time, one with "slow" is never answered. With --login it asks for the user "roadstead" with the password "hush".
"""
import asyncio
import json
import sys
from email import message_from_bytes, policy

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


class Catcher:
    def __init__(self):
        self.put_off = set()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("never"):
            return "550 5.1.1 no such mailbox"
        if address.startswith("later") and address not in self.put_off:
            self.put_off.add(address)
            return "451 4.7.1 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = message_from_bytes(envelope.content, policy=policy.default)
        print(json.dumps({
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "headers": {name.lower(): str(value) for name, value in mail.items()},
            "text": mail.get_body(("plain",)).get_content(),
            "html": mail.get_body(("html",)).get_content(),
        }), flush=True)
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"roadstead", b"hush")
    return AuthResult(success=good, handled=False)


async def main():
    catcher, login = Catcher(), "--login" in sys.argv
    settings = {"auth_required": True, "authenticator": authenticate, "auth_require_tls": False} if login else {}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(catcher, **settings), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    # Ends with the test: its end closes our standard input.
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
