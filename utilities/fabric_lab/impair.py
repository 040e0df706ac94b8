# SPDX-License-Identifier: Apache-2.0
"""What can be wrong with an underlay: failures, loss, marking, rate, delay.

The state file lists all impairments.  apply() makes the network match the
list, from scratch where that is simple (the nftables rules of a router are
replaced in one transaction), by difference where it would disturb traffic
(relays, queueing disciplines).  So healing is removing from the list.

An impairment has a target: a link, "link:A:B", in both directions or in the
one from A to B; or a node, which means all that enters it (all its links both
ways for a host, whose own network stack should notice nothing).  A segment is
one direction of a link: (link, node that sends).

Rules sit on routers, never on hosts, since a packet socket sees a packet
before nftables does.  Those for a router sit on it, so that all its links fail
in one transaction.  Neighbour discovery is spared, or else the router would
notice and tell the sender.
"""

import os
import re
import signal

from . import LabError, netns, switch, underlay

KINDS = ("fail", "carrier", "loss", "ce", "rate", "delay")
NFT_KINDS = ("fail", "loss", "ce")

TABLE = "fabric_lab"
SPARE = ("icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, "
         "nd-router-advert } accept")

UNITS = {"bit": 1, "kbit": 10**3, "mbit": 10**6, "gbit": 10**9}


