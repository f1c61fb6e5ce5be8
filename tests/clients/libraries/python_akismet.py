"""The PyPI package akismet: python_akismet.py FACTS, where FACTS are port, key and texts as JSON. One JSON line for each check."""

import asyncio
import json
import sys

import akismet
import httpx

facts = json.loads(sys.argv[1])


def tell(what, good, seen):
    print(json.dumps({"what": what, "good": bool(good), "seen": str(seen)}))


def redirected(request):
    # The package's host is fixed.
    assert request.url.host == "rest.akismet.com", request.url
    request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=facts["port"])
    return request


class Loopback(httpx.HTTPTransport):
    def handle_request(self, request):
        return super().handle_request(redirected(request))


class AsyncLoopback(httpx.AsyncHTTPTransport):
    async def handle_async_request(self, request):
        return await super().handle_async_request(redirected(request))


# The package's own time-out, which it gives only to clients that it makes itself.
SETTINGS = {"headers": {"User-Agent": akismet.USER_AGENT}, "timeout": 1.0}
CONFIG = akismet.Config(key=facts["key"], url="http://blog.example/")
WRONG = akismet.Config(key=facts["wrong"], url="http://blog.example/")


def comment(text, **more):
    return {"user_ip": "192.0.2.9", "comment_content": text, "comment_author": "Visitor", "comment_type": "comment", **more}


def synchronous():
    http = httpx.Client(transport=Loopback(), **SETTINGS)
    client = akismet.SyncClient.validated_client(config=CONFIG, http_client=http)
    tell("key verified", True, "validated_client")
    for what, fields, wanted in [
        ("spam is spam", comment(facts["spam"]), True),
        ("genuine is not", comment(facts["genuine"]), False),
        ("test author is spam", comment(facts["genuine"], comment_author="viagra-test-123"), True),
        ("test address is spam", comment(facts["genuine"], comment_author_email="akismet-guaranteed-spam@example.com"), True),
        ("administrator is not", comment(facts["spam"], user_role="administrator"), False),
    ]:
        seen = client.comment_check(**fields)
        tell(what, bool(seen) == wanted, seen.name)
    tell("submit-spam", client.submit_spam(**comment(facts["spam"])), True)
    tell("submit-ham", client.submit_ham(**comment(facts["genuine"])), True)
    seen = client.usage_limit()
    tell("usage-limit", isinstance(seen, dict), seen)
    # Of this call the package sends no key, whatever it is set up with.
    try:
        seen = client.key_sites()
    except akismet.AkismetError as error:
        seen = error
    tell("key-sites, without a key, is answered or refused in the protocol", isinstance(seen, (dict, akismet.AkismetError)), repr(seen))
    try:
        akismet.SyncClient.validated_client(config=WRONG, http_client=http)
        tell("wrong key refused", False, "accepted")
    except akismet.APIKeyError as error:
        tell("wrong key refused", True, type(error).__name__)
    try:
        seen = akismet.SyncClient(config=WRONG, http_client=http).comment_check(**comment(facts["spam"]))
        tell("check with wrong key fails", False, seen)
    except akismet.APIKeyError as error:
        tell("check with wrong key fails", True, type(error).__name__)


async def asynchronous():
    async with httpx.AsyncClient(transport=AsyncLoopback(), **SETTINGS) as http:
        client = await akismet.AsyncClient.validated_client(config=CONFIG, http_client=http)
        checks = [client.comment_check(**comment(facts[kind])) for kind in ["spam", "genuine"] * 16]
        seen = [bool(answer) for answer in await asyncio.gather(*checks)]
        tell("32 checks at once, each within 1 s", seen == [True, False] * 16, f"{sum(seen)} of 32 spam")


try:
    synchronous()
    asyncio.run(asynchronous())
except Exception as error:
    tell("no exception", False, repr(error))
