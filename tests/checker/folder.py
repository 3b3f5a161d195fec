"""The files of a chain's folder down to frames and bodies (docs/format.md,
sections 4 and 5)."""
import os
import struct

from formats import H, Differs, Tree, crc32c, need, sha256

PIECE = 65536
INLINE_MAX = 1024
SEGMENT_MAX = 1 << 30
FRAMES_START = 0x2000
FRAME_SIZE = 96
TILE_SIZE = 8192


def zeros(data, what):
    need(not any(data), '%s: not zero', what)


def padded(size):
    return size + -size % 8


def read(path):
    try:
        with open(path, 'rb') as file:
            return file.read()
    except OSError as error:
        raise Differs('%s: %s' % (path, error.strerror))


class Slot:
    """A watermark."""

    def __init__(self, data):
        (magic, self.chain, self.generation, self.counter, self.offset,
         self.frames, self.transactions, self.segment, zero, self.body_offset,
         self.chain_hash, rest, crc) = struct.unpack('<8s32sQQQQQIIQ16s12sI',
                                                     data)
        need(magic == b'ATELOG\0\1', 'not a watermark')
        need(crc == crc32c(data[:124]), 'checksum differs')
        need(zero == 0 and not any(rest), 'not zero')


class Frame:
    """One frame of the header file, its checksums good."""

    def __init__(self, data, at):
        need(len(data) - at >= FRAME_SIZE, 'the file ends inside of a frame')
        head = data[at:at + FRAME_SIZE]
        (magic, self.type, flags, self.sequence, self.index, self.count,
         size, inline_size, self.segment, self.body_offset, self.body_size,
         self.before, zero, crc, inline_crc, self.body_crc, head_crc) = struct.unpack(
             '<4sHHQQIIIIQQ16s8sIIII', head)
        need(magic == b'ATEF', 'no frame stands here')
        need(head_crc == crc32c(head[:92]), 'checksum of the frame differs')
        need(flags == 0 and not any(zero), 'not zero')
        self.offset = at
        at += FRAME_SIZE
        self.end = at + padded(size) + padded(inline_size)
        need(self.end <= len(data), 'the file ends inside of a frame')
        self.payload = data[at:at + size]
        need(crc == crc32c(self.payload), 'checksum of the payload differs')
        zeros(data[at + size:at + padded(size)], 'padding of the payload')
        at += padded(size)
        self.inline = data[at:at + inline_size]
        need(inline_crc == crc32c(self.inline), 'checksum of bodies differs')
        zeros(data[at + inline_size:self.end], 'padding of bodies')

    def chain_hash(self):
        return H('frame', self.before, self.type, self.sequence, self.index,
                 self.count, self.payload)[:16]


