"""Checkpoints, C2SP signed notes of the order key, and receipts, against a
chain that was read (docs/format.md section 3)."""
import base64
import re

from formats import Differs, array, decode, need, sha256, signed


def check_receipt(chain, text):
    """[index, tx id, checkpoint] in base64, as doors give it."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Differs('receipt: %s' % error)
    index, tx_id, note = array(decode(data, 'receipt'), (int, 32, str),
                               'receipt')
    need(0 <= index < check_note(chain, note.encode()),
         'receipt: its checkpoint does not cover it')
    need(tx_id == chain.tx_ids[index],
         'receipt: transaction %d is another one', index)


def check_note(chain, data):
    """A C2SP signed note of the order key; its size."""
    try:
        return check_note_text(chain, data.decode())
    except ValueError as error:
        raise Differs('checkpoint: %s' % error)


def check_note_text(chain, text):
    found = re.fullmatch(
        '(ate/([0-9a-f]{64})\n(0|[1-9][0-9]*)\n([A-Za-z0-9+/=]{44})\n)\n'
        '((?:\u2014 [^ \n]+ [A-Za-z0-9+/=]+\n)+)', text)
    need(found, 'checkpoint: not a signed note of a chain')
    body, chain_id, size, root, lines = found.groups()
    need(chain_id == chain.id.hex(), 'checkpoint: of another chain')
    need(1 <= int(size) <= chain.tree.size, 'checkpoint: of %s transactions, '
         '%d are here', size, chain.tree.size)
    need(base64.b64decode(root) == chain.roots[int(size) - 1],
         'checkpoint: the root of %s transactions differs', size)
    name = 'ate/' + chain_id
    keys = [record[1] for record in chain.trust.checkpoint_keys(int(size))]
    for line in lines.splitlines():
        data = base64.b64decode(line.split(' ')[2])
        for key in keys:
            hint = sha256(name.encode() + b'\n\1' + key)[:4]
            if line.split(' ')[1] == name and data[:4] == hint:
                need(signed(key, body.encode(), data[4:]),
                     'checkpoint: the signature is wrong')
                return int(size)
    raise Differs('checkpoint: not signed by the order key')
