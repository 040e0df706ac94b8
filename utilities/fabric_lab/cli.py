# SPDX-License-Identifier: Apache-2.0
"""The command line of fabric-lab."""

import argparse
import json
import os
import signal
import sys

from . import LabError, impair, lab, netns, topology

PROGRAM = "fabric-lab"


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message):
        sys.stderr.write("%s: %s (see --help)\n" % (self.prog, message))
        sys.exit(2)


def number(low, high, kind=int):
    def parse(text):
        try:
            value = kind(text)
        except ValueError:
            value = None
        # Written so that "nan" fails too.
        if value is None or not low <= value <= high:
            raise argparse.ArgumentTypeError(
                "'%s' is not a number from %s to %s" % (text, low, high))
        return value
    return parse


def setting(text):
    if "=" not in text:
        raise argparse.ArgumentTypeError("'%s' is not COLUMN:KEY=VALUE" % text)
    return text


def common():
    parser = Parser(add_help=False)
    parser.add_argument("--name", default=argparse.SUPPRESS,
                        help="which lab (default: lab); it prefixes the "
                        "names of the lab's namespaces")
    parser.add_argument("--rundir", default=argparse.SUPPRESS,
                        metavar="DIR", help="where labs keep their state, "
                        "sockets and logs (default: $FABRIC_LAB_RUNDIR, or "
                        + lab.DEFAULT_ROOT + ")")
    return parser


def build_parser():
    shared = common()
    parser = Parser(prog=PROGRAM, parents=[shared],
                    description="A leaf-spine underlay and its hosts in "
                    "network namespaces.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND",
                                     parser_class=Parser)
    commands.required = True

    def command(name, function, summary, **kwargs):
        sub = commands.add_parser(
            name, parents=[shared], help=summary,
            description=summary[0].upper() + summary[1:] + ".",
            formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs)
        sub.set_defaults(function=function)
        return sub

    add_up(command)
    sub = command("down", cmd_down, "remove a lab, whatever state it is in")
    sub.add_argument("--keep-logs", metavar="DIR",
                     help="copy databases and logs to DIR first")
    sub = command("status", cmd_status, "show nodes, daemons, addresses and "
                  "what is impaired")
    sub.add_argument("--json", action="store_true")
    sub = command("exec", cmd_exec, "run a command in a node; on hosts, "
                  "ovs-vsctl and the like find the host's switch")
    sub.add_argument("node", metavar="NODE")
    sub.add_argument("args", metavar="COMMAND", nargs=argparse.REMAINDER)
    add_impairments(command)
    command("wait", cmd_wait, "wait until all workloads reach each other"
            ).add_argument("--timeout", type=number(1, 3600), default=30)
    return parser


def add_up(command):
    sub = command("up", cmd_up, "make a lab (replaces one of the same name)",
                  epilog=topology.__doc__)
    num = number
    sub.add_argument("--hosts", type=num(1, topology.MAX_HOSTS), default=2)
    sub.add_argument("--leaves", type=num(0, topology.MAX_LEAVES), default=2)
    sub.add_argument("--spines", type=num(0, topology.MAX_SPINES), default=2)
    sub.add_argument("--tenants", type=num(0, topology.MAX_TENANTS),
                     help="networks with one workload on every host "
                     "(default: 1; 0 with --system raw)")
    sub.add_argument("--encap", choices=topology.ENCAPS, default="vxlan")
    group = sub.add_mutually_exclusive_group()
    group.add_argument("--ipv6", action="store_true",
                       help="an IPv6 underlay")
    group.add_argument("--dual-stack", action="store_true",
                       help="an underlay with both")
    sub.add_argument("--routed", action="store_true",
                     help="one tunnel address for each host, on its loopback "
                     "interface, reached over all uplinks (equal-cost "
                     "routes)")
    sub.add_argument("--mtu", type=num(*topology.MTUS), default=1500,
                     help="of the underlay (default: 1500)")
    sub.add_argument("--workload-mtu", type=num(576, 65535),
                     help="default: --mtu less the encapsulation")
    sub.add_argument("--system", default=None, metavar="SYSTEM[,SYSTEM...]",
                     help="%s; one for all hosts, or one for each (default: "
                     "weft); bare runs the switch without configuring it"
                     % ", ".join(topology.SYSTEMS))
    sub.add_argument("--no-fabric", action="store_true",
                     help="the underlay only, same as --system raw")
    sub.add_argument("--bindir", metavar="DIR",
                     help="build directory or prefix of the Open vSwitch to "
                     "run (default: $FABRIC_BINDIR, or this tree's build)")
    sub.add_argument("--no-tso", dest="tso", action="store_false",
                     help="without userspace-tso-enable")
    sub.add_argument("--no-fast-path", dest="fast_path",
                     action="store_false",
                     default="FABRIC_LAB_NO_FAST_PATH" not in os.environ,
                     help="weft forwards in userspace only; also if "
                     "$FABRIC_LAB_NO_FAST_PATH is set")
    sub.add_argument("--set", dest="options", type=setting, action="append",
                     default=[], metavar="COLUMN:KEY=VALUE",
                     help="set in table Open_vSwitch before the switch "
                     "starts")
    sub.add_argument("--paths", type=num(1, 64), metavar="N",
                     help="paths_per_remote of the fabric")
    sub.add_argument("--probe-interval", type=num(1, 60000), metavar="MS")
    sub.add_argument("--probe-multiplier", type=num(1, 255), metavar="N")
    sub.add_argument("--timeout", type=num(1, 3600), default=30,
                     help="how long to wait for the workloads to reach each "
                     "other (default: 30 s)")
    sub.add_argument("--keep", action="store_true",
                     help="leave a lab that does not come up as it is")