def parse_rate(text):
    """'text', such as "100mbit", in bit/s."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(bit|kbit|mbit|gbit)",
                         text.lower())
    rate = float(match.group(1)) * UNITS[match.group(2)] if match else 0
    if not 8000 <= rate <= 100 * 10**9:
        raise LabError("'%s' is not a rate from 8kbit to 100gbit, such as "
                       "100mbit" % text)
    return int(rate)


def key(entry):
    return tuple(entry.get(k) for k in ("kind", "target", "sender", "match"))


def canonical(topo, target, oneway=False):
    """({"target", "sender"} as an entry has them).  A link is named in one
    way only; 'sender' is the node that sends if only that direction is meant,
    else None."""
    sender = None
    if target.startswith("link:"):
        link, first = topo.find_link(target)
        target = link.name
        sender = first if oneway else None
    elif topo.check_node(target) not in topo.hosts + topo.routers:
        raise LabError("%s is a workload; give a host, a router or a link"
                       % target)
    elif oneway:
        raise LabError("--oneway needs a link, such as link:h1:2")
    if not topo.leaves:
        raise LabError("hosts wired back to back have nothing in the middle "
                       "to impair")
    return {"target": target, "sender": sender}


def segments(topo, entry):
    """The (link, sender) that 'entry' is about."""
    target = entry["target"]
    if target.startswith("link:"):
        link, _ = topo.find_link(target)
        return [(link, end.node) for end in (link.a, link.b)
                if entry["sender"] in (None, end.node)]
    links = topo.links_of(target)
    if target in topo.hosts:
        return [(l, end.node) for l in links for end in (l.a, l.b)]
    if entry["kind"] == "rate":
        return [(l, target) for l in links]
    return [(l, l.peer(target).node) for l in links]


# The state of the network that a list of impairments calls for.

class Plan:
    def __init__(self, topo, impairments):
        self.topo = topo
        self.rules = {}         # {router: {"in" or "out": [rule]}}
        self.relays = {}        # {link name: {"ab" or "ba": {knob: value}}}
        self.rates = {}         # {(node, device): entry}
        self.down = {}          # {link name: link}
        self.wire = False       # Must packets be as they are on a wire?
        # Relays first: they decide which device carries the addresses.
        for entry in sorted(impairments, key=lambda e: e["kind"] != "delay"):
            for link, sender in segments(topo, entry):
                getattr(self, "_" + entry["kind"])(entry, link, sender)

    def device(self, link, node):
        """The device by which 'node' sends to 'link'."""
        end = link.end(node)
        if link.name in self.relays and end is link.b:
            return "d-" + end.dev
        return end.dev

    def devices(self, router):
        """{name: device in its place} of the links with relays."""
        return {l.b.dev: self.device(l, router)
                for l in self.topo.links_of(router)
                if l.b.node == router and l.name in self.relays}

    def _delay(self, entry, link, sender):
        way = "ba" if sender == link.b.node else "ab"
        self.relays.setdefault(link.name, {})[way] = entry["relay"]
        self.wire = True

    def _carrier(self, entry, link, sender):
        self.down[link.name] = link

    def _rate(self, entry, link, sender):
        self.rates[(sender, self.device(link, sender))] = entry

    def _rule(self, entry, link, sender, action):
        router = (entry["target"] if entry["target"] in self.topo.routers
                  else link.b.node)
        dev = self.device(link, router)
        hook, match = (("out", "oifname") if sender == router
                       else ("in", "iifname"))
        rules = self.rules.setdefault(router, {"in": [], "out": []})
        rules[hook].append('%s "%s" %s' % (match, dev, action))

    def _matches(self, entry):
        """nft expressions for the packets that 'entry' is about."""
        common = []
        if entry.get("larger") is not None:
            common.append("meta length > %d" % entry["larger"])
        if entry.get("match"):
            common.append(entry["match"])
        chance = ""
        if entry.get("percent", 100) < 100:
            self.wire = True
            chance = "numgen random mod 100000 < %d " % round(
                entry["percent"] * 1000)
        if entry.get("dscp") is not None:
            heads = ["%s dscp %d" % (f, entry["dscp"]) for f in ("ip", "ip6")]
        else:
            heads = [""]
        return [" ".join([head] + common + [chance]) for head in heads]

    def _fail(self, entry, link, sender):
        for match in self._matches(entry):
            self._rule(entry, link, sender, match + "counter drop")

    _loss = _fail

    def _ce(self, entry, link, sender):
        for family in ("ip", "ip6"):
            for match in self._matches(entry):
                self._rule(entry, link, sender, "%s ecn { ect0, ect1 } %s"
                           "counter %s ecn set ce" % (family, match, family))


def ruleset(rules):
    """A file for nft -f that replaces our table by 'rules' at once."""
    lines = ["table inet %s { }" % TABLE, "delete table inet %s" % TABLE]
    if rules:
        lines.append("table inet %s {" % TABLE)
        for chain, hook, priority in (("in", "prerouting", -310),
                                      ("out", "postrouting", 310)):
            lines.append("chain %s { type filter hook %s priority %d; "
                         "policy accept; %s"
                         % ("fail_" + chain, hook, priority, SPARE))
            lines += rules[chain]
            lines.append("}")
        lines.append("}")
    return "\n".join(lines) + "\n"


class Impairer:
    """Changes the impairments of the (loaded, locked) 'lab'."""

    def __init__(self, lab):
        self.lab = lab
        self.name = lab.name
        self.topo = lab.topo

    def add(self, entry):
        old = self.lab.impairments
        self.change([e for e in old if key(e) != key(entry)] + [entry])

    def heal(self, target=None, kind=None):
        old = self.lab.impairments
        target = target and canonical(self.topo, target)["target"]
        keep = [e for e in old if (target and e["target"] != target)
                or (kind and e["kind"] != kind)]
        if target and len(keep) == len(old):
            raise LabError("nothing is impaired at %s; see 'status'" % target)
        self.change(keep)

    def change(self, impairments):
        old = self.lab.impairments
        old_plan = Plan(self.topo, old)
        plan = Plan(self.topo, impairments)
        # What is saved before it is done can be healed if we are killed.
        self.lab.impairments = impairments
        self.lab.save()
        try:
            self.apply(old_plan, plan)
        except LabError:
            self.lab.impairments = old
            self.apply(plan, old_plan)
            self.lab.save()
            raise

    def apply(self, old, new):
        if old.wire != new.wire:
            underlay.segment_early(self.topo, self.name, new.wire)
        self.apply_relays(old, new)
        self.apply_carrier(old, new)
        for node, dev in set(old.rates) - set(new.rates):
            self.run(node, ["tc", "qdisc", "del", "dev", dev, "root"],
                     check=False)
        for (node, dev), entry in new.rates.items():
            self.run(node, ["tc", "qdisc", "replace", "dev", dev, "root",
                            "tbf", "rate", "%dbit" % entry["rate"],
                            "burst", str(entry["burst"]),
                            "latency", "%dms" % entry["latency"]])
        for router in set(old.rules) | set(new.rules):
            done = self.run(router, ["nft", "-f", "-"], check=False,
                            stdin=ruleset(new.rules.get(router)))
            if done.returncode:
                raise LabError("nft refuses the rules: "
                               + done.stderr.split("Error: ")[-1]
                               .split("\n")[0])

    def run(self, node, args, **kwargs):
        return netns.ns_run(self.name, node, args, **kwargs)

    def apply_carrier(self, old, new):
        batch = netns.Batch(self.name)
        raised = set()
        for name in set(old.down) - set(new.down):
            link = old.down[name]
            for dev in {link.b.dev, new.device(link, link.b.node)}:
                batch.add(link.b.node, "link set %s up" % dev)
            raised.add(link.b.node)
        for link in new.down.values():
            for dev in {link.b.dev, new.device(link, link.b.node)}:
                batch.add(link.b.node, "link set %s down" % dev)
        batch.run()
        for router in raised:
            underlay.configure_router(self.topo, self.name, router,
                                      new.devices(router), new.down)

    # Relays.  X is the router's end of a link.  While there is a relay, X is
    # the wire only, D-X has its address, and the relay connects X and R-X,
    # the other end of D-X.

    def apply_relays(self, old, new):
        replugged = set()
        for link in self.topo.links:
            before = old.relays.get(link.name)
            after = new.relays.get(link.name)
            if before == after:
                continue
            if before:
                self.stop_relay(link)
            if bool(before) != bool(after):
                replugged.add(link.b.node)
                if after:
                    self.insert_relay(link)
                else:
                    self.extract_relay(link)
            if after:
                self.start_relay(link, after)
        for router in replugged:
            underlay.configure_router(self.topo, self.name, router,
                                      new.devices(router), old.down)

    def pidfile(self, link):
        return os.path.join(self.lab.dir, "relay-%s-%s.pid"
                            % (link.b.node, link.b.dev))

    def start_relay(self, link, ways):
        program = switch.find_tool("fabric-relay", self.topo.opts["bindir"])
        args = [program, "--detach", "--pidfile=" + self.pidfile(link),
                "--log=" + self.pidfile(link)[:-3] + "log"]
        for way, knobs in ways.items():
            args.append("--%s=%s" % (way, ",".join(
                "%s=%g" % item for item in sorted(knobs.items()))))
        netns.ns_daemon(self.name, link.b.node, args
                        + [link.b.dev, "r-" + link.b.dev])

    def stop_relay(self, link):
        try:
            with open(self.pidfile(link)) as f:
                pid = int(f.read())
        except (OSError, ValueError):
            return
        if pid in netns.ns_pids(self.name, [link.b.node]):
            os.kill(pid, signal.SIGTERM)
            if netns.wait_exit([pid], 2):
                os.kill(pid, signal.SIGKILL)
        os.unlink(self.pidfile(link))

    def insert_relay(self, link):
        node, dev = link.b.node, link.b.dev
        mac = self.mac(node, dev)
        self.run(node, ["sh", "-ec", """
            ip link del d-$0 2>/dev/null || :
            ip link add d-$0 mtu $1 type veth peer name r-$0 mtu $1
            ip link set r-$0 arp off up
            ip link set $0 arp off address 02:00:00:00:ff:ff
            ip link set d-$0 address $2 up
            ip addr flush dev $0 scope global""",
            dev, str(self.topo.opts["mtu"]), mac])

    def extract_relay(self, link):
        node, dev = link.b.node, link.b.dev
        mac = self.mac(node, "d-" + dev)
        self.run(node, ["sh", "-ec", """
            ip link del d-$0
            ip link set $0 arp on address $1
            ip neigh flush dev $0 nud all""", dev, mac])

    def mac(self, node, dev):
        return self.run(node, ["cat", "/sys/class/net/%s/address"
                               % dev]).stdout.strip()
