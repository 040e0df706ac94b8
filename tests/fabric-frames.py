#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sends and receives frames that few programs send, for tests.

    fabric-frames.py tags-send
    fabric-frames.py tags-receive READY        (prints what arrives)
    fabric-frames.py lies-send INTERFACE MAC geneve|vxlan [sums]
    fabric-frames.py lies-receive READY SECONDS
    fabric-frames.py segment-send ADDRESS N
    fabric-frames.py segment-receive READY N

Workloads are the lab's: interface eth0.  READY is a file that exists when the
receiver does.
"""

import collections
import re
import select
import socket
import struct
import sys
import time

TAGS = {
    'one': [0x8100],
    'stag': [0x88a8],
    'two': [0x8100, 0x8100],
    'qinq': [0x88a8, 0x8100],
    'three': [0x88a8, 0x8100, 0x8100],
}
OUTGOING = 4
SOL_PACKET, PACKET_AUXDATA = 263, 8
UDP_SEGMENT = 103


def csum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def open_packet_socket(interface):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    s.bind((interface, 3))
    return s


def tagged_frame(name):
    f = bytes.fromhex('020000000002' '020000000001')
    for i, tpid in enumerate(TAGS[name]):
        f += struct.pack('!HH', tpid, 0x6007 + i)
    return f + b'\x88\xb5' + name.encode().ljust(60, b'.')


def tags_send():
    s = open_packet_socket('eth0')
    for name in TAGS:
        s.send(tagged_frame(name))
        time.sleep(.05)


def tags_receive(ready):
    s = open_packet_socket('eth0')
    s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    open(ready, 'w').close()
    got, end = [], time.time() + 20
    while time.time() < end and len(got) < len(TAGS):
        if not select.select([s], [], [], .2)[0]:
            continue
        data, anc, _, addr = s.recvmsg(3000, 256)
        for _, _, aux in anc:
            status, _, _, _, _, tci, tpid = struct.unpack('IIIHHHH', aux[:20])
            if status & 0x10:
                tpid = tpid if status & 0x40 else 0x8100
                data = data[:12] + struct.pack('!HH', tpid, tci) + data[12:]
        name = [n for n in TAGS if n.encode().ljust(60, b'.') in data]
        if name and addr[2] != OUTGOING:
            got.append(name[0] if data == tagged_frame(name[0])
                       else name[0] + ' is not as it was')
    print('\n'.join(got))


def ip4(src, dst, proto, payload, tot_len=None, ttl=64):
    src, dst = (socket.inet_aton(a) for a in (src, dst))
    h = struct.pack('!BBHHHBBH', 0x45, 0, tot_len or 20 + len(payload), 1, 0,
                    ttl, proto, 0) + src + dst
    return h[:10] + struct.pack('!H', csum(h)) + h[12:] + payload


def udp4(src, dst, sport, dport, payload, with_csum=True, length=None):
    length = length or 8 + len(payload)
    u = struct.pack('!HHHH', sport, dport, length, 0) + payload
    pseudo = (socket.inet_aton(src) + socket.inet_aton(dst)
              + struct.pack('!HH', 17, length))
    c = (csum(pseudo + u) or 0xffff) if with_csum else 0
    return u[:6] + struct.pack('!H', c) + u[8:]


def tunnelled(mac, encap, name, vni=100, **lie):
    """A frame of tenant 1 of host h2 for host h1, as the last router sends it.
    """
    payload = b'case-' + name.encode() + b' ' * 20
    inner = (bytes.fromhex('020000000001' '020000000002' '0800')
             + ip4('192.168.0.2', '192.168.0.1', 17,
                   udp4('192.168.0.2', '192.168.0.1', 4000, 4000, payload)))
    header = (b'\0\0\x65\x58' if encap == 'geneve' else b'\x08\0\0\0')
    header += struct.pack('!I', vni << 8)
    src, dst = '10.1.2.1', '10.1.1.1'
    udp = udp4(src, dst, 61440, 6081 if encap == 'geneve' else 4789,
               header + inner, lie.get('with_csum', False),
               lie.get('udp_len'))
    return bytearray(mac + bytes.fromhex('020000000099' '0800')
                     + ip4(src, dst, 17, udp, lie.get('tot_len'))
                     + lie.get('padding', b''))


def lies(mac, encap, sums):
    """Yields names and frames; those in capitals are right."""
    n = len(tunnelled(mac, encap, 'x' * 6)) - 14

    def flipped(name, at, **how):
        f = tunnelled(mac, encap, name, **how)
        f[at] ^= 0x5a
        return name, f

    yield 'GOOD00', tunnelled(mac, encap, 'GOOD00')
    yield 'SUM000', tunnelled(mac, encap, 'SUM000', with_csum=True)
    yield 'PADDED', tunnelled(mac, encap, 'PADDED', padding=bytes(7))
    yield flipped('ipsum0', 25)
    yield flipped('ttlsum', 22)
    yield 'iplong', tunnelled(mac, encap, 'iplong', tot_len=n + 40)
    yield 'udlong', tunnelled(mac, encap, 'udlong', udp_len=n + 20)
    yield 'udshrt', tunnelled(mac, encap, 'udshrt', udp_len=30)
    yield 'other0', tunnelled(b'\2\0\0\0\0\x42', encap, 'other0')
    if sums:
        yield flipped('udpsum', 41, with_csum=True)
        yield flipped('header', 46, with_csum=True)
        yield flipped('inner0', 60, with_csum=True)
        yield flipped('body00', n + 13, with_csum=True)
        f = tunnelled(mac, encap, 'vni000', with_csum=True)
        f[46:49] = (200).to_bytes(3, 'big')
        yield 'vni000', f


def lies_send(interface, mac, encap, sums=None):
    s = open_packet_socket(interface)
    for _ in range(3):
        for _, frame in lies(bytes.fromhex(mac.replace(':', '')), encap,
                             sums):
            s.send(frame)
            time.sleep(.02)
    # Tells the receivers that this was all.
    for vni in 100, 200:
        s.send(tunnelled(bytes.fromhex(mac.replace(':', '')), encap,
                         'END%03d' % vni, vni))


def lies_receive(ready, seconds):
    s = open_packet_socket('eth0')
    open(ready, 'w').close()
    got, end = collections.Counter(), time.time() + float(seconds)
    while time.time() < end and not any(n.startswith('END') for n in got):
        if select.select([s], [], [], .2)[0]:
            data, addr = s.recvfrom(3000)
            m = re.search(rb'case-(\w+)', data)
            if m and addr[2] != OUTGOING:
                got[m[1].decode()] += 1
    for name, n in sorted(got.items()):
        if not name.startswith('END'):
            print(name, n)


def segment_send(address, n):
    s = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET,
                      socket.SOCK_DGRAM)
    s.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 1200)
    for i in range(int(n)):
        s.sendto(bytes([i % 256]) * (1200 * 9 + 7), (address, 4007))
        time.sleep(.005)


def segment_receive(ready, n):
    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    s.bind(('', 4007))
    s.settimeout(60)
    open(ready, 'w').close()
    sizes = collections.Counter()
    try:
        while sum(sizes.values()) < int(n) * 10:
            sizes[len(s.recv(70000))] += 1
            s.settimeout(10)
    except TimeoutError:
        pass
    print('\n'.join('%d of %d' % (k, size)
                    for size, k in sorted(sizes.items())))


if __name__ == '__main__':
    globals()[sys.argv[1].replace('-', '_')](*sys.argv[2:])
