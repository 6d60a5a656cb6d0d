# SPDX-License-Identifier: Apache-2.0
"""The coordinator of the broker (part 4 of the specification): transactions, what is posted and retired in them, and what becomes of it.

A transaction lives on one connection. What is posted is in its queue after the commit only, all of it at once; what was retired and rolled back is in its
queue again, at its old place, if the client has settled it; else it stays with the client. Roles change this by the attributes that begin with txn_."""
from . import wire
from .checker import ids
from .wire import make

CAPABILITIES = ["amqp:local-transactions", "amqp:multi-txns-per-ssn", "amqp:multi-ssns-per-txn"]
EVERY_CAPABILITY = CAPABILITIES + ["amqp:distributed-transactions", "amqp:promotable-transactions"]
ROLLBACK, UNKNOWN, TIMEOUT = "amqp:transaction:rollback", "amqp:transaction:unknown-id", "amqp:transaction:timeout"


class Transaction:
    def __init__(self, id_, link):
        self.id, self.link = id_, link
        self.posts = {}  # (session, delivery-id) -> [link, delivery-id, data, settled by the client, outcome that it will have: name and fields]
        self.held = []  # outcomes of posts that are told later: functions
        self.after = []  # what is done once the discharge is answered
        self.retired = {}  # (session, delivery-id) -> Retired
        self.acquired = []  # (session, delivery-id, link, message, settled)
        self.over = None  # how it has ended
        self.error = None  # (condition, text) where the broker has ended it, or will not commit it


class Retired:
    def __init__(self, link, message, outcome, settled):
        self.link, self.message, self.outcome, self.settled = link, message, outcome, settled


def is_coordinator(link):
    return link.terminus is not None and link.terminus.name == "coordinator"


def control_of(data):
    """The declare or discharge of a message to a coordinator. Malformed where it is none."""
    bodies = [(code, body) for code, body in wire.sections(data) if 0x75 <= code <= 0x77]
    if len(bodies) != 1 or bodies[0][0] != 0x77:
        raise wire.Malformed("its body is not one amqp-value section")
    p = wire.Performative(bodies[0][1])
    if p.name not in ("declare", "discharge"):
        raise wire.Malformed(f"it has a {p.name}")
    return p


def txn_of(p):
    """The txn-id of the transactional-state in the state of a transfer or disposition, or None."""
    state = p.inner("state")
    return state.get("txn-id") if state is not None and state.name == "transactional-state" else None


def returns(outcome):
    """Whether a message with this outcome goes back to its queue."""
    return outcome is not None and outcome.name in ("released", "modified") and not (outcome.name == "modified" and outcome.get("undeliverable-here"))