TARGETS = """
A TARGET is link:A:B, both ways or with --oneway only from A to B (B is a node,
or the number of an uplink: link:h1:2, link:leaf1:spine2), or a node: all that
enters it, or for a host all that enters or leaves it.
"""


def add_impairments(command):
    def impairment(name, summary):
        sub = command(name, cmd_impair, summary, epilog=TARGETS)
        sub.add_argument("target", metavar="TARGET")
        sub.add_argument("--oneway", action="store_true",
                         help="of a link, only from A to B")
        return sub

    def matches(sub):
        sub.add_argument("--larger", type=number(0, 65535), metavar="BYTES",
                         help="only IP packets longer than BYTES")
        sub.add_argument("--dscp", type=number(0, 63), metavar="DSCP",
                         help="only packets with this code point")
        sub.add_argument("--match", metavar="EXPRESSION",
                         help="only what this nftables expression matches, "
                         "such as 'udp sport 50000'")
        return sub

    percent = number(0.001, 100, float)
    millis = number(0, 60000, float)
    sub = matches(impairment("fail", "silently drop everything; the carrier "
                             "stays up"))
    sub.add_argument("--carrier", action="store_true",
                     help="take the carrier away instead")
    sub = matches(impairment("loss", "drop some packets at random"))
    sub.add_argument("percent", type=percent, metavar="PERCENT")
    sub = matches(impairment("ce", "mark some ECN-capable packets Congestion "
                             "Experienced"))
    sub.add_argument("percent", type=percent, metavar="PERCENT")
    sub = impairment("rate", "limit the rate of interfaces (tbf)")
    sub.add_argument("rate", metavar="RATE", help="such as 100mbit")
    sub.add_argument("--burst", type=number(2000, 10**8), metavar="BYTES",
                     help="default: 4 ms at RATE, at least 20000")
    sub.add_argument("--latency", type=number(1, 10000), metavar="MS",
                     default=50, help="how long a packet may queue "
                     "(default: 50)")
    sub = impairment("delay", "delay packets, by way of fabric-relay")
    sub.add_argument("delay", type=millis, metavar="MS")
    sub.add_argument("--jitter", type=millis, metavar="MS",
                     help="up to so much more or less, in order")
    sub.add_argument("--loss", type=percent, metavar="PERCENT")
    sub.add_argument("--reorder", type=percent, metavar="PERCENT",
                     help="of packets that are not delayed")
    sub.add_argument("--limit", type=number(1, 10**6), metavar="PACKETS",
                     help="that may wait (default: 100000)")
    sub = command("heal", cmd_heal, "undo fail, loss, ce, rate and delay")
    sub.add_argument("target", metavar="TARGET", nargs="?",
                     help="as given before (default: everything)")
    sub.add_argument("--kind", choices=impair.KINDS,
                     help="only this kind")


# Commands.

def open_lab(args):
    return lab.Lab(getattr(args, "name", "lab"), getattr(args, "rundir", None))


def up_options(args):
    systems = (args.system or "weft").split(",")
    if args.no_fabric:
        if args.system not in (None, "raw"):
            raise LabError("--no-fabric and --system %s contradict each other"
                           % args.system)
        systems = ["raw"]
    tenants = args.tenants
    if tenants is None:
        tenants = 0 if "raw" in systems else 1
    families = [4, 6] if args.dual_stack else [6] if args.ipv6 else [4]
    return {"hosts": args.hosts, "leaves": args.leaves,
            "spines": args.spines, "tenants": tenants, "encap": args.encap,
            "families": families, "routed": args.routed, "mtu": args.mtu,
            "workload_mtu": args.workload_mtu, "systems": systems,
            "paths": args.paths, "probe_interval": args.probe_interval,
            "probe_multiplier": args.probe_multiplier,
            "bindir": args.bindir and os.path.abspath(args.bindir),
            "tso": args.tso and bool(set(topology.SWITCHES) & set(systems)),
            "fast_path": args.fast_path, "options": args.options}


