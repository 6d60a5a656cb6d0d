# SPDX-License-Identifier: Apache-2.0
"""amqpraw.py PORT CONTROL_PORT [ROLE]: see amqpraw.sh.   --probe PORT MECHANISM USER PASSWORD: whether an AMQP 1.0 server is there.   --roles: names them."""
import os
import sys

from amqp import broker, roles, txnroles, wsroles  # noqa: F401 (those two add roles)


def main():
    if sys.argv[1] == "--probe":
        return 0 if broker.probe(int(sys.argv[2]), *sys.argv[3:6]) else 1
    if sys.argv[1] == "--roles":
        for name, r in roles.ROLES.items():
            print(f"{name:26} {'legal ' if r.legal else 'breach'} {r.doc}")
        return 0
    name = sys.argv[3] if len(sys.argv) > 3 else os.environ.get("AMQP_ROLE", "broker")
    if name not in roles.ROLES:
        print(f"amqpraw.py has no role {name}; amqpraw.py --roles names them", file=sys.stderr)
        return 2
    broker.serve(int(sys.argv[1]), int(sys.argv[2]), name, roles.ROLES)
    return 0


sys.exit(main())
