"""What docs/format.md section 1 calls conventions: hashes, trees, canonical
msgpack, checksums, signatures. Written from that page, not from the engine."""
import ctypes
import ctypes.util
import hashlib
import struct

DEPTH_MAX = 16
DELETES = 1  # a flag of events


class Differs(Exception):
    """Something is not as docs/format.md says."""


def need(condition, text, *values):
    if not condition:
        raise Differs(text % values)


def sha256(data):
    return hashlib.sha256(data).digest()


class u8(int):
    """An integer that is hashed as one byte: a suite or a kind."""


def part(value):
    """One part of H as bytes."""
    if value is None:
        return b''
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, u8):
        return bytes([value])
    if isinstance(value, int):
        return struct.pack('>Q', value)
    return value


def H(label, *parts):
    h = hashlib.sha256(bytes([len(label)]) + label.encode())
    for value in parts:
        data = part(value)
        h.update(struct.pack('>I', len(data)) + data)
    return h.digest()


class Tree:
    """RFC 9162, as a stack of complete subtrees (leaves, hash)."""

    def __init__(self, leaves=()):
        self.size = 0
        self.stack = []
        for leaf in leaves:
            self.append(leaf)

    def append(self, leaf):
        count, node = 1, sha256(b'\0' + leaf)
        while self.stack and self.stack[-1][0] == count:
            node = sha256(b'\1' + self.stack.pop()[1] + node)
            count *= 2
        self.stack.append((count, node))
        self.size += 1

    def root(self):
        if not self.stack:
            return sha256(b'')
        node = self.stack[-1][1]
        for _, left in reversed(self.stack[:-1]):
            node = sha256(b'\1' + left + node)
        return node


# ---- canonical msgpack ----


def encode_length(count, fix, fix_max, codes):
    """The shortest head; codes are those of 8, 16 and 32 bits, or None."""
    if fix is not None and count <= fix_max:
        return bytes([fix | count])
    for code, form, top in zip(codes, 'BHI', (0xff, 0xffff, 0xffffffff)):
        if code is not None and count <= top:
            return bytes([code]) + struct.pack('>' + form, count)
    raise Differs('too long for msgpack')


def encode_int(value):
    if 0 <= value <= 127 or -32 <= value < 0:
        return struct.pack('>b' if value < 0 else '>B', value)
    for bits, up, down in ((8, 0xcc, 0xd0), (16, 0xcd, 0xd1),
                           (32, 0xce, 0xd2), (64, 0xcf, 0xd3)):
        if 0 <= value < 1 << bits:
            return bytes([up]) + value.to_bytes(bits // 8, 'big')
        if value < 0 and value >= -(1 << bits - 1):
            return bytes([down]) + value.to_bytes(bits // 8, 'big', signed=True)
    raise Differs('integer of more than 64 bits')


def encode(value):
    """The one canonical form of a value."""
    if value is None:
        return b'\xc0'
    if isinstance(value, bool):
        return b'\xc3' if value else b'\xc2'
    if isinstance(value, int):
        return encode_int(value)
    if isinstance(value, str):
        data = value.encode()
        return encode_length(len(data), 0xa0, 31, (0xd9, 0xda, 0xdb)) + data
    if isinstance(value, bytes):
        return encode_length(len(value), None, 0, (0xc4, 0xc5, 0xc6)) + value
    if isinstance(value, list):
        head = encode_length(len(value), 0x90, 15, (None, 0xdc, 0xdd))
        return head + b''.join(encode(item) for item in value)
    items = sorted(value.items(), key=lambda item: item[0].encode())
    head = encode_length(len(items), 0x80, 15, (None, 0xde, 0xdf))
    return head + b''.join(encode(k) + encode(v) for k, v in items)


class Reader:
    """Reads msgpack of the kinds that the canonical subset has, in any form."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, count):
        if count > len(self.data) - self.at:
            raise Differs('msgpack ends early')
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, size, signed=False):
        return int.from_bytes(self.take(size), 'big', signed=signed)

    def value(self, depth=0):
        if depth > DEPTH_MAX:
            raise Differs('msgpack nests deeper than %d' % DEPTH_MAX)
        code = self.number(1)
        if code <= 0x7f:
            return code
        if code >= 0xe0:
            return code - 0x100
        if code in (0xc0, 0xc2, 0xc3):
            return {0xc0: None, 0xc2: False, 0xc3: True}[code]
        if 0xcc <= code <= 0xd3:
            return self.number(1 << (code & 3), signed=code >= 0xd0)
        return self.run(code, depth)

    def run(self, code, depth):
        """What has a length."""
        if 0xa0 <= code <= 0xbf or 0xd9 <= code <= 0xdb:
            size = code & 31 if code < 0xc0 else self.number(1 << code - 0xd9)
            return self.take(size).decode()
        if 0xc4 <= code <= 0xc6:
            return self.take(self.number(1 << code - 0xc4))
        if 0x90 <= code <= 0x9f or code in (0xdc, 0xdd):
            count = code & 15 if code < 0xc0 else self.number(2 << code - 0xdc)
            return [self.value(depth + 1) for _ in range(count)]
        if 0x80 <= code <= 0x8f or code in (0xde, 0xdf):
            count = code & 15 if code < 0xc0 else self.number(2 << code - 0xde)
            return dict(self.pair(depth) for _ in range(count))
        raise Differs('msgpack code %#x is not of the canonical subset' % code)

    def pair(self, depth):
        key = self.value(depth + 1)
        if not isinstance(key, str):
            raise Differs('a map key that is no text')
        return key, self.value(depth + 1)


def decode(data, what):
    """One canonical value and nothing behind it: only its own encoding will
    do, so keys out of order or twice and long forms are found."""
    reader = Reader(data)
    try:
        value = reader.value()
    except (UnicodeDecodeError, Differs) as error:
        raise Differs('%s: %s' % (what, error))
    if encode(value) != data:
        raise Differs('%s is not canonical msgpack' % what)
    return value


def typed(value, kinds, what):
    """Exactly one of these types: True is no integer here."""
    need(type(value) in kinds, '%s: not as docs/format.md says', what)
    return value


def array(value, shape, what):
    """An array whose items have these types; None in a tuple allows nil, a
    number is the length of a bin."""
    typed(value, (list,), what)
    need(len(value) == len(shape), '%s: %d items instead of %d', what,
         len(value), len(shape))
    for item, wanted in zip(value, shape):
        options = wanted if isinstance(wanted, tuple) else (wanted,)
        need(any(item is None if option is None else
                 type(item) is bytes and len(item) == option
                 if isinstance(option, int) else type(item) is option
                 for option in options),
             '%s: %r is not as docs/format.md says', what, item)
    return value


# ---- checksums and signatures ----


def crc_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82f63b78 if byte & 1 else 0)
        table.append(byte)
    return table


CRC_TABLE = crc_table()


def crc32c(data):
    """Castagnoli."""
    crc = 0xffffffff
    for byte in data:
        crc = CRC_TABLE[(crc ^ byte) & 0xff] ^ crc >> 8
    return crc ^ 0xffffffff


SODIUM = ctypes.CDLL(ctypes.util.find_library('sodium') or 'libsodium.so.23')
if SODIUM.sodium_init() < 0:
    raise OSError('libsodium does not start')


def signed(key, message, signature):
    """Does the signature hold by libsodium's strict rules?"""
    if len(key) != 32 or len(signature) != 64:
        return False
    return SODIUM.crypto_sign_verify_detached(
        signature, message, ctypes.c_ulonglong(len(message)), key) == 0
