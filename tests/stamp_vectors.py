#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints STAMP frames, made without our code, for it to be compared with.

Usage: stamp_vectors.py composed|questions|answers

composed   what "ovstest test-fabric-stamp-tlv compose" has to print
questions  what to feed to "ovstest test-fabric-stamp-tlv answer"
answers    what that has to print

A line is a name, "plain" or "auth", and the frame in hexadecimal.
"""

import hashlib
import hmac
import struct
import sys

KEYS = [b'an old key', bytes(range(100, 164))]
PEN = 0x0002fab1
MACS = bytes.fromhex('00005e005202' '020000000001')
SRC4, LOOP4 = bytes([192, 0, 2, 1]), bytes([127, 0, 0, 1])
SRC6 = bytes.fromhex('20010db8' + '00' * 11 + '01')
LOOP6 = bytes(15) + b'\1'

# Of the test packet, then of the reflector.
SEQ, SENT, SENDER_ERR, SSID = 0x01020304, 0xe800000180000000, 0x8507, 0x0506
ARRIVED, REFLECTED, ERR, TTL = (0xe800000180100000, 0xe800000180200000,
                                0x0c01, 61)
U, M, I = 0x80, 0x40, 0x20


def csum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def frame(payload, v6=False, reflected=False):
    ports = (862, 49862) if reflected else (49862, 862)
    length = 8 + len(payload)
    src, dst = (SRC6, LOOP6) if v6 else (SRC4, LOOP4)
    udp = struct.pack('!HHHH', *ports, length, 0) + payload
    check = csum(src + dst + struct.pack('!IHBB', length, 0, 0, 17) + udp)
    udp = udp[:6] + struct.pack('!H', check or 0xffff) + payload
    if v6:
        return (MACS + b'\x86\xdd'
                + struct.pack('!IHBB', 6 << 28, length, 17, 255) + src + dst
                + udp)
    ip = struct.pack('!BBHHHBBH', 0x45, 0, 20 + length, 0, 0x4000, 255, 17,
                     0) + src + dst
    return (MACS + b'\x08\x00' + ip[:10] + struct.pack('!H', csum(ip))
            + ip[12:] + udp)


def mac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()[:16]


def base(reflected=False, key=None):
    """RFC 8762 sections 4.2.1 to 4.3.2."""
    if not reflected:
        fields = [(4, SEQ.to_bytes(4, 'big'), 12),
                  (8, SENT.to_bytes(8, 'big'), 0),
                  (2, SENDER_ERR.to_bytes(2, 'big'), 0),
                  (2, SSID.to_bytes(2, 'big'), 68)]
    else:
        fields = [(4, SEQ.to_bytes(4, 'big'), 12),
                  (8, REFLECTED.to_bytes(8, 'big'), 0),
                  (2, ERR.to_bytes(2, 'big'), 0),
                  (2, SSID.to_bytes(2, 'big'), 4),
                  (8, ARRIVED.to_bytes(8, 'big'), 8),
                  (4, SEQ.to_bytes(4, 'big'), 12),
                  (8, SENT.to_bytes(8, 'big'), 0),
                  (2, SENDER_ERR.to_bytes(2, 'big'), 6),
                  (1, bytes([TTL]), 15)]
    if key is None:
        plain = b''.join(value for _, value, _ in fields[:-1])
        if reflected:
            plain += bytes(2)
        return (plain + fields[-1][1]).ljust(44, b'\0')
    padded = b''.join(value + bytes(mbz) for _, value, mbz in fields)
    assert len(padded) == 96
    return padded + mac(key, padded)


def tlv(kind, value, flags=U):
    return struct.pack('!BBH', flags, kind, len(value)) + value


def hmac_tlv(key, tlvs, flags=U):
    return tlv(8, mac(key, SEQ.to_bytes(4, 'big') + tlvs), flags)


def heard(*entries):
    return struct.pack('!I', PEN) + b''.join(
        struct.pack('!HHII', ssid, 0, seq, count)
        for ssid, seq, count in entries)


def report(flags, first, *seqs):
    return struct.pack('!IBBH%uI' % len(seqs), PEN, flags, 0, first, *seqs)


def padding(n):
    x, out = SEQ << 32 | SSID | 1 << 16, b''
    while len(out) < n:
        x ^= x << 13 & (1 << 64) - 1
        x ^= x >> 7
        x ^= x << 17 & (1 << 64) - 1
        out += x.to_bytes(8, 'big')
    return out[:n]


def ip4(a, b, c, d):
    return bytes([a, b, c, d]) + bytes(12)


LOCATION = (bytes(4) + tlv(4, bytes(16)) + tlv(7, bytes(16)))
LOCATION_ANSWER = (struct.pack('!HH', 4789, 50001)
                   + tlv(6, bytes.fromhex('fd' + '00' * 14 + '02'), 0)
                   + tlv(8, ip4(198, 51, 100, 7), 0))
DIRECT = struct.pack('!III', 0xfffffffe, 0, 0)
DIRECT_ANSWER = struct.pack('!III', 0xfffffffe, 0x11223344, 0x55667788)
COS = bytes([46 << 2, 0, 0, 0])


def cos_answer(dscp1, rp):
    # DSCP1, DSCP2 = 34, ECN = 1, RP.
    return struct.pack('!I', dscp1 << 26 | 34 << 20 | 1 << 18 | rp << 16)


def everything():
    return (tlv(2, LOCATION) + tlv(3, bytes(4)) + tlv(4, COS)
            + tlv(5, DIRECT) + tlv(253, heard((0, 0, 0), (0, 0, 0)))
            + tlv(1, padding(13)))


def everything_answered():
    return (tlv(2, LOCATION_ANSWER, 0) + tlv(3, bytes([1, 2, 5, 3]), 0)
            + tlv(4, cos_answer(46, 0), 0) + tlv(5, DIRECT_ANSWER, 0)
            + tlv(253, heard((SSID, SEQ, 7), (9, 0xffffffff, 1 << 31)), 0)
            + tlv(1, padding(13), 0))


def tlv_cases():
    """Yields (name, TLVs of the question, TLVs of the answer)."""
    direct, direct_answer = tlv(5, DIRECT), tlv(5, DIRECT_ANSWER, 0)
    yield 'none', b'', b''
    yield 'all', everything(), everything_answered()
    yield ('unknown', tlv(241, b'odd') + direct + tlv(0, b''),
           tlv(241, b'odd') + direct_answer + tlv(0, b''))
    yield ('flags', tlv(241, b'odd', 0x1f) + tlv(5, DIRECT, 0x7f),
           tlv(241, b'odd') + direct_answer)
    yield ('other-enterprise',
           tlv(253, struct.pack('!II', 9, 9)) + tlv(252, bytes(4)) + direct,
           tlv(253, struct.pack('!II', 9, 9)) + tlv(252, bytes(4))
           + direct_answer)
    for name, kind, length in (('cos', 4, 5), ('direct', 5, 11),
                               ('ts-info', 3, 0), ('private', 254, 3),
                               ('location', 2, 3)):
        bad = bytes(range(length))
        yield ('malformed-' + name,
               direct + tlv(kind, bad) + tlv(241, b'') + direct,
               direct_answer + tlv(kind, bad, M) + tlv(241, b'') + direct)
    bad = heard((0, 0, 0)) + b'\0'
    yield 'malformed-heard', tlv(253, bad), tlv(253, bad, M)
    for bad in struct.pack('!I', PEN), report(0, 1, 2) + b'\0':
        yield ('malformed-report-%u' % len(bad),
               tlv(252, bad), tlv(252, bad, M))
    yield ('report', tlv(252, report(0xbf, 7, 8, 9, 10)) + direct,
           tlv(252, report(0x40, SSID, SEQ, 0, 0), 0) + direct_answer)
    for name, sub in (('ip', tlv(4, bytes(12))), ('mac', tlv(1, bytes(6))),
                      ('long', struct.pack('!BBH', U, 4, 17) + bytes(16))):
        yield ('malformed-location-' + name,
               tlv(2, bytes(4) + sub) + direct,
               tlv(2, bytes(4) + sub, M) + direct)
    yield ('location-mac',
           tlv(2, bytes(4) + tlv(1, bytes(8)) + tlv(77, b'?')),
           tlv(2, struct.pack('!HH', 4789, 50001)
               + tlv(2, bytes.fromhex('0200000000aa0000'), 0)
               + tlv(77, b'?'), 0))
    yield ('cos-refused', tlv(4, bytes([8 << 2, 0, 0, 0])),
           tlv(4, cos_answer(8, 1), 0))
    yield ('heard-more', tlv(253, heard(*[(0, 0, 0)] * 20)),
           tlv(253, heard((SSID, SEQ, 7), (9, 0xffffffff, 1 << 31),
                          *[(0, 0, 0)] * 18), 0))
    yield ('two-paddings', tlv(1, b'x') + tlv(1, bytes(9)) + direct,
           tlv(1, b'x', 0) + tlv(1, bytes(9), 0) + direct_answer)


def raw_cases():
    """Yields (name, key, TLVs of the question, TLVs of the answer)."""
    direct, direct_answer = tlv(5, DIRECT), tlv(5, DIRECT_ANSWER, 0)
    key, other = KEYS
    long = struct.pack('!BBH', U, 5, 13) + DIRECT
    long_m = struct.pack('!BBH', M, 5, 13) + DIRECT
    yield 'overrun', None, direct + long, direct_answer + long_m
    yield 'tail', None, direct + b'\1\2\3', direct_answer + b'\1\2\3'
    yield 'tail-only', None, b'\1\2\3', b'\1\2\3'

    # Without a key, nobody can tell.
    wrong = tlv(8, bytes(16))
    wrong_i = tlv(8, bytes(16), I)
    direct_i = tlv(5, DIRECT, I)
    yield 'hmac', None, direct + wrong, direct_i + wrong_i
    yield 'hmac-wrong', key, direct + wrong, direct_i + wrong_i
    yield 'hmac-none', key, direct, direct_i
    yield ('hmac-other-key', key, direct + hmac_tlv(other, direct),
           direct_i + hmac_tlv(other, direct, I))
    first = hmac_tlv(key, b'')
    first_i = hmac_tlv(key, b'', I)
    yield 'hmac-first', key, first + direct, first_i + direct_i
    yield 'hmac-twice', key, direct + wrong * 2, direct_i + wrong_i * 2
    yield ('hmac-short', key, direct + tlv(8, bytes(15)),
           direct_i + tlv(8, bytes(15), I | M))
    yield ('hmac-overrun', key, direct + hmac_tlv(key, direct) + long,
           direct_i + hmac_tlv(key, direct, I)
           + struct.pack('!BBH', I | M, 5, 13) + DIRECT)
    yield ('hmac-then-padding', key,
           direct + hmac_tlv(key, direct) + tlv(1, b'abc') * 2,
           direct_answer + hmac_tlv(key, direct_answer, 0)
           + tlv(1, b'abc', 0) * 2)
    yield 'padding-alone', key, tlv(1, b'abc'), tlv(1, b'abc', 0)
    yield ('paddings-alone', key, tlv(1, b'abc') * 2,
           tlv(1, b'abc', I) * 2)


def answers():
    """Yields (name, mode, question, answer)."""
    for v6 in False, True:
        for key in [None] + KEYS:
            mode = 'plain' if key is None else 'auth'
            for name, asked, told in tlv_cases():
                if key is not None and asked:
                    asked += hmac_tlv(key, asked)
                    told += hmac_tlv(key, told,
                                     U if name.startswith('malformed') else 0)
                yield (name, mode, frame(base(False, key) + asked, v6),
                       frame(base(True, key) + told, v6, True))
    for name, key, asked, told in raw_cases():
        mode = 'plain' if key is None else 'auth'
        yield (name, mode, frame(base(False, key) + asked),
               frame(base(True, key) + told, False, True))


def composed():
    for v6 in False, True:
        for key in [None] + KEYS[:1]:
            mode = 'plain' if key is None else 'auth'
            for name, tlvs in ('none', b''), ('all', everything()):
                if key is not None and tlvs:
                    tlvs += hmac_tlv(key, tlvs)
                yield name, mode, frame(base(False, key) + tlvs, v6)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for line in {
            'composed': composed,
            'questions': lambda: (line[:3] for line in answers()),
            'answers': lambda: (line[:2] + line[3:] for line in answers()),
    }[sys.argv[1]]():
        print(line[0], line[1], line[2].hex())


if __name__ == '__main__':
    main()
