# SPDX-License-Identifier: Apache-2.0
"""The command line of fabric-lab."""

import argparse
import json
import os
import signal
import sys

from . import LabError, lab, netns, topology

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
    sub.add_argument("--mtu", type=num(*topology.MTUS), default=1500,
                     help="of the underlay (default: 1500)")
    sub.add_argument("--workload-mtu", type=num(576, 65535),
                     help="default: --mtu less the encapsulation")
    sub.add_argument("--system", default=None, metavar="SYSTEM[,SYSTEM...]",
                     help="%s; one for all hosts, or one for each (default: "
                     "weft)" % ", ".join(topology.SYSTEMS))
    sub.add_argument("--no-fabric", action="store_true",
                     help="the underlay only, same as --system raw")
    sub.add_argument("--bindir", metavar="DIR",
                     help="build directory or prefix of the Open vSwitch to "
                     "run (default: $FABRIC_BINDIR, or this tree's build)")
    sub.add_argument("--no-tso", dest="tso", action="store_false",
                     help="without userspace-tso-enable")
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
            "families": families, "mtu": args.mtu,
            "workload_mtu": args.workload_mtu, "systems": systems,
            "paths": args.paths, "probe_interval": args.probe_interval,
            "probe_multiplier": args.probe_multiplier,
            "bindir": args.bindir and os.path.abspath(args.bindir),
            "tso": args.tso and bool({"weft", "ovs"} & set(systems)),
            "options": args.options}


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
