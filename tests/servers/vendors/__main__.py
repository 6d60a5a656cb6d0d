# SPDX-License-Identifier: Apache-2.0
"""python3 -m vendors PORT DIR TLS_DIR: all stand-ins; see common.py. Ports that DIR/vendors.json has from an earlier start are used again."""
import json
import pathlib
import sys
import threading

from .billwerk import Billwerk
from .common import Answer, Port, Vendor, route, tls_context
from .dataverse import Dataverse
from .salesforce import Salesforce
from .sap import Sap
from .servicenow import ServiceNow
from .sewio import Sewio
from .zeyos import Zeyos


class Directory(Vendor):
    """Answers GET / with vendors.json; what is told to it is told to all, and its log has all of theirs."""

    name = "directory"

    def __init__(self, vendors):
        self.vendors = vendors
        super().__init__()

    @route("GET", "/")
    def all(self, _):
        return Answer(200, {vendor.name: {"ports": vendor.ports, "about": vendor.about, "login": vendor.login} for vendor in self.vendors})

    def control(self, knobs):
        return [vendor.control(knobs) for vendor in self.vendors][-1]

    def story(self):
        return {vendor.name: vendor.story() for vendor in self.vendors}


port, folder, context = int(sys.argv[1]), pathlib.Path(sys.argv[2]), tls_context(sys.argv[3])
file = folder / "vendors.json"
earlier = json.loads(file.read_text()) if file.exists() else {}
vendors = [kind() for kind in (Billwerk, Dataverse, Salesforce, Sap, ServiceNow, Sewio, Zeyos)]
for vendor in vendors:
    for origin in vendor.origins:
        Port(vendor, origin, earlier.get(vendor.name, {}).get("ports", {}).get(origin, 0), context)
directory = Directory(vendors)
(folder / "vendors.new").write_text(json.dumps(directory.all(None).body, indent=2) + "\n")
(folder / "vendors.new").rename(file)
Port(directory, "api", port, context)
threading.Event().wait()
