# SPDX-License-Identifier: Apache-2.0
"""What the coordinator plays: roles of a connection (the link to a coordinator has no address that could name one). See roles.py.

Stages more than there: declare(link, delivery-id, p) declared(link, txn) discharge(link, delivery-id, p) post(link, delivery, txn)"""
from . import wire
from .roles import mode, role
from .transactions import EVERY_CAPABILITY, ROLLBACK, TIMEOUT, UNKNOWN, is_coordinator
from .wire import T, described, make, symbol, ulong


def at_coordinator(name, stage, doc, legal=False):
    """Attach and attached, of links to the coordinator only."""
    def add(function):
        def run(peer, *arguments):
            if not is_coordinator(arguments[-1]):
                return False
            function(peer, arguments[-1])
            return True
        role(name, stage, doc, legal)(run)
        return function
    return add


def soon(peer, link, seconds, function):
    """If the link is there yet."""
    peer.after(seconds, lambda: function() if link.attached and link in link.session.links.values() else None)


# --- the link


def refused(condition, text, closed=True):
    def run(peer, link):
        peer.answer_attach(link, target=None)
        peer.detach(link, condition, text, closed=closed)
    return run


for name, condition in (("refused", "amqp:not-allowed"), ("not-implemented", "amqp:not-implemented"), ("unauthorized", "amqp:unauthorized-access")):
    at_coordinator("txn-" + name, "attach", f"the link to the coordinator: a null target, and a detach with {condition}", True)(refused(condition, "no transactions here"))
at_coordinator("txn-target", "attach", "answers the link to the coordinator with an ordinary target")(
    lambda peer, link: (peer.answer_attach(link, target=make("target", {"address": "coordinator"})), peer.grant(link)))
at_coordinator("txn-attach-silent", "attach", "never answers the attach of a link to the coordinator")(lambda peer, link: None)
at_coordinator("txn-attach-end", "attach", "end with amqp:not-implemented instead of the coordinator's attach", True)(
    lambda peer, link: peer.end(link.session, "amqp:not-implemented", "no transactions here"))
mode("txn-bare", "a coordinator without capabilities: one transaction a session, of that session only", txn_capabilities=None)
mode("txn-local", "a coordinator with one capability, as a symbol: amqp:local-transactions", txn_capabilities=symbol("amqp:local-transactions"))
mode("txn-capabilities", "a coordinator with every capability; it takes a global-id, and does nothing with it", txn_capabilities=EVERY_CAPABILITY)
at_coordinator("txn-credit-none", "attached", "never gives credit to the link to the coordinator", True)(lambda peer, link: None)
role("txn-credit-none", "credit")(lambda peer, p, link: False)
at_coordinator("txn-credit-late", "attached", "gives credit to the link to the coordinator after 300 ms", True)(
    lambda peer, link: soon(peer, link, 0.3, lambda: peer.grant(link)))


@at_coordinator("txn-credit-one", "attached", "credit 1 at a time for the link to the coordinator, given again with each answer", True)
def _(peer, link):
    peer.grant(link, 1)


role("txn-credit-one", "credit")(lambda peer, p, link: False)


def answered_one(stage):
    def run(peer, link, n, p):
        getattr(peer, stage)(link, n, p)
        if link.attached:
            peer.grant(link, 1)
        return True
    role("txn-credit-one", stage)(run)


answered_one("declare")
answered_one("discharge")


# --- declare


def declares(name, doc, legal=False):
    def add(function):
        def run(peer, link, n, p):
            function(peer, link, n, p)
            return True
        return role("txn-declare-" + name, "declare", doc, legal)(run)
    return add


def unlike(state, **fields):
    """Answers a message to the coordinator with this state."""
    return lambda peer, link, n, p: peer.settle(link, n, state=state, **fields)


def bare(peer, link, n, state, settled=True):
    peer.send("disposition", link.session.channel, role=True, first=n, settled=settled or None, state=state)


declares("rejected", "declare is rejected with amqp:transaction:rollback", True)(
    lambda peer, link, n, p: peer.settle(link, n, state="rejected", error=wire.error(ROLLBACK, "no more transactions", {symbol("most"): T("int", 0)})))
declares("rejected-foreign", "declare is rejected with amqp:resource-limit-exceeded, no error of transactions")(
    lambda peer, link, n, p: peer.settle(link, n, state="rejected", error=wire.error("amqp:resource-limit-exceeded", "no more transactions")))
