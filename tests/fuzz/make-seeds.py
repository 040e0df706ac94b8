#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes seeds for the fuzzers: DIRECTORY/fuzz-NAME/* for each of them.

Usage: make-seeds.py DIRECTORY
"""

import os
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..'))
import stamp_vectors

STAMP_MAC = bytes.fromhex('00005e005202')
MACS = bytes.fromhex('020000000002' '020000000001')
SRC4, DST4 = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
SRC6, DST6 = bytes.fromhex('fd' + '00' * 15), bytes.fromhex('fd' + '01' * 15)
LOOP4, LOOP6 = bytes([127, 0, 0, 1]), bytes(15) + b'\1'
TCP, UDP = 6, 17
FIN, PSH, ACK = 1, 8, 16


def csum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def ip4(proto, payload, src=SRC4, dst=DST4, ttl=64, ident=1, frag=0x4000):
    header = struct.pack('!BBHHHBBH', 0x45, 0, 20 + len(payload), ident, frag,
                         ttl, proto, 0) + src + dst
    return (header[:10] + struct.pack('!H', csum(header)) + header[12:]
            + payload)


def ip6(proto, payload, src=SRC6, dst=DST6, ttl=64, label=0x12345):
    return struct.pack('!IHBB', 6 << 28 | label, len(payload), proto,
                       ttl) + src + dst + payload


def l4_csum(proto, src, dst, segment, offset):
    pseudo = src + dst + struct.pack('!IHBB', len(segment), 0, 0, proto)
    return (segment[:offset] + struct.pack('!H', csum(pseudo + segment))
            + segment[offset + 2:])


def tcp(src, dst, seq, flags, payload, options=bytes.fromhex(
        '0101080a0000000100000002')):
    header = struct.pack('!HHIIHHHH', 40000, 5201, seq, 7,
                         (5 + len(options) // 4) << 12 | flags, 500, 0, 0)
    return l4_csum(TCP, src, dst, header + options + payload, 16)


def udp(src, dst, sport, dport, payload):
    header = struct.pack('!HHHH', sport, dport, 8 + len(payload), 0)
    return l4_csum(UDP, src, dst, header + payload, 6)


def eth(ip, macs=MACS, tags=b''):
    return (macs + tags + (b'\x08\x00' if ip[0] >> 4 == 4 else b'\x86\xdd')
            + ip)


def tcp_frame(v6, seq, flags, payload, ident=1, tags=b''):
    if v6:
        return eth(ip6(TCP, tcp(SRC6, DST6, seq, flags, payload)), tags=tags)
    return eth(ip4(TCP, tcp(SRC4, DST4, seq, flags, payload), ident=ident),
               tags=tags)


def encap_seeds():
    frame = tcp_frame(False, 1, ACK, b'x')
    option = bytes.fromhex('01020301deadbeef')
    critical = bytes.fromhex('ffff8000')
    vxlan = bytes.fromhex('0800000012345600')
    geneve = bytes.fromhex('0000655812345600')
    options = bytes.fromhex('0340655812345600') + option + critical
    longest = (bytes.fromhex('3f80655800000100')
               + bytes.fromhex('0001001f') + bytes(124)
               + bytes.fromhex('0001001e') + bytes(120))
    return {
        'vxlan': b'\0' + vxlan + frame,
        'vxlan-gpe': b'\0' + bytes.fromhex('0c00000312345600') + frame,
        'vxlan-gbp': b'\0' + bytes.fromhex('8800123412345600') + frame,
        'vxlan-short': b'\0' + vxlan + frame[:13],
        'geneve': b'\1' + geneve + frame,
        'geneve-options': b'\1' + options + frame,
        'geneve-longest': b'\1' + longest + frame,
        'geneve-version': b'\1\x40' + geneve[1:] + frame,
        'geneve-ip': b'\1' + bytes.fromhex('0000080012345600') + frame[14:],
        'build': b'\x81' + option + critical,
        'build-broken': b'\x81' + option[:6],
    }


def stamp_frame(v6, reflected):
    body = struct.pack('!IQHH', 1, 0xe800000180000000, 0x0c01, 5)
    if reflected:
        body += struct.pack('!QIQHHBBH', 0xe800000180100000, 1,
                            0xe800000180000000, 0x8507, 0, 61, 0, 0)
    body = body.ljust(44, b'\0')
    ports = (862, 49862) if reflected else (49862, 862)
    macs = STAMP_MAC + MACS[6:]
    if v6:
        return eth(ip6(UDP, udp(SRC6, LOOP6, *ports, body), dst=LOOP6,
                       ttl=255, label=0), macs=macs)
    return eth(ip4(UDP, udp(SRC4, LOOP4, *ports, body), dst=LOOP4, ttl=255,
                   ident=0), macs=macs)


def stamp_seeds():
    fields = bytes(range(60)) + b'\x1f\1\0\2' + bytes(range(20))
    seeds = {'compose': b'\1' + fields, 'compose-keys': b'\3' + fields}
    for v6 in False, True:
        for reflected in False, True:
            frame = stamp_frame(v6, reflected)
            name = 'ip%d-%s' % (6 if v6 else 4,
                                'reflected' if reflected else 'test')
            seeds[name] = b'\0' + frame
            seeds[name + '-padded'] = b'\0' + frame + bytes(8)
    # Questions and answers, read as either mode; with keys, those of the
    # first one are authentic, the others are signed by the fuzzer.
    for number, (name, mode, *frames) in enumerate(stamp_vectors.answers()):
        for frame, way in zip(frames, ('question', 'answer')):
            for choice in (0, 8) if mode == 'plain' else (2, 6, 14):
                seeds['%d-%s-%s-%d' % (number, name, way, choice)] = (
                    bytes([choice]) + frame)
    return seeds


def bfd_packet(state, flags=0, your_disc=1, min_rx=10000):
    return struct.pack('!BBBBIIIII', 1 << 5, state << 6 | flags, 3, 24, 7,
                       your_disc, 10000, min_rx, 0)


def bfd_seeds():
    down, init, up, poll, final = 1, 2, 3, 0x20, 0x10
    packet = bfd_packet(up, poll)
    macs = STAMP_MAC + MACS[6:]
    src, dst = bytes([169, 254, 1, 1]), bytes([169, 254, 1, 0])
    seeds = {
        'ip4': b'\0' + eth(ip4(UDP, udp(SRC4, LOOP4, 49152, 3784, packet),
                               dst=LOOP4, ttl=255), macs=macs),
        'ip6': b'\0' + eth(ip6(UDP, udp(SRC6, LOOP6, 49152, 3784, packet),
                               dst=LOOP6, ttl=255), macs=macs),
        'ovs': b'\0' + eth(ip4(UDP, udp(src, dst, 49152, 3784, packet),
                               src=src, dst=dst, ttl=255),
                           macs=bytes.fromhex('002320000001') + MACS[6:]),
    }

    def session(*records):
        return b'\1' + b''.join(bytes([time, action]) + packet
                                for time, action, packet in records)

    begin = ((1, 7, bfd_packet(down, your_disc=0)), (1, 7, bfd_packet(up)))
    seeds['expires'] = session(*begin, (255, 7, bfd_packet(down)))
    seeds['polls'] = session(*begin, (1, 7, bfd_packet(up, poll)),
                             (1, 0, bytes([99, 99]) + bytes(22)),
                             (1, 7, bfd_packet(up, final)))
    seeds['no-packets'] = session((1, 7, bfd_packet(init)),
                                  (1, 7, bfd_packet(up, min_rx=0)),
                                  (200, 7, bfd_packet(up)))
    seeds['admin-down'] = session(*begin, (1, 7, bfd_packet(0)),
                                  (1, 1, b'\1' + bytes(23)),
                                  (1, 7, bfd_packet(up)))
    return seeds


def flow_hash_seeds():
    one, two = bytes.fromhex('81000064'), bytes.fromhex('88a8006481000065')
    fragment = ip4(UDP, udp(SRC4, DST4, 1, 2, b'x' * 16), frag=0x2000)
    seeds = {
        'arp': MACS + bytes.fromhex('0806') + bytes(28),
        'fragment': eth(fragment),
        'fragment6': eth(ip6(44, bytes([UDP]) + bytes(15))),
        'truncated': tcp_frame(False, 1, ACK, b'')[:36],
        'three-tags': tcp_frame(False, 1, ACK, b'', tags=one + two),
    }
    for v6 in False, True:
        for name, tags in ('', b''), ('-tag', one), ('-two-tags', two):
            seeds['tcp%d%s' % (6 if v6 else 4, name)] = tcp_frame(
                v6, 1, ACK, b'xyz', tags=tags)
    return seeds


def ecn_seeds():
    seeds = {}
    for name, frame in flow_hash_seeds().items():
        for outer in 1, 3:
            for inner in 0, 2:
                tos = bytearray(frame)
                at = tos.find(SRC4) - 11 if SRC4 in tos else -1
                if at >= 0:
                    tos[at] = inner
                seeds['%s-%d-%d' % (name, outer, inner)] = (
                    bytes([outer]) + bytes(tos))
    return seeds


def gro_seeds():
    def records(frames):
        return b''.join(struct.pack('!H', len(f)) + f for f in frames)

    def segments(v6, sizes, step=1, tags=b''):
        seq, frames = 0xfffffff0, []
        for i, size in enumerate(sizes):
            flags = ACK | (PSH if i + 1 == len(sizes) else 0)
            frames.append(tcp_frame(v6, seq, flags, b'a' * size,
                                    ident=0xffff + i * step & 0xffff,
                                    tags=tags))
            seq = seq + size & 0xffffffff
        return frames

    join, fix = b'\0\0\0', b'\2\x02\0'
    tag = bytes.fromhex('81000064')
    seeds = {}
    for v6 in False, True:
        family = '6' if v6 else '4'
        full = segments(v6, [100, 100, 100, 30])
        seeds['join' + family] = join + records(full)
        seeds['join-fix' + family] = fix + records(full)
        seeds['join-tag' + family] = join + records(
            segments(v6, [50, 50], tags=tag))
        seeds['join-fixed-id' + family] = join + records(
            segments(v6, [9, 9, 9], step=0))
        seeds['join-gap' + family] = join + records(full[:1] + full[2:])
        seeds['join-two' + family] = join + records(full + full)
        seeds['split' + family] = b'\1\0\x20' + tcp_frame(
            v6, 1, ACK | PSH | FIN, bytes(200))
        udp = struct.pack('!HHHH', 1, 2, 8 + 207, 0xffff) + bytes(207)
        seeds['split-udp' + family] = b'\4\0\x32' + eth(
            ip6(UDP, udp) if v6 else ip4(UDP, udp))
    return seeds


def ofp_seeds():
    port, endpoint, vni, klass, policy = (
        struct.pack('!HHI', i + 1, 8, value)
        for i, value in enumerate((1, 7, 100, 2, 1)))
    field = bytes.fromhex('8003000c' '00170000' '00010004' '00000000')
    wide = bytes.fromhex('80030010' '00170000' 'ffff3008' '4f4e4600')
    start = bytes.fromhex('00010001' '00000000')
    seeds = {}
    for version in 1, 4, 6:
        v = bytes([version])
        seeds['literals%d' % version] = v + start + port + endpoint + vni
        seeds['all%d' % version] = (v + start + policy + klass + vni
                                    + endpoint + port)
        seeds['field%d' % version] = v + start + port + endpoint + field
        seeds['experimenter%d' % version] = (v + start + port + endpoint
                                             + wide)
    for name, text in (
            ('literals', 'port=1,endpoint=7,vni=100,class=2,policy=hash'),
            ('fields', 'port=reg0,endpoint=reg1[0..23],vni=tun_id')):
        seeds['text-' + name] = b'\x80' + text.encode()
    return seeds


def prop(kind, value):
    data = struct.pack('!HH', kind, 4 + len(value)) + value
    return data + bytes(-len(data) % 8)


def ofp_msg_seeds():
    threshold = prop(0x8001, struct.pack('!HBBQQ', 9, 1, 0, 2000, 1000))
    name = prop(0x8000, b'host7')
    degraded = prop(0x8002, struct.pack('!I', 0x21))
    hops = prop(0x8003, bytes(10) + b'\xff\xff' + SRC4 + bytes(16))
    props = name + degraded + hops + b''.join(
        prop(i, bytes(4) + struct.pack('!Q', 1000 * i)) for i in (1, 3, 9, 77))
    path = struct.pack('!HBBIIHH', 48 + len(props), 4, 2, 10, 7, 61440,
                       0) + b''.join(bytes(10) + b'\xff\xff' + ip
                                     for ip in (SRC4, DST4)) + props
    status = path + threshold
    seeds = {}
    for version in 0, 3, 5:
        for kind, bodies in enumerate((
                {'monitor': struct.pack('!IHHII', 0xffffffff, 7, 1, 100, 0)
                 + threshold,
                 'cancel': bytes(16)},
                {'state': b'\3' + bytes(7) + status,
                 'short': b'\3' + bytes(7) + status[:64],
                 'synced': b'\5' + bytes(7)},
                {'all': struct.pack('!II', 0xffffffff, 0),
                 'name': struct.pack('!II', 10, 0) + name},
                {'paths': path + path, 'none': b''})):
            for body, data in bodies.items():
                seeds['%s%d' % (body, version)] = bytes([version,
                                                         kind]) + data
    seeds['text-monitor'] = b'\0\x81port=7,!paths,rate=5,' \
                            b'threshold=rtt_us:2000:1000'
    seeds['text-selection'] = b'\0\x80port=7,endpoint=host7'
    return seeds


def odp_seeds():
    vxlan = bytes.fromhex('08000000' '00006400')
    geneve = bytes.fromhex('02806558' '00006400' '01028001' '00000007')
    seeds = {'drop': bytes.fromhex('00' '02090000')}
    for name, encap, header in (('vxlan', 0, vxlan), ('geneve', 1, geneve),
                                ('odd', 1, vxlan)):
        seeds[name] = b'\0' + struct.pack('=BBBBBBHII', 1, 2, 1, encap, 0xb8,
                                          63, len(header), 4, 7) + header
    for name, text in (
            ('text-vxlan', 'port(4),endpoint=7,vxlan(vni=100))'),
            ('text-geneve', 'port(4),endpoint=7,class=2,policy=hash,tos=0xb8,'
             'ttl=63,geneve(vni=100,oam,options(0102800100000007)))'),
            ('text-odd',
             'port(4),endpoint=7,vxlan(header(0800000100006400)))'),
            ('text-drop', 'drop=tx-no-endpoint)')):
        seeds[name] = b'\1' + text.encode()
    return seeds


def ptb_seeds():
    data = bytes(1400)
    extension = bytes([UDP, 0]) + bytes(6)
    frames = {
        'tcp4': tcp_frame(False, 1, ACK, data),
        'tcp6': tcp_frame(True, 1, ACK, data),
        'tagged': tcp_frame(False, 1, ACK, data, tags=b'\x81\0\0\7'),
        'icmp4': eth(ip4(1, b'\x08\0' + data)),
        'icmp6': eth(ip6(58, b'\x80\0' + data)),
        'extension': eth(ip6(60, extension + data)),
        'short': tcp_frame(False, 1, ACK, b'x'),
    }
    return {name: struct.pack('!H', 1300) + frame
            for name, frame in frames.items()}


def quote_seeds():
    headers = (bytes.fromhex('08000000' '00000100'),
               bytes.fromhex('00806558' '00000100'))
    return {'%s-%d' % (('vxlan', 'geneve')[encap] + ('4', '6')[v6], kind):
            bytes([encap | kind << 1]) + headers[encap]
            + stamp_frame(v6, False)
            for encap in (0, 1) for v6 in (False, True) for kind in range(3)}


def too_big_seeds():
    icmp = struct.pack('!BBHI', 2, 0, 0, 1300)
    udp = struct.pack('!HHHH', 61440, 4789, 1300, 0)
    return {
        'udp': icmp + ip6(17, udp),
        'tcp': icmp + ip6(6, udp),
        'ip4': icmp + ip4(17, udp + bytes(20)),
        'short': icmp + ip6(17, udp)[:-1],
        'unreachable': b'\1' + icmp[1:] + ip6(17, udp),
    }


def metrics_seeds():
    names = '"fabric": "f", "endpoint": "e\\\\\\"\\u009b"'
    return {
        'bearer': b'\0Bearer token',
        'basic': b'\0basic  dXNlcjpwYXNzd29yZA==',
        'accept': b'\1application/openmetrics-text;version=1.0.0;q=0.6,'
                  b'text/plain;q=0.5,*/*;q=0.1',
        'show': b'\2[{"name": "f", "paths": {"up": 1}, "fast_path": '
                b'{"in": "kernel", "n_flows": 1, "n_userspace_flows": 2}}]',
        'endpoints': ('\3[{%s, "tx_bytes": 7, "paths": {"down": 2}}]'
                      % names).encode(),
        'paths': ('\4[{%s, "local_ip": "1", "remote_ip": "2", "state": "up", '
                  '"rtt_us": 1e9, "hops": ["1.2", "*"], "reasons": ["x"]}]'
                  % names).encode(),
        'stats': b'\5[{"drop": "tx-no-path", "packets": 9}]',
    }


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.strip().splitlines()[-1])
    for name, seeds in (('bfd', bfd_seeds()),
                        ('ecn', ecn_seeds()), ('encap', encap_seeds()),
                        ('ptb', ptb_seeds()),
                        ('quote', quote_seeds()),
                        ('stamp', stamp_seeds()),
                        ('too-big', too_big_seeds()),
                        ('flow-hash', flow_hash_seeds()),
                        ('gro', gro_seeds()), ('metrics', metrics_seeds()),
                        ('ofp-fabric', ofp_seeds()),
                        ('ofp-fabric-msg', ofp_msg_seeds()),
                        ('odp-fabric', odp_seeds())):
        directory = os.path.join(sys.argv[1], 'fuzz-' + name)
        os.makedirs(directory, exist_ok=True)
        for seed, data in seeds.items():
            with open(os.path.join(directory, seed), 'wb') as f:
                f.write(data)


if __name__ == '__main__':
    main()