def cmd_up(args):
    the_lab = open_lab(args)
    with the_lab.lock():
        try:
            the_lab.up(up_options(args))
            the_lab.wait_ready(args.timeout)
        except BaseException:
            if the_lab.replaced and not args.keep:
                the_lab.down()
            raise
    return 0


def cmd_down(args):
    the_lab = open_lab(args)
    with the_lab.lock():
        if not the_lab.down(args.keep_logs):
            sys.stderr.write("%s: lab '%s' was not up\n"
                             % (PROGRAM, the_lab.name))
    return 0


def cmd_wait(args):
    open_lab(args).load().wait_ready(args.timeout)
    return 0


def impairment_of(args, topo):
    """What the user wants, as kept in the state file."""
    entry = {"kind": args.command}
    entry.update(impair.canonical(topo, args.target, args.oneway))
    for option in ("larger", "dscp", "match", "percent"):
        if getattr(args, option, None) is not None:
            entry[option] = getattr(args, option)
    if args.command == "fail" and args.carrier:
        if args.oneway or len(entry) > 3:
            raise LabError("--carrier cannot be combined with other options")
        entry["kind"] = "carrier"
    if args.command == "rate":
        entry["rate"] = impair.parse_rate(args.rate)
        entry["burst"] = args.burst or max(20000, entry["rate"] // 8 // 250)
        entry["latency"] = args.latency
    if args.command == "delay":
        relay = {"delay": args.delay * 1000}
        if args.jitter is not None:
            relay["jitter"] = args.jitter * 1000
        for knob in ("loss", "reorder", "limit"):
            if getattr(args, knob) is not None:
                relay[knob] = getattr(args, knob)
        entry["relay"] = relay
    return entry


def cmd_impair(args):
    the_lab = open_lab(args)
    with the_lab.lock():
        impairer = impair.Impairer(the_lab.load())
        impairer.add(impairment_of(args, the_lab.topo))
    return 0


def cmd_heal(args):
    the_lab = open_lab(args)
    with the_lab.lock():
        impair.Impairer(the_lab.load()).heal(args.target, args.kind)
    return 0


def cmd_exec(args):
    the_lab = open_lab(args).load()
    node = the_lab.topo.check_node(args.node)
    command = args.args[1:] if args.args[:1] == ["--"] else args.args
    if not command:
        raise LabError("exec: no command given")
    env = dict(os.environ)
    if node in the_lab.topo.hosts:
        env.update(the_lab.host(node).env())
    command = netns.ns_args(the_lab.name, node) + command
    os.execvpe(command[0], command, env)


def cmd_status(args):
    status = open_lab(args).load().status()
    if args.json:
        print(json.dumps(status, indent=1))
    else:
        print_status(status)
    return 0 if status["healthy"] else 1


def print_status(status):
    print("lab %s: %s" % (status["name"], "healthy" if status["healthy"]
                          else "NOT healthy"))
    for node in status["nodes"]:
        words = ["  %-8s" % node["node"]]
        if not node["present"]:
            words.append("MISSING")
        if "system" in node:
            words.append("%-12s" % node["system"])
        words.append(" ".join(node.get("addresses", [])))
        if "vni" in node:
            words.append("VNI %d" % node["vni"])
        for daemon, pid in node.get("daemons", {}).items():
            words.append("%s %s" % (daemon, pid or "DEAD"))
        print(" ".join(words).rstrip())
    for entry in status["impairments"]:
        print("  impaired: " + describe(entry))


def describe(entry):
    words = [entry["kind"], entry["target"]]
    for name, value in entry.items():
        if name == "relay":
            words += ["%s=%g" % item for item in sorted(value.items())]
        elif name not in ("kind", "target", "sender"):
            words.append("%s=%s" % (name, value))
    if entry["sender"]:
        words.append("only from " + entry["sender"])
    return " ".join(words)


def main(argv=None):
    # So that an interrupted 'up' removes what it made.
    def stop(signum, frame):
        raise LabError("interrupted")
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, stop)

    args = build_parser().parse_args(argv)
    try:
        return args.function(args)
    except BrokenPipeError:
        return 1
    except (LabError, OSError) as e:
        sys.stderr.write("%s: %s\n" % (PROGRAM, e))
        return 1