declares("rejected-bare", "declare is rejected, without an error")(unlike("rejected"))
declares("accepted", "declare is answered with accepted")(unlike("accepted"))
declares("released", "declare is answered with released")(unlike("released"))
declares("modified", "declare is answered with modified")(unlike("modified", delivery_failed=True))
declares("no-state", "declare is settled without any state")(unlike(None))
declares("transactional", "declare is answered with a transactional-state")(unlike("transactional-state", txn_id=b"1", outcome=make("accepted")))
declares("no-id", "declared without a txn-id")(lambda peer, link, n, p: bare(peer, link, n, described(ulong(0x33), [])))
declares("id-string", "declared with a txn-id that is a string")(lambda peer, link, n, p: bare(peer, link, n, described(ulong(0x33), ["txn"])))
declares("id-33", "declared with a txn-id of 33 bytes")(unlike("declared", txn_id=b"t" * 33))
declares("silent", "never answers a declare")(lambda peer, link, n, p: None)
declares("late", "answers a declare after 500 ms", True)(lambda peer, link, n, p: soon(peer, link, 0.5, lambda: peer.declare(link, n, p)))
declares("detach", "detaches the link to the coordinator with amqp:transaction:rollback instead of answering a declare", True)(
    lambda peer, link, n, p: peer.detach(link, ROLLBACK, "no more transactions"))
declares("end", "ends the session with an error instead of answering a declare", True)(
    lambda peer, link, n, p: peer.end(link.session, "amqp:internal-error", "no more transactions"))
declares("close", "closes the connection with an error instead of answering a declare", True)(
    lambda peer, link, n, p: peer.close("amqp:internal-error", "no more transactions"))
declares("cut", "closes the socket instead of answering a declare")(lambda peer, link, n, p: peer.cut())
declares("unsettled", "declared, not settled: the client has to settle", True)(lambda peer, link, n, p: peer.declare(link, n, p, settled=False))
declares("second", "declared, not settled; settled without a state 100 ms later", True)(lambda peer, link, n, p: (
    peer.declare(link, n, p, settled=False), soon(peer, link, 0.1, lambda: peer.settle(link, n, state=None))))
declares("twice", "each declared twice")(lambda peer, link, n, p: (lambda txn: peer.settle(link, n, state="declared", txn_id=txn.id))(peer.declare(link, n, p)))
mode("txn-id-long", "txn-ids of 32 bytes, zeros and all", txn_id=lambda number: bytes(28) + number.to_bytes(4, "big"))
mode("txn-id-empty", "the first txn-id has no bytes, the next are of one byte", txn_id=lambda number: b"" if number == 1 else bytes([number % 256]))
role("txn-id-same", "start", "one txn-id for all transactions, also those that are open")(lambda peer: setattr(peer, "txn_id", lambda number: b"same"))


# --- posting


def posts(name, doc, legal=False):
    """Instead of the outcome of an unsettled delivery in a transaction."""
    def add(function):
        def run(peer, link, delivery, txn):
            if not delivery["settled"]:
                function(peer, link, delivery["id"], txn)
            return True
        return role("txn-post-" + name, "post", doc, legal)(run)
    return add


def within(peer, link, n, id_, settled=True, **more):
    peer.settle(link, n, state="transactional-state", settled=settled, plain=True, txn_id=id_, **more)


posts("plain", "answers a delivery in a transaction with accepted, without the transaction")(lambda peer, link, n, txn: peer.settle(link, n, plain=True))
posts("no-state", "settles a delivery in a transaction without any state")(lambda peer, link, n, txn: peer.settle(link, n, state=None, plain=True))
posts("other-id", "answers a delivery in a transaction with the id of one that was never declared")(
    lambda peer, link, n, txn: within(peer, link, n, b"other", outcome=make("accepted")))
posts("no-outcome", "answers a delivery in a transaction with its transactional-state, without an outcome")(lambda peer, link, n, txn: within(peer, link, n, txn.id))
posts("declared", "answers a delivery in a transaction with declared")(lambda peer, link, n, txn: peer.settle(link, n, state="declared", plain=True, txn_id=txn.id))
posts("received", "a transactional-state with the outcome received, not settled; then the right one")(lambda peer, link, n, txn: (
    within(peer, link, n, txn.id, settled=False, outcome=make("received", {"section-number": 0, "section-offset": 0})), peer.settle(link, n)))
posts("nested", "a transactional-state whose outcome is one again")(
    lambda peer, link, n, txn: within(peer, link, n, txn.id, outcome=make("transactional-state", {"txn-id": txn.id, "outcome": make("accepted")})))
