#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rules and packets drawn at random, for what must not depend on who forwards.

    fabric-draw.py rules SEED             print OpenFlow rules for a host
    fabric-draw.py send SEED [MTU]        send packets on eth0
    fabric-draw.py send-cut SEED [MTU]    the same, as on a wire
    fabric-draw.py receive SEED FILE      write what arrives on eth0 to FILE

Packets leave as a workload's kernel would give them to its interface: some
with their checksum left to be computed, some as super-frames of TCP or of UDP.
What arrives is written as it would be on a wire, a packet a line: super-frames
cut, checksums filled in, so that it does not matter where along the way that
was done.  Every packet is sent several times; all but the first may find their
flow in the kernel, so the first time is not written."""

import random
import socket
import struct
import sys
import time

ROUNDS, PACKETS, RULES = 4, 150, 25
V4 = [["10.0.%d.%d" % (i, j) for j in range(1, 4)] for i in range(2)]
V6 = [["fd02::%d:%d" % (i, j) for j in range(1, 4)] for i in range(2)]
PORTS = [1000, 1001, 4096, 65535]
TOS = [0, 1, 2, 3, 0xb8, 0x2e]
TTL = [1, 2, 64, 255]
MACS = ["02:00:00:00:00:%02x" % i for i in (2, 9)]
ETH = bytes.fromhex("020000000002020000000001")
TCP, UDP = 6, 17
FABRIC = "fabric_output(port=100,endpoint=2,vni=100)"

# A frame that tells that a round of packets is over.
END = b"\x88\xb5weftends"

# From linux/virtio_net.h: struct virtio_net_hdr, on this machine.
VNET = struct.Struct("=BBHHHH")
NEEDS_CSUM = 1
GSO_TCPV4, GSO_TCPV6, GSO_UDP_L4, GSO_ECN = 1, 4, 5, 0x80

# From linux/if_packet.h.
SOL_PACKET, PACKET_AUXDATA, PACKET_VNET_HDR = 263, 8, 15
PACKET_OUTGOING = 4
TP_STATUS_VLAN_VALID, TP_STATUS_VLAN_TPID_VALID = 0x10, 0x40
SO_SNDBUFFORCE, SO_RCVBUFFORCE = 32, 33


class Draw:
    def __init__(self, seed):
        self.r = random.Random(seed)

    # Rules.

    def match(self, proto, v6):
        r = self.r
        match = [proto + ("6" if v6 and proto != "ip" else "v6" if v6
                          else "")]
        src, dst, pools = (("ipv6_src", "ipv6_dst", V6) if v6
                           else ("nw_src", "nw_dst", V4))
        if r.random() < 0.5:
            match.append("%s=%s" % (src, r.choice(pools[0])))
        if r.random() < 0.5:
            match.append("%s=%s%s" % (
                dst, r.choice(pools[1]),
                "" if r.random() < 0.5 else "/112" if v6 else "/30"))
        if proto in ("tcp", "udp") and r.random() < 0.5:
            match.append("tp_%s=%d" % (r.choice(["src", "dst"]),
                                       r.choice(PORTS)))
        if r.random() < 0.2:
            match.append("nw_tos=%d" % (r.choice(TOS) & 0xfc))
        if r.random() < 0.2:
            match.append("nw_ttl=%d" % r.choice(TTL))
        return match

    def changes(self, proto, v6, vlan):
        r = self.r
        src, dst, pools = (("ipv6_src", "ipv6_dst", V6) if v6
                           else ("nw_src", "nw_dst", V4))
        sets = []
        for action in r.sample(range(8), r.randrange(4)):
            if action == 0:
                sets.append("set_field:%s->%s" % (r.choice(pools[0]), src))
            elif action == 1:
                sets.append("set_field:%s->%s" % (r.choice(pools[1]), dst))
            elif action == 2:
                sets.append("mod_dl_src:" + r.choice(MACS))
            elif action == 3:
                sets.append("mod_dl_dst:" + r.choice(MACS))
            elif action == 4:
                sets.append("mod_nw_tos:%d" % (r.choice(TOS) & 0xfc))
            elif action == 5:
                sets.append("dec_ttl")
            elif action == 6 and proto in ("tcp", "udp"):
                sets.append("mod_tp_dst:%d" % r.choice(PORTS))
            elif action == 7 and vlan:
                sets.append("push_vlan:0x8100,set_field:4107->vlan_vid"
                            if vlan == "0" else "strip_vlan")
        return sets

    def rule(self):
        r = self.r
        v6 = r.random() < 0.4
        proto = r.choice(["tcp", "udp", "icmp", "ip"])
        match = self.match(proto, v6)
        vlan = r.choice([None, None, "0", "0x1000/0x1000"])
        if vlan:
            match.append("vlan_tci=" + vlan)
        if proto == "tcp" and r.random() < 0.2:
            match.append("tcp_flags=+syn")
        sets = self.changes(proto, v6, vlan)
        out = r.choice([["output:2"], [FABRIC], ["output:2", FABRIC],
                        [FABRIC, "output:2"], []])
        return "priority=%d,in_port=1,%s,actions=%s" % (
            r.randrange(100, 200), ",".join(match),
            ",".join(sets + out if out else ["drop"]))

    def rules(self):
        return (["priority=50,in_port=1,actions=output:2",
                 "priority=250,in_port=100,actions=output:1",
                 "priority=300,dl_type=0x88b5,in_port=1,actions=output:2,"
                 + FABRIC]
                + [self.rule() for _ in range(RULES)])

    # Packets, each with its virtio_net_hdr.

    def tcp(self, payload, gso):
        flags = self.r.choice([0x10, 0x02, 0x18, 0x11])
        if gso:
            flags = self.r.choice([0x10, 0x18, 0x11, 0x90])
        return struct.pack("!HHIIBBHHH", *self.ports,
                           self.r.getrandbits(32), 1, 0x50, flags, 1000, 0,
                           0) + payload, 16, 20

    def udp(self, payload):
        return struct.pack("!HHHH", *self.ports, 8 + len(payload),
                           0) + payload, 6, 8

    def packet(self, number, mtu):
        r = self.r
        v6 = r.random() < 0.4
        family = socket.AF_INET6 if v6 else socket.AF_INET
        src, dst = (socket.inet_pton(family, r.choice(p))
                    for p in (V6 if v6 else V4))
        proto = r.choice([TCP, UDP, 58 if v6 else 1])
        self.ports = r.choice(PORTS), r.choice(PORTS)
        kind = r.choice(["whole", "whole", "partial", "super"])
        if proto not in (TCP, UDP):
            kind = "whole"
        room = mtu - (40 if v6 else 20) - (20 if proto == TCP else 8) - 8
        gso = 0
        if kind == "super":
            gso = r.choice([400, 1000, room])
            size = r.choice([gso + 1, 3 * gso, 5 * gso + 7, 20000])
        else:
            size = r.choice([0, 1, 18, 500, room - 1, room])
        payload = b"%08d" % number + r.randbytes(size)

        if proto == TCP:
            l4, csum_ofs, l4_len = self.tcp(payload, gso)
        elif proto == UDP:
            l4, csum_ofs, l4_len = self.udp(payload)
        else:
            l4 = struct.pack("!BBHHH", 128 if v6 else 8, 0, 0, 1, 1) + payload
            csum_ofs, l4_len = 2, 8
        l3 = self.l3(v6, src, dst, proto, len(l4), number)
        tag = (struct.pack("!HH", 0x8100, 0x2000 + r.choice([5, 9]))
               if r.random() < 0.2 else b"")
        head = ETH + tag + struct.pack("!H", 0x86dd if v6 else 0x0800) + l3

        pseudo = pseudo_header(src, dst, proto, len(l4))
        if kind == "whole":
            c = ~csum((b"" if proto == 1 else pseudo) + l4) & 0xffff
            if proto == UDP:
                c = 0 if not v6 and r.random() < 0.2 else c or 0xffff
            vnet = bytes(VNET.size)
        else:
            c = csum(pseudo)
            gso_type = (0 if not gso else GSO_UDP_L4 if proto == UDP
                        else GSO_TCPV6 if v6 else GSO_TCPV4)
            if gso and proto == TCP and l4[13] & 0x80:
                gso_type |= GSO_ECN
            # How much the kernel keeps apart from the payload is its choice.
            apart = min(l4_len + r.choice([0, 0, 100]), len(l4))
            vnet = VNET.pack(NEEDS_CSUM, gso_type, len(head) + apart, gso,
                             len(head), csum_ofs)
        l4 = l4[:csum_ofs] + struct.pack("!H", c) + l4[csum_ofs + 2:]
        return vnet + head + l4

    def l3(self, v6, src, dst, proto, l4_len, number):
        r = self.r
        tos, ttl = r.choice(TOS), r.choice(TTL)
        if v6:
            return struct.pack("!IHBB", 6 << 28 | tos << 20
                               | r.choice([0, 77]), l4_len, proto,
                               ttl) + src + dst
        ip = struct.pack("!BBHHHBBH", 0x45, tos, 20 + l4_len, number * 100,
                         r.choice([0, 0x4000]), ttl, proto, 0) + src + dst
        return ip[:10] + struct.pack("!H", ~csum(ip) & 0xffff) + ip[12:]


def csum(data):
    if len(data) % 2:
        data += b"\0"
    s = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return s


def pseudo_header(src, dst, proto, length):
    return src + dst + struct.pack("!II", length, proto)


# Reception.

class Bad(Exception):
    """A frame that nobody may send."""


class Frame:
    """A received frame of IPv4 or IPv6 with TCP or UDP."""

    def __init__(self, data):
        self.l3 = 14
        if data[12:14] == b"\x81\x00":
            self.l3 += 4
        self.data = data
        self.v6 = data[self.l3 - 2:self.l3] == b"\x86\xdd"
        self.l4 = self.l3 + (40 if self.v6 else 20)
        self.proto = data[self.l3 + (6 if self.v6 else 9)]
        self.csum = self.l4 + (16 if self.proto == TCP else 6)
        self.payload = self.l4 + (data[self.l4 + 12] // 16 * 4
                                  if self.proto == TCP else 8)
        if self.proto not in (TCP, UDP):
            raise Bad("offloads of protocol %d" % self.proto)

    def pseudo(self, length):
        addrs = (self.data[self.l3 + 8:self.l3 + 40] if self.v6
                 else self.data[self.l3 + 12:self.l3 + 20])
        return pseudo_header(addrs, b"", self.proto, length)

    def check_partial(self, start, offset):
        at = start + offset
        if (start, at) != (self.l4, self.csum):
            raise Bad("checksum at %d from %d" % (at, start))
        field = struct.unpack_from("!H", self.data, at)[0]
        if field != csum(self.pseudo(len(self.data) - self.l4)):
            raise Bad("checksum of the pseudo-header")

    def packet(self, i, start, end, last):
        """Packet 'i' of the frame, which has this part of the payload."""
        p = bytearray(self.data[:self.payload] + self.data[start:end])
        length = len(p) - self.l3
        if self.v6:
            struct.pack_into("!H", p, self.l3 + 4, length - 40)
        else:
            ident = struct.unpack_from("!H", p, self.l3 + 4)[0]
            struct.pack_into("!H", p, self.l3 + 2, length)
            struct.pack_into("!HH", p, self.l3 + 4, (ident + i) & 0xffff,
                             *struct.unpack_from("!H", p, self.l3 + 6))
            struct.pack_into("!H", p, self.l3 + 10, 0)
            struct.pack_into("!H", p, self.l3 + 10,
                             ~csum(p[self.l3:self.l4]) & 0xffff)
        if self.proto == TCP:
            seq = struct.unpack_from("!I", p, self.l4 + 4)[0]
            struct.pack_into("!I", p, self.l4 + 4,
                             (seq + start - self.payload) & 0xffffffff)
            if not last:
                p[self.l4 + 13] &= ~0x09        # FIN, PSH.
            if i:
                p[self.l4 + 13] &= ~0x80        # CWR.
        else:
            struct.pack_into("!H", p, self.l4 + 4, len(p) - self.l4)
        struct.pack_into("!H", p, self.csum, 0)
        c = ~csum(self.pseudo(len(p) - self.l4) + p[self.l4:]) & 0xffff
        struct.pack_into("!H", p, self.csum,
                         c or (0xffff if self.proto == UDP else 0))
        return bytes(p)

    def check_lengths(self):
        want = len(self.data) - self.l3
        have = struct.unpack_from("!H", self.data,
                                  self.l3 + (4 if self.v6 else 2))[0]
        if have + (40 if self.v6 else 0) != want:
            raise Bad("length %d, not %d" % (have, want))
        if not self.v6 and csum(self.data[self.l3:self.l4]) != 0xffff:
            raise Bad("IP checksum")

    def cut(self, size):
        self.check_lengths()
        end = len(self.data)
        size = size or max(end - self.payload, 1)
        starts = list(range(self.payload, end, size)) or [end]
        return [self.packet(i, start, min(start + size, end),
                            start == starts[-1])
                for i, start in enumerate(starts)]


def as_on_the_wire(vnet, data):
    flags, gso_type, _, gso_size, csum_start, csum_ofs = VNET.unpack(vnet)
    if not flags & NEEDS_CSUM:
        if gso_type:
            raise Bad("super-frame without partial checksum")
        return [data]
    frame = Frame(data)
    frame.check_partial(csum_start, csum_ofs)
    return frame.cut(gso_size if gso_type else 0)


def is_drawn(data):
    """Of all that a workload gets, is it one of our packets?"""
    l3 = 18 if data[12:14] == b"\x81\x00" else 14
    if data[l3 + 6:l3 + 7] == b"\x3a":
        # Not its kernel's neighbour discovery, which rules may have changed.
        return data[l3 + 8:l3 + 10] == b"\xfd\x02" and data[l3 + 40] < 133
    return (END in data or data[l3 + 12:l3 + 14] == b"\x0a\x00"
            or data[l3 + 8:l3 + 10] == b"\xfd\x02")


def receive_one(s):
    """Returns virtio_net_hdr and frame, tag included; None if not for us."""
    data, aux, _, addr = s.recvmsg(80000, 256)
    vnet, data = data[:VNET.size], data[VNET.size:]
    if addr[2] == PACKET_OUTGOING or not is_drawn(data):
        return None
    for level, kind, value in aux:
        if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
            status, _, _, _, _, tci, tpid = struct.unpack("IIIHHHH", value)
            if status & TP_STATUS_VLAN_VALID:
                tpid = (tpid if status & TP_STATUS_VLAN_TPID_VALID
                        else 0x8100)
                data = (data[:12] + struct.pack("!HH", tpid, tci)
                        + data[12:])
                start = struct.unpack_from("=H", vnet, 6)[0] + 4
                vnet = vnet[:6] + struct.pack("=H", start) + vnet[8:]
    return vnet, data


def packet_socket(proto):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 26)
    s.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 1 << 24)
    s.bind(("eth0", proto))
    return s


def receive(name):
    s = packet_socket(3)
    s.settimeout(30)
    open(name + ".ready", "w").close()
    n_ends = 0
    with open(name, "w") as f:
        while n_ends < ROUNDS:
            got = receive_one(s)
            if got and END in got[1]:
                n_ends += 1
            elif got and n_ends:
                try:
                    for packet in as_on_the_wire(*got):
                        f.write(packet.hex() + "\n")
                except Bad as error:
                    f.write("BAD %s: %s %s\n" % (error, got[0].hex(),
                                                 got[1].hex()))


def send(draw, mtu, cut):
    draw.rules()
    packets = [draw.packet(i, mtu) for i in range(PACKETS)]
    if cut:
        packets = [bytes(VNET.size) + packet for p in packets
                   for packet in as_on_the_wire(p[:VNET.size],
                                                p[VNET.size:])]
    s = packet_socket(0)
    for _ in range(ROUNDS):
        for p in packets:
            s.send(p)
            time.sleep(0.0005)
        # Userspace, which gets the end of the round, is the slower way.
        time.sleep(0.1)
        s.send(bytes(VNET.size) + ETH + END + bytes(50))
        time.sleep(0.1)


def main():
    what, seed = sys.argv[1], int(sys.argv[2])
    if what == "rules":
        print("\n".join(Draw(seed).rules()))
    elif what.startswith("send"):
        send(Draw(seed), int(sys.argv[3]) if len(sys.argv) > 3 else 1400,
             what == "send-cut")
    else:
        receive(sys.argv[3])


if __name__ == "__main__":
    main()
