#! /usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Stands in for ovs-vswitchd: replies to fabric/... on a control socket.

    fabric-fake.py make DIR [KEY=VALUE]...   makes up a fabric
    fabric-fake.py serve SOCKET DIR          replies what is in DIR

DIR has a file for each command, fabric-show.json and so on, which is read at
each request, so that it can be changed or removed (then the command is
unknown).  A file DIR/silent makes it reply nothing at all.
"""

import json
import os
import selectors
import socket
import sys

COMMANDS = ["fabric/show", "fabric/endpoints", "fabric/paths", "fabric/stats"]
STATES = ["unknown", "up", "degraded", "down", "drained"]


def counted(paths):
    return {state: sum(p["state"] == state for p in paths) for state in STATES}


def make_paths(index, settings):
    """Returns the paths to endpoint 'index', of which the first
    settings["bad"] are not well, each in another way."""
    v6, spines = settings["ipv6"], settings["spines"]
    paths = []
    for local in range(2):
        for remote in range(2):
            for port in range(settings["ports"]):
                spine = port % (spines or 4) + 1
                kind = index % 4 if index < settings["bad"] else None
                state = "up"
                if kind == 0 and spine == 2:
                    state = "down"
                elif kind == 1 and local == 1:
                    state = "degraded"
                elif kind == 2:
                    state = "down"
                elif kind == 3 and port == 0:
                    state = "drained" if local else "degraded"
                ip = "fd00:10:%x::%x" if v6 else "10.%d.%d.1"
                path = {
                    "fabric": settings["fabric"],
                    "endpoint": settings["name"] % (index + 1),
                    "local_ip": ip % (local + 1, 1),
                    "remote_ip": ip % (remote + 1, index + 2),
                    "src_port": 61440 + port, "state": state,
                    "state_ms": 1500 * (index + 1),
                    "share_percent": 0 if state == "down" else 6.25,
                    "rtt_us": 150 + 7 * index + port,
                    "rtt_min_us": 120, "rtt_smoothed_us": 140 + 9 * index,
                    "rtt_p99_us": 900, "jitter_us": 12,
                    "loss_ppm": {"degraded": 12345, "down": 1000000}.get(
                        state, 0),
                    "tx_packets": 1000 * (index + 1), "tx_bytes": 100000,
                    "rx_packets": 2000, "rx_bytes": 200000,
                    "probe_tx": 500, "probe_rx": 499, "probe_lost": 1,
                    "n_down": 0, "n_degraded": 0, "mtu": 1500, "weight": 256,
                }
                if state == "degraded":
                    path["reasons"] = ["loss", "data-loss"]
                if spines:
                    hop = "fd00:ff:%x::%x" if v6 else "172.16.%d.%d"
                    path["hops"] = [hop % (local + 1, 1), hop % (9, spine),
                                    hop % (100 + index // 4 % 4, remote + 1)]
                paths.append(path)
    return paths


def make(directory, words):
    settings = {"fabric": "fab0", "name": "h%d", "endpoints": 2, "bad": 0,
                "ports": 4, "spines": 0, "ipv6": 0}
    for word in words:
        key, value = word.split("=", 1)
        settings[key] = type(settings[key])(value)
    paths, endpoints = [], []
    for index in range(settings["endpoints"]):
        own = make_paths(index, settings)
        paths += own
        endpoints.append({
            "fabric": settings["fabric"], "active": True, "id": index + 1,
            "endpoint": settings["name"] % (index + 1),
            "remote_ips": sorted({path["remote_ip"] for path in own}),
            "n_paths": len(own), "paths": counted(own), "tx_no_live_path": 0,
            "usable_paths": sum(p["state"] not in ("down", "drained")
                                for p in own),
            **{key: sum(p[key] for p in own) for key in (
                "tx_packets", "tx_bytes", "rx_packets", "rx_bytes")}})
    show = [{
        "name": settings["fabric"], "active": True, "encap": "vxlan",
        "uplink": "udp", "fast_path": {"in": "kernel", "n_flows": 12,
                                       "n_userspace_flows": 3},
        "local_ips": sorted({path["local_ip"] for path in paths}),
        "n_endpoints": len(endpoints), "n_paths": len(paths),
        "paths": counted(paths), "usable_paths": len(paths),
        "probe": {"interval_ms": 100}}]
    stats = [{"drop": "rx-truncated", "packets": 5, "meaning": "too short"}]
    os.makedirs(directory, exist_ok=True)
    for command, rows in zip(COMMANDS, (show, endpoints, paths, stats)):
        with open(file_of(directory, command), "w", encoding="utf-8") as f:
            json.dump(rows, f)


def file_of(directory, command):
    return os.path.join(directory, command.replace("/", "-") + ".json")


def reply_to(request, directory):
    if request["method"] == "set-options":
        return {"result": "", "error": None, "id": request["id"]}
    try:
        with open(file_of(directory, request["method"]),
                  encoding="utf-8") as f:
            result = json.load(f)
    except OSError:
        return {"result": None, "error": "not a valid command\n",
                "id": request["id"]}
    if request["method"] == "fabric/paths" and request["params"]:
        result = [row for row in result if request["params"][0] in (
            row["endpoint"], row["fabric"] + "/" + row["endpoint"])]
    return {"result": result, "error": None, "id": request["id"]}


def serve(name, directory):
    """Each request is complete within one message of a client of ours."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(name)
    listener.listen()
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                selector.register(listener.accept()[0], selectors.EVENT_READ)
                continue
            data = key.fileobj.recv(65536)
            if not data:
                selector.unregister(key.fileobj)
                key.fileobj.close()
            elif not os.path.exists(os.path.join(directory, "silent")):
                reply = reply_to(json.loads(data), directory)
                key.fileobj.sendall(json.dumps(reply).encode())


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(sys.argv[2], sys.argv[3:])
    else:
        serve(sys.argv[2], sys.argv[3])