posts("silent", "never answers a delivery in a transaction; commits all the same")(lambda peer, link, n, txn: None)
posts("rejected", "rejected within the transaction, which can still be committed: without that message", True)(
    lambda peer, link, n, txn: peer.settle(link, n, state="rejected", error=wire.error("example:bad-message", "the message does not please")))
posts("released", "released within the transaction, which can still be committed: without that message", True)(
    lambda peer, link, n, txn: peer.settle(link, n, state="released"))


@posts("fatal", "rejected within the transaction, whose commit is then rejected with amqp:transaction:rollback, as Artemis does", True)
def _(peer, link, n, txn):
    peer.settle(link, n, state="rejected", error=wire.error("amqp:resource-limit-exceeded", "the queue is full"))
    txn.error = (ROLLBACK, "a message was refused")


@posts("detach", "with the first delivery in a transaction, detaches the link to the coordinator with amqp:transaction:rollback", True)
def _(peer, link, n, txn):
    peer.settle(link, n)
    if txn.link.attached:
        peer.detach(txn.link, ROLLBACK, "there was a deadlock")


posts("detach-link", "detaches the sender's link with amqp:transaction:rollback instead of answering; the commit is rejected", True)(
    lambda peer, link, n, txn: (peer.roll_back(txn, ROLLBACK, "there was a deadlock"), link.attached and peer.detach(link, ROLLBACK, "there was a deadlock")))
mode("txn-post-unsettled", "deliveries in a transaction get their outcome unsettled, and are settled with the commit", txn_outcome="unsettled")
mode("txn-post-late", "deliveries in a transaction get their outcome only before the answer of the commit", txn_outcome="late")
role("txn-post-after", "start", "deliveries in a transaction get their outcome after the answer of the commit")(lambda peer: setattr(peer, "txn_outcome", "after"))


# --- retiring and acquiring

mode("txn-settle-early", "settles what the client retires in a transaction at once, with its transactional-state, as Artemis does", txn_settle="early")
mode("txn-settle-late", "settles what was retired after the answer of the commit", txn_settle="late")
mode("txn-settle-never", "does not settle what was retired: the client has to", txn_settle="never")
role("txn-rollback-releases", "start", "a rollback settles, as released, what the client has retired and not settled")(
    lambda peer: setattr(peer, "txn_rollback", "release"))
mode("txn-acquire-refused", "detaches a receiver whose flow has a txn-id with amqp:not-implemented", txn_acquire=False)
role("txn-acquire-plain", "start", "passes over the txn-id of a flow")(lambda peer: setattr(peer, "txn_acquire", "plain"))


# --- discharge


def discharges(name, doc, legal=False, also_failed=True):
    """also_failed: a rollback that the client asks for is treated like a commit."""
    def add(function):
        def run(peer, link, n, p):
            if p.get("fail") and not also_failed:
                return False
            txn = peer.prepare(link, n, p)
            if txn is not None:
                function(peer, link, n, txn, p.get("fail", False))
            return True
        return role("txn-discharge-" + name, "discharge", doc, legal)(run)
    return add


def finish(peer, txn, fail):
    (peer.roll_back if fail or txn.error else peer.commit)(txn)


def after_end(what):
    """The transaction ends as it should, and is answered like this."""
    def run(peer, link, n, txn, fail):
        finish(peer, txn, fail)
        what(peer, link, n)
        peer.afterwards(txn)
    return run


def rolled_back(condition, text):
    def run(peer, link, n, txn, fail):
        peer.roll_back(txn)
        peer.settle(link, n, state="rejected", error=wire.error(condition, text) if condition else None)
    return run


discharges("rejected", "a commit is rejected with amqp:transaction:rollback; a rollback is well", True, False)(rolled_back(ROLLBACK, "there was a deadlock"))
discharges("timeout", "a commit is rejected with amqp:transaction:timeout; a rollback is well", True, False)(rolled_back(TIMEOUT, "it took too long"))
discharges("unknown", "a commit is rejected with amqp:transaction:unknown-id; a rollback is well", True, False)(rolled_back(UNKNOWN, "there is no such transaction"))
discharges("rejected-foreign", "a commit is rejected with amqp:internal-error, no error of transactions", False, False)(rolled_back("amqp:internal-error", "the disk is full"))
discharges("rejected-bare", "a commit is rejected, without an error", False, False)(rolled_back(None, None))
discharges("rejected-all", "commit and rollback are rejected with amqp:transaction:rollback")(rolled_back(ROLLBACK, "there was a deadlock"))
discharges("silent", "commits, or rolls back, and never answers a discharge")(after_end(lambda peer, link, n: None))
discharges("late", "answers a discharge after 500 ms", True)(
    lambda peer, link, n, txn, fail: soon(peer, link, 0.5, lambda: after_end(lambda peer, link, n: peer.settle(link, n))(peer, link, n, txn, fail)))