class Coordinator:
    """Part of Peer."""

    txn_capabilities = CAPABILITIES
    txn_outcome = "settled"  # how posts are answered: settled; unsettled until the commit; late: before the discharge is answered; after: after that
    txn_settle = "commit"  # when retired deliveries are settled that the client has not: commit; early: at once; late: after the answer; never
    txn_rollback = "keep"  # what a rollback makes of those: keep: they stay with the client; release: they are settled, and in their queue again
    txn_acquire = True  # False: a flow with a txn-id detaches the link; "plain": it is passed over
    txn_id = None  # a function that makes the ids
    txn_time = 0  # seconds that a transaction may take

    def began_transactions(self):
        self.transactions = {}  # id -> Transaction, until it is discharged
        self.txn_time = self.settings.txn_timeout / 1000

    # --- messages to the coordinator

    def controlled(self, link, delivery):
        n = delivery["id"]
        if delivery["settled"]:
            self.detach(link, "amqp:not-allowed", "a message to the coordinator is not sent settled")
            return
        try:
            p = control_of(delivery["data"])
        except wire.Malformed as e:
            self.refuse(link, n, "amqp:decode-error", f"this is no declare and no discharge: {e}")
            return
        if not self.hook(p.name, link, n, p, link=link):
            (self.declare if p.name == "declare" else self.discharge)(link, n, p)

    def refuse(self, link, n, condition, text):
        """Rejected; where the source of the link does not know that, by a detach."""
        source = link.attach.inner("source")
        outcomes = source.fields.get("outcomes") if source is not None else None
        known = [outcomes.value] if outcomes is not None and outcomes.type == "symbol" else [v.value for v in outcomes.value[1]] if outcomes is not None else None
        if known is None or "amqp:rejected:list" in known:
            self.settle(link, n, state="rejected", error=wire.error(condition, text))
        else:
            self.detach(link, condition, text)

    def declare(self, link, n, p, settled=True):
        if "global-id" in p.fields and self.txn_capabilities is not EVERY_CAPABILITY:
            self.refuse(link, n, "amqp:not-implemented", "no distributed transactions here")
            return None
        txn = self.new_transaction(link)
        self.settle(link, n, state="declared", settled=settled, txn_id=txn.id)
        self.hook("declared", link, txn, link=link)
        return txn

    def new_transaction(self, link):
        number = self.queues.next_transaction()
        txn = Transaction((self.txn_id or (lambda number: b"txn\0" + number.to_bytes(4, "big")))(number), link)
        self.transactions[txn.id] = txn
        self.tell(txn, "declared")
        if self.txn_time:
            self.after(self.txn_time, lambda: self.roll_back(txn, TIMEOUT, "the transaction has taken too long"))
        return txn

    def tell(self, txn, what, **more):
        self.output.line(conn=self.number, transaction=txn.id.hex() if isinstance(txn.id, bytes) else str(txn.id), now=what, **more)

    def discharge(self, link, n, p):
        txn = self.prepare(link, n, p)
        if txn is None:
            return
        if p.get("fail"):
            self.roll_back(txn)
        elif txn.error:
            self.roll_back(txn)
            self.refuse(link, n, *txn.error)
            return
        else:
            self.commit(txn)
        self.settle(link, n)
        self.afterwards(txn)

    def prepare(self, link, n, p):
        """The transaction that a discharge names. None where it has none, or may not end it; then it is answered."""
        txn = self.transactions.pop(p.get("txn-id"), None)
        if txn is None:
            self.refuse(link, n, UNKNOWN, "there is no such transaction")
            return None
        for session in self.sessions.values():
            for one in session.links.values():
                if one.partial is not None and one.partial.get("txn") is txn:
                    self.roll_back(txn, ROLLBACK, "half of a delivery is in the transaction")
                    self.detach(link, ROLLBACK, "half of a delivery is in the transaction")
                    return None
        return txn

    def afterwards(self, txn):
        for function in txn.after:
            function()

    # --- the ends of a transaction

    def commit(self, txn):
        for function in txn.held:
            function()
        txn.over = "committed"
        posts = [(link.address, data) for link, n, data, settled, outcome in txn.posts.values() if outcome[0] == "accepted"]
        self.queues.put_all(posts)
        for link, n, data, settled, outcome in txn.posts.values():
            if not settled and self.txn_outcome == "unsettled" and link in link.session.links.values():
                self.settle(link, n, state=outcome[0], plain=True, **outcome[1])
        for (session, n), one in sorted(txn.retired.items(), key=lambda item: item[0][1], reverse=True):
            session.retiring.pop(n, None)
            if not one.settled and self.txn_settle in ("commit", "late"):
                session.unsettled.pop(n, None)
                function = lambda session=session, n=n, one=one: self.settle_ours(session, n, one.outcome.value)
                if self.txn_settle == "late":
                    txn.after.append(function)
                else:
                    function()
            if returns(one.outcome):
                self.take_back(one.link, one.message)
        self.let_go(txn)
        self.tell(txn, "committed", posted=len(posts), retired=len(txn.retired))

    def roll_back(self, txn, condition=None, text=None):
        """condition: where it is the broker that does it; the client learns it with its discharge."""
        if txn.over:
            return
        txn.over = "rolled back"
        if condition:
            txn.error = (condition, text)
            self.checker.rolled_back(txn.id)
        back = []
        for (session, n), one in txn.retired.items():
            session.retiring.pop(n, None)
            if one.settled:
                source = one.link.attach.inner("source")
                default = source.inner("default-outcome") if source is not None else None
                if default is None or returns(default):
                    back.append((n, one.link, one.message))
            elif self.txn_rollback == "release" and n in session.unsettled:
                del session.unsettled[n]
                self.settle_ours(session, n, make("released"))
                back.append((n, one.link, one.message))
        for session, n, link, message, settled in txn.acquired:
            if settled:
                self.queues.put(link.address, message, front=True)
            elif session.unsettled.pop(n, None):
                self.settle_ours(session, n, make("released"))
                back.append((n, link, message))
        for n, link, message in sorted(back, key=lambda one: one[0], reverse=True):
            self.take_back(link, message)
        self.let_go(txn)
        self.tell(txn, "rolled back", posted=len(txn.posts), retired=len(txn.retired), why=condition)

    def settle_ours(self, session, n, state):
        if session in self.sessions.values() and not session.ended and not self.ending and not self.closed:
            self.send("disposition", session.channel, role=False, first=n, settled=True, state=state)

    def let_go(self, txn):
        for session in self.sessions.values():
            for link in session.links.values():
                if link.txn is txn:
                    link.txn = None

    def controller_gone(self, which, condition=None):
        """Transactions of control links that are no more. condition: where it was the broker that has ended them."""
        for txn in list(self.transactions.values()):
            if which(txn.link):
                self.roll_back(txn, condition, "the control link is gone")
                if not condition:
                    self.transactions.pop(txn.id, None)

    # --- work within them

    def live(self, id_):
        txn = self.transactions.get(id_) if isinstance(id_, bytes) else None
        return txn if txn is not None and not txn.over else None

    def post(self, link, delivery):
        """A message of the client within a transaction."""
        txn, n = delivery["txn"], delivery["id"]
        if txn is None or txn.over:
            condition, text = txn.error if txn is not None and txn.error else (UNKNOWN, "there is no such transaction")
            if delivery["settled"]:
                self.detach(link, condition, text)
            else:
                self.settle(link, n, state="rejected", error=wire.error(condition, text))
            return
        link.session.posted[n] = txn
        txn.posts[link.session, n] = [link, n, delivery["data"], delivery["settled"], ("accepted", {})]
        if self.hook("post", link, delivery, txn, link=link) or self.hook("transfer", link, delivery, link=link):
            return
        if not delivery["settled"]:
            self.settle(link, n)

    def presume(self, txn, link, first, last, state, settled, fields):
        """The outcome that deliveries in a transaction will have."""
        for n in ids(first, last):
            one = txn.posts.get((link.session, n))
            if one is not None and state in ("accepted", "rejected", "released", "modified"):
                one[4] = (state, fields)
        send = lambda: self.settle(link, first, last, state="transactional-state", settled=settled and self.txn_outcome != "unsettled", plain=True,
                                   txn_id=txn.id, outcome=make(state, fields) if state else None)
        if self.txn_outcome == "late" and not txn.over:
            txn.held.append(send)
        elif self.txn_outcome == "after" and not txn.over:
            txn.after.append(send)
        else:
            send()

    def retire(self, p, session, state):
        """A disposition of the client within a transaction."""
        txn = self.transactions.get(state.get("txn-id"))
        first, last = p.get("first", 0), p.get("last", p.get("first", 0))
        outcome = state.fields.get("outcome")
        for n in ids(first, last):
            link, message = session.unsettled.get(n, (None, None))
            if link is None:
                continue
            if txn is None:
                if link.attached:
                    self.detach(link, UNKNOWN, "there is no such transaction")
                continue
            other = session.acquired.get(n)
            if other is not None and other is not txn and not other.over:
                text = "the outcome is of another transaction than the delivery"
                self.roll_back(txn, ROLLBACK, text)
                self.roll_back(other, ROLLBACK, text)
                self.detach(txn.link, ROLLBACK, text)
                return
            if p.get("settled"):
                del session.unsettled[n]
            if txn.over:
                if p.get("settled"):
                    self.take_back(link, message)
                continue
            before = session.retiring.get(n)
            if before is not None:
                before.retired.pop((session, n), None)
            session.retiring[n] = txn
            txn.retired[session, n] = one = Retired(link, message, wire.Performative(outcome) if outcome is not None else None, p.get("settled", False))
            if one.outcome is not None:
                one.outcome.value = outcome
            else:
                one.outcome = wire.Performative(wire.Reader(wire.enc(make("accepted"))).value())
                one.outcome.value = make("accepted")
            if not one.settled and self.txn_settle == "early":
                one.settled = True
                del session.unsettled[n]
                self.settle_ours(session, n, make("transactional-state", {"txn-id": txn.id, "outcome": outcome}))

    def unretire(self, session, n, settled, state):
        """What a disposition outside of a transaction does to a delivery that is retired within one. True where that is all."""
        txn = session.retiring.get(n)
        if txn is None:
            return False
        if state is None and settled:
            txn.retired[session, n].settled = True
            session.unsettled.pop(n, None)
            return True
        if state is not None:
            del session.retiring[n]
            del txn.retired[session, n]
        return False

    def leave(self, session, n):
        """A delivery whose link or session ends before it is settled: back to its queue, unless a transaction decides that."""
        link, message = session.unsettled.pop(n)
        txn = session.retiring.get(n)
        if txn is not None:
            txn.retired[session, n].settled = True
        else:
            self.take_back(link, message)

    def acquires(self, p, link):
        """Of a flow for a receiver: the transaction that it names. False where the link has gone for it."""
        named = [value.value for key, value in p.get("properties", []) if key.value == "txn-id"]
        if not named:
            return True
        if not self.txn_acquire:
            self.detach(link, "amqp:not-implemented", "no transactional acquisition here")
            return False
        link.txn = self.live(named[0])
        if link.txn is None:
            self.detach(link, UNKNOWN, "there is no such transaction")
            return False
        if self.txn_acquire == "plain":
            link.txn = None
        return True