class Folder:
    """cur, header file and body files, down to the frames."""

    def __init__(self, path):
        self.path = path
        cur = read(os.path.join(path, 'cur'))
        need(len(cur) == 64 and cur[:8] == b'ATECUR\0\1', 'cur: not one')
        need(struct.unpack('<I', cur[60:])[0] == crc32c(cur[:60]),
             'cur: checksum differs')
        zeros(cur[48:60], 'cur')
        self.generation = struct.unpack('<Q', cur[8:16])[0]
        self.id_start, self.first_hash = cur[16:32], cur[32:48]
        self.head_name = '%d.head' % self.generation
        self.head = read(os.path.join(path, self.head_name))
        self.slots = list(self.read_slots())
        self.segments = {}
        self.body_end = (1, 0)

    def read_slots(self):
        need(len(self.head) >= FRAMES_START, '%s: too short', self.head_name)
        for name, at in (('A', 0), ('B', 0x1000)):
            place = '%s: slot %s, offset %d' % (self.head_name, name, at)
            zeros(self.head[at + 128:at + 0x1000], place + ': behind it')
            if not any(self.head[at:at + 128]):
                continue
            try:
                slot = Slot(self.head[at:at + 128])
                need(slot.counter % 2 == at // 0x1000, 'it is in the other\'s '
                     'place')
                yield slot
            except Differs as error:
                raise Differs('%s: %s' % (place, error))

    def frames(self):
        """Each frame, chained to the one before it."""
        at, sequence, before, index = FRAMES_START, 0, bytes(16), 0
        while at < len(self.head):
            if not any(self.head[at:at + FRAME_SIZE]) \
                    and not any(self.head[at:]):
                break  # room for what is to come
            try:
                frame = Frame(self.head, at)
                need(frame.sequence == sequence, 'sequence number %d, not %d',
                     frame.sequence, sequence)
                need(frame.index == index, 'first index %d, not %d',
                     frame.index, index)
                need(frame.before == before, 'it follows another frame')
            except Differs as error:
                raise Differs('%s: transaction %d, offset %d: %s' % (
                    self.head_name, index, at, error))
            yield frame
            before, sequence = frame.chain_hash(), sequence + 1
            at, index = frame.end, index + frame.count

    def segment(self, number):
        """A body file; read when it is first asked for."""
        if number not in self.segments:
            path = os.path.join(self.path, '%d.body' % number)
            self.segments[number] = read(path) if number else b''
        return self.segments[number]

    def region(self, frame):
        """A frame's part of the body file."""
        if frame.body_size == 0:
            need((frame.segment, frame.body_offset, frame.body_crc) == (0, 0, 0),
                 'a place for bodies that are not there')
            return b''
        at, end = frame.body_offset, frame.body_offset + frame.body_size
        expected = self.body_end
        if (frame.segment, at) == (expected[0] + 1, 0):
            need(expected[1] + frame.body_size > SEGMENT_MAX,
                 'a new body file too early')
            self.check_end(*expected)
        else:
            need((frame.segment, at) == expected, 'bodies leave a gap')
        self.body_end = frame.segment, end
        data = self.segment(frame.segment)
        need(end <= min(len(data), SEGMENT_MAX), '%d.body ends early',
             frame.segment)
        need(frame.body_crc == crc32c(data[at:end]),
             'checksum of the bodies in %d.body differs', frame.segment)
        return data[at:end]

    def large(self, length, digest):
        """A large body, with nothing but its leaf hashes behind it. It is in
        put/ until what names it is durable and the file moved."""
        name = digest.hex()
        path = os.path.join(self.path, 'large', name)
        if not os.path.exists(path):
            put = os.path.join(self.path, 'put', '%s.%d' % (name, length))
            path = put if os.path.exists(put) else path
        data = read(path)
        pieces = [data[at:min(at + PIECE, length)]
                  for at in range(0, length, PIECE)]
        leaves = b''.join(sha256(b'\0' + piece) for piece in pieces)
        zeros(data[length:padded(length)], '%s: padding' % path)
        need(data[padded(length):] == leaves,
             '%s: the hashes behind the body differ', path)
        return data[:length]

    def tiles(self):
        """(place, bytes) of each tile that the file `tiles` vouches for."""
        path = os.path.join(self.path, 'tiles')
        if not os.path.exists(path):
            return
        data = read(path)
        magic, chain, count, rest, crc = struct.unpack('<8s32sQ12sI',
                                                       data[:64].ljust(64))
        need(magic == b'ATETIL\0\1' and chain[:16] == self.id_start and
             crc == crc32c(data[:60]), 'tiles: no header')
        zeros(rest + data[64:TILE_SIZE], 'tiles: behind the header')
        need(len(data) >= TILE_SIZE * (count + 1), 'tiles: it ends early')
        for place in range(count):
            at = TILE_SIZE * (place + 1)
            yield place, data[at:at + TILE_SIZE]

    def check_end(self, segment, end):
        """Nothing stands behind a body file's last body."""
        if os.path.exists(os.path.join(self.path, '%d.body' % segment)):
            zeros(self.segment(segment)[end:],
                  '%d.body: behind its last body, offset %d' % (segment, end))


class Bodies:
    """The bodies of one frame, taken in the order of its events."""

    def __init__(self, frame, region, large):
        self.inline, self.inline_at = frame.inline, 0
        self.large = large
        self.region, self.at = region, 0

    def take(self, length, digest, what, is_bundle=False):
        """The next body; its hash has to be `digest`. The bundle stands in the
        inline section whatever its size, alone."""
        if is_bundle or length <= INLINE_MAX:
            body = self.inline[self.inline_at:self.inline_at + length]
            self.inline_at += length
        elif length > PIECE:
            body = self.large(length, digest)
        else:
            body = self.stored(length)
        need(len(body) == length, 'body of %s: not all of it is there', what)
        pieces = [body[at:at + PIECE] for at in range(0, length, PIECE)]
        need(Tree(pieces).root() == digest, 'body of %s: its hash differs', what)
        return body

    def stored(self, length):
        data = self.region[self.at:self.at + length]
        zeros(self.region[self.at + length:self.at + padded(length)],
              'padding of a body')
        self.at += padded(length)
        return data

    def done(self):
        need(self.inline_at == len(self.inline) and self.at == len(self.region),
             'bodies that belong to no event')