discharges("released", "a discharge is answered with released")(after_end(lambda peer, link, n: peer.settle(link, n, state="released")))
discharges("modified", "a discharge is answered with modified")(after_end(lambda peer, link, n: peer.settle(link, n, state="modified")))
discharges("declared", "a discharge is answered with declared")(after_end(lambda peer, link, n: peer.settle(link, n, state="declared", txn_id=b"1")))
discharges("no-state", "a discharge is settled without any state")(after_end(lambda peer, link, n: peer.settle(link, n, state=None)))
discharges("transactional", "a discharge is answered with a transactional-state, accepted")(
    lambda peer, link, n, txn, fail: after_end(lambda peer, link, n: within(peer, link, n, txn.id, outcome=make("accepted")))(peer, link, n, txn, fail))
discharges("twice", "each discharge is answered twice")(after_end(lambda peer, link, n: (peer.settle(link, n), peer.settle(link, n))))
discharges("unsettled", "a discharge is answered, not settled: the client has to settle", True)(after_end(lambda peer, link, n: peer.settle(link, n, settled=False)))
discharges("reversed", "answers the discharges that one read has brought, the last first", True)(
    after_end(lambda peer, link, n: peer.later.insert(0, lambda: peer.settle(link, n))))
discharges("cut", "commits, or rolls back, and closes the socket instead of answering")(after_end(lambda peer, link, n: peer.cut()))
discharges("reset", "commits, or rolls back, and resets the socket instead of answering")(after_end(lambda peer, link, n: peer.cut(reset=True)))
discharges("cut-before", "closes the socket with the discharge: rolls back")(lambda peer, link, n, txn, fail: (peer.roll_back(txn), peer.cut()))
discharges("close", "commits, or rolls back, and closes the connection with amqp:connection:forced instead of answering", True)(
    after_end(lambda peer, link, n: peer.close("amqp:connection:forced", "going down for maintenance")))
discharges("end", "rolls back, and ends the session with amqp:internal-error instead of answering", True)(
    lambda peer, link, n, txn, fail: (peer.roll_back(txn), peer.end(link.session, "amqp:internal-error", "no more")))
discharges("detach", "rolls back, and detaches the link to the coordinator with amqp:transaction:rollback instead of answering", True)(
    lambda peer, link, n, txn, fail: (peer.roll_back(txn), peer.detach(link, ROLLBACK, "there was a deadlock")))


# --- transactions that the server ends


def declared(name, doc, legal=True):
    """200 ms after a transaction was declared, if it is open yet."""
    def add(function):
        def run(peer, link, txn):
            soon(peer, link, 0.2, lambda: None if txn.over else function(peer, link, txn))
        return role("txn-" + name, "declared", doc, legal)(run)
    return add


declared("timeout", "200 ms after it was declared, a transaction is rolled back; what comes then is rejected with amqp:transaction:timeout")(
    lambda peer, link, txn: peer.roll_back(txn, TIMEOUT, "it took too long"))
declared("timeout-detach", "200 ms after it was declared, detaches the link to the coordinator with amqp:transaction:timeout")(
    lambda peer, link, txn: peer.detach(link, TIMEOUT, "it took too long"))
declared("detach", "200 ms after it was declared, detaches the link to the coordinator with amqp:transaction:rollback")(
    lambda peer, link, txn: peer.detach(link, ROLLBACK, "there was a deadlock"))
declared("detach-plain", "200 ms after it was declared, detaches the link to the coordinator without an error")(
    lambda peer, link, txn: peer.detach(link))
declared("end", "200 ms after it was declared, ends the session with amqp:internal-error")(
    lambda peer, link, txn: peer.end(link.session, "amqp:internal-error", "no more"))
declared("close", "200 ms after it was declared, closes the connection with amqp:connection:forced")(
    lambda peer, link, txn: peer.close("amqp:connection:forced", "going down for maintenance"))
declared("cut", "200 ms after it was declared, closes the socket", False)(lambda peer, link, txn: peer.cut())
